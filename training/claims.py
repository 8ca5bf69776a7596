"""The paper's claims: what is measured for each, the bound it has to reach, and the verdict.

The bounds were written before pictures were measured; what histories and searches record was known then. Which of them
were changed after a first measurement is said in the report.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean

from aevq_hub import LoadError

from . import claim_pictures as shown
from . import claim_records as records
from .claim_records import Evidence, MissingError, Values

HOLDS, IN_PART, FAILS, UNTESTED = "holds", "holds in part", "does not hold", "not tested"


@dataclass(frozen=True)
class Part:
    """One thing that a claim says, as a measurement with a bound. Exactly one of ``least`` and ``most`` is given."""

    says: str
    measure: Callable[[Evidence], Values]
    why: str  # why the bound is fair
    least: float | None = None
    most: float | None = None
    form: str = "{:.2f}"

    def holds(self, values: Values) -> bool:
        """Whether the mean over the seeds reaches the bound in all cases."""
        means = [mean(found) for found in values.values()]
        return all(m >= self.limit if self.most is None else m <= self.limit for m in means)

    @property
    def limit(self) -> float:
        """The value of the bound."""
        (limit,) = (bound for bound in (self.least, self.most) if bound is not None)
        return limit

    @property
    def bound(self) -> str:
        """The bound, formatted."""
        return f"at {'least' if self.most is None else 'most'} {self.form.format(self.limit)}"


@dataclass(frozen=True)
class Claim:
    """A claim of the paper. It holds if all its parts do, and holds in part if some do."""

    variant: str
    section: str
    says: str
    parts: Sequence[Part]
    figures: Sequence[str] = ()  # keys of paper_figures.FIGURES


CLAIMS = {
    "1": Claim("ae", "2.1", "Small shifts of a dimension change nothing, large ones degrade the image, even "
                             "to black.", (
        Part("change of the picture by the smallest shift", shown.smallest_shift,
             "a root mean squared change of 0.02, five of 256 grey levels, is hard to see", most=0.02, form="{:.4f}"),
        Part("pictures in which the largest shift changes the class that is found", shown.class_lost("ae-mnist", 15),
             "most are no longer recognised; in σ as well, since the scale of latents is arbitrary", least=0.5,
             form="{:.1%}"),
        Part("pictures that the largest shift turns black", shown.black("ae-mnist", 15),
             "the paper says that they may; more than an exception", least=0.05, form="{:.1%}"),
    ), ("2.1",)),
    "2": Claim("ae", "2.1", "Interpolation is smooth.", (
        Part("largest step over mean step", shown.interpolation_jump("ae-mnist"),
             "equal steps give 1, a sudden change of one step in ten gives 10", most=2),
        Part("Fréchet distance of mid-points, over that of a cross-fade of the two images",
             shown.against_cross_fade("ae-mnist"),
             "a cross-fade is smooth as well; halving its distance shows that the way leads past images", most=0.5),
    ), ("2.2",)),
    "3": Claim("classifier", "2.1", "Shifts up to +50 do not turn the image black but into other digits; interpolation "
                                    "is as in `ae`.", (
        Part("pictures that the largest shift turns black", shown.black("classifier-mnist", 50),
             "as for `ae`, where it should be the rule: here an exception", most=0.05, form="{:.1%}"),
        Part("pictures that the largest shift turns into another class, of which the reference classifier is sure",
             shown.other_class("classifier-mnist", 50), "“other digits” should be the rule", least=0.5,
             form="{:.1%}"),
        Part("distance of these pictures to the nearest test image, over that of reconstructions",
             shown.far_from_images("classifier-mnist", 50),
             "the classifier is sure of noise, too; a digit is at most twice as far", most=2),
        Part("largest step of an interpolation over the mean step", shown.interpolation_jump("classifier-mnist"),
             "as for `ae`", most=2),
    ), ("2.3", "2.4")),
    "4": Claim("center", "3.2", "Shifts of −3 … +3 give smooth transitions on all data sets, without KL divergence and "
                                "reparameterisation.", (
        Part("largest half-step over the mean one, ±3 raw units of single numbers",
             records.recorded("center", "sheets.raw.jump"), "equal steps give 1", most=1.5),
        Part("largest half-step over the mean one, ±3 σ of single numbers",
             records.recorded("center", "sheets.axes.jump"),
             "as in raw units, but independent of the latents' scale", most=1.5),
        Part("root mean squared change of the picture between both ends, ±3 raw units",
             records.recorded("center", "sheets.raw.change"),
             "a transition has to be visible: half of what ±3 σ changes in most models (0.3)", least=0.15),
        Part("how sure the reference classifier is at both ends, ±3 σ of single numbers, over how sure of test images",
             records.sure_at_ends, "what appears should be an image, not debris", least=0.5),
        Part("Fréchet distance of the sheets of ±3 σ along principal directions, over that of the same sheets of `vae`",
             records.over("center", "vae", "sheets.directions.frechet"),
             "without KL divergence it should be no worse than with it, up to a quarter", most=1.25),
    ), ("3.2",)),
    "5": Claim("center", "3.2", "The movement of the vector per epoch falls from high to low.", (
        Part("first epoch less the mean of the last quarter, in standard deviations of the last quarter",
             records.drop("movement"), "from two standard deviations on the fall is no fluctuation", least=2,
             form="{:.1f}"),
        Part("mean of the last quarter over that of the second quarter", records.late_rise("movement"),
             "it should not rise again", most=1),
    ), ("3.3",)),
    "6": Claim("center", "3.1", "The optional term falls although it is not trained.", (
        Part("first epoch less the mean of the last quarter, in standard deviations of the last quarter",
             records.drop("terms.center_reconstruction"), "as for the movement", least=2, form="{:.1f}"),
        Part("mean of the last quarter over that of the second quarter",
             records.late_rise("terms.center_reconstruction"), "as for the movement", most=1),
    )),
    "7": Claim("zero", "3.2", "A pull to the zero vector collapses.", (
        Part("largest error in the recorded trials, over that of always showing the mean image", records.zero_worst,
             "a collapsed model shows one image, which gives 1; the paper gives no weight, so any may do it",
             least=0.5, form="{:.3f}"),
        Part("the same of `center`, with a learnable vector, in those trials in which `zero` exceeds 0.9",
             records.center_where_zero_collapsed, "the paper's vector does not collapse", most=0.5, form="{:.3f}"),
    ), ("3.6",)),
    "8": Claim("codebook", "3.2", "On MNIST twenty vectors land in different clusters, on FashionMNIST some meet.", (
        Part("vectors with a duplicate, in the shipped model", records.recorded(
             "codebook", "codebook.duplicates", ("mnist",)), "different clusters: at most one pair of twenty", most=2,
             form="{:.1f}"),
        Part("the same, in the trial of the recorded search that has the fewest", records.fewest_duplicates,
             "the paper gives no rate, so any may do it", most=2, form="{:.0f}"),
        Part("classes on MNIST to which most of the ten images nearest to some vector belong", shown.classes_reached,
             "the clusters of the paper's t-SNE are the classes: most of them", least=8, form="{:.1f}"),
        Part("vectors with a duplicate", records.recorded("codebook", "codebook.duplicates", ("fashionmnist",)),
             "some: at least one pair", least=2, form="{:.1f}"),
    ), ("3.4", "3.5")),
    "9": Claim("ema", "4.1", "Of fifty vectors few attract data, and the space is more flexible: it takes a shift by "
                             "+300 to see a change.", (
        Part("vectors in use", records.recorded("ema", "codebook.in_use"), "few: at most half of fifty", most=25,
             form="{:.1f}"),
        Part("change of the picture by +100 along the strongest dimensions", shown.far_shift,
             "as for `ae`, what is hard to see", most=0.02),
        Part("change per σ, over that of `codebook`", records.over("ema", "codebook", "gain"),
             "a more flexible space would change less, whatever its scale: at most half", most=0.5),
    ), ("4.1a", "4.1b", "4.1c")),
    "10": Claim("residual", "4.2", "With a deeper network more of 500 vectors attract data; the others decode to "
                                   "meaningless images.", (
        Part("vectors in use of 500, less those with the shallower network of `ema` and the same start, in pooled "
             "standard deviations", records.deeper, "a difference of two standard deviations is unlikely to be chance",
             least=2, form="{:.1f}"),
        Part("distance of pictures of unused vectors of `ema` to the nearest test image, over that of used ones",
             shown.unused_meaningless, "meaningless: twice as far from anything in the data", least=2),
    ), ("4.2", "4.3a", "4.3b")),
    "11": Claim("vqae", "4.3", "Pictures from codes are close to the direct ones, by many different codes.", (
        Part("PSNR lost by the codes, dB", records.lost, "twice the squared error at most", most=3),
        Part("the same without the optional term, from the best direct picture of the recorded search",
             records.lost_literally, "the paper does not train this term", most=3),
        Part("codes in twenty images", records.recorded("vqae", "twenty.codes", ("fashionmnist",)),
             "nine tenths of the paper's 91", least=82, form="{:.0f}"),
        Part("their perplexity", records.recorded("vqae", "twenty.perplexity", ("fashionmnist",)),
             "nine tenths of the paper's 61.2", least=55, form="{:.1f}"),
    ), ("4.4", "A.1")),
    "12": Claim("vqae", "4.3", "Random grids are meaningless, shifts distort without a transition, single codes "
                               "cannot be told apart, replaced codes distort.", (
        Part("Fréchet distance of random grids, over that of test images cut into the cells of the grid and shuffled",
             shown.random_grids, "shuffled images show no object; half as far is far", least=0.5),
        Part("change of the picture by a shift of one number of one vector", shown.cell_shift_change,
             "as for `ae`: less is hard to see, and no distortion", least=0.02, form="{:.3f}"),
        Part("images in which this changes the class that the reference classifier finds", shown.cell_shifts,
             "a transition would lead to another class", most=0.05, form="{:.1%}"),
        Part("change of the picture between a code in all cells and the most similar other code",
             shown.codes_apart, "as for `ae`, what is hard to see", most=0.02, form="{:.3f}"),
        Part("images whose class survives random codes in half of the cells", shown.survives_replacing,
             "distorted beyond recognition should be the rule", most=0.5, form="{:.1%}"),
    ), ("4.5", "4.6", "4.7", "4.8")),
    "13": Claim("center", "3.1", "The vector converges to the centre of the whole data set.", (
        Part("mean distance of the latents to the vector, in spreads",
             records.recorded("center", "distance_in_spreads"),
             "to the centre it is at most 1, to another latent 1.4; up to half a spread from the centre", most=1.12),
        Part("error of showing the vector's picture for every test image, over that of the mean image",
             shown.vector_as_mean, "the mean image gives 1, another image 2; half-way between", most=1.5),
    ), ("3.3",)),
}  # fmt: skip


def judge(claim: Claim, found: Sequence[Values | None]) -> str:
    """The verdict on a claim from the values of its parts, None for a part without models or records."""
    known = [part.holds(values) for part, values in zip(claim.parts, found, strict=True) if values]
    if not known:
        return UNTESTED
    return HOLDS if all(known) and len(known) == len(found) else IN_PART if any(known) else FAILS


def measure(number: str, evidence: Evidence) -> dict:
    """Measure one claim.

    Args:
        number: a key of ``CLAIMS``.
        evidence: the models, records and images.

    Returns:
        A row of ``claims.json``: the verdict, and for each part its values by case, one for each seed, or why it has
        none.
    """
    claim, rows, found = CLAIMS[number], [], []
    for part in claim.parts:
        row = {"says": part.says, "bound": part.bound, "why": part.why, "form": part.form}
        try:
            values = part.measure(evidence)
        except (LoadError, MissingError) as error:
            values, row["missing"] = None, str(error)
        else:
            row |= {"values": values, "holds": part.holds(values)}
        found.append(values)
        rows.append(row)
    return {"number": number, "variant": claim.variant, "section": claim.section, "says": claim.says,
            "verdict": judge(claim, found), "parts": rows, "figures": list(claim.figures)}  # fmt: skip
