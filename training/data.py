"""A data set ─► uint8 images (N, C, H, W) and labels, decoded once and memory-mapped afterwards."""

import hashlib
import os
import shutil
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from aevq_hub.images import to_array

from .memory import fitting, window_count
from .rows import DataError, Row, Source, rows_of
from .sources import cache_folder, fingerprint
from .streaming import ahead

LABELS_KEPT = 5  # without test labels, every fifth labelled training image is held out to measure on
DIGEST_FILE = "digest"  # beside decoded images: their hash
_CHUNK = 512  # images decoded between two writes, while as many are fetched


@dataclass(frozen=True)
class Split:
    """One split in memory-mapped form."""

    images: torch.Tensor  # (N, C, H, W) uint8, to be read only
    labels: torch.Tensor | None  # (N,) or (N, attributes) int64, −1 where missing; None without label columns

    def __len__(self) -> int:
        return len(self.images)

    def digest(self) -> str:
        """A hash of the labels and images, or of 1,000 evenly spaced images if all have more than 1 GB."""
        few = self.images if self.images.nbytes <= 1e9 else self.images[:: max(1, len(self) // 1000)]
        found = hashlib.sha256(repr(tuple(self.images.shape)).encode())
        for tensor in (few, self.labels):
            found.update(b"" if tensor is None else np.ascontiguousarray(tensor.numpy()).data)
        return found.hexdigest()[:16]


@dataclass(frozen=True)
class Labelled(Split):
    """A split with labels."""

    labels: torch.Tensor


def load(source: Source, split: str, *, progress: bool = True) -> Split:
    """One split of a data set, decoded on the first call and memory-mapped from the cache on later ones.

    No other split is downloaded. If a data set has only one split, every tenth image makes "test".

    Args:
        source: from :func:`find_source`.
        split: "train", "test" or another split that the data set has.
        progress: whether to show a bar while images are decoded.

    Raises:
        DataError: a missing split, an empty folder, or a missing or unreadable image.
        OSError: the Hub cannot be reached or the disk is full.
    """
    folder = cache_folder() / "decoded" / f"{source.name}-{split}-{fingerprint(source, split)}"
    if (folder / "images.npy").exists():
        found = _verified(folder, (folder / "images.npy").stat().st_mtime_ns)
        if found is not None:
            return found
        warnings.warn(f"{folder} is damaged; the images are decoded again", stacklevel=2)
        shutil.rmtree(folder)
    _decode(source, split, folder, progress)
    return _opened(folder)


@lru_cache(maxsize=16)
def _verified(folder: Path, changed: int) -> Split | None:
    """The split in a folder, if it is as it was decoded; ``changed`` is when its images were written."""
    try:
        split, digest = _opened(folder), (folder / DIGEST_FILE).read_text()
    except (OSError, ValueError, EOFError):
        return None
    return split if split.digest() == digest else None


def _opened(folder: Path) -> Split:
    images = np.load(folder / "images.npy", mmap_mode="r")  # a writable copy would have to fit into memory
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        images = torch.from_numpy(images)
    labels = folder / "labels.npy"
    return Split(images, torch.from_numpy(np.load(labels)) if labels.exists() else None)


def training_labels(source: Source) -> torch.Tensor | None:
    """The labels of the training split to learn from, (N,) or (N, attributes), −1 where missing or held out.

    Raises:
        DataError: the data set has classes, but the training labels contain fewer than two of them.
    """
    labels = load(source, "train").labels
    if labels is not None and ((test := load(source, "test").labels) is None or not (test >= 0).any()):
        labels = hold_out(labels)[0]
    if labels is not None and labels.ndim == 1 and len(labels[labels >= 0].unique()) < 2:
        raise DataError(f"the training images of {source.place} have labels of fewer than two classes; add some")
    return labels


def hold_out(labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Hold out every fifth known label: the labels with −1 in these places, and the indices of the places."""
    apart = _known(labels)[::LABELS_KEPT]
    return labels.index_fill(0, apart, -1), apart


def labelled(source: Source) -> tuple[Labelled, Labelled]:
    """The labelled images to learn from and those to measure on.

    They are the training and the test split. If the test split has no labels, every fifth labelled training image is
    held out to measure on. If a split is only partly labelled, no more images are returned than fit into memory.

    Raises:
        ValueError: the data set has no labels.
    """
    train, test, learnt = load(source, "train"), load(source, "test"), training_labels(source)
    if train.labels is None or learnt is None or not (learnt >= 0).any():
        raise ValueError(f"{source.name} has no labels")
    learn = known(Labelled(train.images, learnt))
    if test.labels is not None and (test.labels >= 0).any():
        return learn, known(Labelled(test.images, test.labels))
    return learn, _copied(train.images, train.labels, hold_out(train.labels)[1])


def known(split: Labelled) -> Labelled:
    """The images of a split that have at least one label, or as many of them as fit into memory."""
    index = _known(split.labels)
    return split if len(index) == len(split) else _copied(split.images, split.labels, index)


def _copied(images: torch.Tensor, labels: torch.Tensor, index: torch.Tensor) -> Labelled:
    """The images with these indices (n,) and their labels, in memory; only the first ones if not all fit."""
    index = index[: fitting(images)]
    return Labelled(images[index], labels[index])


def _known(labels: torch.Tensor) -> torch.Tensor:
    """Indices of the images that have at least one label; labels are (N,) or (N, attributes)."""
    return (labels.view(len(labels), -1) >= 0).any(1).nonzero()[:, 0]


def _decode(source: Source, split: str, folder: Path, progress: bool) -> None:
    """Decode in parallel into a temporary folder, which is moved into place when it is complete."""
    d, (total, rows) = source.dataset, rows_of(source, split)

    def decode(row: Row) -> np.ndarray:
        try:
            with row.open() as image:
                return to_array(image, d.size, d.channels, d.crop)
        except Exception as error:  # decoders raise almost anything
            raise DataError(f"{row.name} cannot be read as an image: {error}") from error

    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(f".{folder.name}-*"):
        if time.time() - left.stat().st_mtime > 86400:  # a day old: its process was killed
            shutil.rmtree(left, ignore_errors=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        labels, rows_left = [], iter(rows)
        bar = tqdm(total=total, desc=f"decoding {source.name} {split}", unit=" images", disable=not progress)
        with open(beside / "images.npy", "wb") as file, ThreadPoolExecutor() as pool, bar:
            _write_header(file, (0, d.channels, d.size, d.size))
            for chunk in ahead(iter(lambda: list(islice(rows_left, _CHUNK)), [])):  # rows may come from the network
                for pixels in pool.map(decode, chunk):  # Pillow decodes outside the interpreter's lock
                    file.write(pixels.tobytes())
                labels += [row.labels for row in chunk]
                bar.update(len(chunk))
            file.seek(0)
            _write_header(file, (len(labels), d.channels, d.size, d.size))  # of the same length: numpy leaves room
        if not labels:
            raise DataError(f"split {split!r} of {source.place} is empty")
        if d.label_columns:
            labels = np.array(labels, dtype=np.int64).squeeze(-1 if len(labels[0]) == 1 else ())
            if not source.listed:
                labels = _shuffle(beside / "images.npy", labels)
            np.save(beside / "labels.npy", labels)
        (beside / DIGEST_FILE).write_text(_opened(beside).digest())
        try:
            os.replace(beside, folder)
        except OSError:
            if not (folder / "images.npy").exists():  # otherwise another process was faster, with the same result
                raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _write_header(file, shape: tuple[int, ...]) -> None:
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _shuffle(path: Path, labels: np.ndarray) -> np.ndarray:
    """Shuffle the images of a file, which may be sorted by class, and return the labels in the new order.

    The images are first dealt out to files that fit into memory, so that all reading is sequential.
    """
    order = np.random.default_rng(0).permutation(len(labels))
    images, shuffled = np.load(path, mmap_mode="r"), path.with_suffix(".shuffled")
    parts = [path.with_suffix(f".{i}") for i in range(window_count(images.nbytes))]
    place = order.argsort()  # of each image in the new order
    part_of = place * len(parts) // len(order)
    with ExitStack() as stack:
        files = [stack.enter_context(open(part, "wb")) for part in parts]
        for image, part in zip(images, part_of, strict=True):
            files[part].write(image.tobytes())
    with open(shuffled, "wb") as file:
        _write_header(file, images.shape)
        for i, part in enumerate(parts):
            pixels = np.fromfile(part, np.uint8).reshape(-1, *images.shape[1:])
            file.write(pixels[place[part_of == i].argsort()].tobytes())
            part.unlink()
    os.replace(shuffled, path)
    return labels[order]
