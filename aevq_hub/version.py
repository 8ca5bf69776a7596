"""The version and the addresses of this package, which a build reads without importing torch."""

__version__ = "0.1.0"
HOMEPAGE = "https://huggingface.co/models?library=aevq-hub"  # the models, until the code has its own page
PAPER = (
    "https://arxiv.org/search/?query=Rethinking+VAE%3A+From+Continuous+to+Discrete+Representations+"
    "Without+Probabilistic+Assumptions&searchtype=title"
)
