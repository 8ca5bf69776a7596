"""What the browser tests share: the demo's pictures and controls as a person finds them on the page."""

import base64
import re
import time
from collections.abc import Callable
from weakref import WeakKeyDictionary

import pytest
from playwright.sync_api import Page, Request

PATIENCE = 20  # seconds until the page must show what a test waits for
QUIET = 0.25  # seconds without a request, after which all that follows an event is drawn

# for what works alike on any screen: once is enough
at_a_desk = pytest.mark.parametrize("page", [(1440, 900)], ids=["desktop"], indirect=True)
_pending: WeakKeyDictionary[Page, set[Request]] = WeakKeyDictionary()


def watch(page: Page) -> None:
    """Note which requests of a page are not answered yet, for :func:`settle`.

    Gradio keeps a stream open for as long as any of its events is under way, and one more for as long as the page is.
    """
    pending = _pending[page] = set()
    page.on("request", lambda sent: "/heartbeat/" in sent.url or pending.add(sent))
    page.on("requestfinished", lambda answered: pending.discard(answered))
    page.on("requestfailed", lambda failed: pending.discard(failed))


def settle(page: Page) -> None:
    """Wait until every request is answered and none follows: all that an event leads to is drawn."""
    deadline = time.monotonic() + PATIENCE
    quiet_since = time.monotonic()
    while time.monotonic() < quiet_since + QUIET:
        page.wait_for_timeout(50)
        if _pending[page]:
            quiet_since = time.monotonic()
        assert quiet_since < deadline, [sent.url for sent in _pending[page]]


def wait_until(page: Page, holds: Callable[[], bool], otherwise: str) -> None:
    """Wait until something holds; the error says what did not happen ``otherwise``."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, otherwise
        page.wait_for_timeout(30)


def pixels(page: Page, name: str) -> bytes:
    """The bytes of a picture's file, once the picture is on the page."""
    image = page.locator(f"#{name} img")
    image.wait_for()
    image.scroll_into_view_if_needed()
    assert image.get_attribute("alt")
    return base64.b64decode(image.get_attribute("src").partition("base64,")[2])


def wait_for_change(page: Page, name: str, before: bytes) -> bytes:
    wait_until(page, lambda: pixels(page, name) != before, f"the picture {name} did not change")
    return pixels(page, name)


def wait_for(page: Page, name: str, wanted: bytes) -> None:
    wait_until(page, lambda: pixels(page, name) == wanted, f"the picture {name} did not become what it should")


def set_slider(page: Page, name: str, value: float) -> None:
    box = page.locator(f"#{name} input[type=number]")
    box.fill(str(value))
    box.press("Tab")


def visit(page: Page, url: str) -> None:
    """Open an address and wait until its tab is drawn."""
    page.goto(url)
    page.locator("[role=tabpanel] figure img").locator("visible=true").first.wait_for()
    settle(page)


def leave_for(page: Page, url: str) -> None:
    """Open another address, when nothing is under way any more that leaving would break off."""
    settle(page)
    visit(page, url)


def open_tab(page: Page, title: str) -> None:
    """Open a tab, which a narrow page may have put into a menu."""
    tab = page.get_by_role("tab", name=title)
    if tab.count() and tab.first.is_visible():
        tab.first.click()
    else:
        page.locator(".overflow-menu > button").click()
        page.locator(".overflow-dropdown").get_by_text(title, exact=True).click()
    settle(page)


def open_accordion(page: Page, name: str) -> None:
    """Open an accordion whose contents are made only now, and get the values they have from the server a tick later."""
    page.locator(f"#{name} > button").click()
    page.locator(f"#{name} .block").locator("visible=true").first.wait_for()
    page.evaluate("new Promise(done => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done))))")


def pick_model(page: Page, tab: str, data_set: str, variant: str | None = None) -> None:
    page.locator(f"#{tab}_dataset").get_by_label(data_set, exact=True).click()
    if variant:
        settle(page)
        page.locator(f"#{tab}_model input").click()
        page.get_by_role("option", name=re.compile(variant)).click()
