"""The numbers of a trained model, measured on a whole test split."""

from dataclasses import dataclass

import torch
from torch import Tensor

from aevq_hub import AEVQ
from aevq_hub.pictures import DIMENSIONS
from aevq_hub.registry import VARIANTS

from . import metrics
from .data import Labelled, Source, labelled, load
from .metrics import batches
from .reference_classifier import FEATURES, ReferenceClassifier


@dataclass(frozen=True)
class Benchmark:
    """What models of one data set are measured with: images, labels and a classifier.

    Attributes:
        images: uint8 (N, C, H, W).
        shifted: those of them that transitions are looked for in.
        labelled: images with labels to fit probes on and to measure them on; None without labels.
        classifier: a classifier of the images; None without labels.
        frechet: the classifier Fréchet distance from the images; None without labels.
    """

    images: Tensor
    shifted: Tensor
    labelled: tuple[Labelled, Labelled] | None = None
    classifier: ReferenceClassifier | None = None
    frechet: metrics.Frechet | None = None

    @classmethod
    def of(cls, source: Source, images: Tensor, shifted: Tensor, *, progress: bool = True) -> "Benchmark":
        """The scale for images of a data set."""
        if not source.dataset.class_names:
            return cls(images, shifted)
        classifier = ReferenceClassifier(source, progress=progress)
        return cls(
            images, shifted, labelled(source), classifier, metrics.Frechet(classifier.features, FEATURES, images)
        )


def evaluate(model: AEVQ, source: Source, *, progress: bool = True) -> dict:
    """Measure a model on the test split.

    Args:
        model: in evaluation mode.
        source: the data set it was trained on.
        progress: whether to show bars.

    Returns:
        What :func:`measure` returns and, with labels, ``probes`` (:func:`metrics.probes`; of a grid, on the mean of its
        cells).

    Raises:
        ValueError: the model takes other images than the data set gives.
    """
    c, d = model.config, source.dataset
    if (c.image_size, c.channels) != (d.size, d.channels):
        raise ValueError(
            f"{c.name} takes {c.channels} × {c.image_size} × {c.image_size}, {source.name} gives "
            f"{d.channels} × {d.size} × {d.size}"
        )
    images = load(source, "test", progress=progress).images
    benchmark = Benchmark.of(source, images, images, progress=progress)
    results = measure(model, benchmark, progress=progress)
    if benchmark.labelled:
        learn, test = ((_vectors(model, split.images), split.labels) for split in benchmark.labelled)
        results["probes"] = metrics.probes(learn, test)
    return results


@torch.no_grad()
def measure(model: AEVQ, benchmark: Benchmark, *, progress: bool = False) -> dict:
    """Measure a model.

    Args:
        model: in evaluation mode.
        benchmark: what to measure it with.
        progress: whether to show a bar.

    Returns:
        ``mse``, ``psnr`` (dB) and ``ssim`` of the reconstructions; ``spread``, the mean distance of the latents (of a
        grid: the cells) to their own mean; with vectors ``distance_to_vector``, the mean distance to the nearest,
        ``quantized_mse`` and ``quantized_psnr`` of the pictures drawn from the codebook, and ``codebook``, its health
        with the share of each vector; with labels
        ``frechet``, the classifier Fréchet distances (:func:`metrics.frechet`, if the model's sampler is fitted), and
        the ``classifier_accuracy`` of the classifier that measures; for `center` and its baseline
        :func:`metrics.transitions`; for a model that classifies its own ``accuracy`` and the ``majority`` vote's.
    """
    error, z = metrics.mse(model, benchmark.images), metrics.latents(model, benchmark.images)
    ssim = metrics.ssim(model, benchmark.images)
    cells = z.movedim(1, -1).flatten(0, -2)  # of a grid; else the latents themselves
    results: dict = {"mse": error, "psnr": metrics.psnr(error), "ssim": ssim}
    results["spread"] = metrics.mean_distance(cells, cells.mean(0))
    if model.codebook is not None:
        error = metrics.quantized_mse(model, benchmark.images)
        distances = torch.cat([model.quantize(part)[2].flatten() for part in z.split(metrics.BATCH)])
        results["distance_to_vector"] = distances.mean().item()
        results |= {"quantized_mse": error, "quantized_psnr": metrics.psnr(error)}
        health = metrics.health(model, benchmark.images)
        results["codebook"] = {**health.summary(), "share": health.rounded_share()}
    if benchmark.classifier is None:
        return results
    if benchmark.frechet and model.sampler.fitted:
        results["frechet"] = metrics.frechet(model, z, benchmark.frechet)
    if VARIANTS[model.config.variant].measures_transitions and not benchmark.classifier.multi_label:
        dims = model.ranked_dimensions()[:DIMENSIONS]
        results |= metrics.transitions(model, benchmark.classifier, benchmark.shifted, dims, progress=progress)
    if model.head is not None and benchmark.labelled:
        learn, test = benchmark.labelled
        answers = torch.cat([model.classify(x) for x in metrics.batches(test.images)])
        results["accuracy"] = metrics.accuracy(answers, test.labels)
        results["majority"] = metrics.majority(learn.labels, test.labels)
    return {**results, "classifier_accuracy": benchmark.classifier.accuracy}


def _vectors(model: AEVQ, images: Tensor) -> Tensor:
    means = (model.encode(x).flatten(2).mean(2) if model.config.grid_size else model.encode(x) for x in batches(images))
    return torch.cat(list(means))  # (N, D)
