"""The models that the demo shows: opened when first chosen, described without being opened."""

import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property, lru_cache
from threading import Lock

import torch
from PIL import Image

from ... import claims, folder, pictures
from ...config import AEVQConfig, LoadError
from ...folder import CONFIG_FILE, DEMO_FILES, HISTORY_FILE, available_models, find_files
from ...model import AEVQ
from ...registry import DATASETS, VARIANTS
from ...tensor_files import weights_hash

THUMBNAIL = 84
MOST_OPEN = 16  # models held in memory: a ladder opens one after another of those of a data set


@dataclass(frozen=True)
class Exhibit:
    """A model, latents to start from, and what was measured of it."""

    name: str
    model: AEVQ
    z: torch.Tensor  # (B, D) or (B, D, h, w), latents of the samples
    history: dict

    @cached_property
    def thumbnails(self) -> list[Image.Image]:
        """The samples as the model draws them, enlarged."""
        return [pictures.enlarge(image, THUMBNAIL) for image in self.model.to_pil(self.model.render(self.z))]


class _Shelf:
    """The last ``most`` models that were opened. If several threads ask for one, the first opens it for all."""

    def __init__(self, open_: Callable[[str], Exhibit], most: int):
        self._open, self._most, self._lock = open_, most, Lock()
        self._opened: OrderedDict[str, Future] = OrderedDict()

    def __call__(self, name: str) -> Exhibit:
        with self._lock:
            future, is_first = self._opened.get(name), name not in self._opened
            if future is None:
                future = self._opened[name] = Future()
            self._opened.move_to_end(name)
            while len(self._opened) > self._most:
                self._opened.popitem(last=False)
        if is_first:
            try:
                future.set_result(self._open(name))
            except BaseException as error:
                with self._lock:  # the next call tries again
                    if self._opened.get(name) is future:
                        del self._opened[name]
                future.set_exception(error)
        return future.result()


def _load(name: str) -> Exhibit:
    model = AEVQ.from_pretrained(name)
    return Exhibit(name, model, folder.samples(name, model), history(name))


_shelf = _Shelf(_load, MOST_OPEN)


def exhibit(name: str) -> Exhibit:
    """Open a model with its samples and history: a shipped name, a folder or a Hub id. The last ones stay open.

    Raises:
        LoadError: no such model, or a file is missing.
    """
    return _shelf(name)


def in_short(text: str) -> str:
    """A text in which variants in backticks have the names of the buttons."""
    names = {offer.config.variant: offer.short for offer in reversed(offers().values())}
    return re.sub("`([^`]+)`", lambda found: names.get(found[1], found[0]), text)


@dataclass(frozen=True)
class Offer:
    """A shipped model as the page offers it, known without its weights."""

    name: str
    config: AEVQConfig

    @property
    def short(self) -> str:
        """The variant in a word or two."""
        return VARIANTS[self.config.variant].short.format(self.config.num_codes)

    @property
    def variant(self) -> str:
        """The variant for people, with the paper's section."""
        variant = VARIANTS[self.config.variant]
        return f"{variant.title} ({variant.place})"


def _offer(name: str) -> Offer | None:
    """A model for a picker; None, with a warning, if its folder is broken: the others can still be shown."""
    try:
        config_file, weights, *_ = find_files(name, DEMO_FILES)
        config, sha256 = AEVQConfig.read(config_file)
        if weights_hash(weights) != sha256:
            raise LoadError(f"{weights} is not the file that its {CONFIG_FILE} was written with")
        _description(config, history(name))
    except (LoadError, ValueError, KeyError, TypeError) as error:
        why = error if isinstance(error, LoadError) else f"its {HISTORY_FILE} is damaged ({error!r})"
        logging.getLogger(__name__).warning("%s is not shown: %s", name, why)
        return None
    return Offer(name, config)


@lru_cache(maxsize=1)
def _all_offers() -> dict[str, Offer]:
    found = [offer for name in available_models() if (offer := _offer(name))]
    data, variants = list(DATASETS), list(VARIANTS)
    data += sorted({offer.config.dataset for offer in found} - DATASETS.keys())  # users' own data
    found.sort(key=lambda offer: (data.index(offer.config.dataset), variants.index(offer.config.variant)))
    return {offer.name: offer for offer in found}


def offers(can: Callable[[AEVQConfig], bool] = lambda config: True) -> dict[str, Offer]:
    """The shipped models that can do a job, by name, in the order of the tables of data sets and variants.

    Args:
        can: whether a model of such a configuration can do it.
    """
    return {name: offer for name, offer in _all_offers().items() if can(offer.config)}


def ladder(dataset: str) -> dict[str, Offer]:
    """The shipped models of a data set from continuous to discrete: by the number of vectors, grids last."""
    found = of_data_set(dataset).items()
    return dict(sorted(found, key=lambda item: (item[1].config.grid_size, item[1].config.num_codes)))


def of_data_set(name: str) -> dict[str, Offer]:
    """The shipped models of a data set, in the order of the table of variants."""
    return offers(lambda config: config.dataset == name)


def preferring(variant: str, names: Iterable[str]) -> list[str]:
    """Shipped models, those of a variant before the others, and otherwise in the order given."""
    return sorted(names, key=lambda name: offers()[name].config.variant != variant)


@lru_cache(maxsize=16)
def best(dataset: str) -> str:
    """The shipped model of a data set with the smallest error, whose pictures of the samples are shown."""
    return min(of_data_set(dataset), key=lambda name: history(name)["results"]["mse"])


@lru_cache(maxsize=64)
def with_vectors(model: str) -> str:
    """The model itself if it has learnable vectors, else the one of its data set with the fewest.

    Raises:
        ValueError: the data set has no model with vectors.
    """
    config = _config(model)
    if config.num_codes:
        return model
    found = {name: offer.config.num_codes for name, offer in ladder(config.dataset).items() if offer.config.num_codes}
    if not found:
        raise ValueError(f"No model of {config.dataset} has learnable vectors; choose another picture.")
    return min(found, key=found.__getitem__)


@lru_cache(maxsize=64)
def most_used(model: str) -> int:
    """The index of the vector of a model that is nearest to the most test latents."""
    share = history(model)["results"]["codebook"]["share"]
    return share.index(max(share))


@lru_cache(maxsize=64)
def describe(name: str) -> str:
    """Describe a model and its results in Markdown, for someone who meets it for the first time.

    Raises:
        LoadError: no such model, or a file is missing.
    """
    return _description(_config(name), history(name))


history = lru_cache(maxsize=64)(folder.history)


def data_sets(can: Callable[[AEVQConfig], bool] = lambda config: True) -> dict[str, str]:
    """The data sets of the models that can do a job: names and titles. A user's own data set has its name as title."""
    names = dict.fromkeys(offer.config.dataset for offer in offers(can).values())
    return {name: DATASETS[name].title if name in DATASETS else name for name in names}


@lru_cache(maxsize=64)
def class_names(name: str) -> tuple[str, ...]:
    """The names of the classes of a model's data set."""
    return folder.class_names(name, _config(name).dataset)


def _config(name: str) -> AEVQConfig:
    return AEVQConfig.from_file(find_files(name, (CONFIG_FILE,))[0])


def _description(c: AEVQConfig, history: dict) -> str:
    results, data, variant = history["results"], history["data"], VARIANTS[c.variant]
    numbers = f"{c.latent_dim} numbers, its *latent*"
    if c.grid_size:
        numbers = f"a grid of {c.grid_size} × {c.grid_size} vectors of {c.latent_dim} numbers each"
    return (
        f"**{variant.title}** ({variant.place}). {variant.summary} A picture of {c.image_size} × {c.image_size} pixels "
        f"becomes {numbers}. Trained on {data['train_images']:,} images; on "
        f"{data['test_images']:,} others the mean squared error is {results['mse']:.4f} "
        f"(PSNR {results['psnr']:.1f} dB). {claims.about(c.variant)}"
    ).rstrip()
