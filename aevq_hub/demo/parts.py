"""What the tabs have in common: pictures, the model's picker, links, and how a tab is wired."""

import base64
import html
import json
import os
import re
from collections.abc import Callable, Iterable
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

from ..explore import data_sets, describe, offers, starts
from ..explore.settings import S, Settings, one_of

# preprocess=False: Gradio would answer a wrong value with a traceback; every value is checked by the tab's settings
_QUIET = {"show_progress": "hidden", "api_visibility": "private", "preprocess": False}
# what is drawn: while one is drawn, of those that follow only the last
LIVE = {**_QUIET, "trigger_mode": "always_last", "concurrency_limit": 4, "concurrency_id": "views"}
# long work, one after another: what was asked for last is also what is shown last
LONG = {**LIVE, "concurrency_limit": 1, "concurrency_id": "long"}
# what was clicked: none is dropped, as one of a slider's may be, and one follows after another
CLICKS = {**_QUIET, "trigger_mode": "multiple", "concurrency_limit": 1, "concurrency_id": "clicks"}

_LINK = """async (tab, names, values) => {
    const url = new URL(location.href), theme = url.searchParams.get("__theme"), found = {tab};
    names.forEach((name, i) => found[name] = name in found ? `${found[name]},${values[i]}` : `${values[i]}`);
    if (theme) found.__theme = theme;
    url.search = new URLSearchParams(found);
    history.replaceState(null, "", url);
    try { await navigator.clipboard.writeText(url.href); return "<p role=status>The link is copied.</p>"; }
    catch { return "<p role=status>The address bar now holds the link.</p>"; }
}"""


def explained(function: Callable) -> Callable:
    """Show a ValueError of bad input as one sentence, on the page and to programs."""
    if isgeneratorfunction(function):

        @wraps(function)
        def stepping(*args, **kwargs):
            try:
                yield from function(*args, **kwargs)
            except ValueError as error:
                raise gr.Error(str(error), print_exception=False) from error

        return stepping

    @wraps(function)  # Gradio reads the arguments' types
    def wrapped(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return wrapped


def endpoint(function: Callable) -> None:
    """Let programs call a function by its name. Its types and its docstring tell them how."""
    gr.api(  # pyright: ignore[reportPrivateImportUsage]
        explained(function), concurrency_limit=LIVE["concurrency_limit"], concurrency_id=LIVE["concurrency_id"]
    )


def sent(event: gr.EventData, name: str) -> Any:
    """What came with an event under a name, None if nothing did."""
    return event._data.get(name) if isinstance(event._data, dict) else None


def outputs(values: list):
    """Values for as many outputs as Gradio wants them: of a single one, the value itself."""
    return values[0] if len(values) == 1 else values


def png(image: Image.Image) -> bytes:
    """The bytes of a PNG."""
    data = BytesIO()
    image.save(data, "PNG", compress_level=1 if image.width > 300 else 6)
    return data.getvalue()


def served(content: bytes, name: str = "image.png") -> str:
    """A file for the page. Gradio would rewrite the file of an equal picture while it is being sent."""
    path = Path(get_upload_folder()) / hash_bytes(content) / name
    if path.exists():
        os.utime(path)  # its age begins anew, so that it is not cleaned away before it is fetched
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
    """Text as HTML, with what is in backticks as code."""
    return re.sub("`(.*?)`", r"<code>\1</code>", html.escape(text))


def figure(
    picture: Image.Image | bytes,
    caption: str,
    alt: str,
    *,
    hint: str = "",
    cells: int = 0,
    cell: tuple[int, int] | None = None,
    download: str = "",
    least: int = 0,
    overlay: str = "",
) -> str:
    """HTML of a picture with its caption. The picture is part of it, so that it is there at once and nothing flickers.

    Args:
        picture: a PIL image, sent as small as it is and enlarged by the browser without blur; or a WebP's bytes.
        caption: above the picture.
        alt: the alternative text.
        hint: smaller, after the caption.
        cells: of a grid along a side, which can then be clicked.
        cell: row and column from 0 of the chosen one, which is framed.
        download: a file name, to offer the picture for download.
        least: width in pixels below which a wide picture scrolls instead of shrinking.
        overlay: HTML that lies over the picture.
    """
    content, kind = (picture, "webp") if isinstance(picture, bytes) else (png(picture), "png")
    source = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
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


@dataclass
class View:
    """A part of a tab that is drawn anew when its settings change."""

    draw: Callable  # of the tab's settings; returns a list of the outputs' values, or yields several, for long work
    outputs: list
    how: dict = field(default_factory=lambda: LIVE)  # Gradio's options of the event


@dataclass
class Tab(Generic[S]):
    """A tab that is laid out: what it can be set to, with what, and what it shows.

    Attributes:
        id: in links.
        tab: Gradio's, whose opening draws it.
        settings: the class of its settings.
        controls: for each setting's name its component, or the components whose values are joined by commas.
        fill: from settings to updates of the components, all that depend on the model counted.
        outputs: the components that ``fill`` updates.
        views: all that it shows.
        code: the Python that makes it; set by :meth:`end`, which comes before events are wired.
    """

    id: str
    tab: gr.Tab
    settings: type[S]
    controls: dict
    fill: Callable[[S], dict]
    views: list[View]
    outputs: list = field(default_factory=list)
    code: View = field(init=False)

    @property
    def components(self) -> list:
        """The controls, one after another."""
        return [component for _, component in self._flat()]

    def collected(self, *values) -> S:
        """The settings that the controls' values mean."""
        found = {}
        for (name, _), value in zip(self._flat(), values, strict=True):
            is_joined = isinstance(self.controls[name], list)
            found.setdefault(name, []).append(value) if is_joined else found.update({name: value})
        joined = {name: ",".join(map(str, value)) for name, value in found.items() if isinstance(value, list)}
        return self.settings(**{**found, **joined})

    def redraw(self, event, views: Iterable[View]) -> None:
        """When an event went well, draw views one after another, and the code. What fails is said once, and ends it."""
        for view in [*views, self.code]:
            event = event.success(self._drawing(view), self.components, view.outputs, **view.how)

    def redraw_on(self, events: list, views: Iterable[View]) -> None:
        """On each of several events, draw views one after another, and the code."""
        first, *rest = views
        self.redraw(gr.on(events, self._drawing(first), self.components, first.outputs, **first.how), rest)

    def draw_on(self, events: list, view: View) -> None:
        """On each of several events, draw a view and the code at once: for sliders that are moving."""
        both = View(
            lambda settings: [*view.draw(settings), *self.code.draw(settings)], view.outputs + self.code.outputs
        )
        # straight to its function: Gradio's queue would take longer than the picture does
        gr.on(events, self._drawing(both), self.components, both.outputs, **LIVE, queue=False)

    def change_model(self, picker: "Picker", kept: list[str]) -> None:
        """When another model is picked, begin with it, keeping some of the settings, and draw everything."""

        def begin(model, *values):
            return self.fill(starts.carried_over(self.settings(model=model, **dict(zip(kept, values, strict=True)))))

        inputs = [picker.model, *(self.controls[name] for name in kept)]
        self.redraw(picker.model.input(explained(begin), inputs, self.outputs, **CLICKS), self.views)
        other = picker.dataset.input(
            explained(picker.of_dataset), [picker.dataset, picker.model], picker.model, **CLICKS
        )
        self.redraw(other.success(explained(begin), inputs, self.outputs, **CLICKS), self.views)

    def end(self, code: Callable[[S], str], opened: bool = False) -> None:
        """The last lines of a tab: its link, and the Python that makes what it shows, which may be ``opened``."""
        with gr.Row(equal_height=True):
            copy = gr.Button("Copy link to this", size="sm", scale=0, min_width=170, elem_id=f"{self.id}_link")
            said = gr.HTML(elem_id=f"{self.id}_said", elem_classes=["said"])
        copy.click(None, self.components, said, js=self._link_script(), **CLICKS)
        with gr.Accordion("The Python that makes this picture", open=opened, elem_id=f"{self.id}_python"):
            shown = gr.Code(
                language="python",
                interactive=False,
                show_label=False,
                elem_id=f"{self.id}_code",
                buttons=["copy"],
                elem_classes=["snippet"],
                wrap_lines=True,
            )
        self.code = View(lambda settings: [code(settings)], [shown])

    def _flat(self) -> list[tuple]:
        pairs = self.controls.items()
        return [(name, one) for name, c in pairs for one in (c if isinstance(c, list) else [c])]

    def _drawing(self, view: View) -> Callable:
        if isgeneratorfunction(view.draw):

            def stepping(*values):
                yield from map(outputs, view.draw(self.collected(*values)))

            return explained(stepping)
        return explained(lambda *values: outputs(view.draw(self.collected(*values))))

    def _link_script(self) -> str:
        return f"(...values) => ({_LINK})({json.dumps(self.id)}, {json.dumps([n for n, _ in self._flat()])}, values)"


class Picker:
    """Which model: a data set, and a variant out of those that can do the tab's job."""

    def __init__(self, tab: str, settings: type[Settings]):
        self._offers, first = offers(settings.can), settings.first()
        dataset = self._offers[first].config.dataset
        self.dataset = gr.Radio(
            [(title, name) for name, title in data_sets(settings.can).items()],
            value=dataset,
            label="Pictures of",
            info="the data set",
            elem_id=f"{tab}_dataset",
        )
        self.model = gr.Dropdown(
            self._variants(dataset), value=first, label="Model", info="the variant", elem_id=f"{tab}_model",
            filterable=False,
        )  # fmt: skip
        self.about = gr.Markdown(describe(first), elem_id=f"{tab}_about", min_height=96)

    @property
    def outputs(self) -> list:
        return [self.dataset, self.model, self.about]

    def fill(self, settings: Settings) -> dict:
        dataset = settings.config.dataset
        return {
            self.dataset: dataset,
            self.model: gr.Dropdown(self._variants(dataset), value=settings.model),
            self.about: describe(settings.model),
        }

    def of_dataset(self, dataset: str, model: str):
        """The same variant of another data set, or the first one it has."""
        variants = self._variants(one_of("data set", dataset, [o.config.dataset for o in self._offers.values()]))
        names = [name for _, name in variants]
        variant = self._offers[one_of("model", model, self._offers)].config.variant
        same = next((name for name in names if self._offers[name].config.variant == variant), names[0])
        return gr.Dropdown(variants, value=same)

    def _variants(self, dataset: str) -> list[tuple[str, str]]:
        return [(offer.variant, name) for name, offer in self._offers.items() if offer.config.dataset == dataset]
