"""What was measured for the claims of the paper: ``claims.json`` beside the models, which ``aevq claims`` writes."""

import json
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from .folder import shipped_folder
from .measures import Lines, over_seeds
from .registry import DATASETS

FILE = "claims.json"


def recorded(folder: Path) -> list[dict]:
    """The claims of a folder of models, each with its verdict and values; none if they were not measured."""
    path = folder / FILE
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


@lru_cache(maxsize=1)
def shipped() -> list[dict]:
    """The claims, measured on the shipped models."""
    return recorded(shipped_folder())


def lines(rows: Sequence[dict], figure: Callable[[str], str] | None = None, separator: str = "<br>") -> Lines:
    """Claims as a table.

    Args:
        rows: the claims.
        figure: what to write for the number of a figure; None leaves out this column.
        separator: between the measurements of a claim.
    """
    table = []
    for row in rows:
        line = {
            "claim": f"{row['number']}. `{row['variant']}`: {row['says']} ({row['section']})",
            "verdict": row["verdict"],
            "measured": separator.join(map(in_words, row["parts"])),
        }
        if figure:
            line["figures"] = ", ".join(map(figure, row["figures"])) or "–"
        table.append(line)
    return table


def in_words(part: dict) -> str:
    """A measurement of a claim, with its bound."""
    if "missing" in part:
        return f"– {part['says']}: not measured ({part['missing']})"
    values = "; ".join(f"{_titled(case)}: {over_seeds(v, part['form'])}" for case, v in part["values"].items())
    return f"{'✓' if part['holds'] else '✗'} {part['says']} – {values} ({part['bound']})"


def _titled(case: str) -> str:
    """A case with the title of its data set, if it begins with one."""
    name = re.split("[, ]", case)[0]
    return DATASETS[name].title + case.removeprefix(name) if name in DATASETS else case


def about(variant: str) -> str:
    """The verdicts on what the paper says of a variant, in one sentence each; empty if it says nothing."""
    said = [row for row in shipped() if row["variant"] == variant]
    return " ".join(f"A claim of the paper: {row['says']} Our verdict: *{row['verdict']}*." for row in said)
