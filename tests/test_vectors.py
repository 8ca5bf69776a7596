"""The vectors besides their gradient: following latents, restarts, and where they start."""

import pytest
import torch
from tiny import build

from training.objectives import pull
from training.recipe import Recipe
from training.step import Batch
from training.vectors import Matches, Vectors, follow, k_means, scale


@pytest.fixture
def model():
    return build("center", latent_dim=8).train()


def matched(z: list, indices: list) -> Matches:
    z, indices = torch.tensor(z), torch.tensor(indices)
    return Matches(z, indices, z, indices)


def test_vectors_follow_the_mean_of_their_latents():
    codebook = torch.tensor([[0.0, 0.0], [10.0, 0.0], [5.0, 5.0]])
    follow(codebook, matched([[1.0, 0.0], [3.0, 4.0], [10.0, 2.0]], [0, 0, 1]), 0.5)  # e ← e + α (z_q − e)
    assert codebook.tolist() == [[1.0, 1.0], [10.0, 1.0], [5.0, 5.0]]


def test_unused_vectors_restart_on_distinct_latents(model, generator):
    model.codebook.data = torch.arange(8.0).view(4, 2)
    updates = Vectors(model, Recipe(restart_steps=2))
    z = [[10.0, 10.0], [20.0, 20.0]]
    updates.after_step(matched(z, [0, 0]), generator)
    assert model.codebook.tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]  # not yet
    updates.after_step(matched(z, [1, 1]), generator)
    assert model.codebook[:2].tolist() == [[0, 1], [2, 3]]
    assert sorted(model.codebook[2:].tolist()) == z
    updates.after_step(matched(z, [0, 0]), generator)
    updates.after_step(matched(z, [0, 0]), generator)  # three unused vectors for two latents
    assert sorted(model.codebook[1:3].tolist()) == z


def test_restart_prefers_latents_far_from_their_vector(model, generator):
    model.codebook.data = torch.zeros(4, 2)
    z = [[0.0, 0.0]] * 50 + [[3.0, 4.0]]
    updates = Vectors(model, Recipe(restart_steps=1))
    updates.after_step(matched(z, [0] * len(z)), generator)
    assert [3.0, 4.0] in model.codebook[1:].tolist()


def test_restart_ignores_latents_that_are_not_finite(model, generator):
    model.codebook.data = torch.zeros(4, 2)
    updates = Vectors(model, Recipe(restart_steps=1))
    updates.after_step(matched([[float("nan"), 0.0], [float("inf"), 0.0], [1e30, 1.0]], [0, 0, 0]), generator)
    assert model.codebook[1].tolist() == [torch.tensor(1e30).item(), 1.0]  # one usable latent for three unused vectors
    assert not model.codebook[[0, 2, 3]].any()


def test_restart_share_also_restarts_rarely_used_vectors(model, generator):
    for share, moved in ((0.0, 1), (0.5, 2)):  # an equal share is four of sixteen latents
        before = torch.arange(8.0).view(4, 2)
        model.codebook.data = before.clone()
        updates = Vectors(model, Recipe(restart_steps=1, restart_share=share))
        updates.after_step(matched([[9.0, 9.0]] * 16, [0] * 9 + [1] * 5 + [2] * 2), generator)
        assert (model.codebook != before).any(1).sum() == moved


def test_restart_works_when_vectors_pick_images(model, generator):
    recipe = Recipe(num_codes=2, restart_steps=1)
    model.codebook = torch.nn.Parameter(torch.stack([torch.zeros(8), torch.full((8,), 1e3)]))
    x = torch.rand(4, 1, 28, 28, generator=generator)
    _, matches = pull(model, Batch(x, x), recipe)
    assert matches.nearest.tolist() == [0, 0, 0, 0]  # although both vectors picked an image
    Vectors(model, recipe).after_step(matches, generator)
    assert torch.cdist(model.codebook[1:], model.encode(x)).min() < 1e-4


def test_k_means_finds_the_clusters(generator):
    clusters = torch.tensor([[0.0, 1.0], [5.0, 4.0]])
    z = clusters.repeat_interleave(20, dim=0)
    codebook = torch.zeros(2, 2)
    k_means(codebook, z, seed=0)
    assert torch.cdist(codebook, clusters).amin(0).max() < 1e-3
    with pytest.raises(ValueError, match="k-means of 41 vectors needs as many latents; the data gives 40"):
        k_means(torch.zeros(41, 2), z, seed=0)


def test_random_vectors_are_scaled_to_the_latents(generator):
    z = torch.randn(1000, 3, generator=generator) * torch.tensor([0.1, 1.0, 10.0]) + torch.tensor([5.0, 0.0, -20.0])
    codebook = torch.rand(5000, 3, generator=generator) * 2 - 1
    scale(codebook, z)
    assert ((codebook.mean(0) - z.mean(0)).abs() < 0.05 * z.std(0)).all()
    assert torch.allclose(codebook.std(0), z.std(0), rtol=0.05)
