"""The tab Compare in the browser."""

import base64
import re

import pytest
from browsing import (
    address,
    are_equal,
    both_sizes,
    choose,
    image,
    leave_for,
    set_slider,
    settle,
    visit,
    wait_for_address,
    wait_until,
)
from PIL import Image
from playwright.sync_api import Page, expect

from aevq_hub.demo.compare import compute
from aevq_hub.demo.compare.settings import Compare
from aevq_hub.demo.shared.exhibits import offers
from aevq_hub.model import AEVQ

pytestmark = pytest.mark.browser


def shown(page: Page) -> dict[str, list[bytes]]:
    """The pictures of each row, by model."""
    found = {}
    for rung in page.locator(".rung").all():
        sources = rung.locator("img").evaluate_all("all => all.map(picture => picture.src)")
        files = [base64.b64decode(source.partition("base64,")[2]) for source in sources]
        found[rung.locator("h3 button").get_attribute("data-model")] = files
    return found


@pytest.fixture
def ladder(empty_page, page_url):
    """The page with the tab open, with digits."""
    visit(empty_page, f"{page_url}/?tab=compare&model=center-mnist")
    return empty_page


@both_sizes
def test_every_variant_has_its_row_and_error(ladder):
    settings, found = Compare("center-mnist"), shown(ladder)
    assert list(found) == settings.models and all(len(images) == 3 for images in found.values())
    for i, row in enumerate(compute.rows(settings)):
        text = ladder.locator(".rung").nth(i).inner_text()
        assert offers()[row.model].variant in text and f"{row.error:.4f}" in text
        wanted = [AEVQ.to_pil(x[None])[0] for x in (row.reconstruction, row.shifted)] + [compute.strip(row)]
        for file, picture in zip(found[row.model], wanted, strict=True):
            assert are_equal(image(file), picture)


def test_shift_changes_one_picture_per_row(ladder):
    before = shown(ladder)
    set_slider(ladder, "compare_shift", -4)
    expect(ladder.locator(".rung figcaption").get_by_text("-4 σ")).to_have_count(len(before))
    for model, images in shown(ladder).items():
        assert images[0] == before[model][0] and images[1] != before[model][1] and images[2] == before[model][2]


def test_data_set_is_changed_and_an_image_uploaded(ladder, tmp_path):
    choose(ladder, set="celeba")
    count = len(Compare("center-celeba").models)
    expect(ladder.locator(".rung [data-model$=celeba]")).to_have_count(count)
    ladder.locator("#rung_1").get_by_text("over the test images").wait_for()  # the photograph must not be shown
    before = shown(ladder)
    Image.radial_gradient("L").save(tmp_path / "mine.png")
    ladder.locator("#bar input[type=file]").set_input_files(tmp_path / "mine.png")
    ladder.locator(f"#rung_{count}").get_by_text(re.compile(r"Mean squared error \d")).wait_for()
    after = shown(ladder)
    assert list(after) == list(before)
    assert all(one != other for model in before for one, other in zip(before[model], after[model], strict=True))
    assert address(ladder)["start"].startswith("image:")


def test_generated_picture_goes_through_every_model(ladder, page_url):
    leave_for(ladder, f"{page_url}/?tab=compare&model=vae-mnist&start=random:3&second=sample:7&shift=1.5")
    row = compute.row(Compare("vae-mnist", "random:3", "sample:7", 1.5), "vqvae-mnist")
    assert are_equal(image(shown(ladder)["vqvae-mnist"][0]), AEVQ.to_pil(row.reconstruction[None])[0])
    assert not ladder.locator("#problem").is_visible()


def test_name_of_a_row_opens_its_model(ladder):
    name = ladder.locator(".rung h3 button[data-model=codebook-mnist]")
    name.click()
    wait_for_address(ladder, model="codebook-mnist")
    rung = ladder.locator("#bar button[data-model=codebook-mnist]")
    expect(rung).to_have_attribute("aria-checked", "true")
    settle(ladder)
    wait_until(ladder, lambda: len(shown(ladder)) == len(Compare("codebook-mnist").models), "rows are missing")
