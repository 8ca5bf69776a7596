"""The model: an encoder, a decoder and, depending on the variant, learnable vectors."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import torch
from huggingface_hub import PyTorchModelHubMixin
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import nn

from . import images
from .codebook import nearest_vectors
from .config import CONFIG_HASH, WEIGHTS_HASH, AEVQConfig, values_hash
from .folder import CARD_FILE, CONFIG_FILE, WEIGHTS_FILE, find_files
from .generation import Generation
from .hub import LIBRARY
from .latent_space import LatentSpace
from .networks import NETWORKS
from .sampling import sampler_of
from .tensor_files import read_weights, weights_hash
from .version import HOMEPAGE, PAPER

_DTYPES = (torch.float32, torch.bfloat16, torch.float16)


class AEVQ(
    nn.Module,
    LatentSpace,
    Generation,
    PyTorchModelHubMixin,
    library_name=LIBRARY,
    pipeline_tag="unconditional-image-generation",
    tags=["autoencoder", "representation-learning", "pytorch"],
    repo_url=HOMEPAGE,
    docs_url=HOMEPAGE,
    paper_url=PAPER,
):
    """An autoencoder on the ladder from continuous to discrete.

    Args:
        config: the architecture. The weights are random, from torch's global generator; :meth:`from_pretrained` loads
            trained ones.

    Attributes:
        codebook: the learnable vectors v (K, D), K = 1 for `center` (section 3.1); None if the variant has none.
        head: a linear classifier of latents (section 2.1); None if the variant has none.
        sampler: the distribution that :meth:`sample` uses.
        dimension_effect: for each latent dimension (D,) the mean squared change of the image when it is shifted by ±3
            standard deviations of the training latents, measured on training images.
    """

    def __init__(self, config: AEVQConfig):
        super().__init__()
        self.config = config
        self.encoder, self.decoder = NETWORKS[config.network].build(config)
        self.head = nn.Linear(config.latent_dim, config.num_classes) if config.num_classes else None
        self.codebook = None
        if config.num_codes:
            self.codebook = nn.Parameter(torch.empty(config.num_codes, config.latent_dim).uniform_(-1, 1))  # (K, D)
        self.register_buffer("dimension_effect", torch.zeros(config.latent_dim))
        self.sampler = sampler_of(config)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The reconstruction: (B, C, H, W) in [0, 1] → (B, C, H, W) in [0, 1].

        It is D(E(x)) or, for `vqvae`, D of the nearest vectors of E(x).
        """
        return self.render(self.encode(x))

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """E(x): images (B, C, H, W), floating point in [0, 1] → latents z (B, D) or grids (B, D, h, w), float32.

        For a variational autoencoder it is the mean.

        Raises:
            ValueError: another shape or type, or, outside training, values below 0, above 1 or not finite.
        """
        return self.encode_distribution(x)[0]

    def encode_distribution(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """As :meth:`encode`: the mean of the latents (B, D), and their log-variance (B, D), which only `vae` has."""
        c = self.config
        if x.ndim != 4 or tuple(x.shape[1:]) != (c.channels, c.image_size, c.image_size):
            raise ValueError(
                f"x has the shape {tuple(x.shape)}; {c.name} takes (B, {c.channels}, {c.image_size}, {c.image_size})"
            )
        if not x.is_floating_point():
            raise ValueError(f"x has the type {x.dtype}; give floating point in [0, 1], such as x.float() / 255")
        if not self.training and x.numel() and not bool(((x >= 0) & (x <= 1)).all()):
            low, high = x.aminmax()
            raise ValueError(f"x has values from {low.item():g} to {high.item():g}; images are in [0, 1]")
        z = self.encoder(x.to(self._dtype)).float()
        return z.chunk(2, 1) if c.variational else (z, None)

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        """D(z): latents (B, D) or grids (B, D, h, w) → images (B, C, H, W) in [0, 1], float32.

        Raises:
            ValueError: another shape or type.
        """
        return torch.sigmoid(self.decoder(self._latents(z).to(self._dtype)).float())  # (B, C, H, W)

    def render(self, z: torch.Tensor) -> torch.Tensor:
        """The images of latents, as :meth:`forward` makes them: D(z), or for `vqvae` D of the nearest vectors."""
        return self.decode(self.decoder_input(z))

    def decoder_input(self, z: torch.Tensor) -> torch.Tensor:
        """The decoder's input for latents, in the same shape: z, or for `vqvae` the nearest vectors."""
        return self.quantize(z)[0] if self.config.feed == "codebook" else z

    def quantize(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The nearest vector of the codebook for each latent (sections 3.2–4.3).

        Args:
            z: latents (B, D) or grids (B, D, h, w).

        Returns:
            the vectors, in the shape of z and with a gradient to the codebook; their indices, (B,) or (B, h, w); the
            Euclidean distances to them, in the shape of the indices and without a gradient.

        Raises:
            ValueError: the model has no vectors, or z has another shape or type.
        """
        indices = nearest_vectors(self._latents(z).movedim(1, -1), self.vectors)
        quantized = self.vectors[indices].movedim(-1, 1)
        return quantized, indices, (z - quantized).detach().norm(dim=1)

    def decode_indices(self, indices: torch.Tensor) -> torch.Tensor:
        """D(codebook[indices]): whole numbers (B,) or (B, h, w) in 0 … K − 1 → images (B, C, H, W) in [0, 1].

        Raises:
            ValueError: the model has no vectors, or the indices have another shape or type or are out of range.
        """
        return self.decode(self.vectors[self.check_indices(indices).long()].movedim(-1, 1))

    def check_indices(self, indices: torch.Tensor) -> torch.Tensor:
        """Check codes, whole numbers (B,) or (B, h, w) in 0 … K − 1, and return them.

        Raises:
            ValueError: the model has no vectors, or the indices have another shape or type or are out of range.
        """
        codebook, shape = self.vectors, self.config.latent_shape[1:]
        if tuple(indices.shape[1:]) != shape or indices.ndim != 1 + len(shape):
            wanted = ", ".join(["B", *map(str, shape)])
            raise ValueError(f"indices have the shape {tuple(indices.shape)}; {self.config.name} takes ({wanted})")
        if indices.is_floating_point() or indices.is_complex() or indices.dtype == torch.bool:
            raise ValueError(f"indices have the type {indices.dtype}; give whole numbers")
        if indices.numel() and not 0 <= indices.min() <= indices.max() < len(codebook):
            wrong = indices[(indices < 0) | (indices >= len(codebook))][0].item()
            raise ValueError(f"index {wrong} is out of range; choose from 0 to {len(codebook) - 1}")
        return indices

    def classify(self, x: torch.Tensor) -> torch.Tensor:
        """Class probabilities (B, classes) of images (B, C, H, W). They add up to 1; with several labels, each is the
        probability of that label.

        Raises:
            ValueError: the model has no classifier, or x is not what :meth:`encode` takes.
        """
        if self.head is None:
            raise ValueError(f"{self.config.name} has no classifier; only `classifier` models have one")
        logits = self.head(self.encode(x))
        return logits.sigmoid() if self.config.multi_label else logits.softmax(1)

    @property
    def _dtype(self) -> torch.dtype:
        """The type that encoder and decoder compute in. Latents, vectors and images are always float32."""
        return next(self.encoder.parameters()).dtype

    @property
    def vectors(self) -> torch.Tensor:
        """The codebook (K, D); for a model without vectors, a ValueError."""
        if self.codebook is None:
            raise ValueError(f"{self.config.name} has no codebook; only models with vectors have one")
        return self.codebook

    def _latents(self, z: torch.Tensor) -> torch.Tensor:
        shape = self.config.latent_shape
        if tuple(z.shape[1:]) != shape or z.ndim != 1 + len(shape) or not z.is_floating_point():
            raise ValueError(
                f"z has the shape {tuple(z.shape)} and type {z.dtype}; {self.config.name} takes floating point "
                f"(B, {', '.join(map(str, shape))})"
            )
        return z

    def preprocess(self, image: Image.Image, *, invert: bool = False) -> torch.Tensor:
        """Any PIL image → x (1, C, H, W) in [0, 1], as this model's training images were made.

        EXIF rotation is applied, transparency becomes white, 16-bit values are scaled, and the central square is
        cropped and resized with antialiasing. ``invert`` swaps dark and bright, for photos of ink on paper.
        """
        c = self.config
        pixels = images.to_array(image, c.image_size, c.channels, c.crop)  # (C, H, W) uint8
        x = torch.from_numpy(pixels)[None].float() / 255
        return (1 - x if invert else x).to(self.dimension_effect.device)

    @staticmethod
    def to_pil(x: torch.Tensor) -> list[Image.Image]:
        """Images (B, C, H, W) in [0, 1] → B PIL images, mode L or RGB. Other values are clipped."""
        return images.to_pil(x)

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | Path,
        *,
        revision: str | None = None,
        token: str | bool | None = None,
        cache_dir: str | Path | None = None,
        force_download: bool = False,
        local_files_only: bool = False,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> "AEVQ":
        """Load a trained model, in evaluation mode and without gradients for its weights.

        Args:
            pretrained_model_name_or_path: a shipped model (``"center-mnist"``), the path of a folder, or
                ``"<namespace>/center-mnist"`` on the Hub.
            revision: a branch, tag or commit of the Hub repository.
            token: the token for private repositories; by default that of ``hf auth login``.
            cache_dir: the folder for downloads; by default the Hub client's cache.
            force_download: download again even if cached.
            local_files_only: use only what is cached.
            device: the device of the weights.
            dtype: the type that encoder and decoder compute in: float32, bfloat16 or float16. Latents, vectors and
                images are always float32.

        To train a loaded model further, call ``model.train().requires_grad_(True)``.

        Raises:
            ValueError: another dtype.
            LoadError: no such model, or one of its files is missing, damaged or of another model. Loading is strict:
                the file must contain exactly the weights that config.json implies. Pickles are never opened.
        """
        _check_dtype(dtype)
        config_file, weights_file = find_files(
            pretrained_model_name_or_path, revision=revision, token=token, cache_dir=cache_dir,
            force_download=force_download, local_files_only=local_files_only,
        )  # fmt: skip
        config, sha256 = AEVQConfig.read(config_file)
        with torch.device("meta"):  # only shapes: no memory is allocated before the file's header was checked
            model = cls(config)
        model.load_state_dict(read_weights(weights_file, model.state_dict(), sha256, device), assign=True)
        model.encoder.to(dtype)
        model.decoder.to(dtype)
        return model.eval().requires_grad_(False)

    def save_pretrained(self, save_directory: str | Path, *, dtype: torch.dtype = torch.float32, **kwargs) -> None:
        """Write config.json, model.safetensors and, if there is none, a README.md into a folder, created if missing.

        Args:
            save_directory: the folder. The files are written beside it first and then moved into place.
            dtype: the type of the weights on disk: float32, float16 or bfloat16.
            kwargs: those of ``PyTorchModelHubMixin.save_pretrained``.

        Raises:
            ValueError: ``push_to_hub=True`` was given; use ``model.push_to_hub(repo_id)`` instead. Or the type is
                another one, or cannot hold the weights.
            OSError: the files cannot be written, for instance because the disk is full.
        """
        _check_dtype(dtype)
        if kwargs.pop("push_to_hub", False):
            raise ValueError("save_pretrained only saves; push with model.push_to_hub(repo_id)")
        folder = Path(save_directory)
        folder.mkdir(parents=True, exist_ok=True)
        kwargs.pop("config", None)  # only the model's own configuration fits its weights
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as beside:
            if (folder / CARD_FILE).exists():
                shutil.copy(folder / CARD_FILE, beside)
            self._weights_dtype = dtype
            super().save_pretrained(beside, config={}, **kwargs)
            recorded = {**self.config.to_dict(), WEIGHTS_HASH: weights_hash(Path(beside) / WEIGHTS_FILE)}
            recorded[CONFIG_HASH] = values_hash(recorded)
            (Path(beside) / CONFIG_FILE).write_text(json.dumps(recorded, sort_keys=True, indent=2), encoding="utf-8")
            for name in (CARD_FILE, WEIGHTS_FILE, CONFIG_FILE):
                (Path(beside) / name).chmod(0o644)  # safetensors creates files that only their owner can read
                with open(Path(beside) / name, "rb+") as file:
                    os.fsync(file.fileno())  # else a power cut could leave an empty file
                os.replace(Path(beside) / name, folder / name)

    def _save_pretrained(self, save_directory: Path) -> None:
        weights = {key: value.to(self._weights_dtype).contiguous() for key, value in self.state_dict().items()}
        if not all(value.isfinite().all() for value in weights.values()):
            raise ValueError(f"some weights are not finite as {self._weights_dtype}; nothing was saved")
        try:
            save_file(weights, save_directory / WEIGHTS_FILE, metadata={"format": "pt"})
        except SafetensorError as error:  # the library's way to say that the disk is full
            raise OSError(f"the weights cannot be written: {error}") from error


def _check_dtype(dtype: torch.dtype) -> None:
    if dtype not in _DTYPES:
        raise ValueError(f"dtype is {dtype!r}; choose from {', '.join(map(str, _DTYPES))}")
