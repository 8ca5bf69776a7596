"""What a visitor meets first, on screens of several sizes, with a finger, and with the keyboard alone."""

import pytest
from browsing import (
    SIZES,
    address,
    choose,
    is_moving,
    knob,
    open_tab,
    opened,
    pixels,
    settle,
    shows,
    visit,
    wait_for_address,
    wait_for_change,
    wait_until,
)
from playwright.sync_api import Locator, Page, expect

from aevq_hub.demo.compare.settings import Compare
from aevq_hub.demo.page import TABS
from aevq_hub.demo.turn import compute
from aevq_hub.demo.turn.settings import Turn

pytestmark = pytest.mark.browser
SHIFTS = """window.shifted = [];
new PerformanceObserver(list => shifted.push(...list.getEntries().filter(entry => !entry.hadRecentInput)
    .map(entry => ({value: entry.value, moved: entry.sources.map(source => source.node && (source.node.id
        || source.node.className || source.node.nodeName)).join(", ")}))))
    .observe({type: "layout-shift", buffered: true});"""
MOST_SHIFT = 0.1  # of the layout, in all: Google's bound for a good page
LEAST_TARGET = 40  # height in pixels of what one hits with a finger
MOST_TABS = 10  # presses of Tab from the top of the page to the first slider


def is_in_view(page: Page, part: Locator) -> bool:
    """Whether all of it is on the screen."""
    box, screen = part.bounding_box(), page.viewport_size
    within = lambda begin, length, most: begin >= 0 and length > 0 and begin + length <= most  # noqa: E731
    return within(box["x"], box["width"], screen["width"]) and within(box["y"], box["height"], screen["height"])


@pytest.mark.parametrize(
    ("width", "height", "theme"),
    [(1440, 900, "light"), (1440, 1000, "dark"), (768, 1024, "light"), (375, 812, "light")],
)
def test_first_screen_has_a_moving_picture_and_its_slider(browser, page_url, width, height, theme):
    with opened(browser, page_url, width, height) as page:
        page.add_init_script(SHIFTS)
        visit(page, f"{page_url}/?__theme={theme}")
        assert page.evaluate("scrollY") == 0
        result = page.locator("#result img")
        for part in (result, knob(page, 0, "range")):
            assert is_in_view(page, part), (part, part.bounding_box())
        assert result.bounding_box()["width"] >= 240
        moving = pixels(page, "result")
        assert is_moving(page)
        page.emulate_media(reduced_motion="reduce")
        wait_until(page, lambda: result.evaluate("image => image.currentSrc").startswith("data:image/png"), "it moves")
        page.emulate_media(reduced_motion="no-preference")
        shifted = page.evaluate("shifted")
        assert sum(shift["value"] for shift in shifted) < MOST_SHIFT, shifted
        knob(page, 0, "range").press("ArrowRight")
        wait_for_change(page, "result", moving)
        shows(page, "result", compute.picture(Turn(mix="0.1")))
        for part in (result, knob(page, 0, "range")):
            assert is_in_view(page, part), (part, part.bounding_box())


def test_desktop_shows_every_model_of_the_ladder(page):
    choose(page, set="mnist")
    wait_for_address(page, model="center-mnist")
    ladder = page.locator(".ladder")
    assert ladder.locator("button").count() == len(Compare("center-mnist").models)
    for rung in ladder.locator("button").all():  # the chosen one is bold, so wider
        rung.click()
        expect(rung).to_have_attribute("aria-checked", "true")
        assert ladder.evaluate("ladder => ladder.scrollWidth <= ladder.clientWidth"), rung.inner_text()
    settle(page)


def test_captions_on_a_tablet_do_not_cover_each_other(browser, page_url):
    with opened(browser, page_url, *SIZES["tablet"]) as page:
        visit(page, f"{page_url}/?tab=compare&model=center-mnist")
        captions = page.locator(".rung figcaption")
        assert captions.count() >= 3 * len(Compare("center-mnist").models)
        assert not captions.evaluate_all("all => all.filter(one => one.scrollWidth > one.clientWidth).length")


@pytest.fixture
def phone(browser, page_url):
    """The page on a phone."""
    with opened(browser, page_url, *SIZES["phone"]) as page:
        visit(page, page_url)
        yield page


def swipe(page: Page, begin: tuple[float, float], across: float, down: float) -> None:
    """Put a finger on a place of the screen, move it, and lift it."""
    session = page.context.new_cdp_session(page)
    x, y = begin
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for i in range(1, 11):
        points = [{"x": x + across * i / 10, "y": y + down * i / 10}]
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points})
    for _ in range(4):  # the finger rests before it is lifted, or the page would go on scrolling
        page.wait_for_timeout(40)
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    session.detach()


def test_finger_slides_a_slider_only_sideways(phone):
    slider = knob(phone, 0, "range")
    box = slider.bounding_box()
    aside = (box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2)  # not where the slider's thumb is
    swipe(phone, aside, 0, -300)
    wait_until(phone, lambda: phone.evaluate("scrollY") > 100, "the page was not scrolled")
    settle(phone)
    assert slider.input_value() == knob(phone, 0).input_value() == "0"
    assert is_moving(phone) and "mix" not in address(phone)
    wait_until(phone, lambda: phone.evaluate("(scrollTo(0, 0), scrollY)") == 0, "the page was not scrolled back")
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    swipe(phone, middle, box["width"] / 4, 0)
    wait_until(phone, lambda: float(slider.input_value()) > 0.5, "the slider was not moved")
    wait_until(phone, lambda: not is_moving(phone), "the picture did not change")
    settle(phone)
    shows(phone, "result", compute.picture(Turn(mix=slider.input_value())))
    assert phone.evaluate("scrollY") == 0


def test_phone_has_large_targets_and_tabs_that_scroll(phone):
    small = phone.locator("#bar :is(button, a, label, summary), [role=tab]").evaluate_all(
        """(all, least) => all.filter(part => part.checkVisibility() && !part.closest(".visually-hidden")
            && part.getBoundingClientRect().height < least).map(part => [part.outerHTML.slice(0, 80),
            part.getBoundingClientRect().height])""",
        LEAST_TARGET,
    )
    assert small == []
    expect(phone.locator(".overflow-menu").locator("visible=true")).to_have_count(0)
    strip = phone.locator(".tab-container[role=tablist]").locator("visible=true").first
    assert strip.evaluate("strip => getComputedStyle(strip).overflowX") in ("auto", "scroll")
    for tab in (*TABS[1:], TABS[0]):
        open_tab(phone, tab.TITLE)
        assert is_in_view(phone, phone.get_by_role("tab", name=tab.TITLE, exact=True))
        assert phone.evaluate("document.documentElement.scrollWidth") <= SIZES["phone"][0], tab.ID


def test_first_slider_is_reached_by_few_presses_of_tab(page):
    passed = []
    while len(passed) < 40 and (not passed or passed[-1] != "mix"):
        page.keyboard.press("Tab")
        passed.append(
            page.evaluate("(part => part.dataset.name || part.textContent.trim() || part.id || part.tagName)"
                          "(document.activeElement)")
        )  # fmt: skip
    assert passed[-1] == "mix" and len(passed) <= MOST_TABS, f"{len(passed)} presses: {passed}"
    before = pixels(page, "result")
    page.keyboard.press("ArrowRight")
    wait_for_change(page, "result", before)


def test_arrow_keys_choose_in_every_radio_group(page):
    def press(group: str, key: str, **wanted: str) -> None:
        """Press an arrow key in a group; its choice changes, and the focus goes along."""
        page.locator(f"{group} [aria-checked=true]").focus()
        page.keyboard.press(key)
        wait_for_address(page, **wanted)
        settle(page)
        assert page.evaluate("document.activeElement.getAttribute('aria-checked')") == "true", group
        assert page.locator(f"{group} [tabindex='0']").count() == 1, group

    press("#bar .sets", "ArrowLeft", model="center-fashionmnist")
    page.keyboard.press("ArrowLeft")  # the focus is still there
    wait_for_address(page, model="center-mnist")
    settle(page)
    press("#bar .ladder", "ArrowRight", model="center-plus-mnist")
    press("#bar .ladder", "ArrowLeft", model="center-mnist")
    press("#knobs [role=radiogroup]", "ArrowRight", basis="numbers")
    press("#bar .places", "ArrowRight", start="")
    page.locator("#bar .samples [tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    wait_for_address(page, second="sample:2")


def test_arrow_keys_go_from_tab_to_tab(page):
    page.get_by_role("tab", name="Turn").focus()
    for key, title in (("ArrowRight", "Morph"), ("ArrowRight", "Codebook"), ("ArrowLeft", "Morph")):
        page.keyboard.press(key)
        tab = page.get_by_role("tab", name=title)
        expect(tab).to_have_attribute("aria-selected", "true")
        expect(tab).to_be_focused()
        wait_for_address(page, tab=title.lower())


def test_arrow_keys_choose_in_the_other_radio_groups(empty_page, page_url):
    visit(empty_page, f"{page_url}/?tab=morph&model=center-mnist")
    empty_page.locator("#mode input").first.focus()
    empty_page.keyboard.press("ArrowRight")
    wait_for_address(empty_page, mode="slerp")
