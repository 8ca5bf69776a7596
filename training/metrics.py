"""Measurements: pure functions of a model (or of latents) and images."""

import math
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn

from aevq_hub import AEVQ
from aevq_hub.codebook import Health, Usage

BATCH = 250  # images per batch: small enough for the processor's caches
PROBED = 10_000  # a probe is fitted to, and tested on, at most so many latents


def to_float(images: Tensor) -> Tensor:
    """uint8 (B, C, H, W) → float32 in [0, 1]."""
    return images / 255


def batches(images: Tensor, size: int = BATCH) -> Iterator[Tensor]:
    """uint8 images (N, C, H, W) → batches (B, C, H, W) in [0, 1]."""
    return map(to_float, images.split(size))


def exact(x: Tensor) -> Tensor:
    """A tensor in float64, on the processor if its device may lack this type (Apple's and some of Intel's do)."""
    return x.double() if x.device.type in ("cpu", "cuda") else x.cpu().double()


@torch.no_grad()
def mean_image_error(images: Tensor) -> float:
    """The mean squared error of always answering with the mean of uint8 images (N, C, H, W), pixels in [0, 1]."""
    total = sum(to_float(x).double().sum(0) for x in images.split(BATCH))
    mean = total / len(images)
    return sum((to_float(x).double() - mean).square().sum().item() for x in images.split(BATCH)) / images.numel()


def errors(model: AEVQ, images: Tensor, latents: Tensor | None = None) -> tuple[dict[str, float], Health | None]:
    """Mean squared errors over all pixels of uint8 images (N, C, H, W), pixels in [0, 1], in one pass.

    Their latents, if they are known, need not be computed again.

    Returns:
        ``mse`` of the reconstructions and, with vectors, ``quantized_mse`` of images decoded from the codebook,
        D(codebook[indices]) (figure 4.4); the codebook's health, or None without vectors.
    """
    usage = None if model.codebook is None else Usage(model.codebook.detach())
    sums = {"mse": 0.0} | ({} if usage is None else {"quantized_mse": 0.0})
    for i, x in enumerate(batches(images)):
        x = x.to(model.dimension_effect.device)
        z = model.encode(x) if latents is None else latents[BATCH * i : BATCH * (i + 1)]
        sums["mse"] += _squared_error(model.render(z), x)
        if usage:
            q, indices, _ = model.quantize(z)
            sums["quantized_mse"] += _squared_error(model.decode(q), x)
            usage.add(z, indices)
    return {name: value / images.numel() for name, value in sums.items()}, usage and usage.health()


def _squared_error(pictures: Tensor, x: Tensor) -> float:
    return exact(pictures - x).square().sum().item()


def psnr(error: float) -> float:
    """Peak signal-to-noise ratio in dB of a mean squared error of pixels in [0, 1], at most 100 dB."""
    return -10 * math.log10(max(error, 1e-10))


@torch.no_grad()
def ssim(model: Callable[[Tensor], Tensor], images: Tensor) -> float:
    """Mean structural similarity of the reconstructions, pixels in [0, 1] (torchmetrics; windows of 11 pixels)."""
    from torchmetrics.functional.image import structural_similarity_index_measure as similarity

    return sum(
        similarity(model(x), x, data_range=1.0, reduction="sum").item()  # pyright: ignore[reportAttributeAccessIssue]
        for x in batches(images, 500)
    ) / len(images)


@torch.no_grad()
def latents(model: AEVQ, images: Tensor) -> Tensor:
    """Latents (N, D) or (N, D, h, w) of uint8 images (N, C, H, W)."""
    return torch.cat([model.encode(x) for x in batches(images)])


def accuracy(probability: Tensor, labels: Tensor) -> float:
    """The fraction of correct answers: probabilities (N, classes), classes (N,) → a number.

    For attributes 0 and 1 (N, classes), −1 where missing, it is the mean over the attributes.
    """
    if labels.ndim == 1:
        return (probability.argmax(1) == labels).float().mean().item()
    known, right = labels >= 0, (probability >= 0.5) == labels.bool()
    return ((right & known).sum(0) / known.sum(0)).mean().item()


def majority(train: Tensor, test: Tensor) -> float:
    """The accuracy of the most frequent training label as the only answer; labels as for :func:`accuracy`."""
    if train.ndim == 1:
        return (test == train[train >= 0].mode().values).float().mean().item()
    known = train >= 0
    share = ((train == 1).sum(0) / known.sum(0)).expand(len(test), -1)
    return accuracy(share, test)


def probes(train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor]) -> dict[str, float]:
    """How much the latents tell about the classes: the accuracy of a linear probe and of ten nearest neighbours.

    Args:
        train: vectors (N, D) and labels as for :func:`accuracy`.
        test: vectors and labels to measure the accuracy on.

    Returns:
        ``linear``, ``neighbours`` and, for comparison, ``majority``; for attributes, the mean over them.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.multioutput import MultiOutputClassifier
    from sklearn.neighbors import KNeighborsClassifier

    (z, y), (z_test, y_test) = train, test
    mean, scale = z.mean(0), z.std(0).clamp_min(1e-6)
    z, z_test = ((z - mean) / scale).numpy(), ((z_test - mean) / scale).numpy()
    several = y.ndim > 1
    probe = LogisticRegression(max_iter=200, C=0.1)
    probe = MultiOutputClassifier(probe) if several else probe
    results, complete = {"majority": majority(y, y_test)}, (y.view(len(y), -1) >= 0).all(1).numpy()
    for name, model in (("linear", probe), ("neighbours", KNeighborsClassifier(min(10, len(z))))):
        answer = torch.as_tensor(model.fit(z[complete], y.numpy()[complete]).predict(z_test))
        results[name] = accuracy(answer.float(), y_test) if several else (answer == y_test).float().mean().item()
    return results


class Frechet:
    """The classifier Fréchet distance, between Gaussians in the features of a classifier of the same data set.

    The formula is that of FID (torchmetrics). The features are not Inception's, so the numbers cannot be compared.

    Args:
        features: images (B, C, H, W) in [0, 1] → (B, size).
        size: the number of features.
        images: the reference images, uint8 (N, C, H, W).
    """

    def __init__(self, features: Callable[[Tensor], Tensor], size: int, images: Tensor):
        from torchmetrics.image.fid import FrechetInceptionDistance

        class Features(nn.Module):
            num_features = size

            def forward(self, x: Tensor) -> Tensor:
                return features(x)

        self.metric = FrechetInceptionDistance(
            feature=Features(), reset_real_features=False, sync_on_compute=False
        )  # only one of several processes measures
        for x in batches(images):
            self.metric.update(x, real=True)

    def __call__(self, pictures: Iterable[Tensor]) -> float:
        """The distance of batches of images (B, C, H, W) in [0, 1] from the reference images; NaN if some are NaN."""
        self.metric.reset()
        for x in pictures:
            if not x.isfinite().all():
                return math.nan  # torch.linalg.eigvals would end the process
            self.metric.update(x, real=False)
        return self.metric.compute().item()


def mean_distance(z: Tensor, other: Tensor) -> float:
    """The mean Euclidean distance of latents or vectors (N, D) from others (N, D), or from a single point (D,)."""
    return (z - other).norm(dim=1).mean().item()


@torch.no_grad()
def dimension_effect(model: AEVQ, z: Tensor, shift: Tensor) -> Tensor:
    """For each dimension (D,), the mean squared change of the image when it is shifted by plus or minus ``shift`` (D,).

    z are latents (B, D), or grids (B, D, h, w), in which the dimension is shifted in every cell.
    """
    start = model.decode(z)  # (B, C, H, W)
    effect = torch.zeros(z.shape[1])
    for d in range(z.shape[1]):
        for amount in (-shift[d], shift[d]):
            shifted = z.clone()
            shifted[:, d] += amount
            effect[d] += (model.decode(shifted) - start).square().mean().cpu() / 2
    return effect
