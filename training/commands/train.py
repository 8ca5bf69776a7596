"""``train``: train one model and write its folder."""

import argparse

from aevq_hub.registry import VARIANTS

from ..recipe import Recipe
from ..recipes import recipe_for, used_settings
from ..runs import train_model
from . import options

HELP = "train a model and write its folder"


def add_arguments(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
    """Add the command's arguments, with the description and the defaults of the variant named in ``arguments``."""
    named = argparse.ArgumentParser(add_help=False)
    _add(named, Recipe(), ())
    named.set_defaults(variant="", dataset="")
    for action in named._actions:  # the real parser checks the two names
        action.nargs, action.type, action.choices = "?", None, None
    known, _ = named.parse_known_args([a for a in arguments if a not in ("-h", "--help")])
    try:
        recipe = recipe_for(known.variant, known.dataset)
        used = used_settings(known.variant, recipe)
    except ValueError:  # the real parser says which names there are
        recipe, used = Recipe(), tuple(vars(Recipe()))
    parser.description = _description(known.variant, known.dataset)
    _add(parser, recipe, used)


def _add(parser: argparse.ArgumentParser, recipe: Recipe, used: tuple[str, ...]) -> None:
    options.add_model(parser)
    group = parser.add_argument_group("recipe", "the defaults are this variant's for this data set")
    options.add_settings(group, recipe, used)
    parser.add_argument("--restart", action="store_true", help="discard an earlier training in the same folder")
    compiling = (
        "compile the networks first, which takes minutes: for long trainings on a GPU; slower on most processors"
    )
    parser.add_argument("--compile", action="store_true", help=compiling)
    options.add_device(parser)


def run(args: argparse.Namespace) -> None:
    """Train the model."""
    recipe_for(args.variant, "", **options.given_settings(args))  # before the data set is searched for
    source = options.source(args, args.dataset)
    recipe = recipe_for(args.variant, source.name, **options.given_settings(args))
    train_model(args.variant, source, recipe, args.output, args.device, restart=args.restart, compiled=args.compile)


def _description(variant: str, dataset: str) -> str:
    """The description of the chosen variant, or a list of the variants."""
    if variant not in VARIANTS:
        return "Train a variant on a data set and write its folder.\n\nvariants:\n" + "\n".join(
            f"  {name:12} {v.title} ({v.section})" for name, v in VARIANTS.items()
        )
    v, module = VARIANTS[variant], __name__.removesuffix(".commands.train")
    return (
        f"{v.title} ({v.section})\n\n{v.summary}\n\n"
        f"Writes model_cards/{variant}-{dataset or 'DATASET'}/: config.json, model.safetensors, history.json (for\n"
        "each epoch the terms of the loss, test MSE and PSNR, the vectors' movement and the codebook's health),\n"
        "samples, a map of the vectors, pictures and a card.\n"
        "A checkpoint is saved after each epoch: after an interruption, the same command continues, to the same\n"
        "result. With --precision auto, the faster of fp32 and bf16 on this machine is measured first, and recorded."
        "\n\nSeveral GPUs, or machines that share --output, train one model together:\n"
        f"  accelerate launch --multi_gpu --num_processes 4 -m {module} train {variant} {dataset or 'DATASET'}\n"
        "Each process takes its part of every batch, so the result is that of one process with the same settings,\n"
        "up to rounding. On processors, add --device cpu at the end."
    )
