"""The perturbation and interpolation tabs in the browser, and links to them."""

import re
from urllib.parse import parse_qs, urlparse

import pytest
from browsing import (
    desktop_only,
    leave_for,
    open_accordion,
    open_tab,
    pick_model,
    pixels,
    set_slider,
    settle,
    visit,
    wait_for,
    wait_for_change,
)
from PIL import Image


@pytest.mark.browser
def test_slider_changes_the_picture_and_back(page):
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
    page.locator("#curve svg[aria-label*='at a shift of 2.9']").first.wait_for()  # the marker moves along
    set_slider(page, "shift", 0)
    wait_for(page, "live", start)
    assert pixels(page, "start") == start


@pytest.mark.browser
@desktop_only
def test_several_sliders_add_up_and_reset(page):
    start = pixels(page, "start")
    open_accordion(page, "several")
    set_slider(page, "mix_2", 2)
    one = wait_for_change(page, "live", start)
    set_slider(page, "shift", -2)
    both = wait_for_change(page, "live", one)
    set_slider(page, "mix_2", 0)
    alone = wait_for_change(page, "live", both)
    assert len({start, one, both, alone}) == 4
    page.locator("#shift").get_by_role("button", name=re.compile("reset", re.I)).click()
    wait_for(page, "live", start)


@pytest.mark.browser
@desktop_only
def test_unit_and_range_of_the_sliders_can_be_changed(page):
    sheet = pixels(page, "sheet")
    page.get_by_label("as in the paper", exact=False).first.click()
    wait_for_change(page, "sheet", sheet)
    page.get_by_label("±300").click()
    page.locator("#shift input[type=range][max='300']").wait_for()
    page.locator("#curve").get_by_text("+300").first.wait_for()
    set_slider(page, "shift", 300)
    wait_for_change(page, "live", pixels(page, "start"))


@pytest.mark.browser
def test_changing_start_or_model_changes_every_picture(page):
    start, sheet = pixels(page, "start"), pixels(page, "sheet")
    page.locator("#perturbation_starts button.thumbnail-item").nth(3).click()
    start_2 = wait_for_change(page, "start", start)
    sheet_2 = wait_for_change(page, "sheet", sheet)
    assert (
        page.locator("#perturbation_start_token textarea, #perturbation_start_token input").input_value() == "sample:3"
    )
    pick_model(page, "perturbation", "CelebA", "^Autoencoder pulled to zero")
    wait_for_change(page, "start", start_2)
    wait_for_change(page, "sheet", sheet_2)
    page.locator("#perturbation_about").get_by_text("64 × 64 pixels").wait_for()
    assert not page.locator("#perturbation_draw").is_visible()  # sketches are offered for grey pictures only


@pytest.mark.browser
@desktop_only
def test_random_start_is_reproduced_from_its_token(page):
    start = pixels(page, "start")
    page.locator("#perturbation_random").click()
    random_picture = wait_for_change(page, "start", start)
    box = page.locator("#perturbation_start_token textarea, #perturbation_start_token input")
    name = box.input_value()
    assert re.fullmatch(r"random:\d+", name)
    box.fill("sample:0")
    box.press("Enter")
    wait_for(page, "start", start)
    box.fill(name)
    box.press("Enter")
    wait_for(page, "start", random_picture)
    settle(page)
    box.fill("nonsense")
    box.press("Enter")
    page.get_by_text("give sample:N").wait_for()
    settle(page)
    assert page.get_by_text("give sample:N").count() == 1  # reported once, and the picture stays
    assert pixels(page, "start") == random_picture


@pytest.mark.browser
def test_grid_cell_is_selected_by_click_or_by_number(page):
    before = pixels(page, "start")
    pick_model(page, "perturbation", "FashionMNIST", "^VQ-AE")
    wait_for_change(page, "start", before)
    page.locator("#row input[type=number]").wait_for()
    frame = page.locator("#start [data-cells='7']")
    size = frame.bounding_box()["width"]
    frame.click(position={"x": size * 1.5 / 7, "y": size * 5.5 / 7})
    page.locator("#start .cell[style*='left:14.286%;top:71.429%']").wait_for()
    values = [page.locator(f"#{name} input[type=number]").input_value() for name in ("row", "column")]
    assert values == ["6", "2"]
    sheet = pixels(page, "sheet")
    set_slider(page, "row", 3)
    page.locator("#start .cell[style*='left:14.286%;top:28.571%']").wait_for()
    wait_for_change(page, "sheet", sheet)


@pytest.mark.browser
def test_sketch_becomes_the_start(page):
    start = pixels(page, "start")
    open_accordion(page, "perturbation_draw")
    pad = page.locator("#perturbation_sketch canvas")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"]
    page.mouse.move(x, y + 30)
    page.mouse.down()
    page.mouse.move(x, y + box["height"] - 30, steps=5)
    page.mouse.up()
    wait_for_change(page, "start", start)
    token = page.locator("#perturbation_start_token textarea, #perturbation_start_token input").input_value()
    assert token.startswith("image:")


@pytest.mark.browser
@desktop_only
def test_uploaded_image_becomes_the_start(page, tmp_path):
    Image.radial_gradient("L").save(tmp_path / "mine.png")
    start = pixels(page, "start")
    open_accordion(page, "perturbation_bring")
    page.locator("#perturbation_upload input[type=file]").set_input_files(tmp_path / "mine.png")
    mine = wait_for_change(page, "start", start)
    page.locator("#perturbation_invert input").click()
    inverted = wait_for_change(page, "start", mine)
    (tmp_path / "broken.png").write_text("no picture")
    page.locator("#perturbation_upload").get_by_role("button", name="Remove Image").click()
    page.locator("#perturbation_upload input[type=file]").set_input_files(tmp_path / "broken.png")
    page.get_by_text("cannot be read as an image").wait_for()
    assert pixels(page, "start") == inverted


@pytest.mark.browser
def test_interpolation_between_two_and_four_pictures(page):
    pixels(page, "start")  # the model is loaded
    open_tab(page, "Interpolation")
    strip, corners = pixels(page, "strip"), pixels(page, "corners")
    set_slider(page, "steps", 5)
    strip_2 = wait_for_change(page, "strip", strip)
    page.locator("#interpolation_place").get_by_label("End", exact=True).click()
    page.locator("#interpolation_starts button.thumbnail-item").nth(5).click()
    strip_3 = wait_for_change(page, "strip", strip_2)
    corners_2 = wait_for_change(page, "corners", corners)
    page.get_by_label("along the arc (slerp)").click()
    strip_4 = wait_for_change(page, "strip", strip_3)
    page.locator("#interpolation_place").get_by_label("Fourth corner").click()
    page.locator("#interpolation_starts button.thumbnail-item").nth(8).click()
    wait_for_change(page, "corners", corners_2)
    assert pixels(page, "strip") == strip_4


@pytest.mark.browser
@desktop_only
def test_interpolation_is_compared_and_animated(page):
    pixels(page, "start")
    open_tab(page, "Interpolation")
    strip = pixels(page, "strip")
    page.locator("#other input").click()
    page.get_by_role("option", name=re.compile("^Variational")).click()
    assert pixels(page, "other_strip") != strip
    still = pixels(page, "animation")
    page.locator("#play").click()
    moving = wait_for_change(page, "animation", still)
    assert moving[8:12] == b"WEBP" and b"ANIM" in moving
    assert page.locator("#animation a[download$='.webp']").get_attribute("href").startswith("data:image/webp")
    page.locator("#stop").click()
    wait_for(page, "animation", still)


@pytest.mark.browser
@desktop_only
def test_link_restores_the_settings(page, page_url):
    start = pixels(page, "start")
    page.locator("#perturbation_starts button.thumbnail-item").nth(7).click()
    wait_for_change(page, "start", start)
    set_slider(page, "rank", 2)
    set_slider(page, "shift", 1.5)
    page.locator("#curve svg[aria-label*='at a shift of 1.5']").first.wait_for()
    settle(page)
    shifted = pixels(page, "live")
    page.locator("#perturbation_link").click()
    page.locator("#perturbation_said").get_by_role("status").wait_for()
    link = parse_qs(urlparse(page.url).query)
    assert {name: link[name] for name in ("tab", "model", "start", "rank", "shift")} == {
        "tab": ["perturbation"], "model": ["center-mnist"], "start": ["sample:7"], "rank": ["2"], "shift": ["1.5"],
    }  # fmt: skip
    leave_for(page, page.url)
    wait_for(page, "live", shifted)
    leave_for(
        page, f"{page_url}/?tab=interpolation&model=vae-fashionmnist&start=random:5&end=sample:9&steps=4&mode=slerp"
    )
    strip = pixels(page, "strip")
    assert page.locator("#steps input[type=number]").input_value() == "4"
    assert "vae-fashionmnist on the way from random:5 to sample:9" in page.locator("#strip img").get_attribute("alt")
    page.locator("#interpolation_link").click()
    page.locator("#interpolation_said").get_by_role("status").wait_for()
    leave_for(page, page.url)
    wait_for(page, "strip", strip)


@pytest.mark.browser
@desktop_only
def test_invalid_link_values_are_reported_and_the_page_works(empty_page, page_url):
    page = empty_page
    visit(page, f"{page_url}/?tab=perturbation&model=nothing&rank=9999&shift=NaN&start=sample:3")
    page.locator("#problem").get_by_text("unknown model 'nothing'").wait_for()
    page.locator("#problem").get_by_text("shift is nan").wait_for()
    page.locator('#start img[alt*="sample:3"]').wait_for()
    leave_for(page, f"{page_url}/?model=[x](https://a.example)&unit=<a href=//a.example>")
    page.locator("#problem").get_by_text("unknown model '[x](https://a.example)'").wait_for()
    assert page.locator("#problem a").count() == 0
    leave_for(page, f"{page_url}/?tab=nowhere")
    page.locator("#problem").get_by_text("unknown tab 'nowhere'; choose from perturbation, interpolation").wait_for()


@pytest.mark.browser
@desktop_only
def test_python_code_follows_the_settings(page):
    pixels(page, "start")
    open_accordion(page, "perturbation_python")
    code = page.locator("#perturbation_code")
    code.get_by_text('AEVQ.from_pretrained("center-mnist")').wait_for()
    set_slider(page, "shift", 2)
    code.get_by_text("latent.perturb(z, step, 2.0)").wait_for()
