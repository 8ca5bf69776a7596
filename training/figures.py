"""Figures of a training's history. Figures of images are in ``aevq_hub.pictures``."""

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter


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


def _plain(axes) -> None:
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
