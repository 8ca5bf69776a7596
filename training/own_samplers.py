"""The samplers of other libraries, beside the mixture that all models of the comparison are sampled with."""

import contextlib
import io
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from aevq_hub.measures import MEASURES, Lines, over_seeds

from . import compare
from .data import load
from .evaluate import Benchmark
from .parallel import record_rows
from .sources import Source

SAMPLERS = ("NormalSampler", "GaussianMixtureSampler", "MAFSampler")  # a standard normal, ten Gaussians, a flow


def has_samplers(name: str) -> bool:
    """Whether an entry's library samples latents of single vectors in ways of its own."""
    entry = compare.ENTRIES[name]
    return entry.library == "pythae.Pythae" and not entry.grid


def sample(
    source: Source, seeds: int, path: Path, length: compare.Length, *, entries: Sequence[str], jobs: int = 1,
    progress: bool = True,
) -> list[dict]:  # fmt: skip
    """Measure the samplers of entries that :func:`compare.compare` has trained, and append a row for each training.

    The arguments and the result are those of :func:`compare.compare`; what is finished is not repeated.
    """
    rows = compare.rows_of(path, source.name, length)
    done = {(row["entry"], row["rate"], row["seed"]) for row in rows if "samplers" in row}
    rates = {name: compare.better_rate([row for row in rows if row["entry"] == name]) for name in entries}
    wanted = [(name, rate, seed) for seed in range(seeds) for name, rate in rates.items() if has_samplers(name)]
    tasks = [(*task, source, length) for task in wanted if task[1] is not None and task not in done]
    record_rows(sample_one, tasks, path, jobs=jobs, unit=" samplings", progress=progress)
    return compare.rows_of(path, source.name, length)


def sample_one(name: str, rate: float, seed: int, source: Source, length: compare.Length, threads: int) -> dict:
    """Train an entry again and measure its library's samplers: a row with their classifier Fréchet distances."""
    torch.set_num_threads(threads)
    run, used, _ = compare.prepared(name, rate, seed, source, length)
    test = load(source, "test")
    images = test.images[:: max(1, len(test) // compare.TESTED)]
    with contextlib.redirect_stderr(io.StringIO()):
        for _ in range(length.epochs):
            run.epoch()
        distance = Benchmark.of(source, images, None, progress=False).frechet
        assert distance is not None  # the data sets of the comparison have labels
        torch.manual_seed(seed)
        np.random.seed(seed)
        measured = {sampler: distance(run.samples(sampler, len(images))) for sampler in SAMPLERS}
    samplers = {sampler: value if math.isfinite(value) else None for sampler, value in measured.items()}
    return {"entry": name, "dataset": source.name, "length": asdict(length), "rate": rate, "seed": seed,
            "samplers": samplers}  # fmt: skip


def table(rows: list[dict]) -> Lines:
    """The rows of one data set with samplers: means ± standard deviations over seeds, beside the mixture of ours."""
    lines = []
    for name in filter(has_samplers, compare.ENTRIES):
        own = [row for row in rows if row["entry"] == name]
        rate = compare.better_rate(own)
        drawn = [row["samplers"] for row in own if "samplers" in row and row["rate"] == rate]
        if not drawn:
            continue
        ours = [row["results"]["frechet.samples"] for row in own if "results" in row and row["rate"] == rate]
        line = {"model": name, "our mixture": _mean(ours)}
        lines.append(line | {sampler: _mean([each[sampler] for each in drawn]) for sampler in SAMPLERS})
    return lines


def _mean(distances: list[float | None]) -> str:
    """The mean ± standard deviation of distances; None stands for a sampler whose images were not finite."""
    finite = [distance for distance in distances if distance is not None]
    if not finite:
        return "diverged"
    failed = f" ({len(finite)} of {len(distances)})" if len(finite) < len(distances) else ""
    return over_seeds(finite, MEASURES["frechet.samples"].form) + failed
