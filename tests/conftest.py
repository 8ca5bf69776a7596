"""Fixtures: tiny data sets in the Hub's layout, a model trained on one, a stand-in for the Hub, and a browser."""

import os
import shutil
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:  # one thread per worker, set before torch is imported
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import hub_server
import numpy as np
import pytest
import servers
import torch
import yaml
from huggingface_hub import constants
from PIL import Image, ImageDraw

from aevq_hub.folder import available_models
from aevq_hub.registry import DATASETS
from training.processor import keep_memory

keep_memory()
COUNTS = {"train": 300, "test": 60}


def bar_image(rng: np.random.Generator, label: int, size: tuple[int, int], mode: str) -> Image.Image:
    """A bar at a random place whose angle depends on the class: easy for a small network to learn."""
    image = Image.new("L", size, 0)
    centre = np.array(size) / 2 + rng.uniform(-2, 2, 2)
    angle = np.pi * label / 10
    half = np.array([np.cos(angle), np.sin(angle)]) * min(size) * 0.35
    ImageDraw.Draw(image).line([*(centre - half), *(centre + half)], fill=int(rng.integers(180, 256)), width=4)
    return image.convert(mode)


def write_mirror(root: Path, name: str, splits=COUNTS) -> None:
    """Write a tiny copy of a known data set into ``root`` with the Hub's folders, splits and columns."""
    import datasets

    dataset = DATASETS[name]
    folder = root / dataset.hub_id / dataset.hub_config
    folder.mkdir(parents=True, exist_ok=True)
    files = [{"split": split, "path": f"{dataset.hub_config}/{split}-*"} for split in splits]
    (folder.parent / "README.md").write_text(
        "---\n" + yaml.safe_dump({"configs": [{"config_name": dataset.hub_config, "data_files": files}]}) + "---\n"
    )
    rng = np.random.default_rng(0)
    size, mode = ((178, 218), "RGB") if name == "celeba" else ((28, 28), "L")
    for split, count in splits.items():
        labels = [i % 10 for i in range(count)]
        columns = {"image": [bar_image(rng, label, size, mode) for label in labels]}
        features = {"image": datasets.Image()}
        for i, column in enumerate(dataset.label_columns):
            if dataset.multi_label:  # as in the partial copy of CelebA: only some training images have labels
                known = split == "train"
                columns[column] = [(label + i) % 3 == 0 if known and n % 2 else None for n, label in enumerate(labels)]
                features[column] = datasets.Value("bool")
            else:
                columns[column], features[column] = labels, datasets.ClassLabel(names=list(dataset.class_names))
        table = datasets.Dataset.from_dict(columns, features=datasets.Features(features))
        table.to_parquet(str(folder / f"{split}-00000-of-00001.parquet"))


@pytest.fixture(scope="session", autouse=True)
def caches(tmp_path_factory):
    """Keep the cache out of the home folder; all workers share it."""
    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AEVQ_CACHE", os.environ.get("AEVQ_CACHE") or str(root / "cache"))
        yield


@pytest.fixture(autouse=True)
def threads():
    """Undo what a test does to the number of threads: sums of other numbers of threads differ in their last bits."""
    before = torch.get_num_threads()
    yield
    if torch.get_num_threads() != before:
        torch.set_num_threads(before)


@pytest.fixture
def fresh_cache(tmp_path, monkeypatch) -> Path:
    """An empty cache for one test."""
    monkeypatch.setenv("AEVQ_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def mirror(tmp_path_factory, caches) -> Path:
    """A data root with tiny versions of the three data sets."""
    root = tmp_path_factory.mktemp("mirror")
    for name in DATASETS:
        write_mirror(root, name)
    return root


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The root of the real data sets; skips without AEVQ_DATA_ROOT."""
    root = os.environ.get("AEVQ_DATA_ROOT")
    if not root:
        pytest.skip("the real data sets are needed: set AEVQ_DATA_ROOT")
    return Path(root)


@pytest.fixture(scope="session")
def trained(mirror, tmp_path_factory) -> Path:
    """The folder of `center`, trained for two epochs on the tiny MNIST by the command line."""
    from training.__main__ import main

    output = tmp_path_factory.mktemp("models")
    # the recipe's bf16 is slow on most processors
    settings = ["--epochs", "2", "--precision", "fp32"]
    arguments = ["train", "center", "mnist", *settings, "--data-root", str(mirror), "--output", str(output)]
    assert main(arguments) == 0
    return output / "center-mnist"


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A stand-in for the Hub that the client uses; the token in HF_TOKEN may write to ada's repositories."""
    with hub_server.serving() as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)  # no requests of the client itself
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
        monkeypatch.setenv("HF_TOKEN", hub_server.WRITE)
        monkeypatch.delenv("AEVQ_NAMESPACE", raising=False)
        yield server


@pytest.fixture(scope="session")
def page_url(tmp_path_factory):
    """The address of the running demo."""
    with servers.demo(tmp_path_factory.mktemp("app") / "log", os.environ) as (url, _):
        yield url


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium, started once per worker."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None and not os.environ.get("CI"):
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=chromium, args=options)
        yield browser
        browser.close()


@pytest.fixture(params=[(1440, 900)], ids=str)
def empty_page(request, browser, page_url):
    """A new page, for an address of the demo; see ``browsing.opened``."""
    from browsing import opened

    with opened(browser, page_url, *request.param) as page:
        yield page


@pytest.fixture
def page(empty_page, page_url):
    """The page with the demo as it opens without a link."""
    from browsing import visit

    visit(empty_page, page_url)
    return empty_page


@pytest.fixture
def pushed(hub, trained, tmp_path) -> Path:
    """A private copy of the trained folder, pushed to the stand-in as ada/center-mnist."""
    from training.__main__ import main

    folder = shutil.copytree(trained, tmp_path / "models" / "center-mnist")
    assert main(["push", "center-mnist", "--to", "ada", "--output", str(folder.parent)]) == 0
    return folder


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def pytest_generate_tests(metafunc):
    if "shipped" in metafunc.fixturenames:
        metafunc.parametrize("shipped", available_models(), scope="session")
