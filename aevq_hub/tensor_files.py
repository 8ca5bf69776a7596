"""Safetensors files: a model's weights, and smaller ones. They are checked before their content is used."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import torch
from huggingface_hub.utils.sha import sha_fileobj
from safetensors import SafetensorError
from safetensors.torch import load

from .config import CONFIG_FILE, LoadError

_FLOATS = (torch.float32, torch.float16, torch.bfloat16)
HEADER, LARGEST = 1_000_000, 64_000_000  # bytes: the most of a safetensors file's header, and of samples or a map


def weights_hash(path: str | Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return sha_fileobj(file).hex()


def read_weights(
    path: str | Path, expected: dict[str, torch.Tensor], sha256: str, device: str | torch.device = "cpu"
) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file, after checking names, shapes, types and the hash.

    The file is read once and closed, so the tensors do not change with it.

    Args:
        path: the file.
        expected: name → tensor of the shape and type to return (``meta`` tensors suffice).
        sha256: the hash of the file, from config.json.
        device: where to put the tensors.

    Raises:
        LoadError: the file is truncated, broken, has weights that are not finite, or belongs to another model.
        ValueError: there is no such device.
    """
    device = available_device(device)
    data = _read(Path(path), sum(4 * tensor.numel() for tensor in expected.values()))
    stored = _parsed(Path(path), data)
    for problem in _mismatches(stored, expected):
        raise LoadError(f"{path} does not fit its {CONFIG_FILE}: {problem}; download the model again")
    if hashlib.sha256(data).hexdigest() != sha256:
        problem = f"the file that its {CONFIG_FILE} was written with: its SHA-256 differs"
        raise LoadError(f"{path} is not {problem}; download the model again")
    return {key: stored[key].to(device, tensor.dtype) for key, tensor in expected.items()}


def available_device(device: str | torch.device) -> torch.device:
    """A device, after checking that tensors can be put there.

    Raises:
        ValueError: they cannot.
    """
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError) as error:  # torch knows no such device, or was built without it
        accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        choices = ", ".join(["cpu", *([accelerator.type] if accelerator else [])])
        raise ValueError(f"device is {str(device)!r}, which is not available; choose from {choices}") from error


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file of at most 64 MB that is not weights.

    Raises:
        LoadError: the file is truncated, broken or too large.
    """
    return _parsed(path, _read(path, LARGEST))


def _parsed(path: Path, data: bytes) -> dict[str, torch.Tensor]:
    try:
        return load(data)
    # types that torch lacks are KeyErrors, and impossible shapes one of the last three
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        problem = str(error).partition("\n")[0]
        raise LoadError(f"{path} is truncated or damaged ({problem}); download the model again") from error


def _read(path: Path, tensors: int) -> bytes:
    """The content of a safetensors file whose tensors have at most so many bytes.

    Its size and that of its header are checked first: parsing a large header takes much time and memory.
    """
    try:
        with open(path, "rb") as file:
            size, header = os.fstat(file.fileno()).st_size, int.from_bytes(file.read(8), "little")
            for what, found, most in (("header", header, HEADER), ("file", size, tensors + HEADER)):
                if found > most:
                    problem = f"its {what} has {found:,} bytes, where at most {most:,} are expected"
                    raise LoadError(f"{path} is damaged or of another model: {problem}; download the model again")
            file.seek(0)
            return file.read()
    except OSError as error:
        raise LoadError(f"{path} cannot be read ({error.strerror})") from error


def _mismatches(stored: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> Iterator[str]:
    if missing := sorted(expected.keys() - stored.keys()):
        yield f"the weight {missing[0]!r} is missing ({len(missing)} in total)"
    if extra := sorted(stored.keys() - expected.keys()):
        yield f"the weight {extra[0]!r} is unknown ({len(extra)} in total)"
    for key, tensor in expected.items():
        found = stored[key]
        if found.shape != tensor.shape:
            yield f"the weight {key!r} has the shape {tuple(found.shape)} instead of {tuple(tensor.shape)}"
        if found.dtype not in _FLOATS:
            yield f"the weight {key!r} has the type {found.dtype} instead of one of {', '.join(map(str, _FLOATS))}"
        elif not found.isfinite().all():
            yield f"the weight {key!r} has values that are not finite"
