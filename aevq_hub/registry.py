"""Every variant and every data set, as data.

Adding a variant is a line of ``VARIANTS``; the trainer, the tests, the cards and the demo read this table. It imports
nothing of the package but recipes, so that anything may import it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .recipe import Recipe, without_pull


@dataclass(frozen=True)
class Variant:
    """One system of the paper: its network, its objective and the recipes found for it."""

    title: str
    section: str
    summary: str
    network: str  # a key of networks.NETWORKS
    objective: str  # a key of training.objectives.OBJECTIVES
    recipes: Mapping[str, Recipe]  # by data set, found by `python -m training search`; "" for any other
    feed: str = "encoder"  # what the decoder receives: "encoder", the latents, or "codebook", their nearest vectors
    shifts: tuple[float, ...] = (3, 2, 1, 0, -1, -2, -3)  # of the variant's perturbation figure; these are figure 3.2's
    classifies: bool = False  # whether it has a classifier of its own
    variational: bool = False  # whether the encoder gives a mean and a variance
    turns: bool = False  # whether it is counted how many images such shifts turn into another class

    def recipe_for(self, dataset: str) -> Recipe:
        """The recipe for a data set, the variant's general one where none was searched."""
        return self.recipes.get(dataset, self.recipes[""])


def _recipes(base: Recipe, **by_dataset: dict) -> dict[str, Recipe]:
    """A recipe for any data set and, beside it, what the search changed for some."""
    return {"": base, **{name: replace(base, **changes) for name, changes in by_dataset.items()}}


# chosen from what `python -m training search` tried (the tables are beside the models) or by hand, as the README says
_PLAIN = Recipe(pull_weight=0.0, pull_batch_size=1)
_CENTER = _recipes(
    Recipe(num_codes=1, precision="bf16"),
    mnist={"latent_dim": 48, "pull_weight": 2.0, "pull_batch_size": 16},
    fashionmnist={"latent_dim": 64, "pull_weight": 0.3, "pull_batch_size": 16, "precision": "fp32"},
    celeba={"latent_dim": 128, "pull_weight": 0.3, "pull_batch_size": 16, "precision": "fp32"},
)
_SIZES = {name: {"latent_dim": recipe.latent_dim} for name, recipe in _CENTER.items() if name}
# smaller, so that all shipped models together stay small
_SMALL = {**_SIZES, "celeba": {"latent_dim": 64, "widths": "32x64x96x96"}}
_FROM_GREY = {"output_start": "grey"}  # as these were trained, before MNIST needed the other
_PULLS = {
    name: {**_SIZES[name], "pull_weight": weight}
    for name, weight in (("mnist", 2.0), ("fashionmnist", 3.0), ("celeba", 10.0))
}
_CODEBOOK = Recipe(num_codes=20)
_EMA = Recipe(num_codes=50, assignment="image-to-vector", pull_weight=0.01, ema_rate=0.05, pull_batch_size=1)
_RESIDUAL = replace(_EMA, num_codes=500, warmup_steps=400, initialisation="k-means", restart_steps=200)
_GRID = Recipe(
    latent_dim=512, num_codes=100, assignment="image-to-vector", pull_scale="variance", pull_batch_size=1,
    pull_weight=100.0, warmup_steps=200, initialisation="k-means", restart_steps=100, ema_rate=0.01,
    output_start="mean",
)  # fmt: skip
# trained to draw from the codes as well (λ2): by the pull alone they tell less and less of the picture
_VQAE = replace(
    _GRID, pull_weight=10_000.0, center_reconstruction_weight=100.0, warmup_steps=300, ramp_steps=300,
    restart_share=0.1, schedule="cosine",
)  # fmt: skip

VARIANTS = {
    "ae": Variant(
        title="Plain autoencoder",
        section="2.1",
        summary="Three layers of 64 units on both sides, trained for reconstruction alone: where the paper begins.",
        network="mlp",
        objective="reconstruction",
        recipes=_recipes(replace(_PLAIN, latent_dim=128)),
        shifts=(0, 0.1, 0.5, 1, 2, 5, 10, 15),  # figure 2.1
    ),
    "ae-conv": Variant(
        title="Plain convolutional autoencoder",
        section="baseline",
        summary="The network of `center`, trained for reconstruction alone: what every pull is compared with.",
        network="conv",
        objective="reconstruction",
        recipes={name: without_pull(recipe) for name, recipe in _CENTER.items()},
        turns=True,
    ),
    "classifier": Variant(
        title="Autoencoder on a classifier's latents",
        section="2.1",
        summary="The encoder was trained to tell classes apart and frozen; then a decoder was trained to draw from it.",
        network="mlp",
        objective="classifier",
        classifies=True,
        recipes=_recipes(
            replace(_PLAIN, latent_dim=128, classifier_epochs=10),
            mnist={"classifier_epochs": 30, "learning_rate": 2e-3, "schedule": "cosine"},
            celeba={"classifier_epochs": 12, "learning_rate": 5e-4},
        ),
        shifts=(0, 0.1, 0.5, 1, 5, 10, 25, 50),  # figure 2.3
    ),
    "center": Variant(
        title="Autoencoder pulled to one learnable vector",
        section="3.1–3.2",
        summary="Of M images the one with the latent nearest to a learnable vector is drawn to it, and it to that one.",
        network="conv",
        objective="pull",
        recipes=_CENTER,
        turns=True,
    ),
    "zero": Variant(
        title="Autoencoder pulled to zero",
        section="3.2",
        summary="Every latent is drawn to the fixed zero vector: no learnable vector, and no choice of the nearest.",
        network="conv",
        objective="zero",
        recipes=_recipes(replace(_PLAIN, pull_weight=1.0), **_SIZES),
    ),
    "codebook": Variant(
        title="Autoencoder pulled to several learnable vectors",
        section="3.2",
        summary="A codebook of vectors; each draws the nearest image of the batch to itself, and itself to that one.",
        network="conv",
        objective="pull",
        recipes=_recipes(_CODEBOOK, **_PULLS),
    ),
    "ema": Variant(
        title="Codebook moved by an exponential average",
        section="4.1",
        summary="Each latent is drawn to its nearest vector; the vectors follow the latents they attract, slowly.",
        network="conv",
        objective="pull",
        recipes=_recipes(_EMA, **_SMALL),
        shifts=(0, 3, 10, 30, 100, 300),  # section 4.1
    ),
    "residual": Variant(
        title="Large codebook with a deep residual network",
        section="4.2",
        summary="Deeper networks with residual connections, so that many more vectors find images of their own.",
        network="residual",
        objective="pull",
        recipes=_recipes(_RESIDUAL, **_SMALL),
        shifts=(0, 3, 10, 30, 100, 300),
    ),
    "vqae": Variant(
        title="VQ-AE: a grid of codes, drawn from the encoder",
        section="4.3",
        summary="A grid of vectors, each drawn to its nearest code, while the decoder still receives the encoder's.",
        network="grid",
        objective="pull",
        recipes=_recipes(
            _VQAE, mnist={"refit_epochs": 18}, fashionmnist=_FROM_GREY, celeba={"pull_weight": 30_000.0}
        ),
        shifts=(0, 1, 5, 10, 15, 30, 50, 100),  # figure 4.6
    ),
    "vqvae": Variant(
        title="VQ-VAE: a grid of codes, drawn from the codebook",
        section="4.2–4.3",
        summary="As `vqae`, but the decoder receives the codes themselves, through a straight-through estimator.",
        network="grid",
        objective="pull",
        recipes=_recipes(
            replace(_GRID, pull_weight=30.0, feed_steps=200),
            fashionmnist=_FROM_GREY,
            celeba={"num_codes": 512, "pull_weight": 300.0, "restart_share": 0.1, "schedule": "cosine"},
        ),
        feed="codebook",
        shifts=(0, 1, 5, 10, 15, 30, 50, 100),  # figure 4.6
    ),
    "vae": Variant(
        title="Variational autoencoder",
        section="baseline",
        summary="The probabilistic way: a mean and a variance per dimension, a draw from them, and a KL divergence.",
        network="conv",
        objective="vae",
        variational=True,
        recipes=_recipes(replace(_PLAIN, pull_weight=1.0), **_SIZES),
    ),
}  # fmt: skip


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

    @property
    def multi_label(self) -> bool:
        """Whether a label is a row of yes and no, one per class, instead of one class."""
        return len(self.label_columns) > 1


CELEBA_ATTRIBUTES = (
    "5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald", "Bangs", "Big_Lips", "Big_Nose",
    "Black_Hair", "Blond_Hair", "Blurry", "Brown_Hair", "Bushy_Eyebrows", "Chubby", "Double_Chin", "Eyeglasses",
    "Goatee", "Gray_Hair", "Heavy_Makeup", "High_Cheekbones", "Male", "Mouth_Slightly_Open", "Mustache",
    "Narrow_Eyes", "No_Beard", "Oval_Face", "Pale_Skin", "Pointy_Nose", "Receding_Hairline", "Rosy_Cheeks",
    "Sideburns", "Smiling", "Straight_Hair", "Wavy_Hair", "Wearing_Earrings", "Wearing_Hat", "Wearing_Lipstick",
    "Wearing_Necklace", "Wearing_Necktie", "Young",
)  # fmt: skip

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
        label_columns=CELEBA_ATTRIBUTES,
        class_names=tuple(name.replace("_", " ").lower() for name in CELEBA_ATTRIBUTES),
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
