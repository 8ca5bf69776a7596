"""The names, formats and explanations of all measurements, for cards, reports, search tables and the demo."""

from collections.abc import Iterable, Sequence
from statistics import mean, stdev
from typing import NamedTuple

from .codebook import DUPLICATE, IN_USE

Lines = list[dict[str, str]]  # a table: one dictionary per line, whose keys are the headings


class Measure(NamedTuple):
    """One number in the ``results`` of a ``history.json``."""

    short: str  # the heading of a column
    name: str  # the full name
    form: str  # the format, for str.format
    meaning: str  # an explanation that continues the name


SHEETS = {  # the sheets of geometry.sheets
    "directions": ("sheet", "±3 σ along ten principal directions"),
    "axes": ("axes", "±3 σ along the ten strongest dimensions"),
    "raw": ("raw", "±3 in raw units along the ten strongest dimensions"),
}
SHEET_MEASURES = {
    "frechet": (
        "Fréchet",
        "classifier Fréchet distance",
        "{:.1f}",
        "from the pictures of the sheets to the test images",
    ),
    "sure": ("sure", "sure pictures", "{:.1%}", "those that the classifier is sure of, or the share of attributes"),
    "sure_ends": ("sure ends", "sure pictures at the ends", "{:.1%}", "those at −3 and +3 that it is sure of"),
    "change": (
        "change",
        "change between the ends",
        "{:.3f}",
        "root mean squared difference of those at −3 and +3",
    ),
    "jump": ("jump", "jump", "{:.2f}", "largest of the twelve half-steps over their mean; 1 for an even change"),
}

A1 = "{} in the paper's A.1 (FashionMNIST, 7 × 7 cells)"
# keys are the places of the numbers in the results, with nested keys joined by dots
MEASURES = {key: Measure(*entry) for key, entry in {
    "mse": ("MSE", "mean squared error", "{:.5f}", "of the reconstructions, pixels in [0, 1]; lower is better"),
    "psnr": ("PSNR", "peak signal-to-noise ratio", "{:.2f} dB", "the mean squared error in decibels; higher is better"),
    "ssim": ("SSIM", "structural similarity", "{:.4f}", "of the reconstructions; 1 for equal images"),
    "quantized_mse": ("MSE from codes", "mean squared error from the codebook", "{:.5f}",
                      "of D(codebook[indices]): the decoder receives only the nearest vectors"),
    "quantized_psnr": ("PSNR from codes", "PSNR from the codebook", "{:.2f} dB", "this error in decibels"),
    "latents.participation": ("participation", "participation ratio of the latents", "{:.1f}",
                              "in about how many dimensions they lie: (Σλ)² / Σλ² of their covariance's eigenvalues"),
    "latents.variation": ("variation", "variation of the distance to the mean", "{:.2f}",
                          "standard deviation over mean; about 1 / √(2 D) for a Gaussian in D dimensions"),
    "latents.std": ("σ", "mean standard deviation of the latents", "{:.2f}",
                    "over the dimensions, in the latents' own, arbitrary units"),
    "distance_in_spreads": ("distance to vector", "distance to the nearest vector", "{:.2f}",
                            "mean over the latents, relative to their root mean squared distance to their mean"),
    "gain": ("change per σ", "change of the picture per σ", "{:.4f}",
             "root mean squared over the pixels, along the ten strongest principal directions"),
    "accuracy": ("accuracy", "accuracy", "{:.2%}", "of the model's own classifier"),
    "majority": ("majority", "accuracy of the majority vote", "{:.2%}", "of always giving the most frequent class"),
    "codebook.vectors": ("vectors", "vectors", "{}", "K, the size of the codebook"),
    "codebook.in_use": ("in use", "vectors in use", "{}", f"nearest to at least {IN_USE:.2%} of the test latents"),
    "codebook.dead": ("dead", "dead vectors", "{}", "nearest to no test latent"),
    "codebook.duplicates": ("duplicates", "duplicate vectors", "{}", "another vector lies within "
                            f"{DUPLICATE:.0%} of the latents' root mean squared distance to their mean"),
    "codebook.perplexity": ("perplexity", "perplexity", "{:.1f}",
                            "how many equally used vectors would share the latents as evenly; at most K"),
    "codebook.largest_share": ("largest share", "share of the most used vector", "{:.1%}", "of the test latents"),
    "codebook.nearest_distance": ("distance apart", "distance to the nearest other vector", "{:.2f}",
                                  "median, relative to the same root mean squared distance"),
    "twenty.codes": ("codes of twenty images", "codes that twenty test images use", "{}", A1.format(91)),
    "twenty.perplexity": ("perplexity of twenty images", "perplexity of their cells", "{:.1f}", A1.format(61.2)),
    "twenty.per_image": ("codes per image", "different codes per image", "{:.1f}",
                         f"mean over the twenty; {A1.format(24.3)}"),
    "twenty.corner": ("corner codes", "codes in their top-left cells", "{}", A1.format(1)),
    "frechet.reconstructions": ("Fréchet: reconstructions", "classifier Fréchet distance of reconstructions", "{:.1f}",
                                "to the test images, in the last hidden layer of a small classifier of the same data "
                                "set, so only comparable within that data set; lower is better"),
    "frechet.samples": ("Fréchet: samples", "classifier Fréchet distance of samples", "{:.1f}", "of "
                        "`model.sample`, to the test images"),
    "frechet.independent": ("Fréchet: independent cells", "… of grids with independent cells", "{:.1f}",
                            "to the test images, without the prior: each cell is drawn by its codes' frequencies"),
    "frechet.completed": ("Fréchet: completed", "… of completed pictures", "{:.1f}", "of 2,000 test images whose "
                          "left half is kept, to the test images; the prior draws the other cells"),
    "frechet.filled": ("Fréchet: filled independently", "… of those with independent cells", "{:.1f}",
                       "of these images if the other cells are drawn by their codes' frequencies"),
    "frechet.gaussian": ("Fréchet: Gaussian", "classifier Fréchet distance of a Gaussian's images", "{:.1f}",
                         "to the test images, decoded from N(μ, Σ) with the moments of the stored mixture"),
    "frechet.midpoints": ("Fréchet: mid-points", "classifier Fréchet distance of mid-points", "{:.1f}",
                          "to the test images, decoded half-way between the latents of two of them"),
    "frechet.within": ("mid-points within a class", "… within a class", "{:.1f}", "between images of the same class"),
    "frechet.between": ("mid-points between classes", "… between classes", "{:.1f}", "between images of two classes"),
    "likelihood.bits": ("bits", "bits per image", "{:.1f}", "−log2 of the probability of a test image's codes, one by "
                        "one in a random order"),
    "likelihood.independent": ("bits, independent", "bits per image with independent cells", "{:.1f}",
                               "of the codes by how often each occurs in its cell"),
    "copying.samples": ("cells unlike training", "cells in which samples differ from the nearest training image",
                        "{:.1f}", "mean over 500; far fewer than below would be copying"),
    "copying.test": ("… of test images", "cells in which test images do", "{:.1f}", "mean over 500"),
    "kept.half": ("kept, ½ spread", "answers kept under noise of half a spread", "{:.1%}",
                  "images whose class, or attributes, the classifier still finds after isotropic noise half as large "
                  "as the latents' distance to their mean"),
    "kept.one": ("kept, 1 spread", "answers kept under noise of a whole spread", "{:.1%}",
                 "the same after noise as large as that distance"),
    **{f"sheets.{name}.{key}": (f"{short}: {heading}", f"{title}: {full}", form, meaning)
       for name, (short, title) in SHEETS.items()
       for key, (heading, full, form, meaning) in SHEET_MEASURES.items()},
    "score": ("score", "score", "{:.1f}", "the sum of two classifier Fréchet distances, of a Gaussian's images "
              "and of the sheets along principal directions, by which recipes and seeds are chosen; lower is better"),
    "probes.linear": ("linear probe", "accuracy of a linear probe", "{:.1%}",
                      "classes, or attributes, that a linear classifier predicts from the latents"),
    "probes.neighbours": ("neighbours", "accuracy of ten nearest neighbours", "{:.1%}",
                         "classes, or attributes, that the ten nearest latents vote for"),
    "probes.majority": ("probe's majority", "accuracy of the probes' majority vote", "{:.1%}",
                        "of always giving the most frequent class"),
    "classifier.accuracy": ("classifier", "accuracy of the reference classifier", "{:.1%}",
                            "the classifier used for these measurements, on test images"),
    "classifier.sure": ("sure of test images", "sure of test images", "{:.1%}",
                        "those that the reference classifier is sure of: what a sheet can reach at most"),
}.items()}  # fmt: skip


def flat(results: dict, prefix: str = "") -> dict:
    """Nested results with their names joined by dots: {"codebook": {"in_use": 3}} → {"codebook.in_use": 3}."""
    pairs = {}
    for name, value in results.items():
        pairs |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return pairs


def written(results: dict, key: str) -> str:
    """A formatted measurement; a dash if it was not measured, or ``diverged`` if the training diverged.

    ``results`` are nested, as in ``history.json``; ``key`` is one of ``MEASURES``. With ``seeds``, as there, it is the
    mean of several trainings ± their standard deviation.
    """
    values, form = flat(results), MEASURES[key].form
    several = [found[key] for training in results.get("seeds", ()) if key in (found := training["results"])]
    if len(several) > 1:
        return over_seeds(several, form)
    return form.format(values[key]) if key in values else "diverged" if "error" in results else "–"


def over_seeds(values: Sequence[float], form: str) -> str:
    """The mean ± the standard deviation of a measurement over several seeds, in the format of one value."""
    if len(values) == 1:
        return form.format(values[0])
    if form == "{}":  # a count
        form = "{:.1f}" if stdev(values) else "{:.0f}"
    number, _, unit = form.partition("}")
    return f"{number}}} ± {number}}}{unit}".format(mean(values), stdev(values))


def as_lines(results: list[dict], keys: Iterable[str]) -> Lines:
    """The measurements of several models, one line each, without those that no model has."""
    measured = [flat(one) for one in results]
    shown = [key for key in keys if any(key in values for values in measured)]
    return [{MEASURES[key].short: written(one, key) for key in shown} for one in results]


def meanings(keys: Iterable[str]) -> str:
    """The meanings of columns, as a list in Markdown."""
    return "\n".join(f"- **{MEASURES[key].short}**: {MEASURES[key].meaning}" for key in keys)


def markdown_table(lines: Lines) -> str:
    """A table in Markdown."""
    head = list(lines[0])
    rows = [head, ["---"] * len(head), *(list(line.values()) for line in lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
