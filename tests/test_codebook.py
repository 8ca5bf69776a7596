"""Codebook health on codebooks with known answers, edits of grids, and samplers."""

import pytest
import torch
from tiny import trainer_for

from aevq_hub.codebook import health, nearest_vectors
from aevq_hub.latent import perturb_cell, recombine
from aevq_hub.sampling import GaussianMixture, IndependentCells
from training.recipes import recipe_for
from training.release import prepare

SQUARE = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])


def test_health_of_evenly_used_vectors():
    found = health(SQUARE, [SQUARE, SQUARE])
    assert found.in_use == [0, 1, 2, 3]
    assert found.dead == found.duplicates == []
    assert found.perplexity == pytest.approx(4)
    assert found.share.tolist() == [0.25] * 4
    assert found.nearest_distance.tolist() == [10] * 4
    assert found.spread == pytest.approx(50**0.5)  # all are (5, 5) away from the mean


def test_health_with_one_dead_and_one_dominant_vector():
    codebook = torch.cat([SQUARE[:1], torch.full((1, 2), 1000.0)])
    found = health(codebook, [SQUARE])
    assert found.in_use == [0]
    assert found.dead == [1]
    assert found.perplexity == pytest.approx(1)
    assert found.summary()["largest_share"] == 1


def test_duplicates_are_found_far_from_the_origin():
    far = torch.tensor([1e4, 1e4])  # a matrix product would lose a difference of 0.1 here
    codebook = torch.cat([SQUARE, SQUARE[:1] + torch.tensor([0.1, 0.0])]) + far
    found = health(codebook, [SQUARE + far])
    assert found.duplicates == [0, 4]  # 0.1 is less than 5 % of 7.07
    assert health(codebook, [SQUARE + far], duplicate=0.01).duplicates == []
    assert health(torch.zeros(2, 2), [torch.zeros(4, 2)]).duplicates == [0, 1]  # also if all latents coincide


def test_vector_is_in_use_from_five_latents_of_ten_thousand():
    latents = SQUARE[:1].repeat(10_000, 1)
    latents[:5], latents[5:9] = SQUARE[1], SQUARE[2]
    assert health(SQUARE, latents.split(3000)).in_use == [0, 1]
    assert health(SQUARE, [latents]).dead == [3]


def test_health_counts_every_cell_of_a_grid():
    grid = SQUARE.T.reshape(1, 2, 2, 2)  # (B, D, h, w)
    assert health(SQUARE, [grid]).share.tolist() == [0.25] * 4
    with pytest.raises(ValueError, match="there are none"):
        health(SQUARE, [])


def test_health_of_latents_collapsed_to_a_point():
    summary = health(SQUARE, [SQUARE[:1].repeat(5, 1)]).summary()
    assert summary["in_use"] == 1
    assert "nearest_distance" not in summary  # there is no spread to relate it to


def test_nearest_vectors_match_hand_computation():
    assert nearest_vectors(torch.tensor([[[1.0, 1.0], [9.0, 3.0]]]), SQUARE).tolist() == [[0, 1]]


def test_nearest_vectors_are_exact_far_from_zero(generator):
    codebook = 300 + torch.randn(50, 64, generator=generator)  # a matrix product would lose the differences
    z = 300 + torch.randn(1000, 64, generator=generator)
    exact = torch.cdist(z.double(), codebook.double()).argmin(1)
    assert (nearest_vectors(z, codebook) == exact).float().mean() > 0.999


@pytest.fixture
def z(generator):
    return torch.randn(2, 3, 3, generator=generator)  # D = 2 as in SQUARE


def changed(before, after):
    return [tuple(cell) for cell in (before != after).any(0).nonzero().tolist()]


def test_replace_sets_only_the_given_cells(z):
    edited = recombine.replace(z, [(0, 1), (2, 2)], [3, 1], SQUARE)
    assert changed(z, edited) == [(0, 1), (2, 2)]
    assert edited[:, 0, 1].tolist() == [10, 10]
    assert edited[:, 2, 2].tolist() == [10, 0]
    assert recombine.replace(z[None], [(0, 1)], 3, SQUARE)[0, :, 0, 1].tolist() == [10, 10]


def test_broadcast_and_among_zeros():
    assert (recombine.broadcast(1, 3, SQUARE) == torch.tensor([10.0, 0.0])[:, None, None]).all()
    alone = recombine.among_zeros(3, (1, 2), 3, SQUARE)
    assert alone[:, 1, 2].tolist() == [10, 10]
    assert alone.sum() == 20


def test_replace_share_replaces_that_share_of_cells(z, generator):
    edited = recombine.replace_share(z, 4 / 9, SQUARE, generator)
    assert len(changed(z, edited)) == 4
    for row, column in changed(z, edited):
        assert edited[:, row, column].tolist() in SQUARE.tolist()
    assert torch.equal(recombine.replace_share(z, 0, SQUARE, generator), z)
    assert len(changed(z, recombine.replace_share(z, 1, SQUARE, generator))) == 9


def test_paste_copies_a_rectangle_of_another_image(z):
    cells = recombine.rectangle((2, 1), (1, 2))
    assert cells == [(1, 1), (1, 2), (2, 1), (2, 2)]
    edited = recombine.paste(z, z + 1, cells)
    assert changed(z, edited) == cells
    assert torch.equal(edited[:, 1:, 1:], z[:, 1:, 1:] + 1)


def test_random_indices_are_reproducible():
    grids = [recombine.random_indices(5, 7, 100, torch.Generator().manual_seed(s)) for s in (1, 1, 2)]
    assert grids[0].shape == (5, 7, 7)
    assert torch.equal(grids[0], grids[1])
    assert not torch.equal(grids[0], grids[2])


def test_perturb_cell_shifts_one_cell(z):
    shifted = perturb_cell(z, (1, 2), torch.eye(z.shape[-3])[:2], [0.0, 5.0, 50.0])  # (P, S, D, h, w)
    assert shifted.shape == (2, 3, 2, 3, 3)
    assert torch.equal(shifted[0, 0], z)
    assert changed(z, shifted[1, 2]) == [(1, 2)]
    assert torch.allclose((shifted[1, 2] - z)[:, 1, 2], torch.tensor([0.0, 50.0]))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda z: recombine.replace(z, [(0, 3)], 0, SQUARE), r"cell \(0, 3\) is outside the grid of 3 × 3 cells"),
        (lambda z: recombine.replace(z, [(-1, 0)], 0, SQUARE), "outside the grid"),
        (lambda z: recombine.replace(z, [(0, 0)], 4, SQUARE), "code 4 is out of range; choose from 0 to 3"),
        (lambda z: recombine.replace(z, [(0, 0)], [1, 2], SQUARE), "2 codes for 1 cells"),
        (lambda z: recombine.broadcast(-1, 3, SQUARE), "code -1 is out of range"),
        (lambda z: recombine.paste(z, z[None], [(0, 0)]), "they must be equal"),
        (lambda z: recombine.replace_share(z, 1.5, SQUARE, None), "share is 1.5; give a number from 0 to 1"),
        (lambda z: recombine.random_indices(0, 7, 100, None), "n is 0"),
        (lambda z: perturb_cell(z[0], (0, 0), torch.ones(3), 1.0), "give grids"),
    ],
)
def test_invalid_edits_are_refused(edit, message, z):
    with pytest.raises(ValueError, match=message):
        edit(z)


def test_mixture_samples_have_the_components_moments():
    sampler = GaussianMixture(2, 10)
    sampler.weight[:2] = torch.tensor([0.25, 0.75])
    sampler.mean[1] = torch.tensor([100.0, 0.0])
    sampler.scale[:2] = torch.tensor([1.0, 2.0, 1.0])  # the rows of [[1, 0], [2, 1]]
    z = sampler.sample(4000, torch.Generator().manual_seed(0))
    second = z[:, 0] > 50
    assert second.float().mean().item() == pytest.approx(0.75, abs=0.03)
    assert torch.allclose(torch.cov(z[second].T), torch.tensor([[1.0, 2.0], [2.0, 5.0]]), atol=0.4)


def test_independent_cells_follow_their_own_probabilities():
    sampler = IndependentCells(2, 4)
    sampler.probability[0, 0, 3] = sampler.probability[0, 1, 1] = sampler.probability[1, 0, 0] = 1.0
    sampler.probability[1, 1, :2] = 0.5
    drawn = sampler.sample_indices(1000, torch.Generator().manual_seed(0))
    assert drawn.shape == (1000, 2, 2)
    assert (drawn[:, 0, 0] == 3).all() and (drawn[:, 0, 1] == 1).all() and (drawn[:, 1, 0] == 0).all()
    assert drawn[:, 1, 1].float().mean().item() == pytest.approx(0.5, abs=0.05)


def test_mixture_has_as_many_components_as_the_recipe_says(mirror):
    trainer, images = trainer_for("center", mirror, components=3)
    model = trainer.model.eval()
    prepare(model, images)
    assert model.sampler.weight.shape == (3,) and model.sampler.weight.sum() == pytest.approx(1)
    assert model.config.components == 3 and "3 Gaussians" in model.sampler.name
    assert torch.equal(model.sample(2, seed=0), model.sample(2, seed=0))
    with pytest.raises(ValueError, match="vqae does not use components; its settings are"):
        recipe_for("vqae", "mnist", components=3)
