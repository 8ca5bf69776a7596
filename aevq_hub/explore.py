"""What the demo shows, computed without it: a model with its samples, and the pictures made from them."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import load_file

from . import latent, pictures
from .config import AEVQConfig
from .hub import CONFIG_FILE, WEIGHTS_FILE, find_files
from .model import AEVQ
from .registry import DATASETS, VARIANTS

SAMPLES_FILE = "samples.safetensors"
HISTORY_FILE = "history.json"
FILES = (CONFIG_FILE, WEIGHTS_FILE, HISTORY_FILE, SAMPLES_FILE)  # of a model's folder, those that the demo reads
PREVIEW = 392  # side of a single picture in pixels
THUMBNAIL = 84
MAX_PIXELS = 50_000_000  # of an uploaded image: what a phone's camera makes, and no more


@dataclass(frozen=True)
class Exhibit:
    """A model, latents to start from, and what was measured of it."""

    model: AEVQ
    z: torch.Tensor  # (B, D) or (B, D, h, w), latents of the samples
    history: dict

    @property
    def thumbnails(self) -> list[Image.Image]:
        """The samples as the model draws them, enlarged."""
        return [pictures.enlarge(image, THUMBNAIL) for image in self.model.to_pil(self.model.draw(self.z))]

    @property
    def description(self) -> str:
        """What the model is, in Markdown, for someone who meets it for the first time."""
        c, results, data = self.model.config, self.history["results"], self.history["data"]
        variant = VARIANTS[c.variant]
        section = "baseline" if variant.section == "baseline" else f"section {variant.section}"
        numbers = f"{c.latent_dim} numbers, its *latent*"
        if c.grid_size:
            numbers = f"a grid of {c.grid_size} × {c.grid_size} vectors of {c.latent_dim} numbers each"
        return (
            f"**{variant.title}** ({section}). {variant.summary} A picture of {c.image_size} × {c.image_size} pixels "
            f"becomes {numbers}. Trained on {data['train_images']:,} images; on "
            f"{data['test_images']:,} others the mean squared error is {results['mse']:.4f} "
            f"(PSNR {results['psnr']:.1f} dB)."
        )


@lru_cache(maxsize=4)
def exhibit(name: str) -> Exhibit:
    """Open a model with its samples and history: a shipped name, a folder or a Hub id. The last four stay open.

    Raises:
        LoadError: no such model, or a file is missing.
    """
    model = AEVQ.from_pretrained(name)
    samples_file, history_file = find_files(name, (SAMPLES_FILE, HISTORY_FILE))
    samples = load_file(samples_file)
    z = samples["latents"].float() if "latents" in samples else model.encode(samples["images"].float() / 255)
    return Exhibit(model, z, json.loads(history_file.read_text(encoding="utf-8")))


def shifts(model: AEVQ) -> tuple[float, float]:
    """The lowest and the highest shift of the variant's perturbation figure."""
    amounts = VARIANTS[model.config.variant].shifts
    return min(amounts), max(amounts)


def title(name: str) -> str:
    """A model's name for people: ``center-mnist`` → "MNIST: Autoencoder pulled to one learnable vector"."""
    config = AEVQConfig.from_file(find_files(name, (CONFIG_FILE,))[0])
    dataset = DATASETS[config.dataset].title if config.dataset in DATASETS else config.dataset
    return f"{dataset}: {VARIANTS[config.variant].title}"


def encode_file(model: AEVQ, path: str | Path, invert: bool = False) -> torch.Tensor:
    """The latent (D,) or grid (D, h, w) of any image file that somebody brings.

    Raises:
        ValueError: the file cannot be read as an image, or has more than 50 million pixels.
    """
    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                size = f"{image.width} × {image.height}"
                raise ValueError(f"The image has {size} pixels; please bring one of at most 50 megapixels.")
            x = model.preprocess(image, invert=invert)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError("The file cannot be read as an image; please bring a PNG, JPEG or WebP.") from error
    return model.encode(x)[0]


def draw(model: AEVQ, z: torch.Tensor) -> Image.Image:
    """What the model makes of one latent (D,) or grid (D, h, w), enlarged without blur."""
    return _enlarged(model, model.draw(z[None]))


def _enlarged(model: AEVQ, x: torch.Tensor) -> Image.Image:
    return pictures.enlarge(model.to_pil(x)[0], PREVIEW)


def perturbed(model: AEVQ, z: torch.Tensor, rank: int, shift: float) -> Image.Image:
    """The picture after one dimension was shifted.

    Args:
        model: the model.
        z: the start (D,), or a grid (D, h, w), whose middle vector is shifted (figure 4.6).
        rank: 1 for the dimension that moves the picture most, D for the one that does least.
        shift: amount, in the latent's own units.

    Raises:
        ValueError: no such rank, or a shift that is not finite.
    """
    ranked = model.ranked_dimensions()
    if not 1 <= rank <= len(ranked):
        raise ValueError(f"There is no dimension of rank {rank}; choose from 1 to {len(ranked)}.")
    dim, amount, z = ranked[int(rank) - 1], float(shift), model.fed(z[None])[0]
    if model.config.grid_size:
        shifted = latent.perturb_cell(z, pictures.middle(model), dim, amount)
    else:
        shifted = latent.perturb(z, dim, amount)
    return _enlarged(model, model.decode(shifted[0]))
