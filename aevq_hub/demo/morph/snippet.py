"""The Python that makes the strip and the sheet of the tab Morph."""

from ..shared.snippets import beginning, script
from .compute import CELL, SIDE
from .settings import CORNERS, Morph


def code(settings: Morph) -> str:
    """The code that makes ``compute.strip(settings)`` and, as sheet.png, ``compute.four_corners(settings)``."""
    corners = {f"z{i}": getattr(settings, which) for i, which in enumerate(CORNERS, start=1)}
    lines = [*beginning(settings.model, corners, "latent, pictures"), ""]
    lines += [
        f"between = latent.bilinear({', '.join(corners)}, rows={SIDE}, columns={SIDE})",
        f"sheet = model.render(between.flatten(0, 1)).unflatten(0, ({SIDE}, {SIDE}))",
        f'pictures.sheet(sheet, cell={CELL}).save("sheet.png")',
        f'picture = pictures.interpolation(model, z1[None], z2[None], steps={settings.steps}, mode="{settings.mode}")',
    ]
    return script(lines)
