"""``evaluate``: measure a model on the whole test split."""

import argparse
from pathlib import Path

from aevq_hub import AEVQ
from aevq_hub.folder import HISTORY_FILE, find_files, history, locate

from ..card import terminal_report
from ..evaluate import evaluate
from ..files import write_json
from ..release import describe
from . import options

HELP = "measure a model on the whole test split"


def add_arguments(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
    """Add the command's arguments."""
    parser.add_argument("model", metavar="NAME", help="a shipped model, a folder, or <namespace>/<name> on the Hub")
    options.add_data(parser)
    parser.add_argument("--dataset", help="the data set to measure it on (the one it was trained on)")
    parser.add_argument("--record", action="store_true", help="write the numbers into the folder's history and card")


def run(args: argparse.Namespace) -> None:
    """Measure the model and print the numbers."""
    if args.record and args.dataset:
        raise ValueError("--record stores the numbers for the data set the model was trained on; leave out --dataset")
    if args.record and not isinstance(locate(args.model), Path):
        raise ValueError(f"--record writes into a model's folder, but {args.model} is on the Hub; leave out --record")
    model = AEVQ.from_pretrained(args.model)
    results = evaluate(model, options.source(args, args.dataset or model.config.dataset))
    print(terminal_report(results))
    if args.record:
        (path,) = find_files(args.model, (HISTORY_FILE,))
        write_json(path, {**history(path.parent), "results": results})
        describe(model, path.parent)
