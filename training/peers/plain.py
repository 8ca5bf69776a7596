"""A plain training loop, as one writes it for a first experiment: a DataLoader, Adam and the paper's formulas."""

from abc import ABC, abstractmethod
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from aevq_hub import AEVQConfig

from ..recipe import Recipe
from . import networks

WEIGHTS = "model.pt"


class Loop(ABC):
    """Adam over shuffled batches. Subclasses have the loss.

    Args:
        parts: what is trained.
        recipe: the batch size and the learning rate.
        images: uint8 (N, C, H, W).
    """

    def __init__(self, parts: nn.Module, recipe: Recipe, images: Tensor):
        self.parts, self.pixels = parts, images.float() / 255
        self.loader = DataLoader(TensorDataset(self.pixels), recipe.batch_size, shuffle=True)
        self.optimizer = torch.optim.Adam(parts.parameters(), lr=recipe.learning_rate)

    @abstractmethod
    def loss(self, x: Tensor) -> Tensor:
        """The loss of a batch of images (B, C, H, W) in [0, 1]."""

    def epoch(self) -> None:
        """Train on every image once."""
        self.parts.train()
        for (x,) in self.loader:
            self.optimizer.zero_grad()
            self.loss(x).backward()
            self.optimizer.step()

    def save(self, folder: Path) -> None:
        """Save the weights, as one does without a format of one's own."""
        torch.save(self.parts.state_dict(), folder / WEIGHTS)

    @staticmethod
    def load(folder: Path) -> None:
        torch.load(folder / WEIGHTS, weights_only=True)


class Plain(Loop):
    """A model trained by a plain loop.

    Args:
        config: the network and the number of vectors, which learn by gradient.
        recipe: the batch sizes, weights and learning rate.
        images: uint8 (N, C, H, W).
    """

    def __init__(self, config: AEVQConfig, recipe: Recipe, images: Tensor):
        self.model, self.recipe = networks(config, recipe, images), recipe
        super().__init__(self.model, recipe, images)
        self.loss_of = _loss_of(config, recipe)

    def loss(self, x: Tensor) -> Tensor:
        return self.loss_of(self, x)

    def decode(self, z: Tensor) -> Tensor:
        return torch.sigmoid(self.model.decoder(z))

    @torch.no_grad()
    def mse(self, images: Tensor) -> float:
        """The mean squared error of the reconstructions of uint8 images (N, C, H, W), pixels in [0, 1]."""
        model = self.model.eval()
        parts = [x.float() / 255 for x in images.split(250)]
        return sum((model(x) - x).square().sum().item() for x in parts) / images.numel()


def _loss_of(config: AEVQConfig, recipe: Recipe):
    if config.variational:
        return _vae
    if not config.num_codes:
        return _autoencoder
    return _image_to_vector if recipe.assignment == "image-to-vector" else _vector_to_image


def _squares(a: Tensor, b: Tensor) -> Tensor:
    return F.mse_loss(a, b, reduction="sum") / len(a)


def _autoencoder(run: Plain, x: Tensor) -> Tensor:
    return _squares(run.decode(run.model.encoder(x)), x)


def _vae(run: Plain, x: Tensor) -> Tensor:
    mean, log_variance = run.model.encoder(x).chunk(2, 1)
    z = mean + (log_variance / 2).exp() * torch.randn_like(mean)
    kl = (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean() / 2
    return _squares(run.decode(z), x) + run.recipe.kl_weight * kl


def _vector_to_image(run: Plain, x: Tensor) -> Tensor:
    """Section 3.1."""
    x_pull = run.pixels[torch.randint(len(run.pixels), (run.recipe.pull_batch_size,))]
    v = run.model.vectors  # (K, D)
    z_pull = run.model.encoder(x_pull)  # (M, D)
    nearest = z_pull[torch.cdist(v, z_pull).argmin(1)]  # (K, D)
    return _squares(run.decode(run.model.encoder(x)), x) + run.recipe.pull_weight * _squares(nearest, v)


def _image_to_vector(run: Plain, x: Tensor) -> Tensor:
    """Sections 4.1–4.3, with the losses of VQ-VAE."""
    z = run.model.encoder(x)  # (N, D) or (N, D, h, w)
    cells = z.movedim(1, -1)
    flat = cells.reshape(-1, cells.shape[-1])  # (n, D)
    v = run.model.vectors
    q = v[torch.cdist(flat, v).argmin(1)].view(cells.shape).movedim(-1, 1)  # as z
    fed = z + (q - z).detach() if run.model.config.feed == "codebook" else z
    pull = _squares(z, q.detach()) + _squares(z.detach(), q)
    return _squares(run.decode(fed), x) + run.recipe.pull_weight * pull
