"""Trainings with several seeds, of which the median is shipped."""

import json
from dataclasses import replace
from statistics import mean, stdev

from safetensors.torch import load_file
from tiny import tiny

from aevq_hub import AEVQ
from aevq_hub.measures import flat
from training.__main__ import main
from training.grids import OF_PRIOR
from training.recipes import RECIPES, recipe_for


def test_all_with_seeds_ships_the_median_and_records_all(mirror, tmp_path, capsys, monkeypatch):
    small = replace(tiny(recipe_for("center", "mnist")), epochs=1, latent_dim=4)
    monkeypatch.setitem(RECIPES, "center-mnist", small)
    arguments = ["all", "--variants", "center", "--datasets", "mnist", "--seeds", "3", "--data-root", str(mirror)]
    assert main([*arguments, "--output", str(tmp_path)]) == 0
    table = capsys.readouterr().out
    shipped = json.loads((tmp_path / "center-mnist" / "history.json").read_text())
    trained = [
        json.loads((tmp_path / ".seeds" / f"seed-{seed}" / "center-mnist" / "history.json").read_text())
        for seed in range(3)
    ]
    scores = [history["results"]["score"] for history in trained]
    assert len(set(scores)) == 3
    assert shipped["results"]["score"] == sorted(scores)[1]
    assert shipped["recipe"]["seed"] == scores.index(sorted(scores)[1])
    assert [entry["results"]["score"] for entry in shipped["seeds"]] == scores
    assert f"{mean(scores):.1f} ± {stdev(scores):.1f}" in table
    card = (tmp_path / "center-mnist" / "README.md").read_text()
    assert "trained with 3 seeds" in card and f"{mean(scores):.1f} ± {stdev(scores):.1f}" in card
    assert load_file(tmp_path / "center-mnist" / "model.safetensors")
    before = (tmp_path / "center-mnist" / "history.json").stat().st_mtime_ns
    assert main([*arguments, "--output", str(tmp_path)]) == 0
    assert "already trained with 3 seeds" in capsys.readouterr().out
    assert (tmp_path / "center-mnist" / "history.json").stat().st_mtime_ns == before
    monkeypatch.setitem(RECIPES, "center-mnist", replace(small, pull_weight=7.0))
    assert main([*arguments, "--output", str(tmp_path)]) == 1
    assert "contains a model with other settings or seeds" in capsys.readouterr().err


def test_prior_of_a_grid_is_trained_for_the_chosen_seed_alone(mirror, tmp_path, monkeypatch):
    small = replace(tiny(recipe_for("vqae", "mnist")), epochs=2, prior_epochs=1)
    monkeypatch.setitem(RECIPES, "vqae-mnist", small)
    arguments = ["all", "--variants", "vqae", "--datasets", "mnist", "--seeds", "2", "--data-root", str(mirror)]
    assert main([*arguments, "--output", str(tmp_path)]) == 0
    shipped = json.loads((tmp_path / "vqae-mnist" / "history.json").read_text())
    trained = [
        json.loads((tmp_path / ".seeds" / f"seed-{seed}" / "vqae-mnist" / "history.json").read_text())
        for seed in range(2)
    ]
    chosen = shipped["recipe"]["seed"]
    assert "prior" in trained[chosen] and "prior" not in trained[1 - chosen]
    assert shipped["recipe"]["prior_epochs"] == 1 and shipped["prior"]["seed"] == chosen
    assert shipped["results"]["likelihood"]["bits"] == trained[chosen]["results"]["likelihood"]["bits"]
    assert shipped["seeds"][0]["results"].keys() == shipped["seeds"][1]["results"].keys()
    assert not set(OF_PRIOR) & shipped["seeds"][0]["results"].keys()
    assert "likelihood.independent" in OF_PRIOR and set(OF_PRIOR) <= flat(shipped["results"]).keys()
    assert AEVQ.from_pretrained(tmp_path / "vqae-mnist").config.prior_blocks
    weights = (tmp_path / "vqae-mnist" / "model.safetensors").read_bytes()
    for path in (tmp_path / "vqae-mnist").iterdir():  # as if it had been interrupted before the copy
        path.unlink()
    assert main([*arguments, "--output", str(tmp_path)]) == 0
    assert (tmp_path / "vqae-mnist" / "model.safetensors").read_bytes() == weights
