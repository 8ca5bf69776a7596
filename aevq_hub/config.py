"""The configuration of a model: ``config.json`` of its folder, checked before anything is allocated."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from .checks import number, one_of, short, whole
from .networks import NETWORKS, sides
from .registry import VARIANTS

CONFIG_FILE = "config.json"
FORMAT_VERSION = 4
WEIGHTS_HASH = "weights_sha256"  # a key of config.json: the SHA-256 of model.safetensors
CONFIG_HASH = "config_sha256"  # a key of config.json: the SHA-256 of its other values (:func:`values_hash`)
# keys by the version that added them; files of older versions lack them
ADDED = {2: ("components", "prior_width", "prior_blocks"), 3: (CONFIG_HASH,), 4: ("prior_dilation",)}
FEEDS = ("encoder", "codebook")
LARGEST = 64 * 1024  # bytes of a config.json


class LoadError(ValueError):
    """A model cannot be loaded. The message names the file and says what to do."""


@dataclass(frozen=True)
class AEVQConfig:
    """Everything needed to build a model and to prepare its images. Every field is checked on creation.

    Raises:
        ValueError: a value has the wrong type or is out of range; the message names it and what is allowed.
    """

    variant: str  # a key of registry.VARIANTS
    dataset: str  # the data set it was trained on: a key of registry.DATASETS or any other name
    network: str  # a key of networks.NETWORKS
    image_size: int  # height and width of x in pixels, 8 … 512
    channels: int  # 1 (grey) or 3 (RGB)
    crop: float  # side of the central square that preprocess() keeps, as a fraction of the shorter side, in (0, 1]
    widths: tuple[int, ...]  # channels after each halving of a convolutional network, or units of an MLP's layers
    latent_dim: int  # D, 1 … 4096
    num_codes: int  # K, 0 … 65536
    grid_size: int  # height and width of the grid of vectors that an image is encoded to; 0 for a single vector
    feed: str  # what the decoder receives in forward(): the latents ("encoder") or their nearest vectors ("codebook")
    variational: bool  # whether the encoder outputs a mean and a variance
    num_classes: int  # the number of classes of classify(); 0 without a classifier
    multi_label: bool  # whether an image may belong to several classes
    format_version: int = FORMAT_VERSION
    components: int = 10  # of the Gaussian mixture that single vectors are sampled from
    prior_width: int = 0  # channels of the prior over a grid's codes (prior.Prior); 0 without one
    prior_blocks: int = 0  # its blocks; 0 without one: cells are sampled independently
    prior_dilation: int = 1  # how many cells apart the inputs of every other block's convolutions are

    def __post_init__(self):
        whole("format_version", self.format_version, 1, FORMAT_VERSION)
        one_of("variant", self.variant, VARIANTS)
        one_of("network", self.network, NETWORKS)
        one_of("feed", self.feed, FEEDS)
        if not isinstance(self.dataset, str) or not self.dataset:
            raise ValueError(f"dataset is {self.dataset!r}; it must be a non-empty string")
        whole("image_size", self.image_size, 8, 512)
        if type(self.channels) is not int or self.channels not in (1, 3):
            raise ValueError(f"channels is {self.channels!r}; choose from 1, 3")
        if not number("crop", self.crop, 0, 1):
            raise ValueError("crop is 0; it must be above 0")
        if not isinstance(self.widths, list | tuple) or not 1 <= len(self.widths) <= 8:
            raise ValueError(f"widths is {self.widths!r}; it must be a list of 1 to 8 widths")
        for width in self.widths:
            whole("widths", width, 1, 1024)
        network = NETWORKS[self.network]
        if network.halves and 2 ** (len(self.widths) - 1) >= self.image_size:
            halvings = f"once for each of {len(self.widths)} widths"
            raise ValueError(f"image_size {self.image_size} cannot be halved {halvings}")
        whole("latent_dim", self.latent_dim, 1, 4096)
        whole("num_codes", self.num_codes, 0, 65536)
        side = sides(self.image_size, len(self.widths))[-1] if network.grid else 0
        if type(self.grid_size) is not int or self.grid_size != side:
            raise ValueError(f"grid_size is {self.grid_size!r}; with this network and these widths it must be {side}")
        if self.feed == "codebook" and not self.num_codes:
            raise ValueError("feed is 'codebook', but num_codes is 0: there is no vector to feed")
        for name in ("variational", "multi_label"):
            if type(getattr(self, name)) is not bool:
                raise ValueError(f"{name} is {getattr(self, name)!r}; it must be true or false")
        for name in ("feed", "variational"):
            if (found := getattr(self, name)) != (own := getattr(VARIANTS[self.variant], name)):
                raise ValueError(f"{name} is {found!r}; with the variant {self.variant} it must be {own!r}")
        whole("num_classes", self.num_classes, 0, 65536)
        if self.multi_label and not self.num_classes:
            raise ValueError("multi_label is true, but num_classes is 0: there is no label")
        whole("components", self.components, 1, 1000)
        whole("prior_width", self.prior_width, 0, 1024)
        whole("prior_blocks", self.prior_blocks, 0, 64)
        whole("prior_dilation", self.prior_dilation, 1, 64)
        if bool(self.prior_width) != bool(self.prior_blocks):
            raise ValueError(
                f"prior_width is {self.prior_width} and prior_blocks {self.prior_blocks}; both or none is 0"
            )
        if self.prior_blocks and not (self.grid_size and self.num_codes):
            raise ValueError(f"prior_blocks is {self.prior_blocks}, but the model has no grid of codes")
        if self.prior_dilation > 1 and not self.prior_blocks:
            raise ValueError(f"prior_dilation is {self.prior_dilation}, but there is no prior")
        object.__setattr__(self, "widths", tuple(self.widths))

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """The shape of an image's latent: (D,), or (D, h, w) for a grid of vectors."""
        return (self.latent_dim, self.grid_size, self.grid_size) if self.grid_size else (self.latent_dim,)

    @property
    def name(self) -> str:
        """The short name, ``<variant>-<dataset>``."""
        return f"{self.variant}-{self.dataset}"

    @classmethod
    def from_file(cls, path: str | Path) -> "AEVQConfig":
        """Read and check a ``config.json``; raises as :func:`read`."""
        return cls.read(path)[0]

    @classmethod
    def read(cls, path: str | Path) -> tuple["AEVQConfig", str]:
        """Read and check a ``config.json``.

        Returns:
            The configuration and the SHA-256 of its weights.

        Raises:
            LoadError: it cannot be read, is too large, not JSON or no object, has a key twice, an unknown or a missing
                key, or a value out of range, or was edited.
        """
        values = _read_object(Path(path))
        known = [*(f.name for f in fields(cls)), WEIGHTS_HASH, CONFIG_HASH]
        version = values.get("format_version")
        if type(version) is int and version > FORMAT_VERSION:  # checked first: this version may not know its keys
            raise LoadError(
                f"{path} has format_version {short(version)}; this aevq-hub reads up to {FORMAT_VERSION}: update it"
            )
        own_hash = values_hash(values)
        if type(version) is int and version >= 1:
            defaults = {CONFIG_HASH: own_hash, **{f.name: f.default for f in fields(cls)}}
            later = [name for added, names in ADDED.items() if added > version for name in names]
            values = {**{name: defaults[name] for name in later}, **values, "format_version": FORMAT_VERSION}
        if unknown := sorted(set(values) - set(known)):
            raise LoadError(f"{path} has the unknown key {short(unknown[0])}; the keys are {', '.join(known)}")
        if missing := [name for name in known if name not in values]:
            raise LoadError(f"{path} lacks the key {missing[0]!r}; the keys are {', '.join(known)}")
        weights_hash, config_hash = values.pop(WEIGHTS_HASH), values.pop(CONFIG_HASH)
        if not (isinstance(weights_hash, str) and re.fullmatch("[0-9a-f]{64}", weights_hash)):
            raise LoadError(f"{path}: {WEIGHTS_HASH} is {short(weights_hash)}; it must be 64 hexadecimal digits")
        try:
            config = cls(**values)
        except ValueError as error:
            raise LoadError(f"{path}: {error}") from error
        if config_hash != own_hash:
            raise LoadError(f"{path} has been edited: its {CONFIG_HASH} differs; download the model again")
        return config, weights_hash

    def to_dict(self) -> dict:
        """The values of ``config.json``, except the SHA-256 of the weights."""
        return {**asdict(self), "widths": list(self.widths)}


def values_hash(values: dict) -> str:
    """The SHA-256 of the values of a ``config.json``, without the hash itself."""
    others = {key: value for key, value in values.items() if key != CONFIG_HASH}
    return hashlib.sha256(json.dumps(others, sort_keys=True).encode()).hexdigest()


def _read_object(path: Path) -> dict:
    """The object in a JSON file of at most 64 kB.

    Raises:
        LoadError: it cannot be read, is larger, is not JSON, or has a key twice.
    """

    def once(pairs: list[tuple[str, object]]) -> dict:
        if len(values := dict(pairs)) < len(pairs):
            keys = [key for key, _ in pairs]
            raise ValueError(f"the key {short(next(key for key in keys if keys.count(key) > 1))} occurs twice")
        return values

    try:
        with open(path, "rb") as file:
            text = file.read(LARGEST + 1)
    except OSError as error:
        raise LoadError(f"{path} cannot be read ({error.strerror})") from error
    if len(text) > LARGEST:
        raise LoadError(f"{path} has more than {LARGEST:,} bytes, and a model's has fewer; download the model again")
    try:
        values = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise LoadError(f"{path} is not valid JSON ({error}); download the model again") from error
    if not isinstance(values, dict):
        raise LoadError(f"{path} must contain a JSON object, not {type(values).__name__}")
    return values
