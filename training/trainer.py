"""The training loop. It names no variant: the tables give the network, the objective and the recipe."""

import math
import time
from dataclasses import MISSING, asdict, fields
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.utils import convert_conv2d_weight_memory_format
from tqdm import tqdm

from aevq_hub import AEVQ, AEVQConfig
from aevq_hub.registry import VARIANTS

from . import checkpoint, metrics
from .augment import augment
from .checkpoint import TrainingError, settings_of
from .memory import fits_on
from .objectives import OBJECTIVES, reconstruction, total
from .ranks import SINGLE, Ranks
from .recipe import Recipe
from .step import DTYPES, Batch, Matches, Terms
from .streaming import shuffled
from .vectors import Vectors


class DivergedError(TrainingError):
    """The loss is no longer finite."""


class Trainer:
    """Trains one model, epoch by epoch. Its whole state can be saved after each epoch.

    The same seed gives the same model on the same processor with the same number of threads, interrupted or not: the
    random numbers of an epoch depend only on the seed and the epoch, and, for images that do not fit into memory,
    on its size. On a GPU the order of sums varies, and with it the last digits.

    The arguments are the model to build, the settings, the device, the name of the data set, which a checkpoint must
    share, the processes that train together, and whether to compile the networks (torch.compile). Processes have equal
    models after every step, and the model of one process up to rounding.

    Attributes:
        model: the model, in training mode.
        images: the digest of the training images (:meth:`data.Split.digest`), for the checkpoint; None if not known.
        epochs: one record per finished epoch: the mean of each loss term, the vectors' movement, seconds.
    """

    def __init__(
        self, config: AEVQConfig, recipe: Recipe, device: str = "cpu", data: str = "", ranks: Ranks = SINGLE,
        *, compiled: bool = False,
    ):  # fmt: skip
        self.data, self.ranks = data, ranks
        self.images: str | None = None
        self.config, self.recipe, self.device = config, recipe, torch.device(device)
        self.objective = OBJECTIVES[VARIANTS[config.variant].objective]
        self.dtype = DTYPES[recipe.precision]
        with torch.random.fork_rng():
            torch.manual_seed(recipe.seed)
            model = AEVQ(config).to(self.device).train()
        self.model = convert_conv2d_weight_memory_format(model, torch.channels_last)  # faster
        self.compiled = compiled
        for network in (self.model.encoder, self.model.decoder) if compiled else ():
            # CUDA graphs on a GPU: launching the kernels of such small networks takes longer than running them
            network.compile(mode="reduce-overhead" if self.device.type == "cuda" else "default")
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=recipe.learning_rate, fused=True)
        self.vectors = Vectors(self.model, recipe, ranks)
        self.epochs: list[dict] = []

    def run_epoch(self, images: Tensor, labels: Tensor | None = None, bar: tqdm | None = None) -> dict:
        """Train on every image once and append the epoch's record, which is returned.

        Args:
            images: the training split, uint8 (N, C, H, W), all of it in every process.
            labels: (N,) or (N, attributes), −1 where missing; only `classifier` needs them.
            bar: a progress bar, which counts images.

        Raises:
            DivergedError: the loss is no longer finite.
            TrainingError: the training has too few steps for the recipe.
            ValueError: there are fewer latents than vectors to start from.
        """
        start, epoch, means = time.perf_counter(), len(self.epochs), Means(self.ranks)
        generator = torch.Generator().manual_seed(self.recipe.seed * 1_000_003 + epoch + 1)
        steps = math.ceil(len(images) / self.recipe.batch_size)
        self._refuse_endless_warmup(steps)
        if not epoch and self.recipe.output_start == "mean":
            start_output(self.model, images)
        self.ranks.align(self.model.parameters())
        self.vectors.start_epoch(epoch, epoch * steps)

        if self.recipe.augment == "none" and fits_on(self.device, images):
            images = images.to(self.device)  # once, instead of every batch
        batches = shuffled(images, labels, self.recipe.batch_size, generator, self.ranks)
        for step, (window, known, index) in enumerate(batches, start=epoch * steps):
            self.vectors.before_step(step, window, generator)
            batch = self._batch(window, known, index, step, generator)
            self._set_learning_rate(step / steps)
            terms, matches = self._step(batch)
            self.vectors.after_step(matches, generator)
            means.add(terms, batch)
            if bar is not None:
                bar.update(len(index))

        # the last step may have spoilt the weights after a finite loss
        finite = means.finite and all(bool(p.isfinite().all()) for p in self.model.parameters())
        if not finite:
            raise DivergedError(
                f"the loss or a weight is not finite in epoch {epoch + 1} ({means.values}); lower the learning rate or "
                "the weight of a term"
            )
        record = {"epoch": epoch + 1, "terms": means.values}
        if (movement := self.vectors.movement((epoch + 1) * steps)) is not None:
            record["movement"] = movement
        self.epochs.append({**record, "seconds": round(time.perf_counter() - start, 2)})
        return self.epochs[-1]

    def _batch(self, images: Tensor, labels: Tensor | None, index: Tensor, step: int, generator) -> Batch:
        x_pull = None
        if self.objective.needs_pull_batch(self.recipe):  # sampled separately from the first batch
            others = torch.randint(len(images), (self.recipe.pull_batch_size,), generator=generator)
            x_pull = self._pixels(augment(images[others], self.recipe.augment, generator))
        labels = None if labels is None else self.ranks.share(labels[index]).to(self.device)
        # all processes change the whole batch, to draw the same random numbers
        x = self._pixels(self.ranks.share(augment(images[index], self.recipe.augment, generator)))
        return Batch(x, x_pull, labels, step, len(self.epochs), generator, len(index) - len(x), self.ranks)

    def _pixels(self, images: Tensor) -> Tensor:
        return metrics.to_float(images.to(self.device, non_blocking=True, memory_format=torch.channels_last))

    def _step(self, batch: Batch) -> tuple[Terms, Matches | None]:
        if self.compiled:
            torch.compiler.cudagraph_mark_step_begin()  # the outputs of the step before are no longer needed
        terms_of = reconstruction if batch.step < self.recipe.warmup_steps else self.objective.terms
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            terms, matches = terms_of(self.model, batch, self.recipe)
            loss = total(terms, self.objective.weights(self.recipe, batch.step))
        self.optimizer.zero_grad()
        loss.backward()
        self.ranks.average_gradients(self.model.parameters(), batch.weight)
        self.optimizer.step()
        return terms, matches

    def _set_learning_rate(self, epochs: float) -> None:
        """Set the learning rate for a point of the training, in epochs since its start."""
        r, factor = self.recipe, 1.0
        if r.schedule == "cosine":
            first = epochs < r.classifier_epochs
            share = epochs / r.classifier_epochs if first else (epochs - r.classifier_epochs) / r.epochs
            factor = (1 + math.cos(math.pi * share)) / 2
        for group in self.optimizer.param_groups:
            group["lr"] = r.learning_rate * factor

    def _refuse_endless_warmup(self, steps_per_epoch: int) -> None:
        r, total_steps = self.recipe, self.total_epochs * steps_per_epoch
        needed = r.warmup_steps + max(r.feed_steps, r.ramp_steps)
        if self.model.codebook is not None and needed >= total_steps:
            raise TrainingError(
                f"the warm-up and the ramp or feed steps after it take {needed} steps, but the training has only "
                f"{total_steps}; lower them (--warmup-steps, --feed-steps, --ramp-steps) or train for more epochs"
            )

    @property
    def finished(self) -> bool:
        """Whether all epochs are done."""
        return len(self.epochs) >= self.total_epochs

    @property
    def total_epochs(self) -> int:
        """The number of epochs, including a classifier's first stage."""
        return self.recipe.epochs + self.recipe.classifier_epochs

    @property
    def settings(self) -> dict:
        """Everything besides the code that determines the result; a checkpoint must have the same settings."""
        return {
            "config": self.config.to_dict(),
            "recipe": asdict(self.recipe),
            "data": self.data,
            "images": self.images,
        }

    def save(self, path: Path) -> None:
        """Write the weights, the optimiser's state and the records into one safetensors file, atomically."""
        tensors = {f"model.{key}": value for key, value in self.model.state_dict().items()}
        tensors |= {"vectors.counts": self.vectors.counts, "vectors.steps": self.vectors.steps}
        checkpoint.save(path, tensors, self.optimizer, self.settings, self.epochs)

    def load(self, path: Path) -> None:
        """Continue from a file of :meth:`save`.

        Raises:
            TrainingError: the file is damaged, or was written with other settings.
        """
        settings = settings_of(path)
        refuse_other_settings(path, settings, self.settings)
        self.images = settings.get("images")
        tensors, self.epochs = checkpoint.load(path, self.optimizer)
        self.model.load_state_dict({k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")})
        self.vectors.counts, self.vectors.steps = tensors["vectors.counts"].to(self.device), tensors["vectors.steps"]


class Means:
    """Running means of an epoch's terms, each over the steps that had the term, and over all processes."""

    def __init__(self, ranks: Ranks):
        self.ranks = ranks
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}

    def add(self, terms: Terms, batch: Batch) -> None:
        for name, term in terms.items():
            own = metrics.exact(term.detach()) * len(batch.x) if len(batch.x) else torch.zeros(()).double()
            self.sums[name] = self.sums.get(name, 0.0) + own
            self.counts[name] = self.counts.get(name, 0) + batch.size

    @property
    def values(self) -> dict[str, float]:
        return {name: self.ranks.sum(value).item() / self.counts[name] for name, value in self.sums.items()}

    @property
    def finite(self) -> bool:
        return all(map(math.isfinite, self.values.values()))


def refuse_other_settings(path: Path, theirs: dict, ours: dict) -> None:
    """Raise a TrainingError that names the first setting in which a file differs from the requested ones.

    The number of epochs may differ if it only determines when training ends, and those of the prior, which can be
    trained at any time. A missing setting has its default value.
    """
    defaults = asdict(Recipe()) | {f.name: f.default for f in fields(AEVQConfig) if f.default is not MISSING}
    flat_theirs, flat_ours = ({"data": s["data"], **defaults, **s["recipe"], **s["config"]} for s in (theirs, ours))
    flat_theirs["format_version"] = flat_ours["format_version"]
    free = {"prior_epochs"} | ({"epochs"} if ours["recipe"]["schedule"] == "constant" else set())
    for key, value in flat_ours.items():
        if key not in free and flat_theirs.get(key) != value:
            raise TrainingError(
                f"{path} was made with {key} = {flat_theirs.get(key)}, not {value}; give the same settings to continue "
                "it, --restart to train from the beginning, or another --output"
            )


@torch.no_grad()
def start_output(model: AEVQ, images: Tensor) -> None:
    """Set the decoder's last bias to the logits of the mean of uint8 images (N, C, H, W), per channel or, for an MLP,
    per pixel.

    Started from grey, a grid's decoder may darken all pixels of MNIST at once until no pixel has a gradient.
    """
    bias = [module.bias for module in model.decoder.modules() if getattr(module, "bias", None) is not None][-1]
    mean = sum((x.sum(0) for x in metrics.batches(images)), torch.zeros(())) / len(images)  # (C, H, W)
    mean = mean.flatten() if mean.numel() == bias.numel() else mean.mean((1, 2))
    bias.copy_(mean.logit(eps=0.01))
