"""autoencoders (https://github.com/Jyonn/autoencoders): its models on our networks, by a plain loop."""

# pyright: reportMissingImports=false

from autoencoders import load_model
from autoencoders.data.base import TensorSpec
from torch import Tensor, nn

from aevq_hub import AEVQ, AEVQConfig

from ..recipe import Recipe
from . import networks
from .plain import Loop


class Autoencoders(Loop):
    """A model of the library, with the settings that it has by default. It cannot load networks that are not its own.

    The arguments are those of :class:`training.peers.pythae.Pythae`.
    """

    def __init__(self, config: AEVQConfig, recipe: Recipe, images: Tensor, model: str):
        ours = networks(config, recipe, images)
        self.config, decoder = config, nn.Sequential(ours.decoder, nn.Sigmoid())
        spec = TensorSpec(shape=(config.channels, config.image_size, config.image_size))
        self.model = load_model(
            model, sample_spec=spec, latent_dim=config.latent_dim, encoder=ours.encoder, decoder=decoder
        )
        super().__init__(self.model, recipe, images)

    def loss(self, x: Tensor) -> Tensor:
        return self.model(x).loss

    def trained(self) -> AEVQ:
        """The trained networks as one of our models."""
        ours = AEVQ(self.config)
        ours.encoder, ours.decoder = self.model.encoder, self.model.decoder[0]
        return ours.eval()
