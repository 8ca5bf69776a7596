"""A small classifier of a data set, which measures images that models make. It is not part of any model."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from tqdm import tqdm

from .augment import augment
from .data import Labelled, labelled
from .files import written_beside
from .metrics import accuracy, batches, to_float
from .objectives import classification
from .rows import Source
from .sources import cache_folder, fingerprint
from .streaming import shuffled

_BATCH, _SEED = 128, 0
SURE = 0.9  # the classifier is sure of an answer from this probability on
FEATURES = 128  # units of the last hidden layer


@dataclass(frozen=True)
class _Training:
    """How a kind of classifier is trained: for some epochs, more for small data sets, up to a number of steps."""

    network: Callable[[int, int, int], nn.Sequential]  # of channels, size and classes
    epochs: int = 4
    least_steps: int = 800
    most_epochs: int = 20  # to reach these steps
    at_least: int = 0  # steps in any case
    augment: str = "none"
    weight_decay: float = 0.0


def _shallow(channels: int, size: int, classes: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, 32, 4, stride=2, padding=1), nn.ReLU(),
        nn.Conv2d(32, 64, 4, stride=2, padding=1), nn.ReLU(), nn.Flatten(),
        nn.Linear(64 * (size // 4) ** 2, FEATURES), nn.ReLU(), nn.Linear(FEATURES, classes),
    )  # fmt: skip


def _deep(channels: int, size: int, classes: int) -> nn.Sequential:
    def halving(channels: int, width: int) -> list[nn.Module]:
        convolution = nn.Conv2d(channels, width, 4, stride=2, padding=1, bias=False)
        return [convolution, nn.BatchNorm2d(width), nn.ReLU()]

    return nn.Sequential(
        *halving(channels, 32), *halving(32, 64), *halving(64, 128), *halving(128, 128), nn.Flatten(), nn.Dropout(),
        nn.Linear(128 * (size // 16) ** 2, FEATURES), nn.ReLU(), nn.Linear(FEATURES, classes),
    )  # fmt: skip


SMALL = _Training(_shallow)
# for images in colour
PHOTOS = _Training(_deep, least_steps=850, most_epochs=30, at_least=60, augment="flip-crop", weight_decay=0.05)


class ReferenceClassifier:
    """A classifier trained on a data set's labelled training images.

    It is trained once, with a fixed seed, and kept in the cache folder: on grey images, or on tiny ones, a network of
    two convolutions, on images in colour a deeper one, with mirrored and shifted images. A small data set is repeated
    more often than four times.

    Raises:
        ValueError: the data set has no labels.

    Attributes:
        accuracy: the accuracy on the labelled test images (:func:`data.labelled`); for attributes, the mean over them.
        multi_label: whether an image may belong to several classes.
    """

    def __init__(self, source: Source, *, progress: bool = True):
        classes = len(source.dataset.class_names)
        if not classes:
            raise ValueError(f"{source.name} has no class labels, and a classifier needs them")
        self.multi_label = source.dataset.multi_label
        train, test = labelled(source)
        channels, size = source.dataset.channels, source.dataset.size
        training = PHOTOS if channels > 1 and size >= 16 else SMALL
        with torch.random.fork_rng():
            torch.manual_seed(_SEED)
            self.network = training.network(channels, size, classes).to(memory_format=torch.channels_last)
        settings = vars(training) | {"network": self.network, "batch": _BATCH, "seed": _SEED}
        digest = hashlib.sha256(f"{settings} {fingerprint(source, 'train')}".encode()).hexdigest()[:16]
        path = cache_folder() / "classifiers" / f"{source.name}-{digest}.safetensors"
        if path.exists():
            self.network.load_state_dict(load_file(path))
        else:
            with torch.random.fork_rng():  # dropout
                torch.manual_seed(_SEED)
                self._train(train, training, progress)
            path.parent.mkdir(parents=True, exist_ok=True)
            with written_beside(path, shared=True) as beside:
                save_file({name: weight.contiguous() for name, weight in self.network.state_dict().items()}, beside)
        self.network.eval()
        self._last: tuple[Tensor | None, Tensor] = None, torch.empty(0)  # a batch of images and its features
        self.accuracy = accuracy(torch.cat([self(x) for x in batches(test.images)]), test.labels)

    @torch.no_grad()
    def __call__(self, x: Tensor) -> Tensor:
        """Images (B, C, H, W) in [0, 1] → probabilities (B, classes)."""
        logits = self.network[-1](self.features(x))
        return logits.sigmoid() if self.multi_label else logits.softmax(1)

    def answers(self, x: Tensor) -> Tensor:
        """Images (B, C, H, W) in [0, 1] → classes (B, 1), or for attributes yes and no (B, attributes)."""
        return self(x) >= 0.5 if self.multi_label else self(x).argmax(1, keepdim=True)

    def sure(self, x: Tensor) -> Tensor:
        """How sure the classifier is of images (B, C, H, W) in [0, 1]: 1 if its answer has a probability of at least
        0.9, else 0; for attributes, the share of those answers (B,)."""
        p = self(x)
        likely = p.maximum(1 - p) if self.multi_label else p.amax(1, keepdim=True)
        return (likely >= SURE).float().mean(1)

    @torch.no_grad()
    def features(self, x: Tensor) -> Tensor:
        """Images (B, C, H, W) in [0, 1] → the last hidden layer (B, 128), in float32."""
        if self._last[0] is not x:  # a sheet's pictures are asked about twice
            self._last = x, self.network[:-1](x)
        return self._last[1]

    def _train(self, train: Labelled, training: _Training, progress: bool) -> None:
        generator = torch.Generator().manual_seed(_SEED)
        size = min(_BATCH, len(train))
        per_epoch = len(train) // size
        repeated = min(training.least_steps, max(training.most_epochs * per_epoch, training.at_least))
        epochs = max(training.epochs, -(-repeated // per_epoch))
        steps = epochs * per_epoch
        optimizer = torch.optim.AdamW(self.network.parameters(), weight_decay=training.weight_decay, fused=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
        with tqdm(total=steps, desc="training the reference classifier", unit=" steps", disable=not progress) as bar:
            for _ in range(epochs):
                epoch = shuffled(train.images, train.labels, size, generator)
                for images, labels, index in islice(epoch, per_epoch):  # without a last batch of fewer images
                    x = to_float(augment(images[index], training.augment, generator))
                    loss = classification(self.network(x), labels[index])
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    schedule.step()
                    bar.update()
