"""The names, formats and explanations of all measurements, for cards, reports, search tables and the demo."""

from collections.abc import Iterable
from typing import NamedTuple

from .codebook import DUPLICATE, IN_USE

Lines = list[dict[str, str]]  # a table: one dictionary per line, whose keys are the headings


class Measure(NamedTuple):
    """One number in the ``results`` of a ``history.json``."""

    short: str  # the heading of a column
    name: str  # the full name
    form: str  # the format, for str.format
    meaning: str  # an explanation that continues the name


# keys are the places of the numbers in the results, with nested keys joined by dots
MEASURES = {key: Measure(*entry) for key, entry in {
    "mse": ("MSE", "mean squared error", "{:.5f}", "of the reconstructions, pixels in [0, 1]; lower is better"),
    "psnr": ("PSNR", "peak signal-to-noise ratio", "{:.2f} dB", "the same error in decibels; higher is better"),
    "ssim": ("SSIM", "structural similarity", "{:.4f}", "of the reconstructions; 1 for equal images"),
    "quantized_mse": ("MSE from codes", "mean squared error from the codebook", "{:.5f}",
                      "of D(codebook[indices]): the decoder receives only the nearest vectors"),
    "quantized_psnr": ("PSNR from codes", "PSNR from the codebook", "{:.2f} dB", "the same error in decibels"),
    "spread": ("spread", "spread of the latents", "{:.2f}",
               "mean distance to their own mean, in the latents' own, arbitrary units"),
    "distance_to_vector": ("distance to vector", "distance to the nearest vector", "{:.2f}",
                           "mean over the latents, in the same arbitrary units"),
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
    "frechet.reconstructions": ("Fréchet: reconstructions", "classifier Fréchet distance of reconstructions", "{:.1f}",
                                "to the test images, in the last hidden layer of a small classifier of the same data "
                                "set, so only comparable within that data set; lower is better"),
    "frechet.samples": ("Fréchet: samples", "classifier Fréchet distance of samples", "{:.1f}", "the same, of "
                        "`model.sample`"),
    "frechet.midpoints": ("Fréchet: mid-points", "classifier Fréchet distance of mid-points", "{:.1f}",
                          "the same, of images decoded half-way between the latents of two test images"),
    "probes.linear": ("linear probe", "accuracy of a linear probe", "{:.1%}",
                      "classes, or attributes, that a linear classifier predicts from the latents"),
    "probes.neighbours": ("neighbours", "accuracy of ten nearest neighbours", "{:.1%}", "the same, by a vote"),
    "probes.majority": ("probe's majority", "accuracy of the probes' majority vote", "{:.1%}",
                        "of always giving the most frequent class"),
    "changed": ("class changes", "class changes", "{:.1%}", "of the first 500 test images, those that the classifier "
                "assigns to another class with probability ≥ 0.9 after a shift within ±3 of one of the ten dimensions "
                "that change the image most; depends on the arbitrary scale of the latents"),
    "changed_surely": ("sure changes", "sure class changes", "{:.1%}", "the same, if the classifier is sure of at "
                       "least 11 of the 13 images from −3 to +3; depends on the same scale"),
    "sure": ("sure pictures", "sure pictures", "{:.1%}", "images shifted within ±3 that the classifier is sure of; "
             "depends on the same scale"),
    "classifier_accuracy": ("classifier", "accuracy of the reference classifier", "{:.1%}",
                            "the classifier used for these measurements, on test images"),
}.items()}  # fmt: skip


def flat(results: dict, prefix: str = "") -> dict:
    """Nested results with their names joined by dots: {"codebook": {"in_use": 3}} → {"codebook.in_use": 3}."""
    pairs = {}
    for name, value in results.items():
        pairs |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return pairs


def written(results: dict, key: str) -> str:
    """A formatted measurement; a dash if it was not measured, or ``diverged`` if the training diverged.

    ``results`` are nested, as in ``history.json``; ``key`` is one of ``MEASURES``.
    """
    values = flat(results)
    return MEASURES[key].form.format(values[key]) if key in values else "diverged" if "error" in results else "–"


def compared(results: list[dict], keys: Iterable[str]) -> Lines:
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
