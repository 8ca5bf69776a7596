"""The tab Morph in the browser: the way between two pictures, compared and moving, and a sheet between four."""

import pytest
from browsing import (
    alt,
    both_sizes,
    choose,
    code,
    image,
    open_accordion,
    pixels,
    set_slider,
    shows,
    unfold,
    visit,
    wait_for_address,
    wait_for_change,
)
from playwright.sync_api import expect

from aevq_hub.demo.morph import compute
from aevq_hub.demo.morph.settings import Morph

pytestmark = pytest.mark.browser
MODEL = "center-mnist"


@pytest.fixture
def way(empty_page, page_url):
    """The page with the tab open."""
    visit(empty_page, f"{page_url}/?tab=morph&model={MODEL}")
    shows(empty_page, "path", compute.strip(Morph(MODEL)))
    return empty_page


@both_sizes
def test_way_follows_both_pictures_steps_and_mode(way):
    choose(way, place="second")
    choose(way, start="sample:5")
    shows(way, "path", compute.strip(Morph(MODEL, second="sample:5")))
    assert way.locator("#bar [data-place=second]").get_attribute("aria-checked") == "true"
    set_slider(way, "steps", 5)
    shows(way, "path", compute.strip(Morph(MODEL, second="sample:5", steps=5)))
    way.get_by_label("arc (slerp)").click()
    shows(way, "path", compute.strip(Morph(MODEL, second="sample:5", steps=5, mode="slerp")))
    choose(way, place="start")
    choose(way, start="sample:2")
    shows(way, "path", compute.strip(Morph(MODEL, "sample:2", "sample:5", steps=5, mode="slerp")))
    wait_for_address(way, start="sample:2", second="sample:5", steps="5", mode="slerp")
    expect(code(way)).to_contain_text('steps=5, mode="slerp"')


def test_way_is_compared_and_moves(way):
    moving = pixels(way, "animation")
    assert moving[8:12] == b"WEBP" and image(moving).is_animated
    still = way.locator("#animation source").get_attribute("srcset")
    assert still.startswith("data:image/png")  # for those who want less motion
    way.locator("#other input").click()
    way.get_by_role("option", name="VAE", exact=True).click()
    shows(way, "other_path", compute.other_strip(Morph(MODEL, other="vae-mnist")))
    assert "by vae-mnist" in alt(way, "other_path")
    choose(way, start="sample:4")
    wait_for_change(way, "animation", moving)
    shows(way, "other_path", compute.other_strip(Morph(MODEL, "sample:4", other="vae-mnist")))
    choose(way, set="fashionmnist")  # where the other model is none of the same data set
    wait_for_address(way, model="center-fashionmnist", other="")
    expect(way.locator("#other_path img")).to_have_count(0)


def test_sheet_has_four_corners(way):
    unfold(way, "corners")
    shows(way, "corners", compute.four_corners(Morph(MODEL)))
    open_accordion(way, "morph_advanced")
    third, fourth = way.locator("#third input"), way.locator("#fourth input")
    fourth.fill("random:7")
    fourth.press("Enter")
    shows(way, "corners", compute.four_corners(Morph(MODEL, fourth="random:7")))
    wait_for_address(way, fourth="random:7")
    third.click()
    way.locator("#third").get_by_role("option", name="sample:8").click()
    shows(way, "corners", compute.four_corners(Morph(MODEL, third="sample:8", fourth="random:7")))
    before = pixels(way, "corners")
    fourth.fill("nonsense")
    fourth.press("Enter")
    way.get_by_text("give sample:N").first.wait_for()
    assert pixels(way, "corners") == before
