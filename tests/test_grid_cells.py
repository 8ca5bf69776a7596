"""The cells of the tab Grid as text, and undo and redo of edits."""

import random
from dataclasses import replace

import pytest

from aevq_hub.demo.grid import compute
from aevq_hub.demo.grid.cells import History, parsed, spelled
from aevq_hub.demo.grid.compute import edited
from aevq_hub.demo.grid.settings import Grid

ROW = "1 2 3 4 5 6 7"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (";".join([ROW] * 6), "The matrix has 6 rows; give 7"),
        (";".join([ROW] * 8), "The matrix has 8 rows; give 7"),
        (";".join([ROW] * 6 + ["1 2 3"]), "Row 7 of the matrix has 3 entries; give 7."),
        (";".join([ROW] * 2 + ["1"] + [ROW] * 4), "Row 3 of the matrix has 1 entry; give 7."),
        ("\n".join([ROW] * 3 + ["", *[ROW] * 3]), "Row 4 of the matrix has 0 entries; give 7."),
        (
            ";".join([ROW] * 6 + ["1 2 3 4 5 6 100"]),
            "Row 7, column 7 of the matrix is '100'; give a whole number from 0",
        ),
        (";".join([ROW] * 6 + ["1 -2 3 4 5 6 7"]), "Row 7, column 2 of the matrix is '-2'; give a whole number from 0"),
        (";".join(["1 2 3 4 5 6 7.5"] + [ROW] * 6), "Row 1, column 7 of the matrix is '7.5'; give a whole number"),
        ("no matrix at all", "The matrix has 1 row; give 7"),
        ("8,1=3", "row is 8; give a whole number from 1 to 7"),
        ("1,0=3", "column is 0; give a whole number from 1 to 7"),
        ("1,1=300", "Row 1, column 1 is '300'; give a whole number from 0 to 99"),
        ("1;1=3", "'1' is no edit; write row,column=code"),
        ("9" * 60_000, "give a matrix as text, 7 rows of 7"),
        (None, "cells is None; give a matrix as text"),
        (17, "cells is 17; give a matrix as text"),
    ],
)
def test_invalid_matrix_error_names_the_place(text, message):
    with pytest.raises(ValueError) as error:
        Grid("vqae-fashionmnist", cells=text)
    assert message in str(error.value) and len(str(error.value)) < 200 and ". " not in str(error.value)


def test_matrix_formats_are_equivalent():
    s = Grid("vqae-fashionmnist", cells="7,1=4; 2,3=17")
    assert parsed(s.cells, 7, 100)[1][2] == 17 and parsed(s.cells, 7, 100)[6][0] == 4
    assert s.cells == replace(s, cells=compute.matrix_text(s)).cells  # ~25 means the picture's own vector
    lines = "\r\n".join([ROW] * 7) + "\n"
    for text in (lines, lines.replace(" ", ","), lines.replace(" ", "\t"), f"[{', '.join([f'[{ROW}]'] * 7)}]"):
        assert replace(s, cells=text).cells == ";".join([ROW] * 7)
    assert spelled(parsed(" ", 7, 100)) == "" == replace(s, cells="~ " * 6 + "~" + (";" + "~ " * 6 + "~") * 6).cells


def test_undo_restores_the_picture_exactly():
    s = Grid("vqae-fashionmnist")
    history, pictures, rng = History(), [compute.picture(s).tobytes()], random.Random(0)
    for action in ("put", "share", "paste", "random", "quantise", "zeros"):
        s = edited(replace(s, code=rng.randrange(100), row=rng.randint(1, 7), column=rng.randint(1, 7)), action)
        history = history.did(s.cells)
        pictures.append(compute.picture(s).tobytes())
    assert history.did(s.cells) is history and len(history.past) == 6 - (pictures[4] == pictures[5])
    for wanted in [p for p, q in zip(pictures, pictures[1:], strict=False) if p != q][::-1]:
        history = history.undone()
        assert compute.picture(replace(s, cells=history.now)).tobytes() == wanted
    assert history.undone() is history and history.now == ""
    while history.future:
        history = history.redone()
    assert compute.picture(replace(s, cells=history.now)).tobytes() == pictures[-1]
    assert history.undone().did("1").future == ()
