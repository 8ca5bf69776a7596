"""The training loop on tiny data: losses, schedules, checkpoints and invalid settings."""

import pytest
import torch
from tiny import trainer_for

from aevq_hub.registry import VARIANTS
from training.data import load
from training.objectives import total
from training.recipe import Recipe
from training.sources import find_source
from training.step import Batch
from training.trainer import Trainer, TrainingError, refuse_other_settings
from training.vectors import k_means


@pytest.mark.parametrize("variant", VARIANTS)
def test_training_lowers_the_reconstruction_error(variant, mirror):
    trainer, images = trainer_for(variant, mirror)
    labels = load(find_source("mnist", data_root=mirror), "train").labels
    epochs = [trainer.run_epoch(images, labels)["terms"] for _ in range(5)]
    losses = [terms["reconstruction"] for terms in epochs if "reconstruction" in terms]
    assert losses[-1] < losses[0]
    vectors = trainer.model.codebook
    assert vectors is None or vectors.isfinite().all()


@pytest.mark.parametrize("variant", VARIANTS)
def test_one_step_on_a_batch_lowers_its_loss(variant, mirror, generator):
    trainer, images = trainer_for(variant, mirror, learning_rate=1e-3, warmup_steps=0, feed_steps=0, ramp_steps=0)
    labels = load(find_source("mnist", data_root=mirror), "train").labels[:64]
    x = images[:64].float() / 255

    def loss():
        noise = torch.Generator().manual_seed(0)  # the same noise both times
        terms, _ = trainer.objective.terms(trainer.model, Batch(x, x, labels, generator=noise), trainer.recipe)
        return total(terms, trainer.objective.weights(trainer.recipe, 0))

    before = loss()
    before.backward()
    trainer.optimizer.step()
    assert loss() < before


@pytest.mark.parametrize(("variant", "per"), [("vqae", "channel"), ("ae", "pixel")])
def test_decoder_can_start_at_the_mean_image(variant, per, mirror):
    trainer, images = trainer_for(variant, mirror, learning_rate=0.0, output_start="mean", ema_rate=0.0)
    trainer.run_epoch(images)
    mean = images.float().mean(0) / 255  # (1, 28, 28)
    bias = [module.bias for module in trainer.model.decoder.modules() if getattr(module, "bias", None) is not None][-1]
    expected = mean.flatten().clamp(0.01, 0.99) if per == "pixel" else mean.mean((1, 2))
    assert torch.allclose(bias.sigmoid(), expected, atol=1e-5)


@pytest.mark.parametrize("epochs", [0, 1])
def test_k_means_refits_at_the_start_of_epochs(epochs, mirror, monkeypatch):
    trainer, images = trainer_for("vqae", mirror, refit_epochs=epochs)
    placed = []
    monkeypatch.setattr("training.vectors.k_means", lambda *args: (placed.append(len(trainer.epochs)), k_means(*args)))
    for _ in range(3):
        trainer.run_epoch(images)
    assert placed == [0, 1][: 1 + epochs]  # after the warm-up, and at the next epoch


def test_usage_counts_are_reset_after_a_refit(mirror):
    trainer, images = trainer_for("vqae", mirror, refit_epochs=1, restart_steps=100)
    trainer.run_epoch(images)
    trainer.run_epoch(images)
    assert trainer.vectors.steps == 10  # of the second epoch only
    assert trainer.vectors.counts.sum() == 300 * 49


def test_classifier_encoder_is_frozen_after_the_first_stage(mirror):
    trainer, images = trainer_for("classifier", mirror)
    labels = load(find_source("mnist", data_root=mirror), "train").labels
    assert set(trainer.run_epoch(images, labels)["terms"]) == {"classification"}
    before = {key: value.clone() for key, value in trainer.model.state_dict().items()}
    assert set(trainer.run_epoch(images, labels)["terms"]) == {"reconstruction"}
    after = trainer.model.state_dict()
    assert all(torch.equal(after[key], before[key]) for key in after if key.startswith(("encoder", "head")))
    assert not torch.equal(after["decoder.0.weight"], before["decoder.0.weight"])


def test_same_seed_gives_the_same_model(mirror):
    models = []
    for seed in (1, 1, 2):
        trainer, images = trainer_for("center", mirror, seed=seed, precision="bf16")
        trainer.run_epoch(images)
        models.append(trainer.model.state_dict())
    assert all(torch.equal(models[0][key], models[1][key]) for key in models[0])
    assert not torch.equal(models[0]["codebook"], models[2]["codebook"])


@pytest.mark.parametrize("variant", VARIANTS)
def test_resuming_from_checkpoint_gives_identical_result(variant, mirror, tmp_path):
    whole, images = trainer_for(variant, mirror)
    labels = load(find_source("mnist", data_root=mirror), "train").labels
    for _ in range(3):
        whole.run_epoch(images, labels)
    first, _ = trainer_for(variant, mirror)
    first.run_epoch(images, labels)
    first.save(tmp_path / "checkpoint.safetensors")
    second, _ = trainer_for(variant, mirror)
    second.load(tmp_path / "checkpoint.safetensors")
    second.run_epoch(images, labels)
    second.run_epoch(images, labels)
    for key, value in whole.model.state_dict().items():
        assert torch.equal(second.model.state_dict()[key], value), key
    assert [e["terms"] for e in second.epochs] == [e["terms"] for e in whole.epochs]


def test_unused_vectors_are_counted_across_epochs_and_resumes(mirror, tmp_path):
    trainer, images = trainer_for("ema", mirror, restart_steps=15, ema_rate=0.0, pull_weight=0.0)
    trainer.model.codebook.data[0] = 1e3  # ten steps per epoch, so the restart is in the second
    trainer.run_epoch(images)
    assert trainer.model.codebook[0, 0] == 1e3
    trainer.save(tmp_path / "c.safetensors")
    second, _ = trainer_for("ema", mirror, restart_steps=15, ema_rate=0.0, pull_weight=0.0)
    second.load(tmp_path / "c.safetensors")
    for t in (trainer, second):
        t.run_epoch(images)
        assert t.model.codebook[0].abs().max() < 100
    assert torch.equal(trainer.model.codebook, second.model.codebook)


def test_warmup_longer_than_training_is_refused(mirror):
    for feed, ramp in ((5, 0), (0, 5), (5, 3)):
        steps = {"warmup_steps": 15, "feed_steps": feed, "ramp_steps": ramp}
        trainer, images = trainer_for("vqvae", mirror, epochs=2, **steps)
        with pytest.raises(TrainingError, match="take 20 steps, but the training has only 20; lower them"):
            trainer.run_epoch(images)


def test_warmup_trains_reconstruction_only(mirror):
    trainer, images = trainer_for("vqae", mirror, warmup_steps=10, ramp_steps=0, epochs=3)
    vectors = trainer.model.codebook.detach().clone()
    record = trainer.run_epoch(images)  # ten steps
    assert set(record["terms"]) == {"reconstruction"} and "movement" not in record
    assert torch.equal(trainer.model.codebook, vectors)
    assert "encoder_pull" in trainer.run_epoch(images)["terms"]


def test_ramp_raises_the_weight_every_step(mirror, monkeypatch):
    trainer, images = trainer_for("vqae", mirror, warmup_steps=2, ramp_steps=10, feed_steps=0)
    weights, pull = [], trainer.objective.weights
    monkeypatch.setattr(
        "training.trainer.total", lambda terms, w: weights.append(w["encoder_pull"]) or terms["reconstruction"]
    )
    trainer.run_epoch(images)
    trainer.run_epoch(images)
    assert weights == [pull(trainer.recipe, step)["encoder_pull"] for step in range(20)]
    assert weights[3] < weights[8] < weights[-1] == trainer.recipe.pull_weight


def test_initial_placement_is_not_counted_as_movement(mirror):
    trainer, images = trainer_for("vqae", mirror, warmup_steps=12, ema_rate=1e-6, restart_steps=0)
    assert "movement" not in trainer.run_epoch(images)
    before = trainer.model.codebook.detach().clone()
    record = trainer.run_epoch(images)
    assert (trainer.model.codebook - before).norm(dim=1).mean() > 100 * record["movement"] > 0


def test_movement_is_the_distance_within_an_epoch(mirror):
    trainer, images = trainer_for("center", mirror)
    before = trainer.model.codebook.detach().clone()
    record = trainer.run_epoch(images)
    assert record["movement"] == pytest.approx((trainer.model.codebook - before).norm().item())
    assert record["movement"] > 0


def test_checkpoint_of_other_settings_is_refused(mirror, tmp_path):
    trainer, _ = trainer_for("center", mirror, pull_weight=2.0)
    trainer.save(tmp_path / "c.safetensors")
    other, _ = trainer_for("center", mirror, pull_weight=3.0)
    with pytest.raises(TrainingError, match=r"made with pull_weight = 2.0, not 3.0.*--restart"):
        other.load(tmp_path / "c.safetensors")
    older = {**trainer.settings, "recipe": {k: v for k, v in trainer.settings["recipe"].items() if k != "widths"}}
    refuse_other_settings(tmp_path, older, trainer.settings)  # from before this setting existed
    widened, _ = trainer_for("center", mirror, widths="8x8")
    with pytest.raises(TrainingError, match="made with widths = "):
        refuse_other_settings(tmp_path, older, widened.settings)
    (tmp_path / "c.safetensors").write_bytes(b"\0" * 20)
    with pytest.raises(TrainingError, match="damaged"):
        trainer.load(tmp_path / "c.safetensors")


def learning_rates(trainer, points) -> list[float]:
    """The optimiser's learning rates at the given points of a training, in epochs."""
    found = []
    for epochs in points:
        trainer._set_learning_rate(epochs)
        found += [group["lr"] for group in trainer.optimizer.param_groups]
    return found


def test_learning_rate_falls_to_zero_in_each_stage(mirror):
    recipe = {"schedule": "cosine", "learning_rate": 0.5, "classifier_epochs": 2, "epochs": 4}
    trainer, _ = trainer_for("classifier", mirror, **recipe)
    rates = learning_rates(trainer, (0, 1, 2 - 1e-9, 2, 4, 6 - 1e-9))
    assert rates == pytest.approx([0.5, 0.25, 0, 0.5, 0.25, 0], abs=1e-6)
    constant, _ = trainer_for("center", mirror)
    assert set(learning_rates(constant, (0, 7.5, 19))) == {constant.recipe.learning_rate}


def test_schedule_cannot_resume_with_other_epochs(mirror, tmp_path):
    trainer, _ = trainer_for("center", mirror, schedule="cosine", epochs=2)
    trainer.save(tmp_path / "c.safetensors")
    longer, _ = trainer_for("center", mirror, schedule="cosine", epochs=3)
    with pytest.raises(TrainingError, match="made with epochs = 2, not 3"):
        longer.load(tmp_path / "c.safetensors")


def test_loss_that_is_not_finite_stops_training(mirror):
    trainer, images = trainer_for("center", mirror, learning_rate=1e18)
    with pytest.raises(TrainingError, match="not finite in epoch 1.*lower the learning rate"):
        trainer.run_epoch(images)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"epochs": 0}, "epochs is 0; give a whole number from 1 to 10"),
        ({"pull_weight": float("nan")}, "pull_weight is nan"),
        ({"batch_size": 32.5}, "batch_size is 32.5; give a whole number from 1 to 10"),
        ({"epochs": True}, "epochs is True; give a whole number from 1 to 10"),
        ({"learning_rate": "fast"}, "learning_rate is 'fast'; give a number of at least 0"),
        ({"nearest_by": "manhattan"}, "unknown nearest_by 'manhattan'; choose from squared, dot, cosine"),
        ({"widths": "32,64"}, "widths is '32,64'; give whole numbers joined by x, such as 32x64"),
    ],
)
def test_invalid_recipe_is_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**setting)


@pytest.mark.parametrize("variant", VARIANTS)
def test_recipe_widths_set_the_network_widths(variant, mirror):
    trainer, _ = trainer_for(variant, mirror, widths="6x10")
    assert trainer.config.widths == (6, 10)
    assert {6, 10} <= {size for weight in trainer.model.encoder.parameters() for size in weight.shape}


def test_networks_are_compiled_on_request(mirror, monkeypatch):
    compiled = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda network, mode: compiled.append((network, mode)))
    plain, images = trainer_for("center", mirror)
    assert not compiled
    trainer = Trainer(plain.config, plain.recipe, compiled=True)
    assert compiled == [(trainer.model.encoder, "default"), (trainer.model.decoder, "default")]
    assert trainer.run_epoch(images)["terms"] == plain.run_epoch(images)["terms"]
