"""autoencoders (https://github.com/Jyonn/autoencoders): its models on our networks, by a plain loop."""

# pyright: reportMissingImports=false

from pathlib import Path

import torch
from autoencoders import load_model
from autoencoders.data.base import TensorSpec
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from aevq_hub import AEVQ, AEVQConfig

from ..recipe import Recipe
from . import networks

WEIGHTS = "model.pt"  # it cannot load networks that are not its own


class Autoencoders:
    """A model of the library, with the settings that it has by default.

    The arguments are those of :class:`training.peers.pythae.Pythae`.
    """

    def __init__(self, config: AEVQConfig, recipe: Recipe, images: Tensor, model: str):
        ours = networks(config, recipe, images)
        self.config, decoder = config, nn.Sequential(ours.decoder, nn.Sigmoid())
        spec = TensorSpec(shape=(config.channels, config.image_size, config.image_size))
        self.model = load_model(
            model, sample_spec=spec, latent_dim=config.latent_dim, encoder=ours.encoder, decoder=decoder
        )
        self.loader = DataLoader(TensorDataset(images.float() / 255), recipe.batch_size, shuffle=True)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=recipe.learning_rate)

    def epoch(self) -> None:
        """Train on every image once."""
        self.model.train()
        for (x,) in self.loader:
            self.optimizer.zero_grad()
            self.model(x).loss.backward()
            self.optimizer.step()

    def trained(self) -> AEVQ:
        """The trained networks as one of our models."""
        ours = AEVQ(self.config)
        ours.encoder, ours.decoder = self.model.encoder, self.model.decoder[0]
        return ours.eval()

    def save(self, folder: Path) -> None:
        """Save the weights."""
        torch.save(self.model.state_dict(), folder / WEIGHTS)

    @staticmethod
    def load(folder: Path) -> None:
        torch.load(folder / WEIGHTS, weights_only=True)
