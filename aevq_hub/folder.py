"""A model's folder: where it is, which files it contains, and how they are read.

The folder is a copy of the model's Hub repository. The names of all its files are here.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import torch

from . import hub
from .checks import short
from .config import CONFIG_FILE, LoadError
from .measures import flat
from .registry import DATASETS
from .tensor_files import read_tensors

WEIGHTS_FILE = "model.safetensors"
CARD_FILE = "README.md"
HISTORY_FILE = "history.json"  # the recipe, the course of the training and all measurements
SAMPLES_FILE = "samples.safetensors"  # test images to start from, or their latents
MAP_FILE = "map.safetensors"  # vectors and test latents on a plane; only models with vectors have one
SEARCH_FILE = "search.json"  # all recipes of a search, if there was one
CHECKPOINT_FILE = "checkpoint.safetensors"  # only while a model is being trained; never published
PINS_FILE = "pins.json"  # in the folder of shipped models: pins by name
PRIOR_CHECKPOINT_FILE = "prior-checkpoint.safetensors"  # only while a model's prior is being trained; never published
PICTURES = (
    "reconstructions.png",
    "perturbation.png",
    "directions.png",
    "interpolation.png",
    "samples.png",
    "movement.png",
    "codebook.png",
    "shares.png",
    "recombination.png",
    "completion.png",
)  # of the card; a model has those that fit it
DEMO_FILES = (CONFIG_FILE, WEIGHTS_FILE, HISTORY_FILE, SAMPLES_FILE)  # the demo reads these files of every model

NAMESPACE = "AEVQ_NAMESPACE"  # environment variable: the Hub account of short names that are not shipped models
# what every history.json contains
_RECORDED = {
    "recipe": dict, "data": dict, "data.source": str, "data.train_images": int, "environment": dict, "epochs": list,
    "results": dict, "results.mse": (int, float), "results.psnr": (int, float),
}  # fmt: skip


@dataclass(frozen=True)
class Pin:
    """A Hub repository at one commit, used in place of a shipped model's folder."""

    repo_id: str
    revision: str


def pins() -> dict[str, Pin]:
    """The pinned models by short name. A Space has pins instead of the models' folders."""
    path = shipped_folder() / PINS_FILE
    pinned = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {name: Pin(**pin) for name, pin in pinned.items()}


def shipped_folder() -> Path:
    """The folder of the shipped models: inside the package when installed, beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / "model_cards"
    return inside if inside.is_dir() else package.parent / "model_cards"


def available_models(namespace: str | None = None) -> list[str]:
    """Names of models, each of which can be given to ``AEVQ.from_pretrained``.

    Args:
        namespace: a Hub account or organisation, to list its models (``ada/center-mnist``). By default the shipped
            models are listed (``center-mnist``).

    Raises:
        LoadError: the Hub was not reached, or refused.
    """
    if namespace is not None:
        return hub.list_models(namespace)
    # an interrupted save may leave a folder whose name begins with a dot
    return sorted({path.parent.name for path in shipped_folder().glob(f"[!.]*/{WEIGHTS_FILE}")} | pins().keys())


def find_files(name: str | Path, names: tuple[str, ...] = (CONFIG_FILE, WEIGHTS_FILE), **hub_options) -> list[Path]:
    """The paths of a model's files, downloaded if necessary.

    Args:
        name: a short name (:func:`available_models`), a path to a folder, or ``<namespace>/<name>`` on the Hub.
        names: the names of the files.
        hub_options: passed to ``hf_hub_download``: ``revision``, ``cache_dir``, ``local_files_only``, ``token`` …

    Raises:
        LoadError: there is no such model, a file is missing, or the Hub was not reached, refused or broke off.
    """
    place = locate(name)
    if isinstance(place, Pin):
        hub_options["revision"] = hub_options.get("revision") or place.revision
        place = place.repo_id
    if isinstance(place, str):
        return hub.download(place, names, hub_options)
    for file in names:
        if not (place / file).is_file():
            raise LoadError(f"{place} has no {file}; a model's folder contains {CONFIG_FILE} and {WEIGHTS_FILE}")
    return [place / file for file in names]


def locate(name: str | Path) -> Path | str | Pin:
    """Resolve ``name`` to a local folder, the id of a Hub repository, or a pinned commit of one.

    A short name is a shipped model's, or that of a folder in ``model_cards`` of the current folder.

    Raises:
        LoadError: it cannot be any of them.
    """
    text, namespace = str(name), os.environ.get(NAMESPACE)
    if os.path.isdir(name):  # returns False, without an error, for what cannot be a path
        return Path(name)
    if text in available_models():
        return pins().get(text, shipped_folder() / text)
    own = Path("model_cards", text)
    if "/" not in text and not text.startswith(".") and os.path.isfile(own / CONFIG_FILE):
        return own  # where training writes by default
    if not isinstance(name, Path) and not text.startswith((".", "/", "~")):
        if text.count("/") == 1:
            return text
        if text and "/" not in text and namespace:
            return f"{namespace}/{text}"
    raise LoadError(
        f"there is no model {text!r}: it is neither a folder nor one of the shipped models "
        f"({', '.join(available_models()) or 'none'}); a model on the Hub is named <namespace>/<name>, "
        f"or <name> if {NAMESPACE} gives the namespace"
    )


def history(name: str | Path) -> dict:
    """A model's ``history.json``: its recipe, the course of its training and all measurements.

    Raises:
        LoadError: the file is damaged, or as for :func:`find_files`.
    """
    (path,) = find_files(name, (HISTORY_FILE,))
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise LoadError(f"{path} cannot be read ({error}); download the model again, or train it again") from error
    values = {**found, **flat(found)} if isinstance(found, dict) else {}
    if missing := [key for key, kind in _RECORDED.items() if not isinstance(values.get(key), kind)]:
        what = f"has no {missing[0]}" if isinstance(found, dict) else "is not an object"
        raise LoadError(f"{path} is damaged: it {what}; download the model again, or train it again")
    return found


def samples(name: str | Path, model) -> torch.Tensor:
    """The latents (B, D) or (B, D, h, w) of the test images that are shipped with a model, encoded by ``model``.

    Raises:
        LoadError: there are none, or they do not fit the model; or as for :func:`find_files`.
    """
    stored = _samples(name)
    if "images" in stored:
        return model.encode(_images(stored))
    z = stored.get("latents", torch.empty(0)).float()
    if z.shape[1:] != model.config.latent_shape or not z.isfinite().all():
        raise LoadError(f"{SAMPLES_FILE} of {name} has no samples of {model.config.name}; download the model again")
    return z


def sample_images(name: str | Path) -> torch.Tensor | None:
    """The test images (B, C, H, W) in [0, 1] that are shipped with a model; None if there are only latents.

    Errors are those of :func:`find_files`.
    """
    stored = _samples(name)
    return _images(stored) if "images" in stored else None


def _images(stored: dict[str, torch.Tensor]) -> torch.Tensor:
    return stored["images"].float() / 255


def _samples(name: str | Path) -> dict[str, torch.Tensor]:
    return read_tensors(find_files(name, (SAMPLES_FILE,))[0])


def class_names(name: str | Path, dataset: str) -> tuple[str, ...]:
    """The names of the classes of the data set that a model was trained on; empty without labels.

    Errors are those of :func:`find_files`.
    """
    if dataset in DATASETS:
        return DATASETS[dataset].class_names
    names = history(name)["data"].get("class_names", ())
    if not isinstance(names, list | tuple) or not all(isinstance(one, str) for one in names):
        raise LoadError(f"{HISTORY_FILE} of {name} is damaged: class_names is {short(names)}; download the model again")
    return tuple(names)
