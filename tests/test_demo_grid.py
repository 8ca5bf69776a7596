"""The tab Grid in the browser: choosing cells and editing them."""

import re

import numpy as np
import pytest
from browsing import (
    address,
    both_sizes,
    choose,
    code,
    drag,
    hold_the_next,
    image,
    leave_for,
    open_accordion,
    pixels,
    settle,
    shows,
    unfold,
    visit,
    wait_for,
    wait_for_address,
    wait_for_change,
    wait_until,
)
from playwright.sync_api import Locator, Page, expect

from aevq_hub.demo.grid import compute
from aevq_hub.demo.grid.settings import Grid

pytestmark = pytest.mark.browser
MODEL = "vqae-fashionmnist"


@pytest.fixture
def grid(empty_page, page_url):
    """The page with the tab open and its pictures loaded."""
    visit(empty_page, f"{page_url}/?tab=grid&model={MODEL}")
    shows(empty_page, "editor", compute.picture(Grid(MODEL)))
    return empty_page


def cell(page: Page, row: int, column: int, picture: int = 0) -> Locator:
    """A cell of the edited picture, or of the second one."""
    return page.locator("#editor .picture").nth(picture).locator(f"button[data-row='{row}'][data-column='{column}']")


def array(png: bytes) -> np.ndarray:
    return np.asarray(image(png).convert("L"), int)


def chosen(page: Page, text: str) -> None:
    """Wait until the page says which cells are chosen, and check that both pictures show as many."""
    expect(page.locator("#grid_status")).to_contain_text(text)
    count = int(re.match(r"\d+", text)[0]) if "cells" in text else 1
    for picture in page.locator("#editor .picture").all():
        expect(picture.locator(".cells [aria-pressed=true]")).to_have_count(count)


def matrix(page: Page) -> list[list[str]]:
    return [row.split() for row in page.locator("#matrix textarea").input_value().split("\n")]


@both_sizes
def test_edited_cell_changes_only_nearby_pixels(grid):
    before = pixels(grid, "editor")
    cell(grid, 1, 1).click()
    chosen(grid, "Row 1, column 1")
    assert "the encoder's own vector, near code" in cell(grid, 1, 1).get_attribute("aria-label")
    grid.locator("#palette button[data-code='36']").click()
    after = wait_for_change(grid, "editor", before)
    apart = abs(array(after) - array(before))
    assert apart[:4, :4].max() > 20 and apart[18:].max() == apart[:, 18:].max() == 0
    settle(grid)
    status = grid.locator("#grid_status").inner_text()
    changed = int(re.search(r"(\d+) of 784 pixels changed", status)[1])
    assert "1 of 49 cells" in status and abs(changed - (apart > 5).sum()) <= 10
    assert cell(grid, 1, 1).get_attribute("aria-label") == "row 1, column 1: code 36, edited"
    effects = unfold(grid, "effects")
    expect(effects.locator("img")).to_have_count(5)
    orange = effects.locator("img[alt='in orange: changed pixels']").evaluate(
        """image => { const canvas = new OffscreenCanvas(28, 28), pen = canvas.getContext("2d");
                      pen.drawImage(image, 0, 0); return [...pen.getImageData(0, 0, 28, 28).data]; }"""
    )
    rgba = np.array(orange).reshape(-1, 4)
    assert (rgba[:, 0] != rgba[:, 2]).sum() == changed
    for action, wanted in (("undo", before), ("redo", after), ("reset", before)):
        grid.locator(f"#{action}").click()
        wait_for(grid, "editor", wanted)


@both_sizes
def test_rectangle_is_chosen_by_dragging_and_by_shift(grid):
    drag(grid, cell(grid, 2, 2), cell(grid, 4, 5))
    chosen(grid, "12 cells, rows 2 to 4, columns 2 to 5")
    drag(grid, cell(grid, 7, 7, 1), cell(grid, 6, 6, 1))  # on the second picture
    chosen(grid, "4 cells, rows 6 to 7, columns 6 to 7")
    cell(grid, 1, 1).click()
    chosen(grid, "Row 1, column 1")
    cell(grid, 3, 2).click(modifiers=["Shift"])
    chosen(grid, "6 cells, rows 1 to 3, columns 1 to 2")
    wait_for_address(grid, row="1", column="1", to_row="3", to_column="2")


def test_cells_are_edited_by_keyboard_alone(grid):
    before = pixels(grid, "editor")
    grid.locator("#editor .picture").first.locator(".cells [tabindex='0']").focus()
    for key in ("ArrowRight", "ArrowUp", "Enter"):  # from the middle, row 4 and column 4
        grid.keyboard.press(key)
    chosen(grid, "Row 3, column 5")
    grid.keyboard.press("Shift+ArrowDown")
    chosen(grid, "2 cells, rows 3 to 4, columns 5 to 5")
    grid.wait_for_function("document.activeElement.dataset.row === '4'")  # the focus survives the new picture
    grid.keyboard.press("Shift+ArrowLeft")
    chosen(grid, "4 cells, rows 3 to 4, columns 4 to 5")
    settle(grid)
    for _ in range(40):
        grid.keyboard.press("Tab")
        if grid.evaluate("document.activeElement.closest('#palette') !== null"):
            break
    grid.keyboard.press("ArrowRight")
    number = grid.evaluate("document.activeElement.dataset.code")
    assert number == grid.locator("#palette button").nth(1).get_attribute("data-code")
    grid.keyboard.press("Enter")
    after = wait_for_change(grid, "editor", before)
    for row, column in ((3, 4), (3, 5), (4, 4), (4, 5)):
        expect(cell(grid, row, column)).to_have_accessible_name(f"row {row}, column {column}: code {number}, edited")
    settle(grid)
    for _ in range(40):
        grid.keyboard.press("Shift+Tab")
        if grid.evaluate("document.activeElement.id") == "undo":
            break
    grid.keyboard.press("Enter")
    wait_for(grid, "editor", before)
    assert before != after


@pytest.mark.parametrize("held", ["request", "answer"])
def test_code_goes_into_the_cell_clicked_just_before(held, grid):
    """However long the first of two requests takes, the second waits for its answer."""
    before, first, sent = pixels(grid, "editor"), hold_the_next(grid, held), []
    grid.on("request", lambda request: sent.append(request) if "/run/predict" in request.url else None)
    cell(grid, 7, 6).click()
    wait_until(grid, lambda: len(first) == 1, "no request was sent")
    grid.locator("#palette button[data-code='36']").click()
    grid.wait_for_timeout(300)
    assert len(sent) == 1
    first[0]()
    settle(grid)
    assert cell(grid, 7, 6).get_attribute("aria-label") == "row 7, column 6: code 36, edited"
    expect(grid.locator("#editor .cells .edited")).to_have_count(1)
    chosen(grid, "Row 7, column 6")
    assert pixels(grid, "editor") != before
    edited = Grid(MODEL, cells="7,6=36", row=7, column=6, code=36)
    shows(grid, "editor", compute.picture(edited))
    assert address(grid)["cells"] == edited.cells


@pytest.mark.parametrize("held", ["request", "answer"])
def test_late_answer_to_an_edit_leaves_the_newly_chosen_cell_alone(held, grid):
    cell(grid, 7, 5).click()
    chosen(grid, "Row 7, column 5")
    settle(grid)
    late = hold_the_next(grid, held)
    grid.locator("#palette button[data-code='36']").click()
    wait_until(grid, lambda: len(late) == 1, "no request was sent")
    cell(grid, 7, 6).click()
    expect(cell(grid, 7, 6)).to_have_attribute("aria-pressed", "true")
    late[0]()
    settle(grid)
    chosen(grid, "Row 7, column 6")
    expect(cell(grid, 7, 6)).to_have_attribute("aria-pressed", "true")
    grid.locator("#palette button[data-code='36']").click()
    settle(grid)
    shows(grid, "editor", compute.picture(Grid(MODEL, cells="7,5=36;7,6=36")))
    assert address(grid)["column"] == "6"


def test_many_quick_clicks_are_all_done(grid):
    for column in range(1, 8):
        cell(grid, 2, column).click()
        grid.locator("#palette button[data-code='36']").click()
    edited = Grid(MODEL, cells=";".join(f"2,{column}=36" for column in range(1, 8)))
    shows(grid, "editor", compute.picture(edited))
    wait_for_address(grid, cells=edited.cells, row="2", column="7")
    for _ in range(7):
        grid.locator("#undo").click()
    shows(grid, "editor", compute.picture(Grid(MODEL)))
    expect(grid.locator("#undo")).to_be_disabled()


@both_sizes
def test_actions_change_the_picture_and_can_be_undone(grid):
    seen = [pixels(grid, "editor")]
    cell(grid, 2, 3).click()
    cell(grid, 5, 5).click(modifiers=["Shift"])
    chosen(grid, "12 cells")
    grid.locator("#do_paste").click()
    seen.append(wait_for_change(grid, "editor", seen[-1]))
    shows(grid, "editor", compute.picture(compute.edited(Grid(MODEL, row=2, column=3, to_row=5, to_column=5), "paste")))
    open_accordion(grid, "grid_advanced")
    for action in ("seam", "share", "random", "broadcast", "zeros", "draw"):
        grid.locator(f"#do_{action}").click()
        seen.append(wait_for_change(grid, "editor", seen[-1]))
        settle(grid)
    for wanted in seen[-2::-1]:
        grid.locator("#undo").click()
        wait_for(grid, "editor", wanted)
    expect(grid.locator("#undo")).to_be_disabled()
    expect(grid.locator("#redo")).to_be_enabled()
    grid.locator("#do_quantise").click()
    shows(grid, "editor", compute.quantised(Grid(MODEL)))
    expect(grid.locator("#redo")).to_be_disabled()
    grid.locator("#do_keep").click()
    wait_until(grid, lambda: sum(row.count("~") for row in map("".join, matrix(grid))) == 12, "no cells are restored")


def test_cells_are_filled_and_another_proposal_is_taken(grid):
    before = pixels(grid, "editor")
    drag(grid, cell(grid, 4, 1), cell(grid, 7, 7))
    chosen(grid, "28 cells")
    grid.locator("#do_fill").click()
    first = wait_for_change(grid, "editor", before)
    proposed = grid.locator("#proposals button")
    pressed = lambda: [one.get_attribute("aria-pressed") for one in proposed.all()]  # noqa: E731
    wait_until(grid, lambda: pressed() == ["true", "false", "false", "false"], "the first proposal is not taken")
    open_accordion(grid, "grid_advanced")
    assert ["~" in "".join(row) for row in matrix(grid)] == [True] * 3 + [False] * 4  # the upper cells are kept
    proposed.nth(2).click()
    third = wait_for_change(grid, "editor", first)
    wait_until(grid, lambda: pressed() == ["false", "false", "true", "false"], "the third proposal is not taken")
    proposed.nth(0).click()
    wait_for(grid, "editor", first)
    grid.locator("#undo").click()
    wait_for(grid, "editor", third)
    expect(proposed).to_have_count(0)  # they are those of other cells now
    grid.locator("#do_fill_rest").click()
    wait_for_change(grid, "editor", third)
    expect(proposed).to_have_count(4)


def test_matrix_is_edited_validated_and_downloaded(grid):
    before = pixels(grid, "editor")
    open_accordion(grid, "grid_advanced")
    box = grid.locator("#matrix textarea")
    text, rows = box.input_value(), matrix(grid)
    box.fill("\n".join(" ".join(row) for row in [["17", *rows[0][1:]], *rows[1:]]))
    grid.locator("#apply").click()
    after = wait_for_change(grid, "editor", before)
    assert cell(grid, 1, 1).get_attribute("aria-label").startswith("row 1, column 1: code 17")
    for invalid, message in (
        ("1 2 3", "The matrix has 1 row; give 7"),
        (text.replace(rows[2][1], "444", 1), "is '444'; give a whole number from 0 to 99"),
    ):
        box.fill(invalid)
        grid.locator("#apply").click()
        grid.get_by_text(message).first.wait_for()
    assert pixels(grid, "editor") == after
    with grid.expect_download() as download:
        grid.locator("#csv a").click()
    lines = download.value.path().read_text().splitlines()
    assert download.value.suggested_filename == f"{MODEL}-indices.csv"
    assert len(lines) == 7 and lines[0].split(",")[0] == "17" and all(len(line.split(",")) == 7 for line in lines)
    box.fill("\n".join(lines))  # the file has a code in every cell
    grid.locator("#apply").click()
    wait_for_change(grid, "editor", after)


def test_link_and_python_reproduce_the_edited_grid(grid):
    before = pixels(grid, "editor")
    cell(grid, 3, 3).click()
    chosen(grid, "Row 3, column 3")
    grid.locator("#palette button[data-code='36']").click()
    after = wait_for_change(grid, "editor", before)
    expect(code(grid)).to_contain_text("(2, 2): 36")
    wait_for_address(grid, tab="grid", row="3", column="3", code="36")
    leave_for(grid, grid.url)
    wait_for(grid, "editor", after)
    chosen(grid, "Row 3, column 3")
    expect(grid.locator("#undo")).to_be_disabled()


def test_model_and_picture_change_the_grid(grid):
    cell(grid, 1, 1).click()
    chosen(grid, "Row 1, column 1")
    grid.locator("#palette button[data-code='36']").click()
    wait_for_address(grid, row="1", code="36")
    choose(grid, start="sample:5")  # the edit stays
    shows(grid, "editor", compute.picture(Grid(MODEL, "sample:5", cells="1,1=36")))
    choose(grid, model="vqvae-fashionmnist")  # whose codes are others
    shows(grid, "editor", compute.picture(Grid("vqvae-fashionmnist", "sample:5")))
    grid.locator("#fed").get_by_text("the codes themselves").wait_for()
    assert re.fullmatch(r"row 1, column 1: code \d+", cell(grid, 1, 1).get_attribute("aria-label"))
    expect(unfold(grid, "effects").locator("img")).to_have_count(4)  # quantised is what it is
    choose(grid, model="center-fashionmnist")
    expect(grid.locator("#bar .note")).to_contain_text("One vector cannot do this; VQ-AE is shown")
    shows(grid, "editor", compute.picture(Grid(MODEL, "sample:5")))
