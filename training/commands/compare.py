"""``compare``: other libraries beside this one."""

import argparse

from aevq_hub.checks import one_of
from aevq_hub.measures import markdown_table
from aevq_hub.registry import DATASETS

from .. import own_samplers
from ..compare import ENTRIES, FILE, PICTURE, RATES, STRIPS, Length, compare, picture, table
from ..files import written_beside
from ..sources import find_source
from ..step import DTYPES
from . import options

HELP = "train other libraries' models on the same networks and images, and measure them alike"
DESCRIPTION = f"""\
Train models of pythae, vector-quantize-pytorch and autoencoders, and ours, on the same networks, images, epochs and
seeds, in one precision, and measure all alike. Each has the better of the learning rates
{" and ".join(f"{r:g}" for r in RATES)} on held-out images, and otherwise its library's default settings or those of its
examples; ours have their recipes, which were searched for.
The reference classifier is trained first, which takes about two minutes on two cores, and is cached.
Finished trainings are not repeated. `pip install "aevq-hub[peers]"` installs the others; what is missing gets a row
that says so.

""" + "\n".join(f"  {name}" for name in ENTRIES)


def add_arguments(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
    """Add the command's arguments."""
    parser.add_argument("dataset", metavar="DATASET", help=", ".join(DATASETS))
    text = "only these, separated by semicolons; ours with or without backticks (all)"
    parser.add_argument("--entries", type=_entries, default=list(ENTRIES), metavar="A;B…", help=text)
    parser.add_argument("--seeds", type=options.at_least_one, default=3, help="trainings of each model (%(default)s)")
    for name, text in (("images", "training images"), ("epochs", "epochs")):
        value = getattr(Length, name)
        parser.add_argument(f"--{name}", type=options.at_least_one, default=value, help=f"{text} (%(default)s)")
    text = "of all networks while they train (%(default)s)"
    parser.add_argument("--precision", choices=sorted(DTYPES, reverse=True), default=Length.precision, help=text)
    text = "parallel trainings (%(default)s); speeds are measured afterwards, one by one"
    parser.add_argument("--jobs", type=options.at_least_one, default=1, help=text)
    options.add_output(parser)
    options.add_data_root(parser)


def _entries(text: str) -> list[str]:
    return [f"`{name}`" if f"`{name}`" in ENTRIES else name for name in map(str.strip, text.split(";"))]


def run(args: argparse.Namespace) -> None:
    """Train, measure and print the tables."""
    source = find_source(one_of("data set", args.dataset, DATASETS), data_root=args.data_root)
    entries = [one_of("model", entry, ENTRIES) for entry in args.entries]
    path, length = args.output / FILE, Length(args.images, args.epochs, args.precision)
    compare(source, args.seeds, path, length, entries=entries, jobs=args.jobs)
    rows = own_samplers.sample(source, args.seeds, path, length, entries=entries, jobs=args.jobs)
    for lines in (table(rows, False), table(rows, True), own_samplers.table(rows)):
        if lines:
            print(f"\n{markdown_table(lines)}")
    if not any("held_out" in row for row in rows):
        return
    with written_beside(drawn := args.output / PICTURE.format(source.name)) as beside:
        picture(source, args.output / STRIPS, rows).save(beside, "PNG")
    print(f"\nwrote {path} and {drawn}")
