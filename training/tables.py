"""Recipes and measurements of a search, or of all models, as tables for people."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import mean, variance

from aevq_hub import AEVQConfig
from aevq_hub.folder import SEARCH_FILE
from aevq_hub.measures import MEASURES, Lines, as_lines, flat, written

from .recipe import Recipe
from .recipes import used_settings

SETTINGS = {"latent_dim": "D", "num_codes": "K", "pull_weight": "λ1", "pull_batch_size": "M", "ema_rate": "α",
            "center_reconstruction_weight": "λ2"}  # fmt: skip
# columns of the table of all models, and of a search's table
MODELS = ("mse", "quantized_mse", "codebook.in_use", "codebook.duplicates", "codebook.perplexity",
          "score", "frechet.reconstructions", "frechet.samples", "frechet.gaussian", "frechet.midpoints",
          "sheets.directions.frechet", "sheets.directions.change", "kept.one")  # fmt: skip
SEARCHED = ("score", "mse", "quantized_mse", "latents.std", "distance_in_spreads", "codebook.in_use", "codebook.dead",
            "codebook.duplicates", "codebook.perplexity", "frechet.reconstructions", "frechet.samples",
            "frechet.gaussian", "frechet.midpoints", "sheets.directions.frechet", "sheets.directions.change",
            "sheets.raw.frechet", "kept.half", "kept.one", "accuracy")  # fmt: skip

# lines of the comparison of variants, each with whether more is better
COMPARISON = {"mse": False, "frechet.gaussian": False, "sheets.directions.frechet": False, "kept.half": True,
            "kept.one": True, "frechet.samples": False, "frechet.midpoints": False, "frechet.between": False,
            "probes.linear": True}  # fmt: skip
# columns of the comparison of recipes that were searched for on equal terms
EQUAL_TERMS = ("score", "frechet.gaussian", "sheets.directions.frechet", "kept.one", "frechet.midpoints", "mse",
               "latents.std")  # fmt: skip
BLUR = 2  # times the lowest error: recipes with a larger one are not chosen
CLEAR = 2  # pooled standard deviations from which a difference counts


def recorded_rows(path: Path) -> list[dict]:
    """The rows of a search's file; none if it does not exist.

    Raises:
        ValueError: it is damaged.
    """
    if not path.exists():
        return []
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged ({error}); move it away") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{path} is damaged: it is no list of objects; move it away")
    return rows


def searched(folder: Path, models: Sequence[str], **conditions) -> list[dict]:
    """The rows of several models' searches that meet all conditions, which name settings or ``images``."""
    rows = [row for model in models for row in recorded_rows(folder / model / SEARCH_FILE)]
    return [row for row in rows if conditions.items() <= flat_row(row).items()]


def flat_row(row: dict) -> dict:
    """A search's row with its settings and measurements side by side, and the defaults of settings that did not exist
    when it was recorded."""
    return flat({**asdict(Recipe()), "images": None, **row, **row["recipe"]})


def in_use_by_start(folder: Path) -> dict[str, dict[str, list[float]]]:
    """How many of 500 vectors are in use, by start and network (``ema``, ``residual``), in searches over seeds that
    differ in nothing else."""
    same = {"num_codes": 500, "restart_steps": 0, "warmup_steps": 400, "assignment": "image-to-vector",
            "pull_weight": 0.01, "latent_dim": 64, "epochs": 6, "images": 20_000}  # fmt: skip
    found: dict[str, dict[str, list[float]]] = {}
    for row in searched(folder, ["ema-fashionmnist", "residual-fashionmnist"], **same):
        if "error" not in row:
            of_start = found.setdefault(row["recipe"]["initialisation"], {})
            of_start.setdefault(row["variant"], []).append(row["codebook"]["in_use"])
    return found


def table(rows: list[dict], columns: Sequence[str] = SEARCHED, shipped: dict | None = None) -> Lines:
    """A search's table: one line per recipe, with the settings that differ and its measurements, over its seeds.

    A dash stands for a setting that a variant does not use. ``shipped`` is a model's variant and recipe: the line with
    the same settings, but for the epochs, is marked.
    """
    rows = over_seeds(rows)
    recipes = [row["recipe"] for row in rows]
    default = asdict(Recipe())  # for settings that did not exist when a row was recorded
    tried = [name for name in default if name == "epochs" or len({r.get(name, default[name]) for r in recipes}) > 1]
    rows = sorted(rows, key=lambda row: (row["variant"], [row["recipe"].get(name, default[name]) for name in tried]))
    variants, images = ({row.get(name) for row in rows} for name in ("variant", "images"))
    lines = []
    for row, measured in zip(rows, as_lines(rows, columns), strict=True):
        line = {"variant": row["variant"]} if len(variants) > 1 else {}
        line |= {"images": str(row.get("images") or "all")} if len(images) > 1 else {}
        used = {*used_settings(row["variant"], Recipe(**row["recipe"]))}
        recipe = {name: row["recipe"].get(name, default[name]) for name in tried if name in used}
        line |= {SETTINGS.get(name, name.replace("_", " ")): setting(recipe.get(name, "–")) for name in tried}
        own = {"variant": row["variant"], **recipe, "epochs": None}.items()
        same = bool(shipped) and own <= {**shipped, "epochs": None}.items()
        lines.append(line | measured | {"shipped": "yes" if same else ""})
    if not any(line["shipped"] for line in lines):
        for line in lines:
            del line["shipped"]
    return lines


def over_seeds(rows: list[dict]) -> list[dict]:
    """The rows of a search, with those that differ in nothing but the seed as one row with ``seeds``.

    If one of them diverged, so did the recipe. Of several rows with one seed only the last counts.
    """
    groups: dict[tuple, list[dict]] = {}
    for row in rows:
        recipe = {name: value for name, value in row["recipe"].items() if name != "seed"}
        groups.setdefault((row["variant"], Recipe(**recipe), row.get("images")), []).append(row)
    merged = []
    for group in groups.values():
        same = list({row["recipe"].get("seed"): row for row in group}.values())
        first = next((row for row in same if "error" in row), same[0])
        if len(same) > 1:
            first = {**first, "recipe": {n: v for n, v in first["recipe"].items() if n != "seed"}}
            if "error" not in first:
                first["seeds"] = [{"seed": row["recipe"].get("seed"), "results": flat(row)} for row in same]
        merged.append(first)
    return merged


def chosen(rows: list[dict]) -> list[dict]:
    """The recipe of each variant with the lowest score, among those whose error is at most twice the lowest of all.

    ``rows`` are those of a search, merged by :func:`over_seeds`; scores and errors are means over the seeds.
    """

    def value(row: dict, key: str) -> float:
        return mean(one[key] for one in trainings({"results": row, **row}))

    measured = [row for row in rows if math.isfinite(row.get("score", math.nan))]
    limit = BLUR * min((value(row, "mse") for row in measured), default=0)
    best: dict[str, dict] = {}
    for row in measured:
        other = best.get(row["variant"])
        if value(row, "mse") <= limit and (other is None or value(row, "score") < value(other, "score")):
            best[row["variant"]] = row
    return list(best.values())


def best_of_each_size(rows: list[dict]) -> list[dict]:
    """Of each variant and latent size in the rows of a search, the row with the lowest score."""
    best: dict[tuple, dict] = {}
    for row in (row for row in rows if "score" in row):
        key = row["variant"], row["recipe"]["latent_dim"]
        if key not in best or row["score"] < best[key]["score"]:
            best[key] = row
    return list(best.values())


def setting(value) -> str:
    """A setting, formatted: 0.001, not 1e-3."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def series(epochs: list[dict], key: str) -> list[tuple[int, float]]:
    """The course of a measurement as pairs of epoch and value; nested keys are joined by dots."""
    return [(epoch["epoch"], values[key]) for epoch in epochs if key in (values := flat(epoch))]


def models(histories: list[dict]) -> Lines:
    """The table of all models, from their ``history.json``, one line per model.

    With several seeds, it shows their mean ± standard deviation.
    """
    measured = as_lines([with_seeds(history) for history in histories], MODELS)
    return [{"model": f"`{h['model']}`"} | line for h, line in zip(histories, measured, strict=True)]


def comparison(histories: list[dict]) -> Lines:
    """Models of one data set beside each other, one line per measure, and which of them leads.

    Only models whose latents have the size that is most frequent are compared: larger latents lower the error, and keep
    more answers under noise. The leader is named with its distance to the second in standard deviations, pooled over
    the seeds of both. A difference within two of them is called none, and without several seeds of both there is no way
    to tell.
    """
    sizes = Counter(h["recipe"]["latent_dim"] for h in histories)
    of_one_size = [h["model"] for h in histories if h["recipe"]["latent_dim"] == max(sizes, key=sizes.__getitem__)]
    lines = []
    if len(of_one_size) < 2:
        return lines
    for key, more in COMPARISON.items():
        results = {h["model"]: [flat(one) for one in trainings(h)] for h in histories}
        if any(key not in one for several in results.values() for one in several):
            continue
        found = {name: [one[key] for one in several] for name, several in results.items()}
        line = {"measure": MEASURES[key].short}
        line |= {f"`{h['model']}`": written(with_seeds(h), key) for h in histories}
        first, second = sorted(of_one_size, key=lambda name: mean(found[name]), reverse=more)[:2]
        if len(found[first]) == 1 or len(found[second]) == 1:
            line["leads"] = f"`{first}`, not tested over seeds"
        else:
            pooled = ((variance(found[first]) + variance(found[second])) / 2) ** 0.5
            apart = abs(mean(found[first]) - mean(found[second]))
            line["leads"] = f"`{first}`, by {apart / pooled:.1f} sd" if apart > CLEAR * pooled > 0 else "none"
        lines.append(line)
    return lines


def chosen_by(config: AEVQConfig, results: dict) -> str:
    """The measure by which trainings of a model with several seeds are compared; lower is better.

    It is the score if there is one, for grids the error from the codebook, and without class labels the error.
    """
    return "score" if "score" in results else "quantized_mse" if config.grid_size else "mse"


def trainings(history: dict) -> list[dict]:
    """The results of a model's trainings, one per seed."""
    return [seed["results"] for seed in history.get("seeds", ())] or [history["results"]]


def with_seeds(history: dict) -> dict:
    """The results of a ``history.json`` together with those of all seeds, for ``measures.written``."""
    return {**history["results"], "seeds": history.get("seeds", ())}


def hours(histories: list[dict]) -> float:
    """How long models were trained, with all their seeds and priors, as far as epochs record their seconds."""
    seconds = 0.0
    for record in histories:
        trained, of_prior = record["epochs"], record.get("prior", {}).get("epochs", ())
        for epochs, count in ((trained, len(trainings(record))), (of_prior, 1)):
            seconds += count * sum(epoch.get("seconds", 0.0) for epoch in epochs)
    return seconds / 3600


def timings(rows: list[dict]) -> Lines:
    """The table of a part of ``aevq bench``: medians, rounded to three digits."""
    medians = [{key: v["median"] if isinstance(v, dict) else v for key, v in row.items()} for row in rows]
    return [{key: v if isinstance(v, str) else _rounded(v) for key, v in row.items()} for row in medians]


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
