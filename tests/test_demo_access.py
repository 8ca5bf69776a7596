"""Accessibility: axe-core on every tab, in light and dark, on a desktop, a tablet and a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import open_tab, visit, wait_until

from aevq_hub.demo.page import TABS


@pytest.mark.browser
@pytest.mark.parametrize("empty_page", [(1440, 900), (768, 1024), (375, 800)], ids=str, indirect=True)
def test_no_tab_has_serious_axe_violations_or_overflows(empty_page, page_url):
    page = empty_page
    width, found = page.viewport_size["width"], {}
    visit(page, f"{page_url}/?__theme={'light' if width > 500 else 'dark'}")
    for tab in TABS:
        open_tab(page, tab.TITLE)
        page.get_by_role("tabpanel").locator("visible=true").first.wait_for()
        empty = page.locator(".empty").locator("visible=true")
        wait_until(page, lambda empty=empty: not empty.count(), f"{tab.TITLE} stays empty")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, tab.ID
        for violation in Axe().run(page).response["violations"]:
            if violation["impact"] in ("serious", "critical"):
                places = [node["html"][:200] for node in violation["nodes"]]
                found.setdefault(f"{violation['id']}: {violation['help']}", {})[tab.ID] = places
    assert found == {}
