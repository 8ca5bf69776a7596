"""Helpers for the browser tests: opening the demo, and finding its pictures and controls."""

import base64
import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlparse
from weakref import WeakKeyDictionary

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Request, Route

PATIENCE = 30  # seconds to wait for the page at most
QUIET = 0.2  # seconds without a request after which the page counts as settled
SIZES = {"desktop": (1440, 900), "tablet": (768, 1024), "phone": (375, 812)}

# for behaviour that depends on the screen's size; other tests open the page as on a desktop
both_sizes = pytest.mark.parametrize("empty_page", [SIZES["desktop"], SIZES["phone"]], ids=str, indirect=True)
_pending: WeakKeyDictionary[Page, set[Request]] = WeakKeyDictionary()


@contextmanager
def opened(browser: Browser, page_url: str, width: int, height: int, **options) -> Iterator[Page]:
    """A new page, for an address of the demo; checks afterwards for console errors, external requests and overflow.

    Args:
        browser: the browser.
        page_url: the demo's address.
        width: of the screen, in pixels; a narrow one is a phone's, with touch.
        height: of the screen.
        options: of the browser's context.
    """
    phone = {"has_touch": True, "is_mobile": True} if width < 500 else {}
    with browser.new_context(viewport={"width": width, "height": height}, **phone, **options) as context:
        context.set_default_timeout(PATIENCE * 1000)
        page = context.new_page()
        errors, requests = [], []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda sent: requests.append(sent.url))
        watch(page)
        yield page
        wide = page.evaluate("document.documentElement.scrollWidth")
    # leaving a page aborts its pending requests; 500 answers invalid input (a real error is in the server's log)
    expected = ("AbortError", "Connection errored out", "the server responded with a status of 500")
    assert [error for error in errors if not any(part in error for part in expected)] == []
    assert [url for url in requests if not url.startswith((page_url, "data:", "blob:"))] == []
    assert wide <= width, "the page is wider than the screen"


def watch(page: Page) -> None:
    """Track the pending requests of a page for :func:`settle`, but for the heartbeat, which lasts."""
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
    quiet_since = time.monotonic()
    while time.monotonic() < quiet_since + QUIET:
        page.wait_for_timeout(40)
        if _pending[page]:
            quiet_since = time.monotonic()
        assert quiet_since < deadline, [sent.url for sent in _pending[page]]


@contextmanager
def counted(page: Page) -> Iterator[list[Request]]:
    """The requests for events that the page sends within, and until it is settled."""
    sent: list[Request] = []

    def keep(request: Request) -> None:
        if request.method == "POST" and "/heartbeat" not in request.url:
            sent.append(request)

    settle(page)
    page.on("request", keep)
    yield sent
    settle(page)
    page.remove_listener("request", keep)


def wait_until(page: Page, holds: Callable[[], bool], otherwise: str) -> None:
    """Wait until a condition holds, or fail with the message ``otherwise``."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, otherwise
        page.wait_for_timeout(30)


def pixels(page: Page, name: str) -> bytes:
    """Wait for the first picture in a part of the page and return the bytes of its file."""
    image = page.locator(f"#{name} img").locator("visible=true").first
    source = image.evaluate("image => image.alt && image.src")
    assert source, f"the picture {name} has no alternative text"
    return base64.b64decode(source.partition("base64,")[2])


def alt(page: Page, name: str) -> str:
    """The alternative text of the first picture in a part of the page."""
    return page.locator(f"#{name} img").first.get_attribute("alt") or ""


def image(file: bytes) -> Image.Image:
    """The image in the bytes of a file."""
    return Image.open(io.BytesIO(file))


def are_equal(one: Image.Image, other: Image.Image) -> bool:
    """Whether two pictures are the same, but for the last bit, in which processors differ."""
    same = one.size == other.size
    return same and bool(abs(np.asarray(one.convert("RGB"), int) - np.asarray(other.convert("RGB"), int)).max() <= 1)


def shows(page: Page, name: str, wanted: Image.Image) -> None:
    """Wait until a picture is the one that Python computes."""
    holds = lambda: are_equal(image(pixels(page, name)), wanted)  # noqa: E731
    wait_until(page, holds, f"the picture {name} did not become the expected one")


def wait_for_change(page: Page, name: str, before: bytes) -> bytes:
    """Wait until a picture is another one, and return that."""
    seen = [before]

    def changed() -> bool:
        seen.append(pixels(page, name))
        return seen[-1] != before

    wait_until(page, changed, f"the picture {name} did not change")
    return seen[-1]


def wait_for(page: Page, name: str, wanted: bytes) -> None:
    """Wait until a picture is a given one."""
    wait_until(page, lambda: pixels(page, name) == wanted, f"the picture {name} did not become the expected one")


def is_moving(page: Page) -> bool:
    """Whether the result is a moving picture."""
    file = pixels(page, "result")
    return file[8:12] == b"WEBP" and b"ANIM" in file


def address(page: Page) -> dict[str, str]:
    """What the address says of the page's settings."""
    return dict(parse_qsl(urlparse(page.url).query))


def wait_for_address(page: Page, **wanted: str) -> None:
    """Wait until the address has given settings; the empty text stands for one that it does not name."""
    holds = lambda: {name: address(page).get(name, "") for name in wanted} == wanted  # noqa: E731
    wait_until(page, holds, f"the address did not become {wanted}")


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
    """Open a tab by a click."""
    page.get_by_role("tab", name=title, exact=True).click()
    wait_for_address(page, tab=title.lower())
    settle(page)


def open_accordion(page: Page, name: str) -> None:
    """Open an accordion of Gradio; its contents are created now and get their values one tick later."""
    page.locator(f"#{name} > button").click()
    page.locator(f"#{name} .block").locator("visible=true").first.wait_for()
    page.evaluate("new Promise(done => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done))))")


def unfold(page: Page, name: str) -> Locator:
    """Open one of the page's own parts that open, and wait for what is in it."""
    page.locator(f"#{name} summary").click()
    page.locator(f"#{name} :is(img, svg)").first.wait_for()
    return page.locator(f"#{name}")


def code(page: Page) -> Locator:
    """The Python of the open tab."""
    return page.get_by_role("tabpanel").locator("visible=true").locator(".python code")


def choose(page: Page, **what: str) -> None:
    """Click a button of the bar: its ``set``, ``model``, ``place`` or ``start``."""
    for name, value in what.items():
        page.locator(f"#bar button[data-{name}='{value}']").click()


def set_slider(page: Page, name: str, value: float) -> None:
    """Type a number into the box of one of Gradio's sliders."""
    box = page.locator(f"#{name} input[type=number]")
    box.fill(str(value))
    box.press("Tab")


def knob(page: Page, place: int, kind: str = "number") -> Locator:
    """One of Turn's sliders, counted from 0, or the number beside it."""
    return page.locator(f"#knobs input[type={kind}][data-place='{place}']")


def drag(page: Page, first: Locator, last: Locator) -> None:
    """Drag from the middle of a cell to that of another one."""
    first.evaluate("cell => cell.scrollIntoView({block: 'end'})")  # on a phone the edited picture covers the upper half
    begin, end = first.bounding_box(), last.bounding_box()
    page.mouse.move(begin["x"] + begin["width"] / 2, begin["y"] + begin["height"] / 2)
    page.mouse.down()
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2, steps=5)
    page.mouse.up()


def hold_the_next(page: Page, held: str) -> list[Callable[[], None]]:
    """Hold the next ``"request"`` or its ``"answer"``; once it is held, the list has the function that lets it go."""
    release: list[Callable[[], None]] = []

    def hold(route: Route) -> None:
        if release:
            route.continue_()
        elif held == "answer":
            answer = route.fetch()
            release.append(lambda: route.fulfill(response=answer))
        else:
            release.append(route.continue_)

    page.route("**/run/predict*", hold)
    return release
