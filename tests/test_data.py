import datasets
import numpy as np
import pytest
import torch
from conftest import write_mirror
from PIL import Image

from aevq_hub.registry import DATASETS
from training import data
from training.data import DataError, find_source, labelled, load, training_labels
from training.files import written_beside


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
    (photos / "train").mkdir()
    (photos / "00.png").rename(photos / "train" / "a.png")
    source = find_source("holiday", data=photos, size=32, channels=1)
    assert len(load(source, "train")) == 1
    with pytest.raises(DataError, match="has no split 'test'; choose from train"):
        load(source, "test")


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
        ({"name": "cats", "data": "/nowhere", "size": 32, "channels": 3}, "--data /nowhere is no folder"),
        ({"name": "mnist", "data_root": "/nowhere"}, "/nowhere has no folder ylecun/mnist"),
        ({"name": "mnist", "size": 32}, "--size goes with images of one's own"),
    ],
)
def test_names_that_mean_nothing(arguments, message, monkeypatch):
    monkeypatch.delenv("AEVQ_DATA_ROOT", raising=False)
    with pytest.raises(DataError, match=message):
        find_source(**arguments)


def test_an_empty_folder(tmp_path, cache):
    with pytest.raises(DataError, match="holds no image; its files should end in .bmp"):
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
