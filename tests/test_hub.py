"""Loading over HTTP, from a stand-in for the Hub on loopback: what goes wrong on the way, and what stays usable."""

import errno
import time

import hub_server
import pytest
from huggingface_hub import constants

from aevq_hub import AEVQ, LoadError, available_models
from training.publish import published_files

NAME = "ada/center-mnist"


@pytest.fixture
def published(hub, trained):
    """The stand-in with a model in it."""
    repo = hub.repos["models", NAME] = hub_server.Repo()
    repo.commit("main", {path.name: path.read_bytes() for path in published_files(trained)})
    return hub


def test_a_model_loads_once_and_then_without_network(published, monkeypatch):
    first = AEVQ.from_pretrained(NAME)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    published.requests.clear()
    assert (AEVQ.from_pretrained(NAME).codebook == first.codebook).all()
    assert published.requests == []
    with pytest.raises(LoadError, match="cannot be downloaded again without the network"):
        AEVQ.from_pretrained(NAME, force_download=True)


def test_a_short_name_is_looked_for_where_the_environment_says(published, monkeypatch):
    repo = published.repos["models", "ada/my-own"] = published.repos["models", NAME]
    with pytest.raises(LoadError, match="there is no model 'my-own'.* or <name> where AEVQ_NAMESPACE says whose"):
        AEVQ.from_pretrained("my-own")
    monkeypatch.setenv("AEVQ_NAMESPACE", "ada")
    assert AEVQ.from_pretrained("my-own").config.variant == "center"
    repo.private = True
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(LoadError, match="the Hub has no model 'ada/my-own' that you may see"):
        AEVQ.from_pretrained("my-own", force_download=True)


def test_the_models_of_a_namespace_are_listed(published, monkeypatch):
    published.repos["models", "ada/something-else"] = hub_server.Repo()
    published.repos["models", "ada/something-else"].commit("main", {"README.md": b"library_name: other"})
    assert available_models("ada") == [NAME]
    assert available_models("bob") == []
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(LoadError, match="the models of ada cannot be listed"):
        available_models("ada")


def test_an_unreachable_hub_is_noticed_within_seconds(published, monkeypatch):
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template.replace(published.url, "http://127.0.0.1:9"))
    start = time.monotonic()
    with pytest.raises(LoadError, match="not in the cache and the Hub was not reached"):
        AEVQ.from_pretrained(NAME)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
def test_what_breaks_on_the_way_is_explained_and_leaves_the_cache_usable(file, published, monkeypatch):
    path = "lfs" if file == "model.safetensors" else file
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # the client's pauses between its tries
    published.broken.append(path)
    with pytest.raises(LoadError, match=f"{file} of {NAME} did not arrive: .*; try again: what arrived is kept"):
        AEVQ.from_pretrained(NAME)
    published.broken.clear()
    published.cut.append(path)
    with pytest.raises(LoadError, match=f"{file} of {NAME} did not arrive"):
        AEVQ.from_pretrained(NAME)
    published.cut.clear()
    assert AEVQ.from_pretrained(NAME).config.name == "center-mnist"


def test_a_full_disk_is_explained(published, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("aevq_hub.hub.hf_hub_download", full)
    with pytest.raises(LoadError, match="there is no room for config.json of ada/center-mnist.*give another cache_dir"):
        AEVQ.from_pretrained(NAME)
