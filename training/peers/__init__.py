"""Other libraries and a plain loop, trained on the same networks and images for comparison: one module each.

They are optional: ``pip install "aevq-hub[peers]"``. Nothing else imports them.
"""

import torch
from torch import Tensor, nn

from aevq_hub import AEVQ, AEVQConfig

from ..recipe import Recipe
from ..step import DTYPES
from ..trainer import start_output


def networks(config: AEVQConfig, recipe: Recipe, images: Tensor) -> AEVQ:
    """Our networks at the start of a training on uint8 images (N, C, H, W), with the recipe's seed and precision."""
    torch.manual_seed(recipe.seed)
    model = AEVQ(config)
    if recipe.output_start == "mean":
        start_output(model, images)
    for network in (model.encoder, model.decoder):
        _train_in(network, DTYPES[recipe.precision])
    return model


def _train_in(network: nn.Module, dtype: torch.dtype) -> None:
    """Let a network compute in a type while it is in training mode; what it returns is in float32 as before."""
    forward = network.forward

    def cast(x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, dtype):
            return forward(x).float()

    if dtype != torch.float32:
        network.forward = lambda x: cast(x) if network.training else forward(x)
