"""The tour: steps, each a link with everything set, one thing to do, and what was measured. HTML without Gradio."""

import html
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from .. import claims
from ..measures import written
from ..registry import DATASETS
from .shared.exhibits import history, in_short, of_data_set, offers
from .shared.html import coded


@dataclass(frozen=True)
class Step:
    """One step."""

    title: str
    says: str
    do: str
    link: str  # what it shows: the address after the question mark
    claims: tuple[str, ...] = ()  # of the paper, by their numbers
    measured: Callable[[], str] | None = None  # what was measured besides, in a sentence

    @property
    def parameters(self) -> dict[str, str]:
        """The link's parameters."""
        return dict(parse_qsl(self.link))


def _value(model: str, measure: str) -> str:
    """A measure of a shipped model as text."""
    return written(history(model)["results"], measure)


def _squeezed() -> str:
    model = "center-mnist"
    config, tested = offers()[model].config, history(model)["data"]["test_images"]
    return (
        f"{config.image_size**2} pixels become {config.latent_dim} numbers. Over {tested:,} test images the mean "
        f"squared error is {_value(model, 'mse')}."
    )


def _middles() -> str:
    ours, theirs = (_value(f"{variant}-celeba", "frechet.midpoints") for variant in ("center", "vae"))
    return f"Fréchet distance of pictures half way to real ones (lower is better): {ours} here, {theirs} for the VAE."


def _codebooks() -> str:
    def counted(model: str) -> str:
        vectors, duplicates = (_value(model, f"codebook.{key}") for key in ("vectors", "duplicates"))
        return f"{vectors} vectors have {duplicates} duplicates"

    return f"On digits, {counted('codebook-mnist')}, {counted('residual-mnist')}."


def _errors() -> str:
    errors = {name: history(name)["results"]["mse"] for name in of_data_set("celeba")}
    best, worst = min(errors, key=errors.__getitem__), max(errors, key=errors.__getitem__)
    said = [f"{_value(name, 'mse')} ({offers()[name].short})" for name in (best, worst)]
    return f"Over the test images of {DATASETS['celeba'].title} the squared error goes from {said[0]} to {said[1]}."


STEPS = (
    Step(
        "Squeeze a sketch", "An autoencoder turns a picture into a few numbers, its latent, and back into a picture.",
        "Press Sketch and draw a digit.", "tab=turn&model=center-mnist&start=sample:3", measured=_squeezed,
    ),
    Step(
        "Try to break a plain autoencoder", "The paper begins here: nothing orders these latents.",
        "Move any slider to ±15.",
        "tab=turn&model=ae-mnist&start=sample:3&basis=numbers&unit=raw&reach=15", claims=("1", "2"),
    ),
    Step(
        "Pull every face to one vector",
        "While this model was trained, a learnable vector pulled the nearest image and followed it, less and less.",
        "Slide from the face to the vector: it looks like an average face.",
        "tab=codebook&model=center-celeba&start=sample:2&way=0.4", claims=("5", "13"),
    ),
    Step(
        "Move a face by ±3", "With this one vector, the paper shows smooth changes from −3 to +3.",
        "Move the sliders; then open Advanced and choose raw units, as in the paper.",
        "tab=turn&model=center-celeba&start=sample:4&mix=0,0,0,0,0,2", claims=("4",),
    ),
    Step(
        "Morph, beside a VAE", "The way between two latents, by this model and by a variational autoencoder.",
        "Choose other pictures for A and B.",
        "tab=morph&model=center-celeba&start=sample:0&second=sample:2&other=vae-celeba", measured=_middles,
    ),
    Step(
        "From one vector to many", "A codebook is a set of such vectors. Are they different, and are they used?",
        "Choose 500 deep among the models, then click a vector.", "tab=codebook&model=codebook-mnist",
        claims=("8", "10"), measured=_codebooks,
    ),
    Step(
        "Paste sunglasses",
        "In a grid of vectors each one draws its own corner of the picture, and alone means little.",
        "Press Paste from B, then Blend the edge.",
        "tab=grid&model=vqae-celeba&start=sample:0&second=sample:2&row=4&column=2&to_row=5&to_column=7",
        claims=("11", "12"),
    ),
    Step(
        "Your picture, the whole way", "From continuous to discrete: one picture through every model.",
        "Upload a picture of yours, and copy the link.",
        "tab=compare&model=center-celeba&start=sample:2&second=sample:4", measured=_errors,
    ),
)  # fmt: skip


def panel(number: int) -> str:
    """HTML of a step, from 1, with buttons to the ones before and after it."""
    step, last = STEPS[number - 1], len(STEPS)
    back = f'<button type="button" data-tour="{number - 1}">Back</button>' if number > 1 else ""
    onward = f'<button type="button" data-tour="{number + 1}" class="main">Next</button>' if number < last else ""
    return (
        f'<section class="tour" aria-label="Tour"><div><h2>{number} of {last}: {html.escape(step.title)}</h2>'
        f"<p>{html.escape(step.says)} <b>{html.escape(step.do)}</b></p>{_verdicts(step)}</div>"
        f'<div class="steps">{back}{onward}<button type="button" data-tour="0">Close</button></div></section>'
    )


def _verdicts(step: Step) -> str:
    """What the paper says of this and what was measured."""
    measured = step.measured and step.parameters["model"] in offers() and html.escape(step.measured())
    return (f"<p>{measured}</p>" if measured else "") + verdicts(
        [row for row in claims.shipped() if row["number"] in step.claims]
    )


def verdicts(rows: list[dict]) -> str:
    """HTML of claims of the paper, each with its verdict, which opens to show what was measured."""
    return "".join(map(_verdict, rows))


def _verdict(row: dict) -> str:
    of, says = (coded(in_short(text)) for text in (f"`{row['variant']}`", row["says"]))
    parts = "".join(f"<li>{coded(in_short(claims.in_words(part)))}</li>" for part in row["parts"])
    said = f"The paper says of {of}: {says} Our verdict: <b>{row['verdict']}</b>."
    return f"<details><summary>{said}</summary><ul>{parts}</ul></details>"
