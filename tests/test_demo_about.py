"""The about tab in the browser."""

import pytest
from browsing import open_tab, pick_model, pixels, wait_for_change

from aevq_hub import explore


@pytest.mark.browser
def test_about_tab_lists_models_and_shows_the_selected_one(page):
    open_tab(page, "About")
    before = pixels(page, "about_samples")
    assert page.locator("#about_mnist table tbody tr").count() == len(explore.offers(lambda c: c.dataset == "mnist"))
    page.locator("#about_licences").get_by_text("non-commercial research only").wait_for()
    pick_model(page, "about", "FashionMNIST", "^VQ-VAE")
    wait_for_change(page, "about_samples", before)
    page.locator("#about_code").get_by_text('AEVQ.from_pretrained("vqvae-fashionmnist")').wait_for()
