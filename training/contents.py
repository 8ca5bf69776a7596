"""The files of a folder that are published, and whether they equal those of a repository."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils.sha import git_hash

from aevq_hub import AEVQ
from aevq_hub.folder import CARD_FILE, CHECKPOINT_FILE, HISTORY_FILE, PRIOR_CHECKPOINT_FILE, history

_UNPUBLISHED = (CHECKPOINT_FILE, PRIOR_CHECKPOINT_FILE)


class PublishError(RuntimeError):
    """Publishing failed. The message says why and what to do."""


def published_files(folder: Path) -> list[Path]:
    """The files of a folder and its subfolders that are published: no hidden files and no checkpoint.

    Raises:
        PublishError: one is a link that leads out of the folder, to a file that nobody may have meant to publish.
    """
    shown = (p for p in sorted(folder.rglob("*")) if not any(part[0] == "." for part in p.relative_to(folder).parts))
    files = [p for p in shown if (p.is_file() or p.is_symlink()) and p.name not in _UNPUBLISHED]
    whole = folder.resolve()
    if link := next((path for path in files if not path.resolve().is_relative_to(whole)), None):
        raise PublishError(f"{link} is a link out of the folder, to {link.resolve()}; put a copy in its place")
    return files


def checked_folders(names: Sequence[str], output: Path) -> list[Path]:
    """The folders of models, each of which is loaded once to check it.

    Raises:
        PublishError: a card or a history is missing.
        LoadError: a model, or its history, cannot be loaded.
    """
    folders = [output / name for name in names]
    for folder in folders:
        AEVQ.from_pretrained(folder)
        for file in (CARD_FILE, HISTORY_FILE):
            if not (folder / file).is_file():
                raise PublishError(f"{folder} has no {file}; train the model with `aevq train`")
        history(folder)
    return folders


def size(content: Path | bytes) -> int:
    """The number of bytes."""
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def equal(content: Path | bytes, file: RepoFile) -> bool:
    """Whether local content equals a repository's file, by its SHA-256 or, for small files, its git hash."""
    if file.size != size(content):
        return False
    data = content if isinstance(content, bytes) else content.read_bytes()
    return hashlib.sha256(data).hexdigest() == file.lfs.sha256 if file.lfs else git_hash(data) == file.blob_id
