"""Trainings in several processes, whose results are rows of a JSON file."""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from pathlib import Path

import torch
from filelock import FileLock
from tqdm import tqdm

from .checkpoint import TrainingError
from .files import write_json
from .processor import keep_memory
from .sources import lock_file
from .tables import recorded_rows


def record_rows(
    work: Callable[..., dict], tasks: Sequence[tuple], path: Path, *, jobs: int = 1,
    replaces: Callable[[dict, dict], bool] = lambda new, row: False, unit: str = " trainings", progress: bool = True,
) -> None:  # fmt: skip
    """Call ``work(*task, threads)`` for each task in ``jobs`` processes and append each row it returns to a JSON file.

    The file is written after each row, so that an interruption loses only what is in progress. Others may add rows to
    the file meanwhile.

    Args:
        work: a function of a module; ``threads`` is its share of the processor.
        tasks: the arguments of each call.
        path: the JSON file, a list of rows.
        jobs: the number of processes.
        replaces: whether a new row replaces one of the file.
        unit: what the progress bar counts.
        progress: whether to show it.

    Raises:
        TrainingError: one of the processes was killed.
        Exception: the first error of a call, after the others have ended and their rows are recorded.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    threads = max(1, torch.get_num_threads() // jobs)
    with pool(jobs) as processes:
        futures = [processes.submit(work, *task, threads) for task in tasks]
        bar = tqdm(as_completed(futures), total=len(futures), desc=path.stem, unit=unit, disable=not progress)
        failed = None
        try:
            for future in bar:
                try:
                    new = future.result()
                except BrokenProcessPool as error:
                    raise TrainingError(
                        "a training's process was ended from outside, perhaps because the memory was full; the same "
                        "command continues, with fewer --jobs it needs less"
                    ) from error
                except Exception as error:  # the other trainings are worth recording
                    failed = failed or error
                    continue
                with FileLock(lock_file(path)):
                    write_json(path, [*(row for row in recorded_rows(path) if not replaces(new, row)), new])
        finally:
            processes.shutdown(cancel_futures=True)  # do not start anything new after Ctrl-C
        if failed:
            raise failed


def pool(jobs: int) -> ProcessPoolExecutor:
    """Processes for trainings, which end when this one does, even if it is killed."""
    return ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_start_process)


def _start_process() -> None:
    keep_memory()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
