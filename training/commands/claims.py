"""``claims``: what the paper claims, measured."""

import argparse

from tqdm import tqdm

from aevq_hub import claims
from aevq_hub.checks import one_of
from aevq_hub.measures import markdown_table

from ..claim_records import Evidence
from ..claims import CLAIMS, measure
from ..files import write_json
from . import options

HELP = "measure the paper's claims on the trained models"
DESCRIPTION = """\
Measure each claim of the paper against the bounds in training/claims.py, and write the values and verdicts into the
folder of models, from where the report and the demo take them. Test images are needed, no training is.

""" + "\n".join(f"  {number:<4}{claim.variant:<12}{claim.says}" for number, claim in CLAIMS.items())


def add_arguments(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
    """Add the command's arguments."""
    parser.add_argument("claims", nargs="*", metavar="NUMBER", help="such as 4; by default all, which are recorded")
    options.add_output(parser)
    options.add_data_root(parser)


def run(args: argparse.Namespace) -> None:
    """Measure the claims and print their table."""
    numbers = [one_of("claim", number, CLAIMS) for number in args.claims] or list(CLAIMS)
    evidence = Evidence(args.output, args.data_root)
    rows = [measure(number, evidence) for number in tqdm(numbers, unit=" claims")]
    print(markdown_table(claims.lines(rows)))
    missing = [part["says"] for row in rows for part in row["parts"] if "missing" in part]
    if missing and not args.claims and claims.recorded(args.output):
        raise ValueError(f"nothing was written: there are earlier values, and now “{missing[0]}” cannot be measured")
    if not args.claims:
        write_json(args.output / claims.FILE, rows)
        print(f"\nwrote {args.output / claims.FILE}")
