"""``python -m training``: train a variant on a data set, search for its recipe, measure a model."""

import argparse
import json
import sys
from dataclasses import fields, replace
from pathlib import Path

import torch
from tqdm import tqdm

from aevq_hub import AEVQ, AEVQConfig
from aevq_hub.hub import CONFIG_FILE, WEIGHTS_FILE, find_files
from aevq_hub.registry import DATASETS, VARIANTS, Recipe, lookup

from . import metrics
from .card import named_numbers
from .data import Source, find_source, load, training_labels
from .evaluate import evaluate
from .files import write_json
from .release import describe, release
from .search import grid, search
from .tables import SEARCH_FILE, markdown, models, table
from .trainer import Trainer, TrainingError, refuse_other_settings

CHECKPOINT = "checkpoint.safetensors"

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

`python -m training train center mnist --help` explains what is trained, and with which settings.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns the exit status: 0, 1 after an error that was explained, 130 after Ctrl-C."""
    arguments = sys.argv[1:] if arguments is None else arguments
    args = _parser(arguments).parse_args(arguments)
    try:
        args.run(args)
    except (ValueError, OSError, TrainingError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; a training goes on from its last finished epoch", file=sys.stderr)
        return 130
    return 0


def _parser(arguments: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m training", description=OVERVIEW, formatter_class=_Raw)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

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
    train.set_defaults(run=_train)

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
    every.set_defaults(run=_all)

    find = commands.add_parser(
        "search", help="try settings and record what each gives", formatter_class=_Raw, description=search.__doc__
    )
    _add_model(find)
    settings = find.add_argument_group("settings", "comma-separated values; every combination is tried")
    for f in fields(Recipe):
        settings.add_argument(_flag(f.name), type=_several(f.type), metavar="A,B…", help=f.metadata["help"])
    find.add_argument("--baseline", metavar="VARIANT", help="train this one too, to compare: ae-conv, the same network")
    find.add_argument("--images", type=_at_least_one, help="how many training images to use (all)")
    find.add_argument("--jobs", type=_at_least_one, default=1, help="trainings at a time (%(default)s)")
    find.set_defaults(run=_search)

    measure = commands.add_parser("evaluate", help="measure a model on the whole test split")
    measure.add_argument("model", metavar="NAME", help="a shipped model, a folder, or <namespace>/<name> on the Hub")
    _add_data(measure)
    measure.add_argument("--dataset", help="what to measure it on, by default what it was trained on")
    measure.add_argument("--record", action="store_true", help="write the numbers into the folder's history and card")
    measure.set_defaults(run=_evaluate)

    card = commands.add_parser("card", help="draw a model's pictures and write its card again, from its folder alone")
    card.add_argument("folder", type=Path, metavar="FOLDER")
    card.set_defaults(run=lambda args: describe(AEVQ.from_pretrained(args.folder), args.folder))
    return parser


class _Raw(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog):
        super().__init__(prog, max_help_position=40, width=118)


def _device(name: str) -> str:
    if name.split(":")[0] not in ("cpu", "cuda") or (name != "cpu" and not torch.cuda.is_available()):
        raise argparse.ArgumentTypeError(f"{name!r} is not to be had; choose from cpu, cuda (where there is a GPU)")
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
        "pictures and a card.\n"
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
        "--output", type=Path, default=Path("model_cards"), help="where the models' folders are put (%(default)s)"
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


def _source(args: argparse.Namespace, name: str) -> Source:
    return find_source(
        name, data=args.data, data_root=args.data_root, size=args.size, channels=args.channels,
        image_column=args.image_column, config=args.config,
    )  # fmt: skip


def _given(args: argparse.Namespace) -> dict:
    """The settings of the recipe that stand on the command line."""
    return {f.name: getattr(args, f.name) for f in fields(Recipe) if getattr(args, f.name, None) is not None}


def _train(args: argparse.Namespace) -> None:
    lookup(VARIANTS, args.variant, "variant")
    source = _source(args, args.dataset)
    recipe = replace(VARIANTS[args.variant].recipe_for(source.name), **_given(args))
    train_model(args.variant, source, recipe, args.output, args.device, restart=args.restart)


def train_model(
    variant: str, source: Source, recipe: Recipe, output: Path, device: str = "cpu", *, restart: bool = False
) -> Path:
    """Train a model, or go on with it, and write its folder.

    Returns:
        The model's folder in ``output``. One that is finished is left as it is.

    Raises:
        TrainingError: the folder holds a model of other settings, or training cannot go on.
    """
    config = AEVQConfig.for_training(variant, source.name, source.dataset, recipe)
    trainer = Trainer(config, recipe, device, data=source.public_name)
    folder = output / config.name
    checkpoint, history = folder / CHECKPOINT, folder / "history.json"
    if restart:
        checkpoint.unlink(missing_ok=True)
    elif checkpoint.exists():
        trainer.load(checkpoint)
    elif (folder / WEIGHTS_FILE).exists() and history.exists():
        told = json.loads(history.read_text(encoding="utf-8"))
        config_then = AEVQConfig.from_file(folder / CONFIG_FILE)
        then = {"config": config_then.to_dict(), "recipe": told["recipe"], "data": told["data"]["source"]}
        refuse_other_settings(history, then, trainer.settings)
        trainer.epochs = told["epochs"]
    asked, done = trainer.total_epochs, len(trainer.epochs)
    if done > asked or (not checkpoint.exists() and 0 < done < asked):
        raise TrainingError(f"{folder} has {done} epochs, not {asked}; --restart trains it anew")
    if done and not checkpoint.exists():
        print(f"{folder} is trained already, for {asked} epochs; --restart trains it again")
        return folder
    train, test = load(source, "train"), load(source, "test")
    labels = training_labels(source)
    folder.mkdir(parents=True, exist_ok=True)
    with tqdm(total=asked * len(train), initial=done * len(train), unit=" images", smoothing=0.05) as bar:
        while not trainer.finished:
            bar.set_description(f"{config.name} epoch {len(trainer.epochs) + 1}/{asked}")
            record = trainer.run_epoch(train.images, labels, bar)
            record |= _measured(trainer, test.images)
            trainer.save(checkpoint)
            bar.write(_line(record), file=sys.stderr)
    results = release(trainer, source, folder)["results"]
    checkpoint.unlink()
    print(f"wrote {folder}\n{_table(results)}")
    return folder


def _measured(trainer: Trainer, images: torch.Tensor) -> dict:
    """What is measured on the test split after each epoch."""
    model, images = trainer.model.eval(), images.to(trainer.device)
    error = metrics.mse(model, images)
    record = {"test": {"mse": error, "psnr": metrics.psnr(error)}}
    if model.codebook is not None:
        record["codebook"] = metrics.health(model, images).summary()
        record["test"]["quantized_mse"] = metrics.quantized_mse(model, images)
    model.train()
    return record


def _all(args: argparse.Namespace) -> None:
    chosen = [(v, d) for d in args.datasets or DATASETS for v in args.variants or VARIANTS]
    for variant, dataset in chosen:  # before any work
        lookup(VARIANTS, variant, "variant")
        lookup(DATASETS, dataset, "data set")
    index, count = args.shard
    folders, failed = [], []
    for variant, dataset in chosen[index - 1 :: count]:
        try:
            source = find_source(dataset, data_root=args.data_root)
            recipe = replace(VARIANTS[variant].recipe_for(dataset), **_given(args))
            folders.append(train_model(variant, source, recipe, args.output, args.device))
        except (ValueError, OSError, TrainingError) as error:  # no reason to leave out the others
            print(f"error: {variant}-{dataset}: {error}", file=sys.stderr)
            failed.append(f"{variant}-{dataset}")
    histories = [json.loads((folder / "history.json").read_text(encoding="utf-8")) for folder in folders]
    if histories:
        print(f"\n{markdown(models(histories))}")
    if failed:
        raise TrainingError(f"{len(failed)} of {len(failed) + len(folders)} models failed: {', '.join(failed)}")


def _shard(text: str) -> tuple[int, int]:
    index, _, count = text.partition("/")
    if not (index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise argparse.ArgumentTypeError(f"{text!r} must be i/n with 1 ≤ i ≤ n, such as 2/4")
    return int(index), int(count)


def _line(record: dict) -> str:
    terms = ", ".join(f"{name} {value:.3f}" for name, value in record["terms"].items())
    moved = f", movement {record['movement']:.3f}" if "movement" in record else ""
    test = "test MSE {mse:.5f} ({psnr:.1f} dB)".format(**record["test"])
    return f"epoch {record['epoch']:3}: {terms}, {test}{moved}"


def _table(results: dict) -> str:
    return "\n".join(f"{value:>10}  {name}" for name, value in named_numbers(results))


def _search(args: argparse.Namespace) -> None:
    source = _source(args, args.dataset)
    base = lookup(VARIANTS, args.variant, "variant").recipe_for(source.name)
    path = args.output / f"{args.variant}-{source.name}" / SEARCH_FILE
    recipes = grid(base, _given(args))
    rows = search(args.variant, source, recipes, path, baseline=args.baseline, images=args.images, jobs=args.jobs)
    print(f"{markdown(table(rows))}\n\nwrote {path}")


def _evaluate(args: argparse.Namespace) -> None:
    if args.record and args.dataset:
        raise ValueError(
            "--record keeps the numbers on the data set that the model was trained on; leave out --dataset"
        )
    model = AEVQ.from_pretrained(args.model)
    results = evaluate(model, _source(args, args.dataset or model.config.dataset))
    print(_table(results))
    if args.record:
        (path,) = find_files(args.model, ("history.json",))
        write_json(path, {**json.loads(path.read_text(encoding="utf-8")), "results": results})
        describe(model, path.parent)


if __name__ == "__main__":
    sys.exit(main())
