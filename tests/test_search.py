"""The search: what it trains and records, and its table."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import tiny

from training.data import load, training_labels
from training.parallel import record_rows
from training.recipe import Recipe
from training.recipes import RECIPES, recipe_for, recorded, without_pull
from training.search import _row, grid, search
from training.sources import find_source
from training.tables import chosen, over_seeds, table
from training.trainer import Trainer, TrainingError

SMALL = {"latent_dim": 8, "num_codes": 1, "epochs": 1, "precision": "fp32", "widths": "8x8"}

ENDLESS = """
import os, time
from training.parallel import pool
if __name__ == "__main__":
    with pool(1) as processes:
        print(processes.submit(os.getpid).result(), flush=True)
        processes.submit(time.sleep, 600).result()
"""


@pytest.fixture
def in_process():
    """Trainings run in a thread instead of new processes, which take seconds to start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.parallel.pool", ThreadPoolExecutor)
        yield


def test_search_records_every_recipe_once(mirror, tmp_path, monkeypatch):
    source = find_source("mnist", data_root=mirror)
    quick = {"latent_dim": 8, "precision": "fp32", "widths": "8x8"}  # bf16 is slow on most processors
    monkeypatch.setitem(RECIPES, "zero-mnist", recipe_for("zero", "mnist", **quick))
    settings = {name: [value] for name, value in quick.items()}
    recipes = grid("center", "mnist", {**settings, "epochs": [1], "pull_weight": [1.0, 10.0]})
    options = {"baseline": "ae-conv", "beside": ["zero"], "images": 200, "progress": False}
    rows = search("center", source, recipes, tmp_path / "search.json", **options)
    own = recipe_for("zero", "mnist")
    tried = [("ae-conv", None), ("center", 1), ("center", 10), ("zero", own.pull_weight)]
    assert [(r["variant"], r["recipe"].get("pull_weight")) for r in rows] == tried
    assert Recipe(**rows[-1]["recipe"]) == replace(own, epochs=1)
    assert all(0 < row["mse"] < 1 for row in rows)
    for row in rows:
        assert row["score"] == row["frechet"]["gaussian"] + row["sheets"]["directions"]["frechet"] > 0
    again = search("center", source, recipes, tmp_path / "search.json", **options)
    assert again == rows == json.loads((tmp_path / "search.json").read_text())


def test_search_keeps_rows_added_by_a_concurrent_search(mirror, tmp_path, monkeypatch, in_process):
    source, path = find_source("mnist", data_root=mirror), tmp_path / "search.json"
    recipes = [Recipe(**SMALL, pull_weight=weight) for weight in (1.0, 2.0)]

    def other(*_, **__):  # a second search that finishes before the first one's trainings begin
        monkeypatch.undo()
        search("center", source, recipes[1:], path, images=100, progress=False)
        return load(source, "train")

    monkeypatch.setattr("training.search.load", other)
    rows = search("center", source, recipes[:1], path, images=100, progress=False)
    assert [row["recipe"]["pull_weight"] for row in rows] == [2.0, 1.0]
    assert rows == json.loads(path.read_text())


def test_search_records_divergence_but_stops_at_invalid_recipes(mirror, tmp_path, in_process):
    source, path = find_source("mnist", data_root=mirror), tmp_path / "search.json"
    recipe = Recipe(**SMALL, learning_rate=1e18)
    (row,) = search("center", source, [recipe], path, progress=False)
    assert "not finite" in row["error"]
    with pytest.raises(TrainingError, match="only 3; lower them"):
        search("center", source, [replace(recipe, warmup_steps=9)], path, progress=False)
    assert json.loads(path.read_text()) == [row]


def test_rows_beside_a_failing_training_are_recorded(mirror, tmp_path, in_process):
    source, path = find_source("mnist", data_root=mirror), tmp_path / "search.json"
    recipes = [Recipe(**SMALL, warmup_steps=steps) for steps in (9, 0)]
    with pytest.raises(TrainingError, match="only 3; lower them"):
        search("center", source, recipes, path, progress=False)
    assert [row["recipe"].get("warmup_steps", 0) for row in json.loads(path.read_text())] == [0]


def test_a_row_from_before_a_measure_existed_is_replaced(mirror, tmp_path, in_process):
    source, path, recipe = find_source("mnist", data_root=mirror), tmp_path / "search.json", Recipe(**SMALL)
    (row,) = search("center", source, [recipe], path, images=100, progress=False)
    older = {key: value for key, value in row.items() if key not in ("latents", "sheets", "score")}
    older["recipe"] = {key: value for key, value in row["recipe"].items() if key != "components"}  # which is newer, too
    path.write_text(json.dumps([older]))
    assert search("center", source, [recipe], path, images=100, progress=False) == [row] == json.loads(path.read_text())


def test_of_rows_with_one_seed_the_last_counts():
    recipes = [recorded("center", Recipe(seed=seed)) for seed in (0, 0, 1)]
    rows = [{"variant": "center", "recipe": r, "mse": mse} for r, mse in zip(recipes, (0.9, 0.1, 0.3), strict=True)]
    assert [line["MSE"] for line in table(rows)] == ["0.20000 ± 0.14142"]


def test_search_table_marks_the_shipped_recipe():
    recipes = [recorded("center", Recipe(pull_weight=weight, epochs=6)) for weight in (3.0, 5.0)]
    rows = [{"variant": "center", "recipe": recipe, "mse": 0.1} for recipe in recipes]
    shipped = {"variant": "center", **recorded("center", Recipe(pull_weight=5.0))}
    assert [line["shipped"] for line in table(rows, shipped=shipped)] == ["", "yes"]
    assert all("shipped" not in line for line in table(rows, shipped={**shipped, "pull_weight": 4.0}))


def test_search_measures_accuracy_on_held_out_labels(mirror, tmp_path, monkeypatch):
    """As in the partial copy of CelebA: the test split and the last training images have no labels."""
    learnt, measured = [], []
    run_epoch = Trainer.run_epoch
    monkeypatch.setattr(Trainer, "run_epoch", lambda self, x, y: learnt.append(y[: len(x)]) or run_epoch(self, x, y))
    monkeypatch.setattr("training.search.measure", lambda _, scale: measured.append(scale.labelled) or {})
    source = find_source("celeba", data_root=mirror)
    labels = training_labels(source).clone()
    labels[-40:] = -1
    monkeypatch.setattr("training.search.training_labels", lambda _: labels)
    recipe = replace(tiny(recipe_for("classifier", "celeba")), epochs=1, widths="8")
    _row("classifier", source, recipe, None, "cpu", 1)
    (learn, test), known = measured[0], (labels >= 0).any(1)
    assert len(test) == -(-int(known.sum()) // 5) and (test.labels >= 0).any(1).all()
    assert len(learn) == known.sum() - len(test) == (learnt[0] >= 0).any(1).sum()


def test_search_refuses_invalid_networks_before_any_work(mirror, tmp_path):
    recipes = [Recipe(num_codes=1), Recipe(num_codes=1, widths="8x8x8x8x8x8")]
    with pytest.raises(ValueError, match="cannot be halved once for each of 6 widths"):
        search("center", find_source("mnist", data_root=mirror), recipes, tmp_path / "search.json", progress=False)
    assert list(tmp_path.iterdir()) == []


def test_trainings_end_when_their_search_is_killed():
    parent = subprocess.Popen(
        [sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    training = int(parent.stdout.readline())
    os.kill(training, 0)  # it is there
    parent.kill()
    parent.wait()
    end = time.monotonic() + 60
    while _runs(training):
        assert time.monotonic() < end
        time.sleep(0.1)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")  # in a container, nobody may collect processes without a parent
    return not (status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] == "Z")


def test_search_table_shows_only_differing_settings():
    recipe, other = Recipe(pull_weight=3.0), Recipe(pull_weight=5.0, learning_rate=1.0)
    rows = [
        {"variant": "center", "recipe": recorded("center", other), "error": "the loss is not finite"},
        {"variant": "center", "recipe": recorded("center", recipe), "mse": 0.03, "codebook": {"in_use": 1}},
        {"variant": "ae-conv", "recipe": recorded("ae-conv", without_pull(recipe)), "mse": 0.02},
    ]
    assert table(rows) == [
        {"variant": "ae-conv", "epochs": "20", "λ1": "–", "learning rate": "0.001", "MSE": "0.02000", "in use": "–"},
        {"variant": "center", "epochs": "20", "λ1": "3", "learning rate": "0.001", "MSE": "0.03000", "in use": "1"},
        {"variant": "center", "epochs": "20", "λ1": "5", "learning rate": "1", "MSE": "diverged", "in use": "diverged"},
    ]  # fmt: skip
    alone = {"variant": "center", "recipe": recorded("center", recipe), "mse": 0.5}
    assert table([alone]) == [{"epochs": "20", "MSE": "0.50000"}]


def test_search_table_has_a_setting_that_older_rows_lack():
    older, newer = recorded("zero", Recipe()), recorded("zero", Recipe(network="mlp"))
    del older["network"]
    rows = [{"variant": "zero", "recipe": recipe, "mse": 0.1} for recipe in (older, newer)]
    assert {line["network"] for line in table(rows)} == {"default", "mlp"}


def test_search_table_gives_seeds_as_mean_and_deviation():
    recipes = [recorded("center", Recipe(pull_weight=weight, seed=seed)) for weight in (3.0, 5.0) for seed in (0, 1)]
    rows = [
        {"variant": "center", "recipe": r, "mse": mse} for r, mse in zip(recipes, (0.1, 0.3, 0.2, 0.2), strict=True)
    ]
    assert [(line["λ1"], line["MSE"]) for line in table(rows)] == [
        ("3", "0.20000 ± 0.14142"),
        ("5", "0.20000 ± 0.00000"),
    ]


def test_recipe_diverged_if_it_did_with_any_seed():
    recipes = [recorded("center", Recipe(seed=seed)) for seed in (0, 1)]
    fine, failed = ({"variant": "center", "recipe": r} for r in recipes)
    fine["mse"], failed["error"] = 0.1, "the loss is not finite"
    for rows in ([fine, failed], [failed, fine]):
        assert [
            line["MSE"]
            for line in table([*rows, {"variant": "vae", "recipe": recorded("vae", Recipe(kl_weight=1.0)), "mse": 0.2}])
        ] == ["diverged", "0.20000"]


def test_choice_is_by_the_mean_over_seeds():
    trials = [(3.0, 0, 200.0), (3.0, 1, 210.0), (3.0, 2, 150.0), (5.0, 0, 180.0)]
    rows = [
        {"variant": "center", "recipe": recorded("center", Recipe(pull_weight=w, seed=s)), "mse": 0.1, "score": score}
        for w, s, score in trials
    ]
    (best,) = chosen(over_seeds(rows))
    assert best["recipe"]["pull_weight"] == 5.0


def test_choice_is_the_lowest_score_at_twice_the_lowest_error_at_most():
    measured = [
        ("center", 0.1, 9.0),
        ("center", 0.2, 5.0),
        ("center", 0.21, 1.0),
        ("vae", 0.3, 0.0),
        ("zero", 0.1, 7.0),
    ]
    rows = [{"variant": variant, "recipe": {}, "mse": mse, "score": score} for variant, mse, score in measured]
    rows.append({"variant": "zero", "recipe": {}, "error": "the loss is not finite"})
    rows.insert(0, {"variant": "center", "recipe": {}, "mse": 0.1, "score": float("nan")})
    assert sorted((row["variant"], row["score"]) for row in chosen(rows)) == [("center", 5.0), ("zero", 7.0)]


def test_a_killed_training_process_is_one_sentence(tmp_path):
    with pytest.raises(TrainingError, match="process was ended from outside"):
        record_rows(os._exit, [()], tmp_path / "search.json", progress=False)
    assert not (tmp_path / "search.json").exists()


@pytest.mark.parametrize("text", ["", "5", "[1]", "{}"])
def test_a_damaged_search_is_a_clear_error(text, tmp_path, mirror):
    (tmp_path / "search.json").write_text(text)
    with pytest.raises(ValueError, match="search.json is damaged.*; move it away"):
        search("center", find_source("mnist", data_root=mirror), [Recipe(**SMALL)], tmp_path / "search.json")
    assert (tmp_path / "search.json").read_text() == text
