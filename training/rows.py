"""A data set ─► its undecoded images with their labels, row by row, through ``datasets``."""

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from PIL import Image

from aevq_hub.images import FORMATS
from aevq_hub.registry import DATASETS, Dataset

if TYPE_CHECKING:
    from datasets import IterableDataset

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
METADATA_FILE = "metadata.csv"  # labels for a folder of images: the columns file_name and label
SPLITS = ("train", "valid", "test")  # folders with these names are splits
HOLD_OUT = 10  # if a data set has only one split, every tenth image makes the test split


class DataError(ValueError):
    """Images or labels are not available. The message names the file or the value and the choices."""


@dataclass(frozen=True)
class Source:
    """A data set and where it is read from."""

    name: str  # the second part of the model's name
    dataset: Dataset  # how its images become (C, size, size)
    kind: str  # "hub", "mirror" (a local copy of a Hub data set) or "images" (a folder of images)
    folder: Path | None = None  # the folder of "images" or a "mirror"; None for the Hub

    @property
    def place(self) -> str:
        """Where it is read from, for messages."""
        return str(self.folder or self.dataset.hub_id)

    @property
    def public_name(self) -> str:
        """The name for a model's history, without local paths."""
        return self.name if self.kind == "images" else self.dataset.hub_id

    @property
    def listed(self) -> bool:
        """Whether it is in ``registry.DATASETS``."""
        return self.name in DATASETS


class Row(NamedTuple):
    """An undecoded image."""

    name: str  # for messages
    image: dict  # the cell of the image column: "bytes", or else a "path"
    labels: list[int]

    def open(self) -> Image.Image:
        """The image, which Pillow decodes when its pixels are read; only in common formats, whatever its name says."""
        file = self.image["path"] if self.image["bytes"] is None else io.BytesIO(self.image["bytes"])
        return Image.open(file, formats=FORMATS)


@dataclass(frozen=True)
class _Stream:
    """The opened rows of a split."""

    source: Source
    rows: "IterableDataset"
    images: dict[str, list[Path]]  # the files of a folder of images by split; else empty
    stored: str  # the split that the rows are stored in
    divided: bool  # whether this is the only split, which is divided into "train" and "test"

    def type_of(self, column: str):
        return (self.rows.features or {}).get(column)

    def require(self, *needed: str) -> None:
        """Raise a DataError if a column is missing."""
        columns = self.rows.column_names or list(next(iter(self.rows.take(1)), {}))
        for column in needed:
            if column not in columns:
                raise DataError(f"{self.source.place} has no column {column!r}; choose from {', '.join(columns)}")


def rows_of(source: Source, split: str) -> tuple[int | None, Iterable[Row]]:
    """The number (if known) and the rows of a split. A single split is divided into "train" and "test".

    Raises:
        DataError: the split, a column or a file is missing, or the data set cannot be opened.
    """
    import datasets  # half a second, and not needed once the images are decoded

    column, stream = source.dataset.image_column, _open(source, split)
    # a split of a folder may lack labels
    stream.require(column, *(() if stream.images else source.dataset.label_columns))
    if not isinstance(stream.type_of(column), datasets.Image | dict | None):
        columns = ", ".join(stream.rows.column_names or ())
        raise DataError(f"the column {column!r} of {source.place} contains no images; columns: {columns}")
    undecoded = stream.rows.cast_column(column, datasets.Image(decode=False))  # decoded later, in parallel
    labels = _reader_of_labels(stream)
    if stream.images:
        rows = list(_rows_of_folder(stream, undecoded, labels))
        rows = _divided(rows, split) if stream.divided else rows
        return len(rows), rows
    info = (stream.rows.info.splits or {}).get(split)
    return info.num_examples if info and not stream.divided else None, (
        Row(f"image {i} of split {split} of {source.place}", row[column], labels(row))
        for i, row in enumerate(undecoded)
        if not stream.divided or (i % HOLD_OUT == 0) == (split == "test")
    )


def class_names(source: Source, column: str | None) -> tuple[str, ...]:
    """The names of the classes in a label column; empty without labels of at least two classes.

    Args:
        source: a data set that is not in ``registry.DATASETS``.
        column: its column of classes, by default "label" if there is one.

    Raises:
        DataError: the named column does not exist or has no classes, or the data set cannot be opened.
    """
    import datasets

    stream, name = _open(source, "train"), column or "label"
    if column:
        stream.require(column)
    kind = stream.type_of(name)
    if isinstance(kind, datasets.ClassLabel):
        names = kind.names
    elif stream.images and kind:  # a column of the metadata
        names = sorted({row[name] for row in stream.rows} - {None})
    elif column:
        raise DataError(f"the column {column!r} of {source.place} has the type {kind}; labels need the type ClassLabel")
    else:
        names = ()
    # the names of folders that are not UTF-8 contain surrogates
    if odd := [one for one in names if any("\ud800" <= letter <= "\udfff" for letter in one)]:
        raise DataError(f"the class name {ascii(odd[0])} of {source.place} cannot be written; rename it")
    return tuple(names) if len(names) > 1 else ()


def _open(source: Source, split: str) -> _Stream:
    import datasets.data_files

    images, builder = {}, None
    try:
        if source.kind == "images" and source.folder:
            files = images = _images_by_split(source.folder)
        else:
            builder = datasets.load_dataset_builder(source.place, source.dataset.hub_config)
            files = cast(dict, builder.config.data_files)
        divided = len(files) == 1 and split in ("train", "test")
        if split not in files and not divided:
            choices = ("train", "test") if len(files) == 1 else files
            raise DataError(f"{source.place} has no split {split!r}; choose from {', '.join(choices)}")
        stored = next(iter(files)) if divided else split
        if builder is None:
            rows = _rows_with_labels(Path(source.place), stored, files[stored])
        else:
            # otherwise the builder would open, and without streaming download, the files of every split
            builder.config.data_files = datasets.data_files.DataFilesDict({stored: cast(dict, files)[stored]})
            rows = cast("IterableDataset", builder.as_streaming_dataset(split=stored))
    except DataError:
        raise
    except (ValueError, OSError, RuntimeError) as error:
        hint = "; --data-root names local copies" if source.kind == "hub" else ""
        raise DataError(f"the data set {source.place} cannot be opened: {error}{hint}") from error
    return _Stream(source, rows, images, stored, divided)


def _images_by_split(folder: Path) -> dict[str, list[Path]]:
    """The image files of each split folder, or of the whole folder as "train", in alphabetical order."""
    roots = {split: folder / split for split in SPLITS if (folder / split).is_dir()} or {"train": folder}
    images = {}
    for split, root in roots.items():
        found = (p for p in root.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file())
        images[split] = sorted(p for p in found if not any(part[0] == "." for part in p.relative_to(root).parts))
        if not images[split]:
            raise DataError(f"{root} contains no images; supported endings: {', '.join(sorted(IMAGE_SUFFIXES))}")
    return images


def _rows_with_labels(folder: Path, split: str, images: list[Path]) -> "IterableDataset":
    """The rows of image files, as the imagefolder builder of ``datasets`` makes them: labels come from the metadata or,
    if each image lies in a folder of the split, from the folders' names.

    The builder is given the files: it would take names such as test_001.jpg for splits or patterns.
    """
    import datasets
    from datasets.data_files import DataFilesDict, DataFilesList
    from datasets.packaged_modules.imagefolder.imagefolder import ImageFolder

    root = folder / split if (folder / split).is_dir() else folder
    metadata = [p for p in dict.fromkeys((folder / METADATA_FILE, root / METADATA_FILE)) if p.is_file()]
    files = DataFilesList([str(p.absolute()) for p in (*images, *metadata)], [])
    in_classes = all(len(p.relative_to(root).parts) == 2 for p in images)
    builder = ImageFolder(data_files=DataFilesDict({split: files}), drop_labels=not in_classes)
    rows = cast("IterableDataset", builder.as_streaming_dataset(split=split))
    if metadata:  # labels are read as strings: guessed types would differ between parts of a long file
        types = {k: v if k == "image" else datasets.Value("string") for k, v in (rows.features or {}).items()}
        builder.info.features = datasets.Features(types)
        builder.config.features = builder.info.features  # pyright: ignore[reportAttributeAccessIssue]
        rows = cast("IterableDataset", builder.as_streaming_dataset(split=split))
    return rows.cast_column("image", datasets.Image(decode=False))


def _reader_of_labels(stream: _Stream) -> Callable[[dict], list[int]]:
    """A function of a row that returns its labels. Classes of a data set that is not in the table are matched by name,
    because another split may number them differently."""
    dataset, columns = stream.source.dataset, stream.source.dataset.label_columns
    if stream.source.listed:
        return lambda row: [-1 if row[c] is None else int(row[c]) for c in columns]
    index: dict[str | None, int] = {name: i for i, name in enumerate(dataset.class_names)}
    names = [getattr(stream.type_of(c), "names", None) for c in columns]

    def labels(row: dict) -> list[int]:
        values = (row.get(c) for c in columns)
        return [index.get(n[v] if n and v is not None else v, -1) for n, v in zip(names, values, strict=True)]

    return labels


def _rows_of_folder(stream: _Stream, undecoded: Iterable[dict], labels: Callable) -> Iterable[Row]:
    split_of = {str(p.absolute()): split for split, files in stream.images.items() for p in files}
    for row in undecoded:
        path = (row["image"] or {}).get("path")
        if path not in split_of:
            missing = path or "no file in one of its rows"
            raise DataError(f"{METADATA_FILE} names {missing}; each row needs the file_name of an image")
        if split_of[path] == stream.stored:  # the metadata may contain all splits
            yield Row(path, row["image"], labels(row))


def _divided(rows: list[Row], split: str) -> list[Row]:
    """Every tenth row, class by class, for "test", the others for "train", which keeps the first of each class."""
    rows = sorted(rows, key=lambda row: row.labels)
    firsts = {row.labels[0]: i for i, row in reversed(list(enumerate(rows))) if row.labels and row.labels[0] >= 0}
    others = [i for i in range(len(rows)) if i not in {*firsts.values()}] or range(len(rows))
    test = set(others[::HOLD_OUT])
    return [row for i, row in enumerate(rows) if (i in test) == (split == "test")]
