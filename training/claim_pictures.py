"""What pictures of the models say about the paper's claims (``claims.py``): measured from weights and test images."""

from functools import cached_property

import torch
from torch import Tensor, nn

from aevq_hub import latent, pictures

from . import metrics
from .claim_records import Evidence, Measurement, MissingError, Values

DIMENSIONS = 8  # figure 2.1 shows the first eight
BLACK = 0.25  # a picture is black if no pixel is brighter
FAR = 100.0  # σ: further than any image
STEPS = 11  # of an interpolation


def _parts(name: str) -> tuple[str, str]:
    variant, _, dataset = name.rpartition("-")
    return variant, dataset


def _change(a: Tensor, b: Tensor) -> Tensor:
    """The root mean squared difference of pictures (…, C, H, W)."""
    return (a - b).square().mean((-3, -2, -1)).sqrt()


def _shifted(evidence: Evidence, name: str, raw: float) -> dict[str, Tensor]:
    """Pictures (N, D, C, H, W) of test images' latents at the largest shifts of the first eight dimensions: ``raw``
    units, and 100 σ in both directions."""
    model, (x, _) = evidence.model(name), evidence.starts(_parts(name)[1])
    dims, z = list(range(DIMENSIONS)), model.encode(x)
    steps = {f"+{raw:g}": (model.axes(dims, "raw"), raw), "+100 σ": (model.axes(dims), FAR),
             "−100 σ": (model.axes(dims), -FAR)}  # fmt: skip
    return {
        case: model.decode(latent.perturb(z, step, far).flatten(0, 2)).unflatten(0, (len(z), -1))
        for case, (step, far) in steps.items()
    }


def smallest_shift(evidence: Evidence) -> Values:
    """The change of ``ae``'s pictures by +0.1 in raw units, and in σ."""
    model, (x, _) = evidence.model("ae-mnist"), evidence.starts("mnist")
    z, dims = model.encode(x), list(range(DIMENSIONS))
    steps = {"+0.1": model.axes(dims, "raw"), "+0.1 σ": model.axes(dims)}
    start = model.decode(z)[:, None]
    return {
        case: [_change(model.decode(latent.perturb(z, s, 0.1).flatten(0, 2)).unflatten(0, (len(z), -1)), start)
               .mean().item()]
        for case, s in steps.items()
    }  # fmt: skip


def black(name: str, raw: float) -> Measurement:
    """The share of pictures that the largest shift turns black, by shift."""

    def measured(evidence: Evidence) -> Values:
        shown = _shifted(evidence, name, raw)
        return {case: [(x.flatten(2).amax(2) < BLACK).float().mean().item()] for case, x in shown.items()}

    return measured


def other_class(name: str, raw: float) -> Measurement:
    """The share of pictures of which the reference classifier is sure, and which show another class, by shift."""

    def measured(evidence: Evidence) -> Values:
        dataset = _parts(name)[1]
        labels = evidence.starts(dataset)[1]
        return {
            case: [_surely_other(evidence, dataset, x, labels)] for case, x in _shifted(evidence, name, raw).items()
        }

    return measured


def _surely_other(evidence: Evidence, dataset: str, x: Tensor, labels: Tensor) -> float:
    """The share of pictures (N, P, C, H, W) that surely show another class than their label (N,)."""
    classifier = evidence.benchmark(dataset).classifier
    assert classifier is not None  # there are classes
    expected = labels[:, None].expand(x.shape[:2]).flatten()
    found = [
        (classifier.sure(part) > 0) & (classifier.answers(part)[:, 0] != y)
        for part, y in zip(x.flatten(0, 1).split(metrics.BATCH), expected.split(metrics.BATCH), strict=True)
    ]
    return torch.cat(found).float().mean().item()


def _pairs(evidence: Evidence, dataset: str) -> tuple[Tensor, Tensor]:
    """Images of random pairs of different classes."""
    x, labels = evidence.starts(dataset)
    other = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    apart = labels != labels[other]
    return x[apart], x[other][apart]


def interpolation_jump(name: str) -> Measurement:
    """The largest step of an interpolation over its mean step: a mean over pairs of images of different classes."""

    def measured(evidence: Evidence) -> Values:
        model, dataset = evidence.model(name), _parts(name)[1]
        a, b = (model.encode(x) for x in _pairs(evidence, dataset))
        path = latent.interpolate(a, b, STEPS, dim=-3 if model.config.grid_size else -1)
        shown = torch.stack([model.render(z) for z in path])  # (S, N, C, H, W)
        steps = _change(shown[1:], shown[:-1])  # (S − 1, N)
        return {dataset: [(steps.amax(0) / steps.mean(0).clamp_min(1e-12)).mean().item()]}

    return measured


def against_cross_fade(name: str) -> Measurement:
    """The Fréchet distance of pictures half-way between two latents, over that of the two images' averages."""

    def measured(evidence: Evidence) -> Values:
        model, dataset = evidence.model(name), _parts(name)[1]
        a, b = _pairs(evidence, dataset)
        distance = evidence.benchmark(dataset).frechet
        assert distance is not None  # there are classes
        half_way = model.render((model.encode(a) + model.encode(b)) / 2)
        return {dataset: [distance([half_way]) / distance([(a + b) / 2])]}

    return measured


def classes_reached(evidence: Evidence) -> Values:
    """To how many classes most of the ten test images nearest to a vector of ``codebook-mnist`` belong."""
    model, (x, labels) = evidence.model("codebook-mnist"), evidence.starts("mnist")
    nearest = torch.cdist(model.vectors, model.encode(x)).topk(10, largest=False).indices  # (K, 10)
    return {"mnist": [float(len(labels[nearest].mode(1).values.unique()))]}


def far_shift(evidence: Evidence) -> Values:
    """The change of ``ema``'s pictures by +100 in raw units along the ten strongest dimensions."""
    model, (x, _) = evidence.model("ema-fashionmnist"), evidence.starts("fashionmnist")
    z = model.encode(x)
    moved = model.decode(latent.perturb(z, model.axes(unit="raw"), 100).flatten(0, 2)).unflatten(0, (len(z), -1))
    return {"fashionmnist": [_change(moved, model.decode(z)[:, None]).mean().item()]}


def unused_meaningless(evidence: Evidence) -> Values:
    """How far pictures of the unused vectors of ``ema`` are from the nearest test image, over those of used ones.

    Not of ``residual``, whose unused vectors are moved onto latents in training.
    """
    name, x = "ema-fashionmnist", evidence.starts("fashionmnist")[0].flatten(1)
    model, share = evidence.model(name), torch.tensor(evidence.record(name)["results"]["codebook"]["share"])
    apart = torch.cdist(model.decode(model.vectors).flatten(1), x).amin(1)  # (K,)
    if not (share == 0).any():
        raise MissingError("no vector is unused")
    return {"fashionmnist": [(apart[share == 0].mean() / apart[share > 0].mean().clamp_min(1e-6)).item()]}


class Grid:
    """``vqae-fashionmnist`` on test images."""

    def __init__(self, evidence: Evidence):
        self.model = evidence.model("vqae-fashionmnist")
        self.x, self.labels = evidence.starts("fashionmnist")
        self.benchmark = evidence.benchmark("fashionmnist")

    @cached_property
    def fed(self) -> Tensor:
        """The grids that the decoder receives (N, D, h, w)."""
        return self.model.decoder_input(self.model.encode(self.x))


def random_grids(evidence: Evidence) -> Values:
    """The Fréchet distance of grids of random codes, over that of test images cut into their cells and shuffled."""
    grid, generator = Grid(evidence), torch.Generator().manual_seed(0)
    c, distance = grid.model.config, grid.benchmark.frechet
    assert distance is not None  # there are classes
    indices = latent.recombine.random_indices(len(grid.x), c.grid_size, c.num_codes, generator)
    drawn = distance(grid.model.decode_indices(part) for part in indices.split(metrics.BATCH))
    side = c.image_size // c.grid_size  # pixels
    cells = nn.functional.unfold(grid.x, side, stride=side)  # (N, C·side², h·w)
    order = torch.stack([torch.randperm(cells.shape[2], generator=generator) for _ in cells])[:, None]
    shuffled = nn.functional.fold(cells.gather(2, order.expand_as(cells)), c.image_size, side, stride=side)
    return {"fashionmnist": [drawn / distance(shuffled.split(metrics.BATCH))]}


def cell_shifts(evidence: Evidence) -> Values:
    """The share of pictures that a shift of the first vector's first dimension surely turns into another class."""
    grid = Grid(evidence)
    steps = {"+100": (grid.model.axes([0], "raw"), 100.0), "+100 σ": (grid.model.axes([0]), FAR)}
    shown = {
        case: grid.model.decode(latent.perturb_cell(grid.fed, (0, 0), step, far).flatten(0, 2))[:, None]
        for case, (step, far) in steps.items()
    }
    return {case: [_surely_other(evidence, "fashionmnist", x, grid.labels)] for case, x in shown.items()}


def codes_apart(evidence: Evidence) -> Values:
    """The change of the picture from a code in all cells to the most similar other code: a mean over the codes."""
    model = evidence.model("vqae-fashionmnist")
    x = model.decode(pictures.filled(model, model.vectors)).flatten(1)
    apart = torch.cdist(x, x).fill_diagonal_(float("inf")) / x.shape[1] ** 0.5
    return {"fashionmnist": [apart.amin(1).mean().item()]}


def survives_replacing(evidence: Evidence) -> Values:
    """The share of images whose class the reference classifier still finds after random codes in half of the cells."""
    grid, generator = Grid(evidence), torch.Generator().manual_seed(0)
    classifier = grid.benchmark.classifier
    assert classifier is not None  # there are classes
    grids = [latent.recombine.replace_share(z, 0.5, grid.model.vectors, generator) for z in grid.fed]
    before, after = (classifier.answers(grid.model.decode(z)) for z in (grid.fed, torch.stack(grids)))
    return {"fashionmnist": [(before == after).float().mean().item()]}
