"""A small recorded search over a variant's open settings."""

import itertools
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, replace
from multiprocessing import get_context
from pathlib import Path

import torch
from tqdm import tqdm

from aevq_hub.registry import VARIANTS, lookup

from .data import Labelled, Source, keep_apart, known, load, training_labels
from .evaluate import Benchmark, measure
from .files import write_json
from .recipe import Recipe
from .recipes import configure, recipe_for, recorded, without_pull
from .reference_classifier import ReferenceClassifier
from .release import prepare
from .trainer import DivergedError, Trainer, TrainingError

HELD_OUT = 5000  # at most this many images of the training split, a tenth of it if that is less, to measure on
LEAST = 20  # images: a tenth of fewer says nothing
MEASURED = 500  # images for the share of transitions


def grid(variant: str, dataset: str, settings: dict[str, list]) -> list[Recipe]:
    """The variant's recipe for a data set with every combination of the settings' values.

    Raises:
        ValueError: a setting that the variant does not use, or a value out of range.
    """
    combinations = itertools.product(*settings.values())
    return [recipe_for(variant, dataset, **dict(zip(settings, values, strict=True))) for values in combinations]


def search(
    variant: str,
    source: Source,
    recipes: list[Recipe],
    path: Path,
    *,
    baseline: str | None = None,
    beside: Sequence[str] = (),
    images: int | None = None,
    jobs: int = 1,
    device: str = "cpu",
    progress: bool = True,
) -> list[dict]:
    """Train every recipe on the training split without its last images and measure on those.

    Accuracies, where these have no labels, are measured on some of those that have, which are not learnt then. Rows
    that ``path`` already holds are not trained again, so that an interrupted search goes on and a search can be
    widened; rows that another search has written there meanwhile are kept.

    Args:
        variant: a key of ``registry.VARIANTS``.
        source: the data set.
        recipes: what to try.
        path: JSON file of the rows, written after each.
        baseline: a variant trained as well with each recipe, without its pull, to compare errors with.
        beside: other variants trained as well by their own recipes, for as many epochs, to compare everything with.
        images: how many training images to use, by default all.
        jobs: trainings at a time, each with an equal share of the threads.
        device: where to train.
        progress: whether to show a bar.

    Returns:
        The rows: the recipe and what was measured.

    Raises:
        ValueError: an unknown variant, or settings that do not go together.
        TrainingError: training cannot begin with these settings, or there are too few images to measure on.
    """
    lookup(VARIANTS, variant, "variant")
    rows = recorded_rows(path)
    asked = [(variant, r) for r in recipes]
    if baseline:
        lookup(VARIANTS, baseline, "variant")
        asked[:0] = [(baseline, r) for r in sorted({without_pull(r) for r in recipes}, key=repr)]
    for name in beside:
        asked += [(name, recipe_for(name, source.name, epochs=n)) for n in sorted({r.epochs for r in recipes})]
    defaults = asdict(Recipe())  # of settings that rows of an earlier time do not tell
    recorded = [(row["variant"], {**defaults, **row["recipe"]}, row.get("images")) for row in rows]
    todo = [(v, r) for v, r in asked if (v, asdict(r), images) not in recorded]
    for name, recipe in todo:
        configure(name, source.name, source.dataset, recipe)  # raises before any work
    # decode and, for the judge, train once, before the processes start
    count = len(load(source, "train", progress=progress))
    if count < LEAST:
        raise TrainingError(f"{source.name} has {count} training images; a search needs at least {LEAST}")
    if source.dataset.class_names:
        ReferenceClassifier(source, progress=progress)
    path.parent.mkdir(parents=True, exist_ok=True)
    threads = max(1, torch.get_num_threads() // jobs)
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(_row, v, source, r, images, threads, device) for v, r in todo]
        done = as_completed(futures)
        try:
            for future in tqdm(done, total=len(futures), desc="search", unit=" recipes", disable=not progress):
                row = future.result()
                rows = [*recorded_rows(path), row]  # with those that another search has added meanwhile
                write_json(path, rows)
        finally:
            pool.shutdown(cancel_futures=True)  # after an error or Ctrl-C nothing new is started
    return rows


def recorded_rows(path: Path) -> list[dict]:
    """The rows of a search's file, none if there is no file yet."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


def _row(variant: str, source: Source, recipe: Recipe, count: int | None, threads: int, device: str) -> dict:
    torch.set_num_threads(threads)
    images, labels = load(source, "train").images, training_labels(source)
    held_out = min(HELD_OUT, len(images) // 10)
    labelled = None
    if labels is not None:
        if (labels[-held_out:] >= 0).any():
            apart = torch.arange(len(images) - held_out, len(images))
            learnt = labels.index_fill(0, apart, -1)
        else:  # where only the first images have labels, some of theirs
            learnt, apart = keep_apart(labels)
        labelled = known(Labelled(images, learnt)), known(Labelled(images[apart], labels[apart]))
        labels = learnt
    train, test = images[:-held_out][:count], images[-held_out:]
    row = {"variant": variant, "recipe": recorded(variant, recipe), "images": count}
    trainer = Trainer(configure(variant, source.name, source.dataset, recipe), recipe, device)
    try:
        while not trainer.finished:
            trainer.run_epoch(train, labels)
    except DivergedError as error:  # a finding too, and no reason to lose the other rows
        return {**row, "error": str(error)}
    model = trainer.model.cpu().eval()
    prepare(model, train)
    row |= measure(model, replace(Benchmark.of(source, test, test[:MEASURED], progress=False), labelled=labelled))
    if model.codebook is not None:
        row["movement"] = [epoch["movement"] for epoch in trainer.epochs if "movement" in epoch]
    return row
