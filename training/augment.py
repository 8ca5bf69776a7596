"""Random changes of training images, by torchvision's transforms."""

import torch
from torch import Tensor

PADDING = 16  # a crop shifts an image by at most a sixteenth of its side


def augment(images: Tensor, how: str, generator: torch.Generator) -> Tensor:
    """Change each image of a batch at random: uint8 (B, C, H, W) → the same shape and type.

    Args:
        images: the batch.
        how: one of ``recipe.AUGMENTATIONS``. "none" returns the images and uses no random number, "flip" mirrors half
            of them horizontally, "flip-crop" also shifts each one and fills the edges by reflection.
        generator: provides the seed for the batch. The global generator is not changed.
    """
    if how == "none":
        return images
    from torchvision.transforms import v2  # slow to import and rarely needed

    height, width = images.shape[-2:]
    transform = v2.RandomHorizontalFlip()
    if how == "flip-crop":
        padding = (max(1, width // PADDING), max(1, height // PADDING))
        transform = v2.Compose([transform, v2.RandomCrop((height, width), padding=padding, padding_mode="reflect")])
    seed = int(torch.randint(2**62, (), generator=generator))
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # the CPU's generator, which the transforms use
        return torch.stack(
            [transform(image) for image in images]
        )  # one by one: the transforms treat a batch as one image
