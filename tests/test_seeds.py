"""Trainings with several seeds, of which the median is shipped."""

import json
import shutil
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


def test_prior_of_a_grid_is_trained_for_the_chosen_seed_and_survives_interruptions(mirror, tmp_path, monkeypatch):
    plain = replace(tiny(recipe_for("vqae", "mnist")), epochs=2, prior_epochs=0)
    monkeypatch.setitem(RECIPES, "vqae-mnist", plain)
    arguments = ["all", "--variants", "vqae", "--datasets", "mnist", "--seeds", "2", "--data-root", str(mirror)]
    arguments += ["--output", str(tmp_path)]
    folder, card = tmp_path / "vqae-mnist", tmp_path / "vqae-mnist" / "README.md"
    assert main(arguments) == 0
    card.unlink()  # as if the chosen model had not been written yet
    monkeypatch.setitem(RECIPES, "vqae-mnist", replace(plain, prior_epochs=1))
    for step in ("AEVQ.save_pretrained", "write_json", "describe"):
        with monkeypatch.context() as patch:
            patch.setattr(f"training.release.{step}", interrupted)
            assert main(arguments) == 130
        assert not card.exists()
    assert main(arguments) == 0
    seeds = [tmp_path / ".seeds" / f"seed-{seed}" / "vqae-mnist" for seed in range(2)]
    shipped, *trained = (json.loads((one / "history.json").read_text()) for one in (folder, *seeds))
    chosen = shipped["recipe"]["seed"]
    assert "prior" in trained[chosen] and "prior" not in trained[1 - chosen]
    assert shipped["recipe"]["prior_epochs"] == 1 and shipped["prior"]["seed"] == chosen
    assert shipped["results"] == trained[chosen]["results"] and set(OF_PRIOR) <= flat(shipped["results"]).keys()
    assert shipped["seeds"][0]["results"].keys() == shipped["seeds"][1]["results"].keys()
    assert not set(OF_PRIOR) & shipped["seeds"][0]["results"].keys()
    assert AEVQ.from_pretrained(folder).config.prior_blocks and not list(folder.glob("*checkpoint*"))
    card.unlink()
    monkeypatch.setitem(RECIPES, "vqae-mnist", plain)
    assert main(arguments) == 0  # no prior is asked for, and the one that is there stays
    assert json.loads((folder / "history.json").read_text()) == shipped


def interrupted(*_, **__):
    raise KeyboardInterrupt


def test_weights_that_changed_while_they_were_measured_are_not_recorded(trained, mirror, tmp_path, monkeypatch, capsys):
    folder = shutil.copytree(trained, tmp_path / "center-mnist")
    before = (folder / "history.json").read_bytes()

    def retrained(*_):
        (folder / "config.json").write_text("{}")
        return {}

    monkeypatch.setattr("training.commands.evaluate.evaluate", retrained)
    monkeypatch.setattr("training.commands.evaluate.terminal_report", str)
    assert main(["evaluate", str(folder), "--data-root", str(mirror), "--record"]) == 1
    assert "has other weights now; nothing was recorded" in capsys.readouterr().err
    assert (folder / "history.json").read_bytes() == before
