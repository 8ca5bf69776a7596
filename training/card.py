"""The model card, made from config.json, history.json and, if there is one, search.json."""

import re
from dataclasses import fields
from functools import partial
from pathlib import Path

import torch
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from aevq_hub import AEVQ, AEVQConfig
from aevq_hub.folder import CARD_FILE, SAMPLES_FILE, SEARCH_FILE, sample_images, shipped_folder
from aevq_hub.latent_space import STRONGEST
from aevq_hub.measures import MEASURES, Lines, flat, markdown_table, written
from aevq_hub.registry import DATASETS, VARIANTS
from aevq_hub.sampling import sampler_of
from aevq_hub.version import HOMEPAGE, PAPER

from .files import written_beside
from .recipe import Recipe
from .recipes import recipe_for, recorded
from .tables import chosen_by, recorded_rows, series, setting, table, with_seeds

TEMPLATE = shipped_folder() / "TEMPLATE.md"


def write_card(model: AEVQ, history: dict, pictures: list[str], folder: Path) -> None:
    """Write README.md into a model's folder, from ``history.json`` and the names of the pictures in the folder."""
    config = model.config
    dataset, results, rows = DATASETS.get(config.dataset), history["results"], recorded_rows(folder / SEARCH_FILE)
    with torch.device("meta"):
        sampler = sampler_of(config)
    metadata = _metadata(config, history)
    card = ModelCard.from_template(
        metadata,
        template_path=str(TEMPLATE),
        config=config,
        history=history,
        results=results,
        variant=VARIANTS[config.variant],
        dataset_title=_title(config, history),
        terms=dataset.terms if dataset else "",
        has_images=(folder / SAMPLES_FILE).exists() and sample_images(folder) is not None,
        numbers=markdown_table(numbers({k: v for k, v in with_seeds(history).items() if k != "codebook"})),
        health=markdown_table(numbers({"codebook": results["codebook"]})) if config.num_codes > 1 else None,
        pictures=pictures,
        raw=_raw_in_std(model),
        chosen_by=MEASURES[chosen_by(config, results)].name,
        sampling=sampler.name,
        setting=setting,
        explained={f.name: f.metadata["help"] for f in fields(Recipe)},
        options=_options(config, history),
        series=partial(series, history["epochs"]),
        search=markdown_table(table(rows, shipped={"variant": config.variant, **history["recipe"]})) if rows else None,
        search_images=counts.pop() if len(counts := {row.get("images") for row in rows}) == 1 else None,
        license=metadata.license_name or metadata.license,
        homepage=HOMEPAGE,
        paper=PAPER,
    )
    with written_beside(folder / CARD_FILE) as beside:
        card.save(beside)


def _options(config: AEVQConfig, history: dict) -> str:
    """The options with which ``aevq train`` trains a model again, beside its variant and its data set."""
    assert config.variant and config.dataset  # every trained model has both
    default, changed = recorded(config.variant, recipe_for(config.variant, config.dataset)), {}
    if history["data"]["source"] == config.dataset:  # images of one's own
        changed = {"data": "IMAGES", "size": config.image_size, "channels": config.channels}
    changed |= {name: value for name, value in history["recipe"].items() if default.get(name) != value}
    return "".join(f" --{name.replace('_', '-')} {value}" for name, value in changed.items())


def published(card: str, repo_id: str) -> str:
    """A card's text for the Hub: its code loads the model from that repository, not the shipped copy."""
    return re.sub(r'^name = "[^"\n]*"$', f'name = "{repo_id}"', card, count=1, flags=re.MULTILINE)


def numbers(results: dict) -> Lines:
    """A table of the measurements: name, formatted value, mean ± standard deviation of several seeds, and meaning."""
    one, seeds = {**results, "seeds": ()}, len(results.get("seeds", ()))
    return [
        {"measure": measure.name, "value": written(one, key)}
        | ({f"{seeds} seeds": written(results, key)} if seeds > 1 else {})
        | {"meaning": measure.meaning}
        for key, measure in MEASURES.items()
        if key in flat(one)
    ]


def terminal_report(results: dict) -> str:
    """The measurements as lines for a terminal."""
    return "\n".join(f"{line['value']:>10}  {line['measure']}" for line in numbers(results))


def _raw_in_std(model: AEVQ) -> str:
    """How many standard deviations of the training latents ±3 in raw units is, in the dimensions of the picture."""
    amounts = 3 / model.std()[model.ranked_dimensions()[:STRONGEST]].clamp_min(1e-9)
    least, most = f"{amounts.min().item():.2g}", f"{amounts.max().item():.2g}"
    return f"±{least} σ" if least == most else f"±{least} σ to ±{most} σ"


def _metadata(config: AEVQConfig, history: dict) -> ModelCardData:
    """The front matter, which the Hub reads."""
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
