"""Functions for programs: what the tabs' endpoints share, and those that belong to no tab.

Gradio describes an endpoint to programs and language models by its signature and its docstring. Parameters that many
endpoints have are described once, in a table; :func:`documented` writes what an endpoint's own docstring leaves out.
"""

from collections.abc import Callable, Mapping
from inspect import getdoc, signature
from typing import Literal, TypeVar
from urllib.parse import unquote

from PIL import Image, ImageOps

from . import originals, starts
from .events import File, answer, uploaded
from .exhibits import best, data_sets, history, offers
from .html import png
from .settings import MAX_SEED, one_of, whole

LARGEST_SCALE = 32
PARAMETERS = {
    "model": "one of those that `models` lists, such as center-celeba.",
    "dataset": "mnist, fashionmnist or celeba: what comes after the variant in the names that `models` lists.",
    "start": "the picture: sample:N (a test image, see `samples`), random:N (drawn by the model with the seed N, from "
    f"0 to {MAX_SEED}), vector:N (its learnable vector with the index N) or image:… (what `bring` answered).",
    "second": "a second picture, named like the start.",
    "scale": f"every pixel becomes a square of so many pixels a side, from 1 to {LARGEST_SCALE}.",
}
_ADDRESS = "/gradio_api/file="  # in the address of an uploaded file
F = TypeVar("F", bound=Callable)


def documented(parameters: Mapping[str, str]) -> Callable[[F], F]:
    """A decorator that writes the lines of a docstring's Args that it leaves out.

    Gradio reads one line for each parameter and one for the result, so each is on one line, however long.

    Args:
        parameters: what each parameter means, by name.
    """

    def complete(function: F) -> F:
        before, _, returns = (getdoc(function) or "").partition("\n\nReturns:\n")
        what, _, own = before.partition("\n\nArgs:\n")
        known = {**parameters, **dict(line.strip().split(": ", 1) for line in own.splitlines())}
        lines = [f"    {name}: {known[name]}" for name in signature(function).parameters]
        result = f"    {' '.join(returns.split())}"
        function.__doc__ = "\n".join([what, "", *(["Args:", *lines, ""] if lines else []), "Returns:", result])
        return function

    return complete


def drawn(image: Image.Image) -> File:
    """A picture as an endpoint's answer."""
    return answer(png(image))


def scaled(image: Image.Image, scale: int) -> File:
    """A picture of a model's own, small size as an endpoint's answer, enlarged by a whole factor without blur.

    Raises:
        ValueError: the factor is not a whole number from 1 to ``LARGEST_SCALE``.
    """
    return drawn(ImageOps.scale(image, whole("scale", scale, 1, LARGEST_SCALE), Image.Resampling.NEAREST))


def offered(dataset: str) -> str:
    """Check the name of a data set and return it.

    Raises:
        ValueError: no shipped model was trained on it.
    """
    return one_of("dataset", dataset, data_sets())


@documented(PARAMETERS)
def models() -> list[str]:
    """List the models, each named <variant>-<data set>. They belong to the paper "Rethinking VAE".

    Returns:
        The names, which the other endpoints take as `model`.
    """
    return list(offers())


@documented(PARAMETERS)
def samples(dataset: str = "mnist") -> list[dict[str, str | None]]:
    """List the test images of a data set that come with its models, to start from in the other endpoints.

    Returns:
        For each its `start`, such as sample:0, and its `class`, such as 7 or trouser; null where that is unknown.
    """
    count = len(originals.samples(offered(dataset)))
    classes = history(best(dataset)).get("sample_classes") or [None] * count
    return [{"start": f"sample:{i}", "class": classes[i]} for i in range(count)]


@documented(PARAMETERS)
def bring(picture: str | File, invert: Literal["auto", "yes", "no"] = "auto") -> str:
    """Bring a picture of your own, to start from in the other endpoints. Its centred square is used.

    Args:
        picture: a PNG, JPEG or WebP of at most 10 MB: an uploaded file, its address, a data: URL, or base64 text.
        invert: swap dark and bright for models of grey pictures: auto (if its border is bright, as paper is), yes, no.

    Returns:
        Its name, image:…, which the other endpoints take as a start for as long as the picture is kept.
    """
    if isinstance(picture, str) and _ADDRESS not in picture:
        return starts.bring_data(picture, invert)
    file = {"path": unquote(picture.partition(_ADDRESS)[2])} if isinstance(picture, str) else picture
    return starts.bring(uploaded(file), invert)


ENDPOINTS = (models, samples, bring)
