"""Loading from a stand-in for the Hub over HTTP: caching, failures and redirects."""

import errno
import os
import socket
import subprocess
import sys
import time

import hub_server
import pytest
from huggingface_hub import constants

from aevq_hub import AEVQ, LoadError, available_models, hub
from training.contents import published_files

NAME = "ada/center-mnist"


@pytest.fixture
def published(hub, trained):
    """The stand-in with one model."""
    repo = hub.repos["models", NAME] = hub_server.Repo()
    repo.commit("main", {path.name: path.read_bytes() for path in published_files(trained)})
    return hub


def test_cached_model_loads_without_network(published, monkeypatch):
    first = AEVQ.from_pretrained(NAME)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    published.requests.clear()
    assert (AEVQ.from_pretrained(NAME).codebook == first.codebook).all()
    assert published.requests == []
    with pytest.raises(LoadError, match="cannot be downloaded again without the network"):
        AEVQ.from_pretrained(NAME, force_download=True)


def test_short_name_is_looked_up_in_the_namespace(published, monkeypatch):
    repo = published.repos["models", "ada/my-own"] = published.repos["models", NAME]
    with pytest.raises(LoadError, match="there is no model 'my-own'.* or <name> if AEVQ_NAMESPACE gives the namespace"):
        AEVQ.from_pretrained("my-own")
    monkeypatch.setenv("AEVQ_NAMESPACE", "ada")
    assert AEVQ.from_pretrained("my-own").config.variant == "center"
    repo.private = True
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(LoadError, match="the Hub has no model 'ada/my-own' that you can see"):
        AEVQ.from_pretrained("my-own", force_download=True)


def test_models_of_a_namespace_are_listed(published, monkeypatch):
    published.repos["models", "ada/something-else"] = hub_server.Repo()
    published.repos["models", "ada/something-else"].commit("main", {"README.md": b"library_name: other"})
    assert available_models("ada") == [NAME]
    assert available_models("bob") == []
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(LoadError, match="the models of ada cannot be listed"):
        available_models("ada")


def test_silent_hub_is_asked_once_with_a_short_timeout(published, monkeypatch):
    assert hub._PATIENCE <= 5
    monkeypatch.setattr(hub, "_PATIENCE", 0.1)  # without it, the client waits ten seconds
    with socket.create_server(("127.0.0.1", 0)) as silent:
        there = f"http://127.0.0.1:{silent.getsockname()[1]}"
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template.replace(published.url, there))
        with pytest.raises(LoadError, match=r"not in the cache and the Hub was not reached"):
            AEVQ.from_pretrained(NAME)
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):  # there was no second connection
            silent.accept()


def test_unreachable_hub_is_reported_without_long_pauses(published, monkeypatch):
    template, pauses = constants.HUGGINGFACE_CO_URL_TEMPLATE, []
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template.replace(published.url, "http://127.0.0.1:9"))
    monkeypatch.setattr("time.sleep", pauses.append)
    with pytest.raises(LoadError, match="not in the cache and the Hub was not reached"):
        AEVQ.from_pretrained(NAME)
    assert sum(pauses) < 5


@pytest.mark.parametrize("path", ["config.json", "/lfs/"])
def test_failed_download_is_explained_and_leaves_the_cache_usable(path, published, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # the client's pauses between retries
    for failures in (published.broken, published.cut):
        failures.append(path)
        with pytest.raises(LoadError, match=f"{NAME} (did not arrive: .*; try again|is not in the cache)"):
            AEVQ.from_pretrained(NAME)
        failures.clear()
    assert AEVQ.from_pretrained(NAME).config.name == "center-mnist"


@pytest.mark.parametrize("header", ["Retry-After: 3600", 'ratelimit: "api";r=0;t=3600'])
@pytest.mark.parametrize("path", ["config.json", "/lfs/"])
def test_a_hub_that_asks_to_wait_long_is_not_waited_for(path, header, published, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: pytest.fail(f"slept {seconds} s"))
    name, _, value = header.partition(": ")
    published.busy = {path: {name: value}}
    with pytest.raises(LoadError, match="the Hub answered 429 and asks to wait 3600 s; try again after that"):
        AEVQ.from_pretrained(NAME)
    published.busy = {}
    assert AEVQ.from_pretrained(NAME).config.name == "center-mnist"


def test_a_hub_with_lasting_errors_is_quoted(published, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    published.broken.append("/")
    with pytest.raises(LoadError, match="not in the cache and the Hub answered 500; try again later, or give the path"):
        AEVQ.from_pretrained(NAME)


def test_redirects_never_change_the_model_or_leak_the_token(published, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    good = published.files(NAME)
    with hub_server.serving() as other:
        other.objects["0" * 64] = good["model.safetensors"][:-4] + bytes(4)
        there = f"{other.url}/lfs/{'0' * 64}"
        for address, message in (
            (there, "not the file that its config.json was written with.*download the model again"),
            (f"{published.url}/lfs/loop", "did not arrive: Exceeded"),
            ("ftp://127.0.0.1/x", "did not arrive: .*unsupported protocol"),
            ("file:///etc/passwd", "did not arrive: .*protocol"),
        ):
            published.moved["/lfs/"] = address
            with pytest.raises(LoadError, match=message):
                AEVQ.from_pretrained(NAME, force_download=True)
        assert other.requests and other.tokens == {None}
        published.moved.clear()
        assert AEVQ.from_pretrained(NAME, force_download=True).config.name == "center-mnist"
        published.moved["config.json$"] = there
        with pytest.raises(LoadError, match="names no commit"):
            AEVQ.from_pretrained(NAME, force_download=True)
        assert other.tokens == {None}


def test_cached_commit_sends_no_request(published):
    commit = published.repos["models", NAME].refs["main"]
    AEVQ.from_pretrained(NAME, revision=commit)
    published.requests.clear()
    assert AEVQ.from_pretrained(NAME, revision=commit).config.name == "center-mnist"
    assert published.requests == []


def test_failed_update_keeps_the_old_model_usable_offline(published, monkeypatch, tmp_path):
    old = AEVQ.from_pretrained(NAME)
    new = AEVQ.from_pretrained(NAME)
    new.codebook += 1
    new.save_pretrained(tmp_path / "new")
    published.repos["models", NAME].commit(
        "main", {path.name: path.read_bytes() for path in published_files(tmp_path / "new")}
    )
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    published.cut.append("/lfs/")
    with pytest.raises(LoadError, match="did not arrive"):
        AEVQ.from_pretrained(NAME)
    published.cut.clear()
    with monkeypatch.context() as patch:
        patch.setattr(constants, "HF_HUB_OFFLINE", True)
        assert (AEVQ.from_pretrained(NAME).codebook == old.codebook).all()
    assert (AEVQ.from_pretrained(NAME).codebook == new.codebook).all()


def test_concurrent_loads_survive_a_killed_process(published, tmp_path):
    address = {"HF_ENDPOINT": published.url, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(tmp_path / "home")}
    code = f"from aevq_hub import AEVQ; print(AEVQ.from_pretrained({NAME!r}).codebook.sum().item())"

    def start():
        command = [sys.executable, "-c", code]
        return subprocess.Popen(command, env={**os.environ, **address}, stdout=subprocess.PIPE, text=True)

    published.slow.append("/lfs/")
    processes = [start() for _ in range(4)]
    deadline = time.monotonic() + 60
    while not any(method == "GET" and "/lfs/" in path for method, path in published.requests):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    processes[0].kill()
    published.slow.clear()
    expected = AEVQ.from_pretrained(NAME).codebook.sum().item()
    for process in [*processes[1:], start()]:
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        assert float(output) == expected
    processes[0].communicate()


def test_unknown_token_is_explained(published, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(LoadError, match="did not arrive: .*; log in with `hf auth login`"):
        AEVQ.from_pretrained(NAME)


def test_full_disk_is_explained(published, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("aevq_hub.hub.hf_hub_download", full)
    with pytest.raises(LoadError, match="No space left on device; make room on the disk, or give another cache_dir"):
        AEVQ.from_pretrained(NAME)
