"""The tabs' common parts: pictures, the picker of models, links, and the wiring of events."""

import base64
import html
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from inspect import isgeneratorfunction
from io import BytesIO
from pathlib import Path
from typing import Any, Generic
from uuid import uuid4

import gradio as gr
from gradio.processing_utils import hash_bytes
from gradio.utils import get_upload_folder
from PIL import Image

from ..explore import data_sets, describe, offers, originals, starts
from ..explore.settings import S, Settings, one_of

# preprocess=False: Gradio would answer a wrong value with a traceback; every value is checked by the tab's settings
_QUIET = {"show_progress": "hidden", "api_visibility": "private", "preprocess": False}
# drawing: of the requests that arrive while one is drawn, only the last is kept
LIVE = {**_QUIET, "trigger_mode": "always_last", "concurrency_limit": 4, "concurrency_id": "views"}
# long work, one after another: the last request is also shown last
LONG = {**LIVE, "concurrency_limit": 1, "concurrency_id": "long"}
# clicks: none is dropped, unlike a slider's, and they are answered one after another
CLICKS = {**_QUIET, "trigger_mode": "multiple", "concurrency_limit": 1, "concurrency_id": "clicks"}
UPLOADS = {**CLICKS, "concurrency_id": "uploads"}  # a large image takes a second, and others do not wait for it
SESSIONS = 120  # whose state is kept, 0.7 MB each: every call of a program without a session begins one


def static(*names: str) -> str:
    """The text of files in ``static/``, one after another."""
    return "\n".join((Path(__file__).parent / "static" / name).read_text(encoding="utf-8") for name in names)


@contextmanager
def _explaining():
    try:
        yield
    except ValueError as error:
        raise gr.Error(str(error), print_exception=False) from error


def explained(function: Callable) -> Callable:
    """Show a ValueError of bad input as one sentence, on the page and to programs."""
    if not isgeneratorfunction(function):
        return _explaining()(function)

    @wraps(function)
    def stepping(*args, **kwargs):
        with _explaining():
            yield from function(*args, **kwargs)

    return stepping


def endpoint(function: Callable, lane: Mapping[str, Any] = LIVE) -> None:
    """Let programs call a function by its name. Its types and its docstring tell them how.

    ``lane`` is the one of the settings above whose queue the calls wait in.
    """
    gr.api(  # pyright: ignore[reportPrivateImportUsage]
        explained(function), concurrency_limit=lane["concurrency_limit"], concurrency_id=lane["concurrency_id"]
    )


def sent(event: gr.EventData, name: str) -> Any:
    """The value that an event carries under a name; None if there is none."""
    return event._data.get(name) if isinstance(event._data, dict) else None


def titled(titles: Mapping[Any, str]) -> list[tuple[str, Any]]:
    """Gradio's choices, from the titles of values."""
    return [(title, value) for value, title in titles.items()]


def png(image: Image.Image) -> bytes:
    """The bytes of a PNG."""
    data = BytesIO()
    image.save(data, "PNG", compress_level=1 if image.width > 300 else 6)
    return data.getvalue()


def data_url(content: bytes, kind: str = "image/png") -> str:
    """A file as an address that holds it, so that the page has it at once and nothing flickers."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def served(content: bytes, name: str = "image.png") -> str:
    """A file for the page. Gradio would rewrite the file of an equal picture while it is being sent."""
    path = Path(get_upload_folder()) / hash_bytes(content) / name
    if path.exists():
        os.utime(path)  # its age begins anew, so that it is not deleted before it is fetched
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{uuid4().hex}")
        beside.write_bytes(content)
        os.replace(beside, path)
    return str(path)


def answer(content: bytes, name: str = "picture.png") -> dict:
    """A file as an endpoint's answer, which Gradio's client downloads."""
    return {"path": served(content, name), "orig_name": name, "meta": {"_type": "gradio.FileData"}}


def coded(text: str) -> str:
    """Text as HTML, with parts in backticks as code."""
    return re.sub("`(.*?)`", r"<code>\1</code>", html.escape(text))


def figure(
    picture: Image.Image | bytes,  # sent as small as it is and enlarged by the browser without blur; or a WebP's bytes
    caption: str,  # above the picture
    alt: str,
    *,
    hint: str = "",  # smaller, after the caption
    cells: int = 0,  # along a side of a grid, which can then be clicked
    cell: tuple[int, int] | None = None,  # row and column from 0 of the chosen one, which is framed
    download: str = "",  # a file name, to offer the picture for download
    least: int = 0,  # the width in pixels below which a wide picture scrolls instead of shrinking
    overlay: str = "",  # HTML that lies over the picture
) -> str:
    """HTML of a picture with its caption."""
    source = data_url(picture, "image/webp") if isinstance(picture, bytes) else data_url(png(picture))
    is_square = isinstance(picture, bytes) or picture.width == picture.height
    chosen = ""
    if cell is not None:
        row, column, side = *cell, 100 / cells
        chosen = (
            f'<i class="cell" style="left:{column * side:.3f}%;top:{row * side:.3f}%;width:{side:.3f}%;'
            f'height:{side:.3f}%"></i>'
        )
    frame = f'<div class="frame {"square" if is_square else "wide"}" style="--least:{least}px"'
    frame += ' tabindex="0"' if least else ""  # what scrolls can be scrolled by keyboard
    frame += f' data-cells="{cells}">' if cells else ">"
    link = f'<a href="{source}" download="{html.escape(download)}">Download</a>' if download else ""
    small = f" <small>{html.escape(hint)}</small>" if hint else ""
    return (
        f'<figure class="picture"><figcaption>{html.escape(caption)}{small}</figcaption>{frame}'
        f'<img src="{source}" alt="{html.escape(alt)}">{chosen}{overlay}</div>{link}</figure>'
    )


def original(settings, otherwise: str) -> str:
    """HTML of the original of a tab's start, or of a sentence where it is not shown."""
    picture = originals.picture(settings)
    if picture is None:
        return f'<p class="said-of"><b>Original</b><br>{otherwise}</p>'
    return figure(picture, "Original", f"the original of {settings.start}")


@dataclass
class View:
    """A part of a tab that is redrawn when its settings change."""

    draw: Callable  # from the tab's settings to a list of the outputs' values, or to several, one after another
    outputs: list
    how: dict = field(default_factory=lambda: LIVE)  # Gradio's options of the event


class Tab(Generic[S]):
    """A tab that is laid out: its controls, its views, and its last lines, which are laid out here.

    Events hand over the values of all controls by component.

    Args:
        tab: Gradio's, whose opening draws it.
        settings: the class of its settings.
        controls: for each setting's name its component, or the components whose values are joined by commas.
        views: all that it shows.
        code: from settings to the Python that makes it.
        fills: each from settings to updates of components for which the setting's value alone is not enough.
        opened: whether the Python is shown at first.
    """

    def __init__(
        self, tab: gr.Tab, settings: type[S], controls: dict, views: list[View], code: Callable[[S], str],
        fills: Iterable[Callable[[S], dict]] = (), opened: bool = False,
    ):  # fmt: skip
        self.id, self.tab, self.settings, self.views = str(tab.id), tab, settings, views
        self.controls, self._fills = {name: controls[name] for name in settings.names()}, fills
        named = [(name, box) for name, c in self.controls.items() for box in (c if isinstance(c, list) else [c])]
        names, self.components = [name for name, _ in named], {box for _, box in named}
        self.outputs = list(self.fill(settings(model=settings.first())))
        with gr.Row(equal_height=True):
            copy = gr.Button("Copy link to this", size="sm", scale=0, min_width=170, elem_id=f"{self.id}_link")
            said = gr.HTML(elem_id=f"{self.id}_said", elem_classes=["said"])
        script = f"(...values) => ({static('link.js')})({json.dumps(self.id)}, {json.dumps(names)}, values)"
        copy.click(None, [box for _, box in named], said, js=script, **CLICKS)
        with gr.Accordion("The Python that makes this picture", open=opened, elem_id=f"{self.id}_python"):
            shown = gr.Code(
                language="python", interactive=False, show_label=False, elem_id=f"{self.id}_code", buttons=["copy"],
                elem_classes=["snippet"], wrap_lines=True,
            )  # fmt: skip
        self.code = View(lambda settings: [code(settings)], [shown])

    def fill(self, settings: S) -> dict:
        """Updates of all components that depend on settings."""
        plain = {box: getattr(settings, name) for name, box in self.controls.items() if not isinstance(box, list)}
        return plain | {box: update for fill in self._fills for box, update in fill(settings).items()}

    def collected(self, values: dict) -> S:
        """The settings that the controls' values mean."""
        joined = {name: c for name, c in self.controls.items() if isinstance(c, list)}
        plain = {name: values[box] for name, box in self.controls.items() if name not in joined}
        return self.settings(**plain, **{name: ",".join(str(values[box]) for box in c) for name, c in joined.items()})

    def redraw(self, event, views: Iterable[View]) -> None:
        """After an event that went well, draw views one after another, and the code. Stop at the first error."""
        for view in [*views, self.code]:
            event = event.success(self._drawing(view), self.components, view.outputs, **view.how)

    def redraw_on(self, events: list, views: Iterable[View]) -> None:
        """On each of several events, draw views one after another, and the code."""
        first, *rest = views
        self.redraw(gr.on(events, self._drawing(first), self.components, first.outputs, **first.how), rest)

    def draw_on(self, events: list, view: View) -> None:
        """On each of several events, draw a view and the code at once: for sliders that are moving."""
        both = View(lambda s: [*view.draw(s), *self.code.draw(s)], view.outputs + self.code.outputs)
        # straight to its function: Gradio's queue would take longer than the picture does
        gr.on(events, self._drawing(both), self.components, both.outputs, **LIVE, queue=False)

    def change_model(self, kept: list[str], picker: "Picker | None" = None) -> None:
        """When another model is chosen, begin with it, keeping some of the settings, and draw everything."""
        controls = {name: self.controls[name] for name in ("model", *kept)}

        @explained
        def begin(values: dict) -> dict:
            return self.fill(starts.carried_over(self.settings(**{name: values[controls[name]] for name in controls})))

        def then(event) -> None:
            self.redraw(event(begin, set(controls.values()), self.outputs, **CLICKS), self.views)

        then(controls["model"].input)
        if picker:
            inputs = [picker.dataset, picker.model]
            then(picker.dataset.input(explained(picker.of_dataset), inputs, picker.model, **CLICKS).success)

    def _drawing(self, view: View) -> Callable:
        if isgeneratorfunction(view.draw):

            def stepping(values: dict):
                yield from (dict(zip(view.outputs, parts, strict=True)) for parts in view.draw(self.collected(values)))

            return explained(stepping)
        return explained(lambda values: dict(zip(view.outputs, view.draw(self.collected(values)), strict=True)))


class Picker:
    """Which model: a data set, and a variant out of those that can do the tab's job. It is laid out as a column."""

    def __init__(self, tab: str, settings: type[Settings]):
        self._offers, first = offers(settings.can), settings.first()
        dataset = self._offers[first].config.dataset
        with gr.Column(min_width=300) as self.column:
            self.dataset = gr.Radio(
                titled(data_sets(settings.can)), value=dataset, label="Pictures of", info="the data set",
                elem_id=f"{tab}_dataset",
            )  # fmt: skip
            self.model = gr.Dropdown(
                self._variants(dataset), value=first, label="Model", info="the variant", elem_id=f"{tab}_model",
                filterable=False,
            )  # fmt: skip
            self.about = gr.Markdown(describe(first), elem_id=f"{tab}_about", min_height=96)

    def fill(self, settings: Settings) -> dict:
        """Updates of the components."""
        dataset = settings.config.dataset
        return {
            self.dataset: dataset,
            self.model: gr.update(choices=self._variants(dataset), value=settings.model),
            self.about: describe(settings.model),
        }

    def of_dataset(self, dataset: str, model: str):
        """The same variant of another data set, or the first one it has."""
        variants = self._variants(one_of("data set", dataset, [o.config.dataset for o in self._offers.values()]))
        names = [name for _, name in variants]
        variant = self._offers[one_of("model", model, self._offers)].config.variant
        same = next((name for name in names if self._offers[name].config.variant == variant), names[0])
        return gr.update(choices=variants, value=same)

    def _variants(self, dataset: str) -> list[tuple[str, str]]:
        return [(offer.variant, name) for name, offer in self._offers.items() if offer.config.dataset == dataset]
