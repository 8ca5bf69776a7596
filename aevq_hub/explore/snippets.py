"""The Python that makes the picture of a tab, one function per tab: it leaves the picture in ``picture``."""

from . import starts
from .about import About
from .cells import PASTED, ZERO, placed
from .codebook import Codebook
from .interpolation import Interpolation
from .ladder import STEPS, Ladder
from .perturbation import Perturbation
from .recombination import Recombination


def perturbation(settings: Perturbation) -> str:
    """The code that makes ``perturbation.picture(settings)``."""
    lines = [*_beginning(settings.model, {"z": settings.start}), ""]
    lines += ["ranked = model.ranked_dimensions()  # the one that moves the picture most first"]
    if settings.config.feed == "codebook":
        lines += ["z = model.decoder_input(z[None])[0]  # the decoder receives the nearest codes"]
    for rank, amount in settings.by_rank.items():
        unit, meaning = ("", "one σ long") if settings.unit == "std" else (', "raw"', "of length 1")
        call = f"perturb_cell(z, {settings.cell}" if settings.cell else "perturb(z"
        lines += [f"step = model.axes([ranked[{rank - 1}]]{unit})  # {meaning}"]
        lines += [f"z = latent.{call}, step, {amount!r})[0, 0]"]
    return "\n".join([*lines, "picture = model.to_pil(model.decode(z[None]))[0]"])


def interpolation(settings: Interpolation) -> str:
    """The code that makes ``interpolation.strip(settings)``."""
    lines = [*_beginning(settings.model, {"z1": settings.start, "z2": settings.end}, "pictures"), ""]
    lines += [
        f'picture = pictures.interpolation(model, z1[None], z2[None], steps={settings.steps}, mode="{settings.mode}")'
    ]
    return "\n".join(lines)


def codebook(settings: Codebook) -> str:
    """The code that makes ``codebook.picture(settings)``."""
    size, uses = settings.config.grid_size, "latent" if settings.config.grid_size else ""
    lines = [*_beginning(settings.model, {"z": settings.start}, uses), ""]
    if size:
        lines += [f"v = latent.recombine.broadcast({settings.vector}, {size}, model.codebook)  # one code in all cells"]
    else:
        lines += [f"v = model.codebook[{settings.vector}]"]
    if settings.config.feed == "codebook":
        lines += ["z = model.decoder_input(z[None])[0]  # the decoder receives the nearest codes"]
    lines += [f"z = z.lerp(v, {settings.way!r})  # so far on the straight line from the start to the vector"]
    return "\n".join([*lines, "picture = model.to_pil(model.decode(z[None]))[0]"])


def recombination(settings: Recombination) -> str:
    """The code that makes ``recombination.picture(settings)``."""
    cells, model = settings.matrix, settings.model
    codes, pasted, zeros = (placed(cells, kind) for kind in (int, PASTED, ZERO))
    if len(codes) == len(cells) ** 2:
        rows = "".join(f"    {row},\n" for row in cells)
        return (
            f'import torch\n\nfrom aevq_hub import AEVQ\n\nmodel = AEVQ.from_pretrained("{model}")\n'
            f"indices = torch.tensor([[\n{rows}]])\npicture = model.to_pil(model.decode_indices(indices))[0]"
        )
    lines = _beginning(model, {"z": settings.start, **({"second": settings.second} if pasted else {})})
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
    return "\n".join([*lines, "", "picture = model.to_pil(model.decode(z[None]))[0]"])


def ladder(settings: Ladder) -> str:
    """The code that makes ``ladder.sheet(settings)``."""
    tokens = {"z1": settings.start, "z2": settings.second}
    names = {name: settings.variant_of(name) for name in settings.models}
    model = settings.models[0]
    imports, beginning = "\n".join(_beginning(model, tokens, "latent, pictures")).split("\n\nmodel = ")
    beginning = "\n".join(f"    {line}" for line in f"model = {beginning}".replace(f'"{model}"', "name").split("\n"))
    variants = "".join(f'    "{name}": "{variant}",\n' for name, variant in names.items())
    return f"""import torch
{imports}

variants = {{
{variants}}}
rows = []
for name in variants:
{beginning}
    step = model.axes()[:1]  # one σ along the dimension that moves the picture most
    fed, grid = model.decoder_input(z1[None]), model.config.grid_size
    if grid:
        shifted = latent.perturb_cell(fed, pictures.middle(model), step, {settings.shift!r})[:, 0, 0]
    else:
        shifted = latent.perturb(fed, step, {settings.shift!r})[:, 0, 0]
    path = latent.interpolate(z1, z2, {STEPS}, dim=-3 if grid else -1)
    rows.append(torch.cat([model.render(z1[None]), model.decode(shifted), model.render(path)]))
picture = pictures.sheet(torch.stack(rows), list(variants.values()))"""


def about(settings: About) -> str:
    """The code that makes ``about.samples(settings)``."""
    return f"""from aevq_hub import AEVQ, pictures

model = AEVQ.from_pretrained("{settings.model}")  # shipped; from the Hub: "<namespace>/{settings.model}"
picture = pictures.samples(model, seed=0, rows=1)"""


def _beginning(model: str, tokens: dict[str, str], uses: str = "latent") -> list[str]:
    """The imports, the model and the latent of each start."""
    kinds = {token.partition(":")[0] for token in tokens.values()}
    lines = ["from PIL import Image", ""] if "image" in kinds else []
    names = ["AEVQ", *sorted({uses, "folder" if "sample" in kinds else ""} - {""})]
    lines += [f"from aevq_hub import {', '.join(names)}", "", f'model = AEVQ.from_pretrained("{model}")']
    for variable, token in tokens.items():
        kind, _, rest = token.partition(":")
        if kind == "sample":
            lines += [f'{variable} = folder.samples("{model}", model)[{rest}]  # the latent of a shipped sample']
        elif kind == "random":
            lines += [f"{variable} = model.sample_latents(1, seed={rest})[0]"]
        else:
            invert = ", invert=True" if starts.brought(token).invert else ""
            file = "picture.png" if len(tokens) == 1 else f"picture-{variable}.png"
            lines += [f'{variable} = model.encode(model.preprocess(Image.open("{file}"){invert}))[0]  # your image']
    return lines
