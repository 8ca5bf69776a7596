"""Measure the demo's speed and memory: ``python tests/measure_demo.py [--pictures FOLDER]``.

Starts the demo on a free port and measures, in Chromium, the time from opening the page to the first picture, from each
kind of click to its picture, and how much the layout shifts while the page loads; on the server, a slider for one user
and for sixteen at once; and the memory in use after every model was used. Nothing else should run at the same time.
``--pictures`` also writes pictures of the page and a README.md with the numbers.
"""

import argparse
import io
import itertools
import json
import os
import shutil
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from browsing import settle, watch
from gradio_client import Client
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from servers import demo

from aevq_hub.registry import VARIANTS

USERS, CALLS, REPEATS, OPENINGS = 16, 40, 24, 7
WIDTH = 960  # of a picture of the page, in pixels
FACES = "model=center-celeba"
# does something and waits for the picture that follows, in milliseconds
ACT = """async ([kind, selector, value, target]) => {
    const element = document.querySelector(selector), shown = document.querySelector(target);
    const start = performance.now();
    const rendered = new Promise((resolve, reject) => {
        new MutationObserver((_, me) => { me.disconnect(); resolve(); })
            .observe(shown, {subtree: true, childList: true, attributes: true, characterData: true});
        setTimeout(() => reject(new Error(`${selector}: ${target} did not change`)), 20000);
    });
    if (kind === "set") {
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(element, value);
        element.dispatchEvent(new Event("input", {bubbles: true}));
    } else if (kind === "press") {
        for (const type of ["pointerdown", "pointerup"])
            element.dispatchEvent(new PointerEvent(type, {bubbles: true, pointerId: 1, button: 0}));
    } else {
        const box = element.getBoundingClientRect();
        element.dispatchEvent(new MouseEvent("click", {bubbles: true, detail: 1,
            clientX: box.left + value * box.width, clientY: box.top + value * box.height}));
    }
    await rendered;
    await Promise.all([...shown.querySelectorAll("img")].map(image => image.decode().catch(() => 0)));
    return performance.now() - start;
}"""
SHIFTS = """window.shifted = 0; new PerformanceObserver(list => list.getEntries().forEach(entry => {
    if (!entry.hadRecentInput) window.shifted += entry.value; })).observe({type: "layout-shift", buffered: true});"""


@dataclass(frozen=True)
class Click:
    """Something that is done repeatedly."""

    name: str
    goal: int  # milliseconds
    link: str  # what is open
    kind: str  # `click`, `press` (pointer down and up) or `set`, of a slider
    targets: tuple[tuple[str, float], ...]  # selectors and values, one after another
    shown: str  # selector of the picture that changes
    opens: str = ""  # selector of what is clicked before
    once: bool = False  # whether each target is done only once, for the server keeps the pictures of earlier ones

    @staticmethod
    def of(name: str, goal: int, link: str, kind: str, selector: str, values: tuple, shown: str, opens="") -> "Click":
        """A click on elements whose selectors differ in a value, or on one element that takes values."""
        targets = tuple((selector.format(value), 0.5 if "{" in selector else value) for value in values)
        return Click(name, goal, link, kind, targets, shown, opens)


STARTS, PLACES = tuple(f"sample:{i}" for i in range(8)), (0.2, 0.4, 0.6, 0.8)
CLICKS = [
    Click.of("slider", 50, f"tab=turn&{FACES}", "set", "#knobs input[type=range]", (0.5, 1, 1.5, 2), "#result"),
    Click.of("sample", 120, f"tab=turn&{FACES}", "click", "#bar [data-start='{}']", STARTS, "#result"),
    Click.of("data set", 300, "tab=turn", "click", "#bar [data-set={}]", ("mnist", "celeba"), "#result"),
    Click.of("model", 300, "tab=turn", "click", "#bar [data-model={}-celeba]", ("vae", "center", "zero"), "#result"),
    Click.of("morph: sample", 150, f"tab=morph&{FACES}", "click", "#bar [data-start='{}']", STARTS, "#path"),
    Click.of("morph: pictures", 150, f"tab=morph&{FACES}", "set", "#steps input[type=range]", (5, 7, 9, 11), "#path"),
    Click.of("codebook: vector", 150, "tab=codebook&model=residual-celeba", "click",
             "#codebook_gallery [data-vector='{}']", tuple(range(10, 18)), "#codebook_vector"),
    Click.of("codebook: map", 150, "tab=codebook&model=residual-celeba", "click", "#codebook_map svg", PLACES,
             "#codebook_map"),
    Click.of("grid: cell", 120, "tab=grid&model=vqae-celeba", "press",
             "#editor [data-row='{}'][data-column='3']", tuple(range(1, 9)), "#grid_status"),
    Click.of("grid: code", 120, "tab=grid&model=vqae-celeba", "click", "#palette [data-code='{}']",
             tuple(range(10, 18)), "#editor"),
    Click.of("grid: random", 120, "tab=grid&model=vqae-celeba", "click", "#do_random", (0.5,), "#editor",
             "#grid_advanced > button"),
    Click("all models", 1500, f"tab=compare&{FACES}&start=sample:9", "click",
          tuple((f"#bar [data-start='{start}']", 0.5) for start in STARTS), f"#rung_{len(VARIANTS)}", once=True),
]  # fmt: skip
LINES = ["| | median, ms | 95 %, ms | goal |", "|---|---|---|---|"]


def record(name: str, times: list[float], goal: int | None = None, share: float = 0.5) -> None:
    """Print and record the median and 95th percentile of times in milliseconds.

    ``share`` is that of the times, 0.5 or 0.95, which have to reach the goal.
    """
    usual, worst = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    missed = goal is not None and (usual if share == 0.5 else worst) > goal
    line(name, f"{usual:.0f}", f"{worst:.0f}", "–" if goal is None else f"{goal:,}{', missed' * missed}")


def note(name: str, value: float, form: str, goal: float | None = None) -> None:
    """Print and record one value."""
    missed = goal is not None and value > goal
    line(name, form.format(value), "", "" if goal is None else f"{form.format(goal)}{', missed' * missed}")


def line(*cells: str) -> None:
    """Print and record a line of the table."""
    LINES.append(f"| {' | '.join(cells)} |")
    print(LINES[-1], flush=True)


def open_page(browser: Browser, url: str) -> None:
    """Measure opening the page, each time in a new context, that is without anything cached."""
    times, shifts = [], []
    for _ in range(OPENINGS):
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script(SHIFTS)
        start = time.perf_counter()
        page.goto(url, wait_until="commit")
        page.locator("#result img").wait_for()
        times.append(1000 * (time.perf_counter() - start))
        page.wait_for_timeout(1500)
        shifts.append(page.evaluate("window.shifted"))
        page.close()
    record("opening → first picture", times, 1500)
    note("layout shift while loading", max(shifts), "{:.3f}", 0.1)


def click(page: Page, url: str, done: Click) -> None:
    """Measure one kind of click."""
    page.goto(f"{url}/?{done.link}")
    page.locator(f"{done.shown} >> visible=true").wait_for()
    if done.opens:
        page.locator(done.opens).click()
    settle(page)
    targets, times = itertools.cycle(done.targets), []
    first = 1 if done.once else len(done.targets)  # the first round, or the first one, warms up
    for _ in range(len(done.targets) if done.once else first + REPEATS):
        selector, value = next(targets)
        times.append(page.evaluate(ACT, [done.kind, selector, value, done.shown]))
        page.wait_for_timeout(60)
    record(done.name, times[first:], done.goal)


def slider_request(page: Page, url: str, model: str) -> tuple[str, str]:
    """The address and the body of a request of the slider."""
    page.goto(f"{url}/?tab=turn&model={model}")
    page.locator("#result img").wait_for()
    settle(page)
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.evaluate(ACT, ["set", "#knobs input[type=range]", 1, "#result"])
    return sent.value.url, json.dumps(sent.value.post_data_json, separators=(",", ":"))


class Slider:
    """A user's slider, who keeps one connection open, as browsers do.

    Args:
        url: the address of a request of the slider.
        body: the body of one with the shift 1.
    """

    def __init__(self, url: str, body: str):
        self.url, self.body = urlsplit(url), body
        self.connection = HTTPConnection(self.url.netloc)

    def move(self, shift: float) -> float:
        """The milliseconds that the server takes for a picture with another shift."""
        data = self.body.replace('"mix":"1,', f'"mix":"{shift:g},').encode()
        assert data != self.body.encode() or shift == 1
        start = time.perf_counter()
        self.connection.request("POST", self.url.path, data, {"Content-Type": "application/json"})
        assert b"data:image/png" in self.connection.getresponse().read()
        return 1000 * (time.perf_counter() - start)


def on_server(url: str, body: str) -> None:
    """Measure the slider on the server, for one user and for many."""
    shifts = [i / 50 or 0.01 for i in range(-100, 100)]

    def user(first: int, calls: int) -> list[float]:
        slider = Slider(url, body)
        return [slider.move(shifts[i % len(shifts)]) for i in range(first, first + calls)]

    record("slider on the server, one user", user(0, len(shifts)))
    with ThreadPoolExecutor(USERS) as pool:
        took = pool.map(user, range(0, USERS * CALLS, CALLS), [CALLS] * USERS)
        record(f"slider, {USERS} users at once", [*itertools.chain(*took)], 250, 0.95)


def pictures_of(page: Page, url: str, folder: Path) -> None:
    """Write pictures of the first screen at four sizes, and of every tab."""
    folder.mkdir(parents=True, exist_ok=True)
    first = {"desktop": (1440, 900, ""), "dark": (1440, 1000, "?__theme=dark"), "tablet": (768, 1024, ""),
             "phone": (375, 812, "")}  # fmt: skip
    for name, (width, height, query) in first.items():
        page.set_viewport_size({"width": width, "height": height})
        page.goto(f"{url}/{query}")
        page.locator("#result img").wait_for()
        settle(page)
        save(page, folder / f"{name}.png", width)
    page.set_viewport_size({"width": 1440, "height": 900})
    for tab in ("morph", "codebook", "grid", "compare"):
        model = {"grid": "vqae-celeba", "codebook": "residual-celeba"}.get(tab, "center-celeba")
        page.goto(f"{url}/?tab={tab}&model={model}&second=sample:2")
        page.locator("[role=tabpanel] figure img >> visible=true").first.wait_for()
        settle(page)
        save(page, folder / f"{tab}.png", 1440)


def save(page: Page, path: Path, width: int) -> None:
    """A picture of what is in view, no wider than ``WIDTH``."""
    with Image.open(io.BytesIO(page.screenshot())) as shown:
        small = shown.convert("RGB")
        if width > WIDTH:
            small = small.resize((WIDTH, shown.height * WIDTH // shown.width))
        small.quantize(200).save(path, optimize=True)


def main() -> None:
    """Run all measurements."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pictures", type=Path, metavar="FOLDER", help="write pictures of the page into it")
    pictures = options.parse_args().pictures
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, demo(Path(folder) / "log", os.environ) as (url, server):
        note("start of the server", time.perf_counter() - start, "{:.1f} s")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            open_page(browser, url)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            watch(page)
            for done in CLICKS:
                click(page, url, done)
            on_server(*slider_request(page, url, "vqvae-celeba"))  # the heaviest model
            if pictures:
                pictures_of(page, url, pictures)
            browser.close()
        client = Client(url, verbose=False)
        names = client.predict(api_name="/models")
        for name in names:
            client.predict(name, api_name="/perturb")
        status = Path(f"/proc/{server.pid}/status")
        if status.exists():  # Linux
            kilobytes = int(status.read_text().split("VmRSS:")[1].split()[0])
            note(f"memory after all {len(names)} models were used", kilobytes / 1e6, "{:.2f} GB", 1.2)
    if pictures:
        shown = [f"![{path.stem}]({path.name})" for path in sorted(pictures.glob("*.png"))]
        head = f"# The demo, measured\n\nOn {os.cpu_count()} cores, by `tests/measure_demo.py`, in Chromium.\n"
        (pictures / "README.md").write_text("\n".join([head, *LINES, "", *shown, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
