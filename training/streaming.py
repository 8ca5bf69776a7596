"""Images that do not fit into memory: read in blocks, and drawn at random from a window of many blocks."""

import ctypes
import mmap
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

import torch
from torch import Tensor

from .memory import fitting, window_count
from .ranks import SINGLE, Ranks

_BLOCK = 2**20  # bytes of consecutive images that stay together in a window
_T = TypeVar("_T")
_Labels = TypeVar("_Labels", bound=Tensor | None)


def shuffled(
    images: Tensor, labels: _Labels, size: int, generator: torch.Generator, ranks: Ranks = SINGLE
) -> Iterator[tuple[Tensor, _Labels, Tensor]]:
    """One epoch's batches, each image once, in an order that depends only on the generator and the memory.

    Images that fit into memory are drawn from all of them. Otherwise, a random choice of blocks is read from the disk
    in one sweep, a window, whose images are then drawn at random.

    Args:
        images: uint8 (N, C, H, W), usually memory-mapped.
        labels: (N,) or (N, attributes), or None.
        size: the images per batch; only the last batch may have fewer.
        generator: provides the order. All random numbers are drawn before the first batch.
        ranks: the processes that need the same order, which depends on the smallest memory of their machines.

    Yields:
        The images and the labels of the window, and the places in them of the batch's images (B,). If all images fit
        into memory, the window is the whole data set.
    """
    if len(images) <= ranks.least(fitting(images)):
        for places in torch.randperm(len(images), generator=generator).split(size):
            yield images, labels, places
        return

    def read(window: tuple[Tensor, Tensor]) -> tuple[Tensor, _Labels, Tensor]:
        index, places = window
        for run in index.tensor_split((index.diff() > 1).nonzero()[:, 0] + 1):
            _announce(images[run[0] : run[-1] + 1])
        return images[index], labels if labels is None else cast("_Labels", labels[index]), places

    block = max(1, _BLOCK // images[0].nbytes)
    number = -ranks.least(-window_count(images.nbytes) * ranks.on_machine)  # every process holds two windows
    order = windows(len(images), block, size, number, generator)
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
