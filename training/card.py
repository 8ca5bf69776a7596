"""The model card, made from config.json and history.json."""

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import torch
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from aevq_hub import AEVQConfig
from aevq_hub.folder import CARD_FILE, SEARCH_FILE, shipped_folder
from aevq_hub.registry import DATASETS, VARIANTS
from aevq_hub.sampling import sampler_of

from .files import written_beside
from .recipe import Recipe
from .tables import flat, markdown, table, written

TEMPLATE = shipped_folder() / "TEMPLATE.md"

# what evaluate() measures: its name in a card, and how it is written
NUMBERS = {
    "mse": ("mean squared error, pixels in [0, 1]", "{:.5f}"),
    "psnr": ("PSNR", "{:.2f} dB"),
    "ssim": ("SSIM", "{:.4f}"),
    "quantized_mse": ("mean squared error of the pictures drawn from the codebook", "{:.5f}"),
    "quantized_psnr": ("… PSNR", "{:.2f} dB"),
    "spread": ("mean distance of the latents to their own mean", "{:.2f}"),
    "distance_to_vector": ("mean distance of the latents to the nearest vector", "{:.2f}"),
    "accuracy": ("accuracy of its own classifier", "{:.2%}"),
    "majority": ("… of the majority vote", "{:.2%}"),
    "frechet.reconstructions": ("classifier Fréchet distance of reconstructions", "{:.1f}"),
    "frechet.samples": ("… of samples", "{:.1f}"),
    "frechet.midpoints": ("… of mid-points between two test images", "{:.1f}"),
    "probes.linear": ("accuracy of a linear probe of the latents", "{:.1%}"),
    "probes.neighbours": ("… of ten nearest neighbours", "{:.1%}"),
    "probes.majority": ("… of the majority vote", "{:.1%}"),
    "changed": ("images that a classifier, sure (≥ 0.9), takes for another class somewhere within ±3", "{:.1%}"),
    "changed_surely": ("the same, on a way of whose 13 pictures (−3 to +3) it is sure, but for two at most", "{:.1%}"),
    "sure": ("pictures within ±3 that the classifier is sure of", "{:.1%}"),
    "classifier_accuracy": ("test accuracy of the classifier that measures", "{:.1%}"),
}  # fmt: skip

# what a codebook's health is measured by
HEALTH = {
    "vectors": ("vectors", "{}"),
    "in_use": ("… in use: the nearest of at least 0.05 % of the latents", "{}"),
    "dead": ("… dead: the nearest of none", "{}"),
    "duplicates": ("… duplicates: another one within 5 % of the latents' spread", "{}"),
    "perplexity": ("perplexity", "{:.1f}"),
    "largest_share": ("share of the latents that the most used one has", "{:.1%}"),
    "nearest_distance": ("median distance to the nearest other one, in spreads of the latents", "{:.2f}"),
}

# the pictures of a folder: heading and explanation
PICTURES = {
    "shares.png": ("Share of each vector", "For how many of the latents each vector is the nearest."),
    "perturbation.png": (
        "Perturbation",
        "One image; each column shifts one of the ten dimensions that move the picture most, by the amounts at "
        "the left, in the latent's own units (of a grid, in its middle cell).",
    ),
    "interpolation.png": ("Interpolation", "Straight lines between the latents of two test images."),
    "codebook.png": ("Codebook", "The vectors by index, each decoded (of a grid, in all its cells)."),
    "recombination.png": (
        "Recombination",
        "Random grids (figure 4.5); one code in all cells (4.7a) and in one cell among zeros (4.7b); a growing share "
        "of one image's cells replaced by random codes (4.8).",
    ),
}


def write_card(config: AEVQConfig, history: dict, pictures: list[str], folder: Path) -> None:
    """Write README.md into a model's folder.

    Args:
        config: the model's.
        history: what ``history.json`` holds.
        pictures: names of the pictures in the folder.
        folder: the model's folder.
    """
    variant, dataset, results = VARIANTS[config.variant], DATASETS.get(config.dataset), history["results"]
    title = dataset.title if dataset else history["data"]["source"]
    card_data = ModelCardData(
        model_name=config.name,
        license=dataset.license if dataset else "other",
        license_name=dataset.license_name if dataset else "see-training-images",
        license_link=dataset.license_link if dataset else None,
        library_name="aevq-hub",
        pipeline_tag="unconditional-image-generation",
        tags=["autoencoder", "representation-learning", "aevq"],
        datasets=[dataset.hub_id] if dataset else None,
        metrics=["mse"],
        eval_results=[
            EvalResult(
                task_type="unconditional-image-generation",
                task_name="Reconstruction",
                dataset_type=history["data"]["source"],
                dataset_name=title,
                dataset_split="test",
                metric_type=metric,
                metric_name=name,
                metric_value=round(results[metric], 6),
            )
            for metric, name in (("mse", "MSE"), ("psnr", "PSNR"))
        ],
    )
    moves = "movement.png" in pictures
    with torch.device("meta"):
        sampler_name = sampler_of(config).name
    card = ModelCard.from_template(
        card_data,
        template_path=str(TEMPLATE),
        model=config.name,
        config=config,
        variant_title=variant.title,
        section=variant.section,
        summary=variant.summary,
        dataset_title=title,
        data=history["data"],
        results=results,
        numbers=named_numbers(results),
        recipe_line=_recipe_line(history),
        health=named_numbers(results["codebook"], HEALTH) if config.num_codes > 1 else [],
        pictures=[(name, *PICTURES[name]) for name in pictures if name in PICTURES],
        sampling=sampler_name,
        movement=_course(history["epochs"], lambda epoch: epoch.get("movement"), 3) if moves else None,
        trained_center=history["recipe"].get("center_reconstruction_weight", 0) > 0,
        center=_course(history["epochs"], lambda epoch: epoch["terms"].get("center_reconstruction"), 1),
        search=markdown(table(rows)) if (rows := _searched(folder)) else None,
        search_images=counts.pop() if len(counts := {row.get("images") for row in rows}) == 1 else None,
        findings=findings(config, results),
        terms=dataset.terms if dataset else "",
        license=card_data.license_name or card_data.license,
    )
    with written_beside(folder / CARD_FILE) as beside:
        card.save(beside)


def findings(config: AEVQConfig, results: dict) -> list[str]:
    """What the numbers of a model say that somebody who uses it should know, as sentences."""
    health, frechet, said = results.get("codebook", {}), results.get("frechet"), []
    if health.get("vectors", 0) > 1:
        k, dead, duplicates = health["vectors"], health["dead"], health["duplicates"]
        if dead:
            said.append(
                f"{dead} of the {k} vectors are nearest to no test latent: no image stands behind what they draw."
            )
        if duplicates:
            said.append(f"{duplicates} of the {k} vectors have met another one and draw nearly the same.")
        if not (dead or duplicates):
            said.append(f"All {k} vectors are nearest to some test latent, and no two have met.")
    if config.grid_size and config.feed == "encoder":
        gap = results["psnr"] - results["quantized_psnr"]
        said.append(f"Pictures drawn from the codes are {gap:.1f} dB worse than those drawn from the encoder's grids.")
    if "accuracy" in results:
        said.append("The encoder learned what tells classes apart, not what draws pictures: these are blurred.")
    if frechet:
        told = {name: f"{value:.1f}" for name, value in frechet.items()}
        said.append(
            f"Mid-points between two images lie at a classifier Fréchet distance of {told['midpoints']} from the test "
            f"images, samples at {told['samples']}, reconstructions at {told['reconstructions']}."
        )
    return said


def named_numbers(results: dict, names: dict = NUMBERS) -> list[tuple[str, str]]:
    """What :func:`evaluate.evaluate` measured, as pairs of a name for people and the formatted value."""
    values = flat(results)
    return [(name, form.format(values[key])) for key, (name, form) in names.items() if key in values]


def report(results: dict) -> str:
    """What was measured, as lines for a terminal."""
    return "\n".join(f"{value:>10}  {name}" for name, value in named_numbers(results))


def _searched(folder: Path) -> list[dict]:
    path = folder / SEARCH_FILE
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


def _recipe_line(history: dict) -> str:
    """The settings that differ from those of a plain autoencoder, in words."""
    recipe, environment, epochs = history["recipe"], history["environment"], history["epochs"]
    minutes = sum(epoch["seconds"] for epoch in epochs) / 60
    help = {f.name: f.metadata["help"] for f in fields(Recipe)}
    named = ("epochs", "learning_rate", "schedule", "precision")
    other = [f"{name} {written(value)} ({help[name]})" for name, value in recipe.items()
             if name not in named and value]  # fmt: skip
    return (
        f"{len(epochs)} epochs of Adam at a learning rate of {recipe['learning_rate']:g} ({recipe['schedule']}) in "
        f"{recipe['precision']}: {minutes:.0f} minutes with torch {environment['torch']} on {environment['device']}"
        f". The weights are stored as {history['weights']}." + "".join(f"\n- {line}" for line in other)
    )


def _course(epochs: list[dict], value: Callable[[dict], float | None], digits: int) -> str | None:
    """Whether a series falls, as the paper says of two of them, held against what was measured; None without one."""
    measured = [(epoch["epoch"], value(epoch)) for epoch in epochs if value(epoch) is not None]
    if not measured:
        return None
    numbers, values = zip(*measured, strict=True)
    rises = sum(later > earlier for earlier, later in zip(values, values[1:], strict=False))
    lowest = min(range(len(values)), key=values.__getitem__)
    verdict = "falls throughout" if not rises else f"does not simply fall: it rises {rises} of {len(values) - 1} times"
    first, least, last = (f"{value:.{digits}f}" for value in (values[0], values[lowest], values[-1]))
    return f"{verdict}. It starts at {first}, is lowest in epoch {numbers[lowest]} ({least}) and ends at {last}."
