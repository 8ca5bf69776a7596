"""Writing files so that a kill at any moment leaves the old one whole."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_beside(path: Path, *, shared: bool = False) -> Iterator[Path]:
    """A path beside ``path`` to write to; moved into place if the block ends without an exception.

    What was written is flushed to the disk first, so that not even a power cut leaves an empty file in its place.

    Args:
        path: of the file.
        shared: whether several processes may write it at the same time: the last one's stays, whole.
    """
    # otherwise one name, so that what a kill leaves is written over
    beside = path.with_name(f".{path.name}.{os.getpid()}.part" if shared else f".{path.name}.part")
    try:
        yield beside
        with open(beside, "rb+") as file:
            os.fsync(file.fileno())
        beside.chmod(0o644)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def write_json(path: Path, value) -> None:
    """Write JSON that a person can read, beside and moved into place."""
    with written_beside(path) as beside:
        beside.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
