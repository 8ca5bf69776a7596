"""The page: a header, the tabs, and what a link restores."""

import html
from importlib.util import find_spec

import gradio as gr
import torch
from gradio.themes import Soft
from starlette.middleware import Middleware

from ..config import LoadError
from ..explore import offers, starts
from ..explore.settings import one_of
from . import about, codebook, interpolation, ladder, perturbation, recombination
from .fair import share_fairly
from .guard import Guard
from .parts import LIVE, SESSIONS, UPLOADS, endpoint, static

TABS = (perturbation, interpolation, codebook, recombination, ladder, about)
THEME = Soft(
    primary_hue="teal",
    secondary_hue="teal",
    font=["ui-sans-serif", "system-ui", "sans-serif"],  # nothing is fetched
    font_mono=["ui-monospace", "Consolas", "monospace"],
).set(
    block_title_background_fill="none",
    block_title_background_fill_dark="none",
    block_title_text_color="*body_text_color",
    block_title_text_color_dark="*body_text_color",
    block_title_padding="0",
    block_info_text_color="*body_text_color_subdued",
    # dark enough on light, and light enough on dark, to be read: WCAG's 4.5 to 1
    body_text_color_subdued="*neutral_500",
    checkbox_label_background_fill_selected="*primary_700",
    checkbox_label_background_fill_selected_dark="*primary_700",
    link_text_color="*primary_700",
    link_text_color_hover="*primary_800",
)
INTRODUCTION = """
# From continuous to discrete, one autoencoder at a time

An *autoencoder* squeezes a picture into a few dozen numbers, its *latent*, and draws it again from them. Here you can
turn those numbers by hand and watch what the model makes of it – with the models of **Rethinking VAE: From Continuous
to Discrete Representations Without Probabilistic Assumptions**.
"""


def models() -> list[str]:
    """List the models, each named <variant>-<data set>."""
    return list(offers())


def bring(picture: str, invert: bool = False) -> str:
    """Bring a picture of your own, to start from in the other endpoints.

    Args:
        picture: a PNG, JPEG or WebP file as base64 text, or as a data: URL; 10 MB at most.
        invert: swap dark and bright, for ink on paper with models of digits.

    Returns:
        its name, image:…, which the other endpoints take as a start for as long as it is kept.
    """
    return starts.bring_data(picture, invert)


def build() -> gr.Blocks:
    """Build the page, with the tabs that at least one model supports.

    Raises:
        LoadError: there is no model.
    """
    shown = [module for module in TABS if offers(module.SETTINGS.can)]
    if not shown:
        raise LoadError("there is no model to show: model_cards/ has none; train one with `aevq train`")
    with gr.Blocks(
        title="AEVQ – from continuous to discrete", analytics_enabled=False, delete_cache=(3600, 3600)
    ) as demo:
        gr.Markdown(INTRODUCTION)
        problem = gr.HTML(visible=False, elem_id="problem")
        with gr.Tabs(selected=shown[0].ID) as tabs:
            built = [module.build() for module in shown]
        for function in (models, *(function for module in shown for function in module.ENDPOINTS)):
            endpoint(function)
        endpoint(bring, UPLOADS)

        def restore(request: gr.Request) -> dict:
            """Restore what a link asks for. Invalid values keep their defaults and are named on the page."""
            link, problems = dict(request.query_params), []
            try:
                chosen = one_of("tab", link.get("tab", built[0].id), [tab.id for tab in built])
            except ValueError as error:
                chosen, problems = built[0].id, [str(error)]
            updates = {
                tabs: gr.Tabs(selected=chosen) if "tab" in link else gr.skip()
            }  # otherwise one may have been opened since
            for tab in built:
                settings, wrong = tab.settings.from_link(link if tab.id == chosen else {})
                problems += wrong
                updates |= tab.fill(settings)
            text = html.escape("This link was not quite right: " + " ".join(problems))
            return {**updates, problem: gr.HTML(f'<p role="alert">{text}</p>', visible=bool(problems))}

        loaded = demo.load(restore, None, [tabs, problem, *(o for tab in built for o in tab.outputs)], **LIVE)
        first, *others = built
        first.redraw(loaded, first.views)  # its own opening comes before the link is read
        for tab in others:  # drawn when opened, by a link too
            tab.redraw_on([tab.tab.select], tab.views)
    return demo


def launch(demo: gr.Blocks, **options) -> None:
    """Serve the page; the options are those of Gradio's ``launch``."""
    torch.set_num_threads(1)  # several people share the processors: one picture, one thread
    demo.queue(max_size=200, default_concurrency_limit=LIVE["concurrency_limit"])
    share_fairly(demo._queue)
    # with gradio[mcp] the endpoints are tools of language models too
    options = {"mcp_server": find_spec("mcp") is not None, **options}
    demo.launch(
        theme=THEME, css=static("demo.css"), footer_links=["api"], max_file_size="10mb",
        state_session_capacity=SESSIONS, app_kwargs={"middleware": [Middleware(Guard)]}, **options,
    )  # fmt: skip
