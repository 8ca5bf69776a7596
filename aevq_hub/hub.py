"""Where a model's files are: a shipped folder, any folder, or a repository of the Hub."""

import errno
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from huggingface_hub import (
    HfApi,
    constants,
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import get_session
from huggingface_hub.utils.sha import sha_fileobj
from safetensors import SafetensorError, safe_open

from .config import LoadError

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
PINS_FILE = "pins.json"  # beside the models' folders, or in their stead: Pins by name
LIBRARY = "aevq-hub"  # the Hub's name for what loads our models
NAMESPACE = "AEVQ_NAMESPACE"  # environment variable: where short names that are not shipped are looked for
_PATIENCE = 4  # seconds to wait for the Hub's first answer, unless HF_HUB_ETAG_TIMEOUT says otherwise
_PASSING = (408, 429, 500, 502, 503, 504)  # answers after which the client tries again
_FLOATS = {"F32", "F16", "BF16"}


@dataclass(frozen=True)
class Pin:
    """A model of the Hub that stands for a shipped one: its repository and the commit that is meant."""

    repo_id: str
    revision: str


def pins() -> dict[str, Pin]:
    """The models of the Hub that stand for shipped ones, by short name: a Space has them instead of the folders."""
    path = shipped_folder() / PINS_FILE
    if not path.is_file():
        return {}
    return {name: Pin(**pin) for name, pin in json.loads(path.read_text(encoding="utf-8")).items()}


def shipped_folder() -> Path:
    """The folder of the models that come with the package: inside it when installed, beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / "model_cards"
    return inside if inside.is_dir() else package.parent / "model_cards"


def available_models(namespace: str | None = None) -> list[str]:
    """Names of models, each of which can be given to ``AEVQ.from_pretrained``.

    Args:
        namespace: an account or an organisation of the Hub, whose models are listed, such as ``ada/center-mnist``; by
            default the models that are shipped, such as ``center-mnist``.

    Raises:
        LoadError: the Hub was not reached, or refused.
    """
    if namespace is not None:
        try:
            reach_hub()  # the listing would try for 23 s
            return sorted(model.id for model in HfApi().list_models(author=namespace, filter=LIBRARY))
        except (HTTPError, OfflineModeIsEnabled) as error:
            raise LoadError(f"the models of {namespace} cannot be listed: {_short(error)}") from error
    # an interrupted save may have left a folder whose name begins with a dot
    return sorted({path.parent.name for path in shipped_folder().glob(f"[!.]*/{WEIGHTS_FILE}")} | pins().keys())


def reach_hub() -> None:
    """Ask the Hub for a sign of life, with little patience.

    Raises:
        HTTPError, OfflineModeIsEnabled: of the client: it was not reached.
    """
    get_session().head(constants.ENDPOINT, timeout=_PATIENCE)


def find_files(name: str | Path, names: tuple[str, ...] = (CONFIG_FILE, WEIGHTS_FILE), **hub_options) -> list[Path]:
    """The paths of a model's files.

    Args:
        name: a short name (:func:`available_models`), a path to a folder, or ``<namespace>/<name>`` on the Hub.
        names: the files wanted, by name.
        hub_options: passed to ``hf_hub_download``: ``revision``, ``cache_dir``, ``local_files_only``, ``token`` …

    Raises:
        LoadError: there is no such model, one of its files is missing, or the Hub was not reached, refused or broke
            off. An unreachable Hub is noticed within seconds.
    """
    folder = locate(name)
    if isinstance(folder, Pin):
        hub_options["revision"] = hub_options.get("revision") or folder.revision
        folder = folder.repo_id
    if isinstance(folder, str):
        cache_dir = hub_options.get("cache_dir")
        return _download(folder, names, {**hub_options, "cache_dir": cache_dir and Path(cache_dir).expanduser()})
    for file in names:
        if not (folder / file).is_file():
            raise LoadError(f"{folder} has no {file}; a model's folder holds {CONFIG_FILE} and {WEIGHTS_FILE}")
    return [folder / file for file in names]


def locate(name: str | Path) -> Path | str | Pin:
    """The local folder that ``name`` means, or the id of a repository of the Hub, or a commit of one.

    Raises:
        LoadError: it can mean none of them.
    """
    text, namespace = str(name), os.environ.get(NAMESPACE)
    if os.path.isdir(name):  # False, and no error, for what can be no path at all
        return Path(name)
    if text in available_models():
        return pins().get(text, shipped_folder() / text)
    if not isinstance(name, Path) and not text.startswith((".", "/", "~")):
        if text.count("/") == 1:
            return text
        if text and "/" not in text and namespace:
            return f"{namespace}/{text}"
    raise LoadError(
        f"there is no model {text!r}: it is neither a folder nor one of the shipped models "
        f"({', '.join(available_models()) or 'none'}); a model of the Hub is named <namespace>/<name>, "
        f"or <name> where {NAMESPACE} says whose"
    )


def _download(repo_id: str, names: tuple[str, ...], options: dict) -> list[Path]:
    """Files of a repository, all of one commit."""
    at = f" at revision {options['revision']!r}" if options.get("revision") else ""
    try:
        if cached := _cached_commit(repo_id, names, options):
            return cached
        commit = _commit(repo_id, names[0], options)
        if commit is None:
            return [Path(hf_hub_download(repo_id, name, **options)) for name in names]
        files = [Path(hf_hub_download(repo_id, name, **{**options, "revision": commit})) for name in names]
        # the cache's own note of where the revision points moves last, when all files are there
        for name in names:
            hf_hub_download(repo_id, name, **{**options, "force_download": False})
        return files
    except HFValidationError as error:
        raise LoadError(f"{repo_id!r} is no name of a Hub repository: {error}") from error
    except GatedRepoError as error:
        raise LoadError(f"{repo_id} is gated: ask for access on its page and log in with `hf auth login`") from error
    except RepositoryNotFoundError as error:
        raise LoadError(
            f"the Hub has no model {repo_id!r} that you may see; check the name, or log in with `hf auth login` "
            f"if it is private (shipped models: {', '.join(available_models()) or 'none'})"
        ) from error
    except RevisionNotFoundError as error:
        raise LoadError(
            f"{repo_id} has no revision {options['revision']!r}; give a branch, a tag or a commit"
        ) from error
    except LocalEntryNotFoundError as error:
        raise LoadError(
            f"{repo_id}{at} is not in the cache and the Hub was not reached; "
            "check the network, or give the path of a folder"
        ) from error
    except EntryNotFoundError as error:
        raise LoadError(
            f"{repo_id}{at} lacks one of {', '.join(names)}; only models saved with safetensors are loaded, never "
            "pickled weights"
        ) from error
    except (HTTPError, OSError, RuntimeError) as error:  # of the client or of what it downloads with
        advice = "try again"
        if getattr(error, "errno", None) == errno.ENOSPC:
            advice = "make room on the disk, or give another cache_dir"
        elif getattr(getattr(error, "response", None), "status_code", None) in (401, 403):
            advice = "log in with `hf auth login`, with a token that may read it"
        raise LoadError(f"{repo_id}{at} did not arrive: {_short(error)}; {advice}") from error


def _cached_commit(repo_id: str, names: tuple[str, ...], options: dict) -> list[Path] | None:
    """Files of a commit named by its hash, if the cache has them all: they never change, so nobody need be asked."""
    if options.get("force_download") or not re.fullmatch("[0-9a-f]{40}", options.get("revision") or ""):
        return None
    where = {"cache_dir": options.get("cache_dir"), "revision": options["revision"]}
    found = [try_to_load_from_cache(repo_id, name, **where) for name in names]
    return [Path(path) for path in found] if all(isinstance(path, str) for path in found) else None


def _commit(repo_id: str, name: str, options: dict) -> str | None:
    """The commit that a revision is on the Hub, None where the client is to see for itself.

    Asked once and with little patience: for a file that is not cached the client would try for 23 s. Where the Hub is
    not reached, ``options`` are changed to what is cached.
    """
    if options.get("local_files_only") or constants.HF_HUB_OFFLINE:
        if options.get("force_download"):
            raise LoadError(f"{repo_id} cannot be downloaded again without the network; leave out force_download")
        return None
    chosen, default = constants.HF_HUB_ETAG_TIMEOUT, constants.DEFAULT_ETAG_TIMEOUT
    patience = chosen if chosen != default else _PATIENCE
    url = hf_hub_url(repo_id, name, revision=options.get("revision"))
    try:
        commit = get_hf_file_metadata(url, token=options.get("token"), timeout=patience).commit_hash
    except HfHubHTTPError as error:
        if error.response.status_code in _PASSING:
            return None
        raise
    except HTTPError as error:
        if options.get("force_download"):
            raise LocalEntryNotFoundError(_short(error)) from error
        options["local_files_only"] = True
        return None
    if commit is None:
        raise LoadError(f"{repo_id} did not arrive: the answer of {url} names no commit; check the network's proxies")
    return commit


def _short(error: Exception) -> str:
    """The first line of what an error says."""
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")


def weights_hash(path: str | Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return sha_fileobj(file).hex()


def read_weights(
    path: str | Path, expected: dict[str, torch.Tensor], sha256: str, device="cpu"
) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file, after names, shapes and types in its header matched ``expected``.

    Floating-point weights come back as float32, however they are stored.

    Args:
        path: the file.
        expected: name → tensor of the shape and kind the model needs (``meta`` tensors suffice).
        sha256: of the file, as config.json has it.
        device: where the tensors are put.

    Raises:
        LoadError: the file is truncated, broken or of another model; nothing of the model was changed.
    """
    try:
        with safe_open(path, framework="pt", device=str(device)) as file:
            stored = {key: file.get_slice(key) for key in file.keys()}  # noqa: SIM118 (no mapping)
            for problem in _mismatches(stored, expected):
                raise LoadError(f"{path} does not fit its {CONFIG_FILE}: {problem}; download the model again")
            if weights_hash(path) != sha256:
                raise LoadError(
                    f"{path} is not the file that its {CONFIG_FILE} was written with: its SHA-256 differs; "
                    "download the model again"
                )
            return {key: file.get_tensor(key).to(expected[key].dtype) for key in expected}
    except SafetensorError as error:
        raise LoadError(f"{path} is truncated or damaged ({error}); download the model again") from error


def _mismatches(stored: dict, expected: dict[str, torch.Tensor]) -> Iterator[str]:
    if missing := sorted(expected.keys() - stored.keys()):
        yield f"the weight {missing[0]!r} is missing ({len(missing)} in all)"
    if extra := sorted(stored.keys() - expected.keys()):
        yield f"the weight {extra[0]!r} is unknown ({len(extra)} in all)"
    for key, tensor in expected.items():
        shape, dtype = tuple(stored[key].get_shape()), stored[key].get_dtype()
        if shape != tuple(tensor.shape):
            yield f"the weight {key!r} has the shape {shape} instead of {tuple(tensor.shape)}"
        if dtype not in _FLOATS:
            yield f"the weight {key!r} has the type {dtype} instead of one of {', '.join(sorted(_FLOATS))}"
