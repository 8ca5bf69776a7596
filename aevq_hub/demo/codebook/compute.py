"""What the tab Codebook shows (figures 3.5, 4.1, 4.3): a model's vectors, their use, and the way to one of them."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from PIL import Image

from ... import pictures
from ...codebook import DUPLICATE, IN_USE, distances
from ..shared import starts
from ..shared.exhibits import MOST_OPEN, exhibit
from .settings import Codebook

NEIGHBOURS = 6  # other vectors that are shown beside a chosen one
SAMPLES = 5  # samples likewise
SPRITES = 25  # vectors in a row of the sprite sheet
_AT_ONCE = 64  # vectors decoded in a batch


@dataclass(frozen=True)
class Book:
    """A model's K vectors, and what is known of them."""

    images: list[Image.Image]  # each decoded, of a grid in all the cells (figure 4.7a), as small as it is
    share: list[float]  # (K,) of the test latents, of a grid of their cells, whose nearest vector it is
    apart: torch.Tensor  # (K, K) Euclidean distances, infinite to themselves
    duplicates: frozenset[int]  # those with another one within DUPLICATE times the latents' spread
    health: dict[str, float | int]  # of the whole codebook; see `aevq_hub.codebook.Health.summary`

    @property
    def nearest_distance(self) -> list[float]:
        """(K,) the distance to the nearest other vector; infinite for K = 1."""
        return self.apart.amin(1).tolist()

    def kinds(self, vector: int) -> list[str]:
        """The kinds in ``SHOWS`` that a vector belongs to."""
        share = self.share[vector]
        found = {"all": True, "used": share >= IN_USE, "dead": share == 0, "duplicate": vector in self.duplicates}
        return [kind for kind, holds in found.items() if holds]


@lru_cache(maxsize=MOST_OPEN)
def book(name: str) -> Book:
    """The vectors of a model by its name; the last books are kept."""
    shown = exhibit(name)
    model, results = shown.model, shown.history["results"]["codebook"]
    batches = model.vectors.split(_AT_ONCE)
    images = [image for v in batches for image in model.to_pil(model.decode(pictures.filled(model, v)))]
    apart = distances(model.vectors)
    health = {key: value for key, value in results.items() if key not in ("share", "duplicate_indices")}
    return Book(images, results["share"], apart, _duplicates(apart.amin(1), results), health)


def order(settings: Codebook) -> list[int]:
    """The vectors that the gallery shows, in its order."""
    known = book(settings.model)
    shown = [vector for vector in range(len(known.share)) if settings.show in known.kinds(vector)]
    keys = {"use": [-share for share in known.share], "distance": known.nearest_distance}
    return sorted(shown, key=keys.get(settings.sort, range(len(known.share))).__getitem__)


def gallery(settings: Codebook) -> Image.Image:
    """The gallery as one picture, row by row.

    Raises:
        ValueError: the model has no vector of the kind to show.
    """
    shown, images = order(settings), book(settings.model).images
    if not shown:
        raise ValueError(f"{settings.model} has no vector to show as {settings.show}; choose all.")
    return tiled([images[vector] for vector in shown], min(len(shown), 20))


@lru_cache(maxsize=MOST_OPEN)
def sprites(name: str) -> Image.Image:
    """All vectors of a model by index, without gaps: :data:`SPRITES` in a row, or all where there are fewer."""
    images = book(name).images
    return tiled(images, min(len(images), SPRITES))


def vector(settings: Codebook) -> Image.Image:
    """The chosen vector decoded, as small as it is."""
    return book(settings.model).images[settings.vector]


def start(settings: Codebook) -> Image.Image:
    """The start as the model draws it, in the model's size."""
    return starts.rendered(exhibit(settings.model), settings.start)


def picture(settings: Codebook) -> Image.Image:
    """The picture on the straight line from the start to the vector; in a grid, every cell moves to the code.

    Raises:
        ValueError: the start is not a sample, or its image is no longer here.
    """
    shown = exhibit(settings.model)
    model = shown.model
    z = model.decoder_input(starts.latent(shown, settings.start)[None])[0]
    z = z.lerp(pictures.filled(model, model.vectors[settings.vector : settings.vector + 1])[0], settings.way)
    return model.to_pil(model.decode(z[None]))[0]


def neighbours(settings: Codebook) -> list[tuple[int, float]]:
    """The vectors nearest to the chosen one, with their distances, the nearest first."""
    apart = book(settings.model).apart[settings.vector]
    found = apart.argsort(stable=True)[: min(NEIGHBOURS, len(apart) - 1)]  # the last one is the vector itself
    return [(index, apart[index].item()) for index in found.tolist()]


def samples(settings: Codebook) -> list[tuple[int, float]]:
    """The shipped samples nearest to the vector, each with its distance, the nearest first.

    For a grid: the samples with the most cells whose nearest vector it is, each with the number of such cells.
    """
    shown = exhibit(settings.model)
    if settings.config.grid_size:
        cells = (shown.model.quantize(shown.z)[1] == settings.vector).flatten(1).sum(1)
        found = [i for i in cells.argsort(descending=True, stable=True).tolist() if cells[i]]
        return [(i, cells[i].item()) for i in found[:SAMPLES]]
    apart = (shown.z - shown.model.vectors[settings.vector]).norm(dim=1)
    return [(i, apart[i].item()) for i in apart.argsort(stable=True)[:SAMPLES].tolist()]


def about(settings: Codebook) -> dict:
    """The chosen vector's use, neighbours and samples, for programs."""
    known = book(settings.model)
    kinds = known.kinds(settings.vector)
    measure = "cells" if settings.config.grid_size else "distance"
    return {
        "vector": settings.vector,
        "share": known.share[settings.vector],
        **{name: kind in kinds for name, kind in (("in_use", "used"), ("dead", "dead"), ("duplicate", "duplicate"))},
        "nearest_vectors": [{"vector": index, "distance": distance} for index, distance in neighbours(settings)],
        "nearest_samples": [{"start": f"sample:{index}", measure: value} for index, value in samples(settings)],
    }


def _duplicates(nearest: torch.Tensor, results: dict) -> frozenset[int]:
    """The vectors with a duplicate, from their distances to the nearest other one (K,) and what was measured."""
    found = results.get("duplicate_indices")
    if found is None:  # an older history, whose median distance relative to the spread gives the spread
        relative = results.get("nearest_distance", 0)
        spread = nearest.median() / relative if relative else 0
        found = (nearest <= DUPLICATE * spread).nonzero()[:, 0].tolist()
    return frozenset(found)


def tiled(images: list[Image.Image], columns: int) -> Image.Image:
    """Images of equal size in rows, without gaps."""
    width, height = images[0].size
    sheet = Image.new(images[0].mode, (columns * width, -(-len(images) // columns) * height))
    for i, image in enumerate(images):
        sheet.paste(image, (i % columns * width, i // columns * height))
    return sheet
