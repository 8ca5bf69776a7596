"""What the objectives share: the input of a training step, which latents met which vectors, and distances."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .ranks import SINGLE, Ranks

Terms = dict[str, Tensor]
DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}  # by recipe.PRECISIONS


@dataclass(frozen=True)
class Batch:
    """The input of one training step: the part of the whole batch that this process has."""

    x: Tensor  # images for the reconstruction (N, C, H, W)
    x_pull: Tensor | None = None  # others (M, C, H, W), all on every process; those nearest to the vectors are pulled
    labels: Tensor | None = None  # classes (N,) or attributes 0 and 1 (N, A), −1 where missing
    step: int = 0  # the number of earlier steps
    epoch: int = 0  # the number of earlier epochs
    generator: torch.Generator | None = None  # for random numbers within the step
    elsewhere: int = 0  # the images of the whole batch that other processes have
    ranks: Ranks = SINGLE  # the processes that have the parts of the whole batch

    @property
    def size(self) -> int:
        """The number of images of the whole batch."""
        return len(self.x) + self.elsewhere

    @property
    def weight(self) -> float:
        """The share of x in the whole batch, with which a mean over x enters the mean over the batch."""
        return len(self.x) / self.size


@dataclass(frozen=True)
class Matches:
    """Which latents were matched with which vectors in a step."""

    z: Tensor  # matched latents (n, D)
    indices: Tensor  # the vector of each (n,)
    latents: Tensor  # all latents, or cells, of the batch (m, D)
    nearest: Tensor  # the nearest vector of each (m,)


def squared_distance(a: Tensor, b: Tensor) -> Tensor:
    """‖a − b‖², summed over everything but the first dimension and averaged over that: (B, …), (B, …) → ()."""
    return SquaredDistance.apply(a, b) / len(a)


class SquaredDistance(torch.autograd.Function):
    """‖a − b‖² over everything, in fewer passes over memory than torch's loss and with gradients in a's format."""

    @staticmethod
    def forward(ctx, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        return (a - b).float().square_().sum()

    @staticmethod
    def backward(ctx, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
        a, b = ctx.saved_tensors
        gradient = (a - b).mul_(2 * gradients[0])
        return gradient if ctx.needs_input_grad[0] else None, -gradient if ctx.needs_input_grad[1] else None


def variance(z: Tensor, batch: Batch) -> Tensor:
    """Σ_d Var(z_d), over all latents of the whole batch (B, D) or all cells of its grids (B, D, h, w): → ()."""
    cells = z.movedim(1, -1).flatten(0, -2)  # (n, D); no copy of a grid in channels-last format
    second = batch.ranks.mean(torch.dot(cells.flatten(), cells.flatten()) / len(cells), batch.weight)
    first = batch.ranks.mean(cells.mean(0), batch.weight)
    return (second - first.square().sum()).clamp_min(1e-3 * second + 1e-12)  # never 0
