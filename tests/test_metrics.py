"""Metrics on models and latents whose values are known."""

import math

import pytest
import torch
from torch import nn

from aevq_hub import AEVQ
from aevq_hub.registry import DATASETS
from training import metrics
from training.evaluate import twenty
from training.recipe import Recipe
from training.recipes import configure


class Thresholds(nn.Module):
    """A model of two latent numbers; the first sets the grey of the whole picture, a tenth per unit."""

    def encode(self, x):
        return torch.cat([x.mean((1, 2, 3))[:, None], torch.zeros(len(x), 1)], 1)

    def decode(self, z):
        return (z[:, :1] / 10 + 0.5).clamp(0, 1)[:, :, None, None].expand(-1, 1, 4, 4)


def test_distances_match_hand_computation():
    z = torch.tensor([[0.0, 0.0], [6.0, 8.0]])
    assert metrics.mean_distance(z, torch.zeros(2)) == 5
    assert metrics.mean_distance(z, torch.zeros(2, 2)) == 5


def test_mse_and_psnr_match_hand_computation():
    config = configure("ae-conv", "mnist", DATASETS["mnist"], Recipe())
    model = AEVQ(config).eval()
    nn.init.zeros_(model.decoder[-1].weight)
    nn.init.zeros_(model.decoder[-1].bias)  # every output is 0.5
    images = torch.tensor([0, 255], dtype=torch.uint8).repeat_interleave(28 * 28).view(2, 1, 28, 28)
    assert metrics.errors(model, images) == ({"mse": pytest.approx(0.25)}, None)
    assert metrics.psnr(0.25) == pytest.approx(20 * math.log10(2))


def test_dimension_effect_is_the_mean_squared_change():
    effect = metrics.dimension_effect(Thresholds(), torch.zeros(4, 2), torch.tensor([2.0, 1.0]))
    assert effect.tolist() == pytest.approx([0.04, 0.0])


def test_accuracies_match_hand_computation():
    p = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    assert metrics.accuracy(p, torch.tensor([0, 1, 1])) == pytest.approx(2 / 3)
    yes = torch.tensor([[1, -1], [0, 1], [0, 1]])  # correct, unknown; correct, correct; wrong, wrong
    assert metrics.accuracy(p, yes) == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert metrics.majority(torch.tensor([3, 3, 1]), torch.tensor([3, 1, 3, 3])) == 0.75
    train = torch.tensor([[1, 0], [1, -1], [0, 0]])  # the first attribute is mostly true, the second always false
    assert metrics.majority(train, torch.tensor([[1, 0], [0, 0], [1, 1], [1, 0]])) == 0.75


def test_probes_find_only_classes_present_in_the_latents(generator):
    labels = torch.arange(200) % 2
    z = torch.randn(200, 4, generator=generator)
    separated = z + 10 * labels[:, None]
    found = metrics.probes((separated, labels), (separated, labels))
    assert found == {"majority": 0.5, "linear": 1.0, "neighbours": 1.0}
    others = torch.randn(200, 4, generator=generator)
    assert metrics.probes((z, labels), (others, labels))["linear"] < 0.65
    attributes = torch.stack([labels, 1 - labels], 1)
    assert metrics.probes((separated, attributes), (separated, attributes))["linear"] == 1.0


def test_frechet_distance_matches_the_formula(generator):
    images = torch.randint(0, 256, (400, 1, 2, 2), generator=generator, dtype=torch.uint8)

    def features(x):
        return x.flatten(1)

    distance = metrics.Frechet(features, 4, images)
    x = metrics.to_float(images)
    assert distance([x]) == pytest.approx(0, abs=1e-6)
    assert distance([x[:100], x[100:]]) == pytest.approx(0, abs=1e-6)
    assert distance([x + 0.5]) == pytest.approx(4 * 0.25, rel=1e-4)  # ‖Δμ‖²
    middle = x.mean(0)
    wider = distance([middle + 2 * (x - middle)])  # Σ → 4 Σ: tr(Σ + 4 Σ − 2 · 2 Σ)
    assert wider == pytest.approx(torch.cov(x.flatten(1).T).trace().item(), rel=1e-3)
    assert math.isnan(distance([x, x * math.nan]))
    assert distance([x]) == pytest.approx(0, abs=1e-6)  # and leaves nothing behind


def test_ssim_of_equal_images_is_one(generator):
    class Same(nn.Module):
        def forward(self, x):
            return x

    images = torch.randint(0, 256, (4, 1, 28, 28), generator=generator, dtype=torch.uint8)
    assert metrics.ssim(Same(), images) == pytest.approx(1)
    assert metrics.ssim(lambda x: 1 - x, images) < 0.1


def test_twenty_images_use_the_codes_as_counted_by_hand():
    indices = torch.tensor([[[0, 1], [1, 1]], [[0, 0], [2, 2]]])
    measured = twenty(indices)
    assert measured == {"codes": 3, "perplexity": pytest.approx(2.951, abs=1e-3), "per_image": 2.0, "corner": 1}
