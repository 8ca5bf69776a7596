"""The road end to end on a tiny data set: training, interruption, the model's folder, the command line."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard
from PIL import Image
from safetensors.torch import load_file

from aevq_hub import AEVQ, AEVQConfig
from aevq_hub.registry import DATASETS, VARIANTS, Recipe
from training.__main__ import main
from training.data import find_source, load
from training.evaluate import evaluate
from training.search import grid, search
from training.trainer import Trainer, TrainingError

FILES = {"config.json", "model.safetensors", "history.json", "samples.safetensors", "README.md"}
PICTURES = {"reconstructions.png", "perturbation.png", "interpolation.png", "movement.png"}


def trainer_for(variant: str, mirror: Path, **recipe) -> tuple[Trainer, torch.Tensor]:
    source = find_source("mnist", data_root=mirror)
    recipe = replace(Recipe(latent_dim=16), **recipe)
    config = AEVQConfig.for_training(variant, "mnist", source.dataset, recipe)
    return Trainer(config, recipe), load(source, "train").images


@pytest.mark.parametrize("variant", VARIANTS)
def test_training_lowers_the_reconstruction_error(variant, mirror):
    trainer, images = trainer_for(variant, mirror)
    losses = [trainer.run_epoch(images)["terms"]["reconstruction"] for _ in range(3)]
    assert losses[2] < losses[0]


def test_a_seed_gives_the_same_model(mirror):
    models = []
    for seed in (1, 1, 2):
        trainer, images = trainer_for("center", mirror, seed=seed)
        trainer.run_epoch(images)
        models.append(trainer.model.state_dict())
    assert all(torch.equal(models[0][key], models[1][key]) for key in models[0])
    assert not torch.equal(models[0]["codebook"], models[2]["codebook"])


def test_going_on_from_a_checkpoint_changes_nothing(mirror, tmp_path):
    whole, images = trainer_for("center", mirror)
    for _ in range(3):
        whole.run_epoch(images)
    first, _ = trainer_for("center", mirror)
    first.run_epoch(images)
    first.save(tmp_path / "checkpoint.safetensors")
    second, _ = trainer_for("center", mirror)
    second.load(tmp_path / "checkpoint.safetensors")
    second.run_epoch(images)
    second.run_epoch(images)
    for key, value in whole.model.state_dict().items():
        assert torch.equal(second.model.state_dict()[key], value), key
    assert [e["terms"] for e in second.epochs] == [e["terms"] for e in whole.epochs]


def test_the_movement_is_the_vector_s_way_within_an_epoch(mirror):
    trainer, images = trainer_for("center", mirror)
    before = trainer.model.codebook.detach().clone()
    record = trainer.run_epoch(images)
    assert record["movement"] == pytest.approx((trainer.model.codebook - before).norm().item())
    assert record["movement"] > 0


def test_a_checkpoint_of_other_settings_is_refused(mirror, tmp_path):
    trainer, _ = trainer_for("center", mirror)
    trainer.save(tmp_path / "c.safetensors")
    other, _ = trainer_for("center", mirror, pull_weight=3.0)
    with pytest.raises(TrainingError, match=r"made with pull_weight = 1.0, not 3.0.*--restart"):
        other.load(tmp_path / "c.safetensors")
    (tmp_path / "c.safetensors").write_bytes(b"\0" * 20)
    with pytest.raises(TrainingError, match="damaged"):
        trainer.load(tmp_path / "c.safetensors")


def test_a_loss_that_is_not_finite_stops_training(mirror):
    trainer, images = trainer_for("center", mirror, learning_rate=1e18)
    with pytest.raises(TrainingError, match="not finite in epoch 1.*lower the learning rate"):
        trainer.run_epoch(images)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"epochs": 0}, "epochs is 0; it must be a finite number of at least 1"),
        ({"pull_weight": float("nan")}, "pull_weight is nan"),
        ({"nearest_by": "manhattan"}, "unknown nearest_by 'manhattan'; choose from squared, dot, cosine"),
    ],
)
def test_a_recipe_is_checked(setting, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**setting)


def test_the_folder_is_what_the_hub_will_hold(trained):
    assert {p.name for p in trained.iterdir()} == FILES | PICTURES
    history = json.loads((trained / "history.json").read_text())
    assert [e["epoch"] for e in history["epochs"]] == [1, 2]
    for epoch in history["epochs"]:
        assert set(epoch["terms"]) == {"reconstruction", "encoder_pull", "center_reconstruction"}
        assert set(epoch["test"]) == {"mse", "psnr"}
        assert epoch["movement"] > 0
    assert history["data"] == {"source": "ylecun/mnist", "train_images": 300, "test_images": 60}
    for name in PICTURES:
        Image.open(trained / name).verify()


def test_the_card_says_what_was_measured(trained, mirror):
    card = ModelCard.load(trained / "README.md")
    results = evaluate(AEVQ.from_pretrained(trained), find_source("mnist", data_root=mirror), progress=False)
    reported = {r.metric_type: r.metric_value for r in card.data.eval_results}
    assert reported["mse"] == pytest.approx(results["mse"], abs=1e-6)
    assert reported["psnr"] == pytest.approx(results["psnr"], abs=1e-5)
    assert f"| {results['mse']:.5f} |" in card.content
    assert card.data.license == "mit"
    assert str(mirror) not in card.content + (trained / "history.json").read_text()


def test_measuring_again_records_the_same_numbers(trained, mirror):
    before = (trained / "history.json").read_text(), (trained / "README.md").read_text()
    assert main(["evaluate", str(trained), "--data-root", str(mirror), "--record"]) == 0
    assert ((trained / "history.json").read_text(), (trained / "README.md").read_text()) == before


def test_no_image_of_celeba_is_in_its_folder(mirror, tmp_path):
    arguments = ["train", "center", "celeba", "--epochs", "1", "--data-root", str(mirror), "--output", str(tmp_path)]
    assert main(arguments) == 0
    samples = load_file(tmp_path / "center-celeba" / "samples.safetensors")
    size = VARIANTS["center"].recipe_for("celeba").latent_dim
    assert {key: tuple(value.shape) for key, value in samples.items()} == {"latents": (20, size)}
    assert "non-commercial" in (tmp_path / "center-celeba" / "README.md").read_text()


def run(*arguments: str, **options) -> subprocess.Popen:
    command = [sys.executable, "-m", "training", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def test_kill_9_in_the_middle_of_an_epoch_and_go_on(mirror, tmp_path):
    def arguments(output):
        return [
            "train", "center", "mnist", "--data-root", str(mirror), "--epochs", "6", "--batch-size", "2",
            "--pull-batch-size", "8", "--output", str(tmp_path / output),
        ]  # fmt: skip

    checkpoint = tmp_path / "killed" / "center-mnist" / "checkpoint.safetensors"
    process = run(*arguments("killed"))
    deadline = time.monotonic() + 120
    while not checkpoint.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)  # into the next epoch
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert checkpoint.exists()
    assert not (checkpoint.parent / "model.safetensors").exists()

    second = run(*arguments("killed"))
    _, log = second.communicate(timeout=300)
    assert second.returncode == 0, log
    assert "epoch   1:" not in log  # it went on
    assert main(arguments("whole")) == 0
    killed, whole = (AEVQ.from_pretrained(tmp_path / o / "center-mnist").state_dict() for o in ("killed", "whole"))
    assert all(torch.equal(killed[key], whole[key]) for key in whole)
    assert {p.name for p in checkpoint.parent.iterdir()} == FILES | PICTURES  # no checkpoint, nothing half-written


def test_a_finished_training_is_not_repeated(trained, mirror, capsys):
    arguments = ["train", "center", "mnist", "--data-root", str(mirror), "--output", str(trained.parent)]
    before = (trained / "model.safetensors").stat().st_mtime_ns
    assert main([*arguments, "--epochs", "2"]) == 0
    assert "trained already" in capsys.readouterr().out
    for changed, message in (
        (["--pull-weight", "77", "--epochs", "2"], "pull_weight = 2.0, not 77.0"),
        (["--epochs", "40"], "has 2 epochs, not 40; --restart trains it anew"),
    ):
        assert main([*arguments, *changed]) == 1
        assert message in capsys.readouterr().err
    assert (trained / "model.safetensors").stat().st_mtime_ns == before


def test_one_s_own_images(tmp_path):
    (tmp_path / "photos").mkdir()
    for i in range(40):
        Image.new("RGB", (50, 40), (6 * i, 0, 255 - 6 * i)).save(tmp_path / "photos" / f"{i}.png")
    options = ["--size", "32", "--channels", "3", "--epochs", "1", "--output", str(tmp_path)]
    assert main(["train", "center", "hues", "--data", str(tmp_path / "photos"), *options]) == 0
    model = AEVQ.from_pretrained(tmp_path / "center-hues")
    assert model(torch.rand(1, 3, 32, 32)).shape == (1, 3, 32, 32)
    assert str(tmp_path) not in (tmp_path / "center-hues" / "history.json").read_text()


def test_a_search_records_every_recipe_once(mirror, tmp_path):
    source = find_source("mnist", data_root=mirror)
    recipes = grid(Recipe(latent_dim=8, epochs=1), {"pull_weight": [1.0, 10.0]})
    rows = search("center", source, recipes, tmp_path / "search.json", progress=False)
    assert [(r["variant"], r["recipe"]["pull_weight"]) for r in rows] == [("ae-conv", 0), ("center", 1), ("center", 10)]
    assert all(0 < row["mse"] < 1 and 0 <= row["changed"] <= 1 for row in rows)
    again = search("center", source, recipes, tmp_path / "search.json", progress=False)
    assert again == rows == json.loads((tmp_path / "search.json").read_text())


def test_options_may_stand_anywhere(mirror, trained, capsys):
    before = ["--data-root", str(mirror), "--output", str(trained.parent), "--epochs", "2"]
    assert main(["train", *before, "center", "mnist"]) == 0  # the recipe is that of center and mnist all the same
    assert "trained already" in capsys.readouterr().out


def test_a_search_s_table_copes_with_rows_of_every_kind():
    from dataclasses import asdict

    from aevq_hub.registry import without_pull
    from training.search import table

    recipe, other = Recipe(pull_weight=3.0), Recipe(pull_weight=3.0, learning_rate=1.0)
    rows = [
        {"variant": "center", "recipe": asdict(other), "error": "the loss is not finite"},
        {"variant": "center", "recipe": asdict(recipe), "mse": 0.03, "spread": 1.0, "distance_to_vector": 2.0},
        {"variant": "ae-conv", "recipe": asdict(without_pull(recipe)), "mse": 0.02, "spread": 9.0},
    ]
    assert [(line["MSE"], line["× no pull"], line["λ1"]) for line in table(rows)] == [
        ("0.02000", "1.00", "–"), ("diverged", "–", "3"), ("0.03000", "1.50", "3"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "centre", "mnist"], "unknown variant 'centre'; choose from ae-conv, center"),
        (["train", "center", "minst"], "unknown data set 'minst'"),
        (
            ["train", "center", "mnist", "--data", ".", "--size", "28", "--channels", "1"],
            "give your images another name",
        ),
        (["train", "center", "mnist", "--epochs", "0"], "epochs is 0"),
        (["train", "center", "cats", "--data", ".", "--size", "50", "--channels", "3"], "image size 50"),
        (["evaluate", "centre-mnist"], "there is no model 'centre-mnist'"),
    ],
)
def test_errors_are_one_sentence_before_any_work(arguments, message, capsys):
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_help_teaches(capsys):
    with pytest.raises(SystemExit):
        main(["train", "center", "mnist", "--help"])
    text = capsys.readouterr().out
    recipe = VARIANTS["center"].recipe_for("mnist")
    assert VARIANTS["center"].title in text
    assert f"({recipe.pull_weight})" in text
    assert "--pull-batch-size" in text
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    text = capsys.readouterr().out
    assert all(name in text for name in (*VARIANTS, *DATASETS))


def test_the_package_alone_imports_nothing_of_the_training():
    code = (
        "import sys, aevq_hub; print([m for m in ('datasets', 'gradio', 'matplotlib', 'training') if m in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    assert subprocess.check_output([sys.executable, "-c", code], text=True, env=environment).strip() == "[]"
