"""Measures of a latent space that do not depend on its origin, scale and axes, which are arbitrary.

Replace E by A·E + b and D(z) by D(A⁻¹(z − b)), with A a rotation times a scale, and every picture stays the same. So
do the numbers here, except those along single dimensions, which a rotation changes, and those in raw units.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from aevq_hub import AEVQ, latent
from aevq_hub.latent_space import STRONGEST

from .metrics import BATCH, Frechet, dimension_effect, exact

SHIFTS = tuple(s / 2 for s in range(-6, 7))  # −3 … +3 in halves: the range of figure 3.2
NOISE = {"half": 0.5, "one": 1.0}  # the length of the noise, in spreads
GAIN_STEP = 0.1  # the shift, in σ, over which the gain is measured
PART = 20_000  # latents, or cells of grids, whose moments are computed at once
RANKED = 50  # images for ranking the dimensions


@dataclass(frozen=True)
class Frame:
    """The origin, principal directions and standard deviations of a model's training latents, or of a grid's codes.

    The sign of each direction is such that the first of some latents has a non-negative coordinate.
    """

    mean: Tensor  # (D,)
    axes: Tensor  # the directions, each of length 1, strongest first (D, D)
    std: Tensor  # along each (D,)

    @classmethod
    def of(cls, model: AEVQ, z: Tensor) -> "Frame":
        """The frame of a model with a fitted sampler; latents z (N, D) or grids (N, D, h, w) give the signs."""
        mean, covariance = model.moments()
        variance, vectors = torch.linalg.eigh(covariance)  # ascending; in columns
        first = z[0].flatten(1)[:, 0] if z.ndim > 2 else z[0]
        axes = vectors.T.flip(0)
        axes = axes * ((axes @ (first.cpu().double() - mean)) >= 0).double().mul(2).sub(1)[:, None]
        return cls(mean.float(), axes.float(), variance.flip(0).clamp_min(0).sqrt().float())

    @property
    def spread(self) -> float:
        """The root mean squared distance to the mean."""
        return self.std.square().sum().sqrt().item()

    @property
    def directions(self) -> Tensor:
        """The directions, each one standard deviation long (D, D)."""
        return self.axes * self.std[:, None]


def shape(z: Tensor) -> dict[str, float]:
    """The shape of a cloud of latents (N, D), or of the cells of grids.

    Returns:
        ``participation``, the participation ratio (Σλ)² / Σλ² of the covariance's eigenvalues: in how many dimensions
        the latents lie. ``variation``, the coefficient of variation of the distance to the mean. ``std``, the mean
        standard deviation over the dimensions, in raw units.
    """
    mean = exact(z.mean(0))
    covariance, distances = torch.zeros(z.shape[1], z.shape[1], dtype=mean.dtype, device=mean.device), []
    for part in z.split(PART):
        apart = exact(part) - mean
        covariance += apart.T @ apart / len(z)
        distances.append(apart.norm(dim=1))
    distance = torch.cat(distances)
    return {
        "participation": (covariance.trace().square() / covariance.square().sum().clamp_min(1e-30)).item(),
        "variation": (distance.std(correction=0) / distance.mean().clamp_min(1e-15)).item(),
        "std": covariance.diagonal().sqrt().mean().item(),
    }


@torch.no_grad()
def kept(model: AEVQ, answers: Callable[[Tensor], Tensor], z: Tensor, frame: Frame) -> dict[str, float]:
    """The share of images whose class, or attributes, a classifier still finds after noise on their latents.

    The noise is Gaussian and of equal strength in all dimensions; its root mean squared length is half a spread of the
    latents, or a whole one. In grids every cell gets its own, relative to the spread of the codes.

    Args:
        model: the model.
        answers: images (B, C, H, W) → classes (B, 1) or attributes (B, A).
        z: latents (N, D) or grids (N, D, h, w).
        frame: of the model.
    """
    shares = dict.fromkeys(NOISE, 0.0)
    generator = torch.Generator().manual_seed(0)
    for part in z.split(BATCH):
        noise = torch.randn(part.movedim(1, -1).shape, generator=generator) @ frame.axes  # (B, …, D)
        noise = noise.movedim(-1, 1) * frame.spread / len(frame.std) ** 0.5
        before = answers(model.render(part))
        for name, share in NOISE.items():
            after = answers(model.render(part + share * noise))
            shares[name] += (after == before).float().flatten(1).mean(1).sum().item()
    return {name: share / len(z) for name, share in shares.items()}


@torch.no_grad()
def gain(model: AEVQ, z: Tensor, directions: Tensor) -> float:
    """How much the picture changes per σ: root mean squared over its pixels, mean over latents (N, D) and directions
    (P, D), measured over a tenth of a σ."""
    changes = []
    for part in z.split(10):
        moved = model.decode(latent.perturb(part, directions, GAIN_STEP).flatten(0, 2))  # (B·P, C, H, W)
        apart = moved.unflatten(0, (len(part), -1)) - model.decode(part)[:, None]
        changes.append(apart.square().flatten(2).mean(2).sqrt() / GAIN_STEP)
    return torch.cat(changes).mean().item()


@torch.no_grad()
def sheet(
    model: AEVQ, sure: Callable[[Tensor], Tensor] | None, distance: Frechet | None, z: Tensor, steps: Tensor
) -> dict[str, float]:
    """Measure sheets as in figure 3.2: latents shifted by −3 to +3 steps in halves, each along one step in turn.

    Each latent is shifted along one step only, so that the same number of pictures starts from more images. Few images
    are far from the test images in any case: 300 of MNIST's test images are at a Fréchet distance of 20 to 40.

    Args:
        model: the model.
        sure: images (B, C, H, W) → how sure a classifier is of each (B,); None without a classifier.
        distance: the classifier Fréchet distance from test images, or None.
        z: latents (N, D).
        steps: P steps (P, D).

    Returns:
        ``change``, the root mean squared difference between the pictures at both ends; ``jump``, the largest of the
        twelve differences between neighbours over their mean; both are means over the latents. With a classifier,
        ``sure`` and ``sure_ends``, how sure it is of all pictures and of those at both ends. With a distance,
        ``frechet``, that of all pictures.
    """
    sums = {"change": 0.0, "jump": 0.0} | ({"sure": 0.0, "sure_ends": 0.0} if sure else {})

    def pictures() -> Iterator[Tensor]:
        amounts = torch.tensor(SHIFTS)[:, None].to(z)
        own = steps.to(z).repeat(-(-len(z) // len(steps)), 1)[: len(z), None]  # the step of each latent (N, 1, D)
        for part, step in zip(z.split(BATCH // 10), own.split(BATCH // 10), strict=True):
            x = model.decode((part[:, None] + amounts * step).flatten(0, 1))  # (B·S, C, H, W)
            paths = x.flatten(1).unflatten(0, (-1, len(SHIFTS)))  # (B, S, pixels)
            between = (paths[:, 1:] - paths[:, :-1]).square().mean(2).sqrt()  # (B, S − 1)
            sums["change"] += (paths[:, -1] - paths[:, 0]).square().mean(1).sqrt().sum().item()
            sums["jump"] += (between.amax(1) / between.mean(1).clamp_min(1e-12)).sum().item()
            if sure:
                certain = sure(x).view(-1, len(SHIFTS))
                sums["sure"] += certain.mean(1).sum().item()
                sums["sure_ends"] += certain[:, [0, -1]].mean(1).sum().item()
            yield x

    measured = {"frechet": distance(pictures())} if distance else {}
    if not distance:
        for _ in pictures():
            pass
    return {name: value / len(z) for name, value in sums.items()} | measured


@torch.no_grad()
def sheets(
    model: AEVQ, sure: Callable[[Tensor], Tensor] | None, distance: Frechet | None, z: Tensor, frame: Frame
) -> dict[str, dict[str, float]]:
    """The :func:`sheet` of ten ``directions``, of ten single dimensions (``axes``), both in σ, and of ten dimensions
    in ``raw`` units, as the paper draws it. The dimensions are those with the strongest effect at ±3 of that unit."""
    std = model.std()
    steps = {"directions": frame.directions[:STRONGEST]}
    for name, unit in (("axes", std), ("raw", torch.ones_like(std))):
        effect = dimension_effect(model, z[:RANKED], 3 * unit)
        steps[name] = torch.diag(unit)[effect.argsort(descending=True, stable=True)[:STRONGEST]]
    return {name: sheet(model, sure, distance, z, chosen) for name, chosen in steps.items()}


def gaussian(model: AEVQ, n: int, frame: Frame) -> Iterator[Tensor]:
    """D of n latents from N(μ, Σ), the Gaussian with the moments of the training latents, in batches."""
    noise = torch.randn(n, len(frame.std), generator=torch.Generator().manual_seed(0))
    return (model.render(frame.mean + part @ frame.directions) for part in noise.split(BATCH))


def midpoints(model: AEVQ, z: Tensor, labels: Tensor | None) -> dict[str, Iterator[Tensor]]:
    """Pictures half-way between the latents of random pairs of images, in batches.

    Args:
        model: the model.
        z: latents (N, …).
        labels: the classes (N,) of the same images, −1 where unknown; None without classes.

    Returns:
        ``midpoints`` of all pairs and, with classes, of pairs ``within`` a class and ``between`` two classes.
    """
    generator = torch.Generator().manual_seed(0)
    pairs = {"midpoints": (torch.arange(len(z)), torch.randperm(len(z), generator=generator))}
    if labels is not None:
        a, b = pairs["midpoints"]
        apart = (labels[a] != labels[b]) & (labels[a] >= 0) & (labels[b] >= 0)
        pairs["between"] = a[apart], b[apart]
        shuffled = torch.randperm(len(z), generator=generator)
        of_class = [shuffled[labels[shuffled] == c] for c in range(int(labels.max()) + 1)]
        if of_class:
            pairs["within"] = torch.cat(of_class), torch.cat([members.roll(1) for members in of_class])
    return {
        name: (model.render((z[i] + z[j]) / 2) for i, j in zip(a.split(BATCH), b.split(BATCH), strict=True))
        for name, (a, b) in pairs.items()
        if len(a) > 1  # a Fréchet distance needs two
    }
