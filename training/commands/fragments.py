"""``fragments``: the experiment on the paper's open question."""

import argparse

from aevq_hub.measures import markdown_table

from .. import figures
from ..files import written_beside
from ..fragments import FILE, MEASURED, PICTURE, Length, experiment, table, verdict
from ..sources import find_source
from . import options

HELP = "why codes of a grid describe fragments: an experiment on the paper's open question"
DESCRIPTION = """\
Train grids of 1, 2, 4 and 7 cells per side, with a decoder that receives the latents or the codes, with and without
global attention in the decoder, and measure what a code tells about the class and how local it is. Write the rows and
a picture into the folder of models. Finished trainings are not repeated, so the experiment can be interrupted.

Measures:
""" + "\n".join(f"  {heading:<16}{meaning}" for heading, _, meaning in MEASURED.values())


SENTENCE = """\
What feeds the decoder changes the information by at most {feed:.3f} bit, attention by at most {attention:.3f} bit;
from 7 × 7 to 2 × 2 cells it rises by a factor of at least {ratio:.1f}."""


def add_arguments(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
    """Add the command's arguments."""
    text = "labelled data sets of 28 pixels (mnist,fashionmnist)"
    default = ("mnist", "fashionmnist")
    parser.add_argument("--datasets", type=options.list_of(str), default=default, metavar="A,B…", help=text)
    parser.add_argument("--seeds", type=options.at_least_one, default=3, help="trainings of each case (%(default)s)")
    for name, text in (("images", "training images"), ("epochs", "epochs"), ("prior-epochs", "epochs of the priors")):
        value = getattr(Length, name.replace("-", "_"))
        parser.add_argument(f"--{name}", type=options.at_least_one, default=value, help=f"{text} (%(default)s)")
    parser.add_argument("--jobs", type=options.at_least_one, default=1, help="parallel trainings (%(default)s)")
    options.add_output(parser)
    options.add_data_root(parser)
    options.add_device(parser)


def run(args: argparse.Namespace) -> None:
    """Run the experiment and print its tables and verdicts."""
    sources = [find_source(name, data_root=args.data_root) for name in args.datasets]
    length, path = Length(args.images, args.epochs, args.prior_epochs), args.output / FILE
    rows = experiment(sources, args.seeds, path, length, jobs=args.jobs, device=args.device)
    with written_beside(args.output / PICTURE) as beside:
        figures.fragments(rows).savefig(beside, format="png", dpi=120)
    for source in sources:
        own = [row for row in rows if row["case"]["dataset"] == source.name]
        print(f"\n{source.name}\n\n{markdown_table(table(own))}\n\n{SENTENCE.format(**verdict(own))}")
    print(f"\nwrote {path} and {args.output / PICTURE}")
