"""Recipes and measurements as tables for people: those of a search, and those of all models."""

from dataclasses import asdict

from .recipe import Recipe

# settings and measurements of a table: their short names and how they are written
SETTINGS = {"latent_dim": "D", "num_codes": "K", "pull_weight": "λ1", "pull_batch_size": "M", "ema_rate": "α"}
MEASURES = {
    "mse": ("MSE", "{:.5f}"),
    "quantized_mse": ("from the codebook", "{:.5f}"),
    "spread": ("spread", "{:.2f}"),
    "distance_to_vector": ("to the vector", "{:.2f}"),
    "codebook.in_use": ("in use", "{}"),
    "codebook.dead": ("dead", "{}"),
    "codebook.duplicates": ("duplicates", "{}"),
    "codebook.perplexity": ("perplexity", "{:.1f}"),
    "frechet.reconstructions": ("Fréchet: reconstructions", "{:.1f}"),
    "frechet.samples": ("samples", "{:.1f}"),
    "frechet.midpoints": ("mid-points", "{:.1f}"),
    "accuracy": ("accuracy", "{:.1%}"),
    "changed": ("changed", "{:.1%}"),
    "changed_surely": ("changed_surely", "{:.1%}"),
    "sure": ("sure", "{:.1%}"),
}


def flat(results: dict, prefix: str = "") -> dict:
    """Nested results with their names joined by dots: {"codebook": {"in_use": 3}} → {"codebook.in_use": 3}."""
    pairs = {}
    for name, value in results.items():
        pairs |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return pairs


def table(rows: list[dict]) -> list[dict[str, str]]:
    """The rows for people: the settings that differ between them and whatever was measured of any."""
    recipes = [row["recipe"] for row in rows]
    tried = [name for name in asdict(Recipe()) if name == "epochs" or len({r[name] for r in recipes if name in r}) > 1]
    measured = [flat(row) for row in rows]
    variants, images = ({row.get(name) for row in rows} for name in ("variant", "images"))
    lines = []
    for row, recipe, values in sorted(
        zip(rows, recipes, measured, strict=True), key=lambda r: (r[0]["variant"], [r[1].get(n, "") for n in tried])
    ):
        line = {"variant": row["variant"]} if len(variants) > 1 else {}
        line |= {"images": str(row.get("images") or "all")} if len(images) > 1 else {}
        line |= {SETTINGS.get(name, name.replace("_", " ")): written(recipe.get(name, "–")) for name in tried}
        for key, (name, form) in MEASURES.items():
            if any(key in other for other in measured):
                line[name] = form.format(values[key]) if key in values else "diverged" if "error" in row else "–"
        lines.append(line)
    return lines


def written(value) -> str:
    """A setting as people write it: 0.001, not 1e-3."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def markdown(lines: list[dict[str, str]]) -> str:
    """Lines with the same keys as a Markdown table."""
    head = list(lines[0])
    rows = [head, ["---"] * len(head), *(list(line.values()) for line in lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


# what is shown of every model
COMPARED = ("mse", "quantized_mse", "codebook.in_use", "codebook.duplicates", "codebook.perplexity",
            "frechet.reconstructions", "frechet.samples", "frechet.midpoints")  # fmt: skip


def models(histories: list[dict]) -> list[dict[str, str]]:
    """What was measured of each model, from their ``history.json``, one line each."""
    measured = [flat(history["results"]) for history in histories]
    lines = []
    for history, values in zip(histories, measured, strict=True):
        line = {"model": f"`{history['model']}`"}
        for key, (name, form) in MEASURES.items():
            if key in COMPARED and any(key in other for other in measured):
                line[name] = form.format(values[key]) if key in values else "–"
        lines.append(line)
    return lines
