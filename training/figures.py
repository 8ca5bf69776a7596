"""Figures of the paper that are drawn from a training's history. Those of images are in ``aevq_hub.pictures``."""

from matplotlib.figure import Figure


def figure_3_3(epochs: list[dict]) -> Figure:
    """Figure 3.3: how far the vector moved in each epoch (Euclidean distance), from ``history.json``."""
    figure = Figure(figsize=(6, 3), layout="constrained")
    axes = figure.subplots()
    moved = [e for e in epochs if "movement" in e]  # not during a warm-up
    axes.plot([e["epoch"] for e in moved], [e["movement"] for e in moved], marker="o", markersize=4)
    axes.set(xlabel="epoch", ylabel="movement of v", ylim=(0, None), xlim=(0.5, len(epochs) + 0.5))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
