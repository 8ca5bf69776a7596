"""``all``: train every variant on every data set, or some of them."""

import argparse
import sys
from functools import partial

from aevq_hub.checks import one_of
from aevq_hub.folder import history
from aevq_hub.measures import markdown_table
from aevq_hub.registry import DATASETS, VARIANTS

from ..recipes import recipe_for
from ..runs import train_model
from ..seeds import train_seeds
from ..sources import find_source
from ..tables import models
from ..trainer import TrainingError
from . import options

HELP = "train every variant on every data set, or some of them"
DESCRIPTION = """\
Train models one after the other. Finished ones are skipped, interrupted ones continue. At the end, a table of all
measurements is printed."""


def add_arguments(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
    """Add the command's arguments."""
    parser.add_argument("--variants", type=options.list_of(str), metavar="A,B…", help=f"which ({', '.join(VARIANTS)})")
    parser.add_argument("--datasets", type=options.list_of(str), metavar="A,B…", help=f"which ({', '.join(DATASETS)})")
    text = "only every Nth model, beginning with the Ith (for job arrays)"
    parser.add_argument("--shard", type=_shard, default=(1, 1), metavar="I/N", help=text)
    parser.add_argument("--epochs", type=options.at_least_one, help="passes over the training images (the recipes')")
    text = "train each with N seeds, and choose the one with the median score; tables give mean ± standard deviation"
    parser.add_argument("--seeds", type=options.at_least_one, default=1, metavar="N", help=text)
    options.add_data_root(parser)
    options.add_output(parser)
    options.add_device(parser)


def run(args: argparse.Namespace) -> None:
    """Train the models. If some fail, a TrainingError at the end names them."""
    chosen = [(v, d) for d in args.datasets or DATASETS for v in args.variants or VARIANTS]
    for variant, dataset in chosen:  # before any work
        one_of("variant", variant, VARIANTS)
        one_of("data set", dataset, DATASETS)
    index, count = args.shard
    folders, failed = [], []
    for variant, dataset in chosen[index - 1 :: count]:
        try:
            source = find_source(dataset, data_root=args.data_root)
            recipe = recipe_for(variant, dataset, **options.given_settings(args))
            train = partial(train_seeds, count=args.seeds) if args.seeds > 1 else train_model
            folders.append(train(variant, source, recipe, args.output, args.device))
        except Exception as error:  # after any error, even a full memory, the other models are trained
            print(f"error: {variant}-{dataset}: {error}", file=sys.stderr)
            failed.append(f"{variant}-{dataset}")
    if not (folders or failed):
        print(f"there is nothing to train: --shard {index}/{count} of {len(chosen)} models is empty")
    if folders:
        print(f"\n{markdown_table(models([history(folder) for folder in folders]))}")
    if failed:
        raise TrainingError(f"{len(failed)} of {len(failed) + len(folders)} models failed: {', '.join(failed)}")


def _shard(text: str) -> tuple[int, int]:
    index, _, count = text.partition("/")
    if not (index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise argparse.ArgumentTypeError(f"{text!r} must be i/n with 1 ≤ i ≤ n, such as 2/4")
    return int(index), int(count)
