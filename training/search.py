"""A small recorded search over a variant's open settings."""

import itertools
import json
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, replace
from multiprocessing import get_context
from pathlib import Path

import torch
from tqdm import tqdm

from aevq_hub import AEVQConfig
from aevq_hub.registry import VARIANTS, Recipe, lookup, without_pull

from . import metrics
from .data import Source, load
from .evaluate import EFFECT_IMAGES, measure
from .files import write_json
from .judge import Judge
from .trainer import Trainer, TrainingError

SEARCH_FILE = "search.json"  # in the model's folder
HELD_OUT = 5000  # at most this many images of the training split, a tenth of it if that is less, to measure on
MEASURED = 500  # images for the share of transitions
BASELINE = "ae-conv"  # the same network, trained the same way, without the pull


def grid(base: Recipe, settings: dict[str, list]) -> list[Recipe]:
    """Every combination of the settings' values, the others as in ``base``."""
    combinations = itertools.product(*settings.values())
    return [replace(base, **dict(zip(settings, values, strict=True))) for values in combinations]


def search(
    variant: str, source: Source, recipes: list[Recipe], path: Path, jobs: int = 1, progress: bool = True
) -> list[dict]:
    """Train every recipe on the training split without its last images and measure on those.

    For each latent size the baseline without a pull is trained too. Rows that ``path`` already holds are not trained
    again, so that an interrupted search goes on and a search can be widened.

    Args:
        variant: a key of ``registry.VARIANTS``.
        source: the data set.
        recipes: what to try.
        path: JSON file of the rows, written after each.
        jobs: trainings at a time, each with an equal share of the threads.
        progress: whether to show a bar.

    Returns:
        The rows: the recipe and what was measured.
    """
    lookup(VARIANTS, variant, "variant")
    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    baselines = {without_pull(r) for r in recipes}
    asked = [(BASELINE, r) for r in sorted(baselines, key=repr)]
    asked += [(variant, r) for r in recipes if variant != BASELINE]
    recorded = [(row["variant"], row["recipe"]) for row in rows]
    todo = [(v, r) for v, r in asked if (v, asdict(r)) not in recorded]
    load(source, "train", progress=progress)  # decode and, for the judge, train once, before the processes start
    if source.dataset.class_names:
        Judge(source, progress=progress)
    path.parent.mkdir(parents=True, exist_ok=True)
    threads = max(1, torch.get_num_threads() // jobs)
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(_row, v, source, r, threads) for v, r in todo]
        done = as_completed(futures)
        try:
            for future in tqdm(done, total=len(futures), desc="search", unit=" recipes", disable=not progress):
                rows.append(future.result())
                write_json(path, rows)
        finally:
            pool.shutdown(cancel_futures=True)  # after an error or Ctrl-C nothing new is started
    return rows


def table(rows: list[dict]) -> list[dict[str, str]]:
    """The rows for people: by epochs, latent size, λ1 and M; the error also as a multiple of the baseline's."""

    baselines = {repr(row["recipe"]): row for row in rows if row["variant"] == BASELINE and "mse" in row}
    order = ("epochs", "latent_dim", "pull_weight", "pull_batch_size")
    lines = []
    for row in sorted(rows, key=lambda r: [r["recipe"][name] for name in order]):
        recipe, pulled = row["recipe"], "distance_to_vector" in row
        baseline = baselines.get(repr(asdict(without_pull(Recipe(**recipe)))))
        line = {
            "epochs": str(recipe["epochs"]),
            "D": str(recipe["latent_dim"]),
            "λ1": f"{recipe['pull_weight']:g}" if row["variant"] != BASELINE else "–",
            "M": str(recipe["pull_batch_size"]) if row["variant"] != BASELINE else "–",
            "MSE": f"{row['mse']:.5f}" if "mse" in row else "diverged",
            "× no pull": f"{row['mse'] / baseline['mse']:.2f}" if baseline and "mse" in row else "–",
            "spread": f"{row['spread']:.2f}" if "spread" in row else "–",
            "to the vector": f"{row['distance_to_vector']:.2f}" if pulled else "–",
        }
        if any("changed" in other for other in rows):
            names = ("changed", "changed_surely", "sure")
            line |= {name: f"{row[name]:.1%}" if name in row else "–" for name in names}
        lines.append(line)
    return lines


def _row(variant: str, source: Source, recipe: Recipe, threads: int) -> dict:
    torch.set_num_threads(threads)
    images = load(source, "train").images
    held_out = min(HELD_OUT, len(images) // 10)
    train, test = images[:-held_out], images[-held_out:]
    trainer = Trainer(AEVQConfig.for_training(variant, source.name, source.dataset, recipe), recipe)
    try:
        for _ in range(recipe.epochs):
            trainer.run_epoch(train)
    except TrainingError as error:  # a finding too, and no reason to lose the other rows
        return {"variant": variant, "recipe": asdict(recipe), "error": str(error)}
    return {"variant": variant, "recipe": asdict(recipe), **_measure(trainer, source, test)}


def _measure(trainer: Trainer, source: Source, images: torch.Tensor) -> dict:
    model = trainer.model.eval()
    model.dimension_effect.copy_(metrics.dimension_effect(model, metrics.latents(model, images[:EFFECT_IMAGES])))
    judge = Judge(source, progress=False) if source.dataset.class_names else None
    row = measure(model, images, judge, images[:MEASURED])
    if model.codebook is not None:
        row["movement"] = [epoch["movement"] for epoch in trainer.epochs]
        row["center_reconstruction"] = [epoch["terms"]["center_reconstruction"] for epoch in trainer.epochs]
    return row
