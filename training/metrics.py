"""Measurements. Pure functions of a model (or of latents) and images; nothing is drawn at random inside."""

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from tqdm import tqdm

from aevq_hub import AEVQ, latent

BATCH = 1000
SHIFTS = tuple(s / 2 for s in range(-6, 7))  # −3 … +3 in halves: the range of figure 3.2
SURE = 0.9  # a classifier is sure of what it sees from this probability on
UNSURE = 2  # pictures of a way from −3 to +3 that it may be unsure of: those between two classes


def to_float(images: Tensor) -> Tensor:
    """uint8 (B, C, H, W) → float32 in [0, 1]."""
    return images.float() / 255


def batches(images: Tensor, size: int = BATCH) -> Iterator[Tensor]:
    """uint8 images (N, C, H, W) → batches (B, C, H, W) in [0, 1]."""
    return map(to_float, images.split(size))


@torch.no_grad()
def mse(model: AEVQ, images: Tensor) -> float:
    """Mean squared error of the reconstructions, over all pixels of uint8 images (N, C, H, W), pixels in [0, 1]."""
    return sum((model(x) - x).double().square().sum().item() for x in batches(images)) / images.numel()


def psnr(error: float) -> float:
    """Peak signal-to-noise ratio in dB of a mean squared error of pixels in [0, 1]."""
    return -10 * math.log10(error)


@torch.no_grad()
def latents(model: AEVQ, images: Tensor) -> Tensor:
    """Latents (N, D) of uint8 images (N, C, H, W)."""
    return torch.cat([model.encode(x) for x in batches(images)])


def mean_distance(z: Tensor, point: Tensor) -> float:
    """Mean Euclidean distance of latents (N, D) to a point (D,)."""
    return (z - point).norm(dim=1).mean().item()


def nearest_distance(z: Tensor, codebook: Tensor) -> float:
    """Mean Euclidean distance of latents (N, D) to the nearest of the vectors (K, D)."""
    return torch.cdist(z, codebook).amin(1).mean().item()


def movement(before: Tensor, after: Tensor) -> float:
    """Mean Euclidean distance that vectors (K, D) moved (figure 3.3)."""
    return (after - before).norm(dim=1).mean().item()


@torch.no_grad()
def dimension_effect(model: AEVQ, z: Tensor, shift: float = 3.0) -> Tensor:
    """How much a dimension matters: mean squared change of the picture when it is shifted by ±``shift``.

    Args:
        model: the model.
        z: latents (B, D) to start from.
        shift: in the latent's own units; 3 is the end of figure 3.2's range.

    Returns:
        (D,).
    """
    start = model.decode(z)  # (B, C, H, W)
    effect = torch.empty(z.shape[1])
    for d in range(z.shape[1]):
        shifted = latent.perturb(z, d, [-shift, shift])  # (B, 1, 2, D)
        changed = model.decode(shifted.flatten(0, 2)).unflatten(0, (len(z), 2))
        effect[d] = (changed - start[:, None]).square().mean()
    return effect


@torch.no_grad()
def transitions(
    model: AEVQ, classify: Callable[[Tensor], Tensor], images: Tensor, dims: list[int], *, progress: bool = False
) -> dict[str, float]:
    """How many images turn into another class within figure 3.2's shifts, and how sure a classifier is meanwhile.

    Each image is encoded and each of the dimensions shifted by −3 … +3 in steps of 0.5, one at a time.

    Args:
        model: the model.
        classify: images (B, C, H, W) → class probabilities (B, classes).
        images: uint8 (N, C, H, W).
        dims: the dimensions to shift.
        progress: whether to show a bar.

    Returns:
        changed: share of images that on one of the dimensions, at some shift, are taken for another class than
            unshifted with probability ≥ 0.9.
        changed_surely: the same, counting only dimensions along which the classifier is sure (≥ 0.9) of all the 13
            pictures but at most two: between two classes nobody can be sure.
        sure: share of all the pictures that the classifier is sure of.
    """
    changed = changed_surely = sure = 0
    for x in tqdm(list(images.split(100)), desc="transitions", unit="00 images", disable=not progress):
        z = latent.perturb(model.encode(to_float(x)), dims, SHIFTS)  # (B, P, S, D)
        probability, label = classify(model.decode(z.flatten(0, 2))).unflatten(0, z.shape[:3]).max(-1)  # (B, P, S)
        is_sure = probability >= SURE
        turns = (is_sure & (label != label[..., SHIFTS.index(0), None])).any(-1)  # (B, P)
        stays_sure = (~is_sure).sum(-1) <= UNSURE
        changed += turns.any(1).sum().item()
        changed_surely += (turns & stays_sure).any(1).sum().item()
        sure += is_sure.sum().item()
    pictures = len(images) * len(dims) * len(SHIFTS)
    return {"changed": changed / len(images), "changed_surely": changed_surely / len(images), "sure": sure / pictures}
