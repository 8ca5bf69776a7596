"""The tab Codebook in the browser."""

import re

import pytest
from browsing import (
    address,
    both_sizes,
    choose,
    code,
    leave_for,
    pixels,
    set_slider,
    settle,
    shows,
    visit,
    wait_for_address,
    wait_for_change,
    wait_until,
)
from playwright.sync_api import Page, expect

from aevq_hub.demo.codebook import compute
from aevq_hub.demo.codebook import map as map_
from aevq_hub.demo.codebook.settings import Codebook

pytestmark = pytest.mark.browser


def wait_until_shown(page: Page, wanted: list[int]) -> None:
    """Wait until the gallery shows vectors in an order."""
    buttons = page.locator("#codebook_gallery button")
    read = "all => all.map(button => Number(button.dataset.vector))"
    wait_until(page, lambda: buttons.evaluate_all(read) == wanted, f"the gallery does not show {wanted}")


def chosen(page: Page, vector: int) -> None:
    """Wait until a vector is the chosen one everywhere."""
    page.locator("#codebook_panel").get_by_role("heading", name=f"Vector {vector}", exact=True).wait_for()
    expect(page.locator("#codebook_gallery button[aria-pressed=true]")).to_have_attribute("data-vector", str(vector))
    page.locator("#codebook_map svg").get_by_text(f"vector {vector}", exact=True).wait_for()
    expect(page.locator("#codebook_number input[type=number]")).to_have_value(str(vector))


def open_codebook(page: Page, page_url: str, **link) -> Page:
    query = "&".join(f"{name}={value}" for name, value in link.items())
    visit(page, f"{page_url}/?tab=codebook&{query}")
    page.locator("#codebook_point_picture img").first.wait_for()
    return page


@both_sizes
def test_gallery_is_filtered_sorted_and_chosen_from(empty_page, page_url):
    page = open_codebook(empty_page, page_url, model="ema-fashionmnist")
    expect(page.locator("#codebook_health")).to_contain_text("37 dead")
    wait_until_shown(page, compute.order(Codebook("ema-fashionmnist")))
    page.locator("#codebook_show").get_by_label("in use").click()
    wait_until_shown(page, compute.order(Codebook("ema-fashionmnist", show="used")))
    page.locator("#codebook_sort").get_by_label("index", exact=True).click()
    used = compute.order(Codebook("ema-fashionmnist", show="used", sort="index"))
    wait_until_shown(page, used)
    assert len(used) == 13
    page.locator(f"#codebook_gallery button[data-vector='{used[3]}']").click()
    chosen(page, used[3])
    expect(page.locator("#codebook_panel")).to_contain_text(re.compile(r"nearest vector of \d+\.\d\d%"))
    settings = Codebook("ema-fashionmnist", vector=used[3])
    shows(page, "codebook_vector", compute.vector(settings))
    shows(page, "codebook_live", compute.picture(settings))
    page.locator("#codebook_show").get_by_label("duplicates").click()
    page.locator("#codebook_gallery").get_by_text("No vector of this model is a duplicate.").wait_for()


def test_vectors_are_chosen_by_keyboard_and_by_number(empty_page, page_url):
    page = open_codebook(empty_page, page_url, model="codebook-mnist", sort="index", vector="4")
    button = page.locator("#codebook_gallery button[tabindex='0']")
    assert button.count() == 1 and button.get_attribute("data-vector") == "4"
    button.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    chosen(page, 5)
    assert page.evaluate("document.activeElement.dataset.vector") == "5"  # the focus stays
    set_slider(page, "codebook_number", 11)
    chosen(page, 11)
    near = page.locator("#codebook_panel button[data-vector]").first
    number = int(near.get_attribute("data-vector"))
    near.click()
    chosen(page, number)


@both_sizes
def test_slider_moves_from_the_picture_to_the_vector(empty_page, page_url):
    page, model = open_codebook(empty_page, page_url, model="vqae-fashionmnist", vector="20"), "vqae-fashionmnist"
    start = pixels(page, "codebook_start")
    for way in (0, 1, 0.5):
        set_slider(page, "codebook_way", way)
        shows(page, "codebook_live", compute.picture(Codebook(model, vector=20, way=float(way))))
    wait_for_address(page, way="")
    sample = page.locator("#codebook_panel button.sample").last
    name = sample.get_attribute("data-start")
    sample.click()
    wait_for_address(page, start=name)
    wait_for_change(page, "codebook_start", start)
    assert page.locator("#bar .samples [aria-pressed=true]").get_attribute("data-start") == name
    choose(page, start="sample:8")
    shows(page, "codebook_start", compute.start(Codebook(model, "sample:8")))
    shows(page, "codebook_live", compute.picture(Codebook(model, "sample:8", vector=20)))


def test_another_model_begins_with_its_most_used_vector(empty_page, page_url):
    page = open_codebook(empty_page, page_url, model="codebook-mnist", vector=3, point=7)
    chosen(page, 3)
    choose(page, start="sample:2")
    chosen(page, 3)
    choose(page, model="ema-mnist")
    chosen(page, Codebook("ema-mnist").vector)
    expect(page.locator("#codebook_point input[type=number]")).to_have_value("0")
    choose(page, set="fashionmnist")
    chosen(page, Codebook("ema-fashionmnist").vector)


@both_sizes
def test_points_and_vectors_of_the_map_are_chosen_by_click(empty_page, page_url):
    page = open_codebook(empty_page, page_url, model="ema-mnist")
    settings, plane = Codebook("ema-mnist"), map_.load_map("ema-mnist")
    shown = page.locator("#codebook_map svg")
    shown.scroll_into_view_if_needed()

    def click(place) -> None:
        side = shown.bounding_box()["width"]
        x, y = ((20 + share * 560) / 600 * side for share in place.tolist())
        shown.click(position={"x": x, "y": y})

    point = next(i for i in range(40, 700) if map_.at(settings, *plane.points[i].tolist()) == ("point", i))
    picture = page.locator("#codebook_point_picture")
    click(plane.points[point])
    picture.get_by_text(f"Point {point}, class {plane.classes[point]}").wait_for()
    shows(page, "codebook_point_picture", map_.point(Codebook("ema-mnist", point=point)))
    expect(page.locator("#codebook_point input[type=number]")).to_have_value(str(point))
    click(plane.vectors[30])
    chosen(page, 30)
    picture.get_by_text(f"Point {point}, class {plane.classes[point]}").wait_for()
    set_slider(page, "codebook_point", 3)
    picture.get_by_text(f"Point 3, class {plane.classes[3]}").wait_for()
    picture.locator("button[data-vector]").click()
    chosen(page, plane.nearest[3])


def test_changing_the_data_set_updates_link_and_python(empty_page, page_url):
    page = open_codebook(empty_page, page_url, model="ema-mnist", vector="49", point="12")
    choose(page, set="celeba")
    chosen = Codebook("ema-celeba").vector  # of the same variant the most used one
    shows(page, "codebook_vector", compute.vector(Codebook("ema-celeba", vector=chosen)))
    expect(page.locator("#codebook_map")).to_contain_text("each in the colour of its nearest vector")
    expect(code(page)).to_contain_text('AEVQ.from_pretrained("ema-celeba")')
    set_slider(page, "codebook_way", 0.25)
    expect(code(page)).to_contain_text("z = z.lerp(v, 0.25)")
    settings = Codebook("ema-celeba", vector=chosen, way=0.25)
    shows(page, "codebook_live", compute.picture(settings))
    wait_for_address(page, tab="codebook", model="ema-celeba", vector="", way="0.25")
    settle(page)
    leave_for(page, page.url)
    shows(page, "codebook_live", compute.picture(settings))
    expect(page.locator("#codebook_way input[type=number]")).to_have_value("0.25")
    choose(page, model="center-celeba")  # a single vector
    wait_for_address(page, model="center-celeba", vector="")
    shows(page, "codebook_vector", compute.vector(Codebook("center-celeba")))
    expect(page.locator("#codebook_number")).to_be_hidden()
    choose(page, model="ae-celeba")  # which has none
    expect(page.locator("#bar .note")).to_contain_text("cannot do this")
    assert address(page)["model"] == "ae-celeba"
