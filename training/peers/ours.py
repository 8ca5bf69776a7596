"""Our own variants, as an entry beside other libraries' models."""

from pathlib import Path

from torch import Tensor

from aevq_hub import AEVQ

from ..recipe import Recipe
from ..trainer import Trainer


class Ours:
    """One of our variants, by its recipe."""

    def __init__(self, config, recipe: Recipe, images: Tensor, model: str = ""):
        self.trainer, self.images = Trainer(config, recipe), images

    def epoch(self) -> None:
        """Train on every image once."""
        self.trainer.run_epoch(self.images)

    def trained(self) -> AEVQ:
        """The trained model."""
        return self.trainer.model.eval()

    def save(self, folder: Path) -> None:
        """Save it."""
        self.trained().save_pretrained(folder)

    @staticmethod
    def load(folder: Path) -> None:
        AEVQ.from_pretrained(folder)
