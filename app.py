"""The demo: layout and events. What the tabs show is computed in ``aevq_hub``."""

import os
from functools import wraps
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import gradio as gr
from gradio.processing_utils import hash_bytes
from gradio.themes import Soft
from gradio.utils import get_upload_folder

from aevq_hub import available_models, explore, latent, pictures

FIRST = "center-mnist"
THEME = Soft(
    primary_hue="teal",
    secondary_hue="teal",
    font=["ui-sans-serif", "system-ui", "sans-serif"],  # nothing is fetched
    font_mono=["ui-monospace", "Consolas", "monospace"],
)
CSS = """
.gradio-container { max-width: 1120px !important; margin: auto; }
.pixels img { image-rendering: pixelated; }
.caption { font-weight: 600; padding-bottom: 2px; }
.starts .gallery-item { height: auto !important; }
.starts .grid-wrap { height: auto !important; min-height: 0 !important; max-height: none !important; }
.starts .grid-container { grid-template-columns: repeat(auto-fill, minmax(52px, 1fr)) !important; gap: 6px;
  grid-auto-rows: min-content !important; grid-template-rows: none !important; }
.starts .thumbnail-item, .starts .thumbnail-item img { height: auto !important; width: 100%; }
"""
INTRODUCTION = """
# From continuous to discrete, one autoencoder at a time

An *autoencoder* squeezes a picture into a few dozen numbers and draws it again from them. Here you can turn those
numbers by hand and watch what the model makes of it – with the models of **Rethinking VAE: From Continuous to Discrete
Representations Without Probabilistic Assumptions**.
"""


def served(image) -> str:
    """A PIL image as a file for the page. Gradio would rewrite the file of an equal picture while it is being sent."""
    data = BytesIO()
    image.save(data, "PNG")
    path = Path(get_upload_folder()) / hash_bytes(data.getvalue()) / "image.png"
    if path.exists():
        os.utime(path)  # its age begins anew, so that it is not cleaned away before it is fetched
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{uuid4().hex}")
        beside.write_bytes(data.getvalue())
        os.replace(beside, path)
    return str(path)


def explained(function):
    """Show a ValueError of bad input as one sentence in the page."""

    @wraps(function)  # Gradio reads the arguments' types
    def wrapped(*args):
        try:
            return function(*args)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return wrapped


@explained
def open_model(name: str):
    """Everything that changes with the model."""
    shown = explore.exhibit(name)
    config = shown.model.config
    lowest, highest = explore.shifts(shown.model)
    thumbnails = [served(image) for image in shown.thumbnails]
    return {
        about: shown.description,
        code: f'from aevq_hub import AEVQ\n\nmodel = AEVQ.from_pretrained("{name}")',
        starts: gr.Gallery(thumbnails, selected_index=None),
        ends: gr.Gallery(thumbnails, selected_index=None),
        z: shown.z[0],
        z_end: shown.z[1],
        rank: gr.Slider(maximum=config.latent_dim, value=1),
        shift: gr.Slider(minimum=lowest, maximum=highest, value=0),
        **{box: gr.Checkbox(visible=config.channels == 1, value=False) for box in (invert, invert_end)},
        **dict.fromkeys((upload, upload_end)),
    }


@explained
def pick(name: str, event: gr.SelectData):
    return explore.exhibit(name).z[event.index]


@explained
def bring(name: str, path: str | None, is_inverted: bool, before):
    if path is None:
        return before
    return explore.encode_file(explore.exhibit(name).model, path, is_inverted)


@explained
def show_start(name: str, start):
    return served(explore.draw(explore.exhibit(name).model, start))


@explained
def show_shift(name: str, start, chosen: int, amount: float):
    return served(explore.perturbed(explore.exhibit(name).model, start, chosen, amount))


@explained
def show_sheet(name: str, start):
    return served(pictures.perturbation(explore.exhibit(name).model, start))


@explained
def show_strip(name: str, start, end, count: int, kind: str):
    if start is None:  # the tab was opened before the model was: it draws the strip when it is there
        return gr.skip()
    model = explore.exhibit(name).model
    return served(pictures.interpolation(model, start[None], end[None], count, kind))


def picture(caption: str, alt: str, **options) -> gr.Image:
    """A picture with its caption above, where it hides nothing."""
    gr.Markdown(caption, elem_classes=["caption"])
    return gr.Image(
        label=caption, show_label=False, alt_text=alt, interactive=False, format="png",
        buttons=["download", "fullscreen"], elem_classes=["pixels"], **options,
    )  # fmt: skip


def chooser(label: str, **options):
    """The one way to pick a picture: a sample, or an image of one's own."""
    gr.Markdown(label, elem_classes=["caption"])
    gallery = gr.Gallery(
        label=label, show_label=False, columns=10, height="auto", allow_preview=False, format="png", buttons=[],
        interactive=False, elem_classes=["starts", "pixels"], **options,
    )  # fmt: skip
    with gr.Accordion("… or bring an image of your own", open=False):
        image = gr.Image(
            label="Your image",
            type="filepath",
            image_mode=None,
            sources=["upload", "clipboard", "webcam"],
            height=220,
            elem_id=f"{options['elem_id']}_upload",
        )
        # Gradio would open the file itself, and answer one that is no image with a traceback
        image.preprocess = lambda payload: payload and payload.path
        is_inverted = gr.Checkbox(label="Dark on white: swap dark and bright", visible=False)
    return gallery, image, is_inverted


with gr.Blocks(title="AEVQ – from continuous to discrete", analytics_enabled=False, delete_cache=(3600, 3600)) as demo:
    z, z_end = gr.State(), gr.State()
    gr.Markdown(INTRODUCTION)
    names = available_models()
    model = gr.Dropdown(
        [(explore.title(name), name) for name in names],
        value=FIRST if FIRST in names else next(iter(names), None),
        label="Model",
        elem_id="model",
    )
    about = gr.Markdown()
    starts, upload, invert = chooser("Start from", elem_id="starts")
    with gr.Tabs():
        with gr.Tab("Perturbation"):
            gr.Markdown(
                "Shift one number of the latent and see what it stands for. Dimensions are ranked: number 1 moves the "
                "picture most."
            )
            with gr.Row():
                with gr.Column():
                    start_picture = picture("The start, as the model draws it", "the chosen start", elem_id="start")
                with gr.Column():
                    rank = gr.Slider(1, 64, value=1, step=1, label="Dimension, by rank", elem_id="rank")
                    shift = gr.Slider(
                        -3, 3, value=0, step=0.1, label="Shift", info="in the latent's own units", elem_id="shift"
                    )
                with gr.Column():
                    live = picture("Shifted", "the picture after the shift", elem_id="live")
            sheet = picture(
                "The ten dimensions that move the picture most (columns), shifted by the amounts at the left (rows)",
                "a grid of pictures, dimensions in columns and shifts in rows",
                elem_id="sheet",
            )
        with gr.Tab("Interpolation") as interpolation_tab:
            gr.Markdown("Walk from the start to another picture, and let the model draw every step of the way.")
            ends, upload_end, invert_end = chooser("Walk to", elem_id="ends")
            with gr.Row():
                steps = gr.Slider(3, 17, value=9, step=1, label="Steps", elem_id="steps")
                mode = gr.Radio(
                    [("straight line (lerp)", "lerp"), ("along the arc (slerp)", "slerp")],
                    value=latent.MODES[0],
                    label="Way",
                    elem_id="mode",
                )
            strip = picture("From start to end", "the pictures on the way, left to right", elem_id="strip")
    with gr.Accordion("Use this model in Python", open=False):
        code = gr.Code(language="python", interactive=False, show_label=False)

    live_view = {"show_progress": "hidden", "trigger_mode": "always_last", "concurrency_limit": 4}

    def redraw(event, *views):
        """After an event, draw the given (function, inputs, output) one after another."""
        for function, inputs, output in views:
            event = event.then(function, inputs, output, **live_view)

    start_view = (show_start, [model, z], start_picture)
    shift_view = (show_shift, [model, z, rank, shift], live)
    sheet_view = (show_sheet, [model, z], sheet)
    strip_view = (show_strip, [model, z, z_end, steps, mode], strip)

    changing = [about, code, starts, ends, z, z_end, rank, shift, invert, invert_end, upload, upload_end]
    every_view = (start_view, shift_view, sheet_view, strip_view)
    if names:
        redraw(gr.on([demo.load, model.change], open_model, model, changing, show_progress="hidden"), *every_view)
    redraw(starts.select(pick, model, z, show_progress="hidden"), *every_view)
    redraw(ends.select(pick, model, z_end, show_progress="hidden"), strip_view)
    for event in (upload.change, invert.change):
        redraw(event(bring, [model, upload, invert, z], z, show_progress="hidden"), *every_view)
    for event in (upload_end.change, invert_end.change):
        redraw(event(bring, [model, upload_end, invert_end, z_end], z_end, show_progress="hidden"), strip_view)
    gr.on([rank.input, shift.input], *shift_view, **live_view)
    # a tab that is opened while its picture arrives may miss it, so it asks for it
    gr.on([interpolation_tab.select, steps.input, mode.input], *strip_view, **live_view)


if __name__ == "__main__":
    demo.launch(theme=THEME, css=CSS, footer_links=["api"], max_file_size="10mb")
