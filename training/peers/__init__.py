"""Other libraries and a plain loop, trained on the same networks and images for comparison: one module each.

They are optional: ``pip install "aevq-hub[peers]"``. Nothing else imports them.
"""

import torch
from torch import Tensor

from aevq_hub import AEVQ, AEVQConfig

from ..recipe import Recipe
from ..trainer import start_output


def networks(config: AEVQConfig, recipe: Recipe, images: Tensor) -> AEVQ:
    """Our networks at the start of a training on uint8 images (N, C, H, W), with the recipe's seed."""
    torch.manual_seed(recipe.seed)
    model = AEVQ(config)
    if recipe.output_start == "mean":
        start_output(model, images)
    return model
