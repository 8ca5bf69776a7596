"""Many users at once: ``pytest -m deep -s tests/test_load.py``, beside which nothing else should run.

``-k upload`` takes a minute, ``-k many`` ten minutes, ``-k long`` two hours.
"""

import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
import servers
from browsing import watch
from measure_demo import Slider, slider_request
from PIL import Image

MODELS = ("vqvae-celeba", "center-mnist", "codebook-fashionmnist")
PAUSE = 0.1  # seconds that a user who is in a hurry looks at a picture
WARM = 60  # seconds after which the memory should stay as it is
SLOWEST, LONGEST = 500, 2000  # milliseconds: of 95 % of the pictures, and of any of them beside uploads
GROWTH, DECODING = 150, 300  # megabytes: of the server while users slide, and while it decodes large images

needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read as on Linux")


@pytest.fixture
def server(tmp_path):
    """The address of a demo of its own, and its process's id."""
    with servers.demo(tmp_path / "log", os.environ) as (url, process):
        yield url, process.pid


@pytest.fixture
def sliders(server, browser) -> list[tuple[str, str]]:
    """The address and the body of a slider's request for each of the models."""
    with browser.new_page() as page:
        watch(page)
        return [slider_request(page, server[0], model) for model in MODELS]


def megabytes(process: int, kind: str = "VmRSS") -> float:
    """The memory that a process uses, or with ``VmHWM`` the most that it has used."""
    return int(Path(f"/proc/{process}/status").read_text().split(f"{kind}:")[1].split()[0]) / 1000


def slides(slider: tuple[str, str], pause: float, until: float, seed: int) -> list[float]:
    """Move a slider at random and wait for each picture, until a time: the milliseconds that they took."""
    user, rng, took = Slider(*slider), np.random.default_rng(seed), []
    while time.monotonic() < until:
        took.append(user.move(rng.uniform(-3, 3)))
        time.sleep(pause)
    return took


@needs_proc
@pytest.mark.deep
@pytest.mark.browser
@pytest.mark.parametrize(
    ("users", "pause", "minutes"), [pytest.param(64, PAUSE, 10, id="many"), pytest.param(6, 1.0, 120, id="long")]
)
def test_users_who_slide_see_pictures_soon_and_memory_stays(users, pause, minutes, server, sliders):
    _, process = server
    until, memory = time.monotonic() + 60 * minutes, []
    with ThreadPoolExecutor(users) as pool:
        sliding = [pool.submit(slides, sliders[user % len(sliders)], pause, until, user) for user in range(users)]
        time.sleep(WARM)
        while time.monotonic() < until:
            memory.append(megabytes(process))
            time.sleep(5)
        took = [milliseconds for user in sliding for milliseconds in user.result()]
    slow, grown = statistics.quantiles(took, n=20)[-1], max(memory) - memory[0]
    print(f"\n{users} users, {minutes} minutes: {len(took):,} pictures, median {statistics.median(took):.0f} ms, "
          f"95 % within {slow:.0f} ms, memory {memory[0]:,.0f} MB and at most {grown:.0f} MB more")  # fmt: skip
    assert slow <= SLOWEST and grown <= GROWTH


@needs_proc
@pytest.mark.deep
@pytest.mark.browser
def test_large_uploads_keep_nobody_waiting(server, sliders, tmp_path):
    url, process = server
    file, side = tmp_path / "large.png", 7071  # just less than 50 megapixels
    pixels = np.linspace(0, 65535, side, dtype=np.uint16)[None].repeat(side, axis=0)
    pixels[:600] = np.random.default_rng(0).integers(0, 65536, (600, side))  # which cannot be compressed
    Image.fromarray(pixels).save(file)
    content, before = file.read_bytes(), megabytes(process)

    def bring(number: int) -> str:
        with httpx.Client(base_url=f"{url}/gradio_api", timeout=600, headers={"X-Forwarded-For": "8.8.8.8"}) as http:
            (path,) = http.post("/upload", files={"files": (f"{number}.png", content)}).json()
            data = {"data": [{"path": path, "meta": {"_type": "gradio.FileData"}}, "auto"]}
            event = http.post("/call/bring", json=data).json()["event_id"]
            return http.get(f"/call/bring/{event}").text

    with ThreadPoolExecutor(40) as pool:
        start = time.monotonic()
        answers = [pool.submit(bring, number) for number in range(40)]
        user, took = Slider(*sliders[0]), []
        while not all(answer.done() for answer in answers):
            took.append(user.move(len(took) % 100 / 50 + 0.01))
            time.sleep(PAUSE)
    grown = megabytes(process, "VmHWM") - before
    print(f"\n40 uploads of {len(content) / 1e6:.1f} MB in {time.monotonic() - start:.0f} s: {len(took)} pictures of "
          f"another user within {max(took):.0f} ms, at most {grown:.0f} MB more memory")  # fmt: skip
    assert all("event: complete" in answer.result() for answer in answers)
    assert len(took) > 20 and max(took) <= LONGEST and grown <= DECODING
