"""What the codes of a grid tell about an image, and how local they are: measures of models and grids."""

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from aevq_hub import AEVQ

from .metrics import BATCH

if TYPE_CHECKING:  # slow to import
    from scipy.sparse import csr_matrix

SWAPPED = 2000  # cells that get another code


def information(indices: Tensor, labels: Tensor, num_codes: int) -> float:
    """The mutual information of a random cell's code and the class, in bits: grids (N, h, w), classes (N,).

    With few images, counts suggest information where there is none; the expected excess is subtracted (Miller and
    Madow).
    """
    cells, classes = indices.flatten(1), int(labels.max()) + 1
    pairs = labels[:, None].expand_as(cells) * num_codes + cells
    joint = pairs.flatten().bincount(minlength=classes * num_codes).view(classes, num_codes).double()

    def entropy(count: Tensor) -> float:
        return torch.special.entr(count / count.sum()).sum().item()

    used = [int((count > 0).sum()) for count in (joint.sum(0), joint.sum(1), joint)]
    excess = (used[2] - used[0] - used[1] + 1) / (2 * joint.sum().item())
    return (entropy(joint.sum(0)) + entropy(joint.sum(1)) - entropy(joint) - excess) / math.log(2)


def bag(indices: Tensor, num_codes: int) -> "csr_matrix":
    """How often each code occurs in each grid: (N, h, w) → (N, K)."""
    return _counts(indices.flatten(1), num_codes)


def one_hot(indices: Tensor, num_codes: int) -> "csr_matrix":
    """Which code each cell has: grids (N, h, w) → (N, h·w·K)."""
    cells = indices.flatten(1)
    return _counts(cells + torch.arange(cells.shape[1]) * num_codes, cells.shape[1] * num_codes)


def _counts(columns: Tensor, size: int) -> "csr_matrix":
    from scipy.sparse import csr_matrix

    rows = torch.arange(len(columns))[:, None].expand_as(columns)
    ones = torch.ones(columns.numel())
    return csr_matrix((ones, (rows.flatten(), columns.flatten())), shape=(len(columns), size))


def probe(train: "csr_matrix", labels: Tensor, test: "csr_matrix", test_labels: Tensor) -> float:
    """The accuracy of a linear classifier that learns from ``train`` and is tested on ``test``."""
    from sklearn.linear_model import LogisticRegression

    classifier = LogisticRegression(solver="newton-cg", C=0.1).fit(train, labels.numpy())
    return classifier.score(test, test_labels.numpy())


@torch.no_grad()
def swapped(model: AEVQ, indices: Tensor) -> dict[str, float]:
    """How local the change is when a random cell gets the code that it has in another image: grids (N, h, w).

    Returns:
        ``own``, the share of the squared change in the pixels that the cell covers; ``area``, the share of the picture
        that changes: (Σd)² / Σd² over the pixels' squared changes d, divided by their number; means over the cells
        whose code differs. Nothing, if all images have the same codes.
    """
    generator = torch.Generator().manual_seed(0)
    side, size = model.config.grid_size, model.config.image_size
    n = min(SWAPPED, len(indices))
    picked, donors = (torch.randint(len(indices), (n,), generator=generator) for _ in range(2))
    row, column = (torch.randint(side, (n,), generator=generator) for _ in range(2))
    grid, image = indices[picked], torch.arange(n)
    other = grid.clone()
    other[image, row, column] = indices[donors, row, column]
    differs = (other != grid).flatten(1).any(1)
    if not differs.any():
        return {}
    grid, other, row, column = grid[differs], other[differs], row[differs], column[differs]
    pairs = zip(grid.split(BATCH), other.split(BATCH), strict=True)
    d = torch.cat([(model.decode_indices(b) - model.decode_indices(a)).square().sum(1) for a, b in pairs])  # (n, H, W)
    covered = 2 ** len(model.config.widths)  # pixels per side of a cell; the last ones may be cut off
    place = torch.arange(size) // covered
    own = (place[None, :, None] == row[:, None, None]) & (place[None, None, :] == column[:, None, None])  # (n, H, W)
    d, own = d.flatten(1).double(), own.flatten(1)
    whole = d.sum(1).clamp_min(1e-12)
    area = whole.square() / d.square().sum(1).clamp_min(1e-24) / size**2
    return {"own": ((d * own).sum(1) / whole).mean().item(), "area": area.mean().item()}
