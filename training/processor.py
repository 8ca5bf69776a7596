"""How training uses this machine: memory that is kept, and the faster precision."""

import ctypes
import statistics
import sys
import time
from dataclasses import replace

import torch

from aevq_hub import AEVQConfig

from .ranks import SINGLE, Ranks
from .recipe import Recipe
from .trainer import Trainer

WORTH_IT = 1.2  # bf16 is chosen from this speed-up on; below it, fp32's accuracy is worth more
_ROUNDS, _BATCHES = 3, 8
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # from glibc's malloc.h


def keep_memory() -> None:
    """Let freed memory stay with the process, where the C library is glibc; elsewhere do nothing.

    By default, glibc returns every large tensor to the system when it is freed, and the system clears its pages again
    for the next one. That takes up to a third of a training step.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 1 << 30)
        mallopt(_M_TRIM_THRESHOLD, (1 << 31) - 1)


def faster_precision(config: AEVQConfig, recipe: Recipe, device: str, ranks: Ranks = SINGLE) -> str:
    """Time some training steps of a recipe in fp32 and bf16, alternately, on random images.

    Each process times its part of a batch.

    Returns:
        "bf16" if it is at least 1.2 times as fast in all processes, else "fp32".
    """
    recipe = replace(recipe, batch_size=-(-recipe.batch_size // ranks.count))
    count = max(2, _BATCHES * recipe.batch_size)
    shape = (count, config.channels, config.image_size, config.image_size)
    images = torch.randint(256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    labels = torch.zeros(count, config.num_classes, dtype=torch.long) if config.num_classes else None
    labels = labels[:, 0] if labels is not None and not config.multi_label else labels
    trainers = {p: Trainer(config, replace(brief(recipe), precision=p), device) for p in ("fp32", "bf16")}
    seconds: dict[str, list[float]] = {precision: [] for precision in trainers}
    for _ in range(1 + _ROUNDS):
        for precision, trainer in trainers.items():
            start = time.perf_counter()
            trainer.run_epoch(images, labels)
            seconds[precision].append(time.perf_counter() - start)
    fp32, bf16 = (statistics.median(times[1:]) for times in seconds.values())  # the first is for warming up
    if ranks.main:
        print(f"fp32 takes {fp32 / bf16:.2f} times as long as bf16 for {config.name} on this machine", file=sys.stderr)
    return "bf16" if ranks.least(fp32 >= WORTH_IT * bf16) else "fp32"


def brief(recipe: Recipe) -> Recipe:
    """A recipe for a few steps, all of which do what most steps of a training do: without a warm-up or k-means."""
    return replace(
        recipe, warmup_steps=0, feed_steps=0, ramp_steps=0, initialisation="random", refit_epochs=0,
        classifier_epochs=min(recipe.classifier_epochs, 1),
    )  # fmt: skip
