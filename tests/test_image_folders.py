"""Folders of own images: splits, labels from class folders or metadata, and files that cannot be read."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from training.data import load, training_labels
from training.rows import DataError
from training.sources import cache_folder, find_source


@pytest.fixture
def photos(tmp_path):
    """Twenty photos of different sizes and modes."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(20):
        mode, suffix = [("RGB", "png"), ("L", "jpg"), ("RGBA", "webp"), ("P", "PNG")][i % 4]
        Image.new("L", (40 + i, 50), 10 * i).convert(mode).save(folder / f"{i:02}.{suffix}")
    return folder


def test_folder_of_photos_is_split_into_train_and_test(photos, fresh_cache):
    source = find_source("holiday", data=photos, size=32, channels=3)
    train, test = load(source, "train"), load(source, "test")
    assert source.name == "holiday"
    assert train.images.shape == (18, 3, 32, 32)
    assert test.images.shape == (2, 3, 32, 32)
    assert test.images[1].unique().item() == 100  # number 10 in alphabetical order
    assert train.labels is None


def test_folder_with_split_subfolders_keeps_its_splits(photos, fresh_cache):
    for split, name in (("train", "00.png"), ("valid", "04.png")):
        (photos / split).mkdir()
        (photos / name).rename(photos / split / name)
    source = find_source("holiday", data=photos, size=32, channels=1)
    assert len(load(source, "train")) == 1
    with pytest.raises(DataError, match="has no split 'test'; choose from train, valid"):
        load(source, "test")


def paint(path, grey):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (20, 20), grey).save(path)


def find_own(folder, **options):
    return find_source("own", data=folder, size=16, channels=1, **options)


@pytest.fixture
def animals(tmp_path):
    """Class folders with 25 cats (grey below 100), 25 dogs, one emu (grey 200), and hidden files."""
    folder = tmp_path / "animals"
    for i in range(25):
        paint(folder / "cat" / f"test_{i:03}.png", i)
        paint(folder / "dog" / f"[{i}] a*b.png", 100 + i)
    paint(folder / "emu" / "1.png", 200)
    paint(folder / "cat" / "._test_000.png", 255)
    paint(folder / ".thumbnails" / "1.png", 255)
    return folder


def test_class_folders_give_labels(animals, fresh_cache):
    source = find_own(animals)
    train, test = load(source, "train"), load(source, "test")
    assert source.dataset.class_names == ("cat", "dog", "emu")
    assert source.dataset.label_columns == ("label",) and not source.dataset.multi_label
    for split in (train, test):
        grey = split.images[:, 0, 0, 0]
        assert torch.equal(split.labels, (grey >= 100).long() + (grey == 200))
    assert train.labels.bincount().tolist() == [22, 23, 1]  # a class with one image keeps it for training
    assert test.labels.bincount().tolist() == [3, 2]
    assert {0, 1} <= set(train.labels[-10:].tolist())  # shuffled, since metrics use parts of the split
    assert torch.equal(load(find_own(animals), "train").labels, train.labels)


def test_class_folders_inside_split_folders_give_labels(tmp_path, fresh_cache):
    for path, grey in (("train/cat/1", 1), ("train/dog/1", 2), ("test/bird/1", 3), ("test/dog/1", 4)):
        paint(tmp_path / f"{path}.png", grey)
    source = find_own(tmp_path)
    assert source.dataset.class_names == ("cat", "dog")
    test = load(source, "test")
    labels = dict(zip(test.images[:, 0, 0, 0].tolist(), test.labels.tolist(), strict=True))
    assert labels == {3: -1, 4: 1}  # birds are not in the train split


def test_lone_train_split_is_divided(animals, tmp_path, fresh_cache):
    animals.rename(tmp_path / "train")
    source = find_own(tmp_path)
    assert [len(load(source, split)) for split in ("train", "test")] == [46, 5]
    assert source.dataset.class_names == ("cat", "dog", "emu")


@pytest.mark.parametrize("names", [("a/1", "b/1", "2"), ("a/1", "a/2"), ("train/1", "test/1"), ("a/b/1", "c/1")])
def test_other_folder_layouts_give_no_labels(names, tmp_path, fresh_cache):
    for name in names:
        paint(tmp_path / f"{name}.png", 0)
    source = find_own(tmp_path)
    assert (source.dataset.class_names, source.dataset.label_columns) == ((), ())
    assert load(source, "train").labels is None


@pytest.fixture
def described(tmp_path):
    """Thirty images whose grey is their number; metadata.csv has two label columns, the first with gaps."""
    folder = tmp_path / "described"
    for i in range(30):
        paint(folder / f"{i}.png", i)
    rows = [f"{i}.png,{'' if i % 7 == 6 else f'0{i % 2}'},kind {i % 3}" for i in range(30)]
    (folder / "metadata.csv").write_text("\n".join(["file_name,label,kind", *rows]))
    return folder


@pytest.mark.parametrize(
    ("column", "names", "label"),
    [
        (None, ("00", "01"), lambda i: -1 if i % 7 == 6 else i % 2),
        ("kind", ("kind 0", "kind 1", "kind 2"), lambda i: i % 3),
    ],
)
def test_metadata_gives_labels(column, names, label, described, fresh_cache):
    source = find_own(described, label_column=column)
    assert source.dataset.class_names == names
    train, test = load(source, "train"), load(source, "test")
    assert (len(train), len(test)) == (27, 3)
    for split in (train, test):
        assert split.labels.tolist() == [label(i) for i in split.images[:, 0, 0, 0].tolist()]
    assert test.labels.unique().tolist() == sorted({label(i) for i in range(30)})  # every class is held out


def test_metadata_in_one_file_covers_all_splits(tmp_path, fresh_cache):
    names = [f"{split}/{i}.png" for split in ("train", "test") for i in range(4)]
    for grey, name in enumerate(names):
        paint(tmp_path / name, grey)
    (tmp_path / "metadata.csv").write_text("file_name,label\n" + "\n".join(f"{n},{i % 2}" for i, n in enumerate(names)))
    for split, greys in (("train", {0, 1, 2, 3}), ("test", {4, 5, 6, 7})):
        loaded = load(find_own(tmp_path), split)
        assert set(loaded.images[:, 0, 0, 0].tolist()) == greys
        assert loaded.labels.tolist() == [grey % 2 for grey in loaded.images[:, 0, 0, 0].tolist()]


@pytest.mark.parametrize(
    ("metadata", "column", "message"),
    [
        ("file_name,label\n0.png,a\n99.png,b", None, r"metadata.csv names .*99\.png; each row needs the file_name of"),
        ("file_name,label\n0.png,a\n,b", None, "metadata.csv names no file in one of its rows"),
        ("file_name,label\n0.png,a\n../1.png,b", None, "must be a relative path"),
        ("name,label\n0.png,a", None, "described cannot be opened: `file_name`"),
        ("", None, "described cannot be opened: No columns"),
        ("file_name,label\n0.png,a", "breed", "has no column 'breed'; choose from image, label"),
    ],
)
def test_invalid_metadata_is_refused(metadata, column, message, described, fresh_cache):
    (described / "metadata.csv").write_text(metadata)
    with pytest.raises(ValueError, match=message):
        load(find_own(described, label_column=column), "train")


def test_training_labels_of_a_single_class_are_refused(tmp_path, fresh_cache):
    for name in ("cat", "dog"):
        paint(tmp_path / name / "1.png", 0)  # two images, one of them held out
    with pytest.raises(DataError, match="have labels of fewer than two classes"):
        training_labels(find_own(tmp_path))


def test_empty_folder_is_refused(tmp_path, fresh_cache):
    with pytest.raises(DataError, match="contains no images; supported endings: .bmp"):
        load(find_source("nothing", data=tmp_path, size=32, channels=3), "train")


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n"])
def test_unreadable_image_is_named_and_leaves_no_cache(content, photos, fresh_cache):
    (photos / "07.png").write_bytes(content)
    with pytest.raises(DataError, match=r"07\.png cannot be read as an image"):
        load(find_source("holiday", data=photos, size=32, channels=3), "train")
    assert not list((fresh_cache / "decoded").iterdir())
    (photos / "07.png").unlink()
    assert len(load(find_source("holiday", data=photos, size=32, channels=3), "train"))


def test_truncated_image_is_named(photos, fresh_cache):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(photos / "07.png")
    content = (photos / "07.png").read_bytes()
    (photos / "07.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"07\.png"):
        load(find_source("holiday", data=photos, size=32, channels=3), "train")


def test_class_folders_whose_names_are_not_text_are_refused(tmp_path, fresh_cache):
    for name in (b"caf\xe9", b"tea"):
        folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        folder.mkdir()
        Image.new("L", (20, 20)).save(folder / "1.png")
    with pytest.raises(DataError, match=r"the class name 'caf\\udce9' of .* cannot be written; rename it"):
        find_source("cups", data=tmp_path, size=16, channels=1)


def test_without_a_home_folder_the_cache_needs_a_name(monkeypatch):
    monkeypatch.delenv("AEVQ_CACHE", raising=False)

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(DataError, match="give a folder for decoded images in AEVQ_CACHE"):
        cache_folder()
