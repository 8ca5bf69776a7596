"""Choosing a picture to start from: a sample, an uploaded image, a sketch, or a random draw."""

import random
from collections.abc import Callable
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from ..explore import exhibit, starts
from ..explore.settings import Settings, one_of
from .parts import CLICKS, UPLOADS, explained, png, sent, served, static, titled

# Gradio's own pad needs WebGL, one context for each pad, and a picture in the size of its canvas
_PAD = """
<canvas width="112" height="112" role="img" aria-label="a sketch pad: draw with the mouse or a finger"></canvas>
<button type="button">Clear</button>
"""


def uploaded(file) -> Path:
    """The path of an uploaded file, from what the page sends of it.

    Raises:
        ValueError: it is not an upload but, say, another file of the server.
    """
    folder = Path(get_upload_folder()).resolve()
    try:
        path = Path(file["path"]).resolve()
    except (TypeError, KeyError, ValueError, OSError):
        path = folder
    if folder not in path.parents:
        raise ValueError("This is no uploaded file; please bring the image again.")
    return path


class Chooser:
    """Picks a start for each of one or more places. It is laid out as a column.

    Args:
        tab: the tab's id.
        places: of each setting that is a start, the name for people.
        settings: the tab's settings with their defaults.

    Attributes:
        tokens: for each place the box with its start, which can be typed into; the tab renders it where it shows the
            picture.
    """

    def __init__(self, tab: str, places: dict[str, str], settings: Settings):
        self._places = list(places)
        first = exhibit(settings.model)
        grey = first.model.config.channels == 1
        self.tokens = {
            name: gr.Textbox(
                getattr(settings, name), label=title, info="type sample:3 or random:17 (a draw), and Enter",
                max_lines=1, render=False, min_width=100, elem_id=f"{tab}_{name}_token",
            )
            for name, title in places.items()
        }  # fmt: skip
        with gr.Column(min_width=300):
            self.place = gr.Radio(
                titled(places), value=self._places[0], label="Choose a picture for", visible=len(places) > 1,
                elem_id=f"{tab}_place",
            )  # fmt: skip
            gr.Markdown("Start from a sample of the data set …" if len(places) == 1 else "… a sample of the data set:")
            self.gallery = gr.Gallery(
                [served(png(image)) for image in first.thumbnails], label="Samples", show_label=False, columns=10,
                height="auto", allow_preview=False, format="png", buttons=[], interactive=False, selected_index=None,
                elem_classes=["starts", "pixels"], elem_id=f"{tab}_starts",
            )  # fmt: skip
            self.random = gr.Button("Random draw from the model", size="sm", elem_id=f"{tab}_random")
            with gr.Accordion("Bring an image of your own", open=False, elem_id=f"{tab}_bring"):
                self.upload = gr.Image(
                    label="Your image", sources=["upload", "clipboard", "webcam"], height=200, elem_id=f"{tab}_upload"
                )
                self.invert = gr.Checkbox(
                    label="Dark on white: swap dark and bright", visible=grey, elem_id=f"{tab}_invert"
                )
            with gr.Accordion("Draw one", open=False, visible=grey, elem_id=f"{tab}_draw") as self.sketching:
                self.pad = gr.HTML(
                    html_template=_PAD, js_on_load=static("sketch.js"), elem_classes=["sketch"], elem_id=f"{tab}_sketch"
                )

    def fill(self, settings: Settings) -> dict:
        """Updates of the components, but for the tokens."""
        shown = exhibit(settings.model)
        grey = shown.model.config.channels == 1
        return {
            self.gallery: gr.update(value=[served(png(image)) for image in shown.thumbnails], selected_index=None),
            self.invert: gr.update(visible=grey),
            self.sketching: gr.update(visible=grey),
        }

    def wire(self, redraw: Callable) -> None:
        """Let every way of choosing set its place's start, and call ``redraw(event)`` for what follows."""
        upload = [self.place, self.upload, self.invert]
        ways = [
            (self.gallery.select, self._select, self.place, CLICKS),
            (self.random.click, self._draw, self.place, CLICKS),
            (self.pad.input, self._sketch, self.place, UPLOADS),
            (self.upload.input, self._bring, upload, UPLOADS),
            (self.invert.input, self._bring, upload, UPLOADS),
            *(
                (box.submit, lambda token, name=name: {self.tokens[name]: starts.checked(name, token)}, box, CLICKS)
                for name, box in self.tokens.items()
            ),
        ]
        for event, chosen, inputs, lane in ways:
            redraw(event(explained(chosen), inputs, list(self.tokens.values()), **lane))

    def _put(self, place: str, token) -> dict:
        return {self.tokens[one_of("place", place, self._places)]: token}

    def _select(self, place: str, event: gr.EventData) -> dict:
        return self._put(place, starts.checked("start", f"sample:{sent(event, 'index')}"))

    def _draw(self, place: str) -> dict:
        return self._put(place, f"random:{random.randrange(10_000)}")

    def _bring(self, place: str, file: dict | None, invert: bool) -> dict:
        return self._put(place, starts.bring(uploaded(file), invert) if file else gr.skip())  # none: taken away

    def _sketch(self, place: str, event: gr.EventData) -> dict:
        return self._put(place, starts.bring_data(sent(event, "picture")))
