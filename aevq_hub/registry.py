"""The tables of variants and data sets, which the trainer, the tests, the cards and the demo read.

This module imports nothing of the package, so any other may import it. Recipes are in ``training.recipes``.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """A system of the paper, a baseline, or one beyond it. What a loaded model needs is here and in ``AEVQConfig``; the
    rest is in its recipe.
    """

    title: str
    section: str  # of the paper, or why it is here although the paper does not have it
    summary: str
    short: str  # for a button, with {} for the number of vectors
    network: str  # a key of networks.NETWORKS
    objective: str  # a key of training.objectives.OBJECTIVES
    feed: str = "encoder"  # what the decoder receives: the latents ("encoder"), or their nearest vectors ("codebook")
    shifts: tuple[float, ...] = (3, 2, 1, 0, -1, -2, -3)  # of its figure, in raw units
    classifies: bool = False  # whether it contains a classifier
    variational: bool = False  # whether the encoder outputs a mean and a variance

    @property
    def place(self) -> str:
        """Its place in the paper for people, such as "section 3.2", "baseline" or "beyond the paper"."""
        return f"section {self.section}" if self.section[0].isdigit() else self.section


VARIANTS = {
    "ae": Variant(
        "Plain autoencoder", section="2.1", network="mlp", objective="reconstruction",
        short="Small AE",
        shifts=(0, 0.1, 0.5, 1, 2, 5, 10, 15),  # figure 2.1
        summary="Three layers of 64 units on both sides, trained only to reconstruct: where the paper begins.",
    ),
    "ae-conv": Variant(
        "Plain convolutional autoencoder", section="baseline", network="conv", objective="reconstruction",
        short="Plain AE",
        summary="The network of `center`, trained only to reconstruct: the baseline for every pull.",
    ),
    "classifier": Variant(
        "Autoencoder on a classifier's latents", section="2.1", network="mlp", objective="classifier", classifies=True,
        short="Classifier",
        shifts=(0, 0.1, 0.5, 1, 5, 10, 25, 50),  # figure 2.3
        summary="An encoder trained to tell classes apart and then frozen, and a decoder trained on its latents.",
    ),
    "center": Variant(
        "Autoencoder pulled to one learnable vector", section="3.1–3.2", network="conv", objective="pull",
        short="One vector",
        summary="In each batch, the image closest to a learnable vector is pulled towards it, and the vector follows.",
    ),
    "center-plus": Variant(
        "Autoencoder pulled to one learnable vector, with a smooth decoder", section="beyond the paper",
        network="conv", objective="pull",
        short="Smooth",
        summary="Every latent is pulled towards the learnable vector, and the decoder is kept smooth: noise on a "
        "latent should hardly change the picture.",
    ),
    "zero": Variant(
        "Autoencoder pulled to zero", section="3.2", network="conv", objective="zero",
        short="Zero",
        summary="Every latent is pulled towards the fixed zero vector.",
    ),
    "codebook": Variant(
        "Autoencoder pulled to several learnable vectors", section="3.2", network="conv", objective="pull",
        short="{} vectors",
        summary="Each vector of a codebook pulls the closest image of the batch towards itself, and follows it.",
    ),
    "ema": Variant(
        "Codebook moved by an exponential average", section="4.1", network="conv", objective="pull",
        short="{} averaged",
        shifts=(0, 3, 10, 30, 100, 300),  # section 4.1
        summary="Each latent is pulled towards its nearest vector; the vectors slowly follow the latents they attract.",
    ),
    "residual": Variant(
        "Large codebook with a deep residual network", section="4.2", network="residual", objective="pull",
        short="{} deep",
        shifts=(0, 3, 10, 30, 100, 300),
        summary="Deeper networks with residual connections, and many more vectors.",
    ),
    "vqae": Variant(
        "VQ-AE: a grid of codes, decoded from the encoder", section="4.3", network="grid", objective="pull",
        short="VQ-AE",
        shifts=(0, 1, 5, 10, 15, 30, 50, 100),  # figure 4.6
        summary="Each vector of a grid is pulled towards its nearest code; the decoder still receives the vectors.",
    ),
    "vqvae": Variant(
        "VQ-VAE: a grid of codes, decoded from the codebook", section="4.2–4.3", network="grid", objective="pull",
        short="VQ-VAE",
        feed="codebook", shifts=(0, 1, 5, 10, 15, 30, 50, 100),  # figure 4.6
        summary="As `vqae`, but the decoder receives the codes, through a straight-through estimator.",
    ),
    "vae": Variant(
        "Variational autoencoder", section="baseline", network="conv", objective="vae", variational=True,
        short="VAE",
        summary="The probabilistic way: a mean and a variance per dimension, a sample from them, and a KL divergence.",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Dataset:
    """An image data set on the Hub, and how its images become (C, size, size)."""

    title: str
    shows: str  # what one of its images shows
    hub_id: str
    hub_config: str | None
    size: int  # height and width in pixels after resizing
    channels: int  # 1 grey, 3 RGB
    crop: float = 1.0  # side of the central square that is kept, as a fraction of the shorter side
    image_column: str = "image"
    label_columns: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    license: str = "mit"  # the licence of models trained on it
    license_name: str | None = None
    license_link: str | None = None
    terms: str = ""  # a sentence for the card
    shareable: bool = True  # whether its images may be shown in a model's folder

    @property
    def multi_label(self) -> bool:
        """Whether an image has a yes or no for each class instead of one class."""
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
        "MNIST", "digit", "ylecun/mnist", "mnist", size=28, channels=1,
        label_columns=("label",), class_names=tuple("0123456789"),
    ),
    "fashionmnist": Dataset(
        "FashionMNIST", "garment", "zalando-datasets/fashion_mnist", "fashion_mnist", size=28, channels=1,
        label_columns=("label",),
        class_names=(
            "T-shirt / top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
        ),
    ),
    "celeba": Dataset(
        "CelebA", "face", "flwrlabs/celeba", "img_align+identity+attr", size=64, channels=3,
        crop=148 / 178,  # 148 of the aligned image's 178 × 218 pixels
        label_columns=CELEBA_ATTRIBUTES,
        class_names=tuple(name.replace("_", " ").lower() for name in CELEBA_ATTRIBUTES),
        license="other", license_name="celeba-dataset-release-agreement",
        license_link="https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
        terms="CelebA is released for non-commercial research only; so are these weights. "
              "No image of it is in this repository: the pictures are outputs of the decoder.",
        shareable=False,
    ),
}  # fmt: skip
