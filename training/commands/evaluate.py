"""``evaluate``: measure a model on the whole test split."""

import argparse
import math
from pathlib import Path

from filelock import FileLock

from aevq_hub import AEVQ, AEVQConfig
from aevq_hub.folder import CONFIG_FILE, HISTORY_FILE, find_files, history, locate
from aevq_hub.registry import DATASETS

from ..card import terminal_report
from ..checkpoint import TrainingError
from ..evaluate import evaluate
from ..files import write_json
from ..release import describe
from ..seeds import of_seed
from ..sources import lock_file
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
    (path,) = find_files(args.model, (CONFIG_FILE,))
    measured = path.read_bytes()  # it has the hash of the weights
    model = AEVQ.from_pretrained(args.model)
    name = args.dataset or model.config.dataset
    if args.data or name not in DATASETS:
        args.size, args.channels = args.size or model.config.image_size, args.channels or model.config.channels
    results = evaluate(model, options.source(args, name))
    print(terminal_report(results))
    if args.record:
        with FileLock(lock_file(path.parent)):
            if path.read_bytes() != measured:
                raise TrainingError(f"{path.parent} has other weights now; nothing was recorded")
            _record(model, path.parent, results)


def _record(model: AEVQ, folder: Path, results: dict) -> None:
    past = history(folder)
    if not _agree(model.config, past, results):
        del past["seeds"]
        print("the measurements of the other seeds are removed from the record: they were made in another way")
    write_json(folder / HISTORY_FILE, {**past, "results": results})
    describe(model, folder)


def _agree(config: AEVQConfig, past: dict, results: dict) -> bool:
    """Whether new results of a model agree with those that its history records for the same seed, if any."""
    known = [seed["results"] for seed in past.get("seeds", ()) if seed["seed"] == past["recipe"]["seed"]]
    found = of_seed(config, results)
    return all(
        one.keys() == found.keys() and all(math.isclose(one[key], found[key], rel_tol=0.02) for key in one)
        for one in known
    )
