"""The page as a whole in the browser: what is chosen once for all tabs, links, history, and pictures of one's own."""

import base64
from urllib.parse import urlencode

import pytest
from browsing import (
    SIZES,
    address,
    alt,
    both_sizes,
    choose,
    code,
    counted,
    image,
    is_moving,
    knob,
    leave_for,
    open_tab,
    pixels,
    settle,
    shows,
    visit,
    wait_for,
    wait_for_address,
    wait_for_change,
    wait_until,
)
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from aevq_hub.demo.codebook import compute as codebook
from aevq_hub.demo.codebook.settings import Codebook
from aevq_hub.demo.compare import compute as compare
from aevq_hub.demo.compare.settings import Compare
from aevq_hub.demo.grid import compute as grid
from aevq_hub.demo.grid.settings import Grid
from aevq_hub.demo.morph import compute as morph
from aevq_hub.demo.morph.settings import Morph
from aevq_hub.demo.shared import originals
from aevq_hub.demo.turn import compute as turn
from aevq_hub.demo.turn.settings import Turn

pytestmark = pytest.mark.browser
# the part of each tab that shows the chosen picture, under the tab's title
SHOWN = {"Turn": "result", "Morph": "path", "Codebook": "codebook_start", "Grid": "editor", "Compare": "rung_1"}
CODEBOOK = Codebook("ema-mnist", "sample:3", "sample:8", vector=30, sort="index", show="used", way=0.25, point=12)
CELLS = {"row": 1, "column": 1, "to_row": 2, "to_column": 3}
EDITED = Grid("vqvae-mnist", "sample:3", "sample:4", "1,1=17;2,2=@;7,7=-", **CELLS, code=17)
# settings that all differ from the defaults; the id of a picture, and the picture that Python makes
RESTORED = {
    "turn": (
        Turn("vae-celeba", "sample:3", "sample:8", "numbers", "1,0,-2,0,0,0.5", 0.25, 2, 1.5, "raw", 15),
        "result", turn.picture,
    ),
    "morph": (
        Morph("vae-fashionmnist", "random:5", "sample:9", "sample:4", "random:3", 4, "slerp", "ae-fashionmnist"),
        "path", morph.strip,
    ),
    "codebook": (CODEBOOK, "codebook_live", codebook.picture),
    "grid": (EDITED, "editor", grid.picture),
    "compare": (
        Compare("vae-mnist", "sample:4", "sample:7", -1.5),
        "rung_1", lambda s: originals.AEVQ.to_pil(compare.row(s, s.models[0]).reconstruction[None])[0],
    ),
}  # fmt: skip


@both_sizes
def test_chosen_face_is_the_same_in_every_tab_and_after_reload(page):
    choose(page, start="sample:5")
    for title, name in SHOWN.items():
        open_tab(page, title)
        wait_until(page, lambda name=name: "sample:5 " in alt(page, name), f"{title} shows {alt(page, name)}")
        assert address(page)["start"] == "sample:5" and address(page)["model"] == "center-celeba"
        assert page.locator("#bar .samples [aria-pressed=true]").get_attribute("data-start") == "sample:5"
    there = page.url
    page.reload()
    wait_until(page, lambda: "sample:5 " in alt(page, "rung_1"), "another picture after reloading")
    settle(page)
    assert page.url == there
    open_tab(page, "Turn")
    wait_until(page, lambda: "sample:5 " in alt(page, "result"), "another picture after reloading")


def test_back_and_forward_restore_earlier_states(page):
    visited = []

    def arrived(name: str, part: str, **wanted: str) -> None:
        wait_for_address(page, **wanted)
        wait_until(page, lambda: name in alt(page, part), f"{part} does not show {name}")
        visited.append((page.url, part, pixels(page, part)))

    choose(page, start="sample:4")
    arrived("sample:4 ", "result", tab="turn", start="sample:4", model="center-celeba")
    choose(page, model="vae-celeba")
    arrived("vae-celeba", "result", start="sample:4", model="vae-celeba")
    open_tab(page, "Morph")
    arrived("sample:4 to sample:1", "path", tab="morph", model="vae-celeba")
    choose(page, place="second")
    choose(page, start="sample:2")
    arrived("sample:4 to sample:2", "path", second="sample:2")
    choose(page, set="mnist")
    arrived("vae-mnist", "path", model="vae-mnist")
    assert len({url for url, *_ in visited}) == len(visited)
    for go, states in ((page.go_back, visited[-2::-1]), (page.go_forward, visited[1:])):
        for url, part, picture in states:
            go()
            wait_for(page, part, picture)
            settle(page)
            assert page.url == url
            chosen = page.locator("#bar .ladder [aria-checked=true]")
            assert chosen.get_attribute("data-model") == address(page)["model"]


def test_link_restores_all_settings_of_a_tab(empty_page, page_url):
    page = empty_page
    for tab, (settings, part, draw) in RESTORED.items():
        wanted = {"tab": tab, **settings.link}
        plain = type(settings)(model=settings.model)
        same = [name for name in settings.names() if getattr(settings, name) == getattr(plain, name)]
        assert set(same) <= {"model", "row", "column", "share", "seed"}, tab  # what the model has not, or what is drawn
        leave_for(page, f"{page_url}/?{urlencode(wanted)}")
        shows(page, part, draw(settings))
        assert address(page) == wanted
        assert not page.locator("#problem").is_visible()
        assert settings.model in code(page).text_content()


def test_link_of_the_former_page_still_opens(empty_page, page_url):
    page = empty_page

    def follow(link: str) -> None:
        leave_for(page, f"{page_url}/?tab={link}")

    follow("perturbation&model=center-mnist&start=sample:7&rank=2&shift=1.5&unit=std&reach=0&row=0&mix=0,1,0,0,0,0")
    shows(page, "result", turn.picture(Turn("center-mnist", "sample:7", basis="numbers", mix="0,1", rank=2, shift=1.5)))
    assert address(page)["tab"] == "turn" and knob(page, 1).input_value() == "1"
    follow("interpolation&model=vae-fashionmnist&start=random:5&end=sample:9&steps=4&mode=slerp")
    shows(page, "path", morph.strip(Morph("vae-fashionmnist", "random:5", "sample:9", steps=4, mode="slerp")))
    assert address(page)["second"] == "sample:9" and page.locator("#steps input[type=number]").input_value() == "4"
    follow("recombination&model=vqae-fashionmnist&start=sample:2&cells=1,1=17;2,2=@&row=3&column=3")
    edited = Grid("vqae-fashionmnist", "sample:2", cells="1,1=17;2,2=@", row=3, column=3)
    shows(page, "editor", grid.picture(edited))
    assert address(page)["cells"] == edited.cells
    follow("ladder&model=vae-fashionmnist&start=sample:4&second=sample:7&shift=1.5")
    assert page.get_by_role("tab", name="Compare").get_attribute("aria-selected") == "true"
    assert page.locator("#compare_shift input[type=number]").input_value() == "1.5"
    assert not page.locator("#problem").is_visible()


def test_invalid_link_values_are_reported_and_the_page_works(empty_page, page_url):
    page = empty_page
    visit(page, f"{page_url}/?tab=turn&model=nothing&rank=9999&shift=NaN&start=sample:3&reach=x")
    for message in ("unknown model 'nothing'", "rank is 9999", "shift is nan", "reach is 'x'; give a number"):
        page.locator("#problem").get_by_text(message).wait_for()
    wait_until(page, lambda: "sample:3 " in alt(page, "result"), "the valid value is ignored")
    before = pixels(page, "result")
    knob(page, 0).fill("2")
    wait_for_change(page, "result", before)
    hostile = "<img src=x onerror=alert(1)>"
    leave_for(page, f"{page_url}/?model=[x](https://a.example)&unit=<a href=//a.example>&start={hostile}")
    page.locator("#problem").get_by_text("unknown model '[x](https://a.example)'").wait_for()
    page.locator("#problem").get_by_text(hostile).wait_for()
    assert page.locator("#problem :is(a, img)").count() == 0
    leave_for(page, f"{page_url}/?tab=nowhere")
    page.locator("#problem").get_by_text("unknown tab 'nowhere'; choose from turn, morph").wait_for()


@pytest.mark.parametrize("empty_page", [SIZES["phone"]], ids=str, indirect=True)
def test_touches_leave_the_order_of_requests_alone(empty_page, page_url):
    visit(empty_page, f"{page_url}/?tab=turn&model=center-celeba")
    sends = empty_page.evaluate_handle("() => window.fetch")
    assert "send" in empty_page.evaluate("String(window.fetch)")  # the page's own, which waits for earlier requests
    for place in (0, 1):
        knob(empty_page, place, "range").tap()
    settle(empty_page)
    assert empty_page.evaluate("sends => sends === window.fetch", sends)


def test_link_to_a_picture_that_does_not_exist_says_which_one_is_shown(empty_page, page_url):
    visit(empty_page, f"{page_url}/?tab=turn&model=center-celeba&start=sample:99&second=sample:3")
    expect(empty_page.locator("#problem")).to_contain_text("There is no sample:99 for this model; sample:9 is shown.")
    assert empty_page.locator("#problem p").inner_text().count("There is no") == 1
    shows(empty_page, "result", turn.picture(Turn(start="sample:9")))


def test_page_is_complete_if_its_scripts_come_late(empty_page, page_url):
    """On a slow network an answer of the server could arrive before the parts that it changes are laid out."""
    page, held = empty_page, []
    page.route("**/assets/HTML-*.js", lambda route: held.append(route))
    page.goto(page_url)
    wait_until(page, lambda: bool(held), "the scripts were not asked for")
    page.wait_for_timeout(100)
    for route in held:
        route.continue_()
    expect(page.locator("#bar h1")).to_be_visible()
    expect(page.locator("#knobs .knob")).to_have_count(7)
    assert is_moving(page)


def test_every_click_is_one_request(page):
    def sends_one(what: str, does) -> None:
        with counted(page) as sent:
            does()
        assert len(sent) == 1, (what, [request.post_data_json["fn_index"] for request in sent])

    sends_one("sample", lambda: choose(page, start="sample:5"))
    sends_one("model", lambda: choose(page, model="vae-celeba"))
    sends_one("data set", lambda: choose(page, set="mnist"))
    sends_one("Generate", lambda: page.locator("#bar button[data-generate]").click())
    sends_one("slider", lambda: knob(page, 0, "range").press("ArrowRight"))
    sends_one("strip", lambda: page.locator("#strip button").nth(3).click())
    sends_one("Reset", lambda: page.locator("#knobs button[data-reset]").click())
    sends_one("basis", lambda: page.locator("#knobs button[data-basis=numbers]").click())
    sends_one("sheet", lambda: page.locator("#sheet summary").click())
    sends_one("picture of the sheet", lambda: page.locator("#sheet button").nth(2).click())
    sends_one("tab", lambda: page.get_by_role("tab", name="Grid").click())
    sends_one("cell", lambda: page.locator("#editor .cells button").nth(9).click())
    sends_one("code", lambda: page.locator("#palette button").nth(3).click())
    sends_one("tab", lambda: page.get_by_role("tab", name="Codebook").click())
    sends_one("vector", lambda: page.locator("#codebook_gallery button").nth(3).click())


@both_sizes
def test_sketch_of_two_strokes_becomes_the_picture(empty_page, page_url):
    page = empty_page
    visit(page, f"{page_url}/?tab=turn&model=center-mnist")
    picture_a = page.locator("#bar [data-place=start] img")
    page.get_by_role("button", name="Sketch").click()
    pad = page.locator("#bar canvas")
    pad.scroll_into_view_if_needed()
    for share in (0.25, 0.75):  # of the width
        before, result = picture_a.get_attribute("src"), pixels(page, "result")
        box = pad.bounding_box()
        x, y = box["x"] + box["width"] * share, box["y"]
        page.mouse.move(x, y + 30)
        page.mouse.down()
        page.mouse.move(x, y + box["height"] - 30, steps=5)
        page.mouse.up()
        wait_for_change(page, "result", result)
        wait_until(page, lambda before=before: picture_a.get_attribute("src") != before, "the sketch is not shown")
        settle(page)
    drawn = image(base64.b64decode(picture_a.get_attribute("src").partition("base64,")[2]))
    columns = drawn.convert("L").resize((28, 1), Image.Resampling.BOX).tobytes()
    assert min(columns[7], columns[20]) > 100 > 50 > columns[14], "one of the two strokes is lost"
    assert address(page)["start"].startswith("image:")
    choose(page, set="celeba")
    wait_for_address(page, model="center-celeba")
    settle(page)
    assert page.get_by_role("button", name="Sketch").count() == 0  # sketches are offered for grey pictures only


def test_uploaded_image_becomes_the_picture(empty_page, page_url, tmp_path):
    page = empty_page
    visit(page, f"{page_url}/?tab=turn&model=center-mnist")
    ink, chalk = Image.new("L", (60, 60), 255), Image.new("L", (60, 60), 0)
    for paper, colour in ((ink, 0), (chalk, 255)):
        ImageDraw.Draw(paper).line([30, 10, 30, 50], fill=colour, width=6)
    ink.save(tmp_path / "ink.png")
    chalk.save(tmp_path / "chalk.png")
    files = page.locator("#bar input[type=file]")
    before = pixels(page, "start")
    files.set_input_files(tmp_path / "chalk.png")
    bright = wait_for_change(page, "start", before)
    choose(page, start="sample:0")
    wait_for_change(page, "start", bright)
    settle(page)
    files.set_input_files(tmp_path / "ink.png")  # dark ink on white paper is inverted by itself
    shows(page, "start", image(bright))
    inverted = pixels(page, "start")
    settle(page)
    (tmp_path / "broken.png").write_text("no picture")
    files.set_input_files(tmp_path / "broken.png")
    page.get_by_text("cannot be read as an image").first.wait_for()
    settle(page)
    assert pixels(page, "start") == inverted and address(page)["start"].startswith("image:")
    choose(page, set="celeba")
    wait_for_address(page, model="center-celeba")
    choose(page, start="sample:2")
    shows(page, "start", originals.shown("center-celeba", "sample:2"))  # the upload is given up


def test_address_is_copied(browser, page_url):
    with browser.new_context(permissions=["clipboard-read", "clipboard-write"]) as context:
        page = context.new_page()
        page.goto(f"{page_url}/?tab=turn&model=vae-mnist&start=sample:3")
        wait_until(page, lambda: "vae-mnist" in alt(page, "result"), "the link is not restored")
        page.locator("#bar button[data-copy]").click()
        page.get_by_text("Copied").wait_for()
        copied = lambda: page.evaluate("navigator.clipboard.readText()")  # noqa: E731
        assert copied() == page.url
        page.locator("#tabs .python summary").first.click()
        page.locator("#tabs .python .copy").first.click()
        wait_until(page, lambda: copied() == code(page).text_content(), "the code was not copied")
