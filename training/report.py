"""The report on a folder of models, made from their history.json and search.json files and a template."""

import json
from collections import Counter
from pathlib import Path

from jinja2 import Environment, StrictUndefined, UndefinedError

from aevq_hub import AEVQConfig, claims
from aevq_hub.folder import CARD_FILE, CONFIG_FILE, HISTORY_FILE, history, shipped_folder
from aevq_hub.measures import MEASURES, flat, markdown_table, meanings, over_seeds, written
from aevq_hub.registry import DATASETS

from . import compare, fragments, own_samplers, paper_figures, tables
from .claims import FAILS, HOLDS, IN_PART, UNTESTED
from .files import written_beside
from .publish import ladder
from .recipes import recipe_for
from .remedies import BEYOND

TEMPLATE = shipped_folder() / "REPORT.md"
BENCH_FILE = "bench.json"  # of `aevq bench --json`
# the settings that the recipes on equal terms differ in, besides the size
WEIGHTS = {"pull_weight": "λ1", "gradient_weight": "gradient", "kl_weight": "KL", "learning_rate": "rate"}
PLURAL = {HOLDS: "hold", IN_PART: "hold in part", FAILS: "do not hold", UNTESTED: "are not tested"}  # of a verdict
# what the template uses of the records
USED = ("histories", "groups", "n", "prior", "beside", "equal_terms", "beyond", "tried", "claims", "counted", "starts",
        "fragments", "comparison", "bench")  # fmt: skip


class Records:
    """The records of a folder of models. The template takes every number from these methods.

    Raises:
        ValueError: the folder contains no models.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        names = ladder([path.parent.name for path in folder.glob(f"[!.]*/{HISTORY_FILE}")])
        if not names:
            raise ValueError(f"{folder} contains no models; give their folder with --output")
        self.histories = {name: history(folder / name) for name in names}
        path = folder / BENCH_FILE
        self.bench = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    @property
    def groups(self) -> dict[str, list[dict]]:
        """The models' histories by the title of their data set, or by its name if it is not in ``DATASETS``."""
        titles, groups = {d.hub_id: d.title for d in DATASETS.values()}, {}
        for record in self.histories.values():
            groups.setdefault(titles.get(source := record["data"]["source"], source), []).append(record)
        return groups

    def n(self, model: str, key: str) -> str:
        """A formatted measurement of a model, over its seeds; a dash if it was not measured."""
        return written(tables.with_seeds(self.histories[model]), key)

    def prior(self, model: str) -> str:
        """The shape of the network that predicts a grid's codes; a dash without one."""
        config = AEVQConfig.from_file(self.folder / model / CONFIG_FILE)
        return f"{config.prior_blocks} × {config.prior_width}" if config.prior_blocks else "–"

    def beside(self, dataset: str, *variants: str) -> str:
        """The table of several variants on a data set beside each other."""
        names = [f"{variant}-{dataset}" for variant in variants]
        return markdown_table(tables.comparison([self.histories[name] for name in names if name in self.histories]))

    @property
    def claims(self) -> str:
        """The table of the paper's claims, with links to its figures; empty if they were not measured."""

        def link(number: str) -> str:
            dataset = paper_figures.FIGURES[number].datasets[0]
            return f"[{number}]({paper_figures.FOLDER}/{paper_figures.file_name(number, dataset)})"

        rows = claims.recorded(self.folder)
        return markdown_table(claims.lines(rows, link)) if rows else ""

    @property
    def counted(self) -> str:
        """How many of the paper's claims have which verdict, in a sentence; empty if they were not measured."""
        by_verdict: dict[str, list[str]] = {}
        for row in claims.recorded(self.folder):
            by_verdict.setdefault(row["verdict"], []).append(row["number"])
        said = ", ".join(
            f"{len(numbers)} {verdict if len(numbers) == 1 else PLURAL[verdict]} ({', '.join(numbers)})"
            for verdict in PLURAL
            if (numbers := by_verdict.get(verdict))
        )
        return f"Of {sum(map(len, by_verdict.values()))} claims of the paper {said}." if said else ""

    @property
    def starts(self) -> str:
        """How many of 500 vectors are in use by network (``ema``, ``residual``) and start, as a table."""
        in_use = tables.in_use_by_start(self.folder)
        lines = [
            {"start": start} | {f"network of `{v}`": over_seeds(found, "{}") for v, found in of_variant.items()}
            for start, of_variant in in_use.items()
        ]
        return markdown_table(lines) if lines else ""

    def equal_terms(self, dataset: str, *variants: str, **conditions) -> str:
        """The table of the best recipe of each variant at each size, in the searches that meet all conditions.

        If searches tried some with several seeds, only those are considered. ``chosen`` marks the recipe of each
        variant with the lowest score (:func:`tables.chosen`), ``shipped`` those that the models here were trained by,
        and ``trials`` says how many recipes the variant had.
        """
        rows = tables.over_seeds(
            tables.searched(self.folder, [f"{variant}-{dataset}" for variant in variants], **conditions)
        )
        trials = Counter(row["variant"] for row in rows if "score" in row or "error" in row)
        # a single seed may be a lucky one
        rows = [row for row in rows if "seeds" in row] or tables.best_of_each_size(rows)
        if not rows:
            raise ValueError(f"the searches on {dataset} have no rows with {conditions}")
        best, lines = tables.chosen(rows), []
        for variant in variants:
            for row in (row for row in rows if row["variant"] == variant):
                recipe = row["recipe"]
                named = [f"{symbol} {recipe[name]:g}" for name, symbol in WEIGHTS.items() if recipe.get(name)]
                if recipe.get("decoder_variance") == "learned":
                    named = ["σ-VAE", *named[1:]]
                (measured,) = tables.as_lines([row], tables.EQUAL_TERMS)
                head = {"variant": f"`{variant}`", "trials": str(trials[variant]), "D": str(recipe["latent_dim"])}
                marks = {"chosen": row in best, "shipped": self._is_shipped(f"{variant}-{dataset}", recipe)}
                said = {mark: "yes" if holds else "" for mark, holds in marks.items()}
                lines.append(head | {"recipe": ", ".join(named)} | measured | said)
        return markdown_table(lines)

    def _is_shipped(self, model: str, recipe: dict) -> bool:
        shipped = self.histories[model]["recipe"] if model in self.histories else {}
        return all(recipe.get(name) == shipped.get(name) for name in ("latent_dim", "decoder_variance", *WEIGHTS))

    def beyond(self, dataset: str, **conditions) -> str:
        """The table of ``center`` with and without a term beyond the paper (:mod:`remedies`), in the searches that meet
        all conditions."""
        lines = []
        for row in tables.over_seeds(tables.searched(self.folder, [f"center-{dataset}"], **conditions)):
            used = {name: value for name in BEYOND if (value := row["recipe"].get(name))}
            order = [*BEYOND].index(next(iter(used))) if used else -1
            added = ", ".join(BEYOND[name].format(value) for name, value in used.items())
            head = {"beyond the paper": added or "nothing", "λ1": f"{row['recipe']['pull_weight']:g}"}
            (measured,) = tables.as_lines([row], tables.EQUAL_TERMS)
            lines.append((order, head | measured))
        return markdown_table([line for _, line in sorted(lines, key=lambda pair: pair[0])])

    @property
    def fragments(self) -> dict[str, dict]:
        """The table and the verdict of the experiment on grids, and how long its trainings were, by data set."""
        found: dict[str, list[dict]] = {}
        for row in tables.recorded_rows(self.folder / fragments.FILE):
            found.setdefault(row["case"]["dataset"], []).append(row)
        found = {name: _as_long_as_the_last(rows) for name, rows in found.items()}
        return {
            name: {"table": markdown_table(fragments.table(rows)), **fragments.verdict(rows), **rows[0]["length"]}
            for name, rows in found.items()
        }

    @property
    def comparison(self) -> dict[str, dict]:
        """Other libraries' models beside ours: tables, the length of the trainings and the picture, by data set."""
        found = {}
        for name in DATASETS:
            if rows := compare.rows_of(self.folder / compare.FILE, name):
                rows = _as_long_as_the_last(rows)
                lines = compare.table(rows, grids=False), compare.table(rows, grids=True), own_samplers.table(rows)
                vectors, grids, samplers = (markdown_table(table) if table else "" for table in lines)
                seeds = 1 + max(row.get("seed", 0) for row in rows)
                found[name] = {
                    "vectors": vectors, "grids": grids, "samplers": samplers,
                    "picture": compare.PICTURE.format(name), "seeds": seeds, **rows[0]["length"],
                }  # fmt: skip
        return found

    def tried(self, model: str, key: str, **conditions) -> str:
        """A measurement of the rows of a model's search that meet all conditions, or its range over these rows.

        Raises:
            ValueError: no row with this measurement meets the conditions.
        """
        rows = [flat(row) for row in tables.searched(self.folder, [model], **conditions)]
        found = [row[key] for row in rows if key in row]
        if not found:
            raise ValueError(f"the search of {model} has no {key} with {conditions}")
        form = MEASURES[key].form.format
        return form(found[0]) if min(found) == max(found) else f"{form(min(found))} to {form(max(found))}"


def _as_long_as_the_last(rows: list[dict]) -> list[dict]:
    return [row for row in rows if row["length"] == rows[-1]["length"]]


def report(folder: Path) -> str:
    """The report on a folder of models in Markdown.

    Raises:
        ValueError: the folder contains no models, or the template asks for a number that is not recorded.
    """
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    template, records = environment.from_string(TEMPLATE.read_text(encoding="utf-8")), Records(folder)
    try:
        return template.render(
            {name: getattr(records, name) for name in USED},
            has_findings=folder.resolve() == TEMPLATE.parent.resolve(),  # the findings are about the shipped models
            hours=tables.hours(list(records.histories.values())),
            table=lambda group: markdown_table(tables.models(group)),
            timings=lambda part: markdown_table(tables.timings(records.bench[part])),
            meanings=meanings(tables.MODELS),
            measured=fragments.MEASURED,
            components=recipe_for("center", "mnist").components,  # of the mixtures of the comparison
            codes=fragments.NUM_CODES,
            titles={name: d.title for name, d in DATASETS.items()},
        )
    except (KeyError, UndefinedError) as error:
        raise ValueError(f"the report needs a record that is missing: {error}") from error


def write_report(folder: Path) -> Path:
    """Write the report on a folder of models into it, and return its path."""
    text, path = report(folder), folder / CARD_FILE
    with written_beside(path) as beside:
        beside.write_text(text, encoding="utf-8")
    return path
