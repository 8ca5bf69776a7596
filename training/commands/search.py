"""``search``: try settings and record the measurements."""

import argparse

from aevq_hub.checks import one_of
from aevq_hub.folder import SEARCH_FILE
from aevq_hub.measures import markdown_table
from aevq_hub.registry import VARIANTS

from ..recipe import Recipe
from ..search import grid, search
from ..tables import table
from . import options

HELP = "try settings and record the measurements"
DESCRIPTION = """\
Train each recipe on the training split without its last images, and measure it on those. Rows that search.json already
contains are not trained again, so a search can be interrupted and extended. For a data set with labels the reference
classifier is trained first, which takes about two minutes on two cores, and is cached."""


def add_arguments(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
    """Add the command's arguments."""
    options.add_model(parser)
    group = parser.add_argument_group("settings", "comma-separated values; every combination is tried")
    options.add_settings(group, Recipe(), tuple(vars(Recipe())), several=True)
    text = "also train this variant with each recipe, such as ae-conv, which has the same network as center"
    parser.add_argument("--baseline", metavar="VARIANT", help=text)
    text = "also train these variants, by their own recipes"
    parser.add_argument("--beside", type=options.list_of(str), default=(), metavar="A,B…", help=text)
    parser.add_argument("--images", type=options.at_least_one, help="the number of training images to use (all)")
    parser.add_argument("--jobs", type=options.at_least_one, default=1, help="parallel trainings (%(default)s)")
    options.add_device(parser)


def run(args: argparse.Namespace) -> None:
    """Run the search and print its table."""
    one_of("variant", args.variant, VARIANTS)
    source = options.source(args, args.dataset)
    path = args.output / f"{args.variant}-{source.name}" / SEARCH_FILE
    recipes = grid(args.variant, source.name, options.given_settings(args))
    chosen = {"baseline": args.baseline, "beside": args.beside, "images": args.images, "device": args.device}
    rows = search(args.variant, source, recipes, path, **chosen, jobs=args.jobs)
    print(f"{markdown_table(table(rows))}\n\nwrote {path}")
