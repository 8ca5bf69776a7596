"""What a model is trained with: a recipe's settings, each with its help and its limits."""

import re
from dataclasses import dataclass, field, fields, replace

NEAREST_BY = ("squared", "dot", "cosine")
PRECISIONS = ("fp32", "bf16")
ASSIGNMENTS = ("vector-to-image", "image-to-vector")
PULL_SCALES = ("sum", "variance")
SCHEDULES = ("constant", "cosine")
INITIALISATIONS = ("random", "k-means")
OUTPUT_STARTS = ("grey", "mean")


def _setting(default, help: str, **limits):
    """A field of :class:`Recipe` with its help text and what is allowed: ``choices``, the lowest value ``low``, or a
    regular expression ``form``."""
    return field(default=default, metadata={"help": help, **limits})


@dataclass(frozen=True)
class Recipe:
    """The settings a model is trained with: those the paper names (section 3.1) and those it leaves open.

    Squared norms are sums over pixels and over latent dimensions, averaged over the images of the batch, so that the
    weights do not depend on the batch size.

    Raises:
        ValueError: a value is out of range; the message names it and what is allowed.
    """

    latent_dim: int = _setting(64, "D, length of a latent, or of each vector of a grid", low=1)
    widths: str = _setting(
        "",
        "of the layers, one per halving (or of an MLP), such as 32x64; by default by the size",
        form=r"(\d+(x\d+)*)?",
    )
    num_codes: int = _setting(0, "K, the number of learnable vectors", low=0)
    pull_weight: float = _setting(
        1.0, "λ1, weight of the encoder pull ‖E(x_j*) − v‖²; of `zero`'s ‖E(x)‖² and of `vae`'s KL divergence", low=0
    )
    center_reconstruction_weight: float = _setting(0.0, "λ2, weight of the optional term ‖x_j* − D(v)‖²", low=0)
    assignment: str = _setting(
        "vector-to-image", "whether each vector picks its image or each latent its vector", choices=ASSIGNMENTS
    )
    pull_scale: str = _setting(
        "sum", "the pull as a sum of squares, or that divided by the latents' variance", choices=PULL_SCALES
    )
    batch_size: int = _setting(128, "N, images drawn for the reconstruction", low=1)
    pull_batch_size: int = _setting(128, "M, other images drawn, of which the nearest is pulled", low=1)
    nearest_by: str = _setting("squared", "how the nearest of the M latents is chosen", choices=NEAREST_BY)
    ema_rate: float = _setting(0.0, "α of e_k ← e_k + α (z_q − e_k) (section 4.1); 0: vectors by gradient", low=0)
    warmup_steps: int = _setting(0, "steps of reconstruction alone, before the vectors come in", low=0)
    ramp_steps: int = _setting(
        0, "steps after the warm-up over which the vectors' λ1 and λ2 rise, from a hundredth, by equal factors", low=0
    )
    feed_steps: int = _setting(0, "steps over which `vqvae`'s decoder goes over from latents to codes", low=0)
    initialisation: str = _setting(
        "random", "of the vectors; k-means: of latents, after the warm-up", choices=INITIALISATIONS
    )
    refit_epochs: int = _setting(
        0,
        "epochs after the first at whose start k-means places the vectors anew: with shares that are more alike",
        low=0,
    )
    restart_steps: int = _setting(0, "a vector unused for so many steps is put on a latent; 0: never", low=0)
    restart_share: float = _setting(
        0.0, "a vector counts as unused up to this share of what each had if all were used alike", low=0
    )
    output_start: str = _setting(
        "grey", "what the decoder draws before it is trained; mean: the mean image's brightness", choices=OUTPUT_STARTS
    )
    classifier_epochs: int = _setting(0, "of `classifier`'s first stage, before the decoder is trained", low=0)
    learning_rate: float = _setting(1e-3, "of Adam", low=0)
    schedule: str = _setting("constant", "of the learning rate; cosine: it falls to 0 in each stage", choices=SCHEDULES)
    epochs: int = _setting(20, "times that every training image is seen", low=1)
    precision: str = _setting("fp32", "of matrix products in training; weights stay float32", choices=PRECISIONS)
    seed: int = _setting(0, "of the initial weights and of all draws", low=0)

    def __post_init__(self):
        for f in fields(self):
            value, choices, low = getattr(self, f.name), f.metadata.get("choices"), f.metadata.get("low")
            if choices and value not in choices:
                raise ValueError(f"unknown {f.name} {value!r}; choose from {', '.join(choices)}")
            if low is not None and not low <= value < float("inf"):  # NaN fails too
                raise ValueError(f"{f.name} is {value!r}; it must be a finite number of at least {low}")
            if "form" in f.metadata and not re.fullmatch(f.metadata["form"], value):
                raise ValueError(f"{f.name} is {value!r}; give whole numbers joined by x, such as 32x64, or nothing")


def without_pull(recipe: Recipe) -> Recipe:
    """The same recipe for the same network, trained the same way, with nothing pulled: what a pull is compared with."""
    return replace(Recipe(), **{name: getattr(recipe, name) for name in _OF_THE_NETWORK}, **_NO_PULL)


_OF_THE_NETWORK = ("latent_dim", "widths", "batch_size", "learning_rate", "schedule", "epochs", "precision", "seed")
_NO_PULL = {"pull_weight": 0.0, "pull_batch_size": 1}
