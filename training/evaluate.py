"""Measure a trained model on a whole test split."""

from dataclasses import dataclass

import torch
from torch import Tensor

from aevq_hub import AEVQ
from aevq_hub.pictures import DIMENSIONS
from aevq_hub.registry import VARIANTS

from . import metrics
from .data import Labelled, labelled, load
from .metrics import PROBED, batches
from .reference_classifier import FEATURES, ReferenceClassifier
from .rows import Source

SHIFTED = 500  # test images that class changes are measured on: each is decoded 130 times


@dataclass(frozen=True)
class Benchmark:
    """The images, labels and classifier that all models of a data set are measured with.

    Without labels, the last three are None; with a single image, ``frechet`` is.
    """

    images: Tensor  # uint8 (N, C, H, W)
    shifted: Tensor  # images to measure class changes on
    labelled: tuple[Labelled, Labelled] | None = None  # labelled images to learn from and to test on
    classifier: ReferenceClassifier | None = None  # the reference classifier
    frechet: metrics.Frechet | None = None  # the classifier Fréchet distance from the images

    @classmethod
    def of(cls, source: Source, images: Tensor, shifted: Tensor, *, progress: bool = True) -> "Benchmark":
        """The benchmark of a data set, on some of its images."""
        if not source.dataset.class_names:
            return cls(images, shifted)
        classifier = ReferenceClassifier(source, progress=progress)
        frechet = metrics.Frechet(classifier.features, FEATURES, images) if len(images) > 1 else None
        return cls(images, shifted, labelled(source), classifier, frechet)


def evaluate(model: AEVQ, source: Source, *, progress: bool = True) -> dict:
    """Measure a model in evaluation mode on the test split of a data set.

    Returns:
        The results of :func:`measure` and, with labels, ``probes`` (:func:`metrics.probes`, for a grid on the mean of
        its cells).

    Raises:
        ValueError: the images of the data set do not fit the model.
    """
    c, d = model.config, source.dataset
    if (c.image_size, c.channels) != (d.size, d.channels):
        raise ValueError(
            f"{c.name} takes {c.channels} × {c.image_size} × {c.image_size}, but {source.name} has "
            f"{d.channels} × {d.size} × {d.size}"
        )
    images = load(source, "test", progress=progress).images
    benchmark = Benchmark.of(source, images, images[:SHIFTED], progress=progress)
    results = measure(model, benchmark, progress=progress)
    if benchmark.labelled:
        (learn, y), (test, y_test) = ((s.images[:PROBED], s.labels[:PROBED]) for s in benchmark.labelled)
        results["probes"] = metrics.probes((_vectors(model, learn), y), (_vectors(model, test), y_test))
    return results


@torch.no_grad()
def measure(model: AEVQ, benchmark: Benchmark, *, progress: bool = False) -> dict:
    """Measure a model in evaluation mode with a benchmark.

    Returns:
        Results by name.
        Always: ``mse``, ``psnr`` (dB) and ``ssim`` of the reconstructions, and ``spread``, the mean distance of the
        latents (or the cells of a grid) to their mean.
        With vectors: ``distance_to_vector``, the mean distance to the nearest one; ``quantized_mse`` and
        ``quantized_psnr`` of images decoded from the codebook; ``codebook``, its health and the share of each vector.
        With labels: ``frechet``, the classifier Fréchet distances (:func:`metrics.frechet`, if the model's sampler is
        fitted); ``classifier_accuracy`` of the reference classifier; :func:`metrics.transitions` for variants that
        measure them; ``accuracy`` of the model's own classifier and ``majority`` of the majority vote.
    """
    errors, health = metrics.errors(model, benchmark.images)
    z, ssim = metrics.latents(model, benchmark.images), metrics.ssim(model, benchmark.images)
    cells = z.movedim(1, -1).flatten(0, -2)  # the cells of grids, or the latents themselves
    results: dict = {"mse": errors["mse"], "psnr": metrics.psnr(errors["mse"]), "ssim": ssim}
    results["spread"] = metrics.mean_distance(cells, cells.mean(0))
    if health:
        error = errors["quantized_mse"]
        distances = torch.cat([model.quantize(part)[2].flatten() for part in z.split(metrics.BATCH)])
        results["distance_to_vector"] = distances.mean().item()
        results |= {"quantized_mse": error, "quantized_psnr": metrics.psnr(error)}
        results["codebook"] = health.record()
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
