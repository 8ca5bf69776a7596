"""Loading the known data sets and data sets of the Hub: splits, labels and the cache of decoded images."""

import io
import time

import datasets
import numpy as np
import pytest
import torch
from conftest import write_mirror
from PIL import Image

from aevq_hub.registry import DATASETS
from training import data, memory
from training.data import labelled, load, training_labels
from training.files import written_beside
from training.rows import DataError, Row
from training.sources import find_source


@pytest.mark.parametrize("name", DATASETS)
def test_known_data_sets_load_with_their_labels(name, mirror):
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


def test_images_are_decoded_once(mirror, fresh_cache, monkeypatch):
    source = find_source("mnist", data_root=mirror)
    first = load(source, "test")
    monkeypatch.setattr(data, "_decode", None)  # decoding again would fail
    assert torch.equal(load(source, "test").images, first.images)


def test_cache_is_refreshed_when_files_change(tmp_path, fresh_cache):
    write_mirror(tmp_path, "mnist", {"train": 10, "test": 5})
    assert len(load(find_source("mnist", data_root=tmp_path), "train")) == 10
    write_mirror(tmp_path, "mnist", {"train": 12, "test": 5})
    assert len(load(find_source("mnist", data_root=tmp_path), "train")) == 12


def test_loading_a_split_reads_no_other_split(tmp_path, fresh_cache):
    write_mirror(tmp_path, "mnist", {"train": 10, "test": 5})
    (tmp_path / "ylecun/mnist/mnist/train-00000-of-00001.parquet").write_bytes(b"never read")
    assert len(load(find_source("mnist", data_root=tmp_path), "test")) == 5


def test_missing_labels_are_minus_one(tmp_path, fresh_cache):
    folder = tmp_path / "ylecun/mnist/mnist"
    write_mirror(tmp_path, "mnist", {"train": 3})
    columns = {"image": [Image.new("L", (28, 28))] * 3, "label": [4, None, 9]}
    features = datasets.Features({"image": datasets.Image(), "label": datasets.Value("int64")})
    datasets.Dataset.from_dict(columns, features=features).to_parquet(str(folder / "train-00000-of-00001.parquet"))
    source = find_source("mnist", data_root=tmp_path)
    labels = [load(source, split).labels.tolist() for split in ("test", "train")]
    assert labels == [[4], [-1, 9]]  # a lone split is divided: every tenth image, starting with the first, is held out


def test_hub_data_set_labels_are_matched_by_class_name(tmp_path, fresh_cache, monkeypatch):
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
    for split, label_of in (("train", lambda i: i % 2), ("test", lambda i: 1 - i % 2)):  # same names in another order
        loaded = load(source, split)
        assert loaded.labels.tolist() == [label_of(i) for i in loaded.images[:, 0, 0, 0].tolist()]
    monkeypatch.setattr(datasets, "load_dataset_builder", None)  # asking again would fail
    assert find_source("someone/Shapes", **options) == source
    monkeypatch.undo()
    for column, message in (
        ("size", "'size' .* has the type Value.*; labels need the type ClassLabel"),
        ("x", "no col"),
    ):
        with pytest.raises(DataError, match=message):
            find_source("someone/Shapes", **options, label_column=column)


def test_hub_data_set_is_loaded_by_its_id(tmp_path, fresh_cache):
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
def test_invalid_source_arguments_are_refused(arguments, message, monkeypatch):
    monkeypatch.delenv("AEVQ_DATA_ROOT", raising=False)
    with pytest.raises(DataError, match=message):
        find_source(**arguments)


def test_missing_split_is_refused(mirror, fresh_cache):
    with pytest.raises(DataError, match="has no split 'valid'; choose from train, test"):
        load(find_source("mnist", data_root=mirror), "valid")


@pytest.mark.data
@pytest.mark.parametrize("name", DATASETS)
def test_real_data_sets_are_complete_and_decoded_once(name, data_root, monkeypatch):
    source = find_source(name, data_root=data_root)
    counts = (16000, 2000) if name == "celeba" else (60000, 10000)
    assert (len(load(source, "train")), len(load(source, "test"))) == counts
    monkeypatch.setattr(data, "_decode", None)  # decoding again would fail
    d = source.dataset
    assert load(source, "train").images.shape == (counts[0], d.channels, d.size, d.size)


def test_held_out_labels_are_not_trained_on(mirror):
    source = find_source("celeba", data_root=mirror)  # half of the training images have labels, the test images none
    train, (learn, test) = load(source, "train"), labelled(source)
    assert len(learn) == 120
    assert len(test) == 30
    assert (learn.labels >= 0).all()
    assert (test.labels >= 0).all()
    assert torch.equal(test.images, train.images[1::10])  # every fifth of every second image
    given = training_labels(source)
    assert (given[1::10] == -1).all()
    assert ((given >= 0).all(1)).sum() == 120


def test_all_training_labels_are_used_if_the_test_split_has_labels(mirror):
    source = find_source("mnist", data_root=mirror)
    learn, test = labelled(source)
    assert torch.equal(learn.labels, load(source, "train").labels)
    assert torch.equal(test.labels, load(source, "test").labels)
    assert torch.equal(training_labels(source), learn.labels)


def test_concurrent_writers_use_separate_temporary_files(tmp_path, monkeypatch):
    path = tmp_path / "weights"
    with written_beside(path, shared=True) as first:
        first.write_text("first")
        monkeypatch.setattr("os.getpid", lambda: -1)
        with written_beside(path, shared=True) as second:
            second.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first" and list(tmp_path.iterdir()) == [path]


def rows(count, fetched=None, broken=None):
    """Rows with images that show their number; one of them may be broken."""
    for i in range(count):
        file = io.BytesIO()
        Image.new("L", (28, 28), i).save(file, "png")
        if fetched is not None:
            fetched.append(i)
        yield Row(f"image {i}", {"bytes": b"broken" if i == broken else file.getvalue()}, [i % 10])


def test_images_are_fetched_while_others_are_decoded(mirror, fresh_cache, monkeypatch):
    fetched, fetched_then, to_array = [], [], data.to_array

    def decode(image, *args):
        if image.getpixel((0, 0)) < 4:
            start = time.monotonic()
            while len(fetched) < 8 and time.monotonic() < start + 10:
                time.sleep(0.01)
            time.sleep(0.1)  # time to fetch more, if that were possible
            fetched_then.append(len(fetched))
        return to_array(image, *args)

    monkeypatch.setattr(data, "_CHUNK", 4)
    monkeypatch.setattr(data, "rows_of", lambda *_: (18, rows(18, fetched)))
    monkeypatch.setattr(data, "to_array", decode)
    split = load(find_source("mnist", data_root=mirror), "train")
    assert split.images[:, 0, 0, 0].tolist() == list(range(18))
    assert split.labels.tolist() == [i % 10 for i in range(18)]
    assert fetched_then == [8] * 4  # the images of the next chunk, but none of the one after it


def test_errors_of_fetching_and_decoding_stop_the_decoding(mirror, fresh_cache, monkeypatch):
    def interrupted():
        yield from rows(6)
        raise OSError("the connection was lost")

    monkeypatch.setattr(data, "_CHUNK", 4)
    source = find_source("mnist", data_root=mirror)
    for stream, error, message in (
        (interrupted(), OSError, "the connection was lost"),
        (rows(12, broken=9), DataError, "image 9 cannot be read as an image"),
        (rows(12, broken=2), DataError, "image 2 cannot be read as an image"),
    ):
        monkeypatch.setattr(data, "rows_of", lambda *_, stream=stream: (12, stream))
        with pytest.raises(error, match=message):
            load(source, "train", progress=False)
    assert list((fresh_cache / "decoded").iterdir()) == []


def test_shuffled_order_does_not_depend_on_the_memory(tmp_path, monkeypatch):
    images, labels = np.arange(103 * 4, dtype=np.uint16).view(np.uint8).reshape(103, 2, 2, 2), np.arange(103)
    path, order = tmp_path / "images.npy", np.random.default_rng(0).permutation(103)
    for windows in (1, 7):
        monkeypatch.setattr(memory, "process_memory", lambda windows=windows: 16 * images.nbytes // windows)
        np.save(path, images)
        assert data._shuffle(path, labels).tolist() == order.tolist()
        assert np.array_equal(np.load(path), images[order])
        assert list(tmp_path.iterdir()) == [path]
