"""Train one model from start to finish, or continue after an interruption."""

import math
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from tqdm import tqdm

from aevq_hub import AEVQ, AEVQConfig, LoadError
from aevq_hub.folder import CHECKPOINT_FILE, CONFIG_FILE, HISTORY_FILE, WEIGHTS_FILE, history

from . import metrics
from .card import terminal_report
from .checkpoint import settings_of
from .data import load, training_labels
from .processor import faster_precision
from .ranks import Ranks, connect
from .recipe import Recipe
from .recipes import configure
from .release import rehearse, release
from .rows import Source
from .sources import lock_file
from .trainer import Trainer, TrainingError, refuse_other_settings

FEW_STEPS = 1000  # below which a training is suspiciously short


def train_model(
    variant: str, source: Source, recipe: Recipe, output: Path, device: str = "cpu", *, restart: bool = False,
    compiled: bool = False,
) -> Path:  # fmt: skip
    """Train a model, or continue its training, and write its folder.

    Processes that a launcher has started train it together. The main one measures and writes files.

    Returns:
        The model's folder in ``output``. A finished model is not changed.

    Raises:
        TrainingError: the folder contains a model with other settings, another process is training it, or training
            cannot continue.
    """
    config = configure(variant, source.name, source.dataset, recipe)
    folder = output / config.name
    ranks, device = connect(device)
    try:
        with FileLock(lock_file(folder), timeout=0) if ranks.main else nullcontext():
            _train(config, source, recipe, folder, device, restart, compiled, ranks)
            ranks.wait()
            return folder
    except Timeout as error:
        raise TrainingError(f"{folder} is being trained by another process") from error


def _train(
    config: AEVQConfig, source: Source, recipe: Recipe, folder: Path, device: str, restart: bool, compiled: bool,
    ranks: Ranks,
) -> None:  # fmt: skip
    checkpoint = folder / CHECKPOINT_FILE
    if restart and ranks.main:
        checkpoint.unlink(missing_ok=True)
    ranks.wait()
    past = None if restart or checkpoint.exists() else _finished(folder)
    if recipe.precision == "auto":
        known = settings_of(checkpoint) if checkpoint.exists() else past
        precision = known["recipe"]["precision"] if known else faster_precision(config, recipe, device, ranks)
        recipe = replace(recipe, precision=precision)
    trainer = Trainer(config, recipe, device, data=source.public_name, ranks=ranks, compiled=compiled)
    if checkpoint.exists():
        trainer.load(checkpoint)
    elif past:
        refuse_other_settings(folder, past, trainer.settings)
        trainer.epochs = past["epochs"]
    wanted, done = trainer.total_epochs, len(trainer.epochs)
    if ranks.least(done) < done:
        raise TrainingError(f"not all processes see {folder}; with several machines, --output must be on a shared disk")
    if done > wanted or (not checkpoint.exists() and 0 < done < wanted):
        raise TrainingError(f"{folder} has been trained for {done} epochs, not {wanted}; --restart trains it again")
    if done and not checkpoint.exists():
        if ranks.main:
            print(f"{folder} is already trained ({wanted} epochs); --restart trains it again")
        return
    with ranks.one_first():  # it decodes the images, and the others find them decoded
        train, test = load(source, "train"), load(source, "test")
    digest = train.digest()
    if trainer.images not in (None, digest):
        raise TrainingError(
            f"{checkpoint} was made with other images of {source.name}; give the same ones to continue it, "
            "--restart to train from the beginning, or another --output"
        )
    trainer.images = digest
    if len(train) < 2:
        raise TrainingError(f"{source.name} has {len(train)} training image, but training needs at least 2")
    labels = training_labels(source)
    if not done and ranks.main:
        rehearse(trainer, source, train, test)
        _warn_of_few_steps(recipe, wanted, len(train))
    folder.mkdir(parents=True, exist_ok=True)
    images = {"total": wanted * len(train), "initial": done * len(train), "unit": " images"}
    with tqdm(**images, smoothing=0.05, disable=not ranks.main) as bar:
        while not trainer.finished:
            bar.set_description(f"{config.name} epoch {len(trainer.epochs) + 1}/{wanted}")
            record = trainer.run_epoch(train.images, labels, bar)
            if not ranks.main:
                continue
            record |= _measured(trainer, test.images)
            trainer.save(checkpoint)
            bar.write(_line(record), file=sys.stderr)
    if ranks.main:
        results = release(trainer, source, folder)["results"]
        checkpoint.unlink(missing_ok=True)
        print(f"wrote {folder}\n{terminal_report(results)}")


def _warn_of_few_steps(recipe: Recipe, epochs: int, images: int) -> None:
    steps = epochs * max(1, images // recipe.batch_size)
    if steps < FEW_STEPS:
        print(
            f"{images} images in batches of {recipe.batch_size} are only {steps} steps in {epochs} epochs; the model "
            f"may learn little: give --epochs {math.ceil(epochs * FEW_STEPS / steps)} or so, or a smaller --batch-size",
            file=sys.stderr,
        )


def _finished(folder: Path) -> dict | None:
    """The settings and epochs of the finished model in a folder, or None if there is none."""
    if not ((folder / WEIGHTS_FILE).exists() and (folder / HISTORY_FILE).exists()):
        return None
    past = history(folder)
    try:
        AEVQ.from_pretrained(folder)
    except LoadError as error:
        raise TrainingError(f"{error}; move the folder away, or train the model again with --restart") from error
    no_prior = {"prior_width": 0, "prior_blocks": 0, "prior_dilation": 1}  # it is trained later
    config = replace(AEVQConfig.from_file(folder / CONFIG_FILE), **no_prior)
    return {
        "config": config.to_dict(),
        "recipe": past["recipe"],
        "data": past["data"]["source"],
        "epochs": past["epochs"],
    }


def _measured(trainer: Trainer, images: torch.Tensor) -> dict:
    """Measure on the test split after an epoch."""
    model = trainer.model.eval()
    errors, health = metrics.errors(model, images)
    record: dict[str, dict] = {"test": {"mse": errors["mse"], "psnr": metrics.psnr(errors["mse"])} | errors}
    if health:
        record["codebook"] = health.record()
    model.train()
    return record


def _line(record: dict) -> str:
    terms = ", ".join(f"{name} {value:.3f}" for name, value in record["terms"].items())
    moved = f", movement {record['movement']:.3f}" if "movement" in record else ""
    test = "test MSE {mse:.5f} ({psnr:.1f} dB)".format(**record["test"])
    return f"epoch {record['epoch']:3}: {terms}, {test}{moved}"
