"""The tab Compare without Gradio: one picture through every variant."""

import math
from dataclasses import replace

import pytest
import torch
from code_runs import picture_of
from image_files import file_of
from PIL import Image

from aevq_hub import latent, pictures
from aevq_hub.demo.compare import compute, snippet
from aevq_hub.demo.compare.settings import STEPS, Compare
from aevq_hub.demo.shared import originals, starts
from aevq_hub.demo.shared.exhibits import exhibit, offers
from aevq_hub.folder import available_models
from aevq_hub.registry import DATASETS


def bring_gradient() -> str:
    return starts.bring(file_of(Image.radial_gradient("L")))


@pytest.mark.parametrize("dataset", DATASETS)
def test_there_is_one_row_per_shipped_variant_in_order(dataset):
    settings = Compare(f"center-{dataset}")
    found = list(compute.rows(settings))
    shipped = [name for name in available_models() if name.endswith(f"-{dataset}")]
    assert sorted(row.model for row in found) == sorted(shipped) == sorted(settings.models)
    configs = [offers()[row.model].config for row in found]
    order = [(config.grid_size, config.num_codes) for config in configs]
    assert order == sorted(order) and len({config.variant for config in configs}) == len(order)
    for row in found:
        shown = exhibit(row.model)
        assert torch.equal(row.reconstruction, shown.model.render(shown.z[:1])[0])
        assert row.path.shape == (STEPS, *row.reconstruction.shape) == (5, *row.shifted.shape)
        for end, sample in ((0, 0), (-1, 1)):
            assert torch.allclose(row.path[end], shown.model.render(shown.z[sample : sample + 1])[0], atol=1e-4)
        assert not torch.equal(row.shifted, row.reconstruction)
        assert (row.error is None) == (not DATASETS[dataset].shareable) == (row.psnr is None)
    one, side = compute.row_sheet(settings, found[0].model), found[0].reconstruction.shape[1]
    assert one.height == pictures.enlarge(Image.new("L", (side, side)), 84).height + 4
    assert compute.strip(found[0]).size == (STEPS * side, side)


def test_row_error_is_the_reconstruction_error():
    settings = Compare("vae-fashionmnist", "sample:3")
    x = originals.original("vae-fashionmnist", "sample:3")
    assert x is not None
    errors = {}
    for row in compute.rows(settings):
        model = exhibit(row.model).model
        errors[row.model] = (model(x[None])[0] - x).square().mean().item()
        assert row.error == pytest.approx(errors[row.model], rel=1e-3)
        assert row.psnr is not None and row.psnr == pytest.approx(-10 * math.log10(errors[row.model]), abs=1e-3)
    assert errors["vqae-fashionmnist"] < errors["ae-fashionmnist"]


def test_uploaded_image_has_an_original():
    settings = Compare("center-celeba", bring_gradient(), "sample:2")
    assert all(row.error is not None and 0 < row.error < 0.5 for row in compute.rows(settings))
    original = originals.picture(settings)
    assert original is not None and original.size == (64, 64)
    assert originals.picture(replace(settings, start="sample:0")) is None


def test_random_picture_is_drawn_by_the_chosen_model_and_encoded_by_the_others():
    settings = Compare("vae-mnist", "random:3", "random:4")
    source = exhibit("vae-mnist").model
    z, second = (source.sample_latents(1, seed=seed) for seed in (3, 4))
    for row in compute.rows(settings):
        model = exhibit(row.model).model
        seen = z if row.model == "vae-mnist" else model.encode(source.render(z))
        assert torch.equal(row.reconstruction, model.render(seen)[0])
        end = second if row.model == "vae-mnist" else model.encode(source.render(second))
        assert torch.allclose(row.path[-1], model.render(end)[0], atol=1e-4)
        assert row.error is row.psnr is None  # it has no original
        if row.model != "classifier-mnist":  # its latents know little but the digit; the others render the same picture
            assert (row.reconstruction - source.render(z)[0]).square().mean() < 0.05
    other = compute.row(replace(settings, model="center-mnist"), "vae-mnist")
    assert not torch.equal(other.reconstruction, source.render(z)[0])  # drawn by another model, it is another picture


def test_samples_do_not_depend_on_the_chosen_model():
    one, other = (compute.row(Compare(name, "sample:1"), "ema-mnist") for name in ("ae-mnist", "zero-mnist"))
    assert torch.equal(one.sheet, other.sheet) and one.error == other.error


def test_shift_is_in_standard_deviations_of_the_top_dimension():
    for name in ("ema-mnist", "vqvae-fashionmnist"):
        shown = exhibit(name)
        model, settings = shown.model, Compare(name, shift=-3.0)
        dim, fed = model.ranked_dimensions()[0], model.decoder_input(shown.z[:1])
        step = model.std()[dim] * torch.eye(model.config.latent_dim)[dim]
        cell = pictures.middle(model) if model.config.grid_size else None
        moved = latent.perturb_cell(fed, cell, step, -3.0)[:, 0, 0]
        assert torch.equal(compute.row(settings, name).shifted, model.decode(moved)[0])
        still = compute.row(replace(settings, shift=0.0), name)
        assert torch.equal(still.shifted, still.reconstruction)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"start": None}, "start is None; give sample:N"),
        ({"second": "random:-1"}, "second is 'random:-1'; give sample:N"),
        ({"shift": float("nan")}, "shift is nan; give a number from -10 to 10"),
        ({"shift": 11}, "shift is 11; give a number from -10 to 10"),
        ({"model": "mnist"}, "unknown model 'mnist'; choose from ae-mnist"),
    ],
)
def test_invalid_setting_is_refused_with_one_sentence(settings, message):
    with pytest.raises(ValueError) as error:
        Compare(**settings)
    assert message in str(error.value)


def test_missing_sample_is_refused():
    with pytest.raises(ValueError, match="There is no sample:20; choose from sample:0 to sample:9"):
        compute.sheet(Compare(start="sample:20"))


@pytest.mark.parametrize(
    ("name", "start", "second"),
    [
        ("vqae-fashionmnist", "sample:2", "random:5"),
        ("vae-mnist", "random:3", "image"),
        ("ae-mnist", "vector:0", "random:3"),
        ("vqvae-mnist", "sample:1", "vector:9"),
    ],  # fmt: skip
)
def test_python_code_reproduces_the_picture_exactly(name, start, second, tmp_path):
    start, second = (bring_gradient() if token == "image" else token for token in (start, second))
    settings = Compare(name, start, second, 1.5)
    made = picture_of(snippet.code(settings), settings, tmp_path)
    assert made.tobytes() == compute.sheet(settings).tobytes()
