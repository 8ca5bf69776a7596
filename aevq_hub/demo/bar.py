"""The bar above the tabs: data set, model and pictures, the same for all tabs. HTML without Gradio."""

import html

from .. import claims
from ..registry import DATASETS, VARIANTS
from .shared import originals
from .shared.exhibits import data_sets, history, in_short, ladder, most_used, offers
from .shared.html import data_url, option
from .shared.settings import Settings
from .state import PLACES, State
from .tour import panel, verdicts

_SKETCH = """<button type="button" data-sketch>Sketch</button><div class="pad"><p>Draw here</p>
<canvas width="112" height="112" role="img" aria-label="a sketch pad: draw with the mouse or a finger"></canvas>
<button type="button" data-clear>Clear</button><button type="button" data-sketch>Done</button></div>"""
_TOUR = """<nav class="links"><button type="button" data-copy>Copy link</button><button type="button" data-tour="1"
class="main">▶&nbsp;<span class="long">Two-minute&nbsp;</span>tour</button></nav>"""
_LINKS = """<nav class="links"><a href="https://arxiv.org/search/?query=Rethinking+VAE%3A+From+Continuous+to+Discrete"
target="_blank" rel="noopener">The paper</a><a href="https://huggingface.co/models?library=aevq-hub" target="_blank"
rel="noopener">The models on the Hub</a></nav>"""


def bar(state: State, settings: type[Settings], verb: str, says: str = "") -> str:
    """The bar's HTML.

    Args:
        state: what is chosen.
        settings: those of the open tab, which not every model can show.
        verb: what one does in that tab, for the headline.
        says: the same in a sentence.
    """
    return (
        f"<header><h1>{_headline(state, settings, verb)}</h1>{_TOUR}</header>"
        f'{panel(state.tour) if state.tour else ""}<div class="choices">'
        f"{_sets(state)}{_ladder(state, settings)}</div>{_note(state, settings, says)}"
        f'<div class="pictures">{_places(state)}<div class="bring">{_made(settings.capable(state.model))}'
        '<label class="upload">Upload<input type="file" accept="image/*"></label>'
        f"{_SKETCH if state.config.channels == 1 else ''}</div>{_samples(state)}</div>"
    )


def _headline(state: State, settings: type[Settings], verb: str) -> str:
    c = offers()[settings.capable(state.model)].config
    what = DATASETS[c.dataset].shows if c.dataset in DATASETS else "picture"
    numbers = f"{c.grid_size**2} vectors" if c.grid_size else f"{c.latent_dim} numbers"
    return f"One {what}, {numbers}: {verb}"


def _sets(state: State) -> str:
    words = {name: f"{DATASETS[name].shows}s".title() if name in DATASETS else title for name, title in
             data_sets().items()}  # fmt: skip
    buttons = "".join(
        option(f'data-set="{html.escape(name)}"', html.escape(word), name == state.config.dataset,
               name == state.config.dataset, f"{word}: {data_sets()[name]}")
        for name, word in words.items()
    )  # fmt: skip
    return f'<div class="sets" role="radiogroup" aria-label="Pictures of">{buttons}</div>'


def _ladder(state: State, settings: type[Settings]) -> str:
    names, shown = ladder(state.config.dataset), settings.capable(state.model)
    buttons = "".join(
        option(f'data-model="{html.escape(name)}"{_shown_how(name, shown, settings)}', html.escape(offer.short),
               name == state.model, name == state.model, f"{offer.short}: {offer.variant}")
        for name, offer in names.items()
    )  # fmt: skip
    return (
        '<div class="rungs"><span aria-hidden="true">continuous</span><div class="ladder" role="radiogroup" '
        f'aria-label="Model, from continuous to discrete">{buttons}</div><span aria-hidden="true">discrete</span></div>'
    )


def _shown_how(name: str, shown: str, settings: type[Settings]) -> str:
    """The CSS class of a model that stands in for the chosen one, or cannot be shown in the open tab."""
    return " class=shown" if name == shown else "" if settings.can(offers()[name].config) else " class=unable"


def _note(state: State, settings: type[Settings], says: str) -> str:
    """The model in a sentence, or which model stands in for it in this tab."""
    shown = settings.capable(state.model)
    said = _summary(shown)
    if shown != state.model:
        said = f"{offers()[state.model].short} cannot do this; <b>{offers()[shown].short}</b> is shown. {said}"
    return f'<p class="note" role="status"><b>{html.escape(says)}</b> {said}</p>'


def _summary(model: str) -> str:
    said, error = VARIANTS[offers()[model].config.variant].summary, history(model)["results"]["mse"]
    return f"{html.escape(in_short(said))} Mean squared error on test images: {error:.4f}."


def below(model: str) -> str:
    """HTML below the tabs: what the paper says of a model and what was measured, and links."""
    offer = offers()[model]
    rows = [row for row in claims.shipped() if row["variant"] == offer.config.variant]
    said = f"What the paper says of {offer.short}, and what was measured"
    note = f'<p class="narrow">{_summary(model)}</p>'  # on screens where the bar has no room for it
    known = f"<details><summary>{said}</summary>{verdicts(rows)}</details>" if rows else ""
    return f"{note}{known}{_LINKS}"


def _made(model: str) -> str:
    """Buttons for a picture that a model generates, and for its learnable vector if it has any."""
    made = f'<button type="button" data-generate>Generate</button>{_vector(model)}'
    return f'<div class="bring" role="group" aria-label="Pictures by the model">{made}</div>'


def _vector(model: str) -> str:
    """A button for a model's learnable vector, of several for the most used, which arrow keys reach from the first."""
    count = offers()[model].config.num_codes
    if not count:
        return ""
    index, title = most_used(model), "Its vector" if count == 1 else "A vector"
    said = "the learnable vector" if count == 1 else f"the most used of its {count} vectors"
    return f'<button type="button" data-vector="{index}" tabindex="-1" title="Start from {said}">{title}</button>'


def _places(state: State) -> str:
    buttons = "".join(
        option(f'data-place="{name}"', f'<b>{letter}</b><img src="{_picture(state, name)}" alt="">',
               name == state.place, name == state.place, f"Choose picture {letter}, now {getattr(state, name)}")
        for name, letter in PLACES.items()
    )  # fmt: skip
    return f'<div class="places" role="radiogroup" aria-label="Which picture to choose">{buttons}</div>'


def _picture(state: State, name: str) -> str:
    try:
        return data_url(originals.shown(state.model, getattr(state, name)))
    except ValueError:  # an uploaded image that is no longer here
        return ""


def _samples(state: State) -> str:
    classes = history(state.model).get("sample_classes") or []
    chosen = getattr(state, state.place)
    starts = [f"sample:{i}" for i in range(len(originals.samples(state.config.dataset)))]
    reached = chosen if chosen in starts else starts[0]
    buttons = "".join(
        option(f'data-start="{start}"', f'<img src="{data_url(image)}" alt="">', start == chosen, start == reached,
               f"sample {i}{f', {classes[i]}' if i < len(classes) and classes[i] else ''}", role="button")
        for i, (start, image) in enumerate(zip(starts, originals.samples(state.config.dataset), strict=True))
    )  # fmt: skip
    return f'<div class="samples" role="group" aria-label="Samples; arrow keys go from one to the next">{buttons}</div>'
