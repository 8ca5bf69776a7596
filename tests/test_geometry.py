"""Measures of a latent space: known values, and equal ones after latents are shifted, scaled and rotated."""

import copy

import pytest
import torch
from torch import Tensor, nn

from aevq_hub import AEVQ
from training import fit_sampler, geometry
from training.data import load
from training.evaluate import Benchmark, measure
from training.metrics import Frechet, latents
from training.sources import find_source

from tiny import trainer_for  # isort: skip


class Classifier:
    """Classes and features of a fixed random network."""

    accuracy, multi_label = 1.0, False

    def __init__(self):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.network = nn.Sequential(nn.Flatten(), nn.Linear(784, 16), nn.Tanh(), nn.Linear(16, 4)).eval()

    @torch.no_grad()
    def features(self, x: Tensor) -> Tensor:
        return self.network[:3](x)

    @torch.no_grad()
    def answers(self, x: Tensor) -> Tensor:
        return self.network(x).argmax(1, keepdim=True)

    @torch.no_grad()
    def sure(self, x: Tensor) -> Tensor:
        return (self.network(x).softmax(1).amax(1) > 0.3).float()


@pytest.fixture(scope="module", params=["ae-conv", "codebook"])
def model(request, mirror) -> AEVQ:
    """A tiny trained model with a fitted sampler."""
    trainer, images = trainer_for(request.param, mirror, latent_dim=6)
    for _ in range(3):
        trainer.run_epoch(images)
    model = trainer.model.eval().requires_grad_(False)
    fit_sampler.fit(model, images)
    return model


@pytest.fixture(scope="module")
def benchmark(mirror) -> Benchmark:
    data, classifier = load(find_source("mnist", data_root=mirror), "train"), Classifier()
    images, labels = data.images[:300], data.labels[:300]
    return Benchmark(images, labels, None, classifier, Frechet(classifier.features, 16, images))


@pytest.fixture(scope="module")
def before(model, benchmark) -> dict:
    """What is measured of the model as it is."""
    return measure(model, benchmark)


def transformed(model: AEVQ, images: Tensor, scale: float, rotate: bool) -> AEVQ:
    """The same model with latents A·E(x) + b, whose decoder undoes the change before it decodes."""
    generator, other, size = torch.Generator().manual_seed(1), copy.deepcopy(model), model.config.latent_dim
    rotation = torch.linalg.qr(torch.randn(size, size, generator=generator).double())[0]
    a = scale * (rotation if rotate else torch.eye(size).double())
    b = torch.randn(size, generator=generator).double() * 3 * scale
    last, first = other.encoder[-1], other.decoder[0]
    last.weight.copy_(a @ last.weight.double())
    last.bias.copy_(a @ last.bias.double() + b)
    first.bias.copy_(first.bias.double() - first.weight.double() @ torch.linalg.inv(a) @ b)
    first.weight.copy_(first.weight.double() @ torch.linalg.inv(a))
    if other.codebook is not None:
        other.codebook.copy_(other.codebook.double() @ a.T + b)
    fit_sampler.fit(other, images)
    return other


def numbers(results: dict, left_out: tuple[str, ...]) -> dict[str, float]:
    flat = {}
    for name, value in results.items():
        inner = numbers(value, ()) if isinstance(value, dict) else {"": value}
        flat |= {f"{name}.{key}".strip("."): v for key, v in inner.items() if isinstance(v, float)}
    return {key: v for key, v in flat.items() if not key.startswith(left_out)}


@pytest.mark.parametrize(("scale", "rotate"), [(0.02, True), (30.0, False)], ids=["rotated", "not rotated"])
def test_no_measure_changes_when_latents_are_shifted_scaled_and_rotated(model, benchmark, before, scale, rotate):
    """Only raw units may change, single dimensions by a rotation, and the random numbers of the mixture's samples."""
    other = transformed(model, benchmark.images, scale, rotate)
    raw = ("latents.std", "sheets.raw", "frechet.samples", *(("sheets.axes",) if rotate else ()))
    same, after = (numbers(results, raw) for results in (before, measure(other, benchmark)))
    assert {"kept.half", "frechet.gaussian", "sheets.directions.jump", "gain", "latents.variation"} <= set(same)
    assert after == {key: pytest.approx(value, rel=1e-3, abs=1e-4) for key, value in same.items()}


def test_raw_units_and_the_old_count_of_class_changes_would_change(model, benchmark, before):
    """The transformation is seen by what it should be seen by: ±3 in raw units."""
    other = transformed(model, benchmark.images, 30.0, False)
    after = measure(other, benchmark)
    assert after["sheets"]["raw"]["change"] < before["sheets"]["raw"]["change"] / 5
    assert after["latents"]["std"] == pytest.approx(30 * before["latents"]["std"], rel=1e-3)


def test_directions_are_principal_and_one_standard_deviation_long(model, benchmark):
    z = latents(model, benchmark.images)
    centred = (z - z.mean(0)).double()
    directions = model.directions(6).double()
    projected = centred @ (directions / directions.norm(dim=1, keepdim=True)).T
    assert torch.allclose(
        projected.std(0, correction=0), directions.norm(dim=1), rtol=0.03
    )  # the mixture has a small floor
    correlation = torch.corrcoef(projected.T) - torch.eye(6)
    assert correlation.abs().max() < 0.02
    assert torch.allclose(model.std(), z.std(0, correction=0), rtol=0.03)
    assert torch.allclose(model.moments()[0], z.double().mean(0), atol=1e-4)
    assert torch.equal(model.axes([4, 1])[0], torch.eye(6)[4] * model.std()[4])
    assert torch.equal(model.axes([2], unit="raw"), torch.eye(6)[2:3])


def test_directions_have_the_same_signs_whatever_the_solver_returns(model, monkeypatch):
    before, solve = model.directions(), torch.linalg.eigh
    monkeypatch.setattr(torch.linalg, "eigh", lambda matrix: (solve(matrix)[0], -solve(matrix)[1]))
    assert torch.equal(model.directions(), before)


def test_shape_of_known_clouds(generator):
    z = torch.randn(20_000, 8, generator=generator)
    z[:, 4:] = 7.0  # constant dimensions do not count
    measured = geometry.shape(z)
    assert measured["participation"] == pytest.approx(4, rel=0.01)
    assert measured["std"] == pytest.approx(0.5, rel=0.01)
    ring = torch.nn.functional.normalize(torch.randn(20_000, 8, generator=generator), dim=1)
    assert geometry.shape(ring)["variation"] == pytest.approx(0, abs=0.02)


class Grey(nn.Module):
    """A model of two numbers; the first sets the grey of the picture, a tenth per unit."""

    class config:  # noqa: N801
        grid_size = 0

    def decode(self, z):
        return (z[:, :1] / 10 + 0.5).clamp(0, 1)[:, :, None, None].expand(-1, 1, 4, 4)

    render = decode


def test_sheet_of_a_known_decoder():
    z = torch.zeros(3, 2)
    sure = geometry.sheet(Grey(), lambda x: (x.mean((1, 2, 3)) > 0.59).float(), None, z, torch.eye(2)[:1])
    assert sure == {
        "change": pytest.approx(0.6),
        "jump": pytest.approx(1),
        "sure": pytest.approx(5 / 13),
        "sure_ends": 0.5,
    }
    far = geometry.sheet(Grey(), None, None, z, 4 * torch.eye(2)[:1])  # black and white from ±1.25 on
    assert far["change"] == pytest.approx(1) and far["jump"] == pytest.approx(0.2 / (1 / 12))
    half = geometry.sheet(Grey(), None, None, torch.zeros(4, 2), torch.eye(2))  # every other latent along the second
    assert half["change"] == pytest.approx(0.3)
    assert geometry.gain(Grey(), z, torch.eye(2)) == pytest.approx(0.05)  # 0.1 along the first, 0 along the second


def test_answers_kept_under_noise():
    frame = geometry.Frame(torch.zeros(2), torch.eye(2), torch.tensor([1.0, 0.0]))
    z = torch.tensor([[0.3, 0.0]]).repeat(20_000, 1)
    kept = geometry.kept(Grey(), lambda x: x.mean((1, 2, 3))[:, None] > 0.5, z, frame)
    # noise of half a spread has a standard deviation of 0.5 / √2 in each dimension: P(0.3 + n > 0)
    assert kept["half"] == pytest.approx(0.8019, abs=0.01)
    assert kept["one"] == pytest.approx(0.6643, abs=0.01)


def test_midpoints_pair_images_within_and_between_classes():
    labels = torch.tensor([0, 0, 1, 1, -1]).repeat(4)
    z = torch.stack([torch.tensor([0.0, 0.2, 4.0, 4.4, 100.0]).repeat(4), torch.zeros(20)], 1)
    found = {name: torch.cat(list(x))[:, 0, 0, 0] for name, x in geometry.midpoints(Grey(), z, labels).items()}
    assert ((found["within"] < 0.53).sum(), (found["within"] > 0.89).sum(), len(found["within"])) == (8, 8, 16)
    assert len(found["between"]) and ((found["between"] > 0.6) & (found["between"] < 0.8)).all()


@pytest.mark.parametrize("labels", [[-1, -1], [0, 0]])
def test_midpoints_without_enough_pairs_are_left_out(labels):
    z = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    found = geometry.midpoints(Grey(), z, torch.tensor(labels))
    assert set(found) == ({"midpoints", "within"} if labels[0] == 0 else {"midpoints"})
