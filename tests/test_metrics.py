import math

import pytest
import torch
from torch import nn

from aevq_hub import AEVQ
from aevq_hub.registry import DATASETS
from training import metrics
from training.recipe import Recipe
from training.recipes import configure


class Thresholds(nn.Module):
    """A "model" of one latent number: it is the grey of the whole picture, shifted by a tenth per unit."""

    def encode(self, x):
        return torch.cat([x.mean((1, 2, 3))[:, None], torch.zeros(len(x), 1)], 1)

    def decode(self, z):
        return (z[:, :1] / 10 + 0.5).clamp(0, 1)[:, :, None, None].expand(-1, 1, 4, 4)


def grey(value: float) -> torch.Tensor:
    return torch.full((1, 1, 4, 4), round(255 * value), dtype=torch.uint8)


def classifier(sure_below: float, sure_above: float):
    """Class 0 for dark, 1 for bright pictures; unsure in between."""

    def classify(x):
        g = x.mean((1, 2, 3))
        p = ((g - sure_below) / (sure_above - sure_below)).clamp(0, 1)
        return torch.stack([1 - p, p], 1)

    return classify


def test_transitions_that_a_classifier_is_sure_of():
    # the start decodes to 0.5 (class 0, sure); at +1.5 the grey passes 0.65
    result = metrics.transitions(Thresholds(), classifier(0.649, 0.6491), grey(0.0), dims=[0, 1])
    assert result == {"changed": 1.0, "changed_surely": 1.0, "sure": 1.0}
    assert metrics.transitions(Thresholds(), classifier(0.649, 0.6491), grey(0.0), dims=[1])["changed"] == 0


def test_between_two_classes_two_pictures_may_be_unsure():
    # at +1 (0.60) and +1.5 (0.65) the classifier doubts
    result = metrics.transitions(Thresholds(), classifier(0.58, 0.68), grey(0.0), dims=[0])
    assert result["changed_surely"] == 1
    assert result["sure"] == pytest.approx(11 / 13)


def test_a_way_through_unsure_pictures_is_no_sure_transition():
    # from +0.5 (0.55) to +2 (0.70) the classifier doubts four pictures
    result = metrics.transitions(Thresholds(), classifier(0.53, 0.72), grey(0.0), dims=[0])
    assert result["changed"] == 1
    assert result["changed_surely"] == 0
    assert result["sure"] == pytest.approx(9 / 13)


def test_distances_by_hand():
    z = torch.tensor([[0.0, 0.0], [6.0, 8.0]])
    assert metrics.mean_distance(z, torch.zeros(2)) == 5
    assert metrics.mean_distance(z, torch.zeros(2, 2)) == 5


def test_mse_and_psnr_by_hand():
    config = configure("ae-conv", "mnist", DATASETS["mnist"], Recipe())
    model = AEVQ(config).eval()
    nn.init.zeros_(model.decoder[-1].weight)
    nn.init.zeros_(model.decoder[-1].bias)  # every picture becomes 0.5
    images = torch.tensor([0, 255], dtype=torch.uint8).repeat_interleave(28 * 28).view(2, 1, 28, 28)
    assert metrics.mse(model, images) == pytest.approx(0.25)
    assert metrics.psnr(0.25) == pytest.approx(20 * math.log10(2))


def test_the_effect_of_a_dimension_is_what_it_does_to_the_picture():
    effect = metrics.dimension_effect(Thresholds(), torch.zeros(4, 2), shift=1.0)
    assert effect.tolist() == pytest.approx([0.01, 0.0])


def test_accuracies_by_hand():
    p = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    assert metrics.accuracy(p, torch.tensor([0, 1, 1])) == pytest.approx(2 / 3)
    yes = torch.tensor([[1, -1], [0, 1], [0, 1]])  # right, –; right, right; wrong, wrong
    assert metrics.accuracy(p, yes) == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert metrics.majority(torch.tensor([3, 3, 1]), torch.tensor([3, 1, 3, 3])) == 0.75
    train = torch.tensor([[1, 0], [1, -1], [0, 0]])  # mostly yes, always no
    assert metrics.majority(train, torch.tensor([[1, 0], [0, 0], [1, 1], [1, 0]])) == 0.75


def test_probes_find_classes_that_are_there_and_none_that_are_not(generator):
    labels = torch.arange(200) % 2
    z = torch.randn(200, 4, generator=generator)
    told = z + 10 * labels[:, None]
    found = metrics.probes((told, labels), (told, labels))
    assert found == {"majority": 0.5, "linear": 1.0, "neighbours": 1.0}
    others = torch.randn(200, 4, generator=generator)
    assert metrics.probes((z, labels), (others, labels))["linear"] < 0.65
    attributes = torch.stack([labels, 1 - labels], 1)
    assert metrics.probes((told, attributes), (told, attributes))["linear"] == 1.0


def test_the_frechet_distance_of_gaussians_is_the_formula(generator):
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


def test_ssim_of_equal_pictures_is_one(generator):
    class Same(nn.Module):
        def forward(self, x):
            return x

    images = torch.randint(0, 256, (4, 1, 28, 28), generator=generator, dtype=torch.uint8)
    assert metrics.ssim(Same(), images) == pytest.approx(1)
    assert metrics.ssim(lambda x: 1 - x, images) < 0.1
