"""What only fresh environments show: the bare package, the Space, and another server than the Hub. In CI alone."""

import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from huggingface_hub import SpaceCard, hf_hub_download
from servers import ROOT, free_port, running

from aevq_hub import AEVQ
from training.space import lay_out, pinned

NAME = "ada/center-mnist"
pytestmark = pytest.mark.skipif(not os.environ.get("CI"), reason="installs into new environments: CI=true does it")


class Environment:
    """A fresh virtual environment in a folder of its own, and the variables that its programs see."""

    def __init__(self, folder: Path, **variables: str):
        self.folder = folder
        self.variables = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"HF_HUB_DISABLE_XET": "1"}
        self.variables |= {"HF_HOME": str(folder / "home"), "PIP_RETRIES": "0", **variables}
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)

    def run(self, *command) -> str:
        command = [self.folder / "venv" / "bin" / "python", *command]
        return subprocess.check_output(command, cwd=self.folder, env=self.variables, text=True)

    def serving(self, url: str, *command, cwd: Path):
        """A server among the programs of the environment, running for as long as the context lasts."""
        command = [self.folder / "venv" / "bin" / command[0], *command[1:]]
        return running(command, url, self.folder / "log", cwd, self.variables)


def test_the_bare_package_and_the_space_run_with_nothing_else(hub, pushed, tmp_path):
    """One environment: first the package without extras, then, in its stead, the Space as the Hub builds it."""
    environment = Environment(tmp_path, HF_ENDPOINT=hub.url)
    source = tmp_path / "source"  # a build leaves files in it
    source.mkdir()
    for name in ("aevq_hub", "training", "model_cards", "pyproject.toml", "README.md", "LICENSE"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    environment.run("-m", "pip", "install", "-q", source)
    for name in (repr(NAME), "available_models()[0]"):
        use = f"model = AEVQ.from_pretrained({name}); model.sample(2, seed=0)"
        environment.run("-c", f"from aevq_hub import AEVQ, available_models; {use}")
    timed = "import torch, time; t = time.process_time(); import aevq_hub; print(time.process_time() - t)"
    assert min(float(environment.run("-c", timed)) for _ in range(3)) <= 0.3
    environment.run("-m", "pip", "uninstall", "-q", "-y", "aevq-hub")

    space = lay_out(tmp_path / "space", pinned("ada"))
    card = SpaceCard.load(space / "README.md").data
    environment.run("-m", "pip", "install", "-q", f"gradio=={card.sdk_version}", "-r", space / "requirements.txt")
    for line in card.preload_from_hub:
        repo_id, files, revision = line.split(" ")
        for file in files.split(","):
            hf_hub_download(repo_id, file, revision=revision, cache_dir=tmp_path / "home" / "hub")
    hub.requests.clear()
    port = free_port()
    environment.variables |= {"GRADIO_SERVER_PORT": str(port)}
    url = f"http://127.0.0.1:{port}"
    with environment.serving(url, "python", "app.py", cwd=space), urllib.request.urlopen(url) as answer:
        page = answer.read().decode()
        assert "from continuous to discrete" in page and "center-mnist" in page
    assert hub.requests == []  # what was preloaded is asked of nobody


def test_a_model_loads_from_an_independent_server(pushed, tmp_path):
    """olah serves git repositories of a local mirror as the Hub does."""
    environment = Environment(tmp_path)
    environment.run("-m", "pip", "install", "-q", "olah")
    mirrored = shutil.copytree(pushed, tmp_path / "mirrors" / "models" / NAME)
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        identity = ["-c", "user.name=ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"]
        subprocess.run(["git", *identity, *arguments], cwd=mirrored, check=True)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    (tmp_path / "olah.toml").write_text(
        f'[basic]\nhost = "127.0.0.1"\nport = {port}\nrepos-path = "{tmp_path}/repos"\nlog-path = "{tmp_path}/logs"\n'
        f'hf-scheme = "http"\nhf-netloc = "127.0.0.1:9"\nmirrors-path = ["{tmp_path}/mirrors"]\n'
        "[accessibility]\noffline = true\n"
    )
    code = (
        f"from aevq_hub import AEVQ, LoadError; print(AEVQ.from_pretrained({NAME!r}).codebook.sum().item())\n"
        "try: AEVQ.from_pretrained('ada/nothing')\nexcept LoadError as error: print(error)"
    )
    with environment.serving(f"{url}/{NAME}/resolve/main/config.json", "olah-cli", "-c", "olah.toml", cwd=tmp_path):
        there = {**os.environ, "HF_ENDPOINT": url, "HF_HOME": str(tmp_path / "other-home"), "HF_HUB_DISABLE_XET": "1"}
        output = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, env=there, text=True)
    told, error = output.strip().splitlines()
    assert float(told) == pytest.approx(AEVQ.from_pretrained(pushed).codebook.sum().item())
    assert "the Hub has no model 'ada/nothing'" in error
