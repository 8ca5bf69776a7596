"""The faster precision is measured, recorded by its name, and kept when a training continues."""

import json

import pytest
import torch

from aevq_hub.registry import DATASETS
from training import processor, runs
from training.__main__ import main
from training.recipes import configure, recipe_for
from training.trainer import Trainer


@pytest.mark.parametrize(("fp32", "bf16", "chosen"), [(1.0, 0.5, "bf16"), (1.0, 0.9, "fp32"), (1.0, 10.0, "fp32")])
@pytest.mark.parametrize("variant", ["center", "vqae", "classifier"])
def test_faster_precision_is_chosen_if_it_is_worth_it(variant, fp32, bf16, chosen, monkeypatch):
    recipe = recipe_for(variant, "mnist")
    now = [0.0]
    seconds = {torch.float32: fp32, torch.bfloat16: bf16}

    def run_epoch(self, images, labels=None):
        assert images.shape[1:] == (1, 28, 28) and (labels is None) == (variant != "classifier")
        now[0] += seconds[self.dtype]

    monkeypatch.setattr(Trainer, "run_epoch", run_epoch)
    monkeypatch.setattr(processor.time, "perf_counter", lambda: now[0])
    config = configure(variant, "mnist", DATASETS["mnist"], recipe)
    assert processor.faster_precision(config, recipe, "cpu") == chosen


def test_measuring_works_for_a_small_model():
    recipe = recipe_for("center", "mnist", latent_dim=4, widths="4x4", batch_size=4)
    config = configure("center", "mnist", DATASETS["mnist"], recipe)
    assert processor.faster_precision(config, recipe, "cpu") in ("fp32", "bf16")


def test_chosen_precision_is_recorded_and_kept(mirror, tmp_path, monkeypatch):
    arguments = ["train", "ae", "mnist", "--data-root", str(mirror), "--output", str(tmp_path), "--precision", "auto"]
    monkeypatch.setattr(runs, "faster_precision", lambda *settings: "bf16")
    assert main([*arguments, "--epochs", "1"]) == 0
    recorded = json.loads((tmp_path / "ae-mnist" / "history.json").read_text())["recipe"]
    assert recorded["precision"] == "bf16"
    monkeypatch.setattr(runs, "faster_precision", lambda *settings: pytest.fail("measured again"))
    assert main([*arguments, "--epochs", "1"]) == 0  # finished, with the same precision


def test_search_refuses_a_precision_that_is_yet_to_be_chosen(mirror, tmp_path, capsys):
    arguments = ["search", "ae", "mnist", "--precision", "auto", "--data-root", str(mirror), "--output", str(tmp_path)]
    assert main(arguments) == 1
    assert "precision is 'auto'" in capsys.readouterr().err
