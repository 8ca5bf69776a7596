"""The about tab: the models, their results and licences, and how to load one."""

import html

import gradio as gr

from .. import claims as measured
from ..explore import about as explore
from ..explore import data_sets, describe, offers, snippets
from ..explore.about import About
from ..explore.settings import one_of
from ..measures import Lines, markdown_table, meanings
from .parts import Picker, Tab, View, coded, figure

ID, TITLE, SETTINGS = "about", "About", About
_PAPER = """
## The paper

*Rethinking VAE: From Continuous to Discrete Representations Without Probabilistic Assumptions*, by Songxuan Shi. It
begins with a plain autoencoder and asks what gives its latents an order that one can move in. Its answer is no
probability but a pull: of a batch of images the one whose latent is nearest to a learnable vector is drawn to it, and
the vector to that one (section 3.1). With one vector that does the work of a variational autoencoder (`center`); with
several it is a codebook (`codebook`, `ema`, `residual`); with a code for each cell of a grid it is close to VQ-VAE
(`vqae`, `vqvae`). The models here were trained to see for oneself which of this holds.
"""

_CLAIMS = """
## What the paper claims, and what we measured

Each claim is split into what can be measured. ✓: it reaches the bound in brackets; ✗: it does not. With ±, the value
is a mean over several trainings.
"""


def describe_model(model: str = About.model) -> str:
    """Describe a model and its results.

    Args:
        model: one of the models that the endpoint `models` lists, such as center-mnist.

    Returns:
        Markdown.
    """
    return describe(one_of("model", model, offers()))


def results(dataset: str = "mnist") -> str:
    """List the results of every shipped model of a data set.

    Args:
        dataset: mnist, fashionmnist or celeba.

    Returns:
        A table in Markdown, with the meaning of its columns.
    """
    return f"{markdown_table(explore.results(dataset))}\n\n{meanings(explore.COLUMNS)}"


def claims() -> list[dict]:
    """List the paper's claims with their verdicts and the values that were measured, one for each training.

    Returns:
        For each claim its number, section, variant, verdict and parts, each with a bound and values by case.
    """
    return measured.shipped()


ENDPOINTS = (describe_model, results, claims)


def _draw_samples(settings: About) -> list[str]:
    alt = f"ten new pictures, drawn at random by {settings.model}"
    return [figure(explore.samples(settings), "New pictures from it", alt, hint="random draws, seed 0", least=480)]


def _table(lines: Lines, said: str) -> str:
    """HTML of a table that scrolls on its own if it is too wide, also by keyboard."""
    head = "".join(f'<th scope="col">{coded(cell)}</th>' for cell in lines[0])
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
        for first, *cells in ([coded(cell) for cell in line.values()] for line in lines)
    )
    return (
        f'<div class="table" tabindex="0" role="region" aria-label="{html.escape(said)}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def build() -> Tab:
    """Lay the tab out and wire it."""
    with gr.Tab(TITLE, id=ID) as tab:
        gr.Markdown(_PAPER)
        if verdicts := explore.verdicts():
            gr.Markdown(_CLAIMS)
            gr.HTML(_table(verdicts, "the paper's claims"), elem_id="about_claims")
        gr.Markdown("## The variants")
        gr.HTML(_table(explore.variants(), "the variants"), elem_id="about_variants")
        gr.Markdown("## The results")
        for name, title in data_sets().items():
            gr.Markdown(f"### {title}\n\n{explore.counted(name)}")
            gr.HTML(_table(explore.results(name), f"the results on {title}"), elem_id=f"about_{name}")
        gr.Markdown("What the numbers mean:\n\n" + meanings(explore.COLUMNS))
        gr.Markdown("## Licences\n\n" + explore.licences(), elem_id="about_licences")
        gr.Markdown("## Load a model")
        with gr.Row():
            picker = Picker(ID, About)
            with gr.Column(min_width=300):
                samples = gr.HTML(elem_id="about_samples", min_height=110)
        views = [View(_draw_samples, [samples])]
        result = Tab(tab, About, {"model": picker.model}, views, snippets.about, [picker.fill], opened=True)
    result.change_model([], picker)
    return result
