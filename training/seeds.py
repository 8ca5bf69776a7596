"""Trainings of one model with several seeds, and the choice of one of them."""

import shutil
from dataclasses import replace
from pathlib import Path

from aevq_hub import AEVQ, AEVQConfig
from aevq_hub.folder import CARD_FILE, HISTORY_FILE, history
from aevq_hub.measures import MEASURES, flat

from .contents import published_files
from .files import write_json, written_beside
from .grids import OF_PRIOR
from .recipe import Recipe
from .recipes import configure
from .release import describe, replace_prior
from .rows import Source
from .runs import train_model
from .tables import chosen_by
from .trainer import TrainingError

TRAININGS = ".seeds"  # the folder, in the models' folder, of the trainings with each seed


def train_seeds(variant: str, source: Source, recipe: Recipe, output: Path, device: str, count: int) -> Path:
    """Train a model with the seeds 0 to ``count`` − 1, and write the folder of the one with the median score.

    The trainings are in ``output/.seeds``, from where they continue after an interruption. The history of the chosen
    one records the measurements of all. The lower of two medians is chosen. A grid's prior is trained for the chosen
    one alone.

    Returns:
        The chosen model's folder in ``output``. A finished one is not changed.

    Raises:
        TrainingError: the folder contains a model with other settings or seeds, or as for :func:`runs.train_model`.
    """
    config = configure(variant, source.name, source.dataset, recipe)
    folder = output / config.name
    if (folder / CARD_FILE).exists():  # it is written last
        past = history(folder)
        trained = Recipe(**past["recipe"])
        precision = trained.precision if recipe.precision == "auto" else recipe.precision
        # the prior can be trained at any time
        expected = replace(recipe, seed=trained.seed, precision=precision, prior_epochs=trained.prior_epochs)
        if trained != expected or len(past.get("seeds", ())) != count:
            raise TrainingError(
                f"{folder} contains a model with other settings or seeds; move it away, or give another --output"
            )
        print(f"{folder} is already trained with {count} seeds")
        return folder
    plain = replace(recipe, prior_epochs=0)
    folders = [
        train_model(variant, source, replace(plain, seed=seed), output / TRAININGS / f"seed-{seed}", device)
        for seed in range(count)
    ]
    measured = [of_seed(config, history(one)["results"]) for one in folders]
    key = chosen_by(config, measured[0])
    chosen = folders[sorted(range(count), key=lambda seed: measured[seed][key])[(count - 1) // 2]]
    trained = history(chosen)["recipe"]
    if recipe.prior_epochs not in (0, trained.get("prior_epochs")):
        replace_prior(chosen, source, recipe.prior_epochs, trained["seed"], trained["precision"], device)
    folder.mkdir(parents=True, exist_ok=True)
    for path in published_files(chosen):
        if path.name not in (HISTORY_FILE, CARD_FILE):
            with written_beside(folder / path.name) as beside:
                shutil.copyfile(path, beside)
    seeds = [{"seed": seed, "results": results} for seed, results in enumerate(measured)]
    write_json(folder / HISTORY_FILE, {**history(chosen), "seeds": seeds})
    describe(AEVQ.from_pretrained(folder), folder)
    return folder


def measured_values(results: dict) -> dict:
    """The flat results that have a name and a meaning."""
    return {key: value for key, value in flat(results).items() if key in MEASURES}


def of_seed(config: AEVQConfig, results: dict) -> dict:
    """The measured values that all seeds have: those of a grid's prior are left out, which only the chosen one has."""
    values = measured_values(results)
    return {key: value for key, value in values.items() if not (config.grid_size and key in OF_PRIOR)}
