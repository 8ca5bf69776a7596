"""Atomic writing of files: an interruption at any moment leaves the old file intact."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError


@contextmanager
def written_beside(path: Path, *, shared: bool = False) -> Iterator[Path]:
    """A temporary path beside ``path``, moved to ``path`` if the block ends without an exception.

    The file is flushed to the disk first, so not even a power cut leaves an empty file. ``shared`` says that several
    processes may write the file at the same time; the last one wins.

    Raises:
        OSError: the file cannot be written, for instance because the disk is full.
    """
    # without the process id, the next write replaces what an interruption left behind
    beside = path.with_name(f".{path.name}.{os.getpid()}.part" if shared else f".{path.name}.part")
    try:
        try:
            yield beside
        except SafetensorError as error:  # the library's way to say that the disk is full
            raise OSError(f"{path} cannot be written: {error}") from error
        with open(beside, "rb+") as file:
            os.fsync(file.fileno())
        beside.chmod(0o644)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def write_json(path: Path, value) -> None:
    """Write indented JSON atomically."""
    with written_beside(path) as beside:
        beside.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
