"""A network that predicts hidden codes of a grid from the visible ones, in any order (as in MaskGIT).

It reads a grid of codes in which some cells are hidden and gives the distribution of the code in each cell. It consists
of convolutions, because neighbours say most about a cell.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Prior(nn.Module):
    """Grids of codes with hidden cells → the logits of each cell's code.

    Args:
        side: height and width of the grid.
        num_codes: K; the index K means a hidden cell.
        width: channels of each block.
        blocks: residual blocks. The convolutions of the first, third, … look one cell further in all directions.
        dilation: how many cells further those of the second, fourth, … look, so that few blocks span the whole grid.
    """

    def __init__(self, side: int, num_codes: int, width: int, blocks: int, dilation: int = 1):
        super().__init__()
        embedding, position = torch.empty(num_codes + 1, width), torch.empty(width, side, side)
        if not embedding.is_meta:  # normal numbers on the meta device would import torch's compiler: 150 MB, a second
            embedding.normal_()
            position = 0.02 * torch.randn(width, side, side)
        self.embedding = nn.Embedding(num_codes + 1, width, _weight=embedding)
        self.position = nn.Parameter(position)
        self.blocks = nn.ModuleList(Block(width, dilation if i % 2 else 1) for i in range(blocks))
        self.logits = nn.Linear(width, num_codes)
        nn.init.zeros_(self.logits.weight)  # so that it begins with the frequencies
        nn.init.zeros_(self.logits.bias)

    # fmt: off
    def forward(self, indices: Tensor) -> Tensor:
        """indices (B, h, w) in 0 … K → logits (B, h, w, K), to be added to those of the cells' frequencies."""
        x = self.embedding(indices).movedim(-1, 1) + self.position                                    # (B, width, h, w)
        for block in self.blocks:
            x = block(x)
        return self.logits(F.layer_norm(x.movedim(1, -1), (x.shape[1],)))                             # (B, h, w, K)
    # fmt: on


class Block(nn.Module):
    """x + Conv1×1(GELU(Conv3×3(norm(x)))), where the weights of the last convolution start at zero."""

    def __init__(self, width: int, dilation: int):
        super().__init__()
        self.norm = nn.GroupNorm(1, width)
        self.look = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation)
        self.mix = nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.mix.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.mix(F.gelu(self.look(self.norm(x))))


def schedule(cells: int, steps: int) -> list[int]:
    """How many of a grid's cells are drawn in each step: few at first, when little is known, and more later.

    After a share t of the steps, a share cos(π t / 2) of the cells is still hidden (MaskGIT); at least one cell is
    drawn in each step.
    """
    steps = min(steps, cells)
    hidden, counts = cells, []
    for step in range(1, steps + 1):
        left = min(hidden - 1, max(steps - step, math.floor(cells * math.cos(math.pi / 2 * step / steps))))
        counts.append(hidden - left)
        hidden = left
    return counts
