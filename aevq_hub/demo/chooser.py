"""The one way to pick what to start from: a sample, an image of one's own, a sketch, or a random draw."""

import random
from collections.abc import Callable
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from ..explore import exhibit, starts
from ..explore.settings import Settings, one_of
from .parts import CLICKS, explained, outputs, png, sent, served

# Gradio's own pad needs WebGL, one context for each pad, and a picture in the size of its canvas
_PAD = """
<canvas width="112" height="112" role="img" aria-label="a sketch pad: draw with the mouse or a finger"></canvas>
<button type="button">Clear</button>
"""
_PAD_SCRIPT = """
const canvas = element.querySelector('canvas'), pen = canvas.getContext('2d');
let last = null;
const clear = () => { pen.fillStyle = '#000'; pen.fillRect(0, 0, 112, 112); };
const at = event => { const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width * 112, (event.clientY - box.top) / box.height * 112]; };
const line = event => { const now = at(event); pen.beginPath(); pen.moveTo(...last); pen.lineTo(...now); pen.stroke();
    last = now; };
clear(); pen.strokeStyle = '#fff'; pen.lineWidth = 9; pen.lineCap = 'round';
canvas.addEventListener('pointerdown', event => { canvas.setPointerCapture(event.pointerId); last = at(event);
    line(event); event.preventDefault(); });
canvas.addEventListener('pointermove', event => { if (last) line(event); });
canvas.addEventListener('pointerup', () => { if (!last) return; last = null;
    trigger('input', {picture: canvas.toDataURL('image/png')}); });
element.querySelector('button').addEventListener('click', clear);
"""


def uploaded(file) -> Path:
    """The path of an uploaded file, from what the page sends of it.

    Raises:
        ValueError: it is no upload but, say, another file of the server.
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
    """Picks a start for each of one or more places.

    Args:
        tab: the tab's id.
        places: of each setting that is a start, the name for people.
        settings: the tab's settings with their defaults.

    Attributes:
        tokens: for each place the box with its start, which the tab renders where it shows the picture. It can be
            typed into.
    """

    def __init__(self, tab: str, places: dict[str, str], settings: Settings):
        self._places = list(places)
        first = exhibit(settings.model)
        self.place = gr.Radio(
            [(title, name) for name, title in places.items()], value=self._places[0], label="Choose a picture for",
            visible=len(places) > 1, elem_id=f"{tab}_place",
        )  # fmt: skip
        gr.Markdown("Start from a sample of the data set …" if len(places) == 1 else "… a sample of the data set:")
        self.gallery = gr.Gallery(
            [served(png(image)) for image in first.thumbnails], label="Samples", show_label=False, columns=10,
            height="auto", allow_preview=False, format="png", buttons=[], interactive=False, selected_index=None,
            elem_classes=["starts", "pixels"], elem_id=f"{tab}_starts",
        )  # fmt: skip
        self.random = gr.Button("Random draw from the model", size="sm", elem_id=f"{tab}_random")
        self.tokens = {
            name: gr.Textbox(
                getattr(settings, name), label=title, info="type sample:3 or random:17 (a draw), and Enter",
                max_lines=1, render=False, min_width=100, elem_id=f"{tab}_{name}_token",
            )
            for name, title in places.items()
        }  # fmt: skip
        with gr.Accordion("Bring an image of your own", open=False, elem_id=f"{tab}_bring"):
            self.upload = gr.Image(
                label="Your image", sources=["upload", "clipboard", "webcam"], height=200, elem_id=f"{tab}_upload"
            )
            self.invert = gr.Checkbox(label="Dark on white: swap dark and bright", elem_id=f"{tab}_invert")
        with gr.Accordion("Draw one", open=False, elem_id=f"{tab}_draw") as self.sketching:
            self.pad = gr.HTML(
                html_template=_PAD, js_on_load=_PAD_SCRIPT, elem_classes=["sketch"], elem_id=f"{tab}_sketch"
            )
        grey = first.model.config.channels == 1
        self.invert.visible = self.sketching.visible = grey

    @property
    def outputs(self) -> list:
        return [self.gallery, self.invert, self.sketching, *self.tokens.values()]

    def fill(self, settings: Settings) -> dict:
        grey = settings.config.channels == 1
        return {
            self.gallery: gr.Gallery([served(png(i)) for i in exhibit(settings.model).thumbnails], selected_index=None),
            self.invert: gr.Checkbox(visible=grey),
            self.sketching: gr.Accordion(visible=grey),
            **{box: getattr(settings, name) for name, box in self.tokens.items()},
        }

    def wire(self, redraw: Callable) -> None:
        """Let every way of choosing set its place's start, and call ``redraw(event)`` for what follows."""
        boxes = list(self.tokens.values())
        selected = self.gallery.select(explained(self._select), self.place, boxes, **CLICKS)
        drawn = self.random.click(explained(self._draw), self.place, boxes, **CLICKS)
        sketched = self.pad.input(explained(self._sketch), self.place, boxes, **CLICKS)
        uploads = [
            event(explained(self._bring), [self.place, self.upload, self.invert], boxes, **CLICKS)
            for event in (self.upload.input, self.invert.input)
        ]
        typed = [
            box.submit(explained(lambda token, name=name: starts.checked(name, token)), box, box, **CLICKS)
            for name, box in self.tokens.items()
        ]
        for event in (selected, drawn, sketched, *uploads, *typed):
            redraw(event)

    def _put(self, place: str, token: str) -> list:
        one_of("place", place, self._places)
        return outputs([token if name == place else gr.skip() for name in self._places])

    def _select(self, place: str, event: gr.EventData):
        return self._put(place, starts.checked("start", f"sample:{sent(event, 'index')}"))

    def _draw(self, place: str):
        return self._put(place, f"random:{random.randrange(10_000)}")

    def _bring(self, place: str, file: dict | None, invert: bool):
        if not file:  # taken away
            return outputs([gr.skip()] * len(self._places))
        return self._put(place, starts.bring(uploaded(file), invert))

    def _sketch(self, place: str, event: gr.EventData):
        return self._put(place, starts.bring_data(sent(event, "picture")))
