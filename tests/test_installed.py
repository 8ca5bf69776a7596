"""The installed package, the Space and an independent server in fresh environments; runs in CI only."""

import os
import shutil
import subprocess
import sys
import urllib.request
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from huggingface_hub import SpaceCard, hf_hub_download
from packaging.requirements import Requirement
from servers import ROOT, free_port, running

from aevq_hub import AEVQ
from training.space import lay_out, pinned

NAME = "ada/center-mnist"
pytestmark = pytest.mark.skipif(not os.environ.get("CI"), reason="installs into new environments: CI=true does it")


class Environment:
    """A fresh virtual environment and the environment variables of its programs."""

    def __init__(self, folder: Path, **variables: str):
        self.folder = folder
        self.variables = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"HF_HUB_DISABLE_XET": "1"}
        self.variables |= {"HF_HOME": str(folder / "home"), "PIP_RETRIES": "0", **variables}
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)

    def run(self, *command, program: str = "python", status: int = 0) -> str:
        command = [self.folder / "venv" / "bin" / program, *command]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        result = subprocess.run(command, cwd=self.folder, env=self.variables, **pipes)
        assert result.returncode == status, result.stdout
        return result.stdout

    def link(self, requirement: str) -> None:
        """Link the dependencies of a package, also indirect ones, from the running environment."""
        (site,) = (self.folder / "venv" / "lib").glob("*/site-packages")
        todo, seen = [Requirement(requirement)], set()
        while todo:
            wanted = todo.pop()
            if (key := (wanted.name, *sorted(wanted.extras))) in seen:
                continue
            seen.add(key)
            try:
                found = distribution(wanted.name)
            except PackageNotFoundError:  # needed on other platforms only
                continue
            extras = [{"extra": extra} for extra in ("", *wanted.extras)]
            needed = map(Requirement, found.requires or ())
            todo += [n for n in needed if not n.marker or any(n.marker.evaluate(extra) for extra in extras)]
            if wanted.name == "aevq-hub":
                continue
            for top in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
                if not (site / top).exists():
                    (site / top).symlink_to(found.locate_file(top))

    def serving(self, url: str, *command, cwd: Path):
        """Run one of the environment's programs as a server."""
        command = [self.folder / "venv" / "bin" / command[0], *command[1:]]
        return running(command, url, self.folder / "log", cwd, self.variables)


def test_package_and_space_run_in_a_fresh_environment(hub, pushed, mirror, tmp_path):
    """In one environment: the package without extras, then with them, then the Space as the Hub builds it."""
    environment = Environment(tmp_path, HF_ENDPOINT=hub.url)
    source = tmp_path / "source"  # a copy, since a build leaves files in it
    source.mkdir()
    for name in ("aevq_hub", "training", "model_cards", "pyproject.toml", "README.md", "LICENSE"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    environment.link("aevq-hub")
    environment.run("-m", "pip", "install", "-q", "--no-deps", source)
    listed = environment.run("-m", "pip", "show", "-f", "aevq-hub").partition("Files:")[2].split()
    assert {file.split("/")[0].split("-")[0] for file in listed} == {"..", "aevq_hub"}  # ".." is that of ../bin/aevq
    for name in (repr(NAME), "'center-mnist'"):
        use = f"model = AEVQ.from_pretrained({name}); model.sample(2, seed=0)"
        environment.run("-c", f"from aevq_hub import AEVQ, available_models; {use}")
    timed = "import torch, time; t = time.process_time(); import aevq_hub; print(time.process_time() - t)"
    assert min(float(environment.run("-c", timed)) for _ in range(3)) <= 0.3
    for command, extra in ((["-m", "aevq_hub.training"], "train"), (["-m", "aevq_hub.demo"], "app")):
        output = environment.run(*command, status=1)
        assert f'`pip install "aevq-hub[{extra}]"`' in output and len(output.splitlines()) == 1

    environment.link("aevq-hub[app,train]")
    port = free_port()
    environment.variables |= {"GRADIO_SERVER_PORT": str(port)}
    url = f"http://127.0.0.1:{port}"
    assert environment.run("--help", program="aevq").startswith("usage: aevq ")
    options = ["--epochs", "1", "--data-root", mirror, "--output", "trained"]
    environment.run("train", "ae", "mnist", *options, program="aevq")
    assert AEVQ.from_pretrained(tmp_path / "trained" / "ae-mnist").config.name == "ae-mnist"
    environment.run("search", "ae", "mnist", "--latent-dim", "4", *options, program="aevq")  # spawns a process
    with environment.serving(url, "python", "-m", "aevq_hub.demo", cwd=tmp_path), urllib.request.urlopen(url) as answer:
        assert "center-celeba" in answer.read().decode()
    environment.run("-m", "pip", "uninstall", "-q", "-y", "aevq-hub")

    space = lay_out(tmp_path / "space", pinned("ada"))
    card = SpaceCard.load(space / "README.md").data
    requirements = [f"gradio=={card.sdk_version}", "-r", space / "requirements.txt"]
    environment.run("-m", "pip", "install", "-q", "--dry-run", *requirements)  # the requirements are compatible
    for line in card.preload_from_hub:
        repo_id, files, revision = line.split(" ")
        for file in files.split(","):
            hf_hub_download(repo_id, file, revision=revision, cache_dir=tmp_path / "home" / "hub")
    hub.requests.clear()
    with environment.serving(url, "python", "app.py", cwd=space), urllib.request.urlopen(url) as answer:
        page = answer.read().decode()
        assert "from continuous to discrete" in page and "center-mnist" in page
    assert hub.requests == []  # everything was preloaded


def test_model_loads_from_an_independent_server(pushed, tmp_path):
    """olah serves local git repositories with the Hub's protocol."""
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
    value, error = output.strip().splitlines()
    assert float(value) == pytest.approx(AEVQ.from_pretrained(pushed).codebook.sum().item())
    assert "the Hub has no model 'ada/nothing'" in error
