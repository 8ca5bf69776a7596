"""The name of a data set on the command line ─► where its images are and which classes they have."""

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id

from aevq_hub.registry import DATASETS, VARIANTS, Dataset

from .files import written_beside
from .rows import DataError, Source, class_names


def find_source(
    name: str,
    *,
    data: str | Path | None = None,
    data_root: str | Path | None = None,
    size: int | None = None,
    channels: int | None = None,
    image_column: str | None = None,
    label_column: str | None = None,
    config: str | None = None,
) -> Source:
    """The data set with a name given on the command line. No image is read yet.

    Args:
        name: a key of ``registry.DATASETS``, with ``data`` any name, or the id of an image data set on the Hub.
        data: a folder of images, with labels from class folders or a ``metadata.csv``.
        data_root: a folder with local copies in the Hub's layout, ``<data_root>/ylecun/mnist/…``; by default
            ``AEVQ_DATA_ROOT``. Without either, data sets are downloaded.
        size: height and width in pixels, required if the data set is not in ``registry.DATASETS``.
        channels: 1 or 3, likewise required.
        image_column: the column of images of a data set on the Hub, by default "image".
        label_column: the column of classes, in ``metadata.csv`` or on the Hub, by default "label".
        config: the configuration of a data set on the Hub, if it has several.

    Raises:
        DataError: an unknown name, a missing folder, size, number of channels or label column, or a data set that
            cannot be opened.
    """
    if data is None and name in DATASETS:
        options = {"--size": size, "--channels": channels, "--config": config, "--label-column": label_column}
        if given := [option for option, value in options.items() if value is not None]:
            raise DataError(f"{given[0]} cannot be used with {name}, whose format is fixed; leave it out")
        return _hub_source(name, DATASETS[name], data_root)
    if data is None and name.count("/") != 1:
        raise DataError(
            f"unknown data set {name!r}; choose from {', '.join(DATASETS)}, or give the id of a data set on the Hub "
            "(<owner>/<name>) or a folder of images (--data PATH)"
        )
    if size is None or channels is None:
        raise DataError(
            f"{name!r} has no default format; give --size (pixels, such as 28 or 64) and --channels (1 or 3)"
        )
    short = name.rsplit("/", 1)[-1].lower()
    try:
        validate_repo_id(f"{max(VARIANTS, key=len)}-{short}")
    except HFValidationError as error:
        raise DataError(f"{short!r} cannot be part of a model's name on the Hub: {error}") from error
    if short in DATASETS:
        raise DataError(f"{short!r} is the name of a built-in data set; choose another name for your images")
    entry = Dataset(
        title=name, shows="picture", hub_id=name, hub_config=config, size=size, channels=channels,
        image_column=image_column or "image", license="other", shareable=False,
        terms="Check the terms of the images that the model was trained on.",
    )  # fmt: skip
    if data is None:
        return _with_classes(_hub_source(short, entry, data_root), label_column)
    folder = Path(data)
    if not folder.is_dir():
        raise DataError(f"--data {folder} is not a folder")
    return _with_classes(Source(short, entry, "images", folder), label_column)


def _with_classes(source: Source, column: str | None) -> Source:
    """The source with the names of its classes, which are cached because the Hub may be offline later."""
    path = cache_folder() / "classes" / f"{source.name}-{fingerprint(source, f'classes in {column}')}.json"
    if not path.exists():
        names = json.dumps(class_names(source, column))
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_beside(path, shared=True) as beside:
            beside.write_text(names, encoding="utf-8")
    names = tuple(json.loads(path.read_text(encoding="utf-8")))
    columns = (column or "label",) if names else ()
    return replace(source, dataset=replace(source.dataset, label_columns=columns, class_names=names))


def _hub_source(name: str, dataset: Dataset, data_root: str | Path | None) -> Source:
    root = data_root or os.environ.get("AEVQ_DATA_ROOT")
    if not root:
        return Source(name, dataset, "hub")
    folder = Path(root) / dataset.hub_id
    if not folder.is_dir():
        raise DataError(f"the data root {root} has no folder {dataset.hub_id}; without a data root it is downloaded")
    return Source(name, dataset, "mirror", folder)


def cache_folder() -> Path:
    """The folder for decoded images and reference classifiers: ``AEVQ_CACHE`` or ``~/.cache/aevq``.

    Raises:
        DataError: there is no home folder.
    """
    if own := os.environ.get("AEVQ_CACHE"):
        return Path(own)
    try:
        return Path.home() / ".cache" / "aevq"
    except RuntimeError as error:
        raise DataError("you have no home folder; give a folder for decoded images in AEVQ_CACHE") from error


def lock_file(path: Path) -> Path:
    """A hidden file beside a path, with which processes lock it, whatever their cache folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".{path.name}.lock")


def fingerprint(source: Source, split: str) -> str:
    """A hash that changes with the local files and with how they are decoded. The Hub is not contacted."""
    files = []
    if source.folder:
        files = [(str(p.relative_to(source.folder)), p.stat().st_size, p.stat().st_mtime_ns)
                 for p in sorted(source.folder.rglob("*")) if p.is_file()]  # fmt: skip
    d = source.dataset
    decoding = [d.hub_id, d.hub_config, d.image_column, d.label_columns, d.size, d.channels, d.crop]
    return hashlib.sha256(json.dumps([source.kind, split, decoding, files]).encode()).hexdigest()[:16]
