"""The codebook tab's map (figures 3.4, 4.1, 4.2): vectors and latents on a plane, computed once and shipped."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from PIL import Image
from safetensors.torch import load_file

from .. import pictures
from ..codebook import nearest_vectors
from ..config import LoadError
from ..folder import MAP_FILE, find_files
from .codebook import Codebook
from .exhibits import MOST_OPEN, exhibit

REACH = 0.02  # how near to a vector's place a click means the vector


@dataclass(frozen=True)
class Map:
    """Where a model's vectors and latents of n test images are; ``training.maps`` computes it."""

    points: torch.Tensor  # (n, 2) in [0, 1], from the left and from the top
    vectors: torch.Tensor  # (K, 2) likewise
    classes: list[int]  # (n,) the image's class, −1 if it has no single one
    latents: torch.Tensor  # (n, D), of a grid one cell of each image
    nearest: list[int]  # (n,) the index of each latent's nearest vector


@lru_cache(maxsize=MOST_OPEN)
def load_map(name: str) -> Map | None:
    """The map of a model by its name; None where it has none."""
    try:
        (file,) = find_files(name, (MAP_FILE,))
    except LoadError:
        return None
    t = load_file(file)
    latents = t["latents"].float()
    nearest = nearest_vectors(latents, exhibit(name).model.vectors).tolist()
    return Map(t["points"].float(), t["vectors"].float(), t["classes"].tolist(), latents, nearest)


def point(settings: Codebook) -> Image.Image:
    """The chosen point's latent as the model draws it, of a grid in all the cells; as small as it is.

    Raises:
        ValueError: there is no such point, or no map.
    """
    model = exhibit(settings.model).model
    return model.to_pil(model.render(pictures.filled(model, _map(settings).latents[_checked(settings)][None])))[0]


def about_point(settings: Codebook) -> dict:
    """What is known of the chosen point: its number, class (−1 for none), nearest vector and the distance to it.

    Raises:
        ValueError: there is no such point, or no map.
    """
    i, plane = _checked(settings), _map(settings)
    vector = plane.nearest[i]
    distance = (plane.latents[i] - exhibit(settings.model).model.vectors[vector]).norm().item()
    return {"point": i, "class": plane.classes[i], "nearest_vector": vector, "distance": distance}


def at(settings: Codebook, x: float, y: float) -> tuple[str, int]:
    """What lies at a place of the map: ``vector`` or ``point``, whichever is nearest, and its number.

    Args:
        settings: of the tab.
        x: from the left, in [0, 1].
        y: from the top, in [0, 1].
    """
    plane, place = _map(settings), torch.tensor([x, y])
    to_points, to_vectors = ((places - place).norm(dim=1) for places in (plane.points, plane.vectors))
    if to_vectors.min() - REACH <= to_points.min():
        return "vector", int(to_vectors.argmin())
    return "point", int(to_points.argmin())


def _map(settings: Codebook) -> Map:
    plane = load_map(settings.model)
    if plane is None:
        raise ValueError(f"{settings.model} has no map; `aevq map {settings.model}` makes one.")
    return plane


def _checked(settings: Codebook) -> int:
    last = len(_map(settings).points) - 1
    if settings.point > last:
        raise ValueError(f"point is {settings.point}; give a whole number from 0 to {last}.")
    return settings.point
