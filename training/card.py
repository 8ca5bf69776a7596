"""The model card, made from config.json, history.json and, if there is one, search.json."""

import json
import re
from dataclasses import fields
from pathlib import Path

import torch
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from aevq_hub import AEVQConfig
from aevq_hub.folder import CARD_FILE, SAMPLES_FILE, SEARCH_FILE, sample_images, shipped_folder
from aevq_hub.measures import MEASURES, Lines, flat, markdown_table, written
from aevq_hub.registry import DATASETS, VARIANTS
from aevq_hub.sampling import sampler_of
from aevq_hub.version import HOMEPAGE, PAPER

from .files import written_beside
from .recipe import Recipe
from .tables import series, setting, table

TEMPLATE = shipped_folder() / "TEMPLATE.md"

# the pictures of a folder: heading and explanation
PICTURES = {
    "perturbation.png": (
        "Perturbation",
        "One image. Each column shifts one of the ten dimensions that change the picture most, by the amounts at the "
        "left, in the latent's own units (in a grid, in its middle cell).",
    ),
    "interpolation.png": ("Interpolation", "Straight lines between the latents of two test images."),
    "codebook.png": ("Codebook", "The vectors by index, each decoded (in a grid, in all cells)."),
    "shares.png": ("Share of each vector", "The share of the latents whose nearest vector it is."),
    "recombination.png": (
        "Recombination",
        "Random grids (figure 4.5); one code in all cells (4.7a) and in one cell among zeros (4.7b); a growing share "
        "of one image's cells replaced by random codes (4.8).",
    ),
}


def write_card(config: AEVQConfig, history: dict, pictures: list[str], folder: Path) -> None:
    """Write README.md into a model's folder.

    Args:
        config: the model's configuration.
        history: the contents of ``history.json``.
        pictures: names of the pictures in the folder.
        folder: the model's folder.
    """
    dataset, results, epochs = DATASETS.get(config.dataset), history["results"], history["epochs"]
    searched = folder / SEARCH_FILE
    rows = json.loads(searched.read_text(encoding="utf-8")) if searched.exists() else []
    with torch.device("meta"):
        sampling = sampler_of(config).name
    metadata = _metadata(config, history)
    card = ModelCard.from_template(
        metadata,
        template_path=str(TEMPLATE),
        config=config,
        history=history,
        variant=VARIANTS[config.variant],
        dataset_title=_title(config, history),
        terms=dataset.terms if dataset else "",
        has_images=(folder / SAMPLES_FILE).exists() and sample_images(folder) is not None,
        numbers=markdown_table(numbers({key: value for key, value in results.items() if key != "codebook"})),
        health=markdown_table(numbers({"codebook": results["codebook"]})) if config.num_codes > 1 else None,
        pictures=[(name, *texts) for name, texts in PICTURES.items() if name in pictures],
        sampling=sampling,
        minutes=sum(epoch["seconds"] for epoch in epochs) / 60,
        recipe=markdown_table(_recipe(history["recipe"])),
        movement=_course(series(epochs, "movement"), 3) if "movement.png" in pictures else None,
        center=_course(series(epochs, "terms.center_reconstruction"), 1),
        search=markdown_table(table(rows)) if rows else None,
        search_images=counts.pop() if len(counts := {row.get("images") for row in rows}) == 1 else None,
        findings=findings(config, results),
        license=metadata.license_name or metadata.license,
        homepage=HOMEPAGE,
        paper=PAPER,
    )
    with written_beside(folder / CARD_FILE) as beside:
        card.save(beside)


def published(card: str, repo_id: str) -> str:
    """A card's text as the Hub gets it: its code loads the model from that repository, not the shipped copy."""
    return re.sub(r'^name = "[^"\n]*"$', f'name = "{repo_id}"', card, count=1, flags=re.MULTILINE)


def numbers(results: dict) -> Lines:
    """What was measured: each measure's name, its formatted value and what it means."""
    values = flat(results)
    return [
        {"measure": measure.name, "value": written(results, key), "meaning": measure.meaning}
        for key, measure in MEASURES.items()
        if key in values
    ]


def terminal_report(results: dict) -> str:
    """What was measured, as lines for a terminal."""
    return "\n".join(f"{line['value']:>10}  {line['measure']}" for line in numbers(results))


def findings(config: AEVQConfig, results: dict) -> list[str]:
    """What the numbers of a model tell its users, as sentences."""
    health, frechet, said = results.get("codebook", {}), results.get("frechet"), []
    if health.get("vectors", 0) > 1:
        k, dead, duplicates = health["vectors"], health["dead"], health["duplicates"]
        if dead:
            said.append(f"{dead} of the {k} vectors are nearest to no test latent: what they decode to means nothing.")
        if duplicates:
            said.append(f"{duplicates} of the {k} vectors have a duplicate and decode to nearly the same picture.")
        if not (dead or duplicates):
            said.append(f"All {k} vectors are nearest to some test latent, and none has a duplicate.")
    if config.grid_size and config.feed == "encoder":
        gap = results["psnr"] - results["quantized_psnr"]
        said.append(f"Pictures decoded from the codes are {gap:.1f} dB worse than those from the encoder's grids.")
    if "accuracy" in results:
        said.append("The encoder learned what tells classes apart, not what a picture looks like: these are blurred.")
    if frechet:
        midpoints, samples, direct = (f"{frechet[name]:.1f}" for name in ("midpoints", "samples", "reconstructions"))
        said.append(
            f"Mid-points between two images have a classifier Fréchet distance of {midpoints} to the test images, "
            f"samples of {samples}, reconstructions of {direct}."
        )
    return said


def _metadata(config: AEVQConfig, history: dict) -> ModelCardData:
    """The front matter: what the Hub reads."""
    dataset, results = DATASETS.get(config.dataset), history["results"]
    return ModelCardData(
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
                dataset_name=_title(config, history),
                dataset_split="test",
                metric_type=key,
                metric_name=MEASURES[key].short,
                metric_value=round(results[key], 6),
            )
            for key in ("mse", "psnr")
        ],
    )


def _title(config: AEVQConfig, history: dict) -> str:
    return DATASETS[config.dataset].title if config.dataset in DATASETS else history["data"]["source"]


def _recipe(recipe: dict) -> Lines:
    """All settings that the training used, with their explanations."""
    explained = {f.name: f.metadata["help"] for f in fields(Recipe)}
    return [
        {"setting": f"`{name}`", "value": setting(value) or "(empty)", "meaning": explained[name]}
        for name, value in recipe.items()
    ]


def _course(measured: list[tuple[int, float]], digits: int) -> str | None:
    """Whether a series of epochs and values falls, which the paper says of two; None if it was not measured."""
    if not measured:
        return None
    values = [value for _, value in measured]
    rises = sum(later > earlier for earlier, later in zip(values, values[1:], strict=False))
    verdict = "falls throughout" if not rises else f"does not simply fall: it rises {rises} of {len(values) - 1} times"
    epoch, lowest = min(measured, key=lambda pair: pair[1])
    first, least, last = (f"{value:.{digits}f}" for value in (values[0], lowest, values[-1]))
    return f"{verdict}. It starts at {first}, is lowest in epoch {epoch} ({least}) and ends at {last}."
