"""A recorded search over a variant's settings."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from aevq_hub.networks import NETWORKS
from aevq_hub.registry import VARIANTS

from .data import Labelled, hold_out, known, load, training_labels
from .evaluate import Benchmark, measure
from .parallel import record_rows
from .recipe import Recipe
from .recipes import configure, recipe_for, recorded, without_pull
from .reference_classifier import ReferenceClassifier
from .release import prepare
from .rows import Source
from .tables import recorded_rows
from .trainer import DivergedError, Trainer, TrainingError

SHEETS = 1000  # images that sheets start from: fewer than in a release
HELD_OUT = 5000  # training images to measure on: at most this many, and at most a tenth
LEAST = 20  # training images needed for a search


def grid(variant: str, dataset: str, settings: dict[str, list]) -> list[Recipe]:
    """The variant's recipe for a data set with every combination of the settings' values.

    Raises:
        ValueError: a setting that the variant does not use, or a value out of range.
    """
    combinations = itertools.product(*settings.values())
    return [recipe_for(variant, dataset, **dict(zip(settings, values, strict=True))) for values in combinations]


def search(
    variant: str, source: Source, recipes: list[Recipe], path: Path, *,
    baseline: str | None = None, beside: Sequence[str] = (), images: int | None = None,
    jobs: int = 1, device: str = "cpu", progress: bool = True,
) -> list[dict]:  # fmt: skip
    """Train each recipe on the training split without its last images, and measure it on those.

    If the last images have no labels, accuracies are measured on other labelled images that are held out. Rows that
    ``path`` already contains are not trained again, so a search can be interrupted and extended. Two searches may share
    the file.

    Args:
        variant: a key of ``registry.VARIANTS``.
        source: the data set.
        recipes: the recipes to try.
        path: the JSON file of the rows, written after each row.
        baseline: a variant that is also trained with each recipe's common settings.
        beside: other variants that are also trained, by their own recipes, for the same number of epochs.
        images: the number of training images to use, by default all.
        jobs: the number of parallel trainings, which share the threads equally.
        device: where to train.
        progress: whether to show a progress bar.

    Returns:
        The rows, each with its recipe and measurements.

    Raises:
        ValueError: an unknown variant, or settings that do not fit together.
        TrainingError: training cannot start with these settings, or there are too few images.
    """
    rows = [row for row in recorded_rows(path) if not _outdated(row)]
    known_rows = [(row["variant"], Recipe(**row["recipe"]), row.get("images")) for row in rows]
    asked = _asked(variant, source, recipes, baseline, beside)
    todo = [(v, r) for v, r in dict.fromkeys(asked) if (v, r, images) not in known_rows]
    for name, recipe in todo:
        configure(name, source.name, source.dataset, recipe)  # raises before any work
        if recipe.precision == "auto":
            raise ValueError("precision is 'auto'; rows of a search need the same one: choose from fp32, bf16")
    # decode the images and train the reference classifier once, before the processes start
    count = len(load(source, "train", progress=progress))
    if count < LEAST:
        raise TrainingError(f"{source.name} has {count} training images, but a search needs at least {LEAST}")
    if source.dataset.class_names:
        ReferenceClassifier(source, progress=progress)
    record_rows(
        _row, [(v, source, r, images, device) for v, r in todo], path, jobs=jobs, unit=" recipes", progress=progress,
        replaces=lambda new, row: _outdated(row) and _same(row, new),
    )  # fmt: skip
    return [row for row in recorded_rows(path) if not _outdated(row)]


def _outdated(row: dict) -> bool:
    """Whether a row lacks measures that did not exist when it was recorded: the shape of the latents, or sheets."""
    single = not NETWORKS[VARIANTS[row["variant"]].network].grid
    return "error" not in row and ("latents" not in row or (single and "sheets" not in row))


def _same(row: dict, other: dict) -> bool:
    """Whether two rows are of the same training. Settings that did not exist when one was recorded have defaults."""
    alike = row["variant"] == other["variant"] and row.get("images") == other.get("images")
    return alike and Recipe(**row["recipe"]) == Recipe(**other["recipe"])


def _asked(variant: str, source: Source, recipes: list[Recipe], baseline: str | None, beside: Sequence[str]) -> list:
    """The variants and recipes that a search trains: the baseline's, the variant's own and those beside it.

    No prior is trained: it would not change the autoencoder.
    """
    plain = sorted({without_pull(r) for r in recipes}, key=repr) if baseline else ()
    lengths = sorted({r.epochs for r in recipes})
    others = [(name, recipe_for(name, source.name, epochs=epochs)) for name in beside for epochs in lengths]
    asked = [*((baseline, r) for r in plain), *((variant, r) for r in recipes), *others]
    return [(name, replace(recipe, prior_epochs=0)) for name, recipe in asked]


def _row(variant: str, source: Source, recipe: Recipe, count: int | None, device: str, threads: int) -> dict:
    torch.set_num_threads(threads)
    images, labels = load(source, "train").images, training_labels(source)
    held_out = min(HELD_OUT, len(images) // 10)
    classes = None if labels is None else labels[-held_out:]
    labelled = None
    if labels is not None:
        if (labels[-held_out:] >= 0).any():
            apart = torch.arange(len(images) - held_out, len(images))
            learnt = labels.index_fill(0, apart, -1)
        else:  # only the first images have labels
            learnt, apart = hold_out(labels)
        labelled = known(Labelled(images, learnt)), known(Labelled(images[apart], labels[apart]))
        labels = learnt
    train, test = images[:-held_out][:count], images[-held_out:]
    row = {"variant": variant, "recipe": recorded(variant, recipe), "images": count}
    trainer = Trainer(configure(variant, source.name, source.dataset, recipe), recipe, device)
    try:
        while not trainer.finished:
            trainer.run_epoch(train, labels)
    except DivergedError as error:  # this is a result too
        return {**row, "error": str(error)}
    model = trainer.model.cpu().eval()
    prepare(model, train)
    benchmark = Benchmark.of(source, test, classes, progress=False)
    row |= measure(model, replace(benchmark, labelled=labelled, sheets=SHEETS))
    if model.codebook is not None:
        row["movement"] = [epoch["movement"] for epoch in trainer.epochs if "movement" in epoch]
    return row
