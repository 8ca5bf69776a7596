"""The tab Codebook's functions for programs."""

from typing import Any, Literal

from ... import pictures
from ..shared.endpoints import PARAMETERS, documented, drawn, scaled
from ..shared.events import File
from . import compute
from . import map as codebook_map
from .settings import Codebook

_WIDTH = 1000  # pixels, roughly, of the longer side of a small gallery
_described = documented({
    **PARAMETERS,
    "model": "one with learnable vectors, such as codebook-celeba; `models` lists all.",
    "sort": "use (the most used first), index, or distance (to the nearest other vector).",
    "show": "all, used, dead or duplicate vectors.",
    "vector": "the index of a vector, from 0; -1 is the most used one.",
    "way": "how far, from 0 (the start) to 1 (the vector).",
    "point": "the number of a point, from 0.",
})  # fmt: skip


@_described
def codebook_gallery(
    model: str = Codebook.model,
    sort: Literal["use", "index", "distance"] = "use",
    show: Literal["all", "used", "dead", "duplicate"] = "all",
) -> File:
    """Draw a model's learnable vectors, each decoded (for a grid, repeated in all cells).

    Returns:
        A PNG of the vectors, in rows of twenty.
    """
    return drawn(pictures.enlarge(compute.gallery(Codebook(model=model, sort=sort, show=show)), _WIDTH))


@_described
def codebook_health(model: str = Codebook.model) -> dict[str, float]:
    """Measure how well the latents of the whole test set use a model's codebook.

    Returns:
        The numbers of vectors, in_use, dead and duplicates; perplexity, largest_share and nearest_distance.
    """
    return compute.book(Codebook(model=model).model).health


def _chosen(vector: int) -> dict[str, Any]:
    return {} if vector == -1 else {"vector": vector}


@_described
def codebook_vector(model: str = Codebook.model, vector: int = -1) -> dict:
    """Describe one vector: its use, and the vectors and test images nearest to it.

    Returns:
        vector, share, in_use, dead, duplicate, nearest_vectors and nearest_samples.
    """
    return compute.about(Codebook(model=model, **_chosen(vector)))


@_described
def toward_vector(
    model: str = Codebook.model, start: str = "sample:0", vector: int = -1, way: float = 0.5, scale: int = 8
) -> File:
    """Move a picture's latent straight towards a vector and draw the result; in a grid, every cell moves.

    Returns:
        A PNG of the picture.
    """
    return scaled(compute.picture(Codebook(model=model, start=start, way=way, **_chosen(vector))), scale)


@_described
def codebook_map_point(model: str = Codebook.model, point: int = 0, scale: int = 8) -> File:
    """Draw a point of a model's map, which is the latent of a test image.

    Returns:
        A PNG of the picture.
    """
    return scaled(codebook_map.point(Codebook(model=model, point=point)), scale)


ENDPOINTS = (codebook_gallery, codebook_health, codebook_vector, toward_vector, codebook_map_point)
