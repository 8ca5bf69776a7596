"""The settings of a training, each with its help text, its type and its limits."""

import math
import re
from dataclasses import Field, dataclass, field, fields

from aevq_hub.checks import number, one_of, whole

NEAREST_BY = ("squared", "dot", "cosine")
PRECISIONS = ("fp32", "bf16", "auto")
ASSIGNMENTS = ("vector-to-image", "image-to-vector")
AUGMENTATIONS = ("none", "flip", "flip-crop")
SINGLE = ("mlp", "conv", "residual")  # networks with one vector per image
_TO_IMAGE = ("assignment", "vector-to-image")


def _setting(default, help: str, **limits):
    """A field of :class:`Recipe`.

    Limits: the lowest value ``low`` (0), the highest, ``high`` (∞, of whole numbers 10⁹), ``choices`` or a regular
    expression ``form``. With ``only``, a setting and a value, or several, the field is used only by recipes (or
    variants) that have one of them.
    """
    return field(default=default, metadata={"help": help, "low": 0, **limits})


@dataclass(frozen=True)
class Recipe:
    """All settings of a training: those the paper names (section 3.1) and those it leaves open.

    Each objective uses some of them (``objectives.OBJECTIVES``). Squared norms are summed over pixels and over latent
    dimensions and averaged over the batch, so the weights do not depend on the batch size.

    Raises:
        ValueError: a value has the wrong type or is out of range; the message names it and what is allowed.
    """

    # fmt: off
    latent_dim: int = _setting(64, "D, the length of a latent, or of each vector of a grid", low=1)
    network: str = _setting("default", "the network on both sides; default: the variant's",
                            choices=("default", *SINGLE), only=("network", SINGLE))
    widths: str = _setting("", "channels after each halving, or units of an MLP's layers, such as 32x64; empty: by "
                           "image size", form=r"([0-9]+(x[0-9]+)*)?")
    num_codes: int = _setting(0, "K, the number of learnable vectors")
    pull_weight: float = _setting(1.0, "λ1, the weight of the encoder pull ‖E(x_j*) − v‖²")
    kl_weight: float = _setting(1.0, "weight of the KL divergence")
    decoder_variance: str = _setting("fixed", "learned: the decoder's variance is the mean squared error, by which the "
                                     "KL divergence is multiplied (σ-VAE)", choices=("fixed", "learned"))
    center_reconstruction_weight: float = _setting(0.0, "λ2, the weight of the optional term ‖x_j* − D(v)‖²")
    assignment: str = _setting("vector-to-image", "each vector picks its nearest image, or each latent its nearest "
                               "vector", choices=ASSIGNMENTS)
    pull_scale: str = _setting("sum", "the pull as a sum of squares, or divided by the variance of the latents",
                               choices=("sum", "variance"))
    batch_size: int = _setting(128, "N, the images per step for the reconstruction, in all processes together",
                               low=1)
    pull_batch_size: int = _setting(128, "M, the images per step of which the nearest, or a share, is pulled",
                                    low=1, only=_TO_IMAGE)
    nearest_by: str = _setting("squared", "how each vector chooses among the M latents", choices=NEAREST_BY,
                               only=_TO_IMAGE)
    pull_share: float = _setting(0.0, "the share of the M images that each vector pulls; 0: only the nearest one",
                                 high=1, only=_TO_IMAGE)
    tail_cap: float = _setting(0.0, "latents further from the vectors than this many spreads are pulled, too, "
                               "with the weight λ1; 0: none",
                               only=_TO_IMAGE)
    gradient_weight: float = _setting(0.0, "weight of the picture's squared change per spread, for noise of half a "
                                      "spread of the latents: a penalty on the decoder's gradient", only=_TO_IMAGE)
    decay_weight: float = _setting(0.0, "weight of the squared norm of the decoder's weights", only=_TO_IMAGE)
    ema_rate: float = _setting(0.0, "α of e_k ← e_k + α (z_q − e_k) (section 4.1); 0: vectors learn by gradient")
    warmup_steps: int = _setting(0, "steps with reconstruction only, before the vectors are used")
    ramp_steps: int = _setting(0, "steps after the warm-up over which λ1 and λ2 rise from 1 % to their full value, "
                               "geometrically")
    feed_steps: int = _setting(0, "steps over which the decoder's input changes from latents to codes",
                               only=("feed", "codebook"))
    initialisation: str = _setting("random", "where the vectors start: random, between −1 and 1; after the "
                                   "warm-up, scaled: the same at the mean and deviation of the latents, or k-means: on "
                                   "centres of latents", choices=("random", "scaled", "k-means"))
    refit_epochs: int = _setting(0, "epochs after the first that begin with a new k-means fit, which evens out "
                                 "codebook usage", only=("initialisation", "k-means"))
    restart_steps: int = _setting(0, "steps after which an unused vector is moved onto a latent; 0: never")
    restart_share: float = _setting(0.0, "a vector is unused up to this fraction of an equal share of the latents")
    prior_epochs: int = _setting(0, "epochs, after the training, of the prior over the grid's codes; 0: cells are "
                                 "sampled independently", only=("network", "grid"))
    components: int = _setting(10, "components of the Gaussian mixture that latents are sampled from", low=1, high=1000,
                               only=("network", SINGLE))
    output_start: str = _setting("grey", "the decoder's output before training: grey, or the mean image",
                                 choices=("grey", "mean"))
    classifier_epochs: int = _setting(0, "epochs of the first stage, which trains the classifier")
    learning_rate: float = _setting(1e-3, "Adam's learning rate")
    schedule: str = _setting("constant", "the course of the learning rate; cosine: it falls to 0 in each stage",
                             choices=("constant", "cosine"))
    augment: str = _setting("none", "random changes of training images: flip mirrors them, flip-crop also shifts them",
                            choices=AUGMENTATIONS)
    epochs: int = _setting(20, "passes over the training images", low=1)
    precision: str = _setting("fp32", "precision of matrix products in training; weights stay float32",
                              choices=PRECISIONS)
    seed: int = _setting(0, "seed of the initial weights and of all random choices", high=2**32 - 1)
    # fmt: on

    def __post_init__(self):
        for f in fields(self):
            value, limits = getattr(self, f.name), f.metadata
            if f.type is int:
                whole(f.name, value, limits["low"], limits.get("high", 10**9))
            elif f.type is float:
                number(f.name, value, limits["low"], limits.get("high", math.inf))
            elif "choices" in limits:
                one_of(f.name, value, limits["choices"])
            elif not isinstance(value, str) or not re.fullmatch(limits["form"], value):
                raise ValueError(f"{f.name} is {value!r}; give whole numbers joined by x, such as 32x64, or nothing")


def only(field: Field) -> tuple[str, tuple[str, ...]]:
    """The setting, of the recipe or of the variant, on which a setting's use depends, and its values; else nothing."""
    key, values = field.metadata.get("only", ("", ()))
    return key, (values,) if isinstance(values, str) else values
