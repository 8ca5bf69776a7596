"""Training in several processes, on one machine or on many: together they do what one process would do.

Each process takes its part of every batch. Numbers that concern the whole batch are exchanged: gradients, the latents
from which images are chosen, and what moves the vectors.
"""

import atexit
import os
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import NoReturn

import torch
from torch import Tensor

_PATIENCE = timedelta(days=7)  # processes wait while one decodes a data set or measures a model


class Ranks:
    """This process among those that train a model together. A single process exchanges nothing.

    Args:
        accelerator: Accelerate's connection of the processes; None for a single one.

    Attributes:
        index: the number of this process.
        count: the number of all processes.
        main: whether this process prints and writes files; that is process 0.
        on_machine: the number of processes on this machine.
    """

    def __init__(self, accelerator=None):
        self.accelerator = accelerator
        self.index, self.count = (accelerator.process_index, accelerator.num_processes) if accelerator else (0, 1)
        self.main, self.on_machine = not self.index, _from_launcher("LOCAL_WORLD_SIZE") if accelerator else 1

    def share(self, whole: Tensor) -> Tensor:
        """This process's part of the rows of a tensor (N, …) that every process has; it may be empty."""
        return whole.tensor_split(self.count)[self.index] if self.accelerator else whole

    def gather(self, part: Tensor) -> Tensor:
        """The parts (n, …) of all processes, in the order of :meth:`share`: (N, …)."""
        if not self.accelerator:
            return part
        sizes = self._numbers(len(part))
        start, whole = sum(sizes[: self.index]), part.new_zeros(sum(sizes), *part.shape[1:])
        whole[start : start + len(part)] = part
        return self.sum(whole)

    def sum(self, x: Tensor) -> Tensor:
        """The sum over all processes, with the same bits in each."""
        return self.accelerator.reduce(x.to(self.accelerator.device), "sum").to(x.device) if self.accelerator else x

    def mean(self, x: Tensor, weight: float) -> Tensor:
        """The sum of x times the process's weight; the weights add up to 1. For a weight of 0, x may be NaN."""
        return self.sum(x * weight if weight else torch.zeros_like(x)) if self.accelerator else x

    def average_gradients(self, parameters: Iterable[Tensor], weight: float) -> None:
        """Replace the gradients of a process's part of a batch by those of the whole batch, their :meth:`mean`."""
        if not self.accelerator:
            return
        # not by DistributedDataParallel: it hooks into forward(), but objectives call encode() and decode(), and it
        # gives every process the same weight, also for a smaller part of the last batch
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = self.mean(torch.cat([g.flatten() for g in gradients]), weight)
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view(gradient.shape))

    @torch.no_grad()
    def align(self, tensors: Iterable[Tensor]) -> None:
        """Give the tensors of all processes the values they have in the main process."""
        for x in tensors if self.accelerator else ():
            x.copy_(self.mean(x.flatten(), float(self.main)).view(x.shape))

    def least(self, number: int) -> int:
        """The smallest of the processes' numbers."""
        return min(self._numbers(number)) if self.accelerator else number

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.accelerator:
            self.accelerator.wait_for_everyone()

    def one_first(self) -> AbstractContextManager:
        """A block that one process of each machine runs before the others do."""
        return self.accelerator.local_main_process_first() if self.accelerator else nullcontext()

    def _numbers(self, number: int) -> list[int]:
        numbers = torch.zeros(self.count, dtype=torch.long)
        numbers[self.index] = number
        return self.sum(numbers).tolist()


SINGLE = Ranks()


def launched_processes() -> int:
    """The number of processes that a launcher, such as ``accelerate launch``, has started; 1 without a launcher."""
    return _from_launcher("WORLD_SIZE")


def leave(status: int) -> NoReturn:
    """End the program. A launched process ends at once: while Python is shut down, threads of its connections may abort
    it although its work is done."""
    if launched_processes() == 1:
        sys.exit(status)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def connect(device: str) -> tuple[Ranks, str]:
    """Connect the launched processes for training on a kind of device, such as "cuda".

    Returns:
        The processes, and this one's own device, such as "cuda:1".

    Raises:
        ModuleNotFoundError: there are several processes, and Accelerate is not installed.
    """
    if launched_processes() == 1:
        return SINGLE, device
    from accelerate import Accelerator  # a single process does not need it
    from accelerate.utils import InitProcessGroupKwargs

    accelerator = Accelerator(cpu=device == "cpu", kwargs_handlers=[InitProcessGroupKwargs(timeout=_PATIENCE)])
    atexit.register(accelerator.end_training)  # a process that exits while it is connected may abort
    return Ranks(accelerator), str(accelerator.device)


def _from_launcher(name: str) -> int:
    return int(os.environ.get(name, "1"))
