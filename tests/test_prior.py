"""The prior over a grid's codes: what it draws, completes and says of grids, and its training."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file
from tiny import build

from aevq_hub import AEVQ, available_models, pictures
from aevq_hub.prior import schedule
from aevq_hub.sampling import GridPrior
from training import fit_prior, grids
from training.__main__ import main
from training.fit_prior import add_prior
from training.recipes import recipe_for
from training.search import _asked
from training.sources import find_source, lock_file
from training.trainer import TrainingError

SIDE, CODES = 7, 8


def stripes(n: int, seed: int = 0) -> torch.Tensor:
    """Grids (n, 7, 7) in which all cells of a row have the same code, and rows count up from a random one."""
    first = torch.randint(CODES, (n, 1, 1), generator=torch.Generator().manual_seed(seed))
    return ((first + torch.arange(SIDE)[None, :, None]) % CODES).expand(-1, -1, SIDE).contiguous()


def regular(indices: torch.Tensor) -> float:
    """The share of cells of grids (n, 7, 7) that agree with the stripes that most cells of the grid agree with."""
    first = (indices - torch.arange(SIDE)[None, :, None]) % CODES
    return (first == first.flatten(1).mode(1).values[:, None, None]).float().mean().item()


@pytest.fixture(scope="module")
def untrained() -> AEVQ:
    """A model of grids, whose sampler knows that all codes are equally frequent in all cells."""
    model = build("vqae", num_codes=CODES, latent_dim=4)
    model.sampler.probability.fill_(1 / CODES)
    model.sampler.fitted.fill_(1)
    return model


@pytest.fixture(scope="module")
def striped(untrained) -> AEVQ:
    """The same with a prior that has learned stripes."""
    model, records = add_prior(untrained, stripes(2000), epochs=8, seed=0, width=32, progress=False)
    assert records[-1]["held_out"] < 0.4 < records[0]["bits"] and len(records) == 8
    return model


def test_samples_have_learned_how_cells_depend(striped, untrained):
    drawn = striped.grids.sample_indices(50, torch.Generator().manual_seed(0))
    assert regular(drawn) > 0.85
    assert len(drawn[:, 0, 0].unique()) == CODES  # of every kind
    assert regular(untrained.grids.sample_indices(50, torch.Generator().manual_seed(0))) < 0.4
    assert torch.equal(striped.sample(2, 3), striped.sample(2, 3))
    assert not torch.equal(striped.sample(2, 3), striped.sample(2, 4))


def test_completion_keeps_cells_and_fits_the_others(striped):
    indices, keep = stripes(20, seed=1), torch.zeros(SIDE, SIDE, dtype=torch.bool)
    keep[3:5, 2:6] = True
    unknown = indices.masked_fill(~keep, 0)
    filled = striped.complete(unknown, keep, seed=0)
    assert torch.equal(filled[:, keep], indices[:, keep])
    assert (filled == indices).float().mean() > 0.85
    assert torch.equal(filled, striped.complete(unknown, keep, seed=0))
    each = keep.expand(20, -1, -1).clone()
    each[0] = True  # another number of cells in one grid
    assert torch.equal(striped.complete(indices, each, seed=0)[0], indices[0])
    assert torch.equal(striped.complete(indices, torch.ones_like(keep), seed=0), indices)


def test_likelihood_and_surprise_find_what_does_not_fit(striped, untrained):
    indices = stripes(20, seed=1)
    independent = SIDE**2 * math.log2(CODES)
    assert untrained.likelihood(indices) == pytest.approx([independent] * 20, rel=1e-4)
    assert striped.likelihood(indices).mean() < 0.2 * independent  # about the bits of the first code
    wrong = indices.clone()
    wrong[:, 2, 4] = (wrong[:, 2, 4] + 3) % CODES
    assert (striped.likelihood(wrong) > striped.likelihood(indices)).all()
    bits = striped.surprise(wrong)
    assert bits.shape == wrong.shape and (bits.flatten(1).argmax(1) == 2 * SIDE + 4).all()


@pytest.mark.parametrize(("cells", "steps"), [(49, 1), (49, 8), (49, 25), (49, 49), (49, 99), (1, 1), (64, 32)])
def test_schedule_draws_every_cell_once_and_few_at_first(cells, steps):
    counts = schedule(cells, steps)
    assert sum(counts) == cells and len(counts) == min(cells, steps) and min(counts) >= 1
    assert counts[0] <= counts[-1] + 1


def test_steps_and_temperature(striped):
    def drawn(**how):
        return striped.grids.sample_indices(100, torch.Generator().manual_seed(0), **how)

    assert regular(drawn(steps=1)) < 0.4  # all cells at once are independent
    assert regular(drawn(steps=49)) > regular(drawn(steps=4))
    assert regular(drawn(temperature=0.5)) > regular(drawn()) > regular(drawn(temperature=3.0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.sample(1, 0, steps=0), "steps is 0; give a whole number of at least 1"),
        (lambda m: m.sample(1, 0, temperature=0), "temperature is 0; give a number from 0.01 to 100"),
        (lambda m: m.complete(stripes(1), torch.ones(7, 7), 0), "keep has the type torch.float32 and shape"),
        (lambda m: m.complete(stripes(1), torch.ones(6, 7).bool(), 0), "give bool .1, 7, 7."),
        (lambda m: m.complete(stripes(1) + CODES, torch.ones(7, 7).bool(), 0), "is out of range; choose from 0 to 7"),
        (lambda m: m.likelihood(stripes(1)[0]), "indices have the shape .7, 7."),
    ],
)
def test_bad_input_is_refused(striped, call, message):
    with pytest.raises(ValueError, match=message):
        call(striped)


def test_single_vectors_have_no_grid_to_complete():
    model = AEVQ.from_pretrained("center-mnist")
    with pytest.raises(ValueError, match="center-mnist has no grid of codes"):
        model.complete(stripes(1), torch.ones(7, 7).bool(), 0)
    with pytest.raises(ValueError, match="center-mnist samples single vectors; steps and temperature are for grids"):
        model.sample(1, 0, steps=3)


def test_prior_is_saved_with_the_model(striped, tmp_path):
    striped.save_pretrained(tmp_path)
    loaded = AEVQ.from_pretrained(tmp_path)
    assert isinstance(loaded.sampler, GridPrior) and loaded.config == striped.config
    assert torch.equal(loaded.sample(3, 0), striped.sample(3, 0))


def test_prior_needs_a_grid_of_codes():
    config = AEVQ.from_pretrained("center-mnist").config
    with pytest.raises(ValueError, match="prior_blocks is 2, but the model has no grid of codes"):
        replace(config, prior_width=8, prior_blocks=2)
    with pytest.raises(ValueError, match="prior_width is 0 and prior_blocks 2; both or none is 0"):
        replace(config, prior_blocks=2)
    with pytest.raises(ValueError, match="prior_dilation is 2, but there is no prior"):
        replace(config, prior_dilation=2)
    with pytest.raises(ValueError, match="prior_dilation is 0"):
        replace(config, prior_dilation=0)


def test_every_other_block_of_a_prior_looks_further(untrained, tmp_path):
    model, _ = add_prior(untrained, stripes(20), 1, seed=0, width=8, blocks=3, dilation=2, progress=False)
    assert [block.look.dilation for block in model.sampler.network.blocks] == [(1, 1), (2, 2), (1, 1)]
    with torch.no_grad():  # as after a longer training: at first the network adds nothing
        for parameter in model.sampler.network.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(0))
    model.save_pretrained(tmp_path)
    again = AEVQ.from_pretrained(tmp_path)
    assert again.config.prior_dilation == 2 and torch.equal(again.sample(3, 0), model.sample(3, 0))
    near = AEVQ(replace(model.config, prior_dilation=1)).eval()
    near.load_state_dict(model.state_dict())
    assert not torch.equal(near.sample(3, 0), model.sample(3, 0))


def test_interrupted_training_gives_the_same_prior(untrained, tmp_path, monkeypatch):
    path, indices = tmp_path / "prior-checkpoint.safetensors", stripes(200)
    whole, records = add_prior(untrained, indices, 3, seed=1, width=8, progress=False)
    run = fit_prior._Training.run_epoch

    def interrupted(self, bar):
        if len(self.records) == 2:
            raise KeyboardInterrupt
        run(self, bar)

    monkeypatch.setattr(fit_prior._Training, "run_epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        add_prior(untrained, indices, 3, seed=1, resume=path, width=8, progress=False)
    done = []
    monkeypatch.setattr(fit_prior._Training, "run_epoch", lambda self, bar: (run(self, bar), done.append(1)))
    continued, again = add_prior(untrained, indices, 3, seed=1, resume=path, width=8, progress=False)
    assert all(record.pop("seconds") >= 0 for record in [*again, *records])
    assert again == records and len(done) == 1
    assert all(torch.equal(whole.state_dict()[key], value) for key, value in continued.state_dict().items())
    other, _ = add_prior(untrained, indices, 3, seed=2, resume=path, width=8, progress=False)  # not this checkpoint's
    assert len(done) == 4
    assert not torch.equal(other.sampler.network.position, whole.sampler.network.position)


def test_no_grids_are_no_error(striped, untrained):
    nothing = stripes(0)
    for model in (striped, untrained):
        assert model.likelihood(nothing).shape == (0,)
        assert model.surprise(nothing).shape == model.complete(nothing, torch.ones(7, 7).bool(), 0).shape == (0, 7, 7)
    with pytest.raises(ValueError, match="there is 1 grid of codes to train a prior on"):
        add_prior(untrained, stripes(1), 1, seed=0)


def test_damaged_checkpoint_is_a_clear_error(untrained, tmp_path):
    path = tmp_path / "prior-checkpoint.safetensors"
    path.write_bytes(b"damaged")
    with pytest.raises(TrainingError, match="is damaged .*; delete it to start again"):
        add_prior(untrained, stripes(20), 1, seed=0, resume=path, progress=False)


def test_completion_sheet_greys_the_cells_that_are_drawn():
    model = AEVQ.from_pretrained("vqae-celeba")
    sheet = np.asarray(pictures.completion(model, model.sample_latents(2, 0), proposals=1))
    side = sheet.shape[0] // 3  # of a row: a picture and a gap
    grey = (sheet[side : 2 * side, -side // 2] == 128).all(1)
    assert abs(grey.mean() - 0.5) < 0.03  # four of eight rows of cells


def test_shipped_priors_are_small():
    models = [AEVQ.from_pretrained(name) for name in available_models() if name.startswith(("vqae", "vqvae"))]
    assert all(sum(p.numel() for p in model.grids.network.parameters()) <= 500_000 for model in models)


def test_nearest_training_grid_is_found():
    train = stripes(50)
    changed = train[:3].clone()
    changed[1, 0, 0] = (changed[1, 0, 0] + 1) % CODES
    changed[2, :, :2] = (changed[2, :, :2] + 4) % CODES
    assert grids.nearest(changed, train).tolist() == [0, 1, 14]


def test_searches_train_no_prior(mirror):
    own = recipe_for("vqae", "mnist")
    assert own.prior_epochs > 0
    asked = _asked("vqae", find_source("mnist", data_root=mirror), [own], None, ["vqvae"])
    assert [(variant, recipe.prior_epochs) for variant, recipe in asked] == [("vqae", 0), ("vqvae", 0)]


def test_prior_command_adds_one_to_a_trained_model(mirror, tmp_path, capsys):
    arguments = ["--data-root", str(mirror), "--output", str(tmp_path)]
    small = [
        "--epochs",
        "1",
        "--latent-dim",
        "8",
        "--num-codes",
        "10",
        "--batch-size",
        "64",
        "--warmup-steps",
        "2",
        "--ramp-steps",
        "2",
    ]
    assert main(["train", "vqae", "mnist", *arguments, *small, "--prior-epochs", "0"]) == 0
    folder = tmp_path / "vqae-mnist"
    without = load_file(folder / "model.safetensors")
    assert main(["prior", str(folder), "--epochs", "2", "--data-root", str(mirror)]) == 0
    assert "bits per image" in capsys.readouterr().out
    weights = load_file(folder / "model.safetensors")
    assert AEVQ.from_pretrained(folder).config.prior_blocks > 0
    assert all(torch.equal(weights[key], value) for key, value in without.items())
    assert not (folder / "prior-checkpoint.safetensors").exists()
    assert "predicts the codes of hidden cells" in (folder / "README.md").read_text()
    assert main(["train", "vqae", "mnist", *arguments, *small, "--prior-epochs", "2"]) == 0  # the same recipe
    assert "already trained" in capsys.readouterr().out
    record = json.loads((folder / "history.json").read_text())
    record["seeds"] = [{"seed": seed, "results": {"mse": 0.1}} for seed in (0, 1)]
    (folder / "history.json").write_text(json.dumps(record))
    with FileLock(lock_file(folder)):
        assert main(["prior", str(folder), "--epochs", "1", "--data-root", str(mirror)]) == 1
    assert "is being trained by another process" in capsys.readouterr().err
    assert main(["prior", str(folder), "--epochs", "1", "--data-root", str(mirror)]) == 0
    record = json.loads((folder / "history.json").read_text())
    assert len(record["seeds"]) == 2 and len(record["prior"]["epochs"]) == record["recipe"]["prior_epochs"] == 1
    assert main(["prior", "center-mnist"]) == 1
    assert "center-mnist has no grid of codes" in capsys.readouterr().err
