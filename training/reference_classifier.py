"""A small classifier of a data set, which measures images that models make. It is not part of any model."""

import hashlib
from itertools import islice

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from tqdm import tqdm

from .data import Labelled, labelled
from .files import written_beside
from .metrics import accuracy, batches, to_float
from .objectives import classification
from .rows import Source
from .sources import cache_folder, fingerprint
from .streaming import shuffled

_EPOCHS, _BATCH, _SEED = 4, 128, 0
_LEAST_STEPS = 800  # for small data sets
SURE = 0.9  # the classifier is sure of an answer from this probability on
FEATURES = 128  # units of the last hidden layer


def _network(channels: int, size: int, classes: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, 32, 4, stride=2, padding=1), nn.ReLU(),
        nn.Conv2d(32, 64, 4, stride=2, padding=1), nn.ReLU(), nn.Flatten(),
        nn.Linear(64 * (size // 4) ** 2, FEATURES), nn.ReLU(), nn.Linear(FEATURES, classes),
    )  # fmt: skip


class ReferenceClassifier:
    """A classifier trained on a data set's labelled training images.

    It is trained once (four epochs of a two-layer convolutional network, fixed seed) and kept in the cache folder.

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
        with torch.random.fork_rng():
            torch.manual_seed(_SEED)
            self.network = _network(source.dataset.channels, source.dataset.size, classes)
        key = f"{self.network} float32 {_EPOCHS} {_BATCH} {_SEED} {fingerprint(source, 'train')}"  # of the cached file
        digest = hashlib.sha256(key.encode()).hexdigest()[:16]
        path = cache_folder() / "classifiers" / f"{source.name}-{digest}.safetensors"
        if path.exists():
            self.network.load_state_dict(load_file(path))
        else:
            self._train(train, progress)
            path.parent.mkdir(parents=True, exist_ok=True)
            with written_beside(path, shared=True) as beside:
                save_file(self.network.state_dict(), beside)
        self.network.eval()
        self.accuracy = accuracy(torch.cat([self(x) for x in batches(test.images)]), test.labels)

    @torch.no_grad()
    def __call__(self, x: Tensor) -> Tensor:
        """Images (B, C, H, W) in [0, 1] → probabilities (B, classes)."""
        logits = self.network(x)
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
        return self.network[:-1](x)

    def _train(self, train: Labelled, progress: bool) -> None:
        generator = torch.Generator().manual_seed(_SEED)
        size = min(_BATCH, len(train))
        per_epoch = len(train) // size
        epochs = max(_EPOCHS, -(-min(_LEAST_STEPS, 20 * per_epoch) // per_epoch))
        steps = epochs * per_epoch
        optimizer = torch.optim.Adam(self.network.parameters())
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
        with tqdm(total=steps, desc="training the reference classifier", unit=" steps", disable=not progress) as bar:
            for _ in range(epochs):
                epoch = shuffled(train.images, train.labels, size, generator)
                for images, labels, index in islice(epoch, per_epoch):  # without a last batch of fewer images
                    loss = classification(self.network(to_float(images[index])), labels[index])
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    schedule.step()
                    bar.update()
