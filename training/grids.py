"""Measures of what a grid model draws: likelihood, samples, completed pictures, and whether it copies."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from aevq_hub import AEVQ

from .metrics import BATCH

LIKELIHOODS = 500  # grids whose likelihood is measured: each takes as many passes as it has cells
COMPLETED = 2000  # grids of which half is drawn anew
SEARCHED_FOR = 500  # grids whose nearest training grid is searched for
OF_PRIOR = ("likelihood.bits", "likelihood.independent", "copying.samples", "copying.test", "frechet.samples",
            "frechet.independent", "frechet.completed", "frechet.filled")  # fmt: skip


def likelihoods(model: AEVQ, indices: Tensor) -> dict[str, float]:
    """Bits per image of test grids (N, h, w).

    Returns:
        ``bits``, those of the model's prior, and ``independent``, those of the frequencies of each cell.
    """
    indices = indices[:LIKELIHOODS]
    bits = torch.cat([model.likelihood(part) for part in indices.split(BATCH)])
    independent = model.grids.independent().logits(indices).log_softmax(-1).gather(-1, indices[..., None])
    return {"bits": bits.mean().item(), "independent": -independent.sum().item() / len(indices) / math.log(2)}


def pictures(model: AEVQ, indices: Tensor, samples: int) -> dict[str, Iterator[Tensor]]:
    """Pictures, in batches, of new grids and of completed test grids (N, h, w).

    Returns:
        ``samples``: of :meth:`AEVQ.sample`. ``independent``: each cell is drawn by its frequencies. ``completed``: the
        left half of the cells is a test image's, the prior draws the others. ``filled``: the same without the prior.
    """
    prior, cells, halves = model.grids, model.grids.independent(), indices[:COMPLETED]
    keep = torch.zeros_like(halves, dtype=torch.bool)
    keep[:, :, : keep.shape[2] // 2] = True
    drawn = {
        "samples": prior.sample_indices(samples, _seeded()),
        "independent": cells.sample_indices(samples, _seeded()),
        "completed": prior.complete(halves, keep, _seeded()),
        "filled": cells.complete(halves, keep, _seeded()),
    }
    return {name: map(model.decode_indices, grids.split(BATCH)) for name, grids in drawn.items()}


def copying(model: AEVQ, train: Tensor, test: Tensor) -> dict[str, float]:
    """In how many cells samples, and test grids (N, h, w), differ from the nearest training grid: means over them."""
    test = test[:SEARCHED_FOR]
    found = {"samples": model.grids.sample_indices(len(test), _seeded()), "test": test}
    return {name: nearest(grids.cpu(), train.cpu()).float().mean().item() for name, grids in found.items()}


def nearest(grids: Tensor, others: Tensor) -> Tensor:
    """In how many cells each grid (N, h, w) differs from the most similar one of others (M, h, w): (N,)."""
    grids, others = grids.flatten(1).short(), others.flatten(1).short()
    return torch.stack([(others != grid).sum(1).amin() for grid in grids])


def _seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)
