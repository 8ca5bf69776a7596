"""The Python that makes the strip of the tab Morph."""

from ..shared.snippets import beginning, script
from .settings import Morph


def code(settings: Morph) -> str:
    """The code that makes ``compute.strip(settings)``."""
    lines = [*beginning(settings.model, {"z1": settings.start, "z2": settings.second}, "pictures"), ""]
    lines += [
        f'picture = pictures.interpolation(model, z1[None], z2[None], steps={settings.steps}, mode="{settings.mode}")'
    ]
    return script(lines)
