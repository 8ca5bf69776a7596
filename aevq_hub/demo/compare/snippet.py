"""The Python that makes the pictures of the tab Compare."""

from ..shared.snippets import beginning, made, script
from .settings import STEPS, Compare


def code(settings: Compare) -> str:
    """The code that makes ``compute.sheet(settings)``."""
    tokens = {"z1": settings.start, "z2": settings.second}
    names = {name: settings.variant_of(name) for name in settings.models}
    model = settings.models[0]
    imports, loaded = "\n".join(beginning(model, tokens, "latent, pictures")).split("\n\nmodel = ")
    loaded = f"model = {loaded}".replace(f'"{model}"', "name").split("\n")
    # a seed or a vector is another picture for every model
    generated = {name: token for name, token in tokens.items() if token.startswith(("random", "vector"))}
    loaded = [line for line in loaded if line.partition(" = ")[0] not in (*generated, "source")]
    source = []
    for name, token in generated.items():
        maker, drawn = made(token, settings.model, f"source_{name}")
        source += [f'source_{name} = AEVQ.from_pretrained("{maker}")']
        loaded += [f'{name} = {drawn}[0] if name == "{maker}" else model.encode(source_{name}.render({drawn}))[0]']
    variants = "".join(f'    "{name}": "{variant}",\n' for name, variant in names.items())
    return script([imports, "", *source, f"variants = {{\n{variants}}}", "rows = []", "for name in variants:",
        *(f"    {line}" for line in loaded),
        "    step = model.axes()[:1]  # one σ along the number that moves the picture most",
        "    z, grid = model.decoder_input(z1[None]), model.config.grid_size",
        "    if grid:",
        f"        shifted = latent.perturb_cell(z, pictures.middle(model), step, {settings.shift!r})[:, 0, 0]",
        "    else:",
        f"        shifted = latent.perturb(z, step, {settings.shift!r})[:, 0, 0]",
        f"    path = latent.interpolate(z1, z2, {STEPS}, dim=-3 if grid else -1)",
        "    rows.append(torch.cat([model.render(z1[None]), model.decode(shifted), model.render(path)]))",
        "picture = pictures.sheet(torch.stack(rows), list(variants.values()))"])  # fmt: skip
