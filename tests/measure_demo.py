"""Measure the demo's speed and memory: ``python tests/measure_demo.py [--pictures FOLDER]``.

Starts the demo on a free port and measures the time to the first page; the latency of a live slider on the server, for
one user and for sixteen at once, and in Chromium from the input to the new picture; and the memory in use after every
model was used. Nothing else should run at the same time. ``--pictures`` also writes a README.md with the numbers.
"""

import argparse
import io
import json
import os
import shutil
import statistics
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from browsing import settle, watch
from gradio_client import Client
from PIL import Image
from playwright.sync_api import Page, Request, sync_playwright
from servers import demo

MODEL, USERS, CALLS, MOVES = "vqvae-celeba", 16, 40, 60  # the heaviest model; calls per user; moves in the browser
WIDTH = 960  # of the picture of a tab, in pixels
MOVE = """async value => {
    const slider = document.querySelector("#shift input[type=range]"), shown = document.querySelector("#live");
    const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
    const start = performance.now();
    const rendered = new Promise(resolve => new MutationObserver((_, me) => { me.disconnect(); resolve(); })
        .observe(shown, {subtree: true, childList: true, attributes: true, characterData: true}));
    set.call(slider, value);
    slider.dispatchEvent(new Event("input", {bubbles: true}));
    await rendered;
    await document.querySelector("#live img").decode();
    return performance.now() - start;
}"""


LINES = ["| | measured |", "|---|---|"]  # the rows of the table


def record(name: str, value: str | list[float]) -> None:
    """Print and record a value, or the median and 95th percentile of times in milliseconds."""
    if not isinstance(value, str):
        worst = statistics.quantiles(value, n=20)[-1]
        value = f"median {statistics.median(value):.0f} ms, 95th percentile {worst:.0f} ms"
    print(f"{name}: {value}", flush=True)
    LINES.append(f"| {name} | {value} |")


def timed(url: str, request: dict, shift: float) -> float:
    """The milliseconds the server takes for one request of the slider."""
    body = json.dumps({**request, "data": [*request["data"][:2], shift, *request["data"][3:]]}).encode()
    start = time.perf_counter()
    sent = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(sent) as answer:
        assert "data:image/png" in answer.read().decode()
    return 1000 * (time.perf_counter() - start)


def slide(page: Page) -> tuple[str, dict]:
    """Move the first tab's slider in the browser; returns address and body of its last request."""
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    shifts = [round(-2 + 4 * i / MOVES, 1) or 0.05 for i in range(MOVES)]
    page.evaluate(MOVE, shifts[-1])  # the first one warms up
    page.wait_for_timeout(1000)
    sent.clear()
    record("live slider, from the input to the new picture in the browser", [page.evaluate(MOVE, s) for s in shifts])
    return sent[-1].url, sent[-1].post_data_json


def main() -> None:
    """Run all measurements."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pictures", type=Path, metavar="FOLDER", help="write a picture of every tab into it")
    pictures = options.parse_args().pictures
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, demo(Path(folder) / "log", os.environ) as (url, server):
        record("start to the first page", f"{time.perf_counter() - start:.1f} s")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            watch(page)
            page.goto(f"{url}/?tab=perturbation&model={MODEL}")
            page.wait_for_selector("#live img")
            settle(page)
            address, request = slide(page)
            for tab in page.get_by_role("tab").all() if pictures else ():
                tab.click()
                settle(page)
                pictures.mkdir(parents=True, exist_ok=True)
                name = tab.inner_text().lower().replace(" ", "-")
                with Image.open(io.BytesIO(page.screenshot(full_page=True))) as shown:
                    small = shown.convert("RGB").resize((WIDTH, shown.height * WIDTH // shown.width))
                small.quantize(200).save(pictures / f"{name}.png", optimize=True)
            browser.close()
        shifts = [i / 100 for i in range(-100, 100)]
        record("live slider on the server, one user", [timed(address, request, shift) for shift in shifts])
        with ThreadPoolExecutor(USERS) as pool:
            many = [shifts[i % len(shifts)] for i in range(USERS * CALLS)]
            record(f"{USERS} users at once", list(pool.map(lambda shift: timed(address, request, shift), many)))
        client = Client(url, verbose=False)
        names = client.predict(api_name="/models")
        for name in names:
            client.predict(name, api_name="/perturb")
        status = Path(f"/proc/{server.pid}/status")
        if status.exists():  # Linux
            kilobytes = int(status.read_text().split("VmRSS:")[1].split()[0])
            record(f"memory after all {len(names)} models were used", f"{kilobytes / 1e6:.2f} GB")
    if pictures:
        shown = [f"![{path.stem}]({path.name})" for path in sorted(pictures.glob("*.png"))]
        head = f"# The demo, measured\n\nOn {os.cpu_count()} cores, with {MODEL}, by `tests/measure_demo.py`.\n"
        (pictures / "README.md").write_text("\n".join([head, *LINES, "", *shown, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
