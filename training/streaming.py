"""Images that do not fit into memory: read in blocks, and drawn at random from a window of many blocks."""

import ctypes
import mmap
import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar, cast

import torch
from torch import Tensor

_FITTING = 4  # images fit into memory if they take at most a quarter of it
_WINDOW = 16  # a window takes about a sixteenth of it; the next one is read while images are drawn from this one
_BLOCK = 2**20  # bytes of consecutive images that stay together in a window
_T = TypeVar("_T")
_Labels = TypeVar("_Labels", bound=Tensor | None)


def shuffled(
    images: Tensor, labels: _Labels, size: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, _Labels, Tensor]]:
    """One epoch's batches, each image once, in an order that depends only on the generator and the memory.

    Images that fit into memory are drawn from all of them. Otherwise, a random choice of blocks is read from the disk
    in one sweep, a window, whose images are then drawn at random.

    Args:
        images: uint8 (N, C, H, W), usually memory-mapped.
        labels: (N,) or (N, attributes), or None.
        size: the images per batch; only the last batch may have fewer.
        generator: provides the order. All random numbers are drawn before the first batch.

    Yields:
        The images and the labels of the window, and the places in them of the batch's images (B,). If all images fit
        into memory, the window is the whole data set.
    """
    if len(images) <= fitting(images):
        for places in torch.randperm(len(images), generator=generator).split(size):
            yield images, labels, places
        return

    def read(window: tuple[Tensor, Tensor]) -> tuple[Tensor, _Labels, Tensor]:
        index, places = window
        for run in index.tensor_split((index.diff() > 1).nonzero()[:, 0] + 1):
            _announce(images[run[0] : run[-1] + 1])
        return images[index], labels if labels is None else cast("_Labels", labels[index]), places

    block = max(1, _BLOCK // images[0].nbytes)
    order = windows(len(images), block, size, window_count(images.nbytes), generator)
    for pixels, known, places in ahead(map(read, order)):
        for part in places.split(size):
            yield pixels, known, part


def windows(count: int, block: int, size: int, number: int, generator: torch.Generator) -> list[tuple[Tensor, Tensor]]:
    """Divide images evenly into windows of randomly chosen blocks.

    Args:
        count: the number of images.
        block: consecutive images per block.
        size: images per batch. The number of batches per window differs by at most one.
        number: the number of windows, unless there are fewer batches.
        generator: provides the order of the blocks, and the order within each window.

    Returns:
        For each window, the ascending indices of its n images (n,) and a permutation of their places (n,).
    """
    first = torch.randperm(-(-count // block), generator=generator).unsqueeze(1) * block
    index = (first + torch.arange(block)).flatten()
    batches = -(-count // size)
    number = min(number, batches)
    parts = index[index < count].tensor_split([batches * i // number * size for i in range(1, number)])
    return [(part.sort().values, torch.randperm(len(part), generator=generator)) for part in parts]


def ahead(items: Iterable[_T]) -> Iterator[_T]:
    """The same items, each made in a thread while the caller uses the one before. An error is raised in its place."""
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(next, iterator, end)
        while (item := future.result()) is not end:
            future = thread.submit(next, iterator, end)
            yield item  # pyright: ignore[reportReturnType]


def _announce(images: Tensor) -> None:
    """Have consecutive memory-mapped images read from the disk, and no others.

    Without it, Linux reads up to a fixed number of bytes (128 kB, on some machines 8 MB) around each missing page.
    """
    if hasattr(mmap, "MADV_WILLNEED"):  # not on Windows
        start = images.data_ptr() // mmap.PAGESIZE * mmap.PAGESIZE
        length = images.data_ptr() + images.nbytes - start
        ctypes.CDLL(None).madvise(ctypes.c_void_p(start), ctypes.c_size_t(length), mmap.MADV_WILLNEED)


def fitting(images: Tensor) -> int:
    """How many images of the size of these (N, C, H, W) fit into memory."""
    return process_memory() // (_FITTING * images[0].nbytes)


def window_count(size: int) -> int:
    """How many windows a number of bytes is divided into."""
    return -(-size * _WINDOW // process_memory())


def process_memory() -> int:
    """The bytes of memory that this process may use: the machine's, or the limit of a control group (Linux)."""
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", {}):  # Windows
        return sys.maxsize
    return min(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), *control_group_limits())


def control_group_limits(
    membership: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")
) -> Iterator[int]:
    """The memory limits in bytes of this process's control groups and of the groups around them, if there are any.

    Args:
        membership: the file with the groups of this process, of version 1 and 2.
        root: the folder in which the groups are mounted.
    """
    lines = membership.read_text().splitlines() if membership.exists() else []
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if controllers and "memory" not in controllers.split(","):
            continue
        top, name = (root / "memory", "memory.limit_in_bytes") if controllers else (root, "memory.max")
        group = top / path.lstrip("/")
        for folder in (group, *group.parents):  # a container may see only its own group, as the root
            if folder.is_relative_to(top) and (folder / name).is_file():
                limit = (folder / name).read_text().strip()
                if limit != "max":
                    yield int(limit)
