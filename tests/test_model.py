"""The model: saving and loading, round trips of latents and indices, and invalid input."""

import shutil

import pytest
import torch
from PIL import Image
from safetensors import SafetensorError
from tiny import build

from aevq_hub import AEVQ
from aevq_hub.folder import shipped_folder
from aevq_hub.registry import DATASETS, VARIANTS


@pytest.fixture
def folder(tmp_path):
    build(latent_dim=8).save_pretrained(tmp_path / "center-mnist")
    return tmp_path / "center-mnist"


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("dataset", DATASETS)
def test_saving_and_loading_is_exact(variant, dataset, tmp_path, generator):
    model = build(variant, dataset)
    model.save_pretrained(tmp_path / "model")
    loaded = AEVQ.from_pretrained(tmp_path / "model")
    d = DATASETS[dataset]
    x = torch.rand(3, d.channels, d.size, d.size, generator=generator)
    z = loaded.encode(x)
    assert loaded.config == model.config
    assert z.shape == (3, *model.config.latent_shape)
    assert torch.equal(z, model.encode(x))
    assert torch.equal(loaded(x), model(x))
    assert loaded(x).shape == x.shape
    assert 0 <= loaded(x).min() <= loaded(x).max() <= 1
    for key, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value), key


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("dataset", DATASETS)
def test_latents_and_indices_round_trip(variant, dataset, generator):
    model = build(variant, dataset)
    c = model.config
    x = torch.rand(2, c.channels, c.image_size, c.image_size, generator=generator)
    z = model.encode(x)
    assert model.decode(z).shape == model.render(z).shape == x.shape
    if model.codebook is None:
        for call in (lambda: model.quantize(z), lambda: model.decode_indices(torch.zeros(2, dtype=torch.long))):
            with pytest.raises(ValueError, match="has no codebook"):
                call()
        return
    q, indices, distances = model.quantize(z)
    assert q.shape == z.shape
    assert indices.shape == distances.shape == (2, *c.latent_shape[1:])
    assert torch.equal(model.quantize(q)[1], indices)  # each vector is its own nearest
    assert torch.equal(model.decode_indices(indices), model.decode(q))
    assert torch.allclose(distances, (z - q).norm(dim=1), atol=1e-3)
    apart = torch.cdist(z.movedim(1, -1).flatten(0, -2), model.codebook)  # no vector is nearer
    assert torch.allclose(apart.amin(1), distances.flatten(), atol=1e-3)
    with pytest.raises(ValueError, match=f"index {c.num_codes} is out of range; choose from 0 to {c.num_codes - 1}"):
        model.decode_indices(torch.full_like(indices, c.num_codes))
    with pytest.raises(ValueError, match="indices have the shape"):
        model.decode_indices(indices[..., None])
    with pytest.raises(ValueError, match="give whole numbers"):
        model.decode_indices(indices.float())


def test_decoder_input_is_quantised_only_in_the_vqvae(generator):
    x = torch.rand(2, 1, 28, 28, generator=generator)
    for variant, quantized in (("vqvae", True), ("vqae", False)):
        model = build(variant)
        z = model.encode(x)
        assert torch.equal(model(x), model.decode(model.quantize(z)[0])) == quantized
        assert torch.equal(model(x), model.decode(z)) != quantized


def test_only_a_classifier_classifies(generator):
    x = torch.rand(3, 1, 28, 28, generator=generator)
    p = build("classifier").classify(x)
    assert p.shape == (3, 10)
    assert torch.allclose(p.sum(1), torch.ones(3))
    p = build("classifier", "celeba").classify(torch.rand(3, 3, 64, 64, generator=generator))
    assert p.shape == (3, 40)
    assert 0 <= p.min() <= p.max() <= 1
    with pytest.raises(ValueError, match="center-mnist has no classifier"):
        build().classify(x)


def test_sampling_needs_a_fitted_sampler_and_a_positive_count():
    model = build("vqae")
    with pytest.raises(ValueError, match="vqae-mnist has no fitted sampler"):
        model.sample(2, seed=0)
    with pytest.raises(ValueError, match="n is 0; give a whole number of at least 1"):
        model.sample(0, seed=0)


def test_loaded_model_is_ready_for_inference(folder):
    model = AEVQ.from_pretrained(str(folder), device="cpu")
    assert not model.training
    assert not model(torch.rand(1, 1, 28, 28)).requires_grad
    assert model.codebook.shape == (1, 8)
    z = torch.zeros(1, 8, requires_grad=True)
    model.decode(z).sum().backward()  # gradients with respect to a latent still work
    assert z.grad.abs().sum() > 0


def test_half_precision_weights_load_as_float32(folder, tmp_path):
    model = AEVQ.from_pretrained(folder)
    model.save_pretrained(tmp_path / "half", dtype=torch.float16)
    half = AEVQ.from_pretrained(tmp_path / "half")
    size = [(f / "model.safetensors").stat().st_size for f in (folder, tmp_path / "half")]
    assert size[1] < 0.51 * size[0]
    for key, value in model.state_dict().items():
        assert half.state_dict()[key].dtype == value.dtype
        assert torch.equal(half.state_dict()[key], value.half().float())


def test_weights_that_a_type_cannot_hold_are_not_saved(folder):
    before = (folder / "model.safetensors").read_bytes()
    model = AEVQ.from_pretrained(folder)
    with pytest.raises(ValueError, match="dtype is torch.float64; choose from torch.float32, torch.bfloat16"):
        model.save_pretrained(folder, dtype=torch.float64)
    model.codebook.data.fill_(70_000)
    with pytest.raises(ValueError, match="some weights are not finite as torch.float16; nothing was saved"):
        model.save_pretrained(folder, dtype=torch.float16)
    assert (folder / "model.safetensors").read_bytes() == before


def test_model_can_compute_in_half_precision(folder, generator):
    x = torch.rand(3, 1, 28, 28, generator=generator)
    full, half = AEVQ.from_pretrained(folder), AEVQ.from_pretrained(folder, dtype=torch.bfloat16)
    assert half.encode(x).dtype == half(x).dtype == half.codebook.dtype == torch.float32
    assert not torch.equal(half(x), full(x))
    assert torch.allclose(half(x), full(x), atol=0.02)
    with pytest.raises(ValueError, match="dtype is torch.int8; choose from torch.float32, torch.bfloat16"):
        AEVQ.from_pretrained(folder, dtype=torch.int8)


def test_saved_folder_is_readable_and_keeps_its_card(folder):
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in folder.iterdir())
    (folder / "README.md").write_text("my card")
    AEVQ.from_pretrained(folder).save_pretrained(folder)
    assert (folder / "README.md").read_text() == "my card"
    assert [p.name for p in folder.parent.iterdir()] == ["center-mnist"]  # no temporary files remain


def test_interrupted_save_keeps_the_old_model(folder, monkeypatch):
    before = (folder / "model.safetensors").read_bytes()
    monkeypatch.setattr("aevq_hub.model.save_file", lambda *a, **k: (_ for _ in ()).throw(SafetensorError("disk full")))
    with pytest.raises(OSError, match="the weights cannot be written: disk full"):
        build(latent_dim=8).save_pretrained(folder)
    assert (folder / "model.safetensors").read_bytes() == before
    assert (folder / "config.json").exists()


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.rand(1, 28, 28), r"shape \(1, 28, 28\); center-mnist takes \(B, 1, 28, 28\)"),
        (torch.rand(1, 3, 28, 28), "takes"),
        (torch.zeros(1, 1, 28, 28, dtype=torch.uint8), "x.float.. / 255"),
        (torch.full((1, 1, 28, 28), 255.0), "values from 255 to 255"),
        (torch.full((1, 1, 28, 28), float("nan")), "images are in"),
    ],
)
def test_invalid_images_are_refused(x, message):
    with pytest.raises(ValueError, match=message):
        build(latent_dim=8).encode(x)


def test_invalid_latents_are_refused():
    with pytest.raises(ValueError, match=r"takes floating point \(B, 8\)"):
        build(latent_dim=8).decode(torch.zeros(8))


def test_preprocess_and_to_pil_convert_any_picture():
    model = build(dataset="celeba")
    x = model.preprocess(Image.new("L", (178, 218), 255))
    assert x.shape == (1, 3, 64, 64)
    assert x.min() == 1
    assert model.preprocess(Image.new("L", (9, 5), 255), invert=True).max() == 0
    pictures = model.to_pil(model(x))
    assert [(p.mode, p.size) for p in pictures] == [("RGB", (64, 64))]


def test_dimensions_are_ranked_by_their_effect():
    model = build(latent_dim=4)
    model.dimension_effect.copy_(torch.tensor([0.1, 0.3, 0.0, 0.2]))
    assert model.ranked_dimensions() == [1, 3, 0, 2]


def test_every_shipped_model_loads_by_name(shipped):
    model = AEVQ.from_pretrained(shipped)
    assert model.config.name == shipped
    assert model.dimension_effect.max() > 0


def test_copied_shipped_folder_gives_the_same_model(shipped, tmp_path):
    shutil.copytree(shipped_folder() / shipped, tmp_path / "copy")
    copy, model = AEVQ.from_pretrained(tmp_path / "copy"), AEVQ.from_pretrained(shipped)
    assert all(torch.equal(a, b) for a, b in zip(copy.state_dict().values(), model.state_dict().values(), strict=True))
