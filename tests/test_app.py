"""What the demo computes, and its page as a person uses it."""

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import torch
from PIL import Image

from aevq_hub import explore, pictures
from aevq_hub.hub import available_models

ROOT = Path(__file__).parent.parent
CELL = 86  # of a sheet: 28 pixels enlarged three times, and a gap of two


@pytest.fixture(scope="module")
def shown(trained):
    return explore.exhibit(str(trained))


def test_a_shift_of_zero_changes_nothing_and_a_shift_does(shown):
    start = explore.draw(shown.model, shown.z[0])
    assert start.size == (392, 392)
    assert explore.perturbed(shown.model, shown.z[0], 1, 0.0).tobytes() == start.tobytes()
    assert explore.perturbed(shown.model, shown.z[0], 1, 3.0).tobytes() != start.tobytes()


def test_the_sheet_s_middle_row_is_the_start(shown):
    sheet = pictures.perturbation(shown.model, shown.z[0])
    strip = pictures.perturbation(shown.model, shown.z[0], shifts=[0])
    top, cell = (sheet.height - 2) % CELL, CELL
    row = sheet.crop((sheet.width - 10 * cell, top + 3 * cell, sheet.width, top + 4 * cell))
    assert row.tobytes() == strip.crop((strip.width - 10 * cell, top, strip.width, top + cell)).tobytes()


def test_a_strip_s_ends_are_the_two_pictures(shown):
    strip = pictures.interpolation(shown.model, shown.z[:1], shown.z[1:2], 5)
    ends = [pictures.enlarge(image, 84) for image in shown.model.to_pil(shown.model.decode(shown.z[:2]))]
    assert strip.crop((2, 2, CELL, CELL)).convert("L").tobytes() == ends[0].tobytes()
    assert strip.crop((strip.width - CELL, 2, strip.width - 2, CELL)).convert("L").tobytes() == ends[1].tobytes()


def test_what_somebody_brings_is_encoded_or_explained(shown, tmp_path):
    image = tmp_path / "white.png"
    Image.new("RGB", (300, 200), "white").save(image)
    z = explore.encode_file(shown.model, image)
    assert z.shape == (shown.model.config.latent_dim,)
    assert not torch.equal(z, explore.encode_file(shown.model, image, invert=True))
    Image.new("1", (8_000, 8_000)).save(tmp_path / "large.png")
    with pytest.raises(ValueError, match="8000 × 8000 pixels; please bring one of at most 50 megapixels"):
        explore.encode_file(shown.model, tmp_path / "large.png")
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "half.png").write_bytes(image.read_bytes()[:60])
    for name in ("bomb.png", "text.png", "half.png"):
        with pytest.raises(ValueError, match="cannot be read as an image; please bring a PNG"):
            explore.encode_file(shown.model, tmp_path / name)
    with pytest.raises(ValueError, match="no dimension of rank 0"):
        explore.perturbed(shown.model, z, 0, 1.0)
    with pytest.raises(ValueError, match="finite"):
        explore.perturbed(shown.model, z, 1, float("nan"))


def test_every_shipped_model_can_be_shown(shipped):
    shown = explore.exhibit(shipped)
    assert len(shown.thumbnails) == len(shown.z) == 20
    assert shown.model.config.latent_dim == shown.z.shape[1]
    assert f"{shown.history['results']['mse']:.4f}" in shown.description
    start = explore.draw(shown.model, shown.z[0])
    assert explore.perturbed(shown.model, shown.z[0], 1, 0.0).tobytes() == start.tobytes()
    assert explore.perturbed(shown.model, shown.z[0], 1, explore.shifts(shown.model)[1]).tobytes() != start.tobytes()


@pytest.fixture(scope="module")
def page_url(tmp_path_factory):
    """The demo as its README starts it, on a port of its own and told by Gradio's environment variable."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("app") / "log"
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(port), "HF_HUB_OFFLINE": "1"}
    with log.open("w") as output:
        process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=output, stderr=output)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(url).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
        yield url
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in log.read_text()


@pytest.fixture(params=[(1280, 900), (375, 800)], ids=["desktop", "phone"])
def page(request, page_url):
    """The page in headless Chromium; afterwards, nothing may have gone wrong in it or left the machine."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None and not os.environ.get("CI"):
        pytest.skip("no Chromium here")
    from playwright.sync_api import sync_playwright

    width, height = request.param
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        page = browser.new_page(viewport={"width": width, "height": height})
        errors, requests = [], []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda sent: requests.append(sent.url))
        page.goto(page_url)
        yield page
        wide = page.evaluate("document.documentElement.scrollWidth")
        browser.close()
    assert errors == []
    assert [url for url in requests if not url.startswith((page_url, "data:", "blob:"))] == []
    assert wide <= width, "the page is wider than the screen"


def pixels(page, name: str) -> bytes:
    """What a picture of the page shows, once it is loaded and no longer changing."""
    image = page.locator(f"#{name} img")
    image.scroll_into_view_if_needed()
    image.wait_for()
    loaded = (
        "name => { const i = document.querySelector(`#${name} img`); return i && i.complete && i.naturalWidth > 0 }"
    )
    page.wait_for_function(loaded, arg=name)
    return page.request.get(image.get_attribute("src")).body()


def wait_for_change(page, name: str, before: bytes) -> bytes:
    for _ in range(100):
        now = pixels(page, name)
        if now != before:
            return now
        page.wait_for_timeout(100)
    raise AssertionError(f"the picture {name} did not change")


def set_slider(page, name: str, value: float) -> None:
    box = page.locator(f"#{name} input[type=number]")
    box.fill(str(value))
    box.press("Tab")


@pytest.mark.browser
def test_a_slider_changes_the_picture_and_back(page):
    start = pixels(page, "start")
    live = pixels(page, "live")
    assert live == start  # nothing is shifted yet
    set_slider(page, "shift", 3)
    shifted = wait_for_change(page, "live", live)
    slider = page.locator("#shift input[type=range]")
    slider.focus()
    slider.press("ArrowLeft")  # by keyboard, one step back
    wait_for_change(page, "live", shifted)
    assert page.locator("#shift input[type=number]").input_value() == "2.9"
    set_slider(page, "shift", 0)
    for _ in range(100):
        if pixels(page, "live") == start:
            break
        page.wait_for_timeout(100)
    assert pixels(page, "live") == pixels(page, "start") == start


@pytest.mark.browser
def test_another_start_and_another_model_change_every_picture(page):
    start, sheet = pixels(page, "start"), pixels(page, "sheet")
    page.locator("#starts button.thumbnail-item").nth(3).click()
    start_2 = wait_for_change(page, "start", start)
    sheet_2 = wait_for_change(page, "sheet", sheet)
    page.locator("#model input").click()
    page.get_by_role("option", name=re.compile("^CelebA: .*pulled to one learnable vector")).click()
    wait_for_change(page, "start", start_2)
    wait_for_change(page, "sheet", sheet_2)
    assert "CelebA" in page.locator("#model input").input_value()


@pytest.mark.browser
def test_a_walk_between_two_pictures(page):
    pixels(page, "start")  # the model is there
    page.get_by_role("tab", name="Interpolation").click()
    strip = pixels(page, "strip")
    set_slider(page, "steps", 5)
    strip_2 = wait_for_change(page, "strip", strip)
    page.locator("#ends button.thumbnail-item").nth(5).click()
    strip_3 = wait_for_change(page, "strip", strip_2)
    page.get_by_label("along the arc (slerp)").click()
    wait_for_change(page, "strip", strip_3)


@pytest.mark.browser
def test_an_image_of_one_s_own(page, tmp_path):
    Image.radial_gradient("L").save(tmp_path / "mine.png")
    start = pixels(page, "start")
    page.get_by_role("button", name=re.compile("bring an image of your own")).first.click()
    page.locator("input[type=file]").first.set_input_files(tmp_path / "mine.png")
    mine = wait_for_change(page, "start", start)
    page.get_by_label(re.compile("swap dark and bright")).first.click()
    inverted = wait_for_change(page, "start", mine)
    (tmp_path / "broken.png").write_text("no picture")
    page.locator("#starts_upload").get_by_role("button", name="Remove Image").click()
    page.locator("input[type=file]").first.set_input_files(tmp_path / "broken.png")
    page.get_by_text("cannot be read as an image").wait_for()
    assert pixels(page, "start") == inverted


def test_the_shipped_models_are_the_ones_that_the_readme_names():
    assert available_models()
    readme = (ROOT / "README.md").read_text()
    assert all(f"`{name}`" in readme for name in available_models())
