"""The recipe of each shipped model, and of each variant on any other data set.

The values were chosen from recorded searches (the tables are in the model cards) or by hand, as the report says.
"""

from dataclasses import asdict, fields, replace

from aevq_hub import AEVQConfig
from aevq_hub.checks import one_of
from aevq_hub.networks import NETWORKS, sides
from aevq_hub.registry import VARIANTS, Dataset

from .objectives import OBJECTIVES
from .recipe import Recipe, only

# settings of the network and the optimiser, which every objective uses
COMMON = ("latent_dim", "network", "widths", "output_start", "batch_size", "learning_rate", "schedule", "augment",
          "epochs", "precision", "seed", "components")  # fmt: skip

TO_VECTOR = "image-to-vector"
# single vectors on 28 × 28 pixels, on equal terms; from a grey start, this rate may make all pixels black
SMALL = {"learning_rate": 4e-3, "output_start": "mean", "precision": "bf16", "components": 50}
FACES = {"learning_rate": 2e-3, "output_start": "mean", "precision": "bf16"}  # likewise on 64 × 64 pixels in colour
RECIPES = {
    "ae": Recipe(latent_dim=128),

    "ae-conv-mnist": Recipe(latent_dim=48, **SMALL),
    "ae-conv-fashionmnist": Recipe(latent_dim=64, **SMALL),
    "ae-conv-celeba": Recipe(latent_dim=128, **FACES),
    "ae-conv": Recipe(latent_dim=64, precision="bf16"),

    "classifier-mnist": Recipe(latent_dim=128, classifier_epochs=30, learning_rate=2e-3, schedule="cosine"),
    "classifier-celeba": Recipe(latent_dim=128, classifier_epochs=12, learning_rate=5e-4),
    "classifier": Recipe(latent_dim=128, classifier_epochs=10),

    "center-mnist": Recipe(latent_dim=32, num_codes=1, pull_weight=0.002, pull_batch_size=128, **SMALL),
    "center-fashionmnist": Recipe(latent_dim=32, num_codes=1, pull_weight=0.003, pull_batch_size=128, **SMALL),
    "center-celeba": Recipe(latent_dim=64, num_codes=1, pull_weight=0.02, pull_batch_size=128, **FACES),
    "center": Recipe(latent_dim=64, num_codes=1, pull_weight=0.03, pull_batch_size=128, precision="bf16"),

    "center-plus-mnist": Recipe(latent_dim=32, num_codes=1, pull_weight=0.01, pull_share=1.0, gradient_weight=0.03,
                                pull_batch_size=128, **SMALL),
    "center-plus-fashionmnist": Recipe(latent_dim=32, num_codes=1, pull_weight=0.01, pull_share=1.0,
                                       gradient_weight=0.03, pull_batch_size=128, **SMALL),
    "center-plus-celeba": Recipe(latent_dim=64, num_codes=1, pull_weight=0.03, pull_share=1.0, gradient_weight=0.01,
                                 pull_batch_size=128, **FACES),
    "center-plus": Recipe(latent_dim=64, num_codes=1, pull_weight=0.03, pull_share=1.0, gradient_weight=0.03,
                          pull_batch_size=128, precision="bf16"),

    "zero-mnist": Recipe(latent_dim=32, pull_weight=0.1, **SMALL),
    "zero-fashionmnist": Recipe(latent_dim=32, pull_weight=0.01, **SMALL),
    "zero-celeba": Recipe(latent_dim=64, pull_weight=0.01, **FACES),
    "zero": Recipe(latent_dim=64, pull_weight=0.01),

    "codebook-mnist": Recipe(latent_dim=32, num_codes=20, pull_weight=0.1, pull_batch_size=128, **SMALL),
    "codebook-fashionmnist": Recipe(latent_dim=32, num_codes=20, pull_weight=0.1, pull_batch_size=128, **SMALL),
    "codebook-celeba": Recipe(latent_dim=64, num_codes=20, pull_weight=0.3, pull_batch_size=128, **FACES),
    "codebook": Recipe(latent_dim=64, num_codes=20, pull_weight=0.1, pull_batch_size=128),

    "ema-mnist": Recipe(latent_dim=48, num_codes=50, assignment=TO_VECTOR, pull_weight=0.01, ema_rate=0.05),
    "ema-celeba": Recipe(latent_dim=64, widths="32x64x96x96", num_codes=50, assignment=TO_VECTOR, pull_weight=0.01,
                         ema_rate=0.05),
    "ema": Recipe(latent_dim=64, num_codes=50, assignment=TO_VECTOR, pull_weight=0.01, ema_rate=0.05),

    "residual-mnist": Recipe(latent_dim=48, num_codes=500, assignment=TO_VECTOR, pull_weight=0.01, ema_rate=0.05,
                             warmup_steps=400, initialisation="k-means", restart_steps=200),
    "residual-celeba": Recipe(latent_dim=64, widths="32x64x96x96", num_codes=500, assignment=TO_VECTOR,
                              pull_weight=0.01, ema_rate=0.05, warmup_steps=400, initialisation="k-means",
                              restart_steps=200),
    "residual": Recipe(latent_dim=64, num_codes=500, assignment=TO_VECTOR, pull_weight=0.01, ema_rate=0.05,
                       warmup_steps=400, initialisation="k-means", restart_steps=200),

    # the optional term is trained (λ2): with the pull alone, the codes lose the information about the image
    "vqae-mnist": Recipe(latent_dim=512, num_codes=100, assignment=TO_VECTOR, pull_scale="variance",
                         pull_weight=10_000.0, center_reconstruction_weight=100.0, ema_rate=0.01, warmup_steps=300,
                         ramp_steps=300, initialisation="k-means", refit_epochs=18, restart_steps=100,
                         restart_share=0.1, output_start="mean", schedule="cosine", prior_epochs=32),
    "vqae-fashionmnist": Recipe(latent_dim=512, num_codes=100, assignment=TO_VECTOR, pull_scale="variance",
                                pull_weight=10_000.0, center_reconstruction_weight=100.0, ema_rate=0.01,
                                warmup_steps=300, ramp_steps=300, initialisation="k-means", restart_steps=100,
                                restart_share=0.1, schedule="cosine", prior_epochs=24),
    "vqae-celeba": Recipe(latent_dim=512, num_codes=100, assignment=TO_VECTOR, pull_scale="variance",
                          pull_weight=30_000.0, center_reconstruction_weight=100.0, ema_rate=0.01, warmup_steps=300,
                          ramp_steps=300, initialisation="k-means", restart_steps=100, restart_share=0.1,
                          output_start="mean", schedule="cosine", prior_epochs=40),
    "vqae": Recipe(latent_dim=512, num_codes=100, assignment=TO_VECTOR, pull_scale="variance", pull_weight=10_000.0,
                   center_reconstruction_weight=100.0, ema_rate=0.01, warmup_steps=300, ramp_steps=300,
                   initialisation="k-means", restart_steps=100, restart_share=0.1, output_start="mean",
                   schedule="cosine", prior_epochs=16),

    "vqvae-fashionmnist": Recipe(latent_dim=512, num_codes=100, assignment=TO_VECTOR, pull_scale="variance",
                                 pull_weight=30.0, ema_rate=0.01, warmup_steps=200, feed_steps=200,
                                 initialisation="k-means", restart_steps=100, prior_epochs=24),
    "vqvae-celeba": Recipe(latent_dim=512, num_codes=512, assignment=TO_VECTOR, pull_scale="variance",
                           pull_weight=300.0, ema_rate=0.01, warmup_steps=200, feed_steps=200,
                           initialisation="k-means", restart_steps=100, restart_share=0.1, output_start="mean",
                           schedule="cosine", prior_epochs=40),
    "vqvae": Recipe(latent_dim=512, num_codes=100, assignment=TO_VECTOR, pull_scale="variance", pull_weight=30.0,
                    ema_rate=0.01, warmup_steps=200, feed_steps=200, initialisation="k-means", restart_steps=100,
                    output_start="mean", prior_epochs=32),

    "vae-mnist": Recipe(latent_dim=32, kl_weight=0.2, **SMALL),
    "vae-fashionmnist": Recipe(latent_dim=32, kl_weight=0.05, **SMALL),
    "vae-celeba": Recipe(latent_dim=64, kl_weight=0.1, **FACES),
    "vae": Recipe(latent_dim=64, kl_weight=1.0, decoder_variance="learned"),
}  # fmt: skip


def recipe_for(variant: str, dataset: str, **given) -> Recipe:
    """The recipe of a variant for a data set, with some settings changed.

    Raises:
        ValueError: an unknown variant, a setting that its objective does not use, or a value out of range.
    """
    one_of("variant", variant, VARIANTS)
    recipe = replace(RECIPES.get(f"{variant}-{dataset}", RECIPES[variant]), **given)
    if unused := [name for name in given if name not in used_settings(variant, recipe)]:
        raise ValueError(_unused(variant, recipe, unused[0]))
    return recipe


def used_settings(variant: str, recipe: Recipe) -> tuple[str, ...]:
    """The names of the settings that training a variant by a recipe uses, in the order of :class:`Recipe`."""
    entry = VARIANTS[variant]
    names = {*COMMON, *OBJECTIVES[entry.objective].settings}
    for f in fields(Recipe):
        key, values = only(f)
        if key and getattr(entry, key, getattr(recipe, key, None)) not in values:
            names.discard(f.name)
    return tuple(f.name for f in fields(Recipe) if f.name in names)


def recorded(variant: str, recipe: Recipe) -> dict:
    """A recipe for histories and searches: only the settings that are used."""
    return {name: getattr(recipe, name) for name in used_settings(variant, recipe)}


def without_pull(recipe: Recipe) -> Recipe:
    """The same network and training with reconstruction alone, as a baseline for a pull."""
    return Recipe(**{name: getattr(recipe, name) for name in COMMON})


def configure(variant: str, name: str, dataset: Dataset, recipe: Recipe) -> AEVQConfig:
    """The configuration of the model that a recipe trains.

    ``name`` is the data set's name in the model's name.

    Raises:
        ValueError: the recipe has a setting that the variant does not use, or lacks one that it needs, or a classifier
            has no labels.
    """
    entry, default = VARIANTS[one_of("variant", variant, VARIANTS)], Recipe()
    used = used_settings(variant, recipe)
    for setting, value in asdict(recipe).items():
        if setting not in used and value != getattr(default, setting):
            raise ValueError(_unused(variant, recipe, setting))
    for setting in ("num_codes", "classifier_epochs"):
        if setting in used and not getattr(recipe, setting):
            raise ValueError(f"{setting} is 0; {variant} needs at least 1")
    kind = entry.network if recipe.network == "default" else recipe.network
    network = NETWORKS[kind]
    if network.grid and recipe.assignment != "image-to-vector":
        raise ValueError(f"assignment is {recipe.assignment!r}; {variant} has a grid, which takes only image-to-vector")
    widths = tuple(map(int, recipe.widths.split("x"))) if recipe.widths else network.widths(dataset.size)
    classes = len(dataset.class_names) if entry.classifies else 0
    if entry.classifies and not classes:
        raise ValueError(
            f"{name} has no class labels, and {variant} needs them: give each class a folder of its own, add a "
            "metadata.csv with the columns file_name and label, or give a ClassLabel column of a data set on the Hub "
            "(--label-column)"
        )
    return AEVQConfig(
        variant=variant, dataset=name, network=kind,
        image_size=dataset.size, channels=dataset.channels, crop=dataset.crop,
        widths=widths, latent_dim=recipe.latent_dim, num_codes=recipe.num_codes,
        grid_size=sides(dataset.size, len(widths))[-1] if network.grid else 0,
        feed=entry.feed, variational=entry.variational,
        num_classes=classes, multi_label=bool(classes) and dataset.multi_label,
        components=recipe.components,
    )  # fmt: skip


def _unused(variant: str, recipe: Recipe, setting: str) -> str:
    key, values = next(only(f) for f in fields(Recipe) if f.name == setting)
    used = used_settings(variant, recipe)
    open_choice = key in used and not hasattr(VARIANTS[variant], key)  # not the variant's own
    condition = f" unless {key} is {' or '.join(values)}" if open_choice else ""
    return f"{variant} does not use {setting}{condition}; its settings are {', '.join(used)}"
