"""The cells of an edited grid as text, for links, programs and a text box.

Each cell is a code's index, or one of three marks: ``~`` the picture's own vector, ``@`` the second picture's, ``-``
zeros. A matrix has its rows on lines or with semicolons between them; ``~17`` and ``@17`` are read as the mark, since
that is how a matrix is shown: 17 is then the nearest code. A text may also list only edits: ``3,4=17;1,1=5`` puts code
17 into row 3, column 4, counted from 1. The empty text leaves every cell unchanged.
"""

import re
from dataclasses import dataclass, replace

from ..shared.settings import short, whole

KEPT, PASTED, ZERO = "~", "@", "-"
MOST_CHARACTERS = 50_000
Cells = list[list[int | str]]  # h rows of w


def parsed(text: str, size: int, num_codes: int) -> Cells:
    """The size × size cells that a text means.

    Raises:
        ValueError: it is not a matrix of that shape, or a cell is not a code; one sentence names the place.
    """
    if not isinstance(text, str) or len(text) > MOST_CHARACTERS:
        raise ValueError(f"cells is {short(text)}; give a matrix as text, {size} rows of {size} with ; between them.")
    if "=" in text:
        return _of_edits(text, size, num_codes)
    text = re.sub(r"\]\s*(?:[,;]\s*)?\[", ";", text).strip("[] \t\r\n;")  # a list of lists, as Python writes it
    if not text:
        return [[KEPT] * size for _ in range(size)]
    rows = [re.split(r"[\s,]+", row.strip(" \t\r,")) for row in re.split(r"[;\n]", text)]
    if len(rows) != size:
        raise ValueError(f"The matrix has {_counted(len(rows), 'row')}; give {size}, on lines or with ; between them.")
    for r, row in enumerate(rows, 1):
        if len(row) != size or "" in row:
            count = len([entry for entry in row if entry])
            raise ValueError(f"Row {r} of the matrix has {_counted(count, 'entry', 'entries')}; give {size}.")
    return [
        [_cell(entry, f"Row {r}, column {c} of the matrix", num_codes) for c, entry in enumerate(row, 1)]
        for r, row in enumerate(rows, 1)
    ]


def spelled(cells: Cells) -> str:
    """The canonical text of cells: a matrix with semicolons, or empty if no cell is edited."""
    if all(cell == KEPT for row in cells for cell in row):
        return ""
    return ";".join(" ".join(map(str, row)) for row in cells)


def placed(cells: Cells, kind: str | type) -> list[tuple[int, int]]:
    """Rows and columns from 0 of the cells with a mark, or for ``int`` of those with a code."""
    return [
        (r, c)
        for r, row in enumerate(cells)
        for c, cell in enumerate(row)
        if (isinstance(cell, int) if kind is int else cell == kind)
    ]


def _of_edits(text: str, size: int, num_codes: int) -> Cells:
    cells: Cells = [[KEPT] * size for _ in range(size)]
    for edit in filter(None, re.split(r"[;\s]+", text)):
        match = re.fullmatch(r"(\d{1,4}),(\d{1,4})=(\S+)", edit, re.ASCII)
        if not match:
            raise ValueError(f"{short(edit)} is no edit; write row,column=code with ; between edits, such as 3,4=17.")
        row, column = (whole(name, int(n), 1, size) for name, n in zip(("row", "column"), match.groups(), strict=False))
        cells[row - 1][column - 1] = _cell(match[3], f"Row {row}, column {column}", num_codes)
    return cells


def _cell(entry: str, place: str, num_codes: int) -> int | str:
    if re.fullmatch(r"[~@]\d{0,6}|-", entry, re.ASCII):
        return entry[0]
    if re.fullmatch(r"\d{1,6}", entry, re.ASCII) and int(entry) < num_codes:
        return int(entry)
    raise ValueError(
        f"{place} is {short(entry)}; give a whole number from 0 to {num_codes - 1}, ~ (as the picture has it), "
        "@ (as the second picture has it) or - (zeros)."
    )


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


@dataclass(frozen=True)
class History:
    """The texts of the cells, for undo and redo; each step is a new history."""

    past: tuple[str, ...] = ()  # the latest last
    now: str = ""
    future: tuple[str, ...] = ()  # what was undone, the next to redo last

    def did(self, text: str) -> "History":
        """After an edit, unless it changes nothing. The last hundred texts are kept."""
        if text == self.now:
            return self
        return replace(self, past=(*self.past, self.now)[-100:], now=text, future=())

    def undone(self) -> "History":
        """One step back, if there is one."""
        if not self.past:
            return self
        return replace(self, past=self.past[:-1], now=self.past[-1], future=(*self.future, self.now))

    def redone(self) -> "History":
        """One step forward, if there is one."""
        if not self.future:
            return self
        return replace(self, past=(*self.past, self.now), now=self.future[-1], future=self.future[:-1])
