"""pythae (https://github.com/clementchadebec/benchmark_VAE), its models on our networks, by its own trainers."""

# pyright: reportMissingImports=false

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from pythae import samplers
from pythae.data.datasets import BaseDataset
from pythae.models import (
    AE,
    VAE,
    VQVAE,
    WAE_MMD,
    AEConfig,
    AutoModel,
    BetaVAE,
    BetaVAEConfig,
    RAE_GP_Config,
    RAE_L2_Config,
    VAEConfig,
    VQVAEConfig,
    WAE_MMD_Config,
)
from pythae.models import RAE_GP as RAEGP
from pythae.models import RAE_L2 as RAEL2
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.trainers import (
    BaseTrainer,
    BaseTrainerConfig,
    CoupledOptimizerTrainer,
    CoupledOptimizerTrainerConfig,
)
from torch import Tensor, nn

from aevq_hub import AEVQ, AEVQConfig

from ..recipe import Recipe
from . import networks

logging.getLogger("pythae").setLevel(logging.ERROR)

MODELS = {
    "AE": (AE, AEConfig, {}),
    "VAE": (VAE, VAEConfig, {}),
    "β-VAE": (BetaVAE, BetaVAEConfig, {"beta": 0.05}),  # it halves the squared error, so this equals 0.1 in ours
    "RAE-L2": (RAEL2, RAE_L2_Config, {}),
    "RAE-GP": (RAEGP, RAE_GP_Config, {}),
    "WAE": (WAE_MMD, WAE_MMD_Config, {}),
    "VQVAE": (VQVAE, VQVAEConfig, {}),
}


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
    """A model of pythae; by default the nearest one: VQVAE for grids, VAE, and otherwise AE, which has no pull.

    Args:
        config: the network and the number of vectors.
        recipe: the batch size, the learning rate, the seed, and the rate at which vectors move.
        images: uint8 (N, C, H, W).
        model: a key of ``MODELS``, with its settings there, and otherwise those that pythae has by default.
    """

    def __init__(self, config: AEVQConfig, recipe: Recipe, images: Tensor, model: str = ""):
        ours = networks(config, recipe, images)
        model = model or ("VQVAE" if config.grid_size else "VAE" if config.variational else "AE")
        kind, settings, options = MODELS[model]
        if config.grid_size:
            options = {"num_embeddings": config.num_codes, "use_ema": True, "decay": 1 - recipe.ema_rate}
        shape = {"input_dim": (config.channels, config.image_size, config.image_size), "latent_dim": config.latent_dim}
        wrapped = Encoder(ours.encoder, config.variational), Decoder(ours.decoder)
        self.config, self.model = config, kind(settings(**shape, **options), *wrapped)
        self.images = images.float() / 255
        data = BaseDataset(self.images, torch.zeros(len(images)))
        self.folder = tempfile.TemporaryDirectory()
        self.seed, common = recipe.seed, (self.folder.name, recipe.batch_size, recipe.batch_size, 1)
        if model == "RAE-L2":  # its weight decay is the decoder's alone, as in pythae's TrainingPipeline
            decay = {"weight_decay": self.model.model_config.reg_weight}
            rates = {f"{part}_learning_rate": recipe.learning_rate for part in ("encoder", "decoder")}
            training = CoupledOptimizerTrainerConfig(
                *common, no_cuda=True, seed=recipe.seed, decoder_optimizer_params=decay, **rates
            )
            self.trainer = CoupledOptimizerTrainer(self.model, data, None, training)
        else:
            training = BaseTrainerConfig(*common, learning_rate=recipe.learning_rate, no_cuda=True, seed=recipe.seed)
            self.trainer = BaseTrainer(self.model, data, None, training)
        self.trainer.prepare_training()
        self.epochs = 0

    def epoch(self) -> None:
        """Train on every image once."""
        self.epochs += 1
        self.trainer.train_step(self.epochs)

    def trained(self) -> AEVQ:
        """The trained networks, and vectors, as one of our models."""
        ours = AEVQ(self.config).eval()
        ours.encoder, ours.decoder = self.model.encoder.network, self.model.decoder.network
        if self.config.grid_size:
            ours.codebook = nn.Parameter(self.model.quantizer.embeddings.detach().clone())
        return ours.eval()

    def samples(self, sampler: str, count: int) -> Iterator[Tensor]:
        """Batches of samples (B, C, H, W) by one of pythae's samplers, fitted to the training images where it learns.

        Args:
            sampler: its class in ``pythae.samplers``; its settings are the library's.
            count: the number of samples.
        """
        drawn = getattr(samplers, sampler)(self.model.eval())
        if sampler == "MAFSampler":  # it would leave its training in the current folder
            drawn.fit(self.images, training_config=BaseTrainerConfig(self.folder.name, no_cuda=True, seed=self.seed))
        elif sampler != "NormalSampler":
            drawn.fit(self.images)
        yield from drawn.sample(count).split(250)

    def save(self, folder: Path) -> None:
        """Save the model as the library does, for its own loading."""
        self.model.save(str(folder))

    @staticmethod
    def load(folder: Path) -> None:
        AutoModel.load_from_folder(str(folder))

    @torch.no_grad()
    def mse(self, images: Tensor) -> float:
        """The mean squared error of the reconstructions of uint8 images (N, C, H, W), pixels in [0, 1]."""
        model, error = self.model.eval(), 0.0
        for x in (x.float() / 255 for x in images.split(250)):
            error += (model.reconstruct(x) - x).square().sum().item()
        return error / images.numel()
