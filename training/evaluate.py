"""Measure a trained model on a whole test split."""

import copy
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from aevq_hub import AEVQ
from aevq_hub.latent_space import STRONGEST

from . import geometry, grids, metrics
from .data import Labelled, labelled, load
from .fit_prior import codes
from .metrics import PROBED, batches
from .reference_classifier import FEATURES, ReferenceClassifier
from .rows import Source

GAINS = 300  # images at which the decoder's gain is measured
SHEETS = 3000  # images that sheets start from: each is decoded 39 times


@dataclass(frozen=True)
class Benchmark:
    """The images, labels and classifier that all models of a data set are measured with.

    Without labels, those from ``labels`` to ``frechet`` are None; with a single image, ``frechet`` is.
    """

    images: Tensor  # uint8 (N, C, H, W)
    labels: Tensor | None = None  # their classes (N,), −1 where unknown; None with attributes
    labelled: tuple[Labelled, Labelled] | None = None  # labelled images to learn from and to test on
    classifier: ReferenceClassifier | None = None  # the reference classifier
    frechet: metrics.Frechet | None = None  # the classifier Fréchet distance from the images
    sheets: int = SHEETS  # images that sheets start from
    draws: bool = True  # whether to measure what a prior draws, which takes minutes

    @classmethod
    def of(cls, source: Source, images: Tensor, labels: Tensor | None, *, progress: bool = True) -> "Benchmark":
        """The benchmark of a data set, on some of its images."""
        if not source.dataset.class_names:
            return cls(images)
        classifier = ReferenceClassifier(source, progress=progress)
        frechet = metrics.Frechet(classifier.features, FEATURES, images) if len(images) > 1 else None
        classes = None if labels is None or source.dataset.multi_label or not (labels >= 0).any() else labels
        return cls(images, classes, labelled(source), classifier, frechet)


def evaluate(
    model: AEVQ, source: Source, *, sheets: int = SHEETS, draws: bool = True, progress: bool = True
) -> dict:  # fmt: skip
    """Measure a model in evaluation mode on the test split of a data set.

    Args:
        model: the model.
        source: the data set.
        sheets: the number of images that sheets start from.
        draws: whether to measure what a prior over grids draws, which takes minutes.
        progress: whether to show progress bars.

    Returns:
        The results of :func:`measure`; with labels, ``probes`` (:func:`metrics.probes`, for a grid on the mean of its
        cells); with a prior, ``copying`` (:func:`grids.copying`).

    Raises:
        ValueError: the images of the data set do not fit the model.
    """
    c, d = model.config, source.dataset
    if (c.image_size, c.channels) != (d.size, d.channels):
        raise ValueError(
            f"{c.name} takes {c.channels} × {c.image_size} × {c.image_size}, but {source.name} has "
            f"{d.channels} × {d.size} × {d.size}"
        )
    test = load(source, "test", progress=progress)
    benchmark = replace(Benchmark.of(source, test.images, test.labels, progress=progress), sheets=sheets, draws=draws)
    results = measure(model, benchmark)
    if benchmark.labelled:
        (learn, y), (others, y_others) = ((s.images[:PROBED], s.labels[:PROBED]) for s in benchmark.labelled)
        results["probes"] = metrics.probes((_vectors(model, learn), y), (_vectors(model, others), y_others))
    if model.config.prior_blocks and draws:
        train = codes(model, load(source, "train").images)
        results["copying"] = grids.copying(model, train, codes(model, test.images[: grids.SEARCHED_FOR]))
    return results


@torch.no_grad()
def measure(model: AEVQ, benchmark: Benchmark) -> dict:
    """Measure a model in evaluation mode with a benchmark.

    Returns:
        Results by name.
        Always: ``mse``, ``psnr`` (dB) and ``ssim`` of the reconstructions, and ``latents``, their
        :func:`geometry.shape`.
        With vectors: ``distance_in_spreads``, the mean distance to the nearest one over the spread of the latents;
        ``quantized_mse`` and ``quantized_psnr`` of images decoded from the codebook; ``codebook``, its health and the
        share of each vector; for grids, ``twenty``, the use of codes as in the paper's appendix A.1.
        If the model's sampler is fitted and its latents are single vectors: ``gain`` and ``sheets`` (:mod:`geometry`).
        With a prior over grids: ``likelihood`` (:func:`grids.likelihoods`).
        With labels and single vectors: ``score``, by which recipes and seeds are chosen: the Fréchet distance of a
        Gaussian's images plus that of the sheets along principal directions. It was fixed before the searches, which
        consider recipes whose error is at most twice the best. It does not depend on the latents' scale, origin and
        axes, and asks whether new latents decode to pictures like the data's.
        With labels: ``frechet``, classifier Fréchet distances; ``kept``, the share of answers that noise preserves;
        ``classifier``, the accuracy of the reference classifier and how sure it is of the test images;
        ``accuracy`` of the model's own classifier and ``majority`` of the majority vote.
    """
    model = copy.deepcopy(model).to(memory_format=torch.channels_last)  # fewer conversions between layouts
    z = metrics.latents(model, benchmark.images)
    (errors, health), ssim = metrics.errors(model, benchmark.images, z), metrics.ssim(model, benchmark.images)
    results: dict = {"mse": errors["mse"], "psnr": metrics.psnr(errors["mse"]), "ssim": ssim}
    results["latents"] = geometry.shape(z.movedim(1, -1).flatten(0, -2))
    if health:
        error = errors["quantized_mse"]
        distances = torch.cat([model.quantize(part)[2].flatten() for part in z.split(metrics.BATCH)])
        if health.spread:  # else all latents are in one place
            results["distance_in_spreads"] = distances.mean().item() / health.spread
        results |= {"quantized_mse": error, "quantized_psnr": metrics.psnr(error)}
        results["codebook"] = health.record()
        if model.config.grid_size:
            results["twenty"] = twenty(model.quantize(z[:20])[1])
    classifier = benchmark.classifier
    if model.sampler.fitted:
        results |= _pictures(model, benchmark, z, geometry.Frame.of(model, z))
    if classifier is None:
        return results
    if model.head is not None and benchmark.labelled:
        learn, test = benchmark.labelled
        answers = torch.cat([model.classify(x) for x in metrics.batches(test.images)])
        results["accuracy"] = metrics.accuracy(answers, test.labels)
        results["majority"] = metrics.majority(learn.labels, test.labels)
    certain = torch.cat([classifier.sure(x) for x in metrics.batches(benchmark.images)]).mean().item()
    return {**results, "classifier": {"accuracy": classifier.accuracy, "sure": certain}}


def _pictures(model: AEVQ, benchmark: Benchmark, z: Tensor, frame: geometry.Frame) -> dict:
    """Measure pictures of changed and new latents; z are the latents (N, …) of the benchmark's images."""
    classifier, distance, results = benchmark.classifier, benchmark.frechet, {}
    single = not model.config.grid_size
    if single:
        sure = classifier.sure if classifier else None
        starts = z[:: max(1, len(z) // benchmark.sheets)][: benchmark.sheets]  # MNIST's first test images are cleaner
        results["gain"] = geometry.gain(model, starts[:GAINS], frame.directions[:STRONGEST])
        results["sheets"] = geometry.sheets(model, sure, distance, starts, frame)
    indices = model.quantize(z)[1] if model.config.prior_blocks else None
    if indices is not None:
        results["likelihood"] = grids.likelihoods(model, indices)
    if classifier:
        results["kept"] = geometry.kept(model, classifier.answers, z, frame)
    if distance:
        samples = {
            "reconstructions": (model.render(part) for part in z.split(metrics.BATCH)),
            **({"gaussian": geometry.gaussian(model, len(z), frame)} if single else {}),
            **geometry.midpoints(model, z, benchmark.labels),
        }
        if indices is None:
            drawn = model.sample_latents(len(z), seed=0).split(metrics.BATCH)
            samples["samples"] = (model.decode(part) for part in drawn)
        elif benchmark.draws:
            samples |= grids.pictures(model, indices, len(z))
        results["frechet"] = {name: distance(batches) for name, batches in samples.items()}
        if single:
            results["score"] = results["frechet"]["gaussian"] + results["sheets"]["directions"]["frechet"]
    return results


def twenty(indices: Tensor) -> dict[str, float]:
    """How twenty images use the codes, as in appendix A.1 of the paper: indices (20, h, w) → numbers.

    Returns:
        ``codes``, the number of different codes; ``perplexity`` over all cells; ``per_image``, the mean number of
        different codes in an image; ``corner``, the number of different codes in the top-left cells.
    """
    share = indices.flatten().bincount().double() / indices.numel()
    return {
        "codes": len(indices.unique()),
        "perplexity": torch.special.entr(share).sum().exp().item(),
        "per_image": sum(len(image.unique()) for image in indices) / len(indices),
        "corner": len(indices[:, 0, 0].unique()),
    }


def _vectors(model: AEVQ, images: Tensor) -> Tensor:
    means = (model.encode(x).flatten(2).mean(2) if model.config.grid_size else model.encode(x) for x in batches(images))
    return torch.cat(list(means))  # (N, D)
