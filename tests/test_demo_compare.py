"""The ladder tab in the browser."""

import base64
import re

import pytest
from browsing import desktop_only, leave_for, open_accordion, pixels, set_slider, visit, wait_for, wait_for_change
from PIL import Image

from aevq_hub import explore
from aevq_hub.explore import ladder
from aevq_hub.explore.ladder import Ladder

pytestmark = pytest.mark.browser


def wait_until_complete(page, count: int) -> None:
    page.locator("#ladder_progress").get_by_text(f"All {count} variants are drawn").wait_for(timeout=60_000)


def shown(page) -> dict[str, list[bytes]]:
    """The pictures of each row, by model."""
    return {
        rung.get_attribute("data-model"): [
            base64.b64decode(image.get_attribute("src").partition("base64,")[2]) for image in rung.locator("img").all()
        ]
        for rung in page.locator(".rung").all()
    }


@pytest.fixture
def ladder_page(empty_page, page_url):
    """The page with the ladder open and complete."""
    page = empty_page
    visit(page, f"{page_url}/?tab=ladder")
    page.locator("#rung_1 .rung").wait_for()
    wait_until_complete(page, len(Ladder().models))
    return page


def test_every_variant_has_its_row_and_error(ladder_page):
    settings, found = Ladder(), shown(ladder_page)
    assert list(found) == settings.models and all(len(images) == 3 for images in found.values())
    for row in ladder.rows(settings):
        text = ladder_page.locator(f".rung[data-model={row.model}]").inner_text()
        assert explore.offers()[row.model].variant in text and f"{row.error:.4f}" in text
    pixels(ladder_page, "ladder_original")


def test_shift_changes_one_picture_per_row(ladder_page):
    before = shown(ladder_page)
    set_slider(ladder_page, "ladder_shift", -4)
    ladder_page.locator(f"#rung_{len(before)} figcaption").get_by_text("-4 σ").wait_for()
    wait_until_complete(ladder_page, len(before))
    for model, images in shown(ladder_page).items():
        assert images[0] == before[model][0] and images[1] != before[model][1] and images[2] == before[model][2]


def test_data_set_can_be_changed_and_image_uploaded(ladder_page, tmp_path):
    first = pixels(ladder_page, "ladder_original")
    ladder_page.locator("#ladder_dataset").get_by_label("CelebA", exact=True).click()
    ladder_page.locator(".rung[data-model=center-celeba]").wait_for()
    count = len(Ladder("center-celeba").models)
    wait_until_complete(ladder_page, count)
    assert ladder_page.locator(".rung").count() == count
    ladder_page.locator("#ladder_original").get_by_text("Not shown").wait_for()
    ladder_page.locator("#rung_1").get_by_text("over the test images").wait_for()
    assert not ladder_page.locator("#ladder_random").is_visible()
    Image.radial_gradient("L").save(tmp_path / "mine.png")
    open_accordion(ladder_page, "ladder_bring")
    ladder_page.locator("#ladder_upload input[type=file]").set_input_files(tmp_path / "mine.png")
    wait_for_change(ladder_page, "ladder_original", first)
    ladder_page.locator(f"#rung_{count}").get_by_text(re.compile(r"Mean squared error \d")).wait_for(timeout=60_000)


@desktop_only
def test_link_restores_the_ladder(empty_page, page_url):
    page = empty_page
    visit(page, f"{page_url}/?tab=ladder&model=vae-fashionmnist&start=sample:4&second=sample:7&shift=1.5")
    page.locator(".rung[data-model=vqae-fashionmnist]").wait_for()
    wait_until_complete(page, len(Ladder("vae-fashionmnist").models))
    before, original = shown(page), pixels(page, "ladder_original")
    assert page.locator("#ladder_shift input[type=number]").input_value() == "1.5"
    page.locator("#ladder_link").click()
    page.locator("#ladder_said").get_by_role("status").wait_for()
    leave_for(page, page.url)
    wait_for(page, "ladder_original", original)
    page.locator("#rung_1 .rung").wait_for()
    wait_until_complete(page, len(before))
    assert shown(page) == before


@desktop_only
def test_random_start_is_refused_with_one_sentence(ladder_page):
    box = ladder_page.locator("#ladder_start_token textarea, #ladder_start_token input")
    box.fill("random:3")
    box.press("Enter")
    ladder_page.get_by_text("which is another picture for every model; give sample:N").first.wait_for()
