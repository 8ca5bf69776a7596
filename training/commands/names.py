"""``names``: words for the directions and the samples of models, from measurements on images."""

import argparse

from filelock import FileLock
from tqdm import tqdm

from aevq_hub import AEVQ, AEVQConfig, available_models
from aevq_hub.folder import CONFIG_FILE, HISTORY_FILE, history

from ..data import Split, load, training_labels
from ..files import write_json
from ..release import named
from ..sources import lock_file
from . import options

HELP = "label models' directions and samples for the demo"
DESCRIPTION = """\
Measure which property of the images changes with each direction and each of the strongest dimensions, and write the
labels and the classes of the samples into the history.json of models' folders. Training does the same."""


def add_arguments(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
    """Add the command's arguments."""
    parser.add_argument("models", nargs="*", metavar="NAME", help="such as center-mnist, or a folder")
    parser.add_argument("--all", action="store_true", help="all shipped models")
    options.add_data(parser)


def run(args: argparse.Namespace) -> None:
    """Write the names."""
    if bool(args.models) == args.all:
        raise ValueError("give the models whose directions are to be named, or --all for all shipped ones")
    folders = [options.local_folder(name) for name in args.models or available_models()]
    sources = [options.source(args, AEVQConfig.from_file(folder / CONFIG_FILE).dataset) for folder in folders]
    for folder in folders:
        history(folder)  # raises before any work
    work = list(zip(folders, sources, strict=True))
    for folder, source in tqdm(work, unit=" models", disable=len(work) == 1):
        train = Split(load(source, "train").images, training_labels(source))
        found = named(AEVQ.from_pretrained(folder), source, train, load(source, "test"))
        with FileLock(lock_file(folder)):
            write_json(folder / HISTORY_FILE, history(folder) | found)
        tqdm.write(f"wrote {folder / HISTORY_FILE}")
