"""Downloads from the Hub, all files of a model from the same commit; every failure is one clear sentence."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import HfApi, constants, get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,  # pyright: ignore[reportPrivateImportUsage]
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import get_session, parse_ratelimit_headers

from .config import LoadError

LIBRARY = "aevq-hub"  # the Hub's name for what loads our models
_PATIENCE = 4  # seconds to wait for the Hub's first answer, unless HF_HUB_ETAG_TIMEOUT says otherwise
_LONGEST_WAIT = 30  # seconds that an answer of the Hub may ask to wait before the next request
_PASSING = (408, 429, 500, 502, 503, 504)  # answers after which the client tries again
_FAILURES = {  # the first that fits; anything else is explained by the error's own words
    HFValidationError: "{repo!r} is not the name of a Hub repository: {error}",
    GatedRepoError: "{repo} is gated: ask for access on its page and log in with `hf auth login`",
    RepositoryNotFoundError: "the Hub has no model {repo!r} that you can see; check the name, or log in with "
    "`hf auth login` if it is private; available_models() lists the shipped ones",
    RevisionNotFoundError: "{repo} has no revision {revision!r}; give a branch, a tag or a commit",
    LocalEntryNotFoundError: "{repo}{at} is not in the cache and the Hub {why}, or give the path of a folder",
    EntryNotFoundError: "{repo}{at} lacks one of {names}; only models saved with safetensors are loaded, never pickled "
    "weights",
}


def list_models(namespace: str) -> list[str]:
    """The ids of all models of this package that a Hub account or organisation has published.

    Raises:
        LoadError: the Hub was not reached, or refused.
    """
    try:
        with bounded_waits():
            reach_hub()  # the listing alone would keep trying for 23 s
            return sorted(model.id for model in HfApi().list_models(author=namespace, filter=LIBRARY))
    except (HTTPError, OfflineModeIsEnabled) as error:
        raise LoadError(f"the models of {namespace} cannot be listed: {short(error)}") from error


def reach_hub() -> None:
    """Check quickly that the Hub answers; if not, the client's HTTPError or OfflineModeIsEnabled is raised."""
    get_session().head(constants.ENDPOINT, timeout=_PATIENCE)


@contextmanager
def bounded_waits() -> Iterator[None]:
    """Answers of the Hub that ask to wait for more than half a minute become errors; the client would sleep as long.

    Raises:
        LoadError: there is such an answer.
    """

    def refuse(response) -> None:
        waits = [info.reset_in_seconds for info in (parse_ratelimit_headers(response.headers),) if info]
        asked = response.headers.get("retry-after", "").strip()
        wait = max([int(asked)] if asked.isdecimal() else waits, default=0)
        if response.status_code in _PASSING and wait > _LONGEST_WAIT:
            raise LoadError(f"the Hub answered {response.status_code} and asks to wait {wait} s; try again after that")

    hooks = get_session().event_hooks["response"]
    hooks.append(refuse)
    try:
        yield
    finally:
        hooks.remove(refuse)


def download(repo_id: str, names: tuple[str, ...], options: dict) -> list[Path]:
    """The paths of files of a repository, all from the same commit.

    ``options`` are those of ``hf_hub_download``: ``revision``, ``cache_dir``, ``local_files_only``, ``token`` …

    Raises:
        LoadError: a file is missing, or the Hub was not reached, refused or broke off.
    """
    cache_dir = options.get("cache_dir")
    options = {**options, "cache_dir": cache_dir and Path(cache_dir).expanduser()}
    at = f" at revision {options['revision']!r}" if options.get("revision") else ""
    try:
        with bounded_waits():
            return _cached_commit(repo_id, names, options) or _downloaded(repo_id, names, options)
    except (HTTPError, EntryNotFoundError, HFValidationError, OSError, RuntimeError) as error:
        for kind, sentence in _FAILURES.items():
            if isinstance(error, kind):
                known = {"repo": repo_id, "at": at, "revision": options.get("revision"), "names": ", ".join(names)}
                raise LoadError(sentence.format(**known, why=_why(error), error=error)) from error
        advice = "try again"
        if getattr(error, "errno", None) == errno.ENOSPC:
            advice = "make room on the disk, or give another cache_dir"
        elif getattr(getattr(error, "response", None), "status_code", None) in (401, 403):
            advice = "log in with `hf auth login`, with a token that may read it"
        raise LoadError(f"{repo_id}{at} did not arrive: {short(error)}; {advice}") from error


def _downloaded(repo_id: str, names: tuple[str, ...], options: dict) -> list[Path]:
    commit = _commit(repo_id, names[0], options)
    if commit is None:
        return [Path(hf_hub_download(repo_id, name, **options)) for name in names]
    files = [Path(hf_hub_download(repo_id, name, **{**options, "revision": commit})) for name in names]
    # only now that all files are there, the cache notes where the revision points
    for name in names:
        hf_hub_download(repo_id, name, **{**options, "force_download": False})
    return files


def _cached_commit(repo_id: str, names: tuple[str, ...], options: dict) -> list[Path] | None:
    """Files of a commit named by its hash, if all are cached: they never change, so the Hub is not asked."""
    if options.get("force_download") or not re.fullmatch("[0-9a-f]{40}", options.get("revision") or ""):
        return None
    where = {"cache_dir": options.get("cache_dir"), "revision": options["revision"]}
    cached = [try_to_load_from_cache(repo_id, name, **where) for name in names]
    paths = [Path(path) for path in cached if isinstance(path, str)]
    return paths if len(paths) == len(names) else None


def _commit(repo_id: str, name: str, options: dict) -> str | None:
    """The commit of a revision on the Hub; None if the client has to find out.

    The Hub is asked once, with a short timeout: the client would try for 23 s. If it is not reached, ``options`` are
    changed to use only what is cached.
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
            raise LocalEntryNotFoundError(short(error)) from error
        options["local_files_only"] = True
        return None
    if commit is None:
        raise LoadError(f"{repo_id} did not arrive: the answer of {url} names no commit; check the network's proxies")
    return commit


def _why(error: Exception) -> str:
    """Why the Hub gave no file, and what to do."""
    answer = getattr(error.__cause__, "response", None)
    return "was not reached; check the network" if answer is None else f"answered {answer.status_code}; try again later"


def short(error: BaseException) -> str:
    """The first line of what an error says."""
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
