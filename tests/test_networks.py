"""Networks for images of any size, and with global attention."""

from dataclasses import replace

import pytest
import torch
from tiny import build

from aevq_hub import AEVQ
from aevq_hub.networks import NETWORKS, conv_widths, grid_widths, sides
from aevq_hub.registry import DATASETS
from training.recipes import configure, recipe_for


@pytest.mark.parametrize("network", ["conv", "residual", "grid", "grid-attention"])
@pytest.mark.parametrize("size", [8, 9, 30, 45, 50, 100])
def test_images_of_any_size_come_back_at_their_size(network, size, generator):
    variant, widths = ("vqae" if "grid" in network else "center"), NETWORKS[network].widths(size)
    side = sides(size, len(widths))[-1]
    shape = {"image_size": size, "widths": (8,) * len(widths), "grid_size": side if "grid" in network else 0}
    model = AEVQ(replace(build(variant, latent_dim=4).config, network=network, **shape)).eval()
    x = torch.rand(2, 1, size, size, generator=generator)
    z = model.encode(x)
    assert z.shape == ((2, 4, side, side) if "grid" in network else (2, 4))
    assert model.decode(z).shape == x.shape


@pytest.mark.parametrize("size", range(8, 513, 7))
def test_default_widths_end_at_a_few_cells(size):
    assert 4 <= sides(size, len(conv_widths(size)))[-1] <= 7
    assert 4 <= sides(size, len(grid_widths(size)))[-1] <= 8


def test_attention_lets_a_cell_reach_the_whole_picture(generator):
    config = replace(build("vqae", latent_dim=4).config, widths=(8, 8))
    reached = {}
    for network in ("grid", "grid-attention"):
        model = AEVQ(replace(config, network=network)).eval()
        z = torch.randn(1, 4, 7, 7, generator=generator)
        changed = z.clone()
        changed[..., 0, 0] += 5
        reached[network] = ((model.decode(changed) - model.decode(z)).abs() > 0).float().mean().item()
    assert reached["grid"] < 0.5 < 0.95 < reached["grid-attention"]


def test_a_variant_of_single_vectors_is_built_on_the_network_that_its_recipe_names():
    config = configure("zero", "mnist", DATASETS["mnist"], recipe_for("zero", "mnist", network="mlp"))
    assert config.network == "mlp" and config.widths == build("ae").config.widths
    assert build("zero").config.network == "conv"
    with pytest.raises(ValueError, match="vqae does not use network; its settings are"):
        recipe_for("vqae", "mnist", network="mlp")
    with pytest.raises(ValueError, match="center does not use prior_epochs; its settings are"):
        recipe_for("center", "mnist", prior_epochs=1)
