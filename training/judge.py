"""A small classifier of a data set's own images, to measure pictures with. It is no part of a model."""

import hashlib

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from .data import Source, cache_folder, fingerprint, load
from .files import written_beside
from .metrics import batches, to_float

_EPOCHS, _BATCH, _SEED = 4, 128, 0


def _network(channels: int, size: int, classes: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, 32, 4, stride=2, padding=1), nn.ReLU(),
        nn.Conv2d(32, 64, 4, stride=2, padding=1), nn.ReLU(), nn.Flatten(),
        nn.Linear(64 * (size // 4) ** 2, 128), nn.ReLU(), nn.Linear(128, classes),
    )  # fmt: skip


class Judge:
    """Class probabilities of images, from a classifier trained on a data set's training split.

    Trained once (four epochs of a two-layer convolutional network, fixed seed) and kept in the cache folder.

    Args:
        source: a data set with class labels.
        progress: whether to show a bar while it trains.

    Raises:
        ValueError: the data set has no class labels.

    Attributes:
        accuracy: on the test split.
    """

    def __init__(self, source: Source, *, progress: bool = True):
        classes = len(source.dataset.class_names)
        if not classes:
            raise ValueError(f"{source.name} has no class labels to train a classifier on")
        test = load(source, "test")
        with torch.random.fork_rng():
            torch.manual_seed(_SEED)
            self.network = _network(source.dataset.channels, source.dataset.size, classes)
        # another network or other images make another file
        key = hashlib.sha256(f"{self.network} {_EPOCHS} {_BATCH} {_SEED} {fingerprint(source, 'train')}".encode())
        path = cache_folder() / "judges" / f"{source.name}-{key.hexdigest()[:16]}.safetensors"
        if path.exists():
            self.network.load_state_dict(load_file(path))
        else:
            self._train(load(source, "train"), progress)
            path.parent.mkdir(parents=True, exist_ok=True)
            with written_beside(path) as beside:
                save_file(self.network.state_dict(), beside)
        self.network.eval()
        labels = torch.cat([self(x).argmax(1) for x in batches(test.images)])
        self.accuracy = (labels == test.labels).float().mean().item()

    @torch.no_grad()
    def __call__(self, x: Tensor) -> Tensor:
        """Images (B, C, H, W) in [0, 1] → probabilities (B, classes)."""
        with torch.autocast("cpu", torch.bfloat16):  # four times as fast, and a class is not decided by rounding
            return self.network(x).float().softmax(1)

    def _train(self, train, progress: bool) -> None:
        generator = torch.Generator().manual_seed(_SEED)
        steps = _EPOCHS * (len(train) // _BATCH)
        optimizer = torch.optim.Adam(self.network.parameters())
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
        with tqdm(total=steps, desc="training the measuring classifier", unit=" steps", disable=not progress) as bar:
            for _ in range(_EPOCHS):
                for index in torch.randperm(len(train), generator=generator)[: steps // _EPOCHS * _BATCH].split(_BATCH):
                    with torch.autocast("cpu", torch.bfloat16):
                        logits = self.network(to_float(train.images[index]))
                    optimizer.zero_grad()
                    F.cross_entropy(logits.float(), train.labels[index]).backward()
                    optimizer.step()
                    schedule.step()
                    bar.update()
