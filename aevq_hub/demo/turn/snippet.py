"""The Python that makes the picture of the tab Turn."""

from ..shared.snippets import beginning, script
from .settings import Turn


def code(settings: Turn) -> str:
    """The code that makes ``compute.picture(settings)``."""
    s = settings
    lines = [*beginning(s.model, {"z": s.start, **({"second": s.second} if s.way else {})}), ""]
    if s.way:
        lines += [f"z = z.lerp(second, {s.way!r})  # so far on the straight line to the second picture"]
    if s.config.feed == "codebook":
        lines += ["z = model.decoder_input(z[None])[0]  # the decoder receives the nearest codes"]
    for step, amount in _steps(s):
        call = f"perturb_cell(z, {s.cell}" if s.cell else "perturb(z"
        lines += [f"step = {step}", f"z = latent.{call}, step, {amount!r})[0, 0]"]
    return script([*lines, "picture = model.to_pil(model.decode(z[None]))[0]"])


def _steps(s: Turn) -> list[tuple[str, float]]:
    """The code of each step, one σ or one raw unit long, and how often it is made."""
    unit = "" if s.unit == "std" else ', "raw"'
    steps = [f"model.axes([model.ranked_dimensions()[{i}]]{unit})" for i in range(max(s.sliders, s.rank))]
    along = steps
    if s.basis == "directions":
        along = [f"model.directions({s.sliders})[{i}]" for i in range(s.sliders)]
        if s.unit == "raw":
            along = [f"torch.nn.functional.normalize({direction}[None])[0]" for direction in along]
    made = list(zip(along, s.mixed, strict=False))
    return [(step, amount) for step, amount in [*made, (steps[s.rank - 1], s.shift)] if amount]
