"""The options of ``python -m training`` and their help."""

import argparse
from dataclasses import fields
from pathlib import Path

import torch

from aevq_hub.recipe import Recipe
from aevq_hub.registry import DATASETS, VARIANTS

from .search import search
from .space import HARDWARE

OVERVIEW = """\
Train the models of "Rethinking VAE: From Continuous to Discrete Representations Without Probabilistic Assumptions".

  python -m training train center mnist                  the paper's `center` on MNIST, downloaded from the Hub
  python -m training train center mnist --data-root DIR  the same from local copies in the Hub's layout
  python -m training train center cats --data PHOTOS --size 64 --channels 3
                                                         on a folder of your own images
  python -m training train center OWNER/NAME --size 64 --channels 3
                                                         on any image data set of the Hub
  python -m training all --variants vqae,vqvae           several models one after the other, by default all of them
  python -m training search center mnist --latent-dim 32,64 --pull-weight 1,3,10
                                                         a recorded search over settings
  python -m training evaluate center-mnist               the numbers of a model, measured again
  python -m training map center-mnist                    its vectors and latents on a plane, for the demo
  python -m training push center-mnist --to NAMESPACE    publish its folder on the Hub
  python -m training push-space --to NAMESPACE/NAME      publish the demo of a namespace's models

`python -m training train center mnist --help` explains what is trained, and with which settings.
"""


def parser(arguments: list[str]) -> argparse.ArgumentParser:
    """The parser of ``python -m training``; it stores the chosen command's name as ``command``.

    Args:
        arguments: what will be parsed: the help of `train` and its defaults are those of the variant named there.
    """
    root = argparse.ArgumentParser("python -m training", description=OVERVIEW, formatter_class=_Raw)
    commands = root.add_subparsers(required=True, dest="command", metavar="COMMAND")

    variant, dataset = ([a for a in arguments[1:] if not a.startswith("-")] + ["", ""])[:2]
    train = commands.add_parser(
        "train", help="train a model and write its folder", formatter_class=_Raw, description=_explain(variant, dataset)
    )
    _add_model(train)
    entry = VARIANTS.get(variant)  # unknown while only `train --help` is asked for
    recipe = entry.recipe_for(dataset) if entry else Recipe()
    settings = train.add_argument_group("recipe", "the defaults are this variant's for this data set")
    for f in fields(Recipe):
        settings.add_argument(
            _flag(f.name), type=f.type, choices=f.metadata.get("choices"),
            metavar=None if "choices" in f.metadata else f.type.__name__.upper(),
            help=f"{f.metadata['help']} ({getattr(recipe, f.name)})",
        )  # fmt: skip
    train.add_argument("--restart", action="store_true", help="forget an earlier training in the same folder")
    _add_device(train)

    every = commands.add_parser(
        "all", help="train every variant on every data set, or a chosen part", formatter_class=_Raw,
        description="Train one model after the other. What is finished is skipped, what was interrupted goes on;\n"
        "at the end a table of what was measured.",
    )  # fmt: skip
    every.add_argument("--variants", type=_several(str), metavar="A,B…", help=f"which ({', '.join(VARIANTS)})")
    every.add_argument("--datasets", type=_several(str), metavar="A,B…", help=f"which ({', '.join(DATASETS)})")
    every.add_argument(
        "--shard",
        type=_shard,
        default=(1, 1),
        metavar="I/N",
        help="only every Nth of them, from the Ith on (job arrays)",
    )
    every.add_argument("--epochs", type=_at_least_one, help="for a short trial (the recipes')")
    every.add_argument(
        "--data-root", type=Path, metavar="DIR", help="local copies in the Hub's layout (AEVQ_DATA_ROOT)"
    )
    _add_output(every)
    _add_device(every)

    find = commands.add_parser(
        "search", help="try settings and record what each gives", formatter_class=_Raw, description=search.__doc__
    )
    _add_model(find)
    settings = find.add_argument_group("settings", "comma-separated values; every combination is tried")
    for f in fields(Recipe):
        settings.add_argument(_flag(f.name), type=_several(f.type), metavar="A,B…", help=f.metadata["help"])
    find.add_argument("--baseline", metavar="VARIANT", help="train this one too, to compare: ae-conv, the same network")
    find.add_argument(
        "--beside", type=_several(str), default=(), metavar="A,B…", help="train these too, by their own recipes"
    )
    find.add_argument("--images", type=_at_least_one, help="how many training images to use (all)")
    find.add_argument("--jobs", type=_at_least_one, default=1, help="trainings at a time (%(default)s)")
    _add_device(find)

    measure = commands.add_parser("evaluate", help="measure a model on the whole test split")
    measure.add_argument("model", metavar="NAME", help="a shipped model, a folder, or <namespace>/<name> on the Hub")
    _add_data(measure)
    measure.add_argument("--dataset", help="what to measure it on, by default what it was trained on")
    measure.add_argument("--record", action="store_true", help="write the numbers into the folder's history and card")

    card = commands.add_parser("card", help="draw a model's pictures and write its card again, from its folder alone")
    card.add_argument("folder", type=Path, metavar="FOLDER")

    plane = commands.add_parser("map", help="place models' vectors and latents of test images on a plane, for the demo")
    plane.add_argument("models", nargs="*", metavar="NAME", help="which, such as codebook-mnist, or a folder")
    plane.add_argument("--all", action="store_true", help="all shipped models that have vectors")
    _add_data(plane)

    push = commands.add_parser(
        "push", help="publish models' folders as repositories of the Hub", formatter_class=_Raw,
        description="Publish folders of model_cards/ as they are: NAMESPACE/<name> becomes a copy of <name>/, in one\n"
        "commit that leaves unchanged files alone. The token is that of `hf auth login` or HF_TOKEN. Interrupted, the\n"
        "same command goes on. Several models on main are gathered in a collection, in the order of the ladder.",
    )  # fmt: skip
    push.add_argument("models", nargs="*", metavar="NAME", help="which, such as center-celeba")
    push.add_argument("--all", action="store_true", help="all that are in the folder of models")
    push.add_argument("--to", required=True, metavar="NAMESPACE", help="an account or an organisation of the Hub")
    push.add_argument("--private", action="store_true", help="make new repositories private")
    where = push.add_mutually_exclusive_group()
    where.add_argument("--revision", metavar="BRANCH", help="publish on this branch, made if missing (main)")
    where.add_argument("--create-pr", action="store_true", help="open pull requests instead")
    push.add_argument("--tag", help="name the published state")
    push.add_argument("--dry-run", action="store_true", help="list what would change, and change nothing")
    _add_output(push)

    space = commands.add_parser(
        "push-space", help="publish the demo as a Space of the Hub", formatter_class=_Raw,
        description="Publish app.py and aevq_hub as a Gradio Space that shows a namespace's models, each at the\n"
        "commit that it has now: they are loaded while the Space is built. Run it from a checkout, and again\n"
        "after models have changed.",
    )  # fmt: skip
    space.add_argument("--to", required=True, metavar="NAMESPACE/NAME", help="the Space, made if missing")
    space.add_argument("--models", metavar="NAMESPACE", help="whose models it shows (the Space's namespace)")
    space.add_argument("--hardware", choices=HARDWARE, default=HARDWARE[0], help="what it runs on (%(default)s)")
    space.add_argument("--private", action="store_true", help="make a new Space private")
    space.add_argument("--create-pr", action="store_true", help="open a pull request instead")
    space.add_argument("--dry-run", action="store_true", help="list what would change, and change nothing")
    return root


class _Raw(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog):
        super().__init__(prog, max_help_position=40, width=118)


def _device(name: str) -> str:
    gpus = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    choices = ["cpu", "cuda", *gpus] if gpus else ["cpu"]
    if name not in choices:
        raise argparse.ArgumentTypeError(f"{name!r} is not to be had; choose from {', '.join(choices)}")
    return name


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number of at least 1")
    return int(text)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _several(kind: type):
    def parse(text: str) -> list:
        return [kind(part) for part in text.split(",")]

    parse.__name__ = f"list of {kind.__name__}"  # what argparse names in its error
    return parse


def _explain(variant: str, dataset: str) -> str:
    """The help of `train`: what the chosen variant is, or which there are."""
    if variant not in VARIANTS:
        return "Train a variant on a data set and write its folder.\n\nvariants:\n" + "\n".join(
            f"  {name:12} {v.title} ({v.section})" for name, v in VARIANTS.items()
        )
    v = VARIANTS[variant]
    return (
        f"{v.title} ({v.section})\n\n{v.summary}\n\n"
        f"Writes model_cards/{variant}-{dataset or 'DATASET'}/: config.json, model.safetensors, history.json (per\n"
        "epoch the terms of the loss, test MSE and PSNR, the vectors' movement and the codebook's health), samples,\n"
        "of models with vectors a map, pictures and a card.\n"
        "After each epoch a checkpoint is saved: if training is interrupted, the same command goes on with the next\n"
        "epoch, to the same result."
    )


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("variant", metavar="VARIANT", help=", ".join(VARIANTS))
    choices = f"{', '.join(DATASETS)}, the id of a data set of the Hub, or any name with --data"
    parser.add_argument("dataset", metavar="DATASET", help=choices)
    _add_data(parser)
    _add_output(parser)


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output", type=Path, default=Path("model_cards"), help="the folder of the models' folders (%(default)s)"
    )


def _add_device(parser: argparse.ArgumentParser) -> None:
    default = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--device", default=default, type=_device, help="cpu or cuda (%(default)s)")


def _add_data(parser: argparse.ArgumentParser) -> None:
    data = parser.add_argument_group("data")
    data.add_argument("--data", type=Path, metavar="PATH", help="a folder of images, with or without train/ and test/")
    data.add_argument("--size", type=int, help="height and width in pixels, for images of one's own")
    data.add_argument("--channels", type=int, choices=(1, 3), help="1 grey, 3 RGB, for images of one's own")
    data.add_argument("--config", help="configuration of a data set given by its id")
    data.add_argument("--image-column", help="its column of images (image)")
    data.add_argument(
        "--data-root",
        type=Path,
        metavar="DIR",
        help="local copies in the Hub's layout, DIR/ylecun/mnist … (AEVQ_DATA_ROOT)",
    )


def _shard(text: str) -> tuple[int, int]:
    index, _, count = text.partition("/")
    if not (index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise argparse.ArgumentTypeError(f"{text!r} must be i/n with 1 ≤ i ≤ n, such as 2/4")
    return int(index), int(count)
