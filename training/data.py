"""Data set name ─► uint8 images (N, C, H, W) and labels, decoded once and mapped in afterwards."""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from aevq_hub.images import to_array
from aevq_hub.registry import DATASETS, Dataset

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
LABELS_KEPT = 5  # where the test split has no labels, every fifth labelled training image is kept apart to measure on
HOLD_OUT = 10  # where a data set has only one split, every tenth image of it is the test split
_CHUNK = 2048  # images decoded between two writes


class DataError(ValueError):
    """Images cannot be had. The message names the file or the value and the choices."""


@dataclass(frozen=True)
class Split:
    """One split in memory-mapped form."""

    images: torch.Tensor  # (N, C, H, W) uint8
    labels: torch.Tensor | None  # (N,) or (N, attributes) int64, −1 where missing; None without label columns

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class Labelled(Split):
    """A split with labels."""

    labels: torch.Tensor


@dataclass(frozen=True)
class Source:
    """A data set and where it is read from.

    Args:
        name: the data set's part of the model's name.
        dataset: how its images become (C, size, size).
        folder: a folder of images (``kind`` "images") or the local copy of a Hub data set ("mirror"); None: the Hub.
    """

    name: str
    dataset: Dataset
    kind: str
    folder: Path | None = None

    @property
    def place(self) -> str:
        """Where it is read from, for messages and records."""
        return str(self.folder) if self.folder else self.dataset.hub_id

    @property
    def public_name(self) -> str:
        """What is written into a model's history: no path of one's own machine."""
        return self.name if self.kind == "images" else self.dataset.hub_id


def find_source(
    name: str,
    *,
    data: str | Path | None = None,
    data_root: str | Path | None = None,
    size: int | None = None,
    channels: int | None = None,
    image_column: str | None = None,
    config: str | None = None,
) -> Source:
    """What a name on the command line means; no image is read yet.

    Args:
        name: a key of ``registry.DATASETS``; with ``data`` any name; else the id of any image data set of the Hub.
        data: a folder of one's own images.
        data_root: a folder with local copies in the Hub's layout, ``<data_root>/ylecun/mnist/…``; default
            ``AEVQ_DATA_ROOT``; without either, the Hub.
        size: height and width in pixels, needed where the data set is not of the table.
        channels: 1 or 3, likewise.
        image_column: for a data set of the Hub by id: the column of images, by default "image".
        config: for a data set of the Hub by id: its configuration, if it has several.

    Raises:
        DataError: an unknown name, a missing folder, or a missing size or number of channels.
    """
    if data is None and name in DATASETS:
        if given := [o for o, v in (("--size", size), ("--channels", channels), ("--config", config)) if v is not None]:
            raise DataError(f"{given[0]} goes with images of one's own; {name} has its own settings")
        return _hub_source(name, DATASETS[name], data_root)
    if data is None and name.count("/") != 1:
        raise DataError(
            f"unknown data set {name!r}; choose from {', '.join(DATASETS)}, give the id of a data set of the Hub "
            "(<owner>/<name>), or a folder of images with --data PATH"
        )
    if size is None or channels is None:
        raise DataError(f"{name!r} is not of the table: give --size (pixels, such as 28 or 64) and --channels (1 or 3)")
    short = name.rsplit("/", 1)[-1].lower()
    if short in DATASETS:
        raise DataError(f"{short!r} is the name of a data set of the table; give your images another name")
    entry = Dataset(
        title=name, hub_id=name, hub_config=config, size=size, channels=channels, image_column=image_column or "image",
        license="other", shareable=False, terms="Check the terms of the images that it was trained on.",
    )  # fmt: skip
    if data is None:
        return _hub_source(short, entry, data_root)
    folder = Path(data)
    if not folder.is_dir():
        raise DataError(f"--data {folder} is no folder")
    return Source(short, entry, "images", folder)


def _hub_source(name: str, dataset: Dataset, data_root: str | Path | None) -> Source:
    root = data_root or os.environ.get("AEVQ_DATA_ROOT")
    if not root:
        return Source(name, dataset, "hub")
    folder = Path(root) / dataset.hub_id
    if not folder.is_dir():
        raise DataError(f"the data root {root} has no folder {dataset.hub_id}; without a data root the Hub is asked")
    return Source(name, dataset, "mirror", folder)


def cache_folder() -> Path:
    """Where what is decoded, the classifiers that measure and locks are kept: ``AEVQ_CACHE`` or ``~/.cache/aevq``."""
    return Path(os.environ.get("AEVQ_CACHE") or Path.home() / ".cache" / "aevq")


def load(source: Source, split: str, *, progress: bool = True) -> Split:
    """One split of a data set, decoded on the first call and mapped from the cache on later ones.

    No other split is downloaded. A source with a single split is divided: every tenth image makes "test".

    Args:
        source: from :func:`find_source`.
        split: "train" or "test", or another split the data set has.
        progress: whether to show a bar while images are decoded.

    Raises:
        DataError: a missing split, an empty folder or an unreadable image.
        OSError: the Hub cannot be reached or the disk is full.
    """
    folder = cache_folder() / "images" / f"{source.name}-{split}-{fingerprint(source, split)}"
    if not (folder / "images.npy").exists():
        rows = _rows_of_folder(source, split) if source.kind == "images" else _rows_of_hub(source, split)
        _decode(source, split, rows, folder, progress)
    images = np.load(folder / "images.npy", mmap_mode="c")
    labels = folder / "labels.npy"
    return Split(torch.from_numpy(images), torch.from_numpy(np.load(labels)) if labels.exists() else None)


def training_labels(source: Source) -> torch.Tensor | None:
    """The labels of the training split to learn from, (N,) or (N, attributes), −1 where missing or kept apart."""
    labels = load(source, "train").labels
    if labels is None or (test := load(source, "test").labels) is None or (test >= 0).any():
        return labels
    return keep_apart(labels)[0]


def keep_apart(labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Labels without every fifth of the known ones, which are −1, and the indices of these, to measure on."""
    apart = _known(labels)[::LABELS_KEPT]
    return labels.index_fill(0, apart, -1), apart


def labelled(source: Source) -> tuple[Labelled, Labelled]:
    """The images with labels to learn from and those to measure on.

    These are of the training and the test split; where the test split has no labels, as that of the CelebA at hand,
    every fifth labelled training image is kept apart for the second.

    Raises:
        ValueError: the data set has no labels.
    """
    train, test, learnt = load(source, "train"), load(source, "test"), training_labels(source)
    if train.labels is None or learnt is None or not (learnt >= 0).any():
        raise ValueError(f"{source.name} has no labels")
    learn = known(Labelled(train.images, learnt))
    if test.labels is not None and (test.labels >= 0).any():
        return learn, known(Labelled(test.images, test.labels))
    apart = keep_apart(train.labels)[1]
    return learn, Labelled(train.images[apart], train.labels[apart])


def known(split: Labelled) -> Labelled:
    """The images of a split that have a label (of several, any)."""
    index = _known(split.labels)
    return split if len(index) == len(split) else Labelled(split.images[index], split.labels[index])


def _known(labels: torch.Tensor) -> torch.Tensor:
    """Indices of the rows of labels, (N,) or (N, attributes), that are not all missing."""
    return (labels.view(len(labels), -1) >= 0).any(1).nonzero()[:, 0]


def fingerprint(source: Source, split: str) -> str:
    """A key that changes with the files and with how they are decoded. The Hub is not asked: it may be offline."""
    files = []
    if source.folder:
        files = [(str(p.relative_to(source.folder)), p.stat().st_size, p.stat().st_mtime_ns)
                 for p in sorted(source.folder.rglob("*")) if p.is_file()]  # fmt: skip
    d = source.dataset
    decoding = [d.hub_id, d.hub_config, d.image_column, d.label_columns, d.size, d.channels, d.crop]
    return hashlib.sha256(json.dumps([source.kind, split, decoding, files]).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class _Rows:
    """Undecoded images: how many (if known) and, one by one, a name for messages, an opener and the labels."""

    count: int | None
    rows: Iterable[tuple[str, Callable[[], Image.Image], list[int]]]


def _rows_of_folder(source: Source, split: str) -> _Rows:
    folder = source.folder
    assert folder is not None  # a source of this kind has a folder
    splits = sorted(p.name for p in folder.iterdir() if p.name in ("train", "valid", "test") and p.is_dir())
    if splits and split not in splits:
        raise DataError(f"{folder} has no split {split!r}; choose from {', '.join(splits)}")
    root = folder / split if splits else folder
    files = sorted(p for p in root.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file())
    if not files:
        raise DataError(f"{root} holds no image; its files should end in {', '.join(sorted(IMAGE_SUFFIXES))}")
    if not splits:
        files = [files[i] for i in _held_out(range(len(files)), split, str(folder))]
    return _Rows(len(files), ((str(f), lambda f=f: Image.open(f), []) for f in files))


def _rows_of_hub(source: Source, split: str) -> _Rows:
    import datasets.data_files  # half a second, and not needed once the images are decoded

    d = source.dataset
    try:
        builder = datasets.load_dataset_builder(str(source.folder or d.hub_id), d.hub_config)
        files = builder.config.data_files
        assert isinstance(files, datasets.data_files.DataFilesDict)  # the builder has resolved them
        single = len(files) == 1
        if split not in files and not (single and split in ("train", "test")):
            raise DataError(f"{source.place} has no split {split!r}; choose from {', '.join(files)}")
        stored = next(iter(files)) if single else split
        # left alone, the builder would open, and without streaming download, the files of every split
        builder.config.data_files = datasets.data_files.DataFilesDict({stored: files[stored]})
        stream = builder.as_streaming_dataset(split=stored)
        assert isinstance(stream, datasets.IterableDataset)  # because split was given
    except DataError:
        raise
    except (ValueError, OSError, RuntimeError) as error:
        raise DataError(f"the data set {source.place} cannot be opened: {error}") from error
    columns = stream.column_names or list(next(iter(stream.take(1)), {}))
    for column in (d.image_column, *d.label_columns):
        if column not in columns:
            raise DataError(f"{source.place} has no column {column!r}; choose from {', '.join(columns)}")
    if not isinstance((stream.features or {}).get(d.image_column), datasets.Image | dict | None):
        raise DataError(
            f"the column {d.image_column!r} of {source.place} holds no images; columns: {', '.join(columns)}"
        )
    # the bytes are decoded below, in parallel
    stream = stream.cast_column(d.image_column, datasets.Image(decode=False))
    info = stream.info.splits or {}
    count = info[stored].num_examples if stored in info and not single else None

    def rows():
        indexed = enumerate(stream)
        for i, row in _held_out(indexed, split, source.place, key=lambda pair: pair[0]) if single else indexed:
            labels = [-1 if row[c] is None else int(row[c]) for c in d.label_columns]
            yield f"image {i} of split {split} of {source.place}", lambda cell=row[d.image_column]: _open(cell), labels

    return _Rows(count, rows())


def _held_out(items: Iterable, split: str, place: str, key=lambda i: i) -> Iterator:
    if split not in ("train", "test"):
        raise DataError(f"{place} has no split {split!r}; choose from train, test")
    return (item for item in items if (key(item) % HOLD_OUT == 0) == (split == "test"))


def _open(cell: dict) -> Image.Image:
    import io

    return Image.open(io.BytesIO(cell["bytes"]) if cell["bytes"] is not None else cell["path"])


def _decode(source: Source, split: str, rows: _Rows, folder: Path, progress: bool) -> None:
    """Decode in parallel and write beside; only a complete cache is moved into place."""
    d = source.dataset

    def decode(row) -> np.ndarray:
        name, opener, _ = row
        try:
            with opener() as image:
                return to_array(image, d.size, d.channels, d.crop)
        except (OSError, ValueError, TypeError, SyntaxError, Image.DecompressionBombError) as error:
            raise DataError(f"{name} cannot be read as an image: {error}") from error

    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(f".{folder.name}-*"):
        if time.time() - left.stat().st_mtime > 86400:  # a day old: its process was killed
            shutil.rmtree(left, ignore_errors=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        labels, count, rows_left = [], 0, iter(rows.rows)
        bar = tqdm(total=rows.count, desc=f"decoding {source.name} {split}", unit=" images", disable=not progress)
        with open(beside / "images.npy", "wb") as file, ThreadPoolExecutor() as pool, bar:
            _write_header(file, (0, d.channels, d.size, d.size))
            while chunk := list(islice(rows_left, _CHUNK)):
                for pixels in pool.map(decode, chunk):  # Pillow decodes outside the interpreter's lock
                    file.write(pixels.tobytes())
                labels += [row[2] for row in chunk]
                count += len(chunk)
                bar.update(len(chunk))
            file.seek(0)
            _write_header(file, (count, d.channels, d.size, d.size))  # of the same length: numpy leaves room
        if not count:
            raise DataError(f"split {split!r} of {source.place} is empty")
        if d.label_columns:
            np.save(beside / "labels.npy", np.array(labels, dtype=np.int64).squeeze(-1 if len(labels[0]) == 1 else ()))
        try:
            os.replace(beside, folder)
        except OSError:
            if not (folder / "images.npy").exists():  # else another process was faster, with the same result
                raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _write_header(file, shape: tuple[int, ...]) -> None:
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
