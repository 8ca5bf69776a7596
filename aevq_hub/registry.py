"""Every variant and every data set, as data.

Adding a variant is a line of ``VARIANTS``; the trainer, the tests, the cards and the demo read this table. It imports
nothing of the package, so that anything may import it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

NEAREST_BY = ("squared", "dot", "cosine")
PRECISIONS = ("bf16", "fp32")


def _setting(default, help: str, **limits):
    """A field of :class:`Recipe` with its help text and either ``choices`` or the lowest value allowed, ``low``."""
    return field(default=default, metadata={"help": help, **limits})


@dataclass(frozen=True)
class Recipe:
    """The settings a model is trained with: those the paper names (section 3.1) and those it leaves open.

    Squared norms are sums over pixels and over latent dimensions, averaged over the images of the batch, so that the
    weights do not depend on the batch size.

    Raises:
        ValueError: a value is out of range; the message names it and what is allowed.
    """

    latent_dim: int = _setting(64, "D, length of a latent", low=1)
    pull_weight: float = _setting(1.0, "λ1, weight of the encoder pull ‖E(x_j*) − v‖²", low=0)
    center_reconstruction_weight: float = _setting(
        0.0, "λ2, weight of the optional term ‖x_j* − D(v)‖², which is measured even where it is 0", low=0
    )
    batch_size: int = _setting(128, "N, images drawn for the reconstruction", low=1)
    pull_batch_size: int = _setting(128, "M, other images drawn, of which the nearest is pulled", low=1)
    nearest_by: str = _setting("squared", "how the nearest of the M latents is chosen", choices=NEAREST_BY)
    learning_rate: float = _setting(1e-3, "of Adam, held constant", low=0)
    epochs: int = _setting(20, "times that every training image is seen", low=1)
    precision: str = _setting("bf16", "of matrix products in training; weights stay float32", choices=PRECISIONS)
    seed: int = _setting(0, "of the initial weights and of all draws", low=0)

    def __post_init__(self):
        for f in fields(self):
            value, choices, low = getattr(self, f.name), f.metadata.get("choices"), f.metadata.get("low")
            if choices and value not in choices:
                raise ValueError(f"unknown {f.name} {value!r}; choose from {', '.join(choices)}")
            if low is not None and not low <= value < float("inf"):  # NaN fails too
                raise ValueError(f"{f.name} is {value!r}; it must be a finite number of at least {low}")


@dataclass(frozen=True)
class Variant:
    """One system of the paper: its network, its vectors, its objective and the recipes found for it."""

    title: str
    section: str
    summary: str
    network: str  # a key of networks.NETWORKS
    objective: str  # a key of training.objectives.OBJECTIVES
    num_codes: int  # K, the number of learnable vectors
    recipe: Recipe = Recipe()  # for data sets not named in recipes
    recipes: Mapping[str, Recipe] = field(default_factory=dict)  # by data set, found by `python -m training search`

    def recipe_for(self, dataset: str) -> Recipe:
        """The recipe for a data set, the variant's general one where none was searched."""
        return self.recipes.get(dataset, self.recipe)


def without_pull(recipe: Recipe) -> Recipe:
    """The same recipe for the same network, trained the same way, with nothing pulled: what a pull is compared with."""
    return replace(recipe, pull_weight=0.0, pull_batch_size=1)


# chosen from what `python -m training search` tried; the tables are beside the models
_CENTER = {
    "mnist": Recipe(latent_dim=48, pull_weight=2.0, pull_batch_size=16),
    "fashionmnist": Recipe(latent_dim=64, pull_weight=3.0, pull_batch_size=64),
    "celeba": Recipe(latent_dim=128, pull_weight=10.0, pull_batch_size=64),
}

VARIANTS = {
    "ae-conv": Variant(
        title="Plain convolutional autoencoder",
        section="baseline",
        summary="The network of `center`, trained for reconstruction alone: what every pull is compared with.",
        network="conv",
        objective="reconstruction",
        num_codes=0,
        recipes={name: without_pull(recipe) for name, recipe in _CENTER.items()},
    ),
    "center": Variant(
        title="Autoencoder pulled to one learnable vector",
        section="3.1–3.2",
        summary="Of M images the one with the latent nearest to a learnable vector is drawn to it, and it to that one.",
        network="conv",
        objective="pull",
        num_codes=1,
        recipes=_CENTER,
    ),
}


@dataclass(frozen=True)
class Dataset:
    """An image data set of the Hub and how its images become (C, size, size)."""

    title: str
    hub_id: str
    hub_config: str | None
    size: int  # height and width in pixels after resizing
    channels: int  # 1 grey, 3 RGB
    crop: float = 1.0  # side of the centred square that is kept, as a share of the image's shorter side
    image_column: str = "image"
    label_columns: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    license: str = "mit"  # of models trained on it
    license_name: str | None = None
    license_link: str | None = None
    terms: str = ""  # one sentence for the card
    shareable: bool = True  # whether its images may be shown in a model's folder


DATASETS = {
    "mnist": Dataset(
        title="MNIST",
        hub_id="ylecun/mnist",
        hub_config="mnist",
        size=28,
        channels=1,
        label_columns=("label",),
        class_names=tuple("0123456789"),
    ),
    "fashionmnist": Dataset(
        title="FashionMNIST",
        hub_id="zalando-datasets/fashion_mnist",
        hub_config="fashion_mnist",
        size=28,
        channels=1,
        label_columns=("label",),
        class_names=(
            "T-shirt / top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
        ),
    ),
    "celeba": Dataset(
        title="CelebA",
        hub_id="flwrlabs/celeba",
        hub_config="img_align+identity+attr",
        size=64,
        channels=3,
        crop=148 / 178,  # 148 of the aligned image's 178 × 218 pixels
        license="other",
        license_name="celeba-dataset-release-agreement",
        license_link="https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
        terms=(
            "CelebA is released for non-commercial research only; so are these weights. "
            "No image of it is in this repository: the pictures are outputs of the decoder."
        ),
        shareable=False,
    ),
}  # fmt: skip


def lookup(table: Mapping[str, object], name: str, kind: str):
    """The entry ``name`` of a table.

    Raises:
        ValueError: there is none; the message offers the choices.
    """
    if name not in table:
        raise ValueError(f"unknown {kind} {name!r}; choose from {', '.join(table)}")
    return table[name]
