"""The terms of the objectives against the paper's equations, and the updates of the vectors."""

import math

import pytest
import torch

from aevq_hub import AEVQ
from aevq_hub.registry import DATASETS, VARIANTS
from training.objectives import OBJECTIVES, assign, classification, nearest_latents, pull, total, vae, zero
from training.recipe import Recipe
from training.recipes import configure
from training.step import Batch


@pytest.fixture
def model(generator):
    torch.manual_seed(0)
    return AEVQ(configure("center", "mnist", DATASETS["mnist"], Recipe(latent_dim=8, num_codes=1))).train()


def test_pull_terms_match_section_3_1(model, generator):
    x = torch.rand(5, 1, 28, 28, generator=generator)
    others = torch.rand(7, 1, 28, 28, generator=generator)
    terms, matches = pull(model, Batch(x, others), Recipe(ema_rate=0.1))
    assert "vector_pull" not in terms  # vectors updated by EMA need no gradient
    terms = pull(model, Batch(x, others), Recipe())[0]

    v = model.codebook[0]
    errors = [((x[i] - model(x[i : i + 1])[0]) ** 2).sum() for i in range(5)]
    distances = [((model.encode(others[j : j + 1])[0] - v) ** 2).sum() for j in range(7)]
    star = min(range(7), key=lambda j: distances[j])
    center = ((others[star] - model.decode(model.codebook)[0]) ** 2).sum()
    assert terms["reconstruction"].item() == pytest.approx(sum(errors).item() / 5, rel=1e-5)
    assert terms["encoder_pull"].item() == pytest.approx(distances[star].item(), rel=1e-5)
    assert terms["vector_pull"].item() == terms["encoder_pull"].item()
    assert torch.allclose(matches.z, model.encode(others[star : star + 1]), atol=1e-6)
    assert terms["center_reconstruction"].item() == pytest.approx(center.item(), rel=1e-5)


def test_nearest_matches_hand_computation():
    z = torch.tensor([[1.0, 1.0], [10.0, 0.0], [0.1, 0.0]])
    v = torch.tensor([[1.0, 0.0]])
    assert nearest_latents(z, v, "squared").item() == 2  # squared distances 1, 81, 0.81
    assert nearest_latents(z, v, "dot").item() == 1  # products 1, 10, 0.1
    assert nearest_latents(z * torch.tensor([[1.0], [1.0], [-1.0]]), v, "cosine").item() == 1  # cosines 0.71, 1, −1
    with pytest.raises(ValueError, match="'manhattan'; choose from squared, dot, cosine"):
        nearest_latents(z, v, "manhattan")


def test_each_vector_chooses_its_own_nearest_latent():
    z = torch.tensor([[0.0, 0.0], [5.0, 5.0]])
    assert nearest_latents(z, torch.tensor([[4.0, 4.0], [1.0, 0.0], [6.0, 5.0]])).tolist() == [1, 0, 1]


def test_pull_gradient_reaches_encoder_and_vector_but_not_decoder(model, generator):
    x = torch.rand(4, 1, 28, 28, generator=generator)
    terms, _ = pull(model, Batch(x, x), Recipe())
    (terms["encoder_pull"] + terms["vector_pull"]).backward()
    z = model.encode(x)
    star = nearest_latents(z, model.codebook)
    # the two terms together are the paper's single term, whose gradient reaches both
    expected = torch.autograd.grad(
        ((z[star] - model.codebook) ** 2).sum(), [*model.encoder.parameters(), model.codebook]
    )
    for p, gradient in zip([*model.encoder.parameters(), model.codebook], expected, strict=True):
        assert gradient.abs().sum() > 0
        assert torch.allclose(p.grad, gradient, atol=1e-5)
    assert all(p.grad is None or p.grad.abs().sum() == 0 for p in model.decoder.parameters())


def test_center_reconstruction_is_trained_only_with_a_weight(model, generator):
    x = torch.rand(4, 1, 28, 28, generator=generator)
    assert not pull(model, Batch(x, x), Recipe())[0]["center_reconstruction"].requires_grad
    trained = Recipe(center_reconstruction_weight=0.1)
    assert pull(model, Batch(x, x), trained)[0]["center_reconstruction"].requires_grad


def test_center_reconstruction_moves_vectors_or_with_ema_the_latents(model, generator):
    x = torch.rand(4, 1, 28, 28, generator=generator)
    plain, averaged = (
        Recipe(assignment="image-to-vector", center_reconstruction_weight=1.0, ema_rate=r) for r in (0, 0.1)
    )
    values = []
    for recipe in (plain, averaged):
        model.zero_grad()
        term = assign(model, Batch(x), recipe)[0]["center_reconstruction"]
        term.backward()
        values.append(term.item())
        assert all(p.grad.abs().sum() > 0 for p in model.decoder.parameters())
        reached = any(p.grad is not None and p.grad.abs().sum() > 0 for p in model.encoder.parameters())
        assert (model.codebook.grad is None, reached) == (recipe is averaged, recipe is averaged)
    assert values[0] == pytest.approx(values[1], rel=1e-5)  # both have the value for D(v)


def test_zero_pulls_every_latent(model, generator):
    x = torch.rand(4, 1, 28, 28, generator=generator)
    terms, _ = zero(model, Batch(x), Recipe())
    assert terms["encoder_pull"].item() == pytest.approx(model.encode(x).square().sum().item() / 4, rel=1e-5)


def test_kl_divergence_matches_torch(generator):
    recipe = Recipe(latent_dim=8)
    model = AEVQ(configure("vae", "mnist", DATASETS["mnist"], recipe)).train()
    x = torch.rand(4, 1, 28, 28, generator=generator)
    mean, log_variance = model.encode_distribution(x)
    encoded = torch.distributions.Normal(mean, (log_variance / 2).exp())
    expected = torch.distributions.kl_divergence(encoded, torch.distributions.Normal(0.0, 1.0)).sum(1).mean()
    results = [vae(model, Batch(x, generator=torch.Generator().manual_seed(seed)), recipe)[0] for seed in (0, 0, 1)]
    assert results[0]["kl"].item() == pytest.approx(expected.item(), rel=1e-4)
    assert results[0]["reconstruction"] == results[1]["reconstruction"] != results[2]["reconstruction"]


def test_learned_decoder_variance_has_the_gradient_of_the_likelihood(generator):
    model = AEVQ(configure("vae", "mnist", DATASETS["mnist"], Recipe(latent_dim=8))).train()
    x = torch.rand(4, 1, 28, 28, generator=generator)
    recipe = Recipe(latent_dim=8, decoder_variance="learned")
    batches = (Batch(x, generator=torch.Generator().manual_seed(0)) for _ in range(2))
    plain, learned = (vae(model, batch, r)[0] for batch, r in zip(batches, (Recipe(), recipe), strict=True))
    error, kl = plain["reconstruction"], plain["kl"]  # σ² = error / 784: 784 / 2 log σ² + error / (2 σ²) + KL
    variance = error.detach() / 784
    likelihood = 392 * torch.log(error / 784) + kl
    parameters = list(model.parameters())
    ours = torch.autograd.grad(learned["reconstruction"] + learned["kl"], parameters, allow_unused=True)
    theirs = torch.autograd.grad(2 * variance * likelihood, parameters, allow_unused=True)
    for a, b in zip(ours, theirs, strict=True):
        assert (a is None and b is None) or torch.allclose(a, b, rtol=1e-3, atol=1e-5)


def test_classification_ignores_missing_labels():
    logits = torch.tensor([[2.0, 0.0], [0.0, 3.0], [9.0, 9.0]], requires_grad=True)
    one = classification(logits, torch.tensor([0, 1, -1]))
    assert one.item() == pytest.approx((math.log(1 + math.exp(-2)) + math.log(1 + math.exp(-3))) / 2)
    several = classification(logits, torch.tensor([[1, -1], [-1, 0], [-1, -1]]))
    assert several.item() == pytest.approx((math.log(1 + math.exp(-2)) + math.log(1 + math.exp(3))) / 2)
    assert classification(logits, torch.tensor([-1, -1, -1])).item() == 0


def reference_vqvae(model: AEVQ, x, beta: float) -> dict:
    """The terms of VQ-VAE (van den Oord et al., 2017, equation 3), computed cell by cell."""
    z_e = model.encoder(x)  # (B, D, h, w)
    z_q = torch.empty_like(z_e)
    rows, columns = z_e.shape[2:]
    for b in range(len(x)):
        for r in range(rows):
            for c in range(columns):
                distances = ((z_e[b, :, r, c] - model.codebook) ** 2).sum(1)  # (K,)
                z_q[b, :, r, c] = model.codebook[distances.argmin()]
    x_hat = torch.sigmoid(model.decoder(z_e + (z_q - z_e).detach()))
    return {
        "reconstruction": ((x_hat - x) ** 2).sum() / len(x),
        "codebook": ((z_e.detach() - z_q) ** 2).sum() / len(x),
        "commitment": beta * ((z_e - z_q.detach()) ** 2).sum() / len(x),
    }


@pytest.mark.parametrize("variant", ["vqvae", "vqae"])
def test_grid_terms_match_a_vqvae_reference(variant, generator):
    recipe = Recipe(latent_dim=6, num_codes=10, assignment="image-to-vector")
    torch.manual_seed(0)
    model = AEVQ(configure(variant, "mnist", DATASETS["mnist"], recipe)).train()
    x = torch.rand(2, 1, 28, 28, generator=generator)
    parameters = [*model.parameters()]

    expected = reference_vqvae(model, x, beta=1.0)
    terms, _ = assign(model, Batch(x), recipe)
    assert terms["vector_pull"].item() == pytest.approx(expected["codebook"].item(), rel=1e-5)
    assert terms["encoder_pull"].item() == pytest.approx(expected["commitment"].item(), rel=1e-5)
    if VARIANTS[variant].feed == "encoder":  # the decoder receives the encoder's output
        expected["reconstruction"] = ((torch.sigmoid(model.decoder(model.encoder(x))) - x) ** 2).sum() / len(x)
    assert terms["reconstruction"].item() == pytest.approx(expected["reconstruction"].item(), rel=1e-5)
    ours = torch.autograd.grad(total(terms, OBJECTIVES["pull"].weights(recipe, 0)), parameters, allow_unused=True)
    theirs = torch.autograd.grad(sum(expected.values()), parameters, allow_unused=True)
    for a, b in zip(ours, theirs, strict=True):
        assert (a is None and b is None) or (a - b).abs().max() <= 1e-5 * max(1, b.abs().max())


def test_variance_scaled_pull_is_scale_invariant(generator):
    recipe = Recipe(latent_dim=6, num_codes=10, assignment="image-to-vector", pull_scale="variance")
    model = AEVQ(configure("vqae", "mnist", DATASETS["mnist"], recipe)).train()
    x = torch.rand(4, 1, 28, 28, generator=generator)
    before = assign(model, Batch(x), recipe)[0]["encoder_pull"].item()
    z = model.encode(x).movedim(1, -1).flatten(0, -2)
    unexplained = (model.quantize(model.encode(x))[2] ** 2).sum() / ((z - z.mean(0)) ** 2).sum()
    assert before == pytest.approx(unexplained.item(), rel=1e-4)
    with torch.no_grad():
        model.encoder[-1].weight *= 3
        model.encoder[-1].bias *= 3
        model.codebook *= 3
    assert assign(model, Batch(x), recipe)[0]["encoder_pull"].item() == pytest.approx(before, rel=1e-4)


def test_decoder_input_moves_from_latents_to_codes(generator):
    recipe = Recipe(latent_dim=6, num_codes=10, assignment="image-to-vector", warmup_steps=5, feed_steps=10)
    model = AEVQ(configure("vqvae", "mnist", DATASETS["mnist"], recipe)).train()
    x = torch.rand(4, 1, 28, 28, generator=generator)
    z = model.encode(x)
    q = model.quantize(z)[0]
    for step, share in ((5, 0.1), (9, 0.5), (14, 1.0), (1000, 1.0)):
        expected = ((model.decode(z + share * (q - z)) - x) ** 2).sum().item() / 4
        assert assign(model, Batch(x, step=step), recipe)[0]["reconstruction"].item() == pytest.approx(
            expected, rel=1e-5
        )


def test_total_weighs_the_terms_by_the_recipe():
    terms = {"reconstruction": torch.tensor(2.0), "encoder_pull": torch.tensor(3.0)}
    terms["center_reconstruction"] = torch.tensor(float("nan"))  # a term of weight 0 must not be multiplied
    weights = OBJECTIVES["pull"].weights(Recipe(pull_weight=10.0), 0)
    assert total(terms, weights).item() == 32
    terms["center_reconstruction"] = torch.tensor(5.0)
    weights = OBJECTIVES["pull"].weights(Recipe(pull_weight=10.0, center_reconstruction_weight=2.0), 0)
    assert total(terms, weights).item() == 42


def test_vector_weights_rise_geometrically_after_warmup():
    recipe = Recipe(pull_weight=100.0, center_reconstruction_weight=10.0, warmup_steps=5, ramp_steps=20)
    weights = [OBJECTIVES["pull"].weights(recipe, step) for step in (5, 14, 24, 1000)]
    assert [w["encoder_pull"] for w in weights] == pytest.approx([100 * 0.01**0.95, 10, 100, 100])
    assert [w["center_reconstruction"] / w["vector_pull"] for w in weights] == pytest.approx([0.1] * 4)
    assert {w["reconstruction"] for w in weights} == {1.0}


@pytest.mark.parametrize(("by", "centre"), [("squared", 100.0), ("cosine", 0.0)])
def test_nearest_latents_are_exact_far_from_zero_and_in_bf16(by, centre, generator):
    z = centre + torch.randn(300, 8, generator=generator) / 2
    codebook = centre + torch.randn(50, 8, generator=generator) / 2
    exact, vectors = z.double(), codebook.double()
    if by == "cosine":
        nearest = (vectors @ torch.nn.functional.normalize(exact, dim=1).T).argmax(1)
    else:
        nearest = (vectors[:, None] - exact).square().sum(2).argmin(1)
    with torch.autocast("cpu", torch.bfloat16):
        found = nearest_latents(z, codebook, by)
    assert torch.equal(found, nearest)
