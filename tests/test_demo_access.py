"""Accessibility: axe-core on every tab, on a desktop, a tablet and a phone; dark colours on a desktop alone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import SIZES, open_tab, opened, settle, visit

from aevq_hub.demo.page import TABS

IMPACTS = ("serious", "critical")
OPEN_ALL = """document.querySelectorAll("[role=tabpanel] :is(details:not([open]) > summary, .label-wrap:not(.open))")
    .forEach(part => part.checkVisibility() && part.click())"""
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}  # what a theme changes
RULES = {"light": {"resultTypes": ["violations"]}, "dark": {"resultTypes": ["violations"], **COLOURS}}


@pytest.mark.browser
@pytest.mark.parametrize("size", SIZES)
def test_no_tab_has_serious_axe_violations_or_overflows(browser, page_url, size):
    found, axe = {}, Axe()
    with opened(browser, page_url, *SIZES[size]) as page:
        visit(page, f"{page_url}/?__theme=light")
        page.add_style_tag(content="* { transition: none !important }")  # a theme's colours are there at once
        for tab in TABS:
            if tab is not TABS[0]:
                open_tab(page, tab.TITLE)
            page.evaluate(OPEN_ALL)
            settle(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0], tab.ID
            for theme in RULES if size == "desktop" else ["light"]:
                page.evaluate("dark => document.body.classList.toggle('dark', dark)", theme == "dark")
                for violation in axe.run(page, options=RULES[theme]).response["violations"]:
                    if violation["impact"] in IMPACTS:
                        places = [node["html"][:200] for node in violation["nodes"]]
                        found.setdefault(f"{violation['id']}: {violation['help']}", {})[tab.ID, theme] = places
    assert found == {}
