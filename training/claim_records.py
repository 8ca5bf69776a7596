"""What the records of models and searches say about the paper's claims (``claims.py``).

A measurement returns its values by case, such as a data set or a shift, one for each seed. The weights of one seed are
shipped, so what is measured from them has one value.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from statistics import mean, stdev, variance

from torch import Tensor

from aevq_hub import AEVQ
from aevq_hub.folder import HISTORY_FILE, history
from aevq_hub.measures import flat
from aevq_hub.registry import DATASETS

from . import metrics, tables
from .data import Split, load
from .evaluate import Benchmark
from .recipes import COMMON
from .remedies import BEYOND
from .rows import DataError
from .sources import find_source

Values = dict[str, list[float]]
Measurement = Callable[["Evidence"], Values]

IMAGES = 1000  # test images, evenly spaced, from which pictures start
COLLAPSED = 0.9  # of the error of the mean image
ALL = tuple(DATASETS)


class MissingError(ValueError):
    """A record or the images of a data set are missing."""


class Evidence:
    """A folder of models with their records, and the test images of their data sets.

    Args:
        folder: the models' folders.
        data_root: local copies of the data sets, or None.
    """

    def __init__(self, folder: Path, data_root: Path | None = None):
        self.folder, self.data_root = folder, data_root
        self.model = lru_cache(maxsize=8)(self._model)
        self.test = lru_cache(maxsize=3)(self._test)
        self.benchmark = lru_cache(maxsize=3)(self._benchmark)
        # the mean squared error of always showing the mean image
        self.mean_image_error = lru_cache(maxsize=3)(self._mean_image_error)

    def _model(self, name: str) -> AEVQ:
        return AEVQ.from_pretrained(self.folder / name)

    def _test(self, dataset: str) -> Split:
        try:
            return load(find_source(dataset, data_root=self.data_root), "test")
        except DataError as error:
            raise MissingError(str(error)) from error

    def _benchmark(self, dataset: str) -> Benchmark:
        test = self.test(dataset)
        return Benchmark.of(find_source(dataset, data_root=self.data_root), test.images, test.labels)

    def record(self, name: str) -> dict:
        """The history of a model."""
        if not (self.folder / name / HISTORY_FILE).is_file():
            raise MissingError(f"there is no {name}")
        return history(self.folder / name)

    def recorded(self, name: str, key: str) -> list[float]:
        """A measurement of a model's history, one value for each seed."""
        found = [values[key] for one in tables.trainings(self.record(name)) if key in (values := flat(one))]
        if not found:
            raise MissingError(f"the history of {name} has no {key}")
        return found

    def searched(self, name: str) -> list[dict]:
        """The rows of a model's search with its variant, flat, without those that diverged."""
        rows = map(tables.flat_row, tables.searched(self.folder, [name]))
        return [row for row in rows if "error" not in row and row["variant"] == name.rpartition("-")[0]]

    def in_use_by_start(self) -> dict[str, dict[str, list[float]]]:
        """:func:`tables.in_use_by_start` of these models."""
        return tables.in_use_by_start(self.folder)

    def _mean_image_error(self, dataset: str) -> float:
        return metrics.mean_image_error(self.test(dataset).images)

    def starts(self, dataset: str) -> tuple[Tensor, Tensor]:
        """Evenly spaced test images (N, C, H, W) in [0, 1] and their classes (N,)."""
        test = self.test(dataset)
        if test.labels is None or test.labels.ndim > 1:
            raise MissingError(f"{dataset} has no classes")
        stride = max(1, len(test) // IMAGES)
        return metrics.to_float(test.images[::stride]), test.labels[::stride]


def recorded(variant: str, key: str, datasets: Sequence[str] = ALL) -> Measurement:
    """A measurement that the models' histories have, by data set."""
    return lambda evidence: {d: evidence.recorded(f"{variant}-{d}", key) for d in datasets}


def over(variant: str, other: str, key: str) -> Measurement:
    """A recorded measurement over the mean of another variant's, by data set."""

    def ratio(evidence: Evidence) -> Values:
        base = {d: mean(evidence.recorded(f"{other}-{d}", key)) for d in ALL}
        return {d: [v / base[d] for v in evidence.recorded(f"{variant}-{d}", key)] for d in ALL}

    return ratio


def sure_at_ends(evidence: Evidence) -> Values:
    """How sure the reference classifier is at ±3 σ of ``center``, over how sure it is of test images."""
    ends, all_images = "sheets.axes.sure_ends", "classifier.sure"
    return {
        d: [a / b for a, b in zip(*(evidence.recorded(f"center-{d}", key) for key in (ends, all_images)), strict=True)]
        for d in ALL
    }


def _course(evidence: Evidence, dataset: str, key: str) -> list[float]:
    values = [value for _, value in tables.series(evidence.record(f"center-{dataset}")["epochs"], key)]
    if len(values) < 8:
        raise MissingError(f"the history of center-{dataset} has {len(values)} epochs with {key}; 8 are needed")
    return values


def drop(key: str) -> Measurement:
    """The first epoch less the mean of the last quarter, in standard deviations of the last quarter."""

    def measured(evidence: Evidence) -> Values:
        courses = {d: _course(evidence, d, key) for d in ALL}
        last = {d: values[-(len(values) // 4) :] for d, values in courses.items()}
        return {d: [(courses[d][0] - mean(last[d])) / max(stdev(last[d]), 1e-12)] for d in ALL}

    return measured


def late_rise(key: str) -> Measurement:
    """The mean of the last quarter of the epochs over that of the second quarter."""

    def measured(evidence: Evidence) -> Values:
        courses = {d: _course(evidence, d, key) for d in ALL}
        quarter = {d: len(values) // 4 for d, values in courses.items()}
        return {d: [mean(v[-quarter[d] :]) / mean(v[quarter[d] : 2 * quarter[d]])] for d, v in courses.items()}

    return measured


def lost(evidence: Evidence) -> Values:
    """The PSNR that pictures from codes lack, in dB."""
    pairs = {d: [evidence.recorded(f"vqae-{d}", key) for key in ("psnr", "quantized_psnr")] for d in ALL}
    return {d: [a - b for a, b in zip(*pair, strict=True)] for d, pair in pairs.items()}


def lost_literally(evidence: Evidence) -> Values:
    """The PSNR that the best picture from codes lacks to the best direct one, in searches without optional term."""
    rows = [row for row in evidence.searched("vqae-fashionmnist") if not row["center_reconstruction_weight"]]
    if not rows:
        raise MissingError("no recorded search trains vqae without the optional term")
    best = max(rows, key=lambda row: row["quantized_psnr"])
    direct = max(row["psnr"] for row in rows)
    return {f"fashionmnist, λ1 = {best['pull_weight']:g}": [direct - best["quantized_psnr"]]}


def _tried(evidence: Evidence, variant: str, dataset: str) -> Iterator[tuple[float, float, dict]]:
    """The weight, the error over that of the mean image, and the common settings of a variant's trials."""
    mean_image = evidence.mean_image_error(dataset)
    rows = [row for row in evidence.searched(f"{variant}-{dataset}") if not any(row.get(name) for name in BEYOND)]
    for row in rows:
        common = {key: row[key] for key in (*COMMON, "images") if key not in ("seed", "components")}
        yield row["pull_weight"], row["mse"] / mean_image, common


def _other(network: str) -> str:
    """A network that is not the variant's, for the name of a case."""
    return "" if network == "default" else f" ({network})"


def zero_worst(evidence: Evidence) -> Values:
    """The largest error of the trials of ``zero`` over that of the mean image, at each learning rate, by data set and
    network."""
    worst: dict[tuple[str, str, float], tuple[float, float]] = {}
    for d in ("mnist", "fashionmnist"):  # with weights of at least 10
        for weight, error, common in _tried(evidence, "zero", d):
            case = d, _other(common["network"]), common["learning_rate"]
            worst[case] = max(worst.get(case, (0.0, 0.0)), (error, weight))
    if not worst:
        raise MissingError("no recorded search of zero")
    return {
        f"{d}{network}, rate {rate:g}, λ1 = {weight:g}": [error]
        for (d, network, rate), (error, weight) in worst.items()
    }


def center_where_zero_collapsed(evidence: Evidence) -> Values:
    """The error of ``center`` over that of the mean image, where ``zero`` collapsed with the same common settings."""
    values = {}
    for d in ALL:
        collapsed = [(weight, common) for weight, error, common in _tried(evidence, "zero", d) if error >= COLLAPSED]
        for weight, error, common in _tried(evidence, "center", d):
            if (weight, common) in collapsed:
                case = f"{d}{_other(common['network'])}, rate {common['learning_rate']:g}, λ1 = {weight:g}"
                values.setdefault(case, []).append(error)
    if not values:
        raise MissingError("no recorded search trains center as zero was when it collapsed")
    return values


def fewest_duplicates(evidence: Evidence) -> Values:
    """The smallest number of vectors with a duplicate in the trials of ``codebook`` on MNIST, at each rate."""
    fewest: dict[float, float] = {}
    for row in evidence.searched("codebook-mnist"):
        if row["num_codes"] == 20:
            rate = row["learning_rate"]
            fewest[rate] = min(fewest.get(rate, 20), row["codebook.duplicates"])
    if not fewest:
        raise MissingError("no recorded search of codebook")
    return {f"mnist, rate {rate:g}": [count] for rate, count in fewest.items()}


def deeper(evidence: Evidence) -> Values:
    """How many more of 500 vectors are in use with the deeper network, in pooled standard deviations, by start."""
    values = {}
    for start, found in evidence.in_use_by_start().items():
        if len(found) == 2 and all(len(several) > 1 for several in found.values()):
            pooled = (mean(variance(several) for several in found.values())) ** 0.5
            values[f"{start} start"] = [(mean(found["residual"]) - mean(found["ema"])) / max(pooled, 1)]
    if not values:
        raise MissingError("no recorded searches train ema and residual with 500 vectors and the same start over seeds")
    return values
