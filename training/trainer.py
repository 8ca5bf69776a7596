"""The one training loop. No variant is named in it: the table says the network and the objective."""

import json
import math
import time
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from aevq_hub import AEVQ, AEVQConfig
from aevq_hub.registry import VARIANTS, Recipe

from . import metrics
from .files import written_beside
from .objectives import OBJECTIVES, total

_DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}  # by registry.PRECISIONS


class TrainingError(RuntimeError):
    """Training cannot go on. The message says why and what to do."""


class Trainer:
    """Trains one model, epoch by epoch; its whole state can be saved after each.

    The same seed gives the same model on the same machine with the same number of threads, whether or not training
    was interrupted: the draws of an epoch depend on the seed and the epoch's number alone.

    Args:
        config: the model to build.
        recipe: the settings to train it with.
        device: where to train.
        data: a name of what it is trained on; a checkpoint of other data is refused.

    Attributes:
        model: in training mode.
        epochs: one record per finished epoch: the loss terms' means, the vectors' movement, seconds.
    """

    def __init__(self, config: AEVQConfig, recipe: Recipe, device: str = "cpu", data: str = ""):
        self.data = data
        self.config, self.recipe, self.device = config, recipe, torch.device(device)
        self.objective = OBJECTIVES[VARIANTS[config.variant].objective]
        self.dtype = _DTYPES[recipe.precision]
        with torch.random.fork_rng():
            torch.manual_seed(recipe.seed)
            self.model = AEVQ(config).to(self.device).train()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=recipe.learning_rate, fused=True)
        self.epochs: list[dict] = []

    def run_epoch(self, images: Tensor, bar: tqdm | None = None) -> dict:
        """Train on every image once and append the epoch's record, which is returned.

        Args:
            images: the training split, uint8 (N, C, H, W).
            bar: a progress bar to move by images.

        Raises:
            TrainingError: the loss is no longer finite.
        """
        start, recipe, number = time.perf_counter(), self.recipe, len(self.epochs) + 1
        generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + number)
        weights = self.objective.weights(recipe)
        vectors = None if self.model.codebook is None else self.model.codebook.detach().clone()
        sums: dict[str, float | Tensor] = {}
        for index in torch.randperm(len(images), generator=generator).split(recipe.batch_size):
            x, x_pull = self._draw(images, index), None
            if self.objective.draws_pull_batch:  # a draw of its own, not a part of the first
                others = torch.randint(len(images), (recipe.pull_batch_size,), generator=generator)
                x_pull = self._draw(images, others)
            with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
                terms = self.objective.terms(self.model, x, x_pull, recipe)
                loss = total(terms, weights)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            for name, term in terms.items():
                sums[name] = sums.get(name, 0.0) + term.detach().double() * len(index)
            if bar is not None:
                bar.update(len(index))
        means = {name: value.item() / len(images) for name, value in sums.items()}
        if not all(map(math.isfinite, means.values())):
            raise TrainingError(
                f"the loss is not finite in epoch {number} ({means}); lower the learning rate or a weight"
            )
        record = {"epoch": number, "terms": means}
        if vectors is not None:
            record["movement"] = metrics.movement(vectors, self.model.codebook.detach())
        record["seconds"] = round(time.perf_counter() - start, 2)
        self.epochs.append(record)
        return record

    def _draw(self, images: Tensor, index: Tensor) -> Tensor:
        return metrics.to_float(images[index].to(self.device, non_blocking=True))

    @property
    def settings(self) -> dict:
        """What decides the result besides the code; a checkpoint is continued only where they agree."""
        return {"config": self.config.to_dict(), "recipe": asdict(self.recipe), "data": self.data}

    def save(self, path: Path) -> None:
        """Write weights, the optimiser's state and the records into one safetensors file, moved into place whole."""
        tensors = {f"model.{key}": value for key, value in self.model.state_dict().items()}
        for i, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{i}.{key}": value for key, value in state.items()}
        with written_beside(path) as beside:
            metadata = {"settings": json.dumps(self.settings), "epochs": json.dumps(self.epochs)}
            save_file({k: v.contiguous().cpu() for k, v in tensors.items()}, beside, metadata=metadata)

    def load(self, path: Path) -> None:
        """Continue from a file of :meth:`save`.

        Raises:
            TrainingError: the file is damaged, or was written with other settings.
        """
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata()
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no mapping)
        except SafetensorError as error:
            raise TrainingError(f"{path} is damaged ({error}); start again with --restart") from error
        refuse_other_settings(path, json.loads(metadata["settings"]), self.settings)
        self.model.load_state_dict({k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")})
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith("optimizer."):
                _, i, name = key.split(".")
                state.setdefault(int(i), {})[name] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})
        self.epochs = json.loads(metadata["epochs"])


def refuse_other_settings(path: Path, theirs: dict, ours: dict) -> None:
    """Raise a TrainingError naming the first setting in which a file differs from what is asked for.

    The number of epochs may differ: it decides when training ends, not what an epoch does.
    """
    flat_theirs, flat_ours = ({"data": s["data"], **s["config"], **s["recipe"]} for s in (theirs, ours))
    for key, value in flat_ours.items():
        if key != "epochs" and flat_theirs.get(key) != value:
            raise TrainingError(
                f"{path} was made with {key} = {flat_theirs.get(key)}, not {value}; give the same settings to go "
                "on with it, --restart to train from the beginning, or another --output"
            )
