"""The page for everybody: what axe-core finds on every tab, in light and in dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from test_demo import leave_for, settle

from aevq_hub.demo.page import TABS


@pytest.mark.browser
def test_axe_finds_nothing_serious_on_any_tab(page, page_url):
    theme = (
        "light" if page.viewport_size["width"] > 1000 else "dark"
    )  # a narrow and dark page, and a wide and light one
    found = {}
    for tab in TABS:
        leave_for(page, f"{page_url}/?tab={tab.ID}&__theme={theme}")
        page.get_by_role("tabpanel").locator("visible=true").first.wait_for()
        settle(page)
        for violation in Axe().run(page).response["violations"]:
            if violation["impact"] in ("serious", "critical"):
                places = [node["html"][:200] for node in violation["nodes"]]
                found.setdefault(f"{violation['id']}: {violation['help']}", {})[tab.ID] = places
    assert found == {}
