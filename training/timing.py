"""How implementations are timed: in processes of their own, taking turns in the same minutes."""

import importlib
import os
import statistics
import sys
import time
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from aevq_hub import AEVQConfig

from . import metrics
from .processor import keep_memory
from .recipe import Recipe
from .trainer import Trainer

PEERS = {"plain loop": "plain.Plain", "pythae": "pythae.Pythae"}


class Ours:
    """The trainer, as a contender."""

    def __init__(self, config: AEVQConfig, recipe: Recipe, images: Tensor):
        keep_memory()
        self.trainer, self.images = Trainer(config, recipe), images

    def epoch(self) -> None:
        """Train on every image once."""
        self.trainer.run_epoch(self.images)

    def mse(self, images: Tensor) -> float:
        """The mean squared error of the reconstructions of uint8 images (N, C, H, W), pixels in [0, 1]."""
        return metrics.errors(self.trainer.model.eval(), images)[0]["mse"]


class Contender:
    """An implementation in a process of its own, so that one's memory and threads do not help or hinder another's."""

    def __init__(self, name: str):
        context = get_context("spawn")
        self.name, (self.connection, theirs) = name, context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, name), daemon=True)
        self.process.start()

    def ask(self, command: str, *arguments):
        """Run a command of :func:`_serve`; an error there is raised here."""
        self.connection.send((command, arguments))
        answer = self.connection.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def stop(self) -> None:
        self.process.terminate()
        self.process.join()


def _serve(connection, name: str) -> None:
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (the others' progress bars)
    run: Any = None
    while True:
        command, arguments = connection.recv()
        try:
            if command == "prepare":
                run = _implementation(name)(*arguments)
                run.epoch()
                answer = None
            elif command == "seconds":
                start = time.perf_counter()
                run.epoch()
                answer = time.perf_counter() - start
            else:
                answer = run.mse(*arguments)
        except Exception as error:  # to be raised by the asking process
            answer = RuntimeError(f"{name}: {type(error).__name__}: {error}")
        connection.send(answer)


def _implementation(name: str):
    if name.startswith("ours"):
        return Ours
    module, _, attribute = PEERS[name].partition(".")
    return getattr(importlib.import_module(f".peers.{module}", __package__), attribute)


def contenders() -> list[str]:
    """The implementations that can be timed here: pythae must be installed."""
    return ["ours fp32", "ours bf16", *(n for n, path in PEERS.items() if installed(path.split(".")[0]))]


def installed(peer: str) -> bool:
    try:
        importlib.import_module(f".peers.{peer}", __package__)
    except ImportError:
        return False
    return True


def operations(config: AEVQConfig, recipe: Recipe, images: Tensor) -> int:
    """The floating-point operations of matrix products and convolutions in one training step."""
    trainer = Trainer(config, recipe)
    with FlopCounterMode(display=False) as counter:
        trainer.run_epoch(images)
    return counter.get_total_flops()


def matrix_peak(size: int = 2048) -> float:
    """The floating-point operations per second of this machine's best fp32 matrix product."""
    a = torch.randn(size, size)
    return 2 * size**3 / min(alternately({"": lambda: a @ a}, 7)[""])


def alternately(functions: dict[str, Callable], rounds: int, least: float = 0.05) -> dict[str, list[float]]:
    """Seconds per call of functions that take turns; each timing calls its function for at least ``least`` seconds."""
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for i in range(1 + rounds):
        for name, function in functions.items():
            calls, start = 0, time.perf_counter()
            while time.perf_counter() - start < least or not calls:
                function()
                calls += 1
            if i:  # the first round is for warming up
                seconds[name].append((time.perf_counter() - start) / calls)
    return seconds


def rates(count: int, seconds: list[float]) -> dict[str, float]:
    """The spread of images per second."""
    return spread([count / t for t in seconds])


def spread(values: list[float]) -> dict[str, float]:
    """Median, lowest and highest value."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}
