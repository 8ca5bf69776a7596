"""Train the prior over a grid's codes, which :meth:`AEVQ.sample` and :meth:`AEVQ.complete` draw from."""

import hashlib
import math
import time
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from aevq_hub import AEVQ
from aevq_hub.sampling import GridPrior

from . import checkpoint, metrics
from .checkpoint import settings_of
from .step import DTYPES

# 430,000 weights with 100 codes, 480,000 with 512; as many weights in fewer, wider blocks predict worse
WIDTH, BLOCKS, DILATION = 64, 10, 2
BATCH, LEARNING_RATE, RISE = 64, 6e-3, 100  # grids per step; the peak; steps of warm-up
DECAY, CLIP = 0.01, 1.0  # of the weights; the greatest norm of a gradient
HELD_OUT = 1000  # grids for the loss after each epoch


@torch.no_grad()
def codes(model: AEVQ, images: Tensor, *, progress: bool = False) -> Tensor:
    """The codes of uint8 images (N, C, H, W): (N, h, w), on the CPU."""
    device, total = model.dimension_effect.device, -(-len(images) // metrics.BATCH)
    bar = tqdm(metrics.batches(images), "encoding", total, unit=" batches", disable=not progress)
    return torch.cat([model.quantize(model.encode(x.to(device)))[1].cpu() for x in bar])


def add_prior(
    model: AEVQ, indices: Tensor, epochs: int, seed: int, *, precision: str = "fp32", resume: Path | None = None,
    width: int = WIDTH, blocks: int = BLOCKS, dilation: int = DILATION, progress: bool = True,
) -> tuple[AEVQ, list[dict]]:  # fmt: skip
    """Train a prior on grids of codes (N, h, w), N at least 2, for a model with a fitted sampler.

    Of each grid a random number of random cells is hidden, from one to all, and their codes are predicted from the
    others (MaskGIT). The last grids, at most 1,000 and a tenth, are held out.

    Args:
        model: a model with a grid of codes; a prior that it has already is replaced.
        indices: the codes of the training images (:func:`codes`).
        epochs: passes over them, at least 1.
        seed: of the first weights, the masks and the order.
        precision: of the networks, fp32 or bf16.
        resume: a file that is written after each epoch, and from which an interrupted training continues.
        width: channels of the prior.
        blocks: its blocks.
        dilation: of every other block (:class:`aevq_hub.prior.Prior`).
        progress: whether to show a progress bar.

    Returns:
        The model with the prior, in evaluation mode, and a record per epoch: the cross-entropy of a hidden cell's code
        in ``bits``, in training and on the ``held_out`` grids, and the epoch's seconds.

    Raises:
        ValueError: fewer than two grids.
        TrainingError: the checkpoint is damaged.
    """
    if len(indices) < 2:
        raise ValueError(f"there is {len(indices)} grid of codes to train a prior on; give at least 2")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = replace(model.config, prior_width=width, prior_blocks=blocks, prior_dilation=dilation)
        wider = AEVQ(config).to(model.dimension_effect.device)
    own = {key: value for key, value in model.state_dict().items() if not key.startswith("sampler.network.")}
    wider.load_state_dict(own, strict=False)
    wider.eval().requires_grad_(False)
    training = _Training(wider, indices, epochs, seed, precision)
    if resume is not None:
        training.load(resume)
    count = len(training.indices)
    with tqdm(total=epochs * count, initial=len(training.records) * count, unit=" grids", disable=not progress) as bar:
        while len(training.records) < epochs:
            bar.set_description(f"prior of {model.config.name}, epoch {len(training.records) + 1}/{epochs}")
            training.run_epoch(bar)
            if resume is not None:
                training.save(resume)
    training.network.requires_grad_(False).to(memory_format=torch.contiguous_format)
    return wider, training.records


def hide(n: int, cells: int, generator: torch.Generator) -> Tensor:
    """Which cells of n grids to hide: a random number of them, from one to all, at random places: bool (n, cells)."""
    count = torch.randint(1, cells + 1, (n, 1), generator=generator)
    return torch.rand(n, cells, generator=generator).argsort(1).argsort(1) < count


class _Training:
    """The training of one prior, which can be saved after each epoch."""

    def __init__(self, model: AEVQ, indices: Tensor, epochs: int, seed: int, precision: str):
        assert isinstance(model.sampler, GridPrior)
        self.sampler, self.network = model.sampler, model.sampler.network
        self.device, held_out = model.dimension_effect.device, max(1, min(HELD_OUT, len(indices) // 10))
        self.indices, self.held_out = indices[:-held_out].to(self.device), indices[-held_out:].to(self.device)
        self.network.requires_grad_(True).to(memory_format=torch.channels_last)  # faster
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=LEARNING_RATE, weight_decay=DECAY)
        self.seed, self.dtype, self.steps = seed, DTYPES[precision], epochs * -(-len(self.indices) // BATCH)
        digest = hashlib.sha256(indices.short().numpy().tobytes()).hexdigest()
        self.settings = {
            "config": model.config.to_dict(),
            "codes": digest,
            "epochs": epochs,
            "seed": seed,
            "precision": precision,
        }
        self.records: list[dict] = []

    def run_epoch(self, bar: tqdm) -> None:
        """Train on every grid once and append the epoch's record."""
        start, epoch, total = time.perf_counter(), len(self.records), 0.0
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch + 1)
        order = torch.randperm(len(self.indices), generator=generator).split(BATCH)
        for step, batch in enumerate(order, start=epoch * len(order)):
            course = (1 + math.cos(math.pi * step / self.steps)) / 2
            for group in self.optimizer.param_groups:
                group["lr"] = LEARNING_RATE * min(course, (step + 1) / RISE)
            loss = self._loss(self.indices[batch], generator)
            self.optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
            self.optimizer.step()
            total += loss.item() * len(batch)
            bar.update(len(batch))
        with torch.no_grad():
            held_out = self._loss(self.held_out, torch.Generator().manual_seed(0)).item()
        bits = {"bits": total / len(self.indices) / math.log(2), "held_out": held_out / math.log(2)}
        self.records.append({"epoch": epoch + 1, **bits, "seconds": round(time.perf_counter() - start, 2)})

    def _loss(self, grids: Tensor, generator: torch.Generator) -> Tensor:
        hidden = hide(len(grids), grids[0].numel(), generator).view(grids.shape).to(self.device)
        visible = grids.masked_fill(hidden, self.sampler.probability.shape[2])
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            logits = self.sampler.logits(visible)[hidden]
        return F.cross_entropy(logits.float(), grids[hidden])

    def save(self, path: Path) -> None:
        """Write the weights, the optimiser's state and the records into one file, atomically."""
        path.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.save(path, self.network.state_dict(), self.optimizer, self.settings, self.records)

    def load(self, path: Path) -> None:
        """Continue from a file of :meth:`save`, unless there is none or it is of another training."""
        if path.exists() and settings_of(path) == self.settings:
            weights, self.records = checkpoint.load(path, self.optimizer)
            self.network.load_state_dict(weights)
