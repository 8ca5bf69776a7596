"""The Python that makes the picture of the tab Codebook."""

from ..shared.snippets import beginning, script
from .settings import Codebook


def code(settings: Codebook) -> str:
    """The code that makes ``compute.picture(settings)``."""
    size, uses = settings.config.grid_size, "latent" if settings.config.grid_size else ""
    lines = [*beginning(settings.model, {"z": settings.start}, uses), ""]
    if size:
        lines += [f"v = latent.recombine.broadcast({settings.vector}, {size}, model.codebook)  # one code in all cells"]
    else:
        lines += [f"v = model.codebook[{settings.vector}]"]
    if settings.config.feed == "codebook":
        lines += ["z = model.decoder_input(z[None])[0]  # the decoder receives the nearest codes"]
    lines += [f"z = z.lerp(v, {settings.way!r})  # so far on the straight line from the start to the vector"]
    return script([*lines, "picture = model.to_pil(model.decode(z[None]))[0]"])
