"""Training end to end on tiny data: the model's folder, interruption, the command line."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
from huggingface_hub import ModelCard
from PIL import Image
from safetensors.torch import load_file
from servers import ROOT
from tiny import tiny

from aevq_hub import AEVQ, folder
from aevq_hub.registry import DATASETS, VARIANTS
from training.__main__ import main
from training.evaluate import evaluate
from training.recipes import RECIPES, recipe_for
from training.sources import find_source

FILES = {"config.json", "model.safetensors", "history.json", "samples.safetensors", "map.safetensors", "README.md"}
PICTURES = {*folder.PICTURES} - {"shares.png", "recombination.png", "completion.png"}  # with a single vector


def test_trained_folder_is_complete(trained):
    assert {p.name for p in trained.iterdir()} == FILES | PICTURES
    history = json.loads((trained / "history.json").read_text())
    assert [e["epoch"] for e in history["epochs"]] == [1, 2]
    for epoch in history["epochs"]:
        assert set(epoch["terms"]) == {"reconstruction", "encoder_pull", "vector_pull", "center_reconstruction"}
        assert set(epoch["test"]) == {"mse", "psnr", "quantized_mse"}
        assert epoch["codebook"]["share"] == [1.0]
        assert epoch["codebook"]["vectors"] == epoch["codebook"]["in_use"] == 1
        assert epoch["movement"] > 0
    assert len(history["data"].pop("digest")) == 16
    assert history["data"] == {"source": "ylecun/mnist", "train_images": 300, "test_images": 60}
    for name in PICTURES:
        Image.open(trained / name).verify()


def test_card_reports_the_measured_values(trained, mirror):
    card = ModelCard.load(trained / "README.md")
    results = evaluate(AEVQ.from_pretrained(trained), find_source("mnist", data_root=mirror), progress=False)
    reported = {r.metric_type: r.metric_value for r in card.data.eval_results}
    assert reported["mse"] == pytest.approx(results["mse"], abs=1e-6)
    assert reported["psnr"] == pytest.approx(results["psnr"], abs=1e-5)
    assert f"| {results['mse']:.5f} |" in card.content
    assert card.data.license == "mit"
    assert str(mirror) not in card.content + (trained / "history.json").read_text()


def test_evaluating_again_records_the_same_numbers(trained, mirror):
    before = (trained / "history.json").read_text(), (trained / "README.md").read_text()
    assert main(["evaluate", str(trained), "--data-root", str(mirror), "--record"]) == 0
    assert ((trained / "history.json").read_text(), (trained / "README.md").read_text()) == before


def test_celeba_folder_holds_no_images(mirror, tmp_path):
    arguments = ["train", "center", "celeba", "--epochs", "1", "--data-root", str(mirror), "--output", str(tmp_path)]
    assert main([*arguments, "--precision", "fp32", "--widths", "8x16x16x16"]) == 0  # small, to be quick
    samples = load_file(tmp_path / "center-celeba" / "samples.safetensors")
    size = recipe_for("center", "celeba").latent_dim
    assert {key: tuple(value.shape) for key, value in samples.items()} == {"latents": (10, size)}
    assert "non-commercial" in (tmp_path / "center-celeba" / "README.md").read_text()


def run(*arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "training", *arguments]
    # from the checkout, since `training` is not installed
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def test_resuming_after_kill_9_gives_identical_result(mirror, tmp_path):
    def arguments(output):
        return [
            "train", "center", "mnist", "--data-root", str(mirror), "--epochs", "3", "--batch-size", "2",
            "--pull-batch-size", "8", "--precision", "fp32", "--output", str(tmp_path / output),
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
    assert "epoch   3:" in log and "epoch   1:" not in log  # it resumed
    assert main(arguments("whole")) == 0
    killed, whole = (AEVQ.from_pretrained(tmp_path / o / "center-mnist").state_dict() for o in ("killed", "whole"))
    assert all(torch.equal(killed[key], whole[key]) for key in whole)
    assert {p.name for p in checkpoint.parent.iterdir()} == FILES | PICTURES  # no checkpoint or partial files


def test_finished_training_is_not_repeated(trained, mirror, capsys):
    arguments = ["train", "center", "mnist", "--data-root", str(mirror), "--output", str(trained.parent)]
    arguments += ["--precision", "fp32"]
    before = (trained / "model.safetensors").stat().st_mtime_ns
    assert main([*arguments, "--epochs", "2"]) == 0
    assert "already trained" in capsys.readouterr().out
    weight = recipe_for("center", "mnist").pull_weight
    for changed, message in (
        (["--pull-weight", "77", "--epochs", "2"], f"pull_weight = {weight}, not 77.0"),
        (["--epochs", "40"], "has been trained for 2 epochs, not 40; --restart trains it again"),
    ):
        assert main([*arguments, *changed]) == 1
        assert message in capsys.readouterr().err
    assert (trained / "model.safetensors").stat().st_mtime_ns == before


def test_training_on_own_images(tmp_path):
    (tmp_path / "photos").mkdir()
    for i in range(40):
        Image.new("RGB", (50, 40), (6 * i, 0, 255 - 6 * i)).save(tmp_path / "photos" / f"{i}.png")
    options = ["--size", "32", "--channels", "3", "--epochs", "1", "--precision", "fp32", "--output", str(tmp_path)]
    assert main(["train", "center", "hues", "--data", str(tmp_path / "photos"), *options]) == 0
    model = AEVQ.from_pretrained(tmp_path / "center-hues")
    assert model(torch.rand(1, 3, 32, 32)).shape == (1, 3, 32, 32)
    assert str(tmp_path) not in (tmp_path / "center-hues" / "history.json").read_text()


def test_two_processes_cannot_train_one_model(mirror, tmp_path, monkeypatch, capsys):
    arguments = ["train", "zero", "mnist", "--epochs", "1", "--latent-dim", "8", "--data-root", str(mirror)]
    arguments += ["--precision", "fp32", "--output", str(tmp_path)]
    monkeypatch.setattr("training.runs.release", lambda *_: {"results": {"status": main(arguments)}})
    monkeypatch.setattr("training.runs.terminal_report", lambda results: f"the other one's status: {results['status']}")
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert "the other one's status: 1" in out and "zero-mnist is being trained by another process" in err


@pytest.mark.parametrize(("count", "message"), [(2, "has 1 training image"), (3, None)])
def test_training_on_very_few_images(count, message, tmp_path, capsys):
    (tmp_path / "photos" / "train").mkdir(parents=True)
    (tmp_path / "photos" / "test").mkdir()
    for i in range(count):
        folder = tmp_path / "photos" / ("test" if i == 0 else "train")
        Image.new("L", (16, 16), 80 * i).save(folder / f"{i}.png")
    data = ["--data", str(tmp_path / "photos"), "--size", "16", "--channels", "1", "--output", str(tmp_path)]
    arguments = ["center", "few", *data, "--epochs", "1", "--precision", "fp32"]
    assert main(["search", *arguments]) == 1
    assert f"few has {count - 1} training images, but a search needs at least 20" in capsys.readouterr().err
    assert main(["train", *arguments]) == (1 if message else 0)
    if message:
        assert message in capsys.readouterr().err
    else:
        model = AEVQ.from_pretrained(tmp_path / "center-few")
        assert model.sampler.distance(model.encode(torch.rand(4, 1, 16, 16))).isfinite().all()


def test_options_can_precede_positional_arguments(mirror, trained, capsys):
    before = ["--data-root", str(mirror), "--output", str(trained.parent), "--epochs", "2", "--precision", "fp32"]
    assert main(["train", *before, "center", "mnist"]) == 0  # the recipe is still that of center-mnist
    assert "already trained" in capsys.readouterr().out


@pytest.mark.parametrize(  # every kind of model, labels and images once
    ("variant", "dataset"),
    [
        ("classifier", "mnist"),
        ("classifier", "celeba"),
        ("vqae", "mnist"),
        ("vqvae", "celeba"),
        ("vae", "fashionmnist"),
    ],
)
def test_training_every_kind_of_model(variant, dataset, mirror, tmp_path, monkeypatch):
    small = replace(tiny(recipe_for(variant, dataset)), epochs=1, latent_dim=8)
    monkeypatch.setitem(RECIPES, f"{variant}-{dataset}", small)
    assert main(["train", variant, dataset, "--data-root", str(mirror), "--output", str(tmp_path)]) == 0
    folder = tmp_path / f"{variant}-{dataset}"
    results = json.loads((folder / "history.json").read_text())["results"]
    kinds = {"reconstructions", "samples", "midpoints"}
    kinds |= set() if DATASETS[dataset].multi_label else {"within", "between"}
    kinds |= {"independent", "completed", "filled"} if variant.startswith("vq") else {"gaussian"}
    assert set(results["frechet"]) == kinds
    assert set(results["probes"]) == {"majority", "linear", "neighbours"}
    assert ("accuracy" in results) == (variant == "classifier")
    assert ("codebook" in results) == variant.startswith("vq")
    model = AEVQ.from_pretrained(folder)
    assert torch.equal(model.sample(3, seed=1), model.sample(3, seed=1))
    if not model.config.grid_size:  # after one epoch a cell may use one code only
        assert not torch.equal(model.sample(3, seed=1), model.sample(3, seed=2))
    samples = load_file(folder / "samples.safetensors")
    assert set(samples) == ({"images"} if DATASETS[dataset].shareable else {"latents"})


def test_all_trains_the_selection_and_skips_finished_models(mirror, tmp_path, capsys, monkeypatch):
    for variant in ("ae", "zero"):
        monkeypatch.setitem(
            RECIPES, f"{variant}-mnist", replace(recipe_for(variant, "mnist"), latent_dim=8, precision="fp32")
        )
    arguments = ["all", "--variants", "ae,zero", "--epochs", "1", "--data-root", str(mirror), "--output", str(tmp_path)]
    assert main([*arguments, "--datasets", "mnist", "--shard", "2/2"]) == 0
    assert [p.name for p in tmp_path.glob("[!.]*")] == ["zero-mnist"]
    capsys.readouterr()
    assert main([*arguments, "--datasets", "mnist"]) == 0
    out = capsys.readouterr().out
    assert "zero-mnist is already trained" in out
    assert {p.name for p in tmp_path.glob("[!.]*")} == {"ae-mnist", "zero-mnist"}
    assert re.search(r"\| model \| MSE .*\n\| --- .*\n\| `ae-mnist` \| 0\.\d+ .*\n\| `zero-mnist` \| 0\.\d+ ", out)
    monkeypatch.setitem(RECIPES, "ae-mnist", recipe_for("ae", "mnist", learning_rate=1e18))
    other = [*arguments[:-1], str(tmp_path / "other"), "--datasets", "mnist"]
    assert main(other) == 1  # the other model is still trained
    assert "1 of 2 models failed: ae-mnist" in capsys.readouterr().err
    assert (tmp_path / "other" / "zero-mnist" / "model.safetensors").exists()

    def full(*_):
        raise torch.OutOfMemoryError("the memory is full")

    monkeypatch.setattr("training.commands.all_models.train_model", full)
    assert main(other) == 1
    err = capsys.readouterr().err
    assert "ae-mnist: the memory is full" in err and "zero-mnist: the memory is full" in err
    assert main([*arguments, "--datasets", "mnist,nist"]) == 1
    assert "unknown data set 'nist'; choose from" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "centre", "mnist"], "unknown variant 'centre'; choose from ae, ae-conv, classifier, center"),
        (["train", "center", "minst"], "unknown data set 'minst'"),
        (
            ["train", "center", "mnist", "--data", ".", "--size", "28", "--channels", "1"],
            "choose another name for your images",
        ),
        (["train", "center", "mnist", "--epochs", "0"], "epochs is 0"),
        (["train", "center", "mnist", "--num-codes", "0"], "num_codes is 0; center needs at least 1"),
        (
            ["train", "ae", "mnist", "--num-codes", "5"],
            "ae does not use num_codes; its settings are latent_dim, network, widths",
        ),
        (
            ["train", "vqae", "mnist", "--assignment", "vector-to-image"],
            "assignment is 'vector-to-image'; vqae has a grid, which takes only image-to-vector",
        ),
        (["evaluate", "ada/center-mnist", "--record"], "ada/center-mnist is on the Hub; leave out --record"),
        (["train", "ae", "mnist", "--classifier-epochs", "1"], "ae does not use classifier_epochs"),
        (["train", "center", "cats", "--data", ".", "--size", "7", "--channels", "3"], "image_size is 7"),
        (["evaluate", "centre-mnist"], "there is no model 'centre-mnist'"),
    ],
)
def test_invalid_arguments_are_refused_before_any_work(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)  # where a model would be written
    Image.new("L", (8, 8)).save("0.png")
    assert main(arguments) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["0.png"]
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_help_shows_variants_and_defaults(capsys):
    with pytest.raises(SystemExit):
        main(["train", "center", "mnist", "--help"])
    text = capsys.readouterr().out
    recipe = recipe_for("center", "mnist")
    assert VARIANTS["center"].title in text
    assert f"({recipe.pull_weight})" in text
    assert "--pull-batch-size" in text
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    text = capsys.readouterr().out
    assert all(name in text for name in (*VARIANTS, *DATASETS))


def test_package_does_not_import_training_or_demo():
    code = (
        "import sys, aevq_hub; print([m for m in ('datasets', 'gradio', 'matplotlib', 'training') if m in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.check_output([sys.executable, "-c", code], text=True, env=environment).strip() == "[]"


def test_a_terminal_without_greek_letters_shows_a_replacement(monkeypatch):
    shown = io.BytesIO()
    monkeypatch.setattr("sys.stderr", io.TextIOWrapper(shown, encoding="ascii", write_through=True))
    assert main(["card", "σ-vae-mnist"]) == 1
    assert b"there is no model '?-vae-mnist'" in shown.getvalue()


def test_an_empty_share_of_the_models_is_said(capsys):
    assert main(["all", "--variants", "ae", "--datasets", "mnist", "--shard", "2/2"]) == 0
    assert "there is nothing to train: --shard 2/2 of 1 models is empty" in capsys.readouterr().out
