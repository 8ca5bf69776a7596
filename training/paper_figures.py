"""The paper's figures, drawn from the shipped models alone: one function each, with the paper's numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from aevq_hub import AEVQ, folder, latent, pictures
from aevq_hub.checks import one_of
from aevq_hub.folder import MAP_FILE, find_files
from aevq_hub.tensor_files import read_tensors

from .evaluate import twenty
from .figures import figure_3_3, framed
from .files import written_beside


@dataclass(frozen=True)
class Shown:
    """A model and what a figure needs besides."""

    model: AEVQ
    z: Tensor  # latents of its samples (B, D) or (B, D, h, w)
    x: Tensor | None  # the samples (B, C, H, W), if they may be shown
    name: str

    @classmethod
    def load(cls, name: str) -> "Shown":
        model = AEVQ.from_pretrained(name)
        return cls(model, folder.samples(name, model), folder.sample_images(name), name)


@dataclass(frozen=True)
class PaperFigure:
    """One figure of the paper."""

    title: str
    variant: str
    datasets: tuple[str, ...]  # the paper's, drawn by default
    look: str  # what to see
    draw: Callable[[Shown], Image.Image | Figure]


def _raw(shown: Shown, dims: Sequence[int], shifts: Sequence[float], sample: int = 0) -> Image.Image:
    """Shifts in raw units, as the paper has them."""
    steps = shown.model.axes(list(dims), unit="raw")
    return pictures.perturbation(shown.model, shown.z[sample], steps, shifts, labels=[f"z{d}" for d in dims])


def _pairs(shown: Shown, pairs: Sequence[tuple[int, int]]) -> Image.Image:
    """Interpolations between samples of two classes, a row for each pair."""
    starts, ends = (shown.z[[i % len(shown.z) for i in side]] for side in zip(*pairs, strict=True))
    return pictures.interpolation(shown.model, starts, ends)


def _decoded(shown: Shown, index: Tensor, columns: int = 10) -> Image.Image:
    """Vectors of the codebook, decoded; blank cells fill the last row."""
    if not len(index):
        return Image.new("RGB", (600, 56), "#eeeeee")
    x = shown.model.decode(pictures.filled(shown.model, shown.model.vectors[index]))
    x = torch.cat([x, x.new_ones(-len(x) % columns, *x.shape[1:])])
    return pictures.sheet(x.unflatten(0, (-1, columns)), cell=56)


def _by_use(shown: Shown) -> Tensor:
    """The indices of the vectors, the most used first."""
    return torch.tensor(folder.history(shown.name)["results"]["codebook"]["share"]).argsort(
        descending=True, stable=True
    )


def _used(shown: Shown) -> Tensor:
    return _by_use(shown)[: folder.history(shown.name)["results"]["codebook"]["in_use"]][:100]


def _unused(shown: Shown) -> Tensor:
    return _by_use(shown)[len(shown.model.vectors) - folder.history(shown.name)["results"]["codebook"]["dead"] :][:50]


def _plane(shown: Shown) -> Figure:
    """Latents, coloured by class, and vectors on a plane, by t-SNE."""
    found = read_tensors(find_files(shown.name, (MAP_FILE,))[0])
    figure = Figure(figsize=(6, 6), layout="constrained")
    axes = figure.subplots()
    axes.scatter(*found["points"].float().T, s=8, c=found["classes"], cmap="tab10", alpha=0.6, linewidths=0)
    axes.scatter(*found["vectors"].float().T, s=30, marker="x", color="black", linewidths=1)
    axes.set(xticks=[], yticks=[], aspect="equal")
    axes.invert_yaxis()
    return figure


def _raw_and_sigma(shown: Shown) -> Image.Image:
    """Figure 3.2 in the paper's units and in σ, side by side."""
    dims = shown.model.ranked_dimensions()[:10]
    names = [f"z{d}" for d in dims]
    sheets = [pictures.perturbation(shown.model, shown.z[0], shown.model.axes(dims, unit), labels=names)
              for unit in ("raw", "std")]  # fmt: skip
    width = sheets[0].width
    both = Image.new("RGB", (2 * width + 40, sheets[0].height + 30), "white")
    draw, font = ImageDraw.Draw(both), ImageFont.load_default(size=17)
    titles = ("in raw units, as in the paper", "in standard deviations of the training latents")
    for i, (sheet, title) in enumerate(zip(sheets, titles, strict=True)):
        both.paste(sheet, (i * (width + 40), 30))
        draw.text((i * (width + 40) + width // 2, 12), title, "#333333", font, anchor="mm")
    return both


def _first_vector(shown: Shown) -> Image.Image:
    """Figure 4.6: the first dimension of the grid's first vector."""
    steps, shifts = shown.model.axes([0], unit="raw"), (0, 1, 5, 10, 15, 30, 50, 100)
    fed = shown.model.decoder_input(shown.z[:5])  # (5, D, h, w)
    shifted = latent.perturb_cell(fed, (0, 0), steps, shifts)[:, 0]  # (5, S, D, h, w)
    decoded = shown.model.decode(shifted.flatten(0, 1)).unflatten(0, shifted.shape[:2])
    return pictures.sheet(decoded, column_labels=[f"+{shift}" for shift in shifts])


def _random_grids(shown: Shown) -> Image.Image:
    """Figure 4.5: grids of random codes."""
    c, generator = shown.model.config, torch.Generator().manual_seed(0)
    indices = latent.recombine.random_indices(20, c.grid_size, c.num_codes, generator)
    return pictures.sheet(shown.model.decode_indices(indices).unflatten(0, (2, 10)))


def _one_code(shown: Shown) -> Image.Image:
    """Figure 4.7: a code in all cells, and in one cell among zeros."""
    size, v = shown.model.config.grid_size, shown.model.vectors
    codes, middle = _by_use(shown)[:10].tolist(), pictures.middle(shown.model)
    rows = {
        "all cells": [latent.recombine.broadcast(code, size, v) for code in codes],
        "among zeros": [latent.recombine.among_zeros(code, middle, size, v) for code in codes],
    }
    decoded = torch.stack([shown.model.decode(torch.stack(grids)) for grids in rows.values()])
    return pictures.sheet(decoded, list(rows), [str(code) for code in codes])


def _replaced(shown: Shown) -> Image.Image:
    """Figure 4.8: growing shares of a grid's cells, at random places, replaced by a code."""
    generator, shares = torch.Generator().manual_seed(0), (0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1)
    fed = shown.model.decoder_input(shown.z[:5])
    grids = [[latent.recombine.replace_share(z, s, shown.model.vectors, generator) for s in shares] for z in fed]
    decoded = torch.stack([shown.model.decode(torch.stack(row)) for row in grids])
    return pictures.sheet(decoded, column_labels=[f"{share:.0%}" for share in shares])


def _indices(shown: Shown) -> Figure:
    """Appendix A.1: the codes of the samples."""
    indices = shown.model.quantize(shown.z)[1][:20]  # (20, h, w)
    columns = 5
    figure = Figure(figsize=(11, 2.3 * -(-len(indices) // columns)), layout="constrained")
    found = twenty(indices)
    figure.suptitle(
        "{codes} codes, perplexity {perplexity:.1f}, {per_image:.1f} codes per image, {corner} in the top-left cells; "
        "in the paper 91, 61.2, 24.3 and 1".format(**found)
    )
    grid = figure.subplots(-(-len(indices) // columns), columns, squeeze=False).flatten()
    for axes in grid:
        axes.set_axis_off()
    for axes, matrix in zip(grid, indices, strict=False):
        axes.imshow(matrix, cmap="viridis", vmin=0, vmax=shown.model.config.num_codes - 1)
        for row, codes in enumerate(matrix.tolist()):
            for column, code in enumerate(codes):
                axes.text(column, row, code, ha="center", va="center", fontsize=6, color="white")
    return figure


_FAR = (0, 0.1, 0.5, 1, 5, 10, 25, 50)  # figure 2.3
FOLDER = "figures"  # of the figures, in the folder of the models
MNIST, FASHION, ALL = ("mnist",), ("fashionmnist",), ("mnist", "fashionmnist", "celeba")
FIGURES = {
    "2.1": PaperFigure(
        "shifts of the first eight dimensions", "ae", MNIST,
        "Each column adds +0.1 to +15 to one number: the paper sees no change at first, then decay to black.",
        lambda s: _raw(s, range(8), (0, 0.1, 0.5, 1, 2, 5, 10, 15), sample=7),
    ),
    "2.2": PaperFigure(
        "interpolation", "ae", MNIST, "From 7 to 8 and from 3 to 8. The paper calls it smooth.",
        lambda s: _pairs(s, [(7, 8), (3, 8)]),
    ),
    "2.3": PaperFigure(
        "shifts of a classifier's latents", "classifier", MNIST,
        "One number of 4, 5, 7 and 1 is raised by up to +50. The paper sees other digits at the end.",
        lambda s: pictures.sheet(torch.stack([
            s.model.decode(latent.perturb(s.z[digit], s.model.axes([0], unit="raw"), _FAR)[0]) for digit in (4, 5, 7, 1)
        ], 1), [f"+{shift:g}" for shift in _FAR], ["4", "5", "7", "1"]),
    ),
    "2.4": PaperFigure(
        "interpolation of a classifier's latents", "classifier", MNIST,
        "5 to 3, 3 to 7, 7 to 3, 3 to 2 and 2 to 9, to be compared with figure 2.2.",
        lambda s: _pairs(s, [(5, 3), (3, 7), (7, 3), (3, 2), (2, 9)]),
    ),
    "3.2": PaperFigure(
        "shifts of −3 to +3", "center", ALL,
        "Each column changes one number. The paper calls these changes perfectly smooth.", _raw_and_sigma,
    ),
    "3.3": PaperFigure(
        "movement of the vector", "center", ALL, "The distance moved in each epoch. The paper sees it fall.",
        lambda s: figure_3_3(folder.history(s.name)["epochs"]),
    ),
    "3.4": PaperFigure(
        "latents and twenty vectors on a plane", "codebook", ("mnist", "fashionmnist"),
        "Crosses are vectors, dots latents in the colour of their class (t-SNE). Do vectors reach all classes?",
        _plane,
    ),
    "3.5": PaperFigure(
        "the twenty vectors, decoded", "codebook", ("mnist", "fashionmnist"), "Do several show the same picture?",
        lambda s: _decoded(s, torch.arange(len(s.model.vectors))),
    ),
    "3.6": PaperFigure(
        "pulled to zero", "zero", MNIST, "Originals and reconstructions, which collapse in the paper.",
        lambda s: pictures.reconstruction(s.model, s.z[:10], None if s.x is None else s.x[:10]),
    ),
    "4.1a": PaperFigure(
        "the fifty vectors, decoded", "ema", FASHION, "The most used first. In the paper the others show nothing.",
        lambda s: _decoded(s, _by_use(s)),
    ),
    "4.1b": PaperFigure(
        "latents and fifty vectors on a plane", "ema", FASHION, "How many crosses (vectors) lie among latents?", _plane
    ),
    "4.1c": PaperFigure(
        "a shift of +300", "ema", FASHION,
        "From the text of section 4.1, where only +300 is visible; but nothing fixes the scale of the latents, so raw "
        "units mean little.",
        lambda s: _raw(s, s.model.ranked_dimensions()[:10], (0, 1, 3, 10, 30, 100, 300)),
    ),
    "4.2": PaperFigure(
        "latents and five hundred vectors on a plane", "residual", FASHION,
        "Do more of the crosses lie among the latents than in figure 4.1b?", _plane,
    ),
    "4.3a": PaperFigure(
        "used vectors, decoded", "residual", FASHION, "Vectors that attract test images, the most used first.",
        lambda s: _decoded(s, _used(s)),
    ),
    "4.3b": PaperFigure(
        "unused vectors, decoded", "residual", FASHION,
        "Vectors that attract no test image. Unused ones are moved onto latents in training, so few are left.",
        lambda s: _decoded(s, _unused(s)),
    ),
    "4.4": PaperFigure(
        "reconstructions from the encoder and from codes", "vqae", FASHION,
        "The originals, decoded from the encoder's vectors, and decoded from their codes.",
        lambda s: pictures.reconstruction(s.model, s.z[:10], None if s.x is None else s.x[:10]),
    ),
    "4.5": PaperFigure("grids of random codes", "vqae", FASHION, "Does any of them show an object?", _random_grids),
    "4.6": PaperFigure(
        "one number of one vector of a grid", "vqae", FASHION,
        "The first number of the top-left vector is raised by up to +100: how far does it reach?", _first_vector,
    ),
    "4.7": PaperFigure(
        "one code", "vqae", FASHION, "The ten most used codes: in all cells, and in one cell among zeros.", _one_code
    ),
    "4.8": PaperFigure(
        "codes replaced at random places", "vqae", FASHION, "A growing share of the cells gets a random code.",
        _replaced,
    ),
    "A.1": PaperFigure(
        "the codes of twenty images", "vqae", FASHION,
        "Each number is a code of one cell.", _indices,
    ),
}  # fmt: skip


def draw(number: str, dataset: str, output: Path) -> Path:
    """Draw one figure from a shipped model and write it as a PNG, whose path is returned.

    Args:
        number: a key of ``FIGURES``.
        dataset: the data set of the model.
        output: the folder.

    Raises:
        ValueError: there is no such figure.
        LoadError: there is no model of its variant for this data set.
    """
    figure = FIGURES[one_of("figure", number, FIGURES)]
    drawn = figure.draw(Shown.load(f"{figure.variant}-{dataset}"))
    path = output / file_name(number, dataset)
    with written_beside(path) as beside:
        framed(drawn, f"Figure {number}, {figure.variant}-{dataset}: {figure.title}", figure.look).save(beside, "PNG")
    return path


def file_name(number: str, dataset: str) -> str:
    """The name of a figure's file."""
    return f"figure-{number}-{dataset}.png"


def gallery(drawn: Sequence[tuple[str, str]]) -> str:
    """A page in Markdown of drawn figures: their numbers and data sets."""
    page = ["# The paper's figures", "Drawn from the shipped models by `aevq figures`; no data set is needed."]
    for number, dataset in drawn:
        figure = FIGURES[number]
        page += [f"## {number}: {figure.title} (`{figure.variant}-{dataset}`)", figure.look,
                 f"![Figure {number}]({file_name(number, dataset)})"]  # fmt: skip
    return "\n\n".join(page) + "\n"
