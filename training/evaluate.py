"""The numbers of a trained model, measured on a whole test split."""

import torch

from aevq_hub import AEVQ
from aevq_hub.pictures import DIMENSIONS

from . import metrics
from .data import Source, load
from .judge import Judge

EFFECT_IMAGES = 100  # images whose latents the dimensions' effect is measured on


def evaluate(model: AEVQ, source: Source, *, progress: bool = True) -> dict:
    """Measure a model on the test split.

    Args:
        model: in evaluation mode.
        source: the data set it was trained on.
        progress: whether to show bars.

    Returns:
        ``mse`` and ``psnr`` (dB) of the reconstructions; ``spread``, the latents' mean distance to their own mean;
        with vectors ``distance_to_vector``, the latents' mean distance to the nearest; with class labels also
        ``changed``, ``changed_surely`` and ``sure`` (:func:`metrics.transitions`) and the ``classifier_accuracy``
        of the classifier these three rest on.

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
    judge = Judge(source, progress=progress) if d.class_names else None
    return measure(model, images, judge, images, progress=progress)


def measure(
    model: AEVQ, images: torch.Tensor, judge: Judge | None, turned: torch.Tensor, *, progress: bool = False
) -> dict:
    """What :func:`evaluate` returns, of any images.

    Args:
        model: in evaluation mode.
        images: uint8 (N, C, H, W).
        judge: a classifier of them, or None.
        turned: those of them that transitions are looked for in.
        progress: whether to show a bar.
    """
    error, z = metrics.mse(model, images), metrics.latents(model, images)
    results = {"mse": error, "psnr": metrics.psnr(error), "spread": metrics.mean_distance(z, z.mean(0))}
    if model.codebook is not None:
        results["distance_to_vector"] = metrics.nearest_distance(z, model.codebook)
    if judge is not None:
        dims = model.ranked_dimensions()[:DIMENSIONS]
        results |= metrics.transitions(model, judge, turned, dims, progress=progress)
        results["classifier_accuracy"] = judge.accuracy
    return results
