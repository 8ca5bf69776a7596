"""vector-quantize-pytorch (https://github.com/lucidrains/vector-quantize-pytorch): its quantizers in our networks."""

# pyright: reportMissingImports=false

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from vector_quantize_pytorch import FSQ, SimVQ, VectorQuantize

from aevq_hub import AEVQ, AEVQConfig

from ..recipe import Recipe
from . import networks
from .plain import Loop

LEVELS = {100: [5, 5, 4], 512: [8, 8, 8]}  # of FSQ, by the number of codes
ALIVE = {"kmeans_init": True, "threshold_ema_dead_code": 2}  # what its README recommends for more codes in use
QUANTIZERS: dict[str, Callable[[AEVQConfig, Recipe], nn.Module]] = {
    "VectorQuantize": lambda c, r: VectorQuantize(c.latent_dim, c.num_codes, decay=1 - r.ema_rate, **ALIVE),
    "VectorQuantize, straight-through": lambda c, r: VectorQuantize(
        c.latent_dim, c.num_codes, decay=1 - r.ema_rate, rotation_trick=False, **ALIVE
    ),
    "FSQ": lambda c, r: FSQ(LEVELS[c.num_codes], dim=c.latent_dim),
    "SimVQ": lambda c, r: SimVQ(c.latent_dim, c.num_codes),
    "SimVQ, straight-through": lambda c, r: SimVQ(c.latent_dim, c.num_codes, rotation_trick=False),
}


class Quantized(AEVQ):
    """One of our models that asks another quantizer for the indices. Its codebook contains that one's codes."""

    def __init__(self, config: AEVQConfig, quantizer: Any):
        super().__init__(config)
        self.quantizer = quantizer.eval()
        codes = torch.arange(config.num_codes)[None]
        vectors = quantizer.indices_to_codes(codes)[0] if isinstance(quantizer, FSQ) else quantizer.codebook
        del self.codebook  # its numbers are those of the quantizer
        self.register_buffer("codebook", vectors.detach().clone())

    def quantize(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        cells = z.movedim(1, -1)  # (B, h, w, D)
        indices = self.quantizer(cells.flatten(1, 2))[1].view(cells.shape[:-1])
        quantized = self.vectors[indices].movedim(-1, 1)
        return quantized, indices, (z - quantized).detach().norm(dim=1)


class VectorQuantized(Loop):
    """Our grid network with a quantizer of the library, by a plain loop: the squared error of pixels in −1 … 1, and
    the quantizer's own loss.

    The library's examples take the absolute error, by which most of MNIST's pixels, and then all, become black.

    Args:
        config: the network and the number of codes.
        recipe: the batch size, the learning rate, the seed, and the rate at which vectors move.
        images: uint8 (N, C, H, W).
        model: a key of ``QUANTIZERS``.
    """

    def __init__(self, config: AEVQConfig, recipe: Recipe, images: Tensor, model: str):
        ours = networks(config, recipe, images)
        parts = {"encoder": ours.encoder, "quantizer": QUANTIZERS[model](config, recipe), "decoder": ours.decoder}
        super().__init__(nn.ModuleDict(parts), recipe, images)
        self.config = config

    def loss(self, x: Tensor) -> Tensor:
        encoder, quantizer, decoder = self.parts.children()
        z = encoder(x)  # (N, D, h, w)
        q, _, *losses = quantizer(z.flatten(2).movedim(1, -1))  # (N, h·w, D); FSQ has no loss
        x_hat = torch.sigmoid(decoder(q.movedim(-1, 1).view_as(z)))
        return 4 * F.mse_loss(x_hat, x) + sum(one.sum() for one in losses)

    def trained(self) -> AEVQ:
        """The trained networks and codes as one of our models."""
        encoder, quantizer, decoder = self.parts.children()
        ours = Quantized(self.config, quantizer)
        ours.encoder, ours.decoder = encoder, decoder
        return ours.eval()


def quantizer(z: Tensor, codes: int, rate: float):
    """Its quantizer for latents z (B, n, D), moved by an average as ours: a function without arguments.

    The function quantises z and returns (B, n, D) and the commitment loss ().
    """
    module = VectorQuantize(dim=z.shape[-1], codebook_size=codes, decay=1 - rate).train()

    def run() -> tuple[Tensor, Tensor]:
        quantized, _, loss = module(z)
        return quantized, loss.sum()

    with torch.no_grad():
        run()
    return run
