"""What the tab Compare shows: one picture through every variant of its data set, the paper on one screen."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import torch
from PIL import Image

from ... import latent, pictures
from ...model import AEVQ
from ..shared import originals, starts
from ..shared.exhibits import exhibit
from .settings import STEPS, Compare


@dataclass(frozen=True)
class Row:
    """One variant's pictures."""

    model: str
    reconstruction: torch.Tensor  # (C, H, W) in [0, 1]
    error: float | None  # mean squared error against the original; None if that is not shown
    shifted: torch.Tensor  # (C, H, W)
    path: torch.Tensor  # (STEPS, C, H, W), the way to the second picture

    @property
    def psnr(self) -> float | None:
        """The error as peak signal-to-noise ratio in dB."""
        return None if self.error is None else -10 * torch.tensor(max(self.error, 1e-10)).log10().item()

    @property
    def sheet(self) -> torch.Tensor:
        """All of them in a row (2 + STEPS, C, H, W)."""
        return torch.cat([self.reconstruction[None], self.shifted[None], self.path])


def rows(settings: Compare) -> Iterator[Row]:
    """Every variant's row, one model opened after another.

    Raises:
        ValueError: a start is not a sample, or its image is no longer here.
    """
    for model in settings.models:
        yield row(settings, model)


def row(settings: Compare, model: str) -> Row:
    """One variant's row."""
    return _row(model, settings.model, settings.start, settings.second, settings.shift)


@lru_cache(maxsize=128)  # the models of about ten visitors; at most 350 kB each
def _row(model: str, generator: str, start: str, second: str, shift: float) -> Row:
    shown, generates = exhibit(model), exhibit(generator)
    m, size = shown.model, shown.model.config.grid_size
    z1, z2 = (starts.latent(shown, token, generates) for token in (start, second))
    fed, cell = m.decoder_input(z1[None]), pictures.middle(m) if size else None
    shifted = latent.perturb_cell(fed, cell, m.axes()[:1], shift)[:, 0, 0]
    path = latent.interpolate(z1, z2, STEPS, dim=-3 if size else -1)
    x, reconstruction = originals.original(model, start), m.render(z1[None])[0]
    error = None if x is None else (reconstruction - x).square().mean().item()
    return Row(model, reconstruction, error, m.decode(shifted)[0], m.render(path))


def sheet(settings: Compare) -> Image.Image:
    """All variants' rows in one picture: reconstruction, shifted, and the way to the second picture."""
    found = list(rows(settings))
    labels = [settings.variant_of(row.model) for row in found]
    return pictures.sheet(torch.stack([row.sheet for row in found]), labels)


def row_sheet(settings: Compare, model: str) -> Image.Image:
    """One variant's row as a picture."""
    return pictures.sheet(row(settings, model).sheet[None])


def strip(row: Row) -> Image.Image:
    """The way to the second picture, as small as it is, side by side without gaps."""
    return AEVQ.to_pil(torch.cat(list(row.path), dim=2)[None])[0]
