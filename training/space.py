"""The demo ─► the folder of a Space: the application, its requirements and the list of its models."""

import json
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from huggingface_hub import HfApi, SpaceCard, SpaceCardData, metadata_load

import aevq_hub
from aevq_hub import available_models, claims
from aevq_hub.folder import CARD_FILE, DEMO_FILES, MAP_FILE, PINS_FILE, Pin, shipped_folder

from .contents import PublishError
from .publish import explained, ladder

CHECKOUT = Path(aevq_hub.__file__).parents[1]
_TORCH = {  # the lines of requirements.txt that install torch
    "cpu": ("--extra-index-url https://download.pytorch.org/whl/cpu", "{torch}"),
    "zero-a10g": ("torch>=2.8,<2.12",),  # what ZeroGPU offers
}
HARDWARE = tuple(_TORCH)
THUMBNAIL = "thumbnail.png"  # the first screen, shown where one links to the Space
TEXT = """\
# From continuous to discrete, one autoencoder at a time

A demo of the models of *Rethinking VAE: From Continuous to Discrete Representations Without Probabilistic Assumptions*:
turn a face by its latent's directions, morph between pictures, browse codebooks, swap the codes of a grid, and compare
all models; a tour of two minutes leads through them.

It shows these models, each at the commit named in `model_cards/{pins_file}`:

{models}
"""


@dataclass(frozen=True)
class Shown:
    """A model that the Space shows, and the files that the demo reads of it."""

    pin: Pin
    files: tuple[str, ...] = DEMO_FILES


def pinned(namespace: str) -> dict[str, Shown]:
    """A namespace's models by short name, sorted by :func:`ladder`, each at its present commit on the Hub.

    Raises:
        LoadError: the Hub was not reached.
        PublishError: there are no models, or one lacks a file that the demo reads.
    """
    shown, api = {}, HfApi()
    for repo_id in available_models(namespace):
        with explained(repo_id):
            info = api.model_info(repo_id)
        there = {file.rfilename for file in info.siblings or ()}
        if missing := sorted(set(DEMO_FILES) - there):
            raise PublishError(f"{repo_id} has no {missing[0]}; publish it again with `aevq push`")
        files = (*DEMO_FILES, MAP_FILE) if MAP_FILE in there else DEMO_FILES
        shown[repo_id.split("/")[1]] = Shown(Pin(repo_id, str(info.sha)), files)
    if not shown:
        raise PublishError(f"{namespace} has no models on the Hub; publish them with `aevq push --all`")
    return {name: shown[name] for name in ladder(list(shown))}


def lay_out(folder: Path, shown: Mapping[str, Shown], hardware: str = HARDWARE[0], repo_id: str = "") -> Path:
    """Write all files of the Space into a folder.

    Args:
        folder: the folder, created if missing and returned.
        shown: the models that the Space shows, by name.
        hardware: the Space's hardware, one of HARDWARE.
        repo_id: the Space, if it is known, where links to it find its thumbnail.

    Raises:
        PublishError: the package is installed from a wheel, which has no app.py.
    """
    if not (CHECKOUT / "app.py").is_file():
        raise PublishError("this installation has no app.py; run `python -m training push-space` in a checkout")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(CHECKOUT / "app.py", folder)
    shutil.copytree(CHECKOUT / "aevq_hub", folder / "aevq_hub", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "model_cards").mkdir()
    listed = {name: asdict(model.pin) for name, model in shown.items()}
    (folder / "model_cards" / PINS_FILE).write_text(json.dumps(listed, indent=2) + "\n", encoding="utf-8")
    (folder / "requirements.txt").write_text("\n".join(requirements(hardware)) + "\n", encoding="utf-8")
    if (shipped_folder() / claims.FILE).is_file():
        shutil.copy(shipped_folder() / claims.FILE, folder / "model_cards")
    shutil.copy(CHECKOUT / "tests" / "pictures" / "desktop.png", folder / THUMBNAIL)
    thumbnail = {"thumbnail": f"https://huggingface.co/spaces/{repo_id}/resolve/main/{THUMBNAIL}"} if repo_id else {}
    front_matter = SpaceCardData(
        **thumbnail,
        **(metadata_load(CHECKOUT / "README.md") or {}),
        models=[model.pin.repo_id for model in shown.values()],
        preload_from_hub=[f"{m.pin.repo_id} {','.join(m.files)} {m.pin.revision}" for m in shown.values()],
        suggested_hardware=None if hardware == "cpu" else hardware,
    )
    models = "\n".join(f"- [{name}](https://huggingface.co/{model.pin.repo_id})" for name, model in shown.items())
    text = TEXT.format(pins_file=PINS_FILE, models=models)
    SpaceCard(f"---\n{front_matter.to_yaml(line_break=None)}\n---\n\n{text}").save(folder / CARD_FILE)
    return folder


def requirements(hardware: str) -> list[str]:
    """The lines of requirements.txt: the dependencies of the package. Gradio is part of every Gradio Space."""
    with (CHECKOUT / "pyproject.toml").open("rb") as file:
        needed = tomllib.load(file)["project"]["dependencies"]
    (torch,) = (line for line in needed if line.startswith("torch"))
    return [*(line.format(torch=torch) for line in _TORCH[hardware]), *(line for line in needed if line != torch)]
