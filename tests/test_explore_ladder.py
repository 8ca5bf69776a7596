"""The ladder tab without Gradio: one picture through every variant."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from image_files import file_of
from PIL import Image

from aevq_hub import explore, latent, pictures
from aevq_hub.explore import ladder, originals, snippets, starts
from aevq_hub.explore.ladder import Ladder
from aevq_hub.folder import available_models
from aevq_hub.registry import DATASETS, VARIANTS


def bring_gradient() -> str:
    return starts.bring(file_of(Image.radial_gradient("L")))


@pytest.mark.parametrize("dataset", DATASETS)
def test_ladder_has_one_row_per_shipped_variant_in_order(dataset):
    settings = Ladder(f"center-{dataset}")
    found = list(ladder.rows(settings))
    shipped = [name for name in available_models() if name.endswith(f"-{dataset}")]
    assert sorted(row.model for row in found) == sorted(shipped) == sorted(settings.models)
    order = [list(VARIANTS).index(settings.variant_of(row.model)) for row in found]
    assert order == sorted(order) and len(set(order)) == len(order)
    for row in found:
        shown = explore.exhibit(row.model)
        assert torch.equal(row.reconstruction, shown.model.render(shown.z[:1])[0])
        assert row.path.shape == (ladder.STEPS, *row.reconstruction.shape) == (5, *row.shifted.shape)
        for end, sample in ((0, 0), (-1, 1)):
            assert torch.allclose(row.path[end], shown.model.render(shown.z[sample : sample + 1])[0], atol=1e-4)
        assert not torch.equal(row.shifted, row.reconstruction)
        assert (row.error is None) == (not DATASETS[dataset].shareable)


def test_row_error_is_the_reconstruction_error():
    settings = Ladder("vae-fashionmnist", "sample:3")
    x = originals.original("vae-fashionmnist", "sample:3")
    for row in ladder.rows(settings):
        model = explore.exhibit(row.model).model
        assert row.error == pytest.approx((model(x[None])[0] - x).square().mean().item(), rel=1e-3)
        assert row.psnr == pytest.approx(-10 * np.log10(row.error), abs=1e-3)
    by_model = {row.model: row.error for row in ladder.rows(settings)}
    assert by_model["vqae-fashionmnist"] < by_model["ae-fashionmnist"]


def test_uploaded_image_has_an_original():
    settings = Ladder("center-celeba", bring_gradient(), "sample:2")
    rows = list(ladder.rows(settings))
    assert all(0 < row.error < 0.5 for row in rows)
    assert originals.picture(settings).size == (64, 64)
    assert originals.picture(replace(settings, start="sample:0")) is None


def test_shift_is_in_standard_deviations_of_the_top_dimension():
    for name in ("ema-mnist", "vqvae-fashionmnist"):
        shown = explore.exhibit(name)
        model, settings = shown.model, Ladder(name, shift=-3.0)
        dim, fed = model.ranked_dimensions()[0], model.decoder_input(shown.z[:1])
        step = model.std()[dim] * torch.eye(model.config.latent_dim)[dim]
        cell = pictures.middle(model) if model.config.grid_size else None
        moved = latent.perturb_cell(fed, cell, step, -3.0)[:, 0, 0]
        assert torch.equal(ladder.row(settings, name).shifted, model.decode(moved)[0])
        still = ladder.row(replace(settings, shift=0.0), name)
        assert torch.equal(still.shifted, still.reconstruction)


def test_data_set_is_represented_by_its_best_model():
    assert Ladder("center-mnist") == Ladder("ae-mnist") and Ladder("ae-mnist").model in available_models()
    errors = {name: explore.exhibit(name).history["results"]["mse"] for name in Ladder("ae-celeba").models}
    assert Ladder("zero-celeba").model == min(errors, key=errors.get)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"start": "random:3"}, "start is 'random:3', which is another picture for every model; give sample:N"),
        ({"second": "random:3"}, "second is 'random:3', which"),
        ({"start": None}, "start is None; give sample:N"),
        ({"shift": float("nan")}, "shift is nan; give a number from -10 to 10"),
        ({"shift": 11}, "shift is 11; give a number from -10 to 10"),
        ({"model": "mnist"}, "unknown model 'mnist'; choose from ae-mnist"),
    ],
)
def test_invalid_setting_is_refused_with_one_sentence(settings, message):
    with pytest.raises(ValueError) as error:
        Ladder(**settings)
    assert message in str(error.value)


def test_missing_sample_is_refused_and_link_restores_settings():
    with pytest.raises(ValueError, match="There is no sample:20"):
        ladder.sheet(Ladder(start="sample:20"))
    settings = Ladder("center-celeba", "sample:4", "sample:9", 1.5)
    link = {name: str(getattr(settings, name)) for name in settings.names()}
    assert Ladder.from_link(link) == (settings, [])


@pytest.mark.parametrize(("name", "kind"), [("vqae-fashionmnist", "sample"), ("vae-celeba", "image")])
def test_python_code_reproduces_the_picture_exactly(name, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = Ladder(name, "sample:2" if kind == "sample" else bring_gradient(), "sample:5", 1.5)
    if kind == "image":
        starts.brought(settings.start).image.save("picture-z1.png")
    scope = {}
    exec(snippets.ladder(settings), scope)
    assert scope["picture"].tobytes() == ladder.sheet(settings).tobytes()
    one = ladder.row_sheet(settings, settings.models[0])
    assert (
        np.asarray(one).shape[0]
        == 2 + pictures.enlarge(Image.new("L", (settings.config.image_size,) * 2), 84).height + 2
    )
