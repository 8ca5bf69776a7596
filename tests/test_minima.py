"""The minimum versions that pyproject.toml declares; ``python -m pytest -m deep tests/test_minima.py``."""

import os
import subprocess
import sys

import pytest
from servers import ROOT


@pytest.mark.deep
def test_suite_passes_with_the_declared_minimum_versions(tmp_path):
    """In a fresh environment, for a quarter of an hour: without the browser, and without installing once more."""
    uv, python = [sys.executable, "-m", "uv", "-q"], tmp_path / "bin" / "python"
    subprocess.run([*uv, "venv", "--python", sys.executable, tmp_path], check=True)
    install = [*uv, "pip", "install", "--python", python]
    subprocess.run([*install, "--resolution", "lowest-direct", "-e", f"{ROOT}[app,train]"], check=True)
    subprocess.run(
        [*install, "pytest>=8", "hypothesis>=6.100", "playwright>=1.50", "axe-playwright-python>=0.1.4"], check=True
    )
    variables = {name: value for name, value in os.environ.items() if name != "CI"}
    marks = "not deep and not browser"
    done = subprocess.run(
        [python, "-m", "pytest", "-m", marks, "--tb=short", "-p", "no:warnings"], cwd=ROOT, env=variables,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:]
