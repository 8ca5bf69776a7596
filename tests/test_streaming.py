"""Images that do not fit into memory: the order they are drawn in, reading ahead, and the limits of the memory."""

import os
import threading
import warnings

import pytest
import torch
from tiny import trainer_for

from training import data, memory, streaming
from training.data import labelled, load
from training.memory import control_group_limits, process_memory
from training.reference_classifier import ReferenceClassifier
from training.sources import find_source
from training.streaming import ahead, shuffled, windows

COUNT = 1000  # images of four bytes
INDEX = torch.arange(COUNT)


@pytest.fixture
def images():
    """Images (1000, 1, 2, 2) that show their index."""
    images = torch.stack([INDEX % 256, INDEX // 256, INDEX * 0, INDEX * 0], 1)
    return images.to(torch.uint8).view(COUNT, 1, 2, 2)


@pytest.fixture
def little_memory(monkeypatch):
    """Memory for half of the thousand images, or of MNIST's tiny copy; blocks of eight images."""

    def limit(images):
        monkeypatch.setattr(memory, "process_memory", lambda: images.nbytes // 2)
        monkeypatch.setattr(streaming, "_BLOCK", 8 * images[0].nbytes)

    return limit


def order(images, seed=0, size=32):
    """The order of an epoch (1000,), after checking that images and labels belong together."""
    drawn = []
    for window, labels, places in shuffled(images, INDEX, size, torch.Generator().manual_seed(seed)):
        pixels = window[places].flatten(1).long()
        assert torch.equal(pixels[:, 0] + 256 * pixels[:, 1], labels[places])
        drawn.append(labels[places])
    assert [len(part) for part in drawn] == [size] * (COUNT // size) + [COUNT % size]
    return torch.cat(drawn)


def test_images_that_fit_are_drawn_from_all_of_them(images):
    assert torch.equal(order(images), torch.randperm(COUNT, generator=torch.Generator().manual_seed(0)))


def test_images_that_do_not_fit_are_each_drawn_once(images, little_memory):
    little_memory(images)
    drawn = order(images)
    assert torch.equal(drawn.sort().values, INDEX)
    assert torch.equal(order(images), drawn)
    assert not torch.equal(order(images, seed=1), drawn)
    assert not torch.equal(drawn, torch.randperm(COUNT, generator=torch.Generator().manual_seed(0)))


def test_window_is_a_small_copy_of_the_images(images, little_memory):
    little_memory(images)
    sizes = {len(window) for window, _, _ in shuffled(images, None, 10, torch.Generator())}
    assert sizes == {30, 40}  # a sixteenth of 500 images is 31, and batches are whole
    for window, _, _ in shuffled(images, None, 10, torch.Generator()):
        assert window.untyped_storage().nbytes() == window.nbytes


def test_next_window_is_read_while_images_are_drawn(images, little_memory, monkeypatch):
    little_memory(images)
    announced, enough = [], threading.Event()

    def announce(part):
        announced.append(len(part))
        if sum(announced) == 60:
            enough.set()

    monkeypatch.setattr(streaming, "_announce", announce)
    batches = shuffled(images, None, 10, torch.Generator())
    assert len(next(batches)[0]) == 30
    assert enough.wait(timeout=10)  # the second window, too
    assert [len(next(batches)[0]) for _ in range(2)] == [30, 30]
    assert sum(announced) == 60


def test_neighbours_in_an_order_come_from_far_apart(images, little_memory, monkeypatch):
    little_memory(images)
    monkeypatch.setattr(memory, "_WINDOW", 4)
    assert order(images).diff().abs().float().mean() > 0.8 * COUNT / 3  # a third is the mean of a random permutation


@pytest.mark.parametrize(("count", "block", "size", "number"), [(1000, 8, 10, 5), (1003, 7, 16, 4), (90, 200, 32, 8)])
def test_windows_consist_of_blocks_and_have_even_sizes(count, block, size, number, generator):
    parts = windows(count, block, size, number, generator)
    assert torch.cat([index for index, _ in parts]).sort().values.tolist() == list(range(count))
    batches = [-(-len(index) // size) for index, _ in parts]
    assert len(parts) == min(number, sum(batches))
    assert max(batches) - min(batches) <= 1
    assert sum(batches) == -(-count // size)
    for index, places in parts:
        assert torch.equal(places.sort().values, torch.arange(len(index)))
        assert (index.diff() > 0).all()
        assert len((index // block).unique()) <= len(index) // block + 3  # two blocks may be cut, one is shorter


@pytest.mark.parametrize("variant", ["center", "vqae", "classifier"])
def test_resuming_with_little_memory_gives_identical_result(variant, mirror, tmp_path, little_memory):
    whole, images = trainer_for(variant, mirror)
    labels = load(find_source("mnist", data_root=mirror), "train").labels
    ample = trainer_for(variant, mirror)[0].run_epoch(images, labels)
    little_memory(images)
    assert whole.run_epoch(images, labels)["terms"] != ample["terms"]
    whole.save(tmp_path / "checkpoint.safetensors")
    second, _ = trainer_for(variant, mirror)
    second.load(tmp_path / "checkpoint.safetensors")
    for trainer in (whole, second):
        trainer.run_epoch(images, labels)
    state = second.model.state_dict()
    assert all(torch.equal(state[key], value) for key, value in whole.model.state_dict().items())
    assert [e["terms"] for e in second.epochs] == [e["terms"] for e in whole.epochs]


def test_pulled_images_and_k_means_use_the_window(mirror, little_memory, monkeypatch):
    for variant in ("center", "vqae"):  # the first draws images to pull, the second starts from k-means
        trainer, images = trainer_for(variant, mirror)
        little_memory(images)
        sizes, batch = [], trainer._batch
        monkeypatch.setattr(trainer, "_batch", lambda x, *rest, b=batch, s=sizes: s.append(len(x)) or b(x, *rest))
        monkeypatch.setattr("training.vectors._latents", lambda _, x, ranks, s=sizes: s.append(len(x)))
        monkeypatch.setattr("training.vectors.k_means", lambda *_: None)
        trainer.run_epoch(images)
        assert max(sizes) <= 32


def test_labels_of_a_batch_belong_to_its_images(mirror, little_memory, monkeypatch):
    trainer, images = trainer_for("classifier", mirror)
    little_memory(images)
    shown, batch = images.flatten(1).long() @ torch.arange(784), trainer._batch  # a number for each image
    batches = []
    monkeypatch.setattr(trainer, "_batch", lambda *args: batches.append(batch(*args)) or batches[-1])
    monkeypatch.setattr(trainer, "_step", lambda _: ({}, None))
    trainer.run_epoch(images, shown)
    for drawn in batches:
        assert torch.equal((drawn.x * 255).round().long().flatten(1) @ torch.arange(784), drawn.labels)
    assert torch.equal(torch.cat([drawn.labels for drawn in batches]).sort().values, shown.sort().values)


def test_partly_labelled_images_are_copied_as_far_as_they_fit(mirror, monkeypatch):
    source = find_source("celeba", data_root=mirror)
    learn, test = labelled(source)
    monkeypatch.setattr(memory, "process_memory", lambda: 4 * 20 * learn.images[0].nbytes)
    few, few_test = labelled(source)
    assert torch.equal(few.images, learn.images[:20]) and torch.equal(few.labels, learn.labels[:20])
    assert torch.equal(few_test.images, test.images[:20]) and torch.equal(few_test.labels, test.labels[:20])


def test_reference_classifier_learns_with_little_memory(mirror, fresh_cache, little_memory):
    source = find_source("mnist", data_root=mirror)
    little_memory(load(source, "train").images)
    assert ReferenceClassifier(source, progress=False).accuracy > 0.5


@pytest.mark.skipif(not hasattr(os, "sysconf"), reason="the size of the memory is unknown")
def test_images_larger_than_the_memory_can_be_loaded(mirror, fresh_cache):
    source = find_source("mnist", data_root=mirror)
    load(source, "test")
    (path,) = fresh_cache.glob("decoded/*/images.npy")
    count = 2 * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 784
    with open(path, "wb") as file:
        data._write_header(file, (count, 1, 28, 28))
        file.truncate(file.tell() + count * 784)  # without contents: it takes no space
    (path.parent / data.DIGEST_FILE).write_text(data._opened(path.parent).digest())
    with warnings.catch_warnings(action="error"):
        images = load(source, "test").images
    assert len(images) == count and not images[-1].any()


def test_one_item_is_made_ahead():
    made, wanted = [], threading.Semaphore(0)

    def items():
        for i in range(4):
            made.append(i)
            wanted.release()
            yield i

    received = ahead(items())
    wanted_then = []
    for item in received:
        for _ in range(2 if item == 0 else item < 3):
            assert wanted.acquire(timeout=10)  # the next item is made without being asked for
        wanted_then.append(list(made))
    assert wanted_then == [[0, 1], [0, 1, 2], [0, 1, 2, 3], [0, 1, 2, 3]]


def test_error_is_raised_after_the_items_before_it():
    def items():
        yield from (1, 2)
        raise OSError("the connection was lost")

    received = []
    with pytest.raises(OSError, match="the connection was lost"):
        for item in ahead(items()):
            received.append(item)
    assert received == [1, 2]


def test_limits_of_control_groups_of_both_versions(tmp_path):
    membership, root = tmp_path / "cgroup", tmp_path / "groups"
    files = {
        "memory/memory.limit_in_bytes": "900", "memory/jobs/memory.limit_in_bytes": "800",
        "memory/jobs/one/memory.limit_in_bytes": "700", "memory/jobs/two/memory.limit_in_bytes": "1",
        "a/memory.max": "600", "a/b/memory.max": "max",
    }  # fmt: skip
    for name, limit in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(limit + "\n")
    for lines, limits in (
        ("5:cpu:/jobs/two\n4:cpuset,memory:/jobs/one\n", [700, 800, 900]),
        ("0::/a/b\n", [600]),
        ("4:memory:/not/mounted/here\n", [900]),  # a container sees only its own group
        ("4:memory:/jobs\n0::/a\n", [800, 900, 600]),
    ):
        membership.write_text(lines)
        assert list(control_group_limits(membership, root)) == limits
    assert list(control_group_limits(tmp_path / "none", root)) == []


def test_memory_is_at_most_the_machines(monkeypatch):
    machine = process_memory()
    monkeypatch.setattr(memory, "control_group_limits", lambda: iter([10**6, 2**63]))
    assert process_memory() == min(machine, 10**6)
