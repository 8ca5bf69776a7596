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
from aevq_hub.recipe import Recipe
from aevq_hub.registry import VARIANTS

from . import metrics
from .files import written_beside
from .objectives import OBJECTIVES, Batch, total
from .vectors import K_MEANS_LATENTS, VectorUpdates, k_means

_DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}  # by recipe.PRECISIONS


class TrainingError(RuntimeError):
    """Training cannot go on. The message says why and what to do."""


class DivergedError(TrainingError):
    """The loss is no longer finite."""


class Trainer:
    """Trains one model, epoch by epoch; its whole state can be saved after each.

    The same seed gives the same model on the same processor with the same number of threads, whether or not training
    was interrupted: the draws of an epoch depend on the seed and the epoch's number alone. On a GPU sums are taken in
    any order, and the last digits differ.

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
        self.updates = VectorUpdates(self.model, recipe)
        self.epochs: list[dict] = []

    def run_epoch(self, images: Tensor, labels: Tensor | None = None, bar: tqdm | None = None) -> dict:
        """Train on every image once and append the epoch's record, which is returned.

        Args:
            images: the training split, uint8 (N, C, H, W).
            labels: (N,) or (N, attributes), −1 where missing; needed by `classifier` alone.
            bar: a progress bar to move by images.

        Raises:
            DivergedError: the loss is no longer finite.
            TrainingError: there are fewer latents than vectors to start from, or fewer steps than the recipe needs.
        """
        start, recipe, epoch = time.perf_counter(), self.recipe, len(self.epochs)
        generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + epoch + 1)
        draws_others = self.objective.draws_pull_batch(recipe)
        vectors = None if self.model.codebook is None else self.model.codebook.detach().clone()
        sums: dict[str, float | Tensor] = {}
        counts: dict[str, int] = {}
        order = torch.randperm(len(images), generator=generator).split(recipe.batch_size)
        self._refuse_endless_warmup(len(order))
        if not epoch and recipe.output_start == "mean":
            self._start_output(images)
        for step, index in enumerate(order, start=epoch * len(order)):
            refits = step == epoch * len(order) > recipe.warmup_steps and epoch <= recipe.refit_epochs
            if (step == recipe.warmup_steps or refits) and recipe.initialisation == "k-means" and vectors is not None:
                self._start_vectors(images, generator)
                vectors = self.model.codebook.detach().clone()  # where they start is no movement
            x, x_pull = self._draw(images, index), None
            if draws_others:  # a draw of its own, not a part of the first
                others = torch.randint(len(images), (recipe.pull_batch_size,), generator=generator)
                x_pull = self._draw(images, others)
            batch_labels = None if labels is None else labels[index].to(self.device)
            batch = Batch(x, x_pull, batch_labels, step, epoch, generator)
            for group in self.optimizer.param_groups:
                group["lr"] = self._learning_rate(step / len(order))
            with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
                terms, matches = self.objective.terms(self.model, batch, recipe)
                loss = total(terms, self.objective.weights(recipe, step))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.updates.after_step(matches, generator)
            for name, term in terms.items():
                sums[name] = sums.get(name, 0.0) + term.detach().double() * len(index)
                counts[name] = counts.get(name, 0) + len(index)
            if bar is not None:
                bar.update(len(index))
        means = {name: value.item() / counts[name] for name, value in sums.items()}
        if not all(map(math.isfinite, means.values())):
            raise DivergedError(
                f"the loss is not finite in epoch {epoch + 1} ({means}); lower the learning rate or a weight"
            )
        record = {"epoch": epoch + 1, "terms": means}
        if vectors is not None and (epoch + 1) * len(order) > recipe.warmup_steps:
            record["movement"] = metrics.movement(vectors, self.model.codebook.detach())
        record["seconds"] = round(time.perf_counter() - start, 2)
        self.epochs.append(record)
        return record

    def _learning_rate(self, epochs: float) -> float:
        """The learning rate after so many epochs, whole and part, of training."""
        r = self.recipe
        if r.schedule == "constant":
            return r.learning_rate
        first = epochs < r.classifier_epochs
        share = epochs / r.classifier_epochs if first else (epochs - r.classifier_epochs) / r.epochs
        return r.learning_rate * (1 + math.cos(math.pi * share)) / 2

    def _refuse_endless_warmup(self, steps_per_epoch: int) -> None:
        r, total_steps = self.recipe, self.total_epochs * steps_per_epoch
        needed = r.warmup_steps + max(r.feed_steps, r.ramp_steps)
        if self.model.codebook is not None and needed >= total_steps:
            raise TrainingError(
                f"warmup_steps and what follows, feed_steps or ramp_steps, are {needed}, but training has only "
                f"{total_steps} steps; lower them (--warmup-steps, --feed-steps, --ramp-steps) or train for more epochs"
            )

    def _start_vectors(self, images: Tensor, generator: torch.Generator) -> None:
        chosen = torch.randperm(len(images), generator=generator)[:K_MEANS_LATENTS]
        cells = max(1, self.config.grid_size) ** 2
        try:
            k_means(self.model, images[chosen[: -(-K_MEANS_LATENTS // cells)]], self.recipe.seed)
        except ValueError as error:
            raise TrainingError(str(error)) from error
        self.updates.start_counting()

    @torch.no_grad()
    def _start_output(self, images: Tensor) -> None:
        """Give the decoder's last bias the logits of the images' mean, of each channel or, of an MLP, each pixel.

        From grey, a grid's decoder may darken all of MNIST's mostly black pixels at once until none has a gradient.
        """
        bias = [module.bias for module in self.model.decoder.modules() if getattr(module, "bias", None) is not None][-1]
        mean = sum(x.sum(0) for x in metrics.batches(images)) / len(images)  # (C, H, W)
        mean = mean.flatten() if mean.numel() == bias.numel() else mean.mean((1, 2))
        bias.copy_(mean.logit(eps=0.01))

    def _draw(self, images: Tensor, index: Tensor) -> Tensor:
        return metrics.to_float(images[index].to(self.device, non_blocking=True))

    @property
    def finished(self) -> bool:
        """Whether all epochs were run: the recipe's, and before them those of a classifier's first stage."""
        return len(self.epochs) >= self.total_epochs

    @property
    def total_epochs(self) -> int:
        """The recipe's epochs and, before them, those of a classifier's first stage."""
        return self.recipe.epochs + self.recipe.classifier_epochs

    @property
    def settings(self) -> dict:
        """What decides the result besides the code; a checkpoint is continued only where they agree."""
        return {"config": self.config.to_dict(), "recipe": asdict(self.recipe), "data": self.data}

    def save(self, path: Path) -> None:
        """Write weights, the optimiser's state and the records into one safetensors file, moved into place whole."""
        tensors = {f"model.{key}": value for key, value in self.model.state_dict().items()}
        tensors |= {"updates.counts": self.updates.counts, "updates.steps": self.updates.steps}
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
        self.updates.counts, self.updates.steps = tensors["updates.counts"], tensors["updates.steps"]
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

    The number of epochs may differ where it only decides when training ends, not what an epoch does. A setting that
    an older version did not have yet counts as its default.
    """
    defaults = asdict(Recipe())
    flat_theirs, flat_ours = ({"data": s["data"], **defaults, **s["recipe"], **s["config"]} for s in (theirs, ours))
    for key, value in flat_ours.items():
        if (key != "epochs" or ours["recipe"]["schedule"] != "constant") and flat_theirs.get(key) != value:
            raise TrainingError(
                f"{path} was made with {key} = {flat_theirs.get(key)}, not {value}; give the same settings to go "
                "on with it, --restart to train from the beginning, or another --output"
            )
