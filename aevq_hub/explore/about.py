"""The about tab: what there is, how well it does, and under which terms, all read from the tables and the models."""

from dataclasses import dataclass

from PIL import Image

from .. import pictures
from ..registry import DATASETS, VARIANTS
from .exhibits import data_sets, exhibit, history, offers
from .settings import Settings, one_of

# what the results tables have: where a number is in history.json, its heading, how it is written, what it means
COLUMNS = (
    ("mse", "MSE", "{:.4f}", "mean squared error of the reconstructions, pixels in [0, 1]; lower is better"),
    ("psnr", "PSNR", "{:.1f} dB", "the same as peak signal-to-noise ratio; higher is better"),
    ("ssim", "SSIM", "{:.3f}", "how alike the structure is, 1 for equal pictures"),
    ("frechet.reconstructions", "Fréchet, drawn again", "{:.1f}",
     "how far the reconstructions, as a crowd, are from the test images, for a classifier's eye; lower is better"),
    ("frechet.samples", "Fréchet, new", "{:.1f}", "the same for random draws from the model"),
    ("quantized_mse", "MSE from codes", "{:.4f}", "of pictures drawn from the nearest vectors alone"),
    ("codebook.vectors", "vectors", "{}", "learnable vectors, the codebook"),
    ("codebook.in_use", "in use", "{}", "vectors that are the nearest of at least 5 of 10,000 latents"),
    ("codebook.perplexity", "perplexity", "{:.1f}",
     "how many vectors are used, counted by how evenly: at most their number"),
    ("probes.linear", "linear probe", "{:.1%}",
     "classes, or of CelebA attributes, that a linear classifier reads off the latents correctly"),
)  # fmt: skip


@dataclass(frozen=True)
class About(Settings):
    """What the tab is set to: the model that it shows how to load."""


Rows = list[list[str]]  # of a table, the headings first; `code` is in backticks


def variants() -> Rows:
    """The table of variants."""
    shipped = {name: [] for name in VARIANTS}
    for offer in offers().values():
        shipped[offer.config.variant].append(data_sets()[offer.config.dataset])
    rows = [
        [f"`{name}`", variant.section, variant.title, variant.summary, ", ".join(shipped[name]) or "not shipped"]
        for name, variant in VARIANTS.items()
    ]
    return [["variant", "section", "what it is", "how it works", "trained on"], *rows]


def results(dataset: str) -> Rows:
    """The table of what was measured of a data set's shipped models; numbers that none of them has are left out.

    Raises:
        ValueError: no such data set.
    """
    one_of("data set", dataset, data_sets())
    names = offers(lambda config: config.dataset == dataset)
    measured = {name: _flat(history(name)["results"]) for name in names}
    columns = [c for c in COLUMNS if any(c[0] in numbers for numbers in measured.values())]
    rows = [
        [f"`{names[name].config.variant}`"]
        + [form.format(numbers[key]) if key in numbers else "–" for key, _, form, _ in columns]
        for name, numbers in measured.items()
    ]
    return [["variant", *(heading for _, heading, _, _ in columns)], *rows]


def meanings() -> str:
    """What the numbers of the results tables mean, in Markdown."""
    return "\n".join(f"- **{heading}**: {meaning}" for _, heading, _, meaning in COLUMNS)


def counted(dataset: str) -> str:
    """On how many images a data set's shipped models were trained and measured, in one sentence."""
    data = [history(name)["data"] for name in offers(lambda config: config.dataset == dataset)]
    train, test = ({d[key] for d in data} for key in ("train_images", "test_images"))
    among = [" or ".join(f"{count:,}" for count in sorted(counts)) for counts in (train, test)]
    return f"Trained on {among[0]} images, measured on {among[1]} others."


def licences() -> str:
    """Code and weights, in Markdown."""
    lines = ["- The code: MIT."]
    for dataset in DATASETS.values():
        licence = dataset.license_name or dataset.license.upper()
        if dataset.license_link:
            licence = f"[{licence}]({dataset.license_link})"
        lines.append(f"- Weights trained on {dataset.title}: {licence}. {dataset.terms}".rstrip())
    return "\n".join(lines)


def samples(settings: About) -> Image.Image:
    """Ten new pictures from the model, always the same."""
    return pictures.samples(exhibit(settings.model).model, seed=0, rows=1)


def markdown(rows: Rows) -> str:
    """A table in Markdown."""
    headings, *others = rows
    return "\n".join(f"| {' | '.join(line)} |" for line in (headings, ["---"] * len(headings), *others))


def _flat(results: dict, prefix: str = "") -> dict:
    """Nested results with dotted keys."""
    found = {}
    for key, value in results.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return found
