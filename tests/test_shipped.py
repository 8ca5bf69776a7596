"""The shipped models: their weights and records against their cards and the paper's claims."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import ModelCard
from safetensors.torch import load_file

from aevq_hub import AEVQ
from aevq_hub.config import AEVQConfig
from aevq_hub.folder import available_models, shipped_folder
from aevq_hub.registry import DATASETS, VARIANTS
from training import metrics
from training.data import labelled, load
from training.recipe import Recipe
from training.recipes import recipe_for
from training.sources import find_source
from training.tables import chosen_by

ROOT = Path(__file__).parent.parent
MSE_AT_MOST = {
    "center-mnist": 0.0040, "center-fashionmnist": 0.0075, "center-celeba": 0.0085,
    "ae-conv-mnist": 0.0028, "ae-conv-fashionmnist": 0.0060, "ae-conv-celeba": 0.0070,
    "vqvae-mnist": 0.0042, "vqvae-fashionmnist": 0.0085, "vqvae-celeba": 0.0120,
}  # fmt: skip
# of the sheet of ±3 raw: at most 0.6 times the Fréchet distance of an earlier vae, at least its change and at most
# its jump
MOVES = {
    "mnist": {"frechet": 0.6 * 36.81, "change": 0.273, "jump": 1.38},
    "fashionmnist": {"frechet": 0.6 * 29.37, "change": 0.260, "jump": 1.73},
}
# of 100 codes; the paper's appendix A.1 has 61.2
PERPLEXITY_AT_LEAST = {"vqae-mnist": 50, "vqae-fashionmnist": 61, "vqae-celeba": 50}
ACCURACY_AT_LEAST = {"classifier-mnist": 0.975, "classifier-fashionmnist": 0.87}


def config_of(name: str) -> AEVQConfig:
    return AEVQConfig.from_file(shipped_folder() / name / "config.json")


def history(name: str) -> dict:
    return json.loads((shipped_folder() / name / "history.json").read_text(encoding="utf-8"))


def results_of(name: str) -> dict:
    return history(name)["results"]


def test_every_variant_is_shipped_for_every_data_set():
    assert set(available_models()) == {f"{variant}-{dataset}" for variant in VARIANTS for dataset in DATASETS}


def quick_and_deep() -> list:
    """All shipped models: each variant's on one data set in any case, on the others with ``-m deep``."""
    quick = {f"{variant}-{[*DATASETS][i % len(DATASETS)]}" for i, variant in enumerate(VARIANTS)}
    return [pytest.param(name, marks=() if name in quick else pytest.mark.deep) for name in available_models()]


@pytest.mark.data
@pytest.mark.parametrize("name", quick_and_deep())
def test_errors_match_the_card_and_stay_within_bounds(name, data_root):
    """On the whole test split; after a change of the weights all are checked, by ``pytest -m deep -k errors_match``."""
    model = AEVQ.from_pretrained(name)
    images = load(find_source(model.config.dataset, data_root=data_root), "test").images
    errors, health = metrics.errors(model, images)
    card = ModelCard.load(shipped_folder() / name / "README.md")
    reported = {r.metric_type: r.metric_value for r in card.data.eval_results}
    assert errors["mse"] == pytest.approx(reported["mse"], rel=1e-3)
    results = results_of(name)
    assert errors == {key: pytest.approx(results[key], rel=1e-3) for key in errors}
    assert errors["mse"] <= MSE_AT_MOST.get(name, 1)
    assert (health is not None) == ("codebook" in results)
    if health:
        recorded = results["codebook"]
        assert recorded.pop("share") == pytest.approx(health.share.tolist(), abs=1e-3)
        assert recorded.pop("duplicate_indices") == health.duplicates
        measured = health.summary()
        assert measured == {key: pytest.approx(value, rel=1e-2, abs=1e-3) for key, value in recorded.items()}
        assert (f"| perplexity | {recorded['perplexity']:.1f} |" in card.text) == (recorded["vectors"] > 1)


@pytest.mark.parametrize("dataset", MOVES)
def test_center_moves_as_the_paper_shows(dataset):
    """In raw units, ±3 along the ten strongest dimensions (figure 3.2)."""
    center, bound = results_of(f"center-{dataset}"), MOVES[dataset]
    assert 0.7 <= center["latents"]["std"] <= 1.4  # so ±3 is about ±3 σ
    sheet = center["sheets"]["raw"]
    assert sheet["frechet"] <= bound["frechet"]
    assert sheet["change"] >= bound["change"]
    assert sheet["jump"] <= bound["jump"]


def test_center_keeps_faces_where_they_change():
    """Figure 3.2 on faces: at ±3, raw, the pictures have changed and still show faces to the classifier."""
    center = results_of("center-celeba")
    assert 0.7 <= center["latents"]["std"] <= 1.4
    sheet = center["sheets"]["raw"]
    assert sheet["change"] >= 0.15 and sheet["jump"] <= 1.2
    assert sheet["sure_ends"] >= 0.97 * center["classifier"]["sure"]


@pytest.mark.data
@pytest.mark.parametrize("dataset", DATASETS)
def test_unit_of_center_matches_the_record(dataset, data_root):
    images = load(find_source(dataset, data_root=data_root), "test").images
    model = AEVQ.from_pretrained(f"center-{dataset}")
    std = metrics.latents(model, images).std(0, correction=0)
    assert std.mean().item() == pytest.approx(results_of(f"center-{dataset}")["latents"]["std"], rel=1e-3)
    assert model.std().mean().item() == pytest.approx(std.mean().item(), rel=0.1)  # of the training images


@pytest.mark.parametrize("name", PERPLEXITY_AT_LEAST)
def test_vqae_uses_its_codes_and_quantises_with_little_loss(name):
    results = results_of(name)  # which match the weights, see above
    assert results["quantized_psnr"] == pytest.approx(metrics.psnr(results["quantized_mse"]), abs=0.01)
    assert results["psnr"] - results["quantized_psnr"] <= 3
    assert results["codebook"]["perplexity"] >= PERPLEXITY_AT_LEAST[name]
    if name == "vqae-fashionmnist":
        assert results["codebook"]["in_use"] >= 95


def test_vectors_collapse_only_without_remedies():
    shipped = results_of("codebook-fashionmnist")["codebook"]
    assert shipped["duplicates"] + shipped["dead"] > 0
    rows = json.loads((shipped_folder() / "codebook-fashionmnist" / "search.json").read_text(encoding="utf-8"))
    remedied = [row for row in rows if row["recipe"]["initialisation"] == "k-means" and row["recipe"]["epochs"] >= 20]
    assert remedied
    for row in remedied:
        assert row["codebook"]["in_use"] == 20
        assert row["codebook"]["duplicates"] == 0


def test_residual_uses_more_vectors_than_ema():
    ema, residual = (results_of(f"{v}-fashionmnist")["codebook"]["in_use"] for v in ("ema", "residual"))
    assert residual >= 4 * ema
    assert residual >= 200


@pytest.mark.data
@pytest.mark.parametrize("dataset", DATASETS)
def test_classifiers_reach_their_recorded_accuracy(dataset, data_root):
    results = results_of(f"classifier-{dataset}")
    model = AEVQ.from_pretrained(f"classifier-{dataset}")
    learn, test = labelled(find_source(dataset, data_root=data_root))
    answers = model.classify(metrics.to_float(test.images))
    accuracy = metrics.accuracy(answers, test.labels)
    assert accuracy == pytest.approx(results["accuracy"], abs=1e-3)
    assert accuracy >= ACCURACY_AT_LEAST.get(
        f"classifier-{dataset}", metrics.majority(learn.labels, test.labels) + 0.03
    )


def test_every_shipped_model_generates_varied_samples(shipped):
    model = AEVQ.from_pretrained(shipped)
    c = model.config
    x = model.sample(4, seed=0)
    assert x.shape == (4, c.channels, c.image_size, c.image_size)
    assert x.std(0).mean() > 0.01  # not the same picture four times


def test_shipped_models_were_trained_with_their_recipes(shipped):
    config = config_of(shipped)
    recipe = recipe_for(config.variant, config.dataset)
    record = history(shipped)
    assert Recipe(**{**record["recipe"], "seed": recipe.seed}) == recipe
    key = chosen_by(config, record["results"])
    values = sorted(seed["results"][key] for seed in record.get("seeds", ()))
    assert not values or record["results"][key] == values[(len(values) - 1) // 2]
    assert recipe.epochs >= 20
    assert len(record["epochs"]) == recipe.epochs + recipe.classifier_epochs
    if config.num_codes:
        movements = [epoch["movement"] for epoch in record["epochs"] if "movement" in epoch]
        assert movements and min(movements) > 0


def test_samples_hold_images_only_if_shareable(shipped):
    samples = load_file(shipped_folder() / shipped / "samples.safetensors")
    dataset = DATASETS[config_of(shipped).dataset]
    assert set(samples) == ({"images"} if dataset.shareable else {"latents"})


def test_shipped_weights_are_small():
    sizes = {name: (shipped_folder() / name / "model.safetensors").stat().st_size for name in available_models()}
    assert max(sizes.values()) <= 8e6
    assert sum(sizes[f"center-{dataset}"] for dataset in DATASETS) <= 8e6
    samples = [shipped_folder() / name / "samples.safetensors" for name in sizes]
    assert sum(sizes.values()) + sum(path.stat().st_size for path in samples) <= 50e6


def test_readme_quick_start_runs(tmp_path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    code = re.search(r"## Quick start\n+```python\n(.*?)```", readme, re.DOTALL).group(1)
    assert len(code.strip().splitlines()) <= 6
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    assert list(tmp_path.glob("*.png"))
