"""The benchmark: turns are taken, its plain loop learns the same, operations are counted, errors reach the user."""

import json
from dataclasses import replace

import pytest
import torch

from aevq_hub.registry import DATASETS, VARIANTS
from training import bench, timing
from training.__main__ import main
from training.objectives import OBJECTIVES, total
from training.peers import plain
from training.processor import brief
from training.recipe import Recipe
from training.recipes import configure, recipe_for
from training.step import Batch
from training.timing import Contender, alternately, operations, spread


def settings(variant: str):
    recipe = brief(replace(recipe_for(variant, "mnist"), precision="fp32", pull_scale="sum", ema_rate=0.0))
    recipe = replace(recipe, center_reconstruction_weight=0.0, latent_dim=8, batch_size=16)
    return configure(variant, "mnist", DATASETS["mnist"], recipe), recipe


def test_functions_are_timed_in_turns():
    calls = []
    times = alternately({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=3, least=0)
    assert calls == ["a", "b"] * 4  # the first round only warms up
    assert [len(seconds) for seconds in times.values()] == [3, 3]
    assert spread([3.0, 1.0, 2.0, 10.0]) == {"median": 2.5, "low": 1.0, "high": 10.0}


def test_operations_of_a_step_match_hand_computation():
    recipe = Recipe(latent_dim=8, widths="4", batch_size=2)
    config = configure("ae", "mnist", DATASETS["mnist"], recipe)
    images = torch.zeros(2, 1, 28, 28, dtype=torch.uint8)
    layers = (784 * 4, 4 * 8, 8 * 4, 4 * 784)
    # two per weight and image, forwards and for both gradients, of which the first layer needs only one
    assert operations(config, recipe, images) == 2 * 2 * (3 * sum(layers) - layers[0])


@pytest.mark.parametrize("variant", ["ae-conv", "vqvae", "residual"])
def test_plain_loop_has_the_same_loss(variant, generator):
    config, recipe = settings(variant)
    images = torch.randint(256, (16, 1, 28, 28), dtype=torch.uint8, generator=generator)
    run = plain.Plain(config, recipe, images)
    x, objective = images.float() / 255, OBJECTIVES[VARIANTS[variant].objective]
    terms, _ = objective.terms(run.model, Batch(x), recipe)
    ours = total(terms, objective.weights(recipe, 0))
    assert run.loss(x).item() == pytest.approx(ours.item(), rel=1e-5)


@pytest.mark.parametrize("variant", ["vae", "center", "codebook"])
def test_plain_loop_learns(variant, mirror):
    config, recipe = settings(variant)
    images = torch.zeros(64, 1, 28, 28, dtype=torch.uint8)
    images[:, :, 5:20, 8:12] = 255
    run = plain.Plain(config, recipe, images)
    before = run.mse(images)
    for _ in range(5):
        run.epoch()
    assert run.mse(images) < before


def test_error_of_a_contender_is_raised_with_its_name():
    one = Contender("plain loop")
    try:
        with pytest.raises(RuntimeError, match="plain loop: AttributeError"):
            one.ask("prepare", None, None, None)
    finally:
        one.stop()


def test_bench_prints_tables_and_writes_all_rounds(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench, "TRAINED", ("center",))
    monkeypatch.setattr(bench, "FORMATS", {"mnist": 16})
    monkeypatch.setattr(bench, "QUANTIZED", ((2, 3, 4, 5),))
    monkeypatch.setattr(timing, "PEERS", {"plain loop": "plain.Plain"})
    file = tmp_path / "bench.json"
    assert main(["bench", "--only", "training,quantizer", "--rounds", "2", "--json", str(file)]) == 0
    printed, results = capsys.readouterr().out, json.loads(file.read_text())
    (row,), (quantizer,) = results["training"], results["quantizer"]
    assert row["row"] == "center 28×28" and set(row) > {"ours fp32", "ours bf16", "plain loop"}
    assert all(0 < row[n]["low"] <= row[n]["median"] <= row[n]["high"] for n in ("ours fp32", "plain loop"))
    assert 0 < row["share of peak"] < 1 and quantizer["product"]["median"] > 0
    assert "| center 28×28 |" in printed and "| 2×3×4, 5 codes |" in printed


def test_unknown_part_is_refused_before_any_work(capsys):
    assert main(["bench", "--only", "nonsense"]) == 1
    assert "nonsense" in capsys.readouterr().err


def test_loading_is_timed_in_fresh_processes():
    rows = []
    bench.loading(1, rows.append)
    assert rows[0]["load and first picture, ms"]["median"] > 0
