"""What a build, the cards and the Hub say of this package; apart, so that a build can read it without torch."""

__version__ = "0.1.0"
HOMEPAGE = "https://huggingface.co/models?library=aevq-hub"  # of the code and the models, until the code has its own
PAPER = (
    "https://arxiv.org/search/?query=Rethinking+VAE%3A+From+Continuous+to+Discrete+Representations+"
    "Without+Probabilistic+Assumptions&searchtype=title"
)
