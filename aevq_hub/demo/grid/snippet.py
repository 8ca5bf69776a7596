"""The Python that makes the picture of the tab Grid."""

from ..shared.snippets import beginning, script
from .cells import PASTED, ZERO, placed
from .settings import Grid


def code(settings: Grid) -> str:
    """The code that makes ``compute.picture(settings)``."""
    cells, model = settings.matrix, settings.model
    codes, pasted, zeros = (placed(cells, kind) for kind in (int, PASTED, ZERO))
    if len(codes) == len(cells) ** 2:
        rows = "".join(f"    {row},\n" for row in cells)
        load = f'model = AEVQ.from_pretrained("{model}")'
        made = "picture = model.to_pil(model.decode_indices(indices))[0]"
        return script(["", "from aevq_hub import AEVQ", "", load, f"indices = torch.tensor([[\n{rows}]])", made])
    lines = beginning(model, {"z": settings.start, **({"second": settings.second} if pasted else {})})
    fed = settings.config.feed == "codebook"
    if fed:
        lines += ["", "z = model.decoder_input(z[None])[0]  # the decoder receives the nearest codes"]
    if codes:
        lines += ["", f"codes = {{{', '.join(f'{(r, c)}: {cells[r][c]}' for r, c in codes)}}}  # row, column from 0"]
        lines += ["z = latent.recombine.replace(z, list(codes), list(codes.values()), model.codebook)"]
    if pasted:
        lines += ["", *(["second = model.decoder_input(second[None])[0]"] if fed else [])]
        lines += [f"z = latent.recombine.paste(z, second, {pasted})"]
    if zeros:
        lines += ["", f"z = latent.recombine.blank(z, {zeros})"]
    return script([*lines, "", "picture = model.to_pil(model.decode(z[None]))[0]"])
