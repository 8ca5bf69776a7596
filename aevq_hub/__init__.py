"""Models of "Rethinking VAE: From Continuous to Discrete Representations Without Probabilistic Assumptions".

>>> from aevq_hub import AEVQ
>>> model = AEVQ.from_pretrained("center-mnist")
"""

from . import codebook, folder, latent
from .config import AEVQConfig, LoadError
from .folder import available_models
from .model import AEVQ
from .version import __version__

__all__ = ["AEVQ", "AEVQConfig", "LoadError", "__version__", "available_models", "codebook", "folder", "latent"]
