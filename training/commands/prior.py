"""``prior``: train the prior over a grid model's codes."""

import argparse

from filelock import FileLock, Timeout

from aevq_hub import AEVQConfig
from aevq_hub.folder import CONFIG_FILE, history

from ..card import terminal_report
from ..recipe import PRECISIONS
from ..recipes import recipe_for
from ..release import replace_prior
from ..sources import lock_file
from ..trainer import TrainingError
from . import options

HELP = "train the prior over a grid model's codes, which sample() and complete() draw from"
DESCRIPTION = """\
Train the prior of a model with a grid of codes, measure the model, and write both into its folder. Training by a recipe
with --prior-epochs does the same. A checkpoint is saved after each epoch: after an interruption, the same command
continues. The model itself is not changed."""


def add_arguments(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
    """Add the command's arguments."""
    parser.add_argument("model", metavar="NAME", help="a shipped model, such as vqae-mnist, or a folder")
    parser.add_argument("--epochs", type=options.at_least_one, help="passes over the codes (the recipe's)")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers (%(default)s)")
    choices = [precision for precision in PRECISIONS if precision != "auto"]
    parser.add_argument("--precision", choices=choices, default="fp32", help="of the network (%(default)s)")
    options.add_data(parser)
    options.add_device(parser)


def run(args: argparse.Namespace) -> None:
    """Train the prior and print the model's measurements."""
    folder = options.local_folder(args.model)
    config = AEVQConfig.from_file(folder / CONFIG_FILE)
    if not (config.grid_size and config.num_codes):
        raise ValueError(f"{config.name} has no grid of codes; only `vqae` and `vqvae` have one")
    history(folder)  # raises before any work
    epochs = args.epochs or recipe_for(config.variant, config.dataset).prior_epochs
    source = options.source(args, config.dataset)
    try:
        with FileLock(lock_file(folder), timeout=0):
            record = replace_prior(folder, source, epochs, args.seed, args.precision, args.device)
    except Timeout as error:
        raise TrainingError(f"{folder} is being trained by another process") from error
    print(f"wrote {folder}\n{terminal_report(record['results'])}")
