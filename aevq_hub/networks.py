"""Encoder and decoder pairs. A network is a function of the configuration that returns both."""

from itertools import pairwise

from torch import nn


def conv_widths(size: int) -> tuple[int, ...]:
    """Channels after each stride-2 convolution for square images of ``size`` pixels.

    The image is halved while its side is even and at least 8: 28 → 14 → 7, 64 → 32 → 16 → 8 → 4.

    Raises:
        ValueError: the side cannot be halved to 8 pixels or fewer.
    """
    widths, side = [], size
    while side % 2 == 0 and side >= 8:
        widths.append(min(32 * 2 ** len(widths), 128))
        side //= 2
    if side > 8 or not widths:
        raise ValueError(
            f"image size {size} cannot be halved to 4 … 8 pixels; choose a size such as 28, 32, 64, 96, 128"
        )
    return tuple(widths)


def conv(config) -> tuple[nn.Module, nn.Module]:
    """Stride-2 convolutions and one linear layer, mirrored: the network of `center` (section 3.2).

    The paper says "convolutional" and no more; depth and widths follow :func:`conv_widths`.
    """
    side = config.image_size // 2 ** len(config.widths)
    features = config.widths[-1] * side * side

    encoder = nn.Sequential()
    for c_in, c_out in pairwise((config.channels, *config.widths)):
        encoder.extend([nn.Conv2d(c_in, c_out, 3, stride=2, padding=1), nn.ReLU()])
    encoder.extend([nn.Flatten(), nn.Linear(features, config.latent_dim)])  # (B, D)

    decoder = nn.Sequential(
        nn.Linear(config.latent_dim, features), nn.ReLU(), nn.Unflatten(1, (config.widths[-1], side, side))
    )
    for c_in, c_out in pairwise((*reversed(config.widths), config.channels)):
        # kernel 4 at stride 2 covers every output pixel equally often: no checkerboard
        decoder.extend([nn.ConvTranspose2d(c_in, c_out, 4, stride=2, padding=1), nn.ReLU()])
    return encoder, decoder[:-1]  # the last layer's output are logits (B, C, H, W)


NETWORKS = {"conv": conv}
