"""The grid recombination tab in the browser."""

import base64
import io
import json
import re
from urllib.parse import parse_qs, urlparse

import numpy as np
import pytest
from browsing import (
    desktop_only,
    leave_for,
    open_accordion,
    pixels,
    set_slider,
    settle,
    visit,
    wait_for,
    wait_for_change,
)
from PIL import Image

pytestmark = pytest.mark.browser


@pytest.fixture
def grid(empty_page, page_url):
    """The page with the tab open and its pictures loaded."""
    visit(empty_page, f"{page_url}/?tab=recombination")
    pixels(empty_page, "edited")
    return empty_page


def cell(page, row: int, column: int):
    return page.locator(f"#edited button[data-row='{row}'][data-column='{column}']")


def array(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("L"), int)


def select(page, row: int, column: int, **how) -> None:
    cell(page, row, column).click(**how)
    page.locator(f"#edited button[data-row='{row}'][data-column='{column}'][aria-pressed=true]").wait_for()


def test_edited_cell_changes_only_nearby_pixels(grid):
    before = pixels(grid, "edited")
    assert pixels(grid, "recombination_direct") == before != pixels(grid, "recombination_quantised")
    select(grid, 1, 1)
    grid.locator("#recombination_status").get_by_text(
        re.compile("Row 1, column 1: the encoder's own vector")
    ).wait_for()
    grid.locator("#palette button[data-code='36']").click()
    after = wait_for_change(grid, "edited", before)
    apart = abs(array(after) - array(before))
    assert apart[:4, :4].max() > 20 and apart[18:].max() == apart[:, 18:].max() == 0
    status = grid.locator("#recombination_status").inner_text()
    changed = int(re.search(r"(\d+) of 784 pixels changed", status)[1])
    assert "1 of 49 cells" in status and abs(changed - (apart > 5).sum()) <= 10
    assert cell(grid, 1, 1).get_attribute("aria-label") == "row 1, column 1: code 36, edited"
    assert grid.locator("#matrix textarea").input_value().split()[0] == "36"
    orange = np.asarray(Image.open(io.BytesIO(pixels(grid, "change"))).convert("RGB"), int)
    assert ((orange[..., 0] != orange[..., 2]).sum()) == changed
    grid.locator("#undo").click()
    wait_for(grid, "edited", before)
    grid.locator("#redo").click()
    wait_for(grid, "edited", after)
    grid.locator("#reset").click()
    wait_for(grid, "edited", before)


def test_code_is_put_into_last_clicked_cell(grid):
    """Also if the click on the code reaches the server before the click on the cell."""
    before, held = pixels(grid, "edited"), []
    grid.route("**/queue/join*", lambda route: route.continue_() if held else held.append(route))
    grid.evaluate(
        """() => {
            document.querySelector("#edited button[data-row='7'][data-column='6']").click();
            document.querySelector("#palette button[data-code='36']").click();
        }"""
    )
    after = wait_for_change(grid, "edited", before)
    held[0].continue_()
    settle(grid)
    assert pixels(grid, "edited") == after
    assert cell(grid, 7, 6).get_attribute("aria-label") == "row 7, column 6: code 36, edited"
    assert cell(grid, 7, 6).get_attribute("aria-pressed") == "true"
    assert len(grid.locator("#edited .edited").all()) == 1


@desktop_only
def test_rectangle_is_filled_by_keyboard_alone(grid):
    before = pixels(grid, "edited")
    select(grid, 4, 4)
    grid.keyboard.press("ArrowRight")
    grid.keyboard.press("Enter")
    grid.locator("#edited button[data-row='4'][data-column='5'][aria-pressed=true]").wait_for()
    grid.keyboard.press("Shift+ArrowDown")
    grid.locator("#recombination_status").get_by_text(re.compile("2 cells, rows 4 to 5, columns 5 to 5")).wait_for()
    grid.wait_for_function("document.activeElement.dataset.row === '5'")  # the focus survives the new picture
    grid.locator("#palette button[tabindex='0']").focus()
    grid.keyboard.press("ArrowRight")
    code = grid.evaluate("document.activeElement.dataset.code")
    assert code == grid.locator("#palette button").nth(1).get_attribute("data-code")
    grid.keyboard.press("Enter")
    wait_for_change(grid, "edited", before)
    for row in (4, 5):
        assert cell(grid, row, 5).get_attribute("aria-label") == f"row {row}, column 5: code {code}, edited"
    open_accordion(grid, "by_numbers")
    assert [
        grid.locator(f"#recombination_{name} input[type=number]").input_value()
        for name in ("row", "column", "to_row", "to_column")
    ] == ["4", "5", "5", "5"]
    set_slider(grid, "recombination_to_column", 7)
    grid.locator("#recombination_status").get_by_text(re.compile("6 cells, rows 4 to 5, columns 5 to 7")).wait_for()


def test_actions_change_the_picture_and_can_be_undone(grid):
    seen = [pixels(grid, "edited")]
    select(grid, 2, 3)
    select(grid, 5, 5, modifiers=["Shift"])
    for action in ("paste", "share", "random", "broadcast", "zeros"):
        grid.locator(f"#do_{action}").click()
        seen.append(wait_for_change(grid, "edited", seen[-1]))
    assert grid.locator("#draw_seed input").input_value() == "2"  # two random actions
    assert grid.locator("#matrix textarea").input_value().split().count("-") == 48
    for wanted in seen[-2::-1]:
        grid.locator("#undo").click()
        wait_for(grid, "edited", wanted)
    assert grid.locator("#undo").is_disabled() and grid.locator("#redo").is_enabled()
    grid.locator("#do_quantise").click()
    wait_for(grid, "edited", pixels(grid, "recombination_quantised"))
    assert grid.locator("#redo").is_disabled() and "~" not in grid.locator("#matrix textarea").input_value()


@desktop_only
def test_matrix_is_edited_validated_and_downloaded(grid):
    before = pixels(grid, "edited")
    box = grid.locator("#matrix textarea")
    text = box.input_value()
    rows = text.split("\n")
    box.fill("\n".join(["17" + rows[0].removeprefix(rows[0].split()[0].rjust(3)), *rows[1:]]))
    grid.locator("#apply").click()
    after = wait_for_change(grid, "edited", before)
    assert cell(grid, 1, 1).get_attribute("aria-label").startswith("row 1, column 1: code 17")
    for invalid, message in (
        ("1 2 3", "The matrix has 1 row; give 7"),
        (text.replace(rows[2].split()[1], "444", 1), "is '444'; give a whole number from 0 to 99"),
        ("hello", "The matrix has 1 row"),
    ):
        box.fill(invalid)
        grid.locator("#apply").click()
        grid.get_by_text(message).first.wait_for()
    assert pixels(grid, "edited") == after
    with grid.expect_download() as download:
        grid.locator("#csv a").click()
    lines = download.value.path().read_text().splitlines()
    assert download.value.suggested_filename == "vqae-fashionmnist-indices.csv"
    assert len(lines) == 7 and lines[0].split(",")[0] == "17" and all(len(line.split(",")) == 7 for line in lines)
    box.fill("\n".join(lines))  # the pasted file has a code in every cell
    grid.locator("#apply").click()
    wait_for_change(grid, "edited", after)


@desktop_only
def test_link_and_python_code_reproduce_the_edited_grid(grid):
    before = pixels(grid, "edited")
    select(grid, 3, 3)
    grid.locator("#palette button[data-code='36']").click()
    after = wait_for_change(grid, "edited", before)
    open_accordion(grid, "recombination_python")
    grid.locator("#recombination_code").get_by_text("(2, 2): 36").wait_for()
    grid.locator("#recombination_link").click()
    grid.locator("#recombination_said").get_by_role("status").wait_for()
    link = parse_qs(urlparse(grid.url).query)
    assert (link["tab"], link["row"], link["column"], link["code"]) == (["recombination"], ["3"], ["3"], ["36"])
    leave_for(grid, grid.url)
    wait_for(grid, "edited", after)
    assert cell(grid, 3, 3).get_attribute("aria-pressed") == "true"


@desktop_only
def test_changing_model_or_start_changes_the_grid(grid):
    before = pixels(grid, "edited")
    grid.locator("#recombination_starts button.thumbnail-item").nth(5).click()
    second = wait_for_change(grid, "edited", before)
    grid.locator("#recombination_model input").click()
    grid.get_by_role("option", name=re.compile("^VQ-VAE")).click()
    wait_for_change(grid, "edited", second)
    grid.locator("#fed").get_by_text("the codes themselves").wait_for()
    wait_for(grid, "recombination_quantised", pixels(grid, "edited"))
    assert "~" not in grid.locator("#matrix textarea").input_value()
    label = cell(grid, 1, 1).get_attribute("aria-label")
    assert re.fullmatch(r"row 1, column 1: code \d+", label), json.dumps(label)
    sprite = grid.locator("#palette .palette").get_attribute("style")
    assert base64.b64decode(re.search(r"base64,([^']+)", sprite)[1]).startswith(b"\x89PNG")


def test_cells_are_filled_and_another_proposal_is_taken(grid):
    before = pixels(grid, "edited")
    select(grid, 4, 1)
    select(grid, 7, 7, modifiers=["Shift"])
    grid.locator("#do_fill").click()
    first = wait_for_change(grid, "edited", before)
    rows = grid.locator("#matrix textarea").input_value().split("\n")
    assert ["~" in row for row in rows] == [True] * 3 + [False] * 4  # the upper cells are kept
    proposed = grid.locator("#proposals button")
    assert [one.get_attribute("aria-pressed") for one in proposed.all()] == ["true", "false", "false", "false"]
    proposed.nth(2).click()
    third = wait_for_change(grid, "edited", first)
    assert [one.get_attribute("aria-pressed") for one in proposed.all()] == ["false", "false", "true", "false"]
    proposed.nth(0).click()
    wait_for(grid, "edited", first)
    grid.locator("#undo").click()
    wait_for(grid, "edited", third)
    assert not grid.locator("#proposals button").all()  # they are those of other cells now
