"""The model card, made from config.json and history.json."""

import json
from pathlib import Path

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from aevq_hub import AEVQConfig
from aevq_hub.hub import shipped_folder
from aevq_hub.registry import DATASETS, VARIANTS

from .files import written_beside
from .search import SEARCH_FILE, table

TEMPLATE = shipped_folder() / "TEMPLATE.md"

# what evaluate() measures: its name in a card, and how it is written
NUMBERS = {
    "mse": ("mean squared error, pixels in [0, 1]", "{:.5f}"),
    "psnr": ("PSNR", "{:.2f} dB"),
    "spread": ("mean distance of the latents to their own mean", "{:.2f}"),
    "distance_to_vector": ("mean distance of the latents to the vector", "{:.2f}"),
    "changed": ("images that a classifier, sure (≥ 0.9), takes for another class somewhere within ±3", "{:.1%}"),
    "changed_surely": ("the same, on a way of whose 13 pictures (−3 to +3) it is sure, but for two at most", "{:.1%}"),
    "sure": ("pictures within ±3 that the classifier is sure of", "{:.1%}"),
    "classifier_accuracy": ("test accuracy of that classifier", "{:.1%}"),
}  # fmt: skip


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
    searched = folder / SEARCH_FILE
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
        numbers=named_numbers(results),
        recipe_line=_recipe_line(history),
        movement=_course([epoch["movement"] for epoch in history["epochs"]], 3) if moves else None,
        trained_center=history["recipe"]["center_reconstruction_weight"] > 0,
        center=_course([epoch["terms"]["center_reconstruction"] for epoch in history["epochs"]], 1) if moves else None,
        search=table(json.loads(searched.read_text(encoding="utf-8"))) if searched.exists() else [],
        terms=dataset.terms if dataset else "",
        license=card_data.license_name or card_data.license,
    )
    with written_beside(folder / "README.md") as beside:
        card.save(beside)


def named_numbers(results: dict) -> list[tuple[str, str]]:
    """What :func:`evaluate.evaluate` measured, as pairs of a name for people and the formatted value."""
    return [(name, form.format(results[key])) for key, (name, form) in NUMBERS.items() if key in results]


def _recipe_line(history: dict) -> str:
    r, environment, epochs = history["recipe"], history["environment"], history["epochs"]
    minutes = sum(epoch["seconds"] for epoch in epochs) / 60
    pull = ""
    if "encoder_pull" in epochs[0]["terms"]:
        pull = f"; λ1 = {r['pull_weight']:g}, M = {r['pull_batch_size']}, the nearest by {r['nearest_by']}"
    return (
        f"{len(epochs)} epochs of Adam at a constant learning rate of {r['learning_rate']:g}, "
        f"N = {r['batch_size']}{pull}, in {r['precision']}: {minutes:.0f} minutes "
        f"with torch {environment['torch']} on {environment['device']}. "
        f"The weights are stored as {history['weights']}."
    )


def _course(values: list[float], digits: int) -> str:
    """Whether a series falls, as the paper says of two of them, held against what was measured."""
    rises = sum(later > earlier for earlier, later in zip(values, values[1:], strict=False))
    lowest = min(range(len(values)), key=values.__getitem__)
    verdict = "falls throughout" if not rises else f"does not simply fall: it rises {rises} of {len(values) - 1} times"
    first, least, last = (f"{value:.{digits}f}" for value in (values[0], values[lowest], values[-1]))
    return f"{verdict}. It starts at {first}, is lowest in epoch {lowest + 1} ({least}) and ends at {last}."
