"""A finished training ─► the model's folder, which is published as it is."""

import platform
import tempfile
from itertools import islice, zip_longest
from pathlib import Path

import torch
from safetensors.torch import save_file

from aevq_hub import AEVQ, pictures
from aevq_hub import folder as folders
from aevq_hub.folder import HISTORY_FILE, PRIOR_CHECKPOINT_FILE, SAMPLES_FILE

from . import figures, fit_prior, fit_sampler, maps, metrics
from .card import write_card
from .data import Split, load, training_labels
from .direction_names import direction_names
from .evaluate import Benchmark, evaluate, measure
from .files import write_json, written_beside
from .recipes import recorded
from .rows import Source
from .trainer import Trainer

HALF_TOLERANCE = 1e-5  # weights are stored in half precision unless a test MSE changes by more
EFFECT_IMAGES = 50  # images for measuring the effect of each dimension
FEW = 40  # images of a rehearsal
SAMPLES = 20  # test images for the demo
LATENTS = 10  # test latents for the demo if images must not be shown: a grid is larger than its image


def release(trainer: Trainer, source: Source, folder: Path) -> dict:
    """Measure a trained model and write its folder: weights, configuration, history, samples, map, pictures, card.

    The trainer is one after its last epoch. The content of ``history.json`` is returned.
    """
    train, test = load(source, "train"), load(source, "test")
    model = _as_loaded(trainer)
    prepare(model, train.images)
    prior = None
    if epochs := trainer.recipe.prior_epochs:
        how = trainer.recipe.seed, trainer.recipe.precision, trainer.device
        model, prior = train_prior(model, train, folder, epochs, *how)
    dtype = _halve(model, test.images)
    history = {
        "model": model.config.name,
        "recipe": recorded(model.config.variant, trainer.recipe),
        "data": described_data(source),
        "environment": {"python": platform.python_version(), "torch": torch.__version__,
                        "device": trainer.device.type, "threads": torch.get_num_threads()},
        "weights": str(dtype).removeprefix("torch."),
        "epochs": trainer.epochs,
        **({"prior": prior} if prior else {}),
        "results": evaluate(model, source),
        "mean_image_mse": metrics.mean_image_error(test.images),
        **named(model, source, Split(train.images, training_labels(source)), test),
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    write_samples(model, source, test, folder)
    if model.codebook is not None:
        maps.write_map(model, test, folder)
    write_json(folder / HISTORY_FILE, history)
    describe(model, folder)
    model.save_pretrained(folder, dtype=dtype)  # last: a folder with weights is a complete model
    (folder / PRIOR_CHECKPOINT_FILE).unlink(missing_ok=True)
    return history


def rehearse(trainer: Trainer, source: Source, train: Split, test: Split) -> None:
    """Measure and write an untrained model with a few images, so that a release does not fail after the training."""
    model = _as_loaded(trainer)
    few, learnt = (Split(s.images[:FEW], None if s.labels is None else s.labels[:FEW]) for s in (test, train))
    fit_sampler.fit(model, learnt.images)
    measure(model, Benchmark(few.images))
    named(model, source, learnt, few)
    with tempfile.TemporaryDirectory() as folder:
        write_samples(model, source, few, Path(folder))
        if model.codebook is not None:
            maps.write_map(model, few, Path(folder))


def _as_loaded(trainer: Trainer) -> AEVQ:
    """The trainer's model as it would be loaded, to the last digit."""
    model = AEVQ(trainer.config).eval().requires_grad_(False)
    model.load_state_dict(trainer.model.state_dict())
    return model


def train_prior(
    model: AEVQ, train: Split, folder: Path, epochs: int, seed: int, precision: str, device: str | torch.device
) -> tuple[AEVQ, dict]:
    """The model with a prior that is trained on the codes of the training images, and its record for ``history.json``.

    An interrupted training continues from a checkpoint in the model's folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = model.to(device)
    indices = fit_prior.codes(model, train.images, progress=True)
    model, records = fit_prior.add_prior(
        model, indices, epochs, seed, precision=precision, resume=folder / PRIOR_CHECKPOINT_FILE
    )
    return model.cpu(), {"seed": seed, "precision": precision, "epochs": records}


def replace_prior(
    folder: Path, source: Source, epochs: int, seed: int, precision: str, device: str | torch.device
) -> dict:
    """Train the prior of a model in a folder anew, measure the model, and write its folder; return its history."""
    model, history = AEVQ.from_pretrained(folder), folders.history(folder)
    model, history["prior"] = train_prior(model, load(source, "train"), folder, epochs, seed, precision, device)
    dtype = getattr(torch, history["weights"])
    if dtype == torch.float16:
        model.load_state_dict({key: value.half().float() for key, value in model.state_dict().items()})
    history["recipe"]["prior_epochs"] = epochs
    history["results"] = evaluate(model, source)
    model.save_pretrained(folder, dtype=dtype)
    write_json(folder / HISTORY_FILE, history)  # only now: it says that the weights contain the prior
    describe(model, folder)
    (folder / PRIOR_CHECKPOINT_FILE).unlink(missing_ok=True)
    return history


def described_data(source: Source) -> dict:
    """The data a model was trained and measured on, for ``history.json``.

    If the test split has no labels, ``labels_kept_apart`` is the number of labelled training images that accuracies are
    measured on. ``class_names`` are recorded only for a data set that is not in ``DATASETS``.
    """
    train, test = load(source, "train"), load(source, "test")
    data = {"source": source.public_name, "train_images": len(train), "test_images": len(test),
            "digest": train.digest()}  # fmt: skip
    if source.dataset.class_names and not source.listed:
        data["class_names"] = list(source.dataset.class_names)
    if train.labels is not None:
        learnt = training_labels(source)
        if apart := len((learnt != train.labels).nonzero()[:, 0].unique()):
            data["labels_kept_apart"] = apart
    return data


def prepare(model: AEVQ, images: torch.Tensor) -> None:
    """Measure the effect of a model's dimensions and fit its sampler, in place, with uint8 images (N, C, H, W)."""
    count = EFFECT_IMAGES // (5 if model.config.grid_size else 1)  # grids take longer
    z = metrics.latents(model, images[:: max(1, len(images) // count)][:count])
    fit_sampler.fit(model, images)
    model.dimension_effect.copy_(metrics.dimension_effect(model, z, 3 * model.std()))


def _halve(model: AEVQ, images: torch.Tensor) -> torch.dtype:
    """Round the weights to half precision if that preserves reconstructions; return the type to store them in."""
    full = {key: value.clone() for key, value in model.state_dict().items()}
    before = metrics.errors(model, images)[0]
    halved = {key: value.half().float() for key, value in full.items()}
    if not all(value.isfinite().all() for value in halved.values()):
        return torch.float32
    model.load_state_dict(halved)
    if all(abs(error - before[name]) <= HALF_TOLERANCE for name, error in metrics.errors(model, images)[0].items()):
        return torch.float16
    model.load_state_dict(full)
    return torch.float32


def named(model: AEVQ, source: Source, train: Split, test: Split) -> dict[str, dict | list]:
    """What the demo calls directions and samples, for ``history.json``; the training labels are those to learn from.

    Returns:
        ``names`` (:func:`direction_names`), and ``sample_classes``, the class of each sample, None if it has no label;
        empty if no sample has one, or if an image has several.
    """
    classes = []
    if test.labels is not None and not source.dataset.multi_label:
        labels = test.labels[_samples(source, test)].tolist()
        classes = [source.dataset.class_names[label] if label >= 0 else None for label in labels]
    found = direction_names(model, source, train)
    return {"names": found, "sample_classes": classes if any(classes) else []}


def write_samples(model: AEVQ, source: Source, test: Split, folder: Path) -> None:
    """Write samples.safetensors: test images (uint8), or their latents if the images must not be shown."""
    images = test.images[_samples(source, test)]
    if source.dataset.shareable:
        samples = {"images": images}
    else:
        samples = {"latents": model.encode(metrics.to_float(images)).half()}
    with written_beside(folder / SAMPLES_FILE) as beside:
        save_file({key: value.contiguous() for key, value in samples.items()}, beside)


def _samples(source: Source, test: Split) -> list[int]:
    """The indices of the test images that are samples: of every class, or the first ones if only latents are shown."""
    if not source.dataset.shareable:
        return list(range(min(LATENTS, len(test))))
    classes = 0 if source.dataset.multi_label else len(source.dataset.class_names)
    return _of_every_class(test.labels, classes, len(test))


def _of_every_class(labels: torch.Tensor | None, classes: int, count: int) -> list[int]:
    """Up to 20 of ``count`` images: the first of each class, then the second of each, and so on.

    Without labels they are the first images.
    """
    known = [] if labels is None else [(labels == c).nonzero()[:SAMPLES, 0].tolist() for c in range(classes)]
    turns = (i for turn in zip_longest(*known) for i in turn if i is not None)
    return list(islice(turns, SAMPLES)) or list(range(min(SAMPLES, count)))


def describe(model: AEVQ, folder: Path) -> None:
    """Render a model's pictures and write its card, using only the files in its folder."""
    history, x, z = folders.history(folder), folders.sample_images(folder), folders.samples(folder, model)
    rendered = {
        "reconstructions.png": pictures.reconstruction(model, z[:10], None if x is None else x[:10]),
        "perturbation.png": pictures.perturbation(model, z[0]),
        "directions.png": pictures.perturbation(
            model, z[0], steps := model.directions(), labels=[f"e{i}" for i in range(1, len(steps) + 1)]
        ),
        "interpolation.png": pictures.interpolation(model, z[:-1][:6:2], z[1:][:6:2]) if len(z) > 1 else None,
        "samples.png": pictures.samples(model),
    }
    if model.codebook is not None:
        rendered["movement.png"] = figures.figure_3_3(history["epochs"])
        rendered["codebook.png"] = pictures.codebook(model)
        share = history["results"]["codebook"]["share"]
        rendered["shares.png"] = figures.shares(share) if len(share) > 1 else None
        if model.config.grid_size:
            rendered["recombination.png"] = pictures.recombination(model, z[0])
        if model.config.prior_blocks:
            rendered["completion.png"] = pictures.completion(model, z[:10])
    rendered = {name: picture for name, picture in rendered.items() if picture}
    for name, picture in rendered.items():
        with written_beside(folder / name) as beside:
            save = picture.savefig if hasattr(picture, "savefig") else picture.save
            save(beside, format="png")
    write_card(model, history, list(rendered), folder)
