"""Networks: functions of the configuration that return an encoder and a decoder."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn

MLP_WIDTHS = (64, 64, 64)  # section 2.1: three layers of 64


def conv_widths(size: int) -> tuple[int, ...]:
    """Channels after each stride-2 convolution for square images of ``size`` pixels.

    The image is halved while its side is at least 8, and odd sides are rounded up: 28 → 14 → 7, 64 → 32 → … → 4.
    """
    return _widths(size, at_least=8)


def grid_widths(size: int) -> tuple[int, ...]:
    """As :func:`conv_widths`, but down to a grid of 4 to 8 cells per side: 28 → 14 → 7, 64 → 32 → 16 → 8."""
    return _widths(size, at_least=9)


def _widths(size: int, at_least: int) -> tuple[int, ...]:
    widths = [32]
    while sides(size, len(widths))[-1] >= at_least:
        widths.append(min(2 * widths[-1], 128))
    return tuple(widths)


def sides(size: int, halvings: int) -> tuple[int, ...]:
    """The sides of an image of ``size`` pixels and of its features after each stride-2 convolution, rounded up."""
    return tuple(-(-size // 2**n) for n in range(halvings + 1))


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


def grid(config) -> tuple[nn.Module, nn.Sequential]:
    """Stride-2 convolutions to a grid of vectors, one per position, and back (section 4.3).

    28 pixels become 7 × 7 vectors. A residual block on both sides connects neighbouring vectors.
    """
    width = config.widths[-1]
    encoder = nn.Sequential(*_halve(config), *_blocks(width, 1), nn.Conv2d(width, _outputs(config), 1))  # (B, D, h, w)
    decoder = nn.Sequential(nn.Conv2d(config.latent_dim, width, 1), *_blocks(width, 1))
    return encoder, decoder.extend(_double(config))


def grid_attention(config) -> tuple[nn.Module, nn.Module]:
    """As :func:`grid`, but every vector reaches the whole image: the decoder begins with a block of self-attention."""
    encoder, (first, *rest) = grid(config)
    return encoder, nn.Sequential(first, Attention(config.widths[-1], config.grid_size), *rest)


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


class Attention(nn.Module):
    """A transformer layer over the cells of a grid x (B, C, h, h), with learnt positions."""

    def __init__(self, channels: int, side: int):
        super().__init__()
        self.position = nn.Parameter(0.02 * torch.randn(side * side, channels))
        heads = 4 if channels % 4 == 0 else 1
        self.layer = nn.TransformerEncoderLayer(
            channels, heads, 2 * channels, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        cells = x.flatten(2).mT + self.position  # (B, h·h, C)
        return self.layer(cells).mT.unflatten(2, x.shape[2:])


def _outputs(config) -> int:
    return config.latent_dim * (2 if config.variational else 1)  # a mean and a log-variance each


def _last(config) -> tuple[int, int]:
    side = sides(config.image_size, len(config.widths))[-1]
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
    layers, channels = [], (*reversed(config.widths), config.channels)
    larger = reversed(sides(config.image_size, len(config.widths))[:-1])
    for (c_in, c_out), side in zip(pairwise(channels), larger, strict=True):
        # kernel 4 at stride 2 covers every output pixel equally often: no checkerboard
        crop = [nn.ZeroPad2d((0, -1, 0, -1))] if side % 2 else []  # the side doubled to side + 1
        layers += [nn.ConvTranspose2d(c_in, c_out, 4, stride=2, padding=1), *crop, nn.ReLU(True)]
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
    "grid-attention": Network(grid_attention, grid_widths, grid=True),
}
