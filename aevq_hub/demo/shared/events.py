"""How events reach functions: errors as sentences, endpoints for programs, and files in answers."""

import os
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from functools import wraps
from inspect import isgeneratorfunction
from pathlib import Path
from typing import Any, Literal, TypedDict
from uuid import uuid4

import gradio as gr
from gradio.processing_utils import hash_bytes
from gradio.utils import get_upload_folder

from .paths import own_path

# preprocess=False: Gradio would answer a wrong value with a traceback; every value is checked by the tab's settings.
# postprocess=False: every value is as the page needs it, and Gradio would hand each to a thread
_QUIET = {"show_progress": "hidden", "api_visibility": "private", "preprocess": False, "postprocess": False}
# drawing takes a few milliseconds, Gradio's queue takes longer: these events go straight to their function. Of the
# requests that arrive while one is being answered, only the last is kept
LIVE = {**_QUIET, "trigger_mode": "always_last", "queue": False}
CLICKS = {**_QUIET, "trigger_mode": "multiple", "queue": False}  # none is dropped
UPLOADS = {**_QUIET, "trigger_mode": "multiple", "concurrency_limit": 1, "concurrency_id": "uploads"}
PROGRAMS = {"concurrency_limit": 4, "concurrency_id": "programs"}
SESSIONS = 120  # whose state is kept, 0.7 MB each: every call of a program without a session begins one


@contextmanager
def _explaining():
    try:
        yield
    except ValueError as error:
        raise gr.Error(str(error), print_exception=False) from error


def explained(function: Callable) -> Callable:
    """Show a ValueError of bad input as one sentence, on the page and to programs."""
    if not isgeneratorfunction(function):
        return _explaining()(function)

    @wraps(function)
    def stepping(*args, **kwargs):
        with _explaining():
            yield from function(*args, **kwargs)

    return stepping


def endpoint(function: Callable, lane: Mapping[str, Any] = PROGRAMS) -> None:
    """Let programs call a function by its name. Its types and its docstring tell them how.

    ``lane`` is the one of the settings above whose queue the calls wait in.
    """
    gr.api(  # pyright: ignore[reportPrivateImportUsage]
        explained(function), concurrency_limit=lane["concurrency_limit"], concurrency_id=lane["concurrency_id"]
    )


def sent(event: gr.EventData, name: str) -> Any:
    """The value that an event carries under a name; None if there is none."""
    return event._data.get(name) if isinstance(event._data, dict) else None


def titled(titles: Mapping[Any, str]) -> list[tuple[str, Any]]:
    """Gradio's choices, from the titles of values."""
    return [(title, value) for value, title in titles.items()]


def served(content: bytes, name: str = "image.png") -> str:
    """A file for the page. Gradio would rewrite the file of an equal picture while it is being sent."""
    path = Path(get_upload_folder()) / hash_bytes(content) / name
    if path.exists():
        os.utime(path)  # its age begins anew, so that it is not deleted before it is fetched
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{uuid4().hex}")
        beside.write_bytes(content)
        os.replace(beside, path)
    return str(path)


class Meta(TypedDict):
    """What tells Gradio's clients a file from other data."""

    _type: Literal["gradio.FileData"]


class File(TypedDict):
    """A file, as Gradio's clients send and receive it."""

    path: str  # on the server
    orig_name: str
    meta: Meta


def answer(content: bytes, name: str = "picture.png") -> File:
    """A file as an endpoint's answer, which Gradio's client downloads."""
    return {"path": served(content, name), "orig_name": name, "meta": {"_type": "gradio.FileData"}}


def uploaded(file) -> Path:
    """The path of an uploaded file, from what the page or a program sends of it.

    Raises:
        ValueError: it is not an upload but, say, another file of the server.
    """
    folder = Path(get_upload_folder()).resolve()
    try:
        path = Path(own_path(file["path"])).resolve()
    except (AttributeError, TypeError, KeyError, ValueError, OSError):
        path = folder
    if folder not in path.parents:
        raise ValueError("This is no uploaded file; please bring the image again.")
    return path
