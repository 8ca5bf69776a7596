"""Maps: a model's vectors and latents of test images on a plane, by t-SNE (figures 3.4, 4.1, 4.2)."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from aevq_hub import AEVQ
from aevq_hub.folder import MAP_FILE

from .data import Split
from .files import written_beside
from .metrics import latents

POINTS = 700  # at most this many latents
BYTES = 240_000  # the latents take at most this much on disk: fewer if their vectors are long
PRINCIPAL = 50  # at most this many dimensions go into t-SNE


def write_map(model: AEVQ, test: Split, folder: Path) -> None:
    """Compute the map of a model with vectors, from some of the test images, and write it as ``map.safetensors``.

    It contains ``points`` (n, 2) and ``vectors`` (K, 2), coordinates in [0, 1] from the left and from the top;
    ``latents`` (n, D), the latents of the points (for a grid, one cell of each image); and ``classes`` (n,), −1 if an
    image has no single class. All but the classes are float16.
    """
    index = torch.linspace(0, len(test) - 1, min(POINTS, BYTES // (2 * model.config.latent_dim), len(test))).long()
    z = latents(model, test.images[index])
    if model.config.grid_size:
        cells = z.flatten(2)  # (n, D, h·w)
        chosen = torch.randint(cells.shape[2], (len(z),), generator=torch.Generator().manual_seed(0))
        z = cells[torch.arange(len(z)), :, chosen]
    z = z.half()
    plane = _plane(torch.cat([z.float(), model.vectors.detach().float()]))
    labels = test.labels
    if labels is None or labels.ndim > 1:  # no labels, or several per image
        labels = torch.full((len(test),), -1)
    tensors = {"points": plane[: len(z)], "vectors": plane[len(z) :], "classes": labels[index].short(), "latents": z}
    with written_beside(folder / MAP_FILE) as beside:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, beside)


def _plane(z: Tensor) -> Tensor:
    """The coordinates of vectors (n, D) on a common plane, float16 (n, 2) in [0, 1]."""
    from sklearn.decomposition import PCA  # takes a second to import and is rarely needed
    from sklearn.manifold import TSNE

    values = z.numpy()
    if min(values.shape) > PRINCIPAL:
        values = PCA(PRINCIPAL, random_state=0).fit_transform(values)
    values = np.pad(values, ((0, 0), (0, max(0, 2 - values.shape[1]))))  # a plane needs two dimensions
    perplexity = min(30, (len(values) - 1) / 3)
    found = TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(values)
    low, high = found.min(0), found.max(0)
    return torch.from_numpy((found - low) / np.maximum(high - low, 1e-9)).half()
