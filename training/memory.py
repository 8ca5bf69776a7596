"""How much memory this process may use, and what fits into it."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

_FITTING = 4  # images fit into memory if they take at most a quarter of it
_WINDOW = 16  # a window (streaming.shuffled) takes about a sixteenth of it, and two are held at a time


def fitting(images: Tensor) -> int:
    """How many images of the size of these (N, C, H, W) fit into memory."""
    return process_memory() // (_FITTING * images[0].nbytes)


def fits_on(device: torch.device, images: Tensor) -> bool:
    """Whether images take at most half of the free memory of a GPU; False for any other device."""
    return device.type == "cuda" and images.nbytes <= torch.cuda.mem_get_info(device)[0] // 2


def window_count(size: int) -> int:
    """How many windows a number of bytes is divided into."""
    return -(-size * _WINDOW // process_memory())


def process_memory() -> int:
    """The bytes of memory that this process may use: the machine's, or the limit of a control group (Linux)."""
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", {}):  # Windows
        return sys.maxsize
    return min([os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), *control_group_limits()])


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
