"""``report``: write the report on all models."""

import argparse

from ..report import write_report
from . import options

HELP = "write the report on a folder of models from their records"
DESCRIPTION = """\
Write README.md into the folder of models: tables of all measurements and, for the shipped models, the evidence for the
paper's claims. All numbers are read from the history.json and search.json files."""


def add_arguments(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
    """Add the command's arguments."""
    options.add_output(parser)


def run(args: argparse.Namespace) -> None:
    """Write the report."""
    print(f"wrote {write_report(args.output)}")
