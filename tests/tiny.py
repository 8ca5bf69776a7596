"""Recipes, models and trainers small enough for a test."""

import json
from dataclasses import replace
from pathlib import Path

import torch

from aevq_hub import AEVQ
from aevq_hub.config import CONFIG_HASH, values_hash
from aevq_hub.folder import CONFIG_FILE
from aevq_hub.registry import DATASETS
from training.data import load
from training.ranks import SINGLE, Ranks
from training.recipe import Recipe
from training.recipes import configure, recipe_for
from training.sources import find_source
from training.trainer import Trainer


def tiny(recipe: Recipe) -> Recipe:
    """A small version of a recipe for 300 images, with all its phases early in training."""
    return replace(
        recipe, latent_dim=16, num_codes=min(recipe.num_codes, 10), batch_size=32,
        warmup_steps=min(recipe.warmup_steps, 2), feed_steps=min(recipe.feed_steps, 4),
        ramp_steps=min(recipe.ramp_steps, 4), restart_steps=min(recipe.restart_steps, 5),
        classifier_epochs=min(recipe.classifier_epochs, 1), prior_epochs=min(recipe.prior_epochs, 1),
        precision="fp32",  # bf16 is slow on most processors
    )  # fmt: skip


def trainer_for(variant: str, mirror: Path, ranks: Ranks = SINGLE, **recipe) -> tuple[Trainer, torch.Tensor]:
    """A trainer of a tiny model and the training images (N, 1, 28, 28) of the tiny MNIST."""
    source = find_source("mnist", data_root=mirror)
    recipe = replace(tiny(recipe_for(variant, "mnist")), **recipe)
    config = configure(variant, "mnist", source.dataset, recipe)
    return Trainer(config, recipe, ranks=ranks), load(source, "train").images


def build(variant="center", dataset="mnist", **recipe) -> AEVQ:
    """An untrained model with a variant's recipe, some settings changed."""
    torch.manual_seed(0)
    recipe = replace(recipe_for(variant, dataset), **recipe)
    return AEVQ(configure(variant, dataset, DATASETS[dataset], recipe)).eval()


def write_config(folder: Path, values: dict) -> None:
    """Write a config.json that its own hash fits, without the values that are ``...``."""
    values = {key: value for key, value in values.items() if value is not ...}
    if CONFIG_HASH in values:
        values[CONFIG_HASH] = values_hash(values)
    (folder / CONFIG_FILE).write_text(json.dumps(values))
