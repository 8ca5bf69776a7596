import datasets
import numpy as np
import pytest
import torch
from conftest import write_mirror
from PIL import Image

from aevq_hub.registry import DATASETS
from training import data
from training.data import labelled, load, training_labels
from training.files import written_beside
from training.rows import DataError
from training.sources import find_source


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AEVQ_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def photos(tmp_path):
    """Twenty photographs of one's own, of different sizes and modes."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(20):
        mode, suffix = [("RGB", "png"), ("L", "jpg"), ("RGBA", "webp"), ("P", "PNG")][i % 4]
        Image.new("L", (40 + i, 50), 10 * i).convert(mode).save(folder / f"{i:02}.{suffix}")
    return folder


@pytest.mark.parametrize("name", DATASETS)
def test_the_table_s_data_sets(name, mirror):
    d = DATASETS[name]
    for split, count in (("train", 300), ("test", 60)):
        loaded = load(find_source(name, data_root=mirror), split)
        assert loaded.images.shape == (count, d.channels, d.size, d.size)
        assert loaded.images.dtype == torch.uint8
        if d.multi_label:
            assert loaded.labels.shape == (count, 40)
            assert set(loaded.labels.unique().tolist()) == ({-1, 0, 1} if split == "train" else {-1})
        elif d.label_columns:
            assert loaded.labels.tolist() == [i % 10 for i in range(count)]


def test_images_are_decoded_once(mirror, cache, monkeypatch):
    source = find_source("mnist", data_root=mirror)
    first = load(source, "test")
    monkeypatch.setattr(data, "_decode", None)  # decoding again would fail
    assert torch.equal(load(source, "test").images, first.images)


def test_the_cache_notices_other_files(tmp_path, cache):
    write_mirror(tmp_path, "mnist", {"train": 10, "test": 5})
    assert len(load(find_source("mnist", data_root=tmp_path), "train")) == 10
    write_mirror(tmp_path, "mnist", {"train": 12, "test": 5})
    assert len(load(find_source("mnist", data_root=tmp_path), "train")) == 12


def test_one_split_is_enough(tmp_path, cache):
    write_mirror(tmp_path, "mnist", {"train": 10, "test": 5})
    (tmp_path / "ylecun/mnist/mnist/train-00000-of-00001.parquet").write_bytes(b"never read")
    assert len(load(find_source("mnist", data_root=tmp_path), "test")) == 5


def test_missing_labels_are_minus_one(tmp_path, cache):
    folder = tmp_path / "ylecun/mnist/mnist"
    write_mirror(tmp_path, "mnist", {"train": 3})
    columns = {"image": [Image.new("L", (28, 28))] * 3, "label": [4, None, 9]}
    features = datasets.Features({"image": datasets.Image(), "label": datasets.Value("int64")})
    datasets.Dataset.from_dict(columns, features=features).to_parquet(str(folder / "train-00000-of-00001.parquet"))
    source = find_source("mnist", data_root=tmp_path)
    labels = [load(source, split).labels.tolist() for split in ("test", "train")]
    assert labels == [[4], [-1, 9]]  # one split alone is divided: every tenth image, from the first, is for testing


def test_a_folder_of_photos(photos, cache):
    source = find_source("holiday", data=photos, size=32, channels=3)
    train, test = load(source, "train"), load(source, "test")
    assert source.name == "holiday"
    assert train.images.shape == (18, 3, 32, 32)
    assert test.images.shape == (2, 3, 32, 32)
    assert test.images[1].unique().item() == 100  # number 10 in alphabetical order
    assert train.labels is None


def test_a_folder_with_splits(photos, cache):
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


def own(folder, **options):
    return find_source("own", data=folder, size=16, channels=1, **options)


@pytest.fixture
def animals(tmp_path):
    """Photographs in class folders, 25 of cats (grey below 100), 25 of dogs, one of an emu (200), and hidden files."""
    folder = tmp_path / "animals"
    for i in range(25):
        paint(folder / "cat" / f"test_{i:03}.png", i)
        paint(folder / "dog" / f"[{i}] a*b.png", 100 + i)
    paint(folder / "emu" / "1.png", 200)
    paint(folder / "cat" / "._test_000.png", 255)
    paint(folder / ".thumbnails" / "1.png", 255)
    return folder


def test_folders_are_classes(animals, cache):
    source = own(animals)
    train, test = load(source, "train"), load(source, "test")
    assert source.dataset.class_names == ("cat", "dog", "emu")
    assert source.dataset.label_columns == ("label",) and not source.dataset.multi_label
    for split in (train, test):
        grey = split.images[:, 0, 0, 0]
        assert torch.equal(split.labels, (grey >= 100).long() + (grey == 200))
    assert train.labels.bincount().tolist() == [22, 23, 1]  # a class's first image is always learnt
    assert test.labels.bincount().tolist() == [3, 2]
    assert {0, 1} <= set(train.labels[-10:].tolist())  # not sorted by class: parts of them are measured on
    assert torch.equal(load(own(animals), "train").labels, train.labels)


def test_class_folders_below_splits(tmp_path, cache):
    for path, grey in (("train/cat/1", 1), ("train/dog/1", 2), ("test/bird/1", 3), ("test/dog/1", 4)):
        paint(tmp_path / f"{path}.png", grey)
    source = own(tmp_path)
    assert source.dataset.class_names == ("cat", "dog")
    test = load(source, "test")
    labels = dict(zip(test.images[:, 0, 0, 0].tolist(), test.labels.tolist(), strict=True))
    assert labels == {3: -1, 4: 1}  # nothing was learnt of birds


def test_only_a_train_split_is_divided(animals, tmp_path, cache):
    animals.rename(tmp_path / "train")
    source = own(tmp_path)
    assert [len(load(source, split)) for split in ("train", "test")] == [46, 5]
    assert source.dataset.class_names == ("cat", "dog", "emu")


@pytest.mark.parametrize("names", [("a/1", "b/1", "2"), ("a/1", "a/2"), ("train/1", "test/1"), ("a/b/1", "c/1")])
def test_folders_that_are_no_classes(names, tmp_path, cache):
    for name in names:
        paint(tmp_path / f"{name}.png", 0)
    source = own(tmp_path)
    assert (source.dataset.class_names, source.dataset.label_columns) == ((), ())
    assert load(source, "train").labels is None


@pytest.fixture
def described(tmp_path):
    """Thirty images whose number is their grey; metadata.csv has two columns of classes, the first with gaps."""
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
def test_metadata_gives_labels(column, names, label, described, cache):
    source = own(described, label_column=column)
    assert source.dataset.class_names == names
    train, test = load(source, "train"), load(source, "test")
    assert (len(train), len(test)) == (27, 3)
    for split in (train, test):
        assert split.labels.tolist() == [label(i) for i in split.images[:, 0, 0, 0].tolist()]
    assert test.labels.unique().tolist() == sorted({label(i) for i in range(30)})  # held out class by class


def test_metadata_of_all_splits_in_one_file(tmp_path, cache):
    names = [f"{split}/{i}.png" for split in ("train", "test") for i in range(4)]
    for grey, name in enumerate(names):
        paint(tmp_path / name, grey)
    (tmp_path / "metadata.csv").write_text("file_name,label\n" + "\n".join(f"{n},{i % 2}" for i, n in enumerate(names)))
    for split, greys in (("train", {0, 1, 2, 3}), ("test", {4, 5, 6, 7})):
        loaded = load(own(tmp_path), split)
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
def test_metadata_that_cannot_be_used(metadata, column, message, described, cache):
    (described / "metadata.csv").write_text(metadata)
    with pytest.raises(ValueError, match=message):
        load(own(described, label_column=column), "train")


def test_labels_of_one_class_teach_nothing(tmp_path, cache):
    for name in ("cat", "dog"):
        paint(tmp_path / name / "1.png", 0)  # two images: one is for testing
    with pytest.raises(DataError, match="have labels of fewer than two classes"):
        training_labels(own(tmp_path))


def test_labels_of_a_data_set_of_the_hub(tmp_path, cache, monkeypatch):
    folder = tmp_path / "someone" / "Shapes"
    folder.mkdir(parents=True)
    for split, names in (("train", ["circle", "square", "star"]), ("test", ["square", "circle"])):
        columns = {"image": [Image.new("L", (30, 30), i) for i in range(20)], "label": [i % 2 for i in range(20)]}
        columns["size"] = list(range(20))
        kinds = {"image": datasets.Image(), "label": datasets.ClassLabel(names=names), "size": datasets.Value("int64")}
        table = datasets.Dataset.from_dict(columns, features=datasets.Features(kinds))
        table.to_parquet(str(folder / f"{split}.parquet"))
    options = {"size": 28, "channels": 1, "data_root": tmp_path}
    source = find_source("someone/Shapes", **options)
    assert source.dataset.class_names == ("circle", "square", "star")
    for split, of in (("train", lambda i: i % 2), ("test", lambda i: 1 - i % 2)):  # numbered differently, named alike
        loaded = load(source, split)
        assert loaded.labels.tolist() == [of(i) for i in loaded.images[:, 0, 0, 0].tolist()]
    monkeypatch.setattr(datasets, "load_dataset_builder", None)  # asking again would fail
    assert find_source("someone/Shapes", **options) == source
    monkeypatch.undo()
    for column, message in (
        ("size", "'size' .* has the type Value.*; labels need the type ClassLabel"),
        ("x", "no col"),
    ):
        with pytest.raises(DataError, match=message):
            find_source("someone/Shapes", **options, label_column=column)


def test_a_data_set_of_the_hub_by_its_id(tmp_path, cache):
    folder = tmp_path / "someone" / "Shapes"
    folder.mkdir(parents=True)
    columns = {"picture": [Image.new("L", (30, 30), i) for i in range(20)]}
    table = datasets.Dataset.from_dict(columns, features=datasets.Features({"picture": datasets.Image()}))
    table.to_parquet(str(folder / "train.parquet"))
    options = {"size": 28, "channels": 1, "data_root": tmp_path}
    source = find_source("someone/Shapes", **options, image_column="picture")
    assert source.name == "shapes"
    assert [len(load(source, split)) for split in ("train", "test")] == [18, 2]
    with pytest.raises(DataError, match="has no column 'image'; choose from picture"):
        load(find_source("someone/Shapes", **options), "train")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "minst"}, "unknown data set 'minst'; choose from mnist, fashionmnist, celeba"),
        ({"name": "someone/thing"}, "give --size"),
        ({"name": "cats", "data": "/nowhere", "size": 32, "channels": 3}, "--data /nowhere is not a folder"),
        ({"name": "mnist", "data_root": "/nowhere"}, "/nowhere has no folder ylecun/mnist"),
        ({"name": "mnist", "size": 32}, "--size cannot be used with mnist"),
    ],
)
def test_names_that_mean_nothing(arguments, message, monkeypatch):
    monkeypatch.delenv("AEVQ_DATA_ROOT", raising=False)
    with pytest.raises(DataError, match=message):
        find_source(**arguments)


def test_an_empty_folder(tmp_path, cache):
    with pytest.raises(DataError, match="contains no images; supported endings: .bmp"):
        load(find_source("nothing", data=tmp_path, size=32, channels=3), "train")


def test_a_missing_split(mirror, cache):
    with pytest.raises(DataError, match="has no split 'valid'; choose from train, test"):
        load(find_source("mnist", data_root=mirror), "valid")


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n"])
def test_an_unreadable_image_is_named_and_leaves_nothing(content, photos, cache):
    (photos / "07.png").write_bytes(content)
    with pytest.raises(DataError, match=r"07\.png cannot be read as an image"):
        load(find_source("holiday", data=photos, size=32, channels=3), "train")
    assert not list((cache / "images").iterdir())
    (photos / "07.png").unlink()
    assert len(load(find_source("holiday", data=photos, size=32, channels=3), "train"))


def test_a_truncated_image_is_named(photos, cache):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(photos / "07.png")
    content = (photos / "07.png").read_bytes()
    (photos / "07.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"07\.png"):
        load(find_source("holiday", data=photos, size=32, channels=3), "train")


@pytest.mark.data
@pytest.mark.parametrize("name", DATASETS)
def test_the_real_data_sets_are_whole_and_decoded_once(name, data_root, monkeypatch):
    source = find_source(name, data_root=data_root)
    counts = (16000, 2000) if name == "celeba" else (60000, 10000)
    assert (len(load(source, "train")), len(load(source, "test"))) == counts
    monkeypatch.setattr(data, "_decode", None)  # decoding again would fail
    d = source.dataset
    assert load(source, "train").images.shape == (counts[0], d.channels, d.size, d.size)


def test_labels_that_are_kept_apart_are_not_learnt_from(mirror):
    source = find_source("celeba", data_root=mirror)  # half of the training images have labels, no test image has
    train, (learn, test) = load(source, "train"), labelled(source)
    assert len(learn) == 120
    assert len(test) == 30
    assert (learn.labels >= 0).all()
    assert (test.labels >= 0).all()
    assert torch.equal(test.images, train.images[1::10])  # of every second one every fifth
    given = training_labels(source)
    assert (given[1::10] == -1).all()
    assert ((given >= 0).all(1)).sum() == 120


def test_where_the_test_split_has_labels_all_training_labels_are_learnt_from(mirror):
    source = find_source("mnist", data_root=mirror)
    learn, test = labelled(source)
    assert torch.equal(learn.labels, load(source, "train").labels)
    assert torch.equal(test.labels, load(source, "test").labels)
    assert torch.equal(training_labels(source), learn.labels)


def test_a_file_that_two_processes_write_at_once_is_one_s_own(tmp_path, monkeypatch):
    path = tmp_path / "weights"
    with written_beside(path, shared=True) as first:
        first.write_text("first")
        monkeypatch.setattr("os.getpid", lambda: -1)
        with written_beside(path, shared=True) as second:
            second.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first" and list(tmp_path.iterdir()) == [path]
