"""Helpers for the browser tests: finding the demo's pictures and controls on the page."""

import base64
import re
import time
from collections.abc import Callable
from weakref import WeakKeyDictionary

import pytest
from playwright.sync_api import Page, Request

PATIENCE = 20  # seconds to wait for the page at most
QUIET = 0.25  # seconds without a request after which the page counts as settled
STALE = 5  # seconds after which a stream without other requests is taken for one that Gradio will not close

# for behaviour that does not depend on the screen size
desktop_only = pytest.mark.parametrize("empty_page", [(1440, 900)], ids=["desktop"], indirect=True)
_pending: WeakKeyDictionary[Page, set[Request]] = WeakKeyDictionary()


def watch(page: Page) -> None:
    """Track the pending requests of a page for :func:`settle`.

    Gradio keeps a stream open while any event is running, and a heartbeat while the page is open. If an event's result
    comes through an earlier stream before the event's own request is answered, it opens another one, which stays open.
    """
    pending = _pending[page] = set()

    def sent(request: Request) -> None:
        if request.is_navigation_request() and request.frame == page.main_frame:
            pending.clear()  # the browser does not report the end of every request of the page that is left
        if "/heartbeat/" not in request.url:
            pending.add(request)

    page.on("request", sent)
    page.on("requestfinished", lambda answered: pending.discard(answered))
    page.on("requestfailed", lambda failed: pending.discard(failed))


def settle(page: Page) -> None:
    """Wait until every request is answered and no other follows."""
    deadline = time.monotonic() + PATIENCE
    quiet_since = busy_at = time.monotonic()
    while time.monotonic() < quiet_since + QUIET:
        page.wait_for_timeout(50)
        if _pending[page]:
            quiet_since = time.monotonic()
        if any("/queue/data" not in sent.url for sent in _pending[page]):
            busy_at = time.monotonic()
        if time.monotonic() > busy_at + STALE:
            return
        assert quiet_since < deadline, [sent.url for sent in _pending[page]]


def wait_until(page: Page, holds: Callable[[], bool], otherwise: str) -> None:
    """Wait until a condition holds, or fail with the message ``otherwise``."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, otherwise
        page.wait_for_timeout(30)


def pixels(page: Page, name: str) -> bytes:
    """Wait for a picture and return the bytes of its file."""
    image = page.locator(f"#{name} img")
    image.wait_for()
    image.scroll_into_view_if_needed()
    assert image.get_attribute("alt")
    return base64.b64decode(image.get_attribute("src").partition("base64,")[2])


def wait_for_change(page: Page, name: str, before: bytes) -> bytes:
    wait_until(page, lambda: pixels(page, name) != before, f"the picture {name} did not change")
    return pixels(page, name)


def wait_for(page: Page, name: str, wanted: bytes) -> None:
    wait_until(page, lambda: pixels(page, name) == wanted, f"the picture {name} did not become the expected one")


def set_slider(page: Page, name: str, value: float) -> None:
    box = page.locator(f"#{name} input[type=number]")
    box.fill(str(value))
    box.press("Tab")


def visit(page: Page, url: str) -> None:
    """Open an address and wait until its tab is complete."""
    page.goto(url)
    page.locator("[role=tabpanel] figure img").locator("visible=true").first.wait_for()
    settle(page)


def leave_for(page: Page, url: str) -> None:
    """Open another address once no request is pending that this would abort."""
    settle(page)
    visit(page, url)


def open_tab(page: Page, title: str) -> None:
    """Open a tab, which may be in the overflow menu of a narrow page."""
    tab = page.get_by_role("tab", name=title)
    if tab.count() and tab.first.is_visible():
        tab.first.click()
    else:
        page.locator(".overflow-menu > button").click()
        page.locator(".overflow-dropdown").get_by_text(title, exact=True).click()
    settle(page)


def open_accordion(page: Page, name: str) -> None:
    """Open an accordion; its contents are created now and get their values one tick later."""
    page.locator(f"#{name} > button").click()
    page.locator(f"#{name} .block").locator("visible=true").first.wait_for()
    page.evaluate("new Promise(done => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done))))")


def pick_model(page: Page, tab: str, data_set: str, variant: str | None = None) -> None:
    page.locator(f"#{tab}_dataset").get_by_label(data_set, exact=True).click()
    if variant:
        settle(page)
        page.locator(f"#{tab}_model input").click()
        page.get_by_role("option", name=re.compile(variant)).click()
