"""``card``: render a model's pictures and write its card again."""

import argparse
from pathlib import Path

from aevq_hub import AEVQ

from ..release import describe

HELP = "render a model's pictures and write its card again, using only its folder"


def add_arguments(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
    """Add the command's arguments."""
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")


def run(args: argparse.Namespace) -> None:
    """Write the pictures and the cards."""
    for folder in args.folders:
        describe(AEVQ.from_pretrained(folder), folder)
