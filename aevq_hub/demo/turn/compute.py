"""What the tab Turn shows (figures 2.1, 2.3, 3.2, 4.1, 4.6): shifts of a latent and their effect."""

from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from PIL import Image

from ... import latent, pictures
from ...latent_space import STRONGEST
from ...sampling import GaussianMixture
from ..shared import starts
from ..shared.animation import webp
from ..shared.exhibits import MOST_OPEN, exhibit
from .settings import SLIDERS, Turn

CURVE_POINTS = 41
RECENT = 64  # latents that are kept for the next request
STRIP = 7  # pictures on the way to the second one
FRAMES = 24  # of the moving picture that the page opens with
FRAME_MILLISECONDS = 80


@dataclass(frozen=True)
class Curve:
    """The effect of shifts of one number."""

    shifts: list[float]  # S amounts, evenly spaced from −limit to +limit
    picture: list[float]  # (S,) root mean squared difference to the start's picture, over pixels in [0, 1]
    ground: list[float]  # (S,) distance of the latent to the training latents, or of a cell's vector to the codes
    known: str  # which distance that is, for people


def picture(settings: Turn) -> Image.Image:
    """The picture after all shifts, as small as it is.

    Raises:
        ValueError: the start is not a sample, or its image is no longer here.
    """
    model = exhibit(settings.model).model
    return model.to_pil(model.decode(_shifted(settings)[None]))[0]


def unusual(settings: Turn) -> float | None:
    """The Mahalanobis distance of the shifted latent to the training latents, divided by what is typical, so that 1 is
    typical; None for grids, whose latents are many."""
    sampler = exhibit(settings.model).model.sampler
    return sampler.distance(_shifted(settings)[None]).item() if isinstance(sampler, GaussianMixture) else None


def strip(settings: Turn) -> list[Image.Image]:
    """Pictures on the straight way from the picture to the second one, both included, without shifts."""
    model = exhibit(settings.model).model
    z, second = (starts.latent(exhibit(settings.model), start) for start in (settings.start, settings.second))
    return model.to_pil(model.render(latent.interpolate(z, second, STRIP)))


def moving(settings: Turn) -> bytes:
    """A moving picture, an animated WebP: the start shifted by ±1.5 along the first slider and back."""
    angles = torch.linspace(0, 2 * torch.pi, FRAMES + 1)[:-1].tolist()
    amounts = [f"{1.5 * torch.sin(torch.tensor(angle)).item():.3f}" for angle in angles]
    return webp([picture(replace(settings, mix=amount)) for amount in amounts], FRAME_MILLISECONDS, side=1)


def sheet(settings: Turn) -> Image.Image:
    """The ten strongest directions or numbers (columns) by the shifts of the figure (rows)."""
    model = exhibit(settings.model).model
    steps, labels = _steps(settings, STRONGEST), [str(i + 1) for i in range(STRONGEST)]
    if settings.basis == "numbers":
        labels = [f"z{dim}" for dim in model.ranked_dimensions()[:STRONGEST]]
    return pictures.perturbation(model, _start(settings), steps, settings.figure, settings.cell, labels[: len(steps)])


def tiles(settings: Turn) -> list[list[Image.Image]]:
    """The pictures of :func:`sheet`, row by row, for the directions or numbers that have a slider."""
    model = exhibit(settings.model).model
    z = _input(settings.model, settings.start, settings.second, settings.way)
    shifted = latent.perturb_cell(z, settings.cell, _steps(settings, SLIDERS), settings.figure)  # (P, S, …)
    images = [model.to_pil(model.decode(part)) for part in shifted]
    return [list(row) for row in zip(*images, strict=True)]


def raw_in_std(settings: Turn) -> float:
    """How many standard deviations of the training latents a raw shift of 1 is, of the chosen number."""
    return 1 / max(_number(replace(settings, unit="std")).norm().item(), 1e-9)


def curve(settings: Turn) -> Curve:
    """The effect of shifts of the chosen number alone; see :class:`Curve`."""
    s = settings
    return _curve(Turn(s.model, s.start, rank=s.rank, unit=s.unit, reach=s.limit, row=s.row, column=s.column))


@lru_cache(maxsize=64)
def _curve(settings: Turn) -> Curve:
    model, z = exhibit(settings.model).model, _input(settings.model, settings.start, settings.second, settings.way)
    amounts = [settings.limit * (2 * i / (CURVE_POINTS - 1) - 1) for i in range(CURVE_POINTS)]  # 0 in the middle
    shifted = latent.perturb_cell(z, settings.cell, _number(settings), amounts)  # (1, S, …)
    x = model.decode(shifted[0])
    apart = (x - x[CURVE_POINTS // 2]).square().flatten(1).mean(1).sqrt()  # (S,), to the one not shifted
    if settings.cell:
        row, column = settings.cell
        ground = torch.cdist(shifted[0, :, :, row, column], model.vectors).amin(1)
        known = "of the cell's vector to the nearest code"
    else:
        assert isinstance(model.sampler, GaussianMixture)  # only grids have another sampler
        ground = model.sampler.distance(shifted[0])
        known = "to the training latents, most of which are at about 1"
    return Curve(amounts, apart.tolist(), ground.tolist(), known)


def _start(settings: Turn) -> torch.Tensor:
    """The latent (D,) or grid (D, h, w) that is shifted."""
    shown = exhibit(settings.model)
    z = starts.latent(shown, settings.start)
    return z.lerp(starts.latent(shown, settings.second), settings.way) if settings.way else z


@lru_cache(maxsize=RECENT)
def _input(model: str, start: str, second: str, way: float) -> torch.Tensor:
    """The decoder's input (D,) or (D, h, w) before all shifts: the same while a slider is moved."""
    z = _start(Turn(model, start, second, way=way))
    return exhibit(model).model.decoder_input(z[None])[0]


@lru_cache(maxsize=RECENT)
def _shifted(settings: Turn) -> torch.Tensor:
    """The decoder's input (D,) or (D, h, w) after all shifts; a picture and its distance have the same."""
    z = _input(settings.model, settings.start, settings.second, settings.way)
    steps = _steps(settings, SLIDERS)
    for i, amount in enumerate(settings.mixed):
        if amount:
            z = latent.perturb_cell(z, settings.cell, steps[i], amount)[0, 0]
    if settings.shift:
        z = latent.perturb_cell(z, settings.cell, _number(settings), settings.shift)[0, 0]
    return z


def _steps(settings: Turn, count: int) -> torch.Tensor:
    """The steps (P, D) along the strongest directions or numbers, at most as many as the latent has numbers."""
    model, count = exhibit(settings.model).model, min(count, settings.config.latent_dim)
    if settings.basis == "directions":
        steps = _directions(settings.model, count)
        return steps if settings.unit == "std" else torch.nn.functional.normalize(steps)
    return model.axes(model.ranked_dimensions()[:count], settings.unit)


@lru_cache(maxsize=2 * MOST_OPEN)
def _directions(model: str, count: int) -> torch.Tensor:
    """The strongest directions of a model (P, D), computed once: for a grid that takes longer than a picture."""
    return exhibit(model).model.directions(count)


def _number(settings: Turn) -> torch.Tensor:
    """The step (1, D) along the chosen number."""
    model = exhibit(settings.model).model
    return model.axes([model.ranked_dimensions()[settings.rank - 1]], settings.unit)
