"""The tab About in the browser."""

import pytest
from browsing import both_sizes, choose, code, open_tab, pixels, shows, wait_for_change
from playwright.sync_api import expect

from aevq_hub.demo.about import compute
from aevq_hub.demo.about.settings import About
from aevq_hub.demo.shared.exhibits import offers

pytestmark = pytest.mark.browser


@both_sizes
def test_about_lists_models_and_shows_the_chosen_one(page):
    open_tab(page, "About")
    before = pixels(page, "about_samples")
    for data_set in ("mnist", "fashionmnist", "celeba"):
        rows = page.locator(f"#about_{data_set} table tbody tr")
        expect(rows).to_have_count(len(offers(lambda config, name=data_set: config.dataset == name)))
    expect(page.locator("#about_variants tbody tr").first).to_be_visible()
    expect(page.locator("#about_claims tbody tr")).to_have_count(len(compute.verdicts()))
    page.locator("#about_licences").get_by_text("non-commercial research only").wait_for()
    choose(page, model="vqvae-celeba")
    wait_for_change(page, "about_samples", before)
    shows(page, "about_samples", compute.samples(About("vqvae-celeba")))
    expect(code(page)).to_contain_text('AEVQ.from_pretrained("vqvae-celeba")')
    expect(page.locator("#about_model")).to_contain_text("64 × 64 pixels")
