"""Files of unfinished trainings: weights, the optimiser's state and records, in one safetensors file."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from .files import written_beside


class TrainingError(RuntimeError):
    """Training cannot continue. The message says why and what to do."""


def save(
    path: Path, tensors: dict[str, Tensor], optimizer: torch.optim.Optimizer, settings: dict, epochs: list[dict]
) -> None:
    """Write a checkpoint, atomically: named tensors, the optimiser's state, the settings and a record per epoch."""
    for i, state in optimizer.state_dict()["state"].items():
        tensors = tensors | {f"optimizer.{i}.{key}": value for key, value in state.items()}
    metadata = {"settings": json.dumps(settings), "epochs": json.dumps(epochs)}
    with written_beside(path) as beside:
        save_file({key: value.contiguous().cpu() for key, value in tensors.items()}, beside, metadata=metadata)


def load(path: Path, optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], list[dict]]:
    """Read a checkpoint: the optimiser gets its state; the other tensors and the records are returned."""
    with safe_open(path, framework="pt") as file:
        epochs = json.loads(file.metadata()["epochs"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a mapping)
    state: dict[int, dict[str, Tensor]] = {}
    parameters = optimizer.param_groups[0]["params"]
    for key in [key for key in tensors if key.startswith("optimizer.")]:
        _, i, name = key.split(".")
        like, value = parameters[int(i)], tensors.pop(key)
        # in the parameter's memory format, which the fused step expects
        state.setdefault(int(i), {})[name] = torch.empty_like(like).copy_(value) if value.ndim else value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    return tensors, epochs


def settings_of(path: Path) -> dict:
    """The settings that a checkpoint was made with.

    Raises:
        TrainingError: the file is damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return json.loads((file.metadata() or {})["settings"])
    except (SafetensorError, KeyError, ValueError) as error:
        raise TrainingError(f"{path} is damaged ({error}); delete it to start again") from error
