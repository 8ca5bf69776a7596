"""What pictures of the models say about the paper's claims (``claims.py``): measured from weights and test images."""

from functools import cached_property

import torch
from torch import Tensor, nn

from aevq_hub import AEVQ, latent, pictures
from aevq_hub.registry import DATASETS

from . import metrics
from .claim_records import Evidence, Measurement, MissingError, Values

DIMENSIONS = 8  # figure 2.1 shows the first eight
BLACK = 0.25  # a picture is black if no pixel is brighter
FAR = 100.0  # σ: further than any image
STEPS = 11  # of an interpolation


def _of(name: str) -> str:
    """The data set of a model."""
    return name.rpartition("-")[2]


def _change(a: Tensor, b: Tensor) -> Tensor:
    """The root mean squared difference of pictures (…, C, H, W)."""
    return (a - b).square().mean((-3, -2, -1)).sqrt()


def _moved(model: AEVQ, z: Tensor, steps: Tensor, shift: float) -> Tensor:
    """Pictures (N, P, C, H, W) of latents (N, D) that are shifted along each of the steps (P, D) in turn."""
    return model.decode(latent.perturb(z, steps, shift).flatten(0, 2)).unflatten(0, (len(z), -1))


def _shifted(evidence: Evidence, name: str, raw: float) -> dict[str, Tensor]:
    """Pictures (N, 8, C, H, W) of test images' latents at the largest shifts of the first eight dimensions: ``raw``
    units, as in the paper, and 100 σ, which does not depend on the scale of the latents."""
    model, (x, _) = evidence.model(name), evidence.starts(_of(name))
    dims, z = list(range(DIMENSIONS)), model.encode(x)
    return {f"+{raw:g}": _moved(model, z, model.axes(dims, "raw"), raw),
            "+100 σ": _moved(model, z, model.axes(dims), FAR)}  # fmt: skip


def smallest_shift(evidence: Evidence) -> Values:
    """The change of ``ae``'s pictures by +0.1 in raw units, and in σ."""
    model, (x, _) = evidence.model("ae-mnist"), evidence.starts("mnist")
    z, dims = model.encode(x), list(range(DIMENSIONS))
    steps, start = {"+0.1": model.axes(dims, "raw"), "+0.1 σ": model.axes(dims)}, model.decode(z)[:, None]
    return {case: [_change(_moved(model, z, s, 0.1), start).mean().item()] for case, s in steps.items()}


def black(name: str, raw: float) -> Measurement:
    """The share of pictures that the largest shift turns black, by shift."""

    def measured(evidence: Evidence) -> Values:
        shown = _shifted(evidence, name, raw)
        return {case: [(x.flatten(2).amax(2) < BLACK).float().mean().item()] for case, x in shown.items()}

    return measured


def class_lost(name: str, raw: float) -> Measurement:
    """The share of pictures in which the reference classifier finds another class after the largest shift."""

    def measured(evidence: Evidence) -> Values:
        dataset, model = _of(name), evidence.model(name)
        classifier = evidence.benchmark(dataset).classifier
        assert classifier is not None  # there are classes
        before = classifier.answers(model.render(model.encode(evidence.starts(dataset)[0])))[:, 0]
        return {
            case: [(classifier.answers(x.flatten(0, 1)).view(len(x), -1) != before[:, None]).float().mean().item()]
            for case, x in _shifted(evidence, name, raw).items()
        }

    return measured


def other_class(name: str, raw: float) -> Measurement:
    """The share of pictures of which the reference classifier is sure, and which show another class, by shift."""

    def measured(evidence: Evidence) -> Values:
        dataset = _of(name)
        labels = evidence.starts(dataset)[1]
        return {
            case: [_surely_other(evidence, dataset, x, labels)] for case, x in _shifted(evidence, name, raw).items()
        }

    return measured


def far_from_images(name: str, raw: float) -> Measurement:
    """The distance of shifted pictures to the nearest test image, over that of reconstructions of the other half."""

    def measured(evidence: Evidence) -> Values:
        model, (x, _) = evidence.model(name), evidence.starts(_of(name))
        half = len(x) // 2  # an image's own reconstruction would be too near
        known, others = x[:half].flatten(1), x[half:]
        near = torch.cdist(model.render(model.encode(others)).flatten(1), known).amin(1).mean()
        return {
            case: [(torch.cdist(moved[half:].flatten(0, 1).flatten(1), known).amin(1).mean() / near).item()]
            for case, moved in _shifted(evidence, name, raw).items()
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
        model, dataset = evidence.model(name), _of(name)
        a, b = (model.encode(x) for x in _pairs(evidence, dataset))
        path = latent.interpolate(a, b, STEPS)
        shown = torch.stack([model.render(z) for z in path])  # (S, N, C, H, W)
        steps = _change(shown[1:], shown[:-1])  # (S − 1, N)
        return {dataset: [(steps.amax(0) / steps.mean(0).clamp_min(1e-12)).mean().item()]}

    return measured


def against_cross_fade(name: str) -> Measurement:
    """The Fréchet distance of pictures half-way between two latents, over that of the two images' averages."""

    def measured(evidence: Evidence) -> Values:
        model, dataset = evidence.model(name), _of(name)
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


def vector_as_mean(evidence: Evidence) -> Values:
    """The error of showing the picture of ``center``'s vector for every test image, over that of the mean image."""
    values = {}
    for dataset in DATASETS:
        model, images = evidence.model(f"center-{dataset}"), evidence.test(dataset).images
        shown = model.decode(model.vectors)
        error = sum((x - shown).square().sum().item() for x in metrics.batches(images)) / images.numel()
        values[dataset] = [error / evidence.mean_image_error(dataset)]
    return values


def far_shift(evidence: Evidence) -> Values:
    """The change of ``ema``'s pictures by +100 in raw units along the ten strongest dimensions."""
    model, (x, _) = evidence.model("ema-fashionmnist"), evidence.starts("fashionmnist")
    z = model.encode(x)
    moved = _moved(model, z, model.axes(unit="raw"), 100)
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


def _cell_shifted(grid: Grid) -> dict[str, Tensor]:
    """Pictures whose first vector is shifted along its first dimension (figure 4.6)."""
    steps = {"+100": (grid.model.axes([0], "raw"), 100.0), "+100 σ": (grid.model.axes([0]), FAR)}
    return {
        case: grid.model.decode(latent.perturb_cell(grid.fed, (0, 0), step, far).flatten(0, 2))
        for case, (step, far) in steps.items()
    }


def cell_shift_change(evidence: Evidence) -> Values:
    """The change of the picture by the paper's largest shift of the first vector's first dimension."""
    grid = Grid(evidence)
    return {"+100": [_change(_cell_shifted(grid)["+100"], grid.model.decode(grid.fed)).mean().item()]}


def cell_shifts(evidence: Evidence) -> Values:
    """The share of pictures in which a shift of the first vector's first dimension changes the class found."""
    grid = Grid(evidence)
    classifier = grid.benchmark.classifier
    assert classifier is not None  # there are classes
    before = classifier.answers(grid.model.decode(grid.fed))
    return {case: [(classifier.answers(x) != before).float().mean().item()] for case, x in _cell_shifted(grid).items()}


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
