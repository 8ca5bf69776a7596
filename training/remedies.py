"""Optional regularisers beyond the paper, none of them probabilistic; all are off by default."""

import torch
from torch import Tensor

from aevq_hub import AEVQ
from aevq_hub.codebook import nearest_vectors

from .recipe import Recipe
from .step import Batch, Terms, squared_distance, variance

# the weights of the terms that the paper does not train, in words
BEYOND = {
    "pull_share": "pulls {:.0%} of the M images",
    "center_reconstruction_weight": "λ2 = {:g}",
    "tail_cap": "pulls latents further than {:g} spreads",
    "gradient_weight": "decoder's gradient, {:g}",
    "decay_weight": "decoder's weights, {:g}",
}
GRADIENT_STEP = 0.5  # the length of the noise, in spreads; at 0.1 decoders are flat around each latent, steep between


def remedies(model: AEVQ, z: Tensor, x_hat: Tensor, batch: Batch, recipe: Recipe) -> Terms:
    """Terms beyond the paper that fill and smooth the latent space without a probability; each only if it is trained.

    ``tail`` is the squared distance of latents z (N, D) to a sphere around their nearest vector, for those outside; its
    radius is ``recipe.tail_cap`` spreads. ``decoder_gradient`` is the squared change of the pictures x_hat = D(z) for
    Gaussian noise of half a spread of the latents, divided by the square of that half: a difference quotient. It does
    not depend on the latents' scale, unlike the penalty ‖∇D(z)‖² of regularised autoencoders (RAE). ``decoder_decay``
    is the squared norm of the decoder's parameters, another choice of RAE.
    """
    terms = {}
    if recipe.tail_cap or recipe.gradient_weight:
        spread = variance(z.detach(), batch).sqrt()
    if recipe.tail_cap:
        v = model.vectors[nearest_vectors(z.detach(), model.vectors)].detach()
        terms["tail"] = ((z - v).norm(dim=1) - recipe.tail_cap * spread).clamp_min(0).square().mean()
    if recipe.gradient_weight:
        noise = torch.randn((batch.size, z.shape[1]), generator=batch.generator)  # for the whole batch
        noise = batch.ranks.share(noise).to(z.device) * (GRADIENT_STEP * spread / z.shape[1] ** 0.5)
        terms["decoder_gradient"] = squared_distance(model.decode(z + noise), x_hat) / GRADIENT_STEP**2
    if recipe.decay_weight:
        terms["decoder_decay"] = torch.stack([p.square().sum() for p in model.decoder.parameters()]).sum()
    return terms
