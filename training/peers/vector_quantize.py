"""vector-quantize-pytorch (https://github.com/lucidrains/vector-quantize-pytorch): its VectorQuantize."""

# pyright: reportMissingImports=false

import torch
from torch import Tensor
from vector_quantize_pytorch import VectorQuantize


def quantizer(z: Tensor, codes: int, rate: float):
    """Its quantizer for latents z (B, n, D), moved by an average as ours: a function without arguments.

    The function quantises z and returns (B, n, D) and the commitment loss ().
    """
    module = VectorQuantize(dim=z.shape[-1], codebook_size=codes, decay=1 - rate).train()

    def run() -> tuple[Tensor, Tensor]:
        quantized, _, loss = module(z)
        return quantized, loss.sum()

    with torch.no_grad():
        run()
    return run
