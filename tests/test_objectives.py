import pytest
import torch

from aevq_hub import AEVQ, AEVQConfig
from aevq_hub.registry import DATASETS, Recipe
from training.objectives import OBJECTIVES, nearest, pull, total


@pytest.fixture
def model(generator):
    torch.manual_seed(0)
    return AEVQ(AEVQConfig.for_training("center", "mnist", DATASETS["mnist"], Recipe(latent_dim=8))).train()


def test_the_terms_are_those_of_section_3_1(model, generator):
    x = torch.rand(5, 1, 28, 28, generator=generator)
    others = torch.rand(7, 1, 28, 28, generator=generator)
    terms = pull(model, x, others, Recipe())

    v = model.codebook[0]
    errors = [((x[i] - model(x[i : i + 1])[0]) ** 2).sum() for i in range(5)]
    distances = [((model.encode(others[j : j + 1])[0] - v) ** 2).sum() for j in range(7)]
    star = min(range(7), key=lambda j: distances[j])
    center = ((others[star] - model.decode(model.codebook)[0]) ** 2).sum()
    assert terms["reconstruction"].item() == pytest.approx(sum(errors).item() / 5, rel=1e-5)
    assert terms["encoder_pull"].item() == pytest.approx(distances[star].item(), rel=1e-5)
    assert terms["center_reconstruction"].item() == pytest.approx(center.item(), rel=1e-5)


def test_by_hand():
    z = torch.tensor([[1.0, 1.0], [10.0, 0.0], [0.1, 0.0]])
    v = torch.tensor([[1.0, 0.0]])
    assert nearest(z, v, "squared").item() == 2  # squared distances 1, 81, 0.81
    assert nearest(z, v, "dot").item() == 1  # products 1, 10, 0.1
    assert nearest(z * torch.tensor([[1.0], [1.0], [-1.0]]), v, "cosine").item() == 1  # cosines 0.71, 1, −1
    with pytest.raises(ValueError, match="'manhattan'; choose from squared, dot, cosine"):
        nearest(z, v, "manhattan")


def test_several_vectors_choose_each_their_own():
    z = torch.tensor([[0.0, 0.0], [5.0, 5.0]])
    assert nearest(z, torch.tensor([[4.0, 4.0], [1.0, 0.0], [6.0, 5.0]])).tolist() == [1, 0, 1]


def test_the_pull_reaches_encoder_and_vector_but_not_the_decoder(model, generator):
    x = torch.rand(4, 1, 28, 28, generator=generator)
    pull(model, x, x, Recipe())["encoder_pull"].backward()
    assert all(p.grad.abs().sum() > 0 for p in model.encoder.parameters())
    assert model.codebook.grad.abs().sum() > 0
    assert all(p.grad is None or p.grad.abs().sum() == 0 for p in model.decoder.parameters())


def test_the_optional_term_is_measured_always_and_trained_when_asked(model, generator):
    x = torch.rand(4, 1, 28, 28, generator=generator)
    assert not pull(model, x, x, Recipe())["center_reconstruction"].requires_grad
    assert pull(model, x, x, Recipe(center_reconstruction_weight=0.1))["center_reconstruction"].requires_grad


def test_the_total_weighs_the_terms_as_the_recipe_says():
    terms = {"reconstruction": torch.tensor(2.0), "encoder_pull": torch.tensor(3.0)}
    terms["center_reconstruction"] = torch.tensor(float("nan"))  # weight 0 must not even multiply it
    weights = OBJECTIVES["pull"].weights(Recipe(pull_weight=10.0))
    assert total(terms, weights).item() == 32
    terms["center_reconstruction"] = torch.tensor(5.0)
    weights = OBJECTIVES["pull"].weights(Recipe(pull_weight=10.0, center_reconstruction_weight=2.0))
    assert total(terms, weights).item() == 42
