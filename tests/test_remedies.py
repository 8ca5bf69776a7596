"""The remedies of the pull that the paper does not have: each is off by default, and does what its name says."""

import pytest
import torch

from aevq_hub import AEVQ
from aevq_hub.registry import DATASETS
from training.objectives import OBJECTIVES, nearest_latents, pull
from training.recipe import Recipe
from training.recipes import configure
from training.remedies import GRADIENT_STEP
from training.step import Batch


@pytest.fixture
def model():
    torch.manual_seed(0)
    return AEVQ(configure("center", "mnist", DATASETS["mnist"], Recipe(latent_dim=8, num_codes=1))).train()


def test_a_share_of_the_nearest_images_is_pulled(model, generator):
    x, others = (torch.rand(n, 1, 28, 28, generator=generator) for n in (4, 10))
    terms, matches = pull(model, Batch(x, others), Recipe(pull_share=0.3, ema_rate=0.1))
    distances = (model.encode(others) - model.vectors).square().sum(1)
    assert terms["encoder_pull"].item() == pytest.approx(distances.sort().values[:3].mean().item(), rel=1e-5)
    assert matches.indices.tolist() == [0, 0, 0]
    several = torch.tensor([[4.0, 4.0], [1.0, 0.0]])
    z = torch.tensor([[1.0, 0.0], [4.0, 5.0], [5.0, 5.0]])
    assert nearest_latents(z, several, n=2).tolist() == [1, 2, 0, 1]


def test_tail_pulls_only_latents_beyond_the_cap(model, generator):
    x = torch.rand(6, 1, 28, 28, generator=generator)
    z = model.encode(x)
    away = (z - model.vectors).norm(dim=1)
    spread = (z - z.mean(0)).square().sum(1).mean().sqrt()
    cap = (away.median() / spread).item()
    tail = pull(model, Batch(x, x), Recipe(tail_cap=cap))[0]["tail"]
    assert tail.item() == pytest.approx((away - cap * spread).clamp_min(0).square().mean().item(), rel=1e-4)
    beyond = pull(model, Batch(x, x), Recipe(tail_cap=2 * (away.max() / spread).item()))[0]["tail"]
    assert beyond.item() == 0


def test_decoder_gradient_does_not_depend_on_the_scale_of_the_latents(model, generator):
    x = torch.rand(6, 1, 28, 28, generator=generator)

    def penalty(amount: float = 1.0) -> float:
        recipe = Recipe(gradient_weight=amount)
        return pull(model, Batch(x, x, generator=torch.Generator().manual_seed(3)), recipe)[0][
            "decoder_gradient"
        ].item()

    before = penalty()
    with torch.no_grad():  # E is multiplied by 7, and D divides its input by 7
        last = [module for module in model.encoder.modules() if isinstance(module, torch.nn.Linear)][-1]
        first = next(module for module in model.decoder.modules() if isinstance(module, torch.nn.Linear))
        last.weight *= 7
        last.bias *= 7
        model.codebook *= 7
        first.weight /= 7
    assert before > 0 and penalty() == pytest.approx(before, rel=1e-3)
    z = model.encode(x)
    noise = torch.randn(6, 8, generator=torch.Generator().manual_seed(3)) / 8**0.5
    noise *= GRADIENT_STEP * (z - z.mean(0)).square().sum(1).mean().sqrt()
    change = (model.decode(z + noise) - model.decode(z)).square().sum() / 6 / GRADIENT_STEP**2
    assert before == pytest.approx(change.item(), rel=1e-2)


def test_decoder_decay_is_the_squared_norm_of_its_parameters(model, generator):
    x = torch.rand(2, 1, 28, 28, generator=generator)
    terms = pull(model, Batch(x, x), Recipe(decay_weight=0.01))[0]
    expected = sum(p.square().sum().item() for p in model.decoder.parameters())
    assert terms["decoder_decay"].item() == pytest.approx(expected, rel=1e-5)
    assert OBJECTIVES["pull"].weights(Recipe(decay_weight=0.01), 0)["decoder_decay"] == 0.01


def test_remedies_are_off_in_the_paper_recipe(model, generator):
    x = torch.rand(2, 1, 28, 28, generator=generator)
    terms = pull(model, Batch(x, x), Recipe())[0]
    assert set(terms) == {"reconstruction", "encoder_pull", "vector_pull", "center_reconstruction"}
