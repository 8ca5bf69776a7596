"""The models that the demo shows: which are offered, how they are opened, and what is said of them."""

import shutil
import threading

import pytest

from aevq_hub import AEVQ, folder
from aevq_hub.demo.shared import exhibits
from aevq_hub.demo.shared.exhibits import describe, exhibit, offers
from aevq_hub.folder import shipped_folder
from aevq_hub.registry import DATASETS

BROKEN = {
    "config": ("config.json", lambda data: b"{", "is not valid JSON"),
    "weights": ("model.safetensors", lambda data: data[:-9], "is not the file that its config.json was written with"),
    "history": ("history.json", lambda data: b"{}", "history.json is damaged: it has no recipe"),
    "samples": ("samples.safetensors", None, "has no samples.safetensors"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_folder_is_skipped_and_named(case, tmp_path, monkeypatch, caplog):
    for name in ("ae-mnist", "center-mnist"):
        shutil.copytree(shipped_folder() / name, tmp_path / name)
    file, change, message = BROKEN[case]
    path = tmp_path / "center-mnist" / file
    if change:
        path.write_bytes(change(path.read_bytes()))
    else:
        path.unlink()
    monkeypatch.setattr("aevq_hub.folder.shipped_folder", lambda: tmp_path)
    monkeypatch.setattr(exhibits, "history", folder.history)
    assert list(exhibits._all_offers.__wrapped__()) == ["ae-mnist"]
    (warning,) = caplog.messages
    assert warning.startswith("center-mnist is not shown: ") and message in warning


def test_every_shipped_model_can_be_shown(shipped):
    shown = exhibit(shipped)
    images_may_be_shown = DATASETS[shown.model.config.dataset].shareable
    assert len(shown.thumbnails) == len(shown.z) == (20 if images_may_be_shown else 10)
    assert shown.model.config.latent_dim == shown.z.shape[1]
    assert f"{shown.history['results']['mse']:.4f}" in describe(shipped)


def test_cache_opens_once_across_threads_and_evicts_the_oldest():
    opened, may_open = [], threading.Event()

    def open_slowly(name):
        may_open.wait(10)
        opened.append(name)
        if name == "broken":
            raise ValueError("no such model")
        return name

    shelf = exhibits._Shelf(open_slowly, most=2)
    threads = [threading.Thread(target=shelf, args=("a",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    may_open.set()
    for thread in threads:
        thread.join()
    assert opened == ["a"]
    for name in ("b", "a", "c", "a", "b"):  # a is used again and stays; b is evicted for c
        assert shelf(name) == name
    assert opened == ["a", "b", "c", "b"]
    for _ in range(2):  # a failure is not remembered
        with pytest.raises(ValueError, match="no such model"):
            shelf("broken")
    assert opened[-2:] == ["broken", "broken"]


def test_describe_does_not_load_weights(monkeypatch):
    monkeypatch.setattr(AEVQ, "from_pretrained", None)
    describe.cache_clear()
    for name, offer in offers().items():
        assert f"{offer.config.latent_dim} numbers" in describe(name)
    grids = offers(lambda config: config.grid_size > 0)
    assert grids and all(offer.config.grid_size for offer in grids.values())


def test_best_model_of_a_data_set_has_the_smallest_error():
    for dataset in DATASETS:
        errors = {name: exhibits.history(name)["results"]["mse"] for name in exhibits.of_data_set(dataset)}
        assert exhibits.best(dataset) == min(errors, key=lambda name: errors[name])
    assert exhibits.data_sets() == {name: dataset.title for name, dataset in DATASETS.items()}
    assert set(exhibits.data_sets(lambda config: config.channels == 3)) == {"celeba"}
