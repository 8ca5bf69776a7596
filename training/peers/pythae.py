"""pythae (https://github.com/clementchadebec/benchmark_VAE), its models on our networks, by its own trainer."""

# pyright: reportMissingImports=false

import logging
import tempfile

import torch
from pythae.data.datasets import BaseDataset
from pythae.models import AE, VAE, VQVAE, AEConfig, VAEConfig, VQVAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.trainers import BaseTrainer, BaseTrainerConfig
from torch import Tensor, nn

from aevq_hub import AEVQ, AEVQConfig

from ..recipe import Recipe

logging.getLogger("pythae").setLevel(logging.ERROR)


class Encoder(BaseEncoder):
    """One of our encoders as pythae's."""

    def __init__(self, network: nn.Module, variational: bool):
        super().__init__()
        self.network, self.variational = network, variational

    def forward(self, x: Tensor) -> ModelOutput:
        z = self.network(x)
        if not self.variational:
            return ModelOutput(embedding=z)
        mean, log_variance = z.chunk(2, 1)
        return ModelOutput(embedding=mean, log_covariance=log_variance)


class Decoder(BaseDecoder):
    """One of our decoders as pythae's."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, z: Tensor) -> ModelOutput:
        return ModelOutput(reconstruction=torch.sigmoid(self.network(z)))


class Pythae:
    """pythae's nearest model: VQVAE for grids, VAE, and otherwise AE, which has no pull to a vector.

    The arguments are those of :class:`training.peers.plain.Plain`.
    """

    def __init__(self, config: AEVQConfig, recipe: Recipe, images: Tensor):
        torch.manual_seed(recipe.seed)
        ours = AEVQ(config)
        shape = {"input_dim": (config.channels, config.image_size, config.image_size), "latent_dim": config.latent_dim}
        networks = Encoder(ours.encoder, config.variational), Decoder(ours.decoder)
        if config.grid_size:
            quantizer = {"num_embeddings": config.num_codes, "use_ema": True, "decay": 1 - recipe.ema_rate}
            self.model = VQVAE(VQVAEConfig(**shape, **quantizer), *networks)
        elif config.variational:
            self.model = VAE(VAEConfig(**shape), *networks)
        else:
            self.model = AE(AEConfig(**shape), *networks)
        data = BaseDataset(images.float() / 255, torch.zeros(len(images)))
        self.folder = tempfile.TemporaryDirectory()
        settings = BaseTrainerConfig(
            self.folder.name, recipe.batch_size, recipe.batch_size, 1, learning_rate=recipe.learning_rate, no_cuda=True
        )
        self.trainer = BaseTrainer(self.model, data, None, settings)
        self.trainer.prepare_training()
        self.epochs = 0

    def epoch(self) -> None:
        """Train on every image once."""
        self.epochs += 1
        self.trainer.train_step(self.epochs)

    @torch.no_grad()
    def mse(self, images: Tensor) -> float:
        """The mean squared error of the reconstructions of uint8 images (N, C, H, W), pixels in [0, 1]."""
        model, error = self.model.eval(), 0.0
        for x in (x.float() / 255 for x in images.split(250)):
            error += (model.reconstruct(x) - x).square().sum().item()
        return error / images.numel()
