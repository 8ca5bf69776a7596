"""One of two processes that train each of CASES together, started by test_ranks.py with a data root and a folder.

Each process writes its records, and its weights after each step as a digest, into the folder.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from tiny import trainer_for

from aevq_hub.registry import VARIANTS
from training.data import load
from training.ranks import SINGLE, Ranks, connect, leave
from training.sources import find_source
from training.trainer import Trainer

IMAGES = 289  # nine batches of 32 images, and a last batch of one, of which the second process has none
EPOCHS = 2
CASES = {variant: (variant, {}) for variant in VARIANTS} | {
    "codebook-average": ("codebook", {"pull_scale": "variance", "ema_rate": 0.1, "restart_steps": 5}),
    "center-augmented": ("center", {"augment": "flip-crop", "pull_scale": "variance"}),
}
# k-means and restarts turn other last digits of float32 into other vectors; float64 shows that nothing else differs
DTYPES = dict.fromkeys(CASES, torch.float32) | {"vqae": torch.float64, "vqvae": torch.float64}


@contextmanager
def computing_as(case: str) -> Iterator[None]:
    """Compute in the type of a case, also where the code says ``float()``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "float", lambda x: x.to(DTYPES[case]))
        torch.set_default_dtype(DTYPES[case])
        yield
    torch.set_default_dtype(torch.float32)


def trainer_of(case: str, mirror: Path, ranks: Ranks = SINGLE) -> Trainer:
    """A trainer of a tiny model."""
    variant, settings = CASES[case]
    # larger steps would amplify the last digits of float32
    return trainer_for(variant, mirror, ranks, learning_rate=1e-3, **settings)[0]


def run_epoch(trainer: Trainer, mirror: Path) -> dict[str, float]:
    """Train for an epoch; the parts of a batch do not have as many labels. Returns the means of the terms."""
    data = load(find_source("mnist", data_root=mirror), "train")
    assert data.labels is not None
    labels = data.labels.clone()
    labels[::3] = -1
    return trainer.run_epoch(data.images[:IMAGES], labels[:IMAGES])["terms"]


def digest(trainer: Trainer) -> str:
    """A digest of the bits of all weights and vectors."""
    values = torch.cat([value.flatten().double() for value in trainer.model.state_dict().values()])
    return hashlib.sha256(values.numpy().tobytes()).hexdigest()


def main(mirror: Path, folder: Path) -> None:
    ranks, _ = connect("cpu")
    for case in CASES:
        with computing_as(case):
            name = folder / case
            name.with_suffix(f".{ranks.index}.json").write_text(json.dumps(train(case, mirror, ranks, name)))
    ranks.wait()
    leave(0)


def train(case: str, mirror: Path, ranks: Ranks, name: Path) -> dict:
    trainer, digests, epochs = trainer_of(case, mirror, ranks), [], []
    after_step = trainer.vectors.after_step
    trainer.vectors.after_step = lambda *args: (after_step(*args), digests.append(digest(trainer)))
    for _ in range(EPOCHS):
        epochs.append(run_epoch(trainer, mirror))
        if ranks.main and len(epochs) == 1:
            trainer.save(name.with_suffix(".safetensors"))
    return {"epochs": epochs, "digests": digests}


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
