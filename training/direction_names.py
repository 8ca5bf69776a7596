"""Names of the directions of a latent space: for each the property of the images that goes along with it."""

import torch
from torch import Tensor

from aevq_hub import AEVQ

from .data import Split
from .image_properties import ATTRIBUTES, Property, properties
from .metrics import BATCH, to_float
from .rows import Source

IMAGES = 4000  # at most so many images, evenly spaced: one half chooses the names, the other measures them
FEWEST = 50  # images, or labels of an attribute, that a correlation is measured on
MOVED = 100  # images whose latents are moved
LEAST = 0.4  # correlation of a name: less is hard to see in pictures, and common by chance among 50 images
# What one standard deviation along a direction must change in decoded pictures, in standard deviations of the property.
# Single dimensions are correlated: one may go along with the brightness, which only the others change.
LEAST_EFFECT = 0.25

Name = dict[str, str | float]


@torch.no_grad()
def direction_names(model: AEVQ, source: Source, train: Split) -> dict[str, list[Name | None]]:
    """Name the directions of a model with a fitted sampler, from training images and the labels to learn from.

    Returns:
        ``directions``, a name for each of ``model.directions()``, and ``numbers``, one for each of ``model.axes()``;
        empty for a grid. A name is None, or has the words for the ``low`` and the ``high`` end, such that moving in the
        direction leads from low to high, and the ``correlation`` of the coordinate and the property.
    """
    if model.config.grid_size:
        return {"directions": [], "numbers": []}
    bases = {"directions": model.directions(), "numbers": model.axes()}
    statistics = properties(source.name, source.dataset.channels)
    labelled = source.dataset.multi_label and train.labels is not None
    columns = enumerate(source.dataset.label_columns if labelled else ())
    attributes = {i: ATTRIBUTES[column] for i, column in columns if column in ATTRIBUTES}
    words = [(p.low, p.high) for p in statistics] + list(attributes.values())
    z, values = _measured(model, train, statistics, list(attributes))
    found = {}
    for basis, steps in bases.items():
        first, second = (correlations(z[half::2] @ steps.T, values[half::2]) for half in (0, 1))
        # attributes cannot be measured in decoded pictures; along principal directions, whose coordinates are
        # uncorrelated, the correlation is the effect
        unseen = first[len(statistics) :] * (basis == "directions")
        effect = torch.cat([effects(model, z[::2], steps, statistics, values), unseen])
        chosen = assigned(first.abs() * (effect * first.sign() >= LEAST_EFFECT))
        found[basis] = [_name(words, chosen.get(k), first[:, k], second[:, k]) for k in range(len(steps))]
    return found


def _measured(
    model: AEVQ, train: Split, statistics: tuple[Property, ...], attributes: list[int]
) -> tuple[Tensor, Tensor]:
    """The latents (n, D) of some images and their P statistics and A attributes (n, P + A), NaN where unknown.

    If there are attributes, the images are those with labels.
    """
    index, labels = torch.arange(len(train)), torch.zeros(len(train), 0)
    if train.labels is not None and attributes:
        labels = train.labels[:, attributes]
        known = (labels >= 0).any(1).nonzero()[:, 0]
        index = known if len(known) >= 2 * FEWEST else index
    index = index[torch.linspace(0, len(index) - 1, min(IMAGES, len(index))).long()]
    z, values = [], []
    for part in index.split(BATCH):
        x = to_float(train.images[part])
        z.append(model.encode(x))
        values.append(torch.stack([p.measure(x) for p in statistics], 1))
    labels = labels[index].float()
    return torch.cat(z), torch.cat([torch.cat(values), labels.masked_fill(labels < 0, torch.nan)], 1)


def correlations(coordinates: Tensor, values: Tensor) -> Tensor:
    """Pearson's correlation of coordinates (n, K) and properties (n, P), NaN where unknown: (P, K).

    It is 0 where a coordinate or a property is constant, or is known of too few images.
    """
    found = torch.zeros(values.shape[1], coordinates.shape[1], dtype=torch.float64)
    for row, value in zip(found, values.double().T, strict=True):
        known = value.isfinite()
        if known.sum() >= FEWEST:
            c, v = (t[known] - t[known].mean(0) for t in (coordinates.double(), value))
            row.copy_((v @ c / (v.norm() * c.norm(dim=0))).nan_to_num(0, 0, 0))
    return found


def effects(model: AEVQ, z: Tensor, steps: Tensor, statistics: tuple[Property, ...], values: Tensor) -> Tensor:
    """How much one of K steps (K, D) changes each statistic of decoded pictures, in standard deviations: (P, K).

    Args:
        model: the model.
        z: latents (n, D); some of them are moved by one step in both ways.
        steps: the steps.
        statistics: P properties.
        values: those of images, and further ones (N, P + A).
    """
    z = z[:: max(1, len(z) // MOVED)][:MOVED]
    found = []
    for step in steps:
        up, down = model.decode(z + step), model.decode(z - step)
        found.append(torch.stack([(p.measure(up) - p.measure(down)).mean() / 2 for p in statistics]))
    spread = values[:, : len(statistics)].double().std(0, correction=0)
    return torch.stack(found, 1).double() / spread[:, None].clamp_min(1e-12)


def assigned(strength: Tensor) -> dict[int, int]:
    """The property of each direction that gets one: always the strongest pair of what is left, from LEAST on.

    Args:
        strength: of each property for each direction (P, K).
    """
    strength, found = strength.clone(), {}
    while strength.numel() and strength.max() >= LEAST:
        p, k = divmod(int(strength.argmax()), strength.shape[1])
        found[k] = p
        strength[p], strength[:, k] = 0, 0
    return found


def _name(words: list[tuple[str, str]], chosen: int | None, first: Tensor, second: Tensor) -> Name | None:
    """The name by the chosen property, if the other half of the images confirms it; correlations are (P,)."""
    if chosen is None or (correlation := round((second * first.sign())[chosen].item(), 3)) < LEAST:
        return None
    low, high = words[chosen] if first[chosen] > 0 else words[chosen][::-1]
    return {"low": low, "high": high, "correlation": correlation}
