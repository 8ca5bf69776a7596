"""Other libraries' models on the same networks, images, epochs and seeds as ours, measured alike."""

import contextlib
import importlib
import io
import math
import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean, median

import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from aevq_hub import AEVQ, pictures
from aevq_hub.measures import MEASURES, Lines, over_seeds
from aevq_hub.networks import NETWORKS
from aevq_hub.registry import VARIANTS

from . import metrics
from .data import load
from .evaluate import Benchmark, measure
from .files import written_beside
from .parallel import record_rows
from .recipe import Recipe
from .recipes import configure, recipe_for
from .release import prepare
from .rows import Source
from .seeds import measured_values
from .tables import recorded_rows
from .trainer import DivergedError

FILE, PICTURE = "compare.json", "compare-{}.png"
RATES = (0.001, 0.004)  # each entry has the one with the lower error on held-out images
HELD_OUT = 2000  # training images, at most a tenth
SHEETS = 1000  # images that sheets start from
TESTED = 5000  # test images, evenly spaced
PICTURED = 10
TIMED, ROUNDS = 2000, 3  # images of an epoch that is timed, and how often
STRIPS = ".compare"  # the folder of the reconstructions


@dataclass(frozen=True)
class Entry:
    """A model of a library."""

    library: str  # a module of training.peers and its class
    variant: str  # ours, whose network and measures it has
    model: str = ""  # the library's name for it

    @property
    def grid(self) -> bool:
        """Whether its latents are grids of codes."""
        return NETWORKS[VARIANTS[self.variant].network].grid


ENTRIES = {
    "`ae-conv`": Entry("ours.Ours", "ae-conv"),
    "`zero`": Entry("ours.Ours", "zero"),
    "`center`": Entry("ours.Ours", "center"),
    "`center-plus`": Entry("ours.Ours", "center-plus"),
    "`vae`": Entry("ours.Ours", "vae"),
    "pythae AE": Entry("pythae.Pythae", "ae-conv", "AE"),
    "pythae RAE-L2": Entry("pythae.Pythae", "ae-conv", "RAE-L2"),
    "pythae RAE-GP": Entry("pythae.Pythae", "ae-conv", "RAE-GP"),
    "pythae WAE": Entry("pythae.Pythae", "ae-conv", "WAE"),
    "pythae VAE": Entry("pythae.Pythae", "vae", "VAE"),
    "pythae β-VAE": Entry("pythae.Pythae", "vae", "β-VAE"),
    "autoencoders AE": Entry("autoencoders_models.Autoencoders", "ae-conv", "ae"),
    "autoencoders WAE": Entry("autoencoders_models.Autoencoders", "ae-conv", "wae"),
    "`vqvae`": Entry("ours.Ours", "vqvae"),
    "pythae VQVAE": Entry("pythae.Pythae", "vqvae", "VQVAE"),
    "VectorQuantize": Entry("vector_quantize.VectorQuantized", "vqvae", "VectorQuantize"),
    "VectorQuantize, straight-through": Entry(
        "vector_quantize.VectorQuantized", "vqvae", "VectorQuantize, straight-through"
    ),
    "FSQ": Entry("vector_quantize.VectorQuantized", "vqvae", "FSQ"),
    "SimVQ": Entry("vector_quantize.VectorQuantized", "vqvae", "SimVQ"),
    "SimVQ, straight-through": Entry("vector_quantize.VectorQuantized", "vqvae", "SimVQ, straight-through"),
}
# columns: of both kinds, of single vectors, of grids, and what it costs
COMMON = ("mse", "frechet.reconstructions", "frechet.samples", "frechet.midpoints")
VECTORS = (*COMMON, "frechet.gaussian", "sheets.directions.frechet", "kept.half", "kept.one")
GRIDS = (*COMMON, "codebook.in_use", "codebook.perplexity")
COSTS = {"parameters": ("parameters", "{:,.0f}"), "megabytes": ("MB on disk", "{:.2f}"),
         "load": ("load, ms", "{:.0f}"), "speed": ("images/s", "{:,.0f}"), "rate": ("rate", "{:g}")}  # fmt: skip


@dataclass(frozen=True)
class Length:
    """How long each training is, and in what precision."""

    images: int = 10_000  # training images
    epochs: int = 8
    precision: str = "fp32"  # of the networks, bf16 or fp32


def compare(
    source: Source, seeds: int, path: Path, length: Length | None = None, *, entries: Sequence[str] = tuple(ENTRIES),
    jobs: int = 1, progress: bool = True,
) -> list[dict]:  # fmt: skip
    """Train and measure all entries on a data set, and append a row for each training to a JSON file.

    Every entry is first trained with both rates and the seed 0; the other seeds have the one that is better on
    held-out training images. Speeds and loading times are measured afterwards, one entry after another. Finished
    trainings are not repeated.

    Args:
        source: the data set.
        seeds: trainings of each entry.
        path: the JSON file; the reconstructions are kept beside it.
        length: how long each training is.
        entries: keys of ``ENTRIES``.
        jobs: the number of parallel trainings.
        progress: whether to show progress bars.

    Returns:
        The rows of this data set and length.
    """
    length = length or Length()
    Benchmark.of(source, load(source, "test").images[:2], None)  # decode, and train the classifier, before all else
    for _ in range(2):  # both rates, then the other seeds with the better one
        todo = _todo(entries, seeds, rows_of(path, source.name, length))
        tasks = [(*task, source, length, path.parent / STRIPS) for task in todo]
        record_rows(train, tasks, path, jobs=jobs, progress=progress, replaces=_installed_since)
    rows = rows_of(path, source.name, length)
    timed = {row["entry"] for row in rows if "times" in row}
    rates = {name: better_rate([row for row in rows if row["entry"] == name]) for name in entries if name not in timed}
    tasks = [(name, rate, source, length) for name, rate in rates.items() if rate is not None]
    record_rows(time_one, tasks, path, unit=" timings", progress=progress)
    return rows_of(path, source.name, length)


def rows_of(path: Path, dataset: str, length: Length | None = None) -> list[dict]:
    """The rows of a data set, of trainings of one length or of any."""
    rows = [row for row in recorded_rows(path) if row["dataset"] == dataset]
    return [row for row in rows if length is None or row["length"] == asdict(length)]


def _installed_since(new: dict, row: dict) -> bool:
    """Whether a row says of a library that it is missing, and the new one is of the same training."""
    return "missing" in row and all(row[key] == new[key] for key in ("entry", "dataset", "length", "rate", "seed"))


def _todo(entries: Sequence[str], seeds: int, rows: list[dict]) -> list[tuple[str, float, int]]:
    """The trainings that can start: with the seed 0 at each rate, and with the others at the better rate, if known."""
    done = {(row["entry"], row["rate"], row["seed"]) for row in rows if "held_out" in row or "error" in row}
    todo = []
    for entry in entries:
        first = [(entry, rate, 0) for rate in RATES if (entry, rate, 0) not in done]
        best = None if first else better_rate([row for row in rows if row["entry"] == entry])
        rest = [] if best is None else [(entry, best, seed) for seed in range(1, seeds)]
        todo += first or [task for task in rest if task not in done]
    return todo


def better_rate(rows: list[dict]) -> float | None:
    """The learning rate of an entry with the lowest error on held-out images with the seed 0; None if all diverged."""
    tried = [(row["held_out"], row["rate"]) for row in rows if "held_out" in row and row["seed"] == 0]
    return min(tried)[1] if tried else None


def train(name: str, rate: float, seed: int, source: Source, length: Length, strips: Path, threads: int) -> dict:
    """Train and measure one entry: a row of the file."""
    torch.set_num_threads(threads)
    row = {"entry": name, "dataset": source.name, "length": asdict(length), "rate": rate, "seed": seed}
    try:
        run, used, held_out = prepared(name, rate, seed, source, length)
    except ImportError as error:
        return {**row, "missing": f"{error.name} is not installed"}
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # the others' progress bars
            for _ in range(length.epochs):
                run.epoch()
    except (DivergedError, ArithmeticError) as error:
        return {**row, "error": str(error)}
    model = run.trained()
    error = metrics.errors(model, held_out)[0]["mse"]
    if not math.isfinite(error):
        return {**row, "error": f"the error on held-out images is {error}"}
    with tempfile.TemporaryDirectory() as folder:
        run.save(Path(folder))
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    costs = {"parameters": sum(p.numel() for p in model.parameters()), "megabytes": size / 1e6, "rate": rate}
    prepare(model, used)
    test = load(source, "test")
    step = max(1, len(test) // TESTED)  # the first images of MNIST are cleaner than the others
    benchmark = Benchmark.of(source, test.images[::step], None, progress=False)
    results = measured_values(measure(model, replace(benchmark, sheets=SHEETS, draws=False)))
    if seed == 0:
        _keep(model, test.images[:PICTURED], _kept(strips, source, name, rate))
    return {**row, "held_out": error, "results": results, "costs": costs}


def time_one(name: str, rate: float, source: Source, length: Length, threads: int) -> dict:
    """Time an entry: a row with the images a second of a training, and the milliseconds of loading it."""
    torch.set_num_threads(threads)
    run, used, _ = prepared(name, rate, 0, source, replace(length, images=min(TIMED, length.images)))
    seconds, milliseconds = [], []
    with contextlib.redirect_stderr(io.StringIO()), tempfile.TemporaryDirectory() as folder:
        for _ in range(1 + ROUNDS):
            start = time.perf_counter()
            run.epoch()
            seconds.append(time.perf_counter() - start)
        run.save(Path(folder))
        for _ in range(1 + ROUNDS):
            start = time.perf_counter()
            run.load(Path(folder))
            milliseconds.append(1000 * (time.perf_counter() - start))
    times = {"speed": len(used) / median(seconds[1:]), "load": median(milliseconds[1:])}  # the first round warms up
    return {"entry": name, "dataset": source.name, "length": asdict(length), "times": times}


def prepared(name: str, rate: float, seed: int, source: Source, length: Length) -> tuple:
    """An implementation ready to train, the images (N, C, H, W) that it trains on, and those held out."""
    entry, images = ENTRIES[name], load(source, "train").images
    implementation = _implementation(entry.library)
    apart = min(HELD_OUT, len(images) // 10)
    held_out, used = images[-apart:], images[:-apart][: length.images]
    recipe = _recipe(entry.variant, source.name, length, len(used), rate, seed)
    config = configure(entry.variant, source.name, source.dataset, recipe)
    with contextlib.redirect_stderr(io.StringIO()):
        return implementation(config, recipe, used, entry.model), used, held_out


def _implementation(library: str):
    module, _, name = library.partition(".")
    return getattr(importlib.import_module(f".peers.{module}", __package__), name)


def _recipe(variant: str, dataset: str, length: Length, images: int, rate: float, seed: int) -> Recipe:
    """Our recipe of a variant, with the latents of ``center`` for all single vectors, and a shorter training."""
    given = {"epochs": length.epochs, "learning_rate": rate, "seed": seed, "precision": length.precision}
    recipe = replace(recipe_for(variant, dataset, **given, output_start="mean"), prior_epochs=0)
    if recipe.num_codes < 2:
        return replace(recipe, latent_dim=recipe_for("center", dataset).latent_dim)
    early = min(200, length.epochs * images // recipe.batch_size // 4)  # steps
    return replace(recipe, warmup_steps=early, feed_steps=early)


def _keep(model: AEVQ, images: Tensor, path: Path) -> None:
    """Keep the reconstructions of some images for the picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_beside(path) as beside:
        save_file({"x": model.render(model.encode(metrics.to_float(images))).detach().half().contiguous()}, beside)


def table(rows: list[dict], grids: bool) -> Lines:
    """The rows of one data set as a table of single vectors or of grids: means ± standard deviations over seeds, at
    each entry's better rate."""
    lines = []
    for name, entry in ENTRIES.items():
        own = [row for row in rows if row["entry"] == name]
        if not own or entry.grid != grids:
            continue
        rate = better_rate(own)
        measured = [row for row in own if "results" in row and row["rate"] == rate]
        failed = sum("error" in row for row in own if rate in (None, row.get("rate")))
        said = f" ({len(measured)} of {len(measured) + failed} trainings)" if failed and measured else ""
        none = next((row["missing"] for row in own if "missing" in row), "diverged")
        line = {"model": name + said}
        for key in GRIDS if grids else VECTORS:
            values = [row["results"][key] for row in measured]
            line[MEASURES[key].short] = over_seeds(values, MEASURES[key].form) if values else none
        for key, (heading, form) in COSTS.items():
            known = [row["costs"] for row in measured] + [row["times"] for row in own if "times" in row]
            values = [costs[key] for costs in known if key in costs]
            line[heading] = form.format(mean(values)) if values else "–"
        lines.append(line)
    return lines


def picture(source: Source, strips: Path, rows: list[dict]) -> Image.Image:
    """The same test images through each entry, a row each; the images themselves first, if they may be shown."""
    shown = {}
    if source.dataset.shareable:
        shown["the images"] = metrics.to_float(load(source, "test").images[:PICTURED])
    for name in ENTRIES:
        rate = better_rate([row for row in rows if row["entry"] == name])
        if rate is not None and (path := _kept(strips, source, name, rate)).exists():
            shown[name.strip("`").replace("β", "beta")] = load_file(path)["x"].float()
    return pictures.sheet(torch.stack(list(shown.values())), list(shown), cell=56)


def _kept(strips: Path, source: Source, name: str, rate: float) -> Path:
    slug = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")
    return strips / source.name / f"{slug}-{rate:g}.safetensors"
