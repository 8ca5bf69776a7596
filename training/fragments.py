"""Why the codes of a grid describe fragments and not meaning: an experiment on the paper's open question (section 5).

Grids of 1, 2, 4 and 7 cells per side are trained with a decoder that receives the latents or the codes, and with or
without global attention in the decoder. What a code tells about the class is measured for each.

The rule for the verdict was fixed before the first measurement (:func:`verdict`).
"""

import itertools
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean

import torch
from torch import Tensor

from aevq_hub import AEVQ, AEVQConfig
from aevq_hub.measures import Lines, over_seeds

from . import fit_prior, fit_sampler, grids, metrics
from .code_meaning import bag, information, one_hot, probe, swapped
from .data import load, training_labels
from .evaluate import Benchmark
from .parallel import record_rows
from .recipe import Recipe
from .recipes import configure, recipe_for
from .rows import Source
from .tables import recorded_rows
from .trainer import Trainer

FILE, PICTURE = "fragments.json", "fragments.png"  # in the folder of models
WIDTHS = {7: "32x64", 4: "32x64x128", 2: "32x64x128x128", 1: "32x64x128x128x128"}  # by the grid's side, for 28 pixels
FED_BY = {"encoder": "vqae", "codebook": "vqvae"}  # what the decoder receives, and whose objective that is
DECODERS = {"local": "grid", "global": "grid-attention"}  # and their networks
LATENT_DIM, NUM_CODES = 64, 100
SAMPLED, TESTED, PROBED = 2000, 5000, 10_000  # pictures drawn, test images, and grids that probes learn from
PRIOR = {"width": 64, "blocks": 4, "dilation": 1}  # smaller than that of a release
# the heading, the format and the meaning of each measure
MEASURED = {
    "information": ("information", "{:.3f}", "what the code of a random cell tells about the class, in bits"),
    "bag": ("bag of codes", "{:.1%}", "accuracy of a linear probe on how often each code occurs"),
    "grid": ("whole grid", "{:.1%}", "accuracy of a linear probe on the code of each cell"),
    "own": ("own cell", "{:.0%}", "share of a swapped code's change in the pixels that the cell covers"),
    "area": ("area", "{:.1%}", "share of the picture that a swapped code changes"),
    "bits": ("bits", "{:.1f}", "per test image, under the prior"),
    "samples": ("samples", "{:.1f}", "classifier Fréchet distance of what the prior draws"),
    "reconstructions": ("reconstructions", "{:.1f}", "classifier Fréchet distance of pictures decoded from codes"),
    "mse": ("MSE", "{:.4f}", "of the pictures decoded from codes"),
    "perplexity": ("perplexity", "{:.1f}", "how many equally used codes would be as varied"),
}
FEW_CODES = 10  # codes in use, as their perplexity, below which a training has collapsed
SMALL, FIVEFOLD = 0.05, 5  # bits; the ratio of the information at 2 × 2 and at 7 × 7 cells


@dataclass(frozen=True)
class Case:
    """One training of the experiment."""

    dataset: str
    side: int  # cells per side, a key of WIDTHS
    fed_by: str  # a key of FED_BY
    decoder: str  # a key of DECODERS
    seed: int


@dataclass(frozen=True)
class Length:
    """How long each training is."""

    images: int = 10_000  # training images
    epochs: int = 8
    prior_epochs: int = 6


def cases(datasets: list[str], seeds: int) -> list[Case]:
    """All trainings of the experiment, those of a seed after those of the seed before."""
    rest = itertools.product(range(seeds), datasets, WIDTHS, FED_BY, DECODERS)
    return [Case(dataset, side, fed_by, decoder, seed) for seed, dataset, side, fed_by, decoder in rest]


def experiment(
    sources: list[Source], seeds: int, path: Path, length: Length | None = None, *, jobs: int = 1, device: str = "cpu",
    progress: bool = True,
) -> list[dict]:  # fmt: skip
    """Train and measure all cases, and append a row for each to a JSON file; finished ones are not trained again.

    Args:
        sources: labelled data sets of 28 pixels.
        seeds: trainings of each case.
        path: the JSON file.
        length: how long each training is.
        jobs: the number of parallel trainings, which share the threads equally.
        device: where to train.
        progress: whether to show a progress bar.

    Returns:
        The rows of trainings of this length.

    Raises:
        ValueError: a data set of another size, or without one class per image.
    """
    length = length or Length()
    for source in sources:
        if source.dataset.size != 28:
            raise ValueError(f"{source.name} has {source.dataset.size} pixels; the experiment's grids are for 28")
        if source.dataset.multi_label or not source.dataset.class_names:
            raise ValueError(f"{source.name} has no single class per image, which the experiment needs")
        Benchmark.of(source, load(source, "test").images, None)  # decode and train the classifier once, before all else
    done = {Case(**row["case"]) for row in _rows(path, length)}
    by_name = {source.name: source for source in sources}
    todo = [case for case in cases(list(by_name), seeds) if case not in done]
    tasks = [(case, by_name[case.dataset], length, device) for case in todo]
    record_rows(train_case, tasks, path, jobs=jobs, progress=progress)
    return _rows(path, length)


def _rows(path: Path, length: Length) -> list[dict]:
    return [row for row in recorded_rows(path) if row["length"] == asdict(length)]


def train_case(case: Case, source: Source, length: Length, device: str, threads: int) -> dict:
    """Train and measure one case: the row of the experiment's file."""
    torch.set_num_threads(threads)
    images, labels = load(source, "train").images[: length.images], training_labels(source)
    assert labels is not None
    recipe = recipe_of(case, length)
    trainer = Trainer(config_of(case, source, recipe), recipe, device)
    while not trainer.finished:
        trainer.run_epoch(images)
    model = trainer.model.cpu().eval()
    fit_sampler.fit(model, images)
    train = fit_prior.codes(model, images)
    how = {"precision": recipe.precision, **PRIOR, "progress": False}
    model, _ = fit_prior.add_prior(model, train, length.prior_epochs, case.seed, **how)
    test = load(source, "test")
    assert test.labels is not None
    step = max(1, len(test) // TESTED)  # the first images of MNIST are cleaner than the others
    x, y = test.images[::step], test.labels[::step]
    frechet = Benchmark.of(source, x, None, progress=False).frechet
    assert frechet is not None
    results = measure(model, (train, labels[: len(images)]), (x, y), frechet)
    return {"case": asdict(case), "length": asdict(length), "results": results}


def recipe_of(case: Case, length: Length) -> Recipe:
    """The recipe of a case: that of `vqae` or `vqvae`, with smaller vectors and a shorter training."""
    early = min(200, length.epochs * -(-length.images // Recipe().batch_size) // 4)  # steps
    fed = {"ramp_steps": early} if case.fed_by == "encoder" else {"feed_steps": early}
    return recipe_for(
        FED_BY[case.fed_by], case.dataset, latent_dim=LATENT_DIM, num_codes=NUM_CODES, widths=WIDTHS[case.side],
        warmup_steps=early, **fed, refit_epochs=0, restart_steps=100, restart_share=0.1, learning_rate=2e-3,
        schedule="cosine", output_start="mean", precision="bf16", epochs=length.epochs, prior_epochs=0, seed=case.seed,
    )  # fmt: skip


def config_of(case: Case, source: Source, recipe: Recipe) -> AEVQConfig:
    """The configuration of a case's model."""
    config = configure(FED_BY[case.fed_by], source.name, source.dataset, recipe)
    assert config.grid_size == case.side
    return replace(config, network=DECODERS[case.decoder])


@torch.no_grad()
def measure(
    model: AEVQ, train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], frechet: metrics.Frechet
) -> dict[str, float]:
    """Measure a model with a prior.

    Args:
        model: the model.
        train: grids of codes (N, h, w) and their classes (N,), from which probes learn.
        test: images, uint8 (M, C, H, W), and their classes (M,).
        frechet: the distance from the test images.

    Returns:
        The measures of ``MEASURED``.
    """
    (images, y), size = test, model.config.num_codes
    indices, learn = fit_prior.codes(model, images), tuple(x[:PROBED] for x in train)
    share = indices.flatten().bincount(minlength=size).double() / indices.numel()
    pairs = zip(_decoded(model, indices), metrics.batches(images), strict=True)
    drawn = model.grids.sample_indices(SAMPLED, torch.Generator().manual_seed(0))
    return {
        "information": information(indices, y, size),
        "bag": probe(bag(learn[0], size), learn[1], bag(indices, size), y),
        "grid": probe(one_hot(learn[0], size), learn[1], one_hot(indices, size), y),
        **swapped(model, indices),
        "bits": grids.likelihoods(model, indices)["bits"],
        "samples": frechet(_decoded(model, drawn)),
        "reconstructions": frechet(_decoded(model, indices)),
        "mse": sum((x_hat - x).square().sum().item() for x_hat, x in pairs) / images.numel(),
        "perplexity": torch.special.entr(share).sum().exp().item(),
    }


def _decoded(model: AEVQ, indices: Tensor) -> Iterator[Tensor]:
    return map(model.decode_indices, indices.split(metrics.BATCH))


def verdict(rows: list[dict]) -> dict[str, float | bool]:
    """What the rows of one data set say about the open question.

    The rule was fixed before measuring: if the feed changes the information by less than 0.05 bit at every size, while
    going from 7 × 7 to 2 × 2 cells raises it at least fivefold, however the decoder is fed and built, then rate and
    locality explain that codes are fragments, and the feed does not.

    Returns:
        ``feed``, the largest difference in bits between the two feeds at one size, means over decoders and seeds;
        ``ratio``, the smallest ratio of the information at 2 × 2 and at 7 × 7 cells; ``attention``, the largest
        difference between the two decoders; ``explained``, whether the rule is met; ``rise``, the smallest difference
        in bits between 2 × 2 and 7 × 7 cells; ``collapsed``, the number of trainings that use fewer than ten codes.
    """

    def bits(**case) -> float:
        return mean(row["results"]["information"] for row in rows if case.items() <= row["case"].items())

    def difference(setting: str, one: str, other: str) -> float:
        return max(abs(bits(side=side, **{setting: one}) - bits(side=side, **{setting: other})) for side in WIDTHS)

    kinds = [{"fed_by": fed_by, "decoder": decoder} for fed_by in FED_BY for decoder in DECODERS]
    feed, ratio = difference("fed_by", *FED_BY), min(bits(side=2, **kind) / bits(side=7, **kind) for kind in kinds)
    return {
        "feed": feed, "ratio": ratio, "attention": difference("decoder", *DECODERS),
        "explained": feed < SMALL and ratio >= FIVEFOLD,
        "rise": min(bits(side=2, **kind) - bits(side=7, **kind) for kind in kinds),
        "collapsed": sum(row["results"]["perplexity"] < FEW_CODES for row in rows), "trainings": len(rows),
    }  # fmt: skip


def table(rows: list[dict]) -> Lines:
    """The rows of one data set, one line per kind of model, means ± standard deviations over the seeds."""
    lines = []
    for side, fed_by, decoder in itertools.product(WIDTHS, FED_BY, DECODERS):
        kind = {"side": side, "fed_by": fed_by, "decoder": decoder}
        found = [row["results"] for row in rows if kind.items() <= row["case"].items()]
        if found:
            line = {"cells": f"{side} × {side}", "fed by": fed_by, "decoder": decoder}
            lines.append(line | {heading: over_seeds([one[key] for one in found if key in one], form)
                                 for key, (heading, form, _) in MEASURED.items()})  # fmt: skip
    return lines
