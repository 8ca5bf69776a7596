"""``map``: place a model's vectors and latents of test images on a plane."""

import argparse

from tqdm import tqdm

from aevq_hub import AEVQ, AEVQConfig, available_models
from aevq_hub.folder import CONFIG_FILE, MAP_FILE, find_files

from ..data import load
from ..maps import write_map
from . import options

HELP = "place models' vectors and latents of test images on a plane, for the demo"


def add_arguments(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
    """Add the command's arguments."""
    parser.add_argument("models", nargs="*", metavar="NAME", help="such as codebook-mnist, or a folder")
    parser.add_argument("--all", action="store_true", help="all shipped models with vectors")
    options.add_data(parser)


def run(args: argparse.Namespace) -> None:
    """Write the maps."""
    if bool(args.models) == args.all:
        raise ValueError("name the models to map, or give --all for all shipped ones that have vectors")
    files = {name: find_files(name, (CONFIG_FILE,))[0] for name in args.models or available_models()}
    configs = {name: AEVQConfig.from_file(file) for name, file in files.items()}
    without = [name for name, config in configs.items() if not config.num_codes]
    if without and not args.all:
        raise ValueError(f"{without[0]} has no vectors, so there is nothing to map")
    chosen = [name for name in files if name not in without]
    sources = {name: options.source(args, configs[name].dataset) for name in chosen}  # before any work
    for name in tqdm(chosen, unit=" maps", disable=len(chosen) == 1):
        folder = files[name].parent
        write_map(AEVQ.from_pretrained(name), load(sources[name], "test"), folder)
        tqdm.write(f"wrote {folder / MAP_FILE}")
