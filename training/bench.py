"""Timings of this implementation beside a plain loop and other libraries, alternately and in the same minutes."""

import cProfile
import pstats
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from aevq_hub import AEVQ, AEVQConfig
from aevq_hub.codebook import nearest_vectors
from aevq_hub.folder import WEIGHTS_FILE, shipped_folder
from aevq_hub.registry import DATASETS

from .data import load
from .objectives import StraightThrough
from .processor import brief
from .recipe import Recipe
from .recipes import configure, recipe_for
from .release import release
from .rows import Source
from .step import Matches, squared_distance
from .timing import Contender, alternately, contenders, installed, matrix_peak, operations, rates, spread
from .trainer import Trainer
from .vectors import follow

TRAINED = ("ae-conv", "center", "vae", "codebook", "residual", "vqvae")
FORMATS = {"mnist": 2048, "celeba": 512}  # 28 × 28 grey and 64 × 64 RGB: random images per timing
QUANTIZED = ((128, 49, 512, 100), (128, 49, 512, 512), (32, 64, 512, 8192))  # images, cells, D, K
SCALED = (  # pixels, K, images
    (32, 512, 512), (64, 512, 256), (128, 512, 128), (256, 512, 64), (64, 2048, 256), (64, 8192, 256),
)  # fmt: skip
EMA_RATE = 0.01
LEARNT_EPOCHS = 3


def training(rounds: int, report: Callable[[dict], None]) -> None:
    """Images per second of each variant in both formats, and the share of the matrix peak that our fp32 step reaches.

    Args:
        rounds: timings of each contender; they take turns.
        report: called with each row.
    """
    peak = matrix_peak()
    running = [Contender(name) for name in contenders()]
    try:
        for dataset, count in FORMATS.items():
            images = random_images(DATASETS[dataset].size, DATASETS[dataset].channels, count)
            for variant in TRAINED:
                config, recipe = _settings(variant, dataset)
                for one in running:
                    precision = "bf16" if one.name.endswith("bf16") else "fp32"
                    one.ask("prepare", config, replace(recipe, precision=precision), images)
                seconds = {one.name: [] for one in running}
                for _ in range(rounds):
                    for one in running:
                        seconds[one.name].append(one.ask("seconds"))
                speeds = {name: rates(count, times) for name, times in seconds.items()}
                flops = operations(config, recipe, images[: recipe.batch_size])
                share = speeds["ours fp32"]["median"] / recipe.batch_size * flops / peak
                row = {"row": f"{variant} {config.image_size}×{config.image_size}", **speeds}
                report({**row, "GFLOP per step": flops / 1e9, "share of peak": share})
    finally:
        for one in running:
            one.stop()


def scaling(rounds: int, report: Callable[[dict], None]) -> None:
    """Images per second of `vqvae` in RGB at growing sizes and numbers of codes, to plan larger trainings."""
    one = Contender("ours")
    try:
        for size, codes, count in SCALED:
            recipe = brief(replace(recipe_for("vqvae", "celeba"), num_codes=codes))
            config = configure("vqvae", "scaled", replace(DATASETS["celeba"], size=size), recipe)
            images, rows = random_images(size, 3, count), {}
            for precision in ("fp32", "bf16"):
                one.ask("prepare", config, replace(recipe, precision=precision), images)
                rows[f"ours {precision}"] = rates(count, [one.ask("seconds") for _ in range(rounds)])
            report({"row": f"{size}×{size}, {codes} codes", "cells": config.grid_size**2, **rows})
    finally:
        one.stop()


def learning(images: Tensor, test: Tensor, report: Callable[[dict], None]) -> None:
    """Test errors after equal epochs on MNIST: every contender trains `ae-conv` and `vae` for three epochs."""
    for variant in ("ae-conv", "vae"):
        config, recipe = _settings(variant, "mnist")
        row = {"row": variant}
        for name in contenders():
            one = Contender(name)
            try:
                precision = "bf16" if name.endswith("bf16") else "fp32"
                one.ask("prepare", config, replace(recipe, precision=precision), images)  # trains one epoch
                for _ in range(LEARNT_EPOCHS - 1):
                    one.ask("seconds")
                row[name] = one.ask("mse", test)
            finally:
                one.stop()
        report(row)


def quantizers(rounds: int, report: Callable[[dict], None]) -> None:
    """Milliseconds of the quantizers alone, forward and forward with backward, and of the bare matrix product."""
    for batch, cells, dim, codes in QUANTIZED:
        generator = torch.Generator().manual_seed(0)
        z = torch.randn(batch, cells, dim, generator=generator)
        codebook = torch.randn(codes, dim, generator=generator)
        flat = z.flatten(0, 1)
        timed = {
            "product": lambda flat=flat, codebook=codebook: flat @ codebook.T,
            "product and argmin": lambda flat=flat, codebook=codebook: (flat @ codebook.T).argmin(1),
            "nearest_vectors": lambda flat=flat, codebook=codebook: nearest_vectors(flat, codebook),
            "ours": partial(_forward, partial(_quantize, z, codebook)),
            "ours, with backward": partial(_backward, partial(_quantize, z.requires_grad_(), codebook)),
        }
        if installed("vector_quantize"):
            from .peers.vector_quantize import quantizer

            theirs = quantizer(z, codes, EMA_RATE)
            timed |= {"VectorQuantize": partial(_forward, theirs),
                      "VectorQuantize, with backward": partial(_backward, theirs)}  # fmt: skip
        times = {name: spread([1e3 * t for t in seconds]) for name, seconds in alternately(timed, rounds).items()}
        report({"row": f"{batch}×{cells}×{dim}, {codes} codes", **times})


def _quantize(z: Tensor, codebook: Tensor) -> tuple[Tensor, Tensor]:
    """What training does between the encoder and the decoder: nearest vectors, their pull and their movement."""
    flat = z.flatten(0, 1)
    indices = nearest_vectors(flat, codebook)
    q = codebook[indices]
    follow(codebook, Matches(flat.detach(), indices, flat.detach(), indices), EMA_RATE)
    return StraightThrough.apply(flat, q), squared_distance(flat, q)


@torch.no_grad()
def _forward(run: Callable[[], tuple[Tensor, Tensor]]) -> None:
    run()


def _backward(run: Callable[[], tuple[Tensor, Tensor]]) -> None:
    quantized, loss = run()
    torch.autograd.backward((quantized, loss), (torch.ones_like(quantized), torch.ones_like(loss)))


def loading(rounds: int, report: Callable[[dict], None]) -> None:
    """Import beyond torch, loading and first picture of `center-mnist`, each in a fresh process; sizes and memory."""
    code = (
        "import time, torch\nt = [time.perf_counter()]\nimport aevq_hub\nt.append(time.perf_counter())\n"
        "model = aevq_hub.AEVQ.from_pretrained('center-mnist'); model.sample(1, seed=0)\n"
        "t.append(time.perf_counter())\n"
        "import pathlib, re; status = pathlib.Path('/proc/self/status')\n"  # Linux; getrusage() includes the parent
        "peak = re.search(r'VmHWM:\\s+(\\d+)', status.read_text())[1] if status.exists() else 'nan'\n"
        "print(t[1] - t[0], t[2] - t[1], int(peak) / 1024)"
    )
    runs = [subprocess.check_output([sys.executable, "-c", code], text=True).split() for _ in range(rounds)]
    imports, loads, memory = ([float(run[i]) for run in runs] for i in range(3))
    report({
        "row": "center-mnist", "import beyond torch, ms": spread([1e3 * t for t in imports]),
        "load and first picture, ms": spread([1e3 * t for t in loads]), "peak memory, MB": spread(memory),
        "weights, kB": (shipped_folder() / "center-mnist" / WEIGHTS_FILE).stat().st_size / 1000,
    })  # fmt: skip


def releasing(source: Source, report: Callable[[dict], None]) -> None:
    """Seconds of each part of a release: `center-mnist`'s weights are measured and written into a temporary folder."""
    config, recipe = _settings("center", "mnist", brief_=False)
    trainer = Trainer(config, recipe)
    trainer.model.load_state_dict(AEVQ.from_pretrained("center-mnist").state_dict())
    trainer.epochs = [{"epoch": 1, "terms": {}, "movement": 0.0, "seconds": 0.0}]
    for split in ("train", "test"):
        load(source, split)  # a training has decoded them
    profile = cProfile.Profile()
    with tempfile.TemporaryDirectory() as folder:
        profile.runcall(release, trainer, source, Path(folder) / config.name)
    report({"row": "center-mnist", **_parts(pstats.Stats(profile))})


PARTS = {
    "all": "release.py:release", "effects and mixture": "release.py:prepare", "half precision": "release.py:_halve",
    "reference classifier": "reference_classifier.py:__init__", "errors": "metrics.py:errors",
    "sheets": "geometry.py:sheets", "noise": "geometry.py:kept",
    "Fréchet distances": "metrics.py:__call__", "probes": "metrics.py:probes",
    "map": "maps.py:write_map", "pictures and card": "release.py:describe",
}  # fmt: skip


def _parts(stats: pstats.Stats) -> dict[str, float]:
    """The cumulative seconds of each of :data:`PARTS` in a profile."""
    here = str(Path(__file__).parent)
    found = {f"{Path(file).name}:{name}": times[3] for (file, _, name), times in stats.stats.items()  # pyright: ignore
             if file.startswith(here)}  # fmt: skip
    return {part: round(found.get(key, 0.0), 1) for part, key in PARTS.items()}


def _settings(variant: str, dataset: str, *, brief_: bool = True) -> tuple[AEVQConfig, Recipe]:
    recipe = replace(recipe_for(variant, dataset), precision="fp32")
    return configure(variant, dataset, DATASETS[dataset], recipe), brief(recipe) if brief_ else recipe


def random_images(size: int, channels: int, count: int) -> Tensor:
    """Random images, uint8 (count, channels, size, size)."""
    generator = torch.Generator().manual_seed(0)
    return torch.randint(256, (count, channels, size, size), dtype=torch.uint8, generator=generator)
