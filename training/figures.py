"""Figures of a training's history and of the experiment on grids. Figures of images are in ``aevq_hub.pictures``."""

from io import BytesIO
from statistics import mean, stdev

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from PIL import Image


def figure_3_3(epochs: list[dict]) -> Figure:
    """Figure 3.3: the Euclidean distance that the vector moved in each epoch, from ``history.json``."""
    figure = Figure(figsize=(6, 3), layout="constrained")
    axes = figure.subplots()
    moved = [e for e in epochs if "movement" in e]  # epochs of the warm-up have none
    axes.plot([e["epoch"] for e in moved], [e["movement"] for e in moved], marker="o", markersize=4)
    axes.set(xlabel="epoch", ylabel="movement of v", ylim=(0, None), xlim=(0.5, len(epochs) + 0.5))
    _plain(axes)
    return figure


def shares(share: list[float]) -> Figure:
    """The share of the latents of each vector, the most used first, from ``history.json``."""
    figure = Figure(figsize=(6, 3), layout="constrained")
    axes = figure.subplots()
    axes.bar(range(1, len(share) + 1), sorted(share, reverse=True), width=1, label="share of the latents")
    axes.axhline(1 / len(share), color="black", linestyle="--", linewidth=1, label="if all were used equally")
    axes.set(xlabel="vectors, the most used first", xlim=(0.5, len(share) + 0.5))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.legend(frameon=False)
    _plain(axes)
    return figure


def fragments(rows: list[dict]) -> Figure:
    """What codes tell about the class, and how local they are, over the size of the grid (``training.fragments``)."""
    kinds = sorted({(row["case"]["fed_by"], row["case"]["decoder"]) for row in rows}, reverse=True)
    datasets = list(dict.fromkeys(row["case"]["dataset"] for row in rows))
    panels = {
        "information": "bits about the class\nin one code", "grid": "accuracy of a linear probe\non the whole grid",
        "area": "share of the picture\nthat one code changes", "samples": "Fréchet distance\nof samples",
    }  # fmt: skip
    figure = Figure(figsize=(3 * len(panels), 2.8 * len(datasets)), layout="constrained")
    grid = figure.subplots(len(datasets), len(panels), squeeze=False)
    for dataset, line in zip(datasets, grid, strict=True):
        own = [row for row in rows if row["case"]["dataset"] == dataset]
        sides = sorted({row["case"]["side"] for row in own})
        for (key, title), axes in zip(panels.items(), line, strict=True):
            for fed_by, decoder in kinds:
                kind = {"fed_by": fed_by, "decoder": decoder}
                same = [row for row in own if kind.items() <= row["case"].items()]
                found = [
                    [row["results"][key] for row in same if row["case"]["side"] == side and key in row["results"]]
                    for side in sides
                ]
                axes.errorbar(
                    range(len(sides)), [mean(values) for values in found],
                    [stdev(values) if len(values) > 1 else 0 for values in found],
                    color="C0" if fed_by == "encoder" else "C1", linestyle="-" if decoder == "local" else ":",
                    marker="o", markersize=4, capsize=2, label=f"fed by the {fed_by}, {decoder} decoder",
                )  # fmt: skip
            axes.set_xticks(range(len(sides)), [f"{side} × {side}" for side in sides])
            axes.set(title=title, ylim=(0, None))
            _plain(axes)
        line[0].set_ylabel(dataset)
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def framed(drawn: Image.Image | Figure, title: str, caption: str) -> Image.Image:
    """A picture with its title above and its caption below."""
    if isinstance(drawn, Figure):
        drawn = _rendered(drawn)
    width = max(drawn.width, 700) / 100
    frame = Figure(figsize=(width, drawn.height / 100 + 0.9), dpi=100)
    frame.text(0.01, 0.99, title, ha="left", va="top", fontsize=12, weight="bold", wrap=True)
    frame.text(0.01, 0.01, caption, ha="left", va="bottom", fontsize=10, wrap=True)
    image = _rendered(frame)
    image.paste(drawn, ((image.width - drawn.width) // 2, 45))
    return image


def _rendered(figure: Figure) -> Image.Image:
    figure.savefig(data := BytesIO(), format="png", dpi=100)
    return Image.open(data).convert("RGB")


def _plain(axes) -> None:
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
