"""The Python that loads a model and draws from it."""

from ..shared.snippets import script
from .settings import About


def code(settings: About) -> str:
    """The code that makes ``compute.samples(settings)``."""
    return script([
        "from aevq_hub import AEVQ, pictures",
        "",
        f'model = AEVQ.from_pretrained("{settings.model}")  # shipped; from the Hub: "<namespace>/{settings.model}"',
        "picture = pictures.samples(model, seed=0, rows=1)",
    ])  # fmt: skip
