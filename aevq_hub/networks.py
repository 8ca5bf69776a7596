"""Networks: functions of the configuration that return an encoder and a decoder."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn

MLP_WIDTHS = (64, 64, 64)  # section 2.1: three layers of 64


def conv_widths(size: int) -> tuple[int, ...]:
    """Channels after each stride-2 convolution for square images of ``size`` pixels.

    The image is halved while its side is even and at least 8: 28 → 14 → 7, 64 → 32 → 16 → 8 → 4.

    Raises:
        ValueError: the side cannot be halved to 8 pixels or fewer.
    """
    return _widths(size, at_least=8)


def grid_widths(size: int) -> tuple[int, ...]:
    """As :func:`conv_widths`, but down to a grid of 5 to 8 cells per side: 28 → 14 → 7, 64 → 32 → 16 → 8."""
    return _widths(size, at_least=9)


def _widths(size: int, at_least: int) -> tuple[int, ...]:
    widths, side = [], size
    while side % 2 == 0 and side >= at_least:
        widths.append(min(32 * 2 ** len(widths), 128))
        side //= 2
    if side > 8 or not widths:
        raise ValueError(
            f"image size {size} cannot be halved to 4 … 8 pixels; choose a size such as 28, 32, 64, 96, 128"
        )
    return tuple(widths)


def mlp(config) -> tuple[nn.Module, nn.Module]:
    """Fully connected layers, mirrored: the network of `ae` and `classifier` (section 2.1)."""
    pixels = config.channels * config.image_size**2
    encoder = nn.Sequential(nn.Flatten(), *_linear((pixels, *config.widths, _outputs(config))))
    decoder = nn.Sequential(*_linear((config.latent_dim, *reversed(config.widths), pixels)))
    decoder.append(nn.Unflatten(1, (config.channels, config.image_size, config.image_size)))
    return encoder, decoder


def conv(config) -> tuple[nn.Module, nn.Module]:
    """Stride-2 convolutions and one linear layer, mirrored: the network of `center` (section 3.2).

    The paper says "convolutional" and no more; depth and widths follow :func:`conv_widths`.
    """
    side, features = _last(config)
    encoder = nn.Sequential(*_halve(config), nn.Flatten(), nn.Linear(features, _outputs(config)))  # (B, D)
    decoder = nn.Sequential(
        nn.Linear(config.latent_dim, features), nn.ReLU(True), nn.Unflatten(1, (config.widths[-1], side, side))
    )
    return encoder, decoder.extend(_double(config))  # logits (B, C, H, W)


def residual(config) -> tuple[nn.Module, nn.Module]:
    """As :func:`conv`, with residual blocks at the lowest resolution on both sides (section 4.2)."""
    (side, features), width = _last(config), config.widths[-1]
    encoder = nn.Sequential(*_halve(config), *_blocks(width, 2), nn.Flatten(), nn.Linear(features, _outputs(config)))
    decoder = nn.Sequential(nn.Linear(config.latent_dim, features), nn.Unflatten(1, (width, side, side)))
    return encoder, decoder.extend([*_blocks(width, 2), *_double(config)])


def grid(config) -> tuple[nn.Module, nn.Module]:
    """Stride-2 convolutions to a grid of vectors, one per position, and back (section 4.3).

    28 pixels become 7 × 7 vectors. A residual block on both sides connects neighbouring vectors.
    """
    width = config.widths[-1]
    encoder = nn.Sequential(*_halve(config), *_blocks(width, 1), nn.Conv2d(width, _outputs(config), 1))  # (B, D, h, w)
    decoder = nn.Sequential(nn.Conv2d(config.latent_dim, width, 1), *_blocks(width, 1))
    return encoder, decoder.extend(_double(config))


class Residual(nn.Module):
    """x + f(x) for x (B, C, H, W), with half as many channels between the two convolutions of f."""

    def __init__(self, channels: int):
        super().__init__()
        between = max(1, channels // 2)
        self.f = nn.Sequential(
            nn.ReLU(), nn.Conv2d(channels, between, 3, padding=1), nn.ReLU(True), nn.Conv2d(between, channels, 1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.f(x)


def _outputs(config) -> int:
    return config.latent_dim * (2 if config.variational else 1)  # a mean and a log-variance each


def _last(config) -> tuple[int, int]:
    side = config.image_size // 2 ** len(config.widths)
    return side, config.widths[-1] * side * side


def _linear(sizes: tuple[int, ...]) -> list[nn.Module]:
    layers: list[nn.Module] = [module for pair in pairwise(sizes) for module in (nn.Linear(*pair), nn.ReLU(True))]
    return layers[:-1]


def _blocks(channels: int, count: int) -> list[nn.Module]:
    return [*(Residual(channels) for _ in range(count)), nn.ReLU(True)]


def _halve(config) -> list[nn.Module]:
    layers = []
    for c_in, c_out in pairwise((config.channels, *config.widths)):
        layers += [nn.Conv2d(c_in, c_out, 3, stride=2, padding=1), nn.ReLU(True)]
    return layers


def _double(config) -> list[nn.Module]:
    layers = []
    for c_in, c_out in pairwise((*reversed(config.widths), config.channels)):
        # kernel 4 at stride 2 covers every output pixel equally often: no checkerboard
        layers += [nn.ConvTranspose2d(c_in, c_out, 4, stride=2, padding=1), nn.ReLU(True)]
    return layers[:-1]  # the last layer returns logits


@dataclass(frozen=True)
class Network:
    """How a network is built, its default widths for an image size, and whether it encodes to a grid."""

    build: Callable  # config -> (encoder, decoder)
    widths: Callable[[int], tuple[int, ...]]
    halves: bool = True  # whether each width halves the image
    grid: bool = False  # encodes an image to a grid of vectors instead of a single one


NETWORKS = {
    "mlp": Network(mlp, lambda size: MLP_WIDTHS, halves=False),
    "conv": Network(conv, conv_widths),
    "residual": Network(residual, conv_widths),
    "grid": Network(grid, grid_widths, grid=True),
}
