"""Fit the distribution that a model samples from."""

import torch
from torch import Tensor

from aevq_hub import AEVQ
from aevq_hub.sampling import IndependentCells

from . import metrics

FITTED_TO, EACH = 10_000, 600  # images that a mixture is fitted to: at most so many, or so many per component


@torch.no_grad()
def fit(model: AEVQ, images: Tensor) -> None:
    """Fit a model's sampler in place to the latents of at least two training images, uint8 (N, C, H, W)."""
    sampler = model.sampler
    if isinstance(sampler, IndependentCells):
        size = model.config.num_codes
        counts = torch.zeros(model.config.grid_size**2, size)
        for x in metrics.batches(images):
            indices = model.quantize(model.encode(x))[1].flatten(1)  # (B, h·w)
            counts += torch.stack([cell.bincount(minlength=size) for cell in indices.T.cpu()])
        sampler.probability.copy_((counts / len(images)).view_as(sampler.probability))
    else:
        _fit_mixture(sampler, metrics.latents(model, images[: max(FITTED_TO, EACH * model.config.components)]).cpu())
    sampler.fitted.fill_(1)


def _fit_mixture(sampler, z: Tensor) -> None:
    from sklearn.mixture import GaussianMixture

    center, unit = z.mean(0), (z - z.mean(0)).square().mean().sqrt().clamp_min(1e-8)  # the scale of latents varies
    components = min(len(sampler.weight), len(z) // 2)
    mixture = GaussianMixture(components, random_state=0, reg_covar=1e-4, tol=1e-2, init_params="k-means++")
    mixture.fit(((z - center) / unit).numpy())
    factors = torch.linalg.cholesky(torch.from_numpy(mixture.covariances_).double())  # (K, D, D)
    rows, columns = torch.tril_indices(z.shape[1], z.shape[1])
    sampler.weight[:components] = torch.from_numpy(mixture.weights_).float()
    sampler.mean[:components] = torch.from_numpy(mixture.means_).float() * unit + center
    sampler.scale[:components] = (factors[:, rows, columns] * unit).float()
