"""``figures``: the paper's figures from the shipped models."""

import argparse
from pathlib import Path

from tqdm import tqdm

from aevq_hub.checks import one_of
from aevq_hub.folder import CARD_FILE
from aevq_hub.registry import DATASETS

from ..files import written_beside
from ..paper_figures import FIGURES, draw, gallery

HELP = "draw the paper's figures from the shipped models"
DESCRIPTION = """\
Draw the figures of the paper, each with the paper's numbers and a caption that says what to see. Only the shipped
models are needed, no data set.

""" + "\n".join(f"  {number:<5} {figure.variant:<11} {figure.title}" for number, figure in FIGURES.items())


def add_arguments(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
    """Add the command's arguments."""
    parser.add_argument("figures", nargs="*", metavar="NUMBER", help="such as 3.2; by default all")
    text = "draw them for this data set (the paper's)"
    parser.add_argument("--dataset", metavar="NAME", help=text)
    parser.add_argument("--output", type=Path, default=Path("figures"), help="the folder of the pictures (%(default)s)")


def run(args: argparse.Namespace) -> None:
    """Draw the figures."""
    numbers = [one_of("figure", number, FIGURES) for number in args.figures] or list(FIGURES)
    if args.dataset:
        one_of("data set", args.dataset, DATASETS)
    args.output.mkdir(parents=True, exist_ok=True)
    todo = [(n, d) for n in numbers for d in ([args.dataset] if args.dataset else FIGURES[n].datasets)]
    for number, dataset in tqdm(todo, unit=" figures"):
        tqdm.write(f"wrote {draw(number, dataset, args.output)}")
    if not args.figures:
        with written_beside(page := args.output / CARD_FILE) as beside:
            beside.write_text(gallery(todo), encoding="utf-8")
        print(f"wrote {page}, which shows them all")
