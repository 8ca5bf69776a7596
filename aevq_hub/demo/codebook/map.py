"""The map of the tab Codebook (figures 3.4, 4.1, 4.2): vectors and latents on a plane, computed once and shipped."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from PIL import Image

from ... import pictures
from ...codebook import nearest_vectors
from ...config import LoadError
from ...folder import MAP_FILE, find_files
from ...tensor_files import read_tensors
from ..shared.exhibits import MOST_OPEN, exhibit
from .settings import Codebook

REACH = 0.02  # a click this near to a vector chooses the vector


@dataclass(frozen=True)
class Map:
    """Where a model's vectors and latents of n test images are; ``training.maps`` computes it."""

    points: torch.Tensor  # (n, 2) in [0, 1], from the left and from the top
    vectors: torch.Tensor  # (K, 2) likewise
    classes: list[int]  # (n,) the image's class, −1 if it has no single one
    latents: torch.Tensor  # (n, D), of a grid one cell of each image
    nearest: list[int]  # (n,) the index of each latent's nearest vector


def load_map(name: str) -> Map | None:
    """The map of a model by its name; None if it has none, or if its download failed, which is tried again."""
    try:
        return _read_map(name)
    except LoadError:
        return None


@lru_cache(maxsize=MOST_OPEN)
def _read_map(name: str) -> Map:
    (file,) = find_files(name, (MAP_FILE,))
    t = read_tensors(file)
    latents = t["latents"].float()
    nearest = nearest_vectors(latents, exhibit(name).model.vectors).tolist()
    return Map(t["points"].float(), t["vectors"].float(), t["classes"].tolist(), latents, nearest)


def point(settings: Codebook) -> Image.Image:
    """The chosen point's latent as the model draws it, for a grid repeated in all cells, in the model's size.

    Raises:
        ValueError: there is no such point, or no map.
    """
    model, (plane, i) = exhibit(settings.model).model, _chosen(settings)
    return model.to_pil(model.render(pictures.filled(model, plane.latents[i][None])))[0]


def about_point(settings: Codebook) -> dict:
    """The chosen point's number, its class (−1 for none), its nearest vector and the distance to it.

    Raises:
        ValueError: there is no such point, or no map.
    """
    plane, i = _chosen(settings)
    vector = plane.nearest[i]
    distance = (plane.latents[i] - exhibit(settings.model).model.vectors[vector]).norm().item()
    return {"point": i, "class": plane.classes[i], "nearest_vector": vector, "distance": distance}


def at(settings: Codebook, x: float, y: float) -> tuple[str, int]:
    """The nearest ``vector`` or ``point`` to a place of the map, x from the left and y from the top, and its number."""
    (plane, _), place = _chosen(settings), torch.tensor([x, y])
    to_points, to_vectors = ((places - place).norm(dim=1) for places in (plane.points, plane.vectors))
    if to_vectors.min() - REACH <= to_points.min():
        return "vector", int(to_vectors.argmin())
    return "point", int(to_points.argmin())


def _chosen(settings: Codebook) -> tuple[Map, int]:
    plane = load_map(settings.model)
    if plane is None:
        raise ValueError(f"{settings.model} has no map; `aevq map {settings.model}` makes one.")
    if settings.point >= len(plane.points):
        raise ValueError(f"point is {settings.point}; give a whole number from 0 to {len(plane.points) - 1}.")
    return plane, settings.point
