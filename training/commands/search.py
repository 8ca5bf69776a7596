"""``search``: try settings and record what each gives."""

import argparse

from aevq_hub.folder import SEARCH_FILE
from aevq_hub.measures import markdown_table
from aevq_hub.registry import VARIANTS, lookup

from ..recipe import Recipe
from ..search import grid, search
from ..tables import table
from . import options

HELP = "try settings and record what each gives"
DESCRIPTION = search.__doc__


def add_arguments(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
    """Add the command's arguments."""
    options.add_model(parser)
    options.add_settings(
        parser.add_argument_group("settings", "comma-separated values; every combination is tried"),
        Recipe(),
        tuple(vars(Recipe())),
        several=True,
    )
    parser.add_argument(
        "--baseline", metavar="VARIANT", help="also train this one with each recipe: ae-conv, the same network"
    )
    parser.add_argument(
        "--beside", type=options.list_of(str), default=(), metavar="A,B…", help="train these too, by their own recipes"
    )
    parser.add_argument("--images", type=options.at_least_one, help="how many training images to use (all)")
    parser.add_argument("--jobs", type=options.at_least_one, default=1, help="parallel trainings (%(default)s)")
    options.add_device(parser)


def run(args: argparse.Namespace) -> None:
    """Run the search and print its table."""
    lookup(VARIANTS, args.variant, "variant")
    source = options.source(args, args.dataset)
    path = args.output / f"{args.variant}-{source.name}" / SEARCH_FILE
    recipes = grid(args.variant, source.name, options.given_settings(args))
    chosen = {"baseline": args.baseline, "beside": args.beside, "images": args.images, "device": args.device}
    rows = search(args.variant, source, recipes, path, **chosen, jobs=args.jobs)
    print(f"{markdown_table(table(rows))}\n\nwrote {path}")
