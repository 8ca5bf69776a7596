"""Run servers in subprocesses for tests and measurements."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
PATIENCE = 120  # seconds to wait for a server's first answer


def free_port() -> int:
    """A free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(command: list, url: str, log: Path, cwd: Path, env: Mapping[str, str]) -> Iterator[subprocess.Popen]:
    """Run a server and yield its process once it answers at ``url``; its log must contain no traceback."""
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=cwd, env=env, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                urllib.request.urlopen(url).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, log.read_text()
                time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in log.read_text()


@contextmanager
def demo(log: Path, env: Mapping[str, str]) -> Iterator[tuple[str, subprocess.Popen]]:
    """Run the demo as in the README, on a free port set by Gradio's environment variable."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    env = {**env, "GRADIO_SERVER_PORT": str(port), "HF_HUB_OFFLINE": "1"}
    with running([sys.executable, "app.py"], url, log, ROOT, env) as process:
        yield url, process
