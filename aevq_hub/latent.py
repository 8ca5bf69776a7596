"""Pure functions on latents, used by figures, measurements and the demo. ``recombine`` has those on grids."""

from collections.abc import Sequence

import torch

from . import recombine
from .checks import one_of, short, whole

__all__ = ["MODES", "bilinear", "interpolate", "perturb", "perturb_cell", "recombine"]

MODES = ("lerp", "slerp")


def perturb(z: torch.Tensor, steps: torch.Tensor, shifts: float | Sequence[float]) -> torch.Tensor:
    """Shift latents along dimensions or directions by several amounts (figures 2.1, 3.2).

    Args:
        z: latents (..., D).
        steps: what a shift of 1 adds to a latent: P steps (P, D), or a single one (D,). Those of ``model.directions()``
            and ``model.axes()`` are one standard deviation (σ) of the training latents long, those of
            ``model.axes(unit="raw")`` have the length 1, as in the paper.
        shifts: S amounts in steps, or a single one.

    Returns:
        (..., P, S, D): entry [..., p, s, :] is z + shifts[s] · steps[p].

    Raises:
        ValueError: the steps are no tensor or have another length than the latents, or a shift is not finite.
    """
    if not isinstance(steps, torch.Tensor):
        raise ValueError(
            f"steps is {short(steps)}; give a tensor (P, D), such as model.directions() or model.axes([5])"
        )
    steps = steps.to(z)
    if not 1 <= steps.ndim <= 2 or steps.shape[-1] != z.shape[-1]:
        raise ValueError(f"steps have the shape {tuple(steps.shape)}; these latents take (P, {z.shape[-1]})")
    steps = steps.view(-1, steps.shape[-1])
    shifts = [shifts] if isinstance(shifts, int | float) else list(shifts)
    largest = torch.finfo(z.dtype).max if z.is_floating_point() else torch.inf
    if not all(abs(shift) <= largest for shift in shifts):  # also refuses NaN
        raise ValueError(f"shifts must be finite numbers, not {shifts}")
    amounts = torch.tensor(shifts, dtype=z.dtype, device=z.device)
    return z[..., None, None, :] + amounts[:, None] * steps[:, None, :]  # (..., P, S, D)


def perturb_cell(
    z: torch.Tensor, cell: tuple[int, int] | None, steps: torch.Tensor, shifts: float | Sequence[float]
) -> torch.Tensor:
    """Shift one vector of a grid along dimensions or directions (figure 4.6).

    Args:
        z: grids (..., D, h, w).
        cell: the row and the column of the vector; None for latents (..., D), as :func:`perturb`.
        steps, shifts: as for :func:`perturb`.

    Returns:
        (..., P, S, D, h, w).

    Raises:
        ValueError: the cell lies outside the grid, the steps have another length, or a shift is not finite.
    """
    if cell is None:
        return perturb(z, steps, shifts)
    (row,), (column,) = recombine.checked_cells(z, [cell])
    shifted = perturb(z[..., row, column], steps, shifts)  # (..., P, S, D)
    grids = z[..., None, None, :, :, :].expand(*shifted.shape, *z.shape[-2:]).clone()
    grids[..., row, column] = shifted
    return grids


def interpolate(z1: torch.Tensor, z2: torch.Tensor, steps: int, mode: str = "lerp", dim: int = -1) -> torch.Tensor:
    """The path from one latent to another (figures 2.2, 2.4).

    Args:
        z1: latents (..., D), or grids (..., D, h, w), whose cells are interpolated independently.
        z2: latents of the same shape.
        steps: S, at least 2, including both ends.
        mode: ``lerp`` for the straight line, or ``slerp`` for the arc, which keeps the length of latents of equal
            length. If two latents are (nearly) parallel or opposite, the arc is undefined: the straight line is used.
        dim: the dimension of D: −1, or −3 for grids.

    Returns:
        (S, ..., D): entry 0 equals z1, entry S − 1 equals z2.

    Raises:
        ValueError: the shapes differ, there are fewer than 2 steps, or the mode is unknown.
    """
    if z1.shape != z2.shape:
        raise ValueError(f"z1 has the shape {tuple(z1.shape)}, z2 {tuple(z2.shape)}; they must be equal")
    whole("steps", steps, 2)
    one_of("mode", mode, MODES)
    alpha = torch.linspace(0, 1, steps, dtype=z1.dtype, device=z1.device).view(-1, *[1] * z1.ndim)  # (S, 1, …)
    line = (1 - alpha) * z1 + alpha * z2  # (S, ..., D)
    if mode == "lerp":
        return line
    cosine = torch.cosine_similarity(z1, z2, dim=dim).unsqueeze(dim)
    angle = torch.arccos(cosine.clamp(-1, 1))
    arc = (torch.sin((1 - alpha) * angle) * z1 + torch.sin(alpha * angle) * z2) / torch.sin(angle)
    path = torch.where(cosine.abs() > 1 - 1e-6, line, arc)
    path[0], path[-1] = z1, z2
    return path


def bilinear(
    upper_left: torch.Tensor,
    upper_right: torch.Tensor,
    lower_left: torch.Tensor,
    lower_right: torch.Tensor,
    rows: int,
    columns: int,
) -> torch.Tensor:
    """Bilinear interpolation between four latents.

    Args:
        upper_left, upper_right, lower_left, lower_right: latents or grids (...), all of the same shape.
        rows, columns: R and S, at least 2 each.

    Returns:
        (R, S, ...): the corners equal the four latents.

    Raises:
        ValueError: shapes differ, or fewer than 2 rows or columns.
    """
    left = interpolate(upper_left, lower_left, rows)  # (R, ...)
    right = interpolate(upper_right, lower_right, rows)
    return interpolate(left, right, columns).transpose(0, 1)
