"""What the tab About shows: variants, results and licences, read from the registry and the models."""

from PIL import Image

from ... import claims, pictures
from ...measures import Lines, as_lines, flat
from ...registry import DATASETS, VARIANTS
from ..shared.exhibits import data_sets, exhibit, history, in_short, of_data_set, offers
from ..shared.settings import one_of
from .settings import About

# the columns of the results tables
COLUMNS = ("mse", "psnr", "ssim", "frechet.reconstructions", "frechet.samples", "quantized_mse", "codebook.vectors",
           "codebook.in_use", "codebook.perplexity", "probes.linear")  # fmt: skip


def variants() -> Lines:
    """The table of variants; `code` is in backticks."""
    shipped = {name: [] for name in VARIANTS}
    for offer in offers().values():
        shipped[offer.config.variant].append(offer)
    return [
        {
            "variant": f"`{name}`",
            "in short": " / ".join(dict.fromkeys(offer.short for offer in shipped[name]))
            or variant.short.format("many"),
            "section": variant.section,
            "what it is": variant.title,
            "how it works": in_short(variant.summary),
            "trained on": ", ".join(data_sets()[offer.config.dataset] for offer in shipped[name]) or "not shipped",
        }
        for name, variant in VARIANTS.items()
    ]


def verdicts() -> Lines:
    """The paper's claims with what was measured for them, as a table; without them, no line."""
    lines = claims.lines(claims.shipped(), separator="\n")
    return [{key: in_short(value) for key, value in line.items()} for line in lines]


def results(dataset: str) -> Lines:
    """The results of a data set's shipped models as a table; measures that none of them has are left out.

    Raises:
        ValueError: no such data set.
    """
    one_of("data set", dataset, data_sets())
    names = of_data_set(dataset)
    measured = as_lines([history(name)["results"] for name in names], COLUMNS)
    variants = [{"model": offer.short, "variant": f"`{offer.config.variant}`"} for offer in names.values()]
    return [variant | line for variant, line in zip(variants, measured, strict=True)]


def measured(dataset: str) -> list[dict[str, str | float]]:
    """The numbers of :func:`results` for programs: each model's name, variant and measurements by their keys."""
    found = []
    for name, offer in of_data_set(dataset).items():
        values = flat(history(name)["results"])
        found.append({"model": name, "variant": offer.config.variant} | {k: values[k] for k in COLUMNS if k in values})
    return found


def counted(dataset: str) -> str:
    """The numbers of images that a data set's shipped models were trained and measured on, in one sentence."""
    data = [history(name)["data"] for name in of_data_set(dataset)]
    train, test = ({d[key] for d in data} for key in ("train_images", "test_images"))
    among = [" or ".join(f"{count:,}" for count in sorted(counts)) for counts in (train, test)]
    return f"Trained on {among[0]} images, measured on {among[1]} others."


def licences() -> str:
    """The licences of code and weights, in Markdown."""
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
