"""The Python that makes the picture of a tab: what the tabs' snippets share. It leaves the picture in ``picture``."""

from .exhibits import offers, with_vectors
from .starts import brought

INSTALL = "# pip install aevq-hub"


def script(lines: list[str]) -> str:
    """Lines of code as a script, which begins with what it needs and saves its picture."""
    torch = ["import torch"] if any("torch." in line for line in lines) else []
    return "\n".join([INSTALL, *torch, *lines, 'picture.save("result.png")'])


def beginning(model: str, tokens: dict[str, str], uses: str = "latent") -> list[str]:
    """The imports, the model and the latent of each start."""
    kinds = {token.partition(":")[0] for token in tokens.values()}
    lines = ["from PIL import Image", ""] if "image" in kinds else []
    names = ["AEVQ", *sorted({uses, "folder" if "sample" in kinds else ""} - {""})]
    lines += [f"from aevq_hub import {', '.join(names)}", "", f'model = AEVQ.from_pretrained("{model}")']
    for variable, token in tokens.items():
        kind, _, rest = token.partition(":")
        if kind == "sample":
            lines += [f'{variable} = folder.samples("{model}", model)[{rest}]  # the latent of a shipped sample']
        elif kind in ("random", "vector"):
            source, code = made(token, model, "model")
            if source == model:
                lines += [f"{variable} = {code}[0]"]
            else:
                _, code = made(token, model, "source")
                lines += [f'source = AEVQ.from_pretrained("{source}")  # the model has no learnable vectors']
                lines += [f"{variable} = model.encode(source.render({code}))[0]"]
        else:
            invert = ", invert=True" if brought(token).inverted(offers()[model].config.channels) else ""
            file = "picture.png" if len(tokens) == 1 else f"picture-{variable}.png"
            lines += [f'{variable} = model.encode(model.preprocess(Image.open("{file}"){invert}))[0]  # your image,']
            lines += ["# which the page has shrunk to 256 pixels: its picture may differ by a few grey levels"]
    return lines


def made(token: str, model: str, variable: str) -> tuple[str, str]:
    """The model that a start ``random:…`` or ``vector:…`` of another one comes from, and code for it.

    Args:
        token: the start.
        model: whose draw or vector it is, if it has vectors.
        variable: the name of the first of the two in the code.

    Returns:
        a model's name, and code for its latent (1, D) or (1, D, h, w).
    """
    kind, _, rest = token.partition(":")
    if kind == "random":
        return model, f"{variable}.sample_latents(1, seed={rest})"
    model = with_vectors(model)
    size = offers()[model].config.grid_size
    return model, f"{variable}.codebook[[{rest}]]{f'[:, :, None, None].expand(-1, -1, {size}, {size})' if size else ''}"
