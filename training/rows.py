"""A data set ─► its undecoded images with their labels, row by row, through ``datasets``."""

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PIL import Image

from aevq_hub.registry import DATASETS, Dataset

if TYPE_CHECKING:
    from datasets import IterableDataset

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
METADATA_FILE = "metadata.csv"  # labels of a folder of images: the columns file_name and label
SPLITS = ("train", "valid", "test")  # names of folders that are splits
HOLD_OUT = 10  # where a data set has only one split, every tenth image of it is the test split


class DataError(ValueError):
    """Images or labels are not available. The message names the file or the value and the choices."""


@dataclass(frozen=True)
class Source:
    """A data set and where it is read from.

    Args:
        name: the data set's part of the model's name.
        dataset: how its images become (C, size, size).
        kind: "hub", "mirror" (a local copy of a Hub data set) or "images" (a folder of images).
        folder: where "images" or a "mirror" is; None for the Hub.
    """

    name: str
    dataset: Dataset
    kind: str
    folder: Path | None = None

    @property
    def place(self) -> str:
        """Where it is read from, for messages."""
        return str(self.folder) if self.folder else self.dataset.hub_id

    @property
    def public_name(self) -> str:
        """The name for a model's history: it holds no path of this machine."""
        return self.name if self.kind == "images" else self.dataset.hub_id

    @property
    def listed(self) -> bool:
        """Whether it is one of the table's data sets."""
        return self.name in DATASETS


@dataclass(frozen=True)
class Rows:
    """Undecoded images: how many (if known) and, one by one, a name for messages, an opener and the labels."""

    count: int | None
    rows: Iterable[tuple[str, Callable[[], Image.Image], list[int]]]


@dataclass(frozen=True)
class _Stream:
    """The opened rows of a split."""

    rows: "IterableDataset"
    images: dict[str, list[Path]]  # of a folder of images: its files by split
    divided: bool  # whether the data set has one split, which makes "train" and "test"

    @property
    def columns(self) -> list[str]:
        return self.rows.column_names or list(next(iter(self.rows.take(1)), {}))

    def type_of(self, column: str):
        return (self.rows.features or {}).get(column)


def rows_of(source: Source, split: str) -> Rows:
    """The rows of a split. A data set with a single split is divided into "train" and "test".

    Raises:
        DataError: the split, a column or a file is missing, or the data set cannot be opened.
    """
    import datasets  # half a second, and not needed once the images are decoded

    d, stream = source.dataset, _open(source, split)
    # a split of a folder may lack labels, which are −1 then
    needed = (d.image_column,) if stream.images else (d.image_column, *d.label_columns)
    for column in needed:
        if column not in stream.columns:
            raise _no_column(source, column, stream)
    if not isinstance(stream.type_of(d.image_column), datasets.Image | dict | None):
        columns = ", ".join(stream.columns)
        raise DataError(f"the column {d.image_column!r} of {source.place} holds no images; columns: {columns}")
    # the bytes are decoded later, in parallel
    undecoded = stream.rows.cast_column(d.image_column, datasets.Image(decode=False))
    labels = _reader_of_labels(source, stream)
    if stream.images:
        return _rows_of_folder(source, stream, undecoded, labels, split)

    def rows():
        for i, row in enumerate(undecoded):
            if not stream.divided or (i % HOLD_OUT == 0) == (split == "test"):
                name = f"image {i} of split {split} of {source.place}"
                yield name, lambda cell=row[d.image_column]: _open_image(cell), labels(row)

    info = (stream.rows.info.splits or {}).get(split)
    return Rows(info.num_examples if info and not stream.divided else None, rows())


def class_names(source: Source, column: str | None) -> tuple[str, ...]:
    """The names of the classes in a label column; empty without labels of at least two classes.

    Args:
        source: a data set that is not in the table.
        column: its column of classes, by default "label" if there is one.

    Raises:
        DataError: the named column does not exist or has no classes, or the data set cannot be opened.
    """
    import datasets

    stream, name = _open(source, "train"), column or "label"
    if column and column not in stream.columns:
        raise _no_column(source, column, stream)
    kind = stream.type_of(name)
    if isinstance(kind, datasets.ClassLabel):
        names = kind.names
    elif stream.images and kind:  # a column of the metadata
        names = sorted({row[name] for row in stream.rows} - {None})
    elif column:
        raise DataError(f"the column {column!r} of {source.place} has the type {kind}; labels need the type ClassLabel")
    else:
        names = ()
    return tuple(names) if len(names) > 1 else ()


def _no_column(source: Source, column: str, stream: _Stream) -> DataError:
    return DataError(f"{source.place} has no column {column!r}; choose from {', '.join(stream.columns)}")


def _open(source: Source, split: str) -> _Stream:
    import datasets.data_files

    try:
        folder = source.folder if source.kind == "images" else None
        if folder:
            files = images = _images_by_split(folder)
        else:
            builder = datasets.load_dataset_builder(
                str(source.folder or source.dataset.hub_id), source.dataset.hub_config
            )
            files, images = cast(dict, builder.config.data_files), {}
        divided = len(files) == 1 and split in ("train", "test")
        if split not in files and not divided:
            choices = ("train", "test") if len(files) == 1 else files
            raise DataError(f"{source.place} has no split {split!r}; choose from {', '.join(choices)}")
        stored = next(iter(files)) if divided else split
        if folder:
            return _Stream(_stream_of_folder(folder, stored, images[stored]), images, divided)
        # left alone, the builder would open, and without streaming download, the files of every split
        builder.config.data_files = datasets.data_files.DataFilesDict({stored: cast(dict, files)[stored]})
        return _Stream(cast("IterableDataset", builder.as_streaming_dataset(split=stored)), images, divided)
    except DataError:
        raise
    except (ValueError, OSError, RuntimeError) as error:
        raise DataError(f"the data set {source.place} cannot be opened: {error}") from error


def _images_by_split(folder: Path) -> dict[str, list[Path]]:
    """The image files of each split folder, or of the whole folder as "train", in alphabetical order."""
    roots = {split: folder / split for split in SPLITS if (folder / split).is_dir()} or {"train": folder}
    images = {}
    for split, root in roots.items():
        found = (p for p in root.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file())
        images[split] = sorted(p for p in found if not any(part[0] == "." for part in p.relative_to(root).parts))
        if not images[split]:
            raise DataError(f"{root} holds no image; its files should end in {', '.join(sorted(IMAGE_SUFFIXES))}")
    return images


def _stream_of_folder(folder: Path, split: str, images: list[Path]) -> "IterableDataset":
    """The rows of image files as ``datasets``' imagefolder builder has them: with the labels of the metadata, or with
    the names of the folders, if each image lies in a folder of the split.

    The builder is given the files, so that it takes no name such as test_001.jpg for a split or for a pattern.
    """
    from datasets import Features, Value
    from datasets import Image as ImageColumn
    from datasets.data_files import DataFilesDict, DataFilesList
    from datasets.packaged_modules.imagefolder.imagefolder import ImageFolder

    root = folder / split if (folder / split).is_dir() else folder
    metadata = [p for p in dict.fromkeys((folder / METADATA_FILE, root / METADATA_FILE)) if p.is_file()]
    files = DataFilesList([str(p.absolute()) for p in (*images, *metadata)], [])
    in_classes = all(len(p.relative_to(root).parts) == 2 for p in images)
    builder = ImageFolder(data_files=DataFilesDict({split: files}), drop_labels=not in_classes)
    stream = cast("IterableDataset", builder.as_streaming_dataset(split=split))
    if metadata:  # labels as they are written: their types would be guessed, for each part of a long file anew
        columns = {name: kind if name == "image" else Value("string") for name, kind in (stream.features or {}).items()}
        builder.info.features = Features(columns)
        builder.config.features = builder.info.features  # pyright: ignore[reportAttributeAccessIssue]
        stream = cast("IterableDataset", builder.as_streaming_dataset(split=split))
    return stream.cast_column("image", ImageColumn(decode=False))


def _reader_of_labels(source: Source, stream: _Stream) -> Callable[[dict], list[int]]:
    """A function of a row that returns its labels. Classes of a data set that is not in the table go by their names:
    another split may number them differently."""
    columns = source.dataset.label_columns
    if source.listed:
        return lambda row: [-1 if row[c] is None else int(row[c]) for c in columns]
    index: dict[str | None, int] = {name: i for i, name in enumerate(source.dataset.class_names)}
    names = [getattr(stream.type_of(c), "names", None) for c in columns]

    def labels(row: dict) -> list[int]:
        values = (row.get(c) for c in columns)
        return [index.get(n[v] if n and v is not None else v, -1) for n, v in zip(names, values, strict=True)]

    return labels


def _rows_of_folder(source: Source, stream: _Stream, undecoded, labels: Callable, split: str) -> Rows:
    known = {str(p.absolute()): name for name, files in stream.images.items() for p in files}
    stored = next(iter(stream.images)) if stream.divided else split
    rows = []
    for row in undecoded:
        path = (row["image"] or {}).get("path")
        if path not in known:
            missing = path or "no file in one of its rows"
            raise DataError(f"{METADATA_FILE} names {missing}; each row needs the file_name of an image")
        if known[path] == stored:  # metadata may be that of all splits
            rows.append((path, lambda path=path: Image.open(path), labels(row)))
    if stream.divided:
        rows = _divided(rows, split)
    return Rows(len(rows), rows)


def _divided(rows: list[tuple], split: str) -> list[tuple]:
    """Every tenth row, class by class, for "test", the others for "train", which keeps the first of each class."""
    rows = sorted(rows, key=lambda row: row[2])
    firsts = {row[2][0]: i for i, row in reversed(list(enumerate(rows))) if row[2] and row[2][0] >= 0}
    others = [i for i in range(len(rows)) if i not in {*firsts.values()}] or range(len(rows))
    test = set(others[::HOLD_OUT])
    return [row for i, row in enumerate(rows) if (i in test) == (split == "test")]


def _open_image(cell: dict) -> Image.Image:
    return Image.open(io.BytesIO(cell["bytes"]) if cell["bytes"] is not None else cell["path"])
