"""The codebook tab in the browser."""

import re
from urllib.parse import parse_qs, urlparse

import pytest
from browsing import (
    desktop_only,
    leave_for,
    open_accordion,
    pixels,
    set_slider,
    visit,
    wait_for,
    wait_for_change,
    wait_until,
)
from playwright.sync_api import Page

from aevq_hub.explore import codebook, codebook_map
from aevq_hub.explore.codebook import Codebook


def shown(page) -> list[int]:
    """The vectors shown in the gallery, in order."""
    buttons = page.locator("#codebook_gallery button")
    return [int(number) for number in buttons.evaluate_all("all => all.map(button => button.dataset.vector)")]


def wait_until_shown(page, wanted: list[int]) -> None:
    wait_until(page, lambda: shown(page) == wanted, f"the gallery does not show {wanted}")


def open_tab(page: Page, page_url: str, **link) -> Page:
    query = "&".join(f"{name}={value}" for name, value in link.items())
    visit(page, f"{page_url}/?tab=codebook&{query}")
    page.locator("#codebook_point_picture img").wait_for()
    return page


@pytest.mark.browser
def test_gallery_is_filtered_sorted_and_selected_from(empty_page, page_url):
    page = open_tab(empty_page, page_url, model="ema-fashionmnist")
    page.locator("#codebook_health").get_by_text("37 dead").wait_for()
    wait_until_shown(page, codebook.order(Codebook("ema-fashionmnist")))
    page.locator("#codebook_show").get_by_label("in use").click()
    wait_until_shown(page, codebook.order(Codebook("ema-fashionmnist", show="used")))
    page.locator("#codebook_sort").get_by_label("index", exact=True).click()
    used = codebook.order(Codebook("ema-fashionmnist", show="used", sort="index"))
    wait_until_shown(page, used)
    assert len(used) == 13
    panel, vector, live = (
        page.locator("#codebook_panel"),
        pixels(page, "codebook_vector"),
        pixels(page, "codebook_live"),
    )
    button = page.locator(f"#codebook_gallery button[data-vector='{used[3]}']")
    button.click()
    panel.get_by_role("heading", name=f"Vector {used[3]}").wait_for()
    panel.get_by_text(re.compile(r"nearest vector of \d+\.\d\d%")).wait_for()
    wait_for_change(page, "codebook_vector", vector)
    wait_for_change(page, "codebook_live", live)
    page.locator(f"#codebook_gallery button[data-vector='{used[3]}'][aria-pressed=true]").wait_for()
    assert page.locator("#codebook_gallery button[aria-pressed=true]").count() == 1
    page.locator("#codebook_show").get_by_label("duplicates").click()
    page.locator("#codebook_gallery").get_by_text("No vector of this model is a duplicate.").wait_for()


@pytest.mark.browser
@desktop_only
def test_vectors_are_selected_by_keyboard_and_by_number(empty_page, page_url):
    page = open_tab(empty_page, page_url, model="codebook-mnist", sort="index", vector="4")
    button = page.locator("#codebook_gallery button[tabindex='0']")
    assert button.count() == 1 and button.get_attribute("data-vector") == "4"
    button.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    panel = page.locator("#codebook_panel")
    panel.get_by_role("heading", name="Vector 5").wait_for()
    assert page.evaluate("document.activeElement.dataset.vector") == "5"  # the focus stays
    set_slider(page, "codebook_number", 11)
    panel.get_by_role("heading", name="Vector 11").wait_for()
    page.locator("#codebook_gallery button[data-vector='11'][aria-pressed=true]").wait_for()
    near = panel.locator("button[data-vector]").first
    number = near.get_attribute("data-vector")
    near.click()
    panel.get_by_role("heading", name=f"Vector {number}", exact=True).wait_for()


@pytest.mark.browser
def test_slider_moves_from_the_start_to_the_vector(empty_page, page_url):
    page = open_tab(empty_page, page_url, model="vqae-fashionmnist", vector="20")
    start, vector, half = (pixels(page, f"codebook_{name}") for name in ("start", "vector", "live"))
    assert len({start, vector, half}) == 3
    set_slider(page, "codebook_way", 0)
    wait_for(page, "codebook_live", start)
    set_slider(page, "codebook_way", 0.5)
    wait_for(page, "codebook_live", half)
    set_slider(page, "codebook_way", 1)
    wait_for_change(page, "codebook_live", half)
    sample = page.locator("#codebook_panel button.sample").last
    token = sample.get_attribute("data-start")
    sample.click()
    wait_for_change(page, "codebook_start", start)
    box = page.locator("#codebook_start_token textarea, #codebook_start_token input")
    assert box.input_value() == token
    page.locator("#codebook_starts button.thumbnail-item").nth(8).click()
    page.locator("#codebook_start img[alt*='sample:8']").wait_for()


@pytest.mark.browser
def test_map_points_and_vectors_are_selected_by_click(empty_page, page_url):
    page = open_tab(empty_page, page_url, model="ema-mnist")
    settings, plane = Codebook("ema-mnist"), codebook_map.load_map("ema-mnist")
    map_ = page.locator("#codebook_map svg")
    map_.scroll_into_view_if_needed()

    def click(place):
        side = map_.bounding_box()["width"]
        x, y = ((20 + share * 560) / 600 * side for share in place.tolist())
        map_.click(position={"x": x, "y": y})

    point = next(i for i in range(40, 700) if codebook_map.at(settings, *plane.points[i].tolist()) == ("point", i))
    before = pixels(page, "codebook_point_picture")
    click(plane.points[point])
    wait_for_change(page, "codebook_point_picture", before)
    page.locator("#codebook_point_picture").get_by_text(f"Point {point}, class {plane.classes[point]}").wait_for()
    assert page.locator("#codebook_point input[type=number]").input_value() == str(point)
    click(plane.vectors[30])
    page.locator("#codebook_panel").get_by_role("heading", name="Vector 30").wait_for()
    page.locator("#codebook_gallery button[data-vector='30'][aria-pressed=true]").wait_for()
    map_.get_by_text("vector 30").wait_for()
    set_slider(page, "codebook_point", 3)
    page.locator("#codebook_point_picture").get_by_text(f"Point 3, class {plane.classes[3]}").wait_for()
    page.locator("#codebook_point_picture button[data-vector]").click()
    nearest = plane.nearest[3]
    page.locator("#codebook_panel").get_by_role("heading", name=f"Vector {nearest}", exact=True).wait_for()


@pytest.mark.browser
@desktop_only
def test_changing_model_updates_link_and_python_code(empty_page, page_url):
    page = open_tab(empty_page, page_url, model="ema-mnist", vector="49", point="12")
    vector = pixels(page, "codebook_vector")
    page.locator("#codebook_dataset").get_by_label("CelebA", exact=True).click()
    wait_for_change(page, "codebook_vector", vector)  # the same variant
    page.locator("#codebook_about").get_by_text("64 × 64 pixels").wait_for()
    page.locator("#codebook_map").get_by_text("each in the colour of its nearest vector").wait_for()
    open_accordion(page, "codebook_python")
    page.locator("#codebook_code").get_by_text('AEVQ.from_pretrained("ema-celeba")').wait_for()
    set_slider(page, "codebook_way", 0.25)
    page.locator("#codebook_code").get_by_text("z = z.lerp(v, 0.25)").wait_for()
    live = pixels(page, "codebook_live")
    page.locator("#codebook_link").click()
    page.locator("#codebook_said").get_by_role("status").wait_for()
    link = parse_qs(urlparse(page.url).query)
    assert {key: link[key] for key in ("tab", "model", "vector", "way", "sort", "show")} == {
        "tab": ["codebook"], "model": ["ema-celeba"], "vector": ["0"], "way": ["0.25"], "sort": ["use"],
        "show": ["all"],
    }  # fmt: skip
    leave_for(page, page.url)
    wait_for(page, "codebook_live", live)
    assert page.locator("#codebook_way input[type=number]").input_value() == "0.25"
