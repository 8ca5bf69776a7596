"""Arguments that several commands share."""

import argparse
from dataclasses import fields
from functools import partial
from pathlib import Path

import torch

from aevq_hub.folder import CONFIG_FILE, find_files, locate
from aevq_hub.registry import DATASETS, VARIANTS

from ..recipe import Recipe
from ..rows import Source
from ..sources import find_source

# wide help, with the line breaks of descriptions
Formatter = partial(argparse.RawDescriptionHelpFormatter, max_help_position=40, width=118)


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the variant, the data set, where its images are and where models are written."""
    parser.add_argument("variant", metavar="VARIANT", help=", ".join(VARIANTS))
    choices = f"{', '.join(DATASETS)}, the id of a data set on the Hub, or any name with --data"
    parser.add_argument("dataset", metavar="DATASET", help=choices)
    add_data(parser)
    add_output(parser)


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the options for the place and the format of images, which :func:`source` reads."""
    data = parser.add_argument_group("data")
    text = "a folder of images, with or without train/ and test/; class folders or metadata.csv give labels"
    data.add_argument("--data", type=Path, metavar="PATH", help=text)
    data.add_argument("--size", type=int, help="height and width in pixels, for your own images")
    data.add_argument("--channels", type=int, choices=(1, 3), help="1 for grey, 3 for RGB, for your own images")
    data.add_argument("--config", help="the configuration of a data set given by its id")
    data.add_argument("--image-column", help="the column of images (image)")
    data.add_argument("--label-column", help="the column of classes, in metadata.csv or on the Hub (label)")
    add_data_root(data)


def add_data_root(parser) -> None:
    """Add the option for local copies of the data sets."""
    text = "local copies in the Hub's layout, DIR/ylecun/mnist … (AEVQ_DATA_ROOT)"
    parser.add_argument("--data-root", type=Path, metavar="DIR", help=text)


def source(args: argparse.Namespace, name: str) -> Source:
    """The data set that a name and the options of :func:`add_data` describe."""
    return find_source(
        name, data=args.data, data_root=args.data_root, size=args.size, channels=args.channels,
        image_column=args.image_column, label_column=args.label_column, config=args.config,
    )  # fmt: skip


def local_folder(name: str) -> Path:
    """The folder of a model that a command writes into.

    Raises:
        ValueError: the model is on the Hub.
        LoadError: there is no such model.
    """
    if not isinstance(locate(name), Path):
        raise ValueError(f"{name} is on the Hub; download its folder first, and give its path")
    return find_files(name, (CONFIG_FILE,))[0].parent


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add the option for the folder that holds the models' folders."""
    text = "the folder of the models' folders (%(default)s)"
    parser.add_argument("--output", type=Path, default=Path("model_cards"), help=text)


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add the option for the device to train on."""
    text = "cpu, cuda, mps, xpu …; auto: the accelerator, or the processor if there is none (%(default)s)"
    parser.add_argument("--device", default="auto", type=_device, help=text)


def _device(name: str) -> str:
    """Parse the name of an available device."""
    accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    kind = accelerator.type if accelerator else "cpu"
    numbered = [f"{kind}:{i}" for i in range(torch.accelerator.device_count())] if accelerator else []
    choices = list(dict.fromkeys(["auto", "cpu", kind, *numbered]))
    if name not in choices:
        raise argparse.ArgumentTypeError(f"{name!r} is not available; choose from {', '.join(choices)}")
    return kind if name == "auto" else name


def add_settings(parser: argparse._ArgumentGroup, recipe: Recipe, used: tuple[str, ...], *, several: bool = False):
    """Add an option for each setting; the help shows only ``used`` ones, with the values of ``recipe`` as defaults.

    With ``several``, an option takes comma-separated values.
    """
    for f in fields(Recipe):
        assert isinstance(f.type, type)  # not a string: recipe.py evaluates its annotations
        text = f.metadata["help"].replace("%", "%%") + ("" if several else f" ({getattr(recipe, f.name)})")
        parser.add_argument(
            "--" + f.name.replace("_", "-"),
            type=list_of(f.type) if several else f.type,
            metavar="A,B…" if several else None if "choices" in f.metadata else f.type.__name__.upper(),
            help=text if f.name in used else argparse.SUPPRESS,
            choices=None if several else f.metadata.get("choices"),
        )


def given_settings(args: argparse.Namespace) -> dict:
    """The settings that were given on the command line, by name."""
    return {f.name: getattr(args, f.name) for f in fields(Recipe) if getattr(args, f.name, None) is not None}


def at_least_one(text: str) -> int:
    """Parse a whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number of at least 1")
    return int(text)


def list_of(kind: type):
    """A parser of comma-separated values of a type."""

    def parse(text: str) -> list:
        return [kind(part) for part in text.split(",")]

    parse.__name__ = f"list of {kind.__name__}"  # argparse puts this into its error message
    return parse
