"""The tab Turn in the browser: sliders, the strip, the sheet, units, and cells of grids."""

import re

import pytest
from browsing import (
    address,
    alt,
    both_sizes,
    choose,
    code,
    image,
    is_moving,
    knob,
    leave_for,
    open_accordion,
    pixels,
    set_slider,
    settle,
    shows,
    unfold,
    visit,
    wait_for,
    wait_for_address,
    wait_for_change,
    wait_until,
)
from playwright.sync_api import expect

from aevq_hub.demo.turn import compute
from aevq_hub.demo.turn.settings import Turn

pytestmark = pytest.mark.browser


def turn(mix: str = "", **settings) -> Turn:
    return Turn("center-mnist", mix=mix, **settings)


@pytest.fixture
def digits(empty_page, page_url):
    """The page with a digit, of 28 × 28 pixels."""
    visit(empty_page, f"{page_url}/?tab=turn&model=center-mnist")
    return empty_page


@both_sizes
def test_slider_changes_the_picture_and_back(page):
    assert is_moving(page)  # until a slider is touched
    first = Turn()
    knob(page, 0).fill("2")
    shows(page, "result", compute.picture(Turn(mix="2")))
    wait_for_address(page, mix="2,0,0,0,0,0")
    meter = page.locator("#result .meter")
    assert f"{compute.unusual(Turn(mix='2')):.1f} times the typical distance" in meter.get_attribute("aria-label")
    slider = knob(page, 0, "range")
    slider.press("ArrowLeft")  # one step back
    shows(page, "result", compute.picture(Turn(mix="1.9")))
    assert knob(page, 0).input_value() == slider.input_value() == "1.9"
    assert slider.evaluate("slider => slider === document.activeElement")
    knob(page, 0).fill("0")
    shows(page, "result", compute.picture(first))
    wait_for_address(page, mix="")
    assert "nothing" in alt(page, "result")


def test_sliders_add_up_and_are_reset(digits):
    page = digits
    knob(page, 1).fill("2")
    shows(page, "result", compute.picture(turn("0,2")))
    knob(page, 3).fill("-1.5")
    shows(page, "result", compute.picture(turn("0,2,0,-1.5")))
    page.locator("#strip button").nth(3).click()  # half of the way to the second picture
    shows(page, "result", compute.picture(turn("0,2,0,-1.5", way=0.5)))
    assert page.locator("#knobs input[type=number][data-name=way]").input_value() == "0.5"
    page.locator("#knobs button[data-reset]").click()
    shows(page, "result", compute.picture(turn()))
    numbers = page.locator("#knobs input")
    assert {float(value) for value in numbers.evaluate_all("all => all.map(box => box.value)")} == {0}
    wait_for_address(page, mix="", way="")
    expect(page.locator("#strip [aria-pressed=true]")).to_have_attribute("data-way", "0.000")


def test_fast_slider_ends_with_the_last_value(digits):
    slider = knob(digits, 0, "range")
    slider.focus()
    for _ in range(25):
        slider.press("ArrowRight")
    shows(digits, "result", compute.picture(turn("2.5")))
    wait_for_address(digits, mix="2.5,0,0,0,0,0")
    settle(digits)
    shows(digits, "result", compute.picture(turn("2.5")))


def test_number_out_of_range_becomes_the_nearest_in_it(digits):
    box = knob(digits, 0)
    box.fill("-99")
    box.press("Tab")
    shows(digits, "result", compute.picture(turn("-3")))
    assert box.input_value() == knob(digits, 0, "range").input_value() == "-3"
    wait_for_address(digits, mix="-3,0,0,0,0,0")


def test_unit_range_and_single_numbers_can_be_changed(digits):
    page = digits
    page.locator("#knobs button[data-basis=numbers]").click()
    expect(page.locator("#knobs [aria-checked=true]")).to_have_text("Single numbers")
    knob(page, 0).fill("2")
    shows(page, "result", compute.picture(turn("2", basis="numbers")))
    open_accordion(page, "advanced")
    page.get_by_label("raw units, as in the paper").click()
    shows(page, "result", compute.picture(turn("2", basis="numbers", unit="raw")))
    expect(page.locator("#knobs small")).to_contain_text("raw units")
    page.get_by_label("±300").click()
    expect(knob(page, 0, "range")).to_have_attribute("max", "300")
    curve = unfold(page, "curve")
    curve.get_by_text("+300").first.wait_for()
    set_slider(page, "rank", 3)
    set_slider(page, "shift", 120)
    shows(page, "result", compute.picture(turn("2", basis="numbers", unit="raw", rank=3, shift=120.0, reach=300)))
    curve.locator("svg[aria-label*='at a shift of 120']").first.wait_for()  # the marker moves along
    page.locator("#shift").get_by_role("button", name=re.compile("reset", re.I)).click()
    shows(page, "result", compute.picture(turn("2", basis="numbers", unit="raw")))
    assert address(page) == {"tab": "turn", "model": "center-mnist", "basis": "numbers", "unit": "raw", "reach": "300",
                             "rank": "3", "mix": "2,0,0,0,0,0"}  # fmt: skip


def test_changing_picture_or_model_changes_every_picture(digits):
    page = digits
    sheet = unfold(page, "sheet")
    expect(sheet.locator("button")).to_have_count(42)
    parts = ("start", "result", "strip")

    def sources() -> list[str]:
        pictures = [page.locator(f"#{name} img").first for name in parts] + [sheet.locator("img").nth(20)]
        return [picture.get_attribute("src") for picture in pictures]

    seen = [sources()]

    def all_change(same: int = 0) -> None:
        wait_until(page, lambda: sum(map(str.__eq__, sources(), seen[-1])) <= same, "not every picture changed")
        seen.append(sources())

    choose(page, start="sample:3")
    all_change()
    assert page.locator("#bar .samples [aria-pressed=true]").get_attribute("data-start") == "sample:3"
    choose(page, model="zero-mnist")
    all_change(same=1)  # the original is the same
    assert sources()[0] == seen[1][0]
    choose(page, set="fashionmnist")
    all_change()
    assert page.locator("#bar .ladder [aria-checked=true]").get_attribute("data-model") == "zero-fashionmnist"


def test_picture_of_the_sheet_sets_its_slider(digits):
    page = digits
    knob(page, 0).fill("1")
    wait_for_address(page, mix="1,0,0,0,0,0")
    sheet = unfold(page, "sheet")
    tile = sheet.locator("button[data-column='2']").last
    shift = float(tile.get_attribute("data-shift"))
    assert shift < 0
    tile.click()
    shows(page, "result", compute.picture(turn(f"1,0,{shift}")))
    assert float(knob(page, 2).input_value()) == float(knob(page, 2, "range").input_value()) == shift


def test_generated_picture_is_reproduced_from_its_link(digits, page_url):
    page = digits
    before = pixels(page, "start")
    page.locator("#bar button[data-generate]").click()
    generated = wait_for_change(page, "start", before)
    settle(page)
    there, name = page.url, address(page)["start"]
    assert re.fullmatch(r"random:\d+", name)
    page.locator("#bar button[data-generate]").click()
    wait_for_change(page, "start", generated)
    leave_for(page, there)
    wait_for(page, "start", generated)
    shows(page, "result", compute.picture(turn(start=name)))


@both_sizes
def test_grid_cell_is_chosen_by_click_or_by_number(empty_page, page_url):
    page, model = empty_page, "vqae-fashionmnist"
    visit(page, f"{page_url}/?tab=turn&model={model}")
    frame = page.locator("#start [data-cells='7']")
    size = frame.bounding_box()["width"]
    frame.click(position={"x": size * 1.5 / 7, "y": size * 5.5 / 7})
    page.locator("#start .cell[style*='left:14.286%;top:71.429%']").wait_for()
    knob(page, 0).fill("3")
    shows(page, "result", compute.picture(Turn(model, mix="3", row=6, column=2)))
    open_accordion(page, "advanced")
    assert [page.locator(f"#{name} input[type=number]").input_value() for name in ("row", "column")] == ["6", "2"]
    set_slider(page, "row", 3)
    page.locator("#start .cell[style*='left:14.286%;top:28.571%']").wait_for()
    shows(page, "result", compute.picture(Turn(model, mix="3", row=3, column=2)))
    choose(page, model="center-fashionmnist")
    wait_for_address(page, model="center-fashionmnist", row="", column="")
    expect(page.locator("#row")).to_be_hidden()


def test_python_follows_the_settings_and_stays_open(digits):
    shown = code(digits)
    assert not shown.is_visible()
    digits.get_by_text("The Python that makes this picture").locator("visible=true").click()
    expect(shown).to_contain_text('AEVQ.from_pretrained("center-mnist")')
    knob(digits, 1).fill("2")
    expect(shown).to_contain_text("z = latent.perturb(z, step, 2.0)")
    assert shown.is_visible() and shown.text_content().startswith("# pip install aevq-hub")


def test_pictures_are_downloaded_at_a_useful_size(digits, page_url):
    page = digits
    knob(page, 0).fill("1")
    shows(page, "result", compute.picture(turn("1")))
    parts = (("turn", "result"), ("morph", "path"), ("codebook", "codebook_live"), ("grid", "editor"))
    for tab, part in parts:
        if tab != "turn":
            leave_for(page, f"{page_url}/?tab={tab}&model=vqae-mnist")
        with page.expect_download() as download:
            page.locator(f"#{part} .download").first.click()
        there = image(download.value.path().read_bytes())
        small = image(pixels(page, part))
        assert there.format == "PNG" and min(there.size) >= 512
        assert download.value.suggested_filename.endswith(".png") and "mnist" in download.value.suggested_filename
        assert there.resize(small.size, 0).convert("RGB").tobytes() == small.convert("RGB").tobytes()
