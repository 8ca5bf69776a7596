import math

import pytest
import torch
from torch import nn

from aevq_hub import AEVQ, AEVQConfig
from aevq_hub.registry import DATASETS, Recipe
from training import metrics


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
    assert metrics.nearest_distance(z, torch.tensor([[0.0, 3.0], [6.0, 9.0]])) == pytest.approx(2)
    assert metrics.movement(torch.zeros(2, 2), z) == 5


def test_mse_and_psnr_by_hand():
    config = AEVQConfig.for_training("ae-conv", "mnist", DATASETS["mnist"], Recipe())
    model = AEVQ(config).eval()
    nn.init.zeros_(model.decoder[-1].weight)
    nn.init.zeros_(model.decoder[-1].bias)  # every picture becomes 0.5
    images = torch.tensor([0, 255], dtype=torch.uint8).repeat_interleave(28 * 28).view(2, 1, 28, 28)
    assert metrics.mse(model, images) == pytest.approx(0.25)
    assert metrics.psnr(0.25) == pytest.approx(20 * math.log10(2))


def test_the_effect_of_a_dimension_is_what_it_does_to_the_picture():
    effect = metrics.dimension_effect(Thresholds(), torch.zeros(4, 2), shift=1.0)
    assert effect.tolist() == pytest.approx([0.01, 0.0])
