"""A tab: its controls, what it shows of its settings, and the events between the two."""

import html
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Generic
from urllib.parse import urlencode

import gradio as gr

from .events import LIVE
from .html import static
from .settings import SHARED, S


def _property(name: str) -> str:
    """A property in a template, where it may be missing: Gradio forgets properties in tabs that were not open yet."""
    return f'${{typeof {name} === "undefined" ? "" : {name}}}'


INSIDE = _property("inside")


@dataclass
class View:
    """A part of a tab that is drawn from its settings."""

    draw: Callable  # from the tab's settings to a list of the outputs' values
    outputs: list
    fold: gr.HTML | None = None  # it is drawn only while this is open

    def drawn(self, settings, components: Mapping) -> dict:
        """The outputs' values; none while it is folded."""
        if self.fold is not None and not _dict(components[self.fold]).get("open"):
            return {}
        return dict(zip(self.outputs, self.draw(settings), strict=True))


@dataclass
class Page:
    """The components that all tabs share."""

    bar: gr.HTML  # its value is a dictionary with ``SHARED``
    address: gr.HTML  # its value is what the address says after the question mark
    problem: gr.HTML  # an error, in a sentence

    def answered(self, function: Callable) -> Callable:
        """A listener that shows a ValueError of bad input as a sentence. ``problem`` has to be one of its outputs."""

        @wraps(function)
        def answer(*arguments):
            try:
                return {self.problem: "", **function(*arguments)}
            except ValueError as error:
                return {self.problem: alert(str(error))}

        return answer


@dataclass
class Tab(Generic[S]):
    """A tab that is laid out.

    Events hand over the values of the page's bar and of all controls, by component.
    """

    tab: gr.Tab  # whose opening draws it
    page: Page
    settings: type[S]
    controls: dict[str, Any]  # for each of its own settings the component
    views: list[View]
    code: Callable[[S], str]  # the Python that makes its picture
    code_shown: gr.HTML
    fill: Callable[[S], dict] = lambda settings: {}  # updates of components that a value alone does not fill
    parts: dict[gr.HTML, tuple[str, ...]] = field(default_factory=dict)  # components whose values are several settings
    words: tuple[str, str] = ("", "")  # what one does in it, for the headline, and in a sentence
    of: gr.State | None = None  # the model whose ``OF_MODEL`` the controls show

    @property
    def id(self) -> str:
        """Its name in links."""
        return str(self.tab.id)

    @property
    def components(self) -> set:
        """All whose values the tab's events need."""
        folds = [view.fold for view in self.views if view.fold is not None]
        return {self.page.bar, *self.controls.values(), *self.parts, *folds, *self._of}

    @property
    def _of(self) -> list[gr.State]:
        return [] if self.of is None else [self.of]

    @property
    def outputs(self) -> list:
        """All that the tab's events may change."""
        shown = [box for view in self.views for box in view.outputs]
        return list(dict.fromkeys([*self.filled(self.settings(model=self.settings.first())), *shown, self.code_shown]))

    def values(self, components: Mapping, model: str = "") -> dict:
        """The values of settings, of the bar's and the controls' values by component.

        ``model`` is the one that will be shown, by default the bar's; what belongs to another one is left out.
        """
        found = {name: value for name, value in _dict(components[self.page.bar]).items() if name in SHARED}
        for box, names in self.parts.items():
            found |= {name: value for name, value in _dict(components[box]).items() if name in names}
        found |= {name: components[box] for name, box in self.controls.items()}
        shown = self.settings.fitted({"model": model or found.get("model")})[0].model
        if self.of is not None and components[self.of] != shown:
            found = {name: value for name, value in found.items() if name not in self.settings.OF_MODEL}
        return found

    def collected(self, components: Mapping) -> S:
        """The settings that the controls' values mean.

        Raises:
            ValueError: one of them is invalid.
        """
        values = self.values(components)
        model = self.settings.fitted({"model": values.pop("model", None)})[0].model
        return self.settings(model=model, **values)

    def filled(self, settings: S) -> dict:
        """Updates of all controls."""
        own = {box: getattr(settings, name) for name, box in self.controls.items()}
        parts = {box: {name: getattr(settings, name) for name in names} for box, names in self.parts.items()}
        return own | parts | dict.fromkeys(self._of, settings.model) | self.fill(settings)

    def drawn(self, settings: S, components: Mapping, views: Iterable[View] | None = None) -> dict:
        """The values of the outputs of views, by default of all, and of the code and the address."""
        chosen = self.views if views is None else views
        shown = {box: value for view in chosen for box, value in view.drawn(settings, components).items()}
        address = self.address(settings, _dict(components[self.page.bar]))
        return {**shown, self.code_shown: _code(self.code(settings)), self.page.address: address}

    def address(self, settings: S, shared: Mapping) -> str:
        """What a link to this says after the question mark; the model is the bar's, which another may stand in for."""
        tour = {"tour": shared["tour"]} if shared.get("tour") else {}
        model = {"model": shared.get("model", settings.model)}
        return urlencode({"tab": self.id, **settings.link, **model, **tour}, safe=":,;@~-")

    def on(
        self, events: list, views: list[View] | None = None, then: Callable | None = None,
        lane: Mapping[str, Any] = LIVE,
    ) -> None:  # fmt: skip
        """On each of several events draw views, by default all, and the code, in one request.

        Args:
            events: of Gradio.
            views: what is drawn.
            then: from settings, all components' values and the event's data to changed settings, which also fill the
                controls.
            lane: how Gradio handles the event.
        """
        chosen = self.views if views is None else views
        outputs = list(dict.fromkeys([box for view in chosen for box in view.outputs]))
        outputs += [self.code_shown, self.page.address, self.page.problem]
        if then is not None:
            outputs = list(dict.fromkeys([*self.filled(self.settings(model=self.settings.first())), *outputs]))
        handler = self._plain(chosen) if then is None else self._with_data(chosen, then)
        gr.on(events, self.page.answered(handler), self.components, outputs, **lane)

    def _plain(self, views: list[View]) -> Callable:
        def answer(components: dict) -> dict:
            return self.drawn(self.collected(components), components, views)

        return answer

    def _with_data(self, views: list[View], then: Callable) -> Callable:
        def answer(components: dict, data: gr.EventData) -> dict:
            settings = then(self.collected(components), components, data)
            return {**self.filled(settings), **self.drawn(settings, components, views)}

        return answer


def alert(text: str) -> str:
    """HTML of an error."""
    return f'<p role="alert">{html.escape(text)}</p>'


def part(
    elem_id: str, *scripts: str, value: Any = "", template: str = "${value}", classes: str = "", **props
) -> gr.HTML:
    """Lay out HTML of our own.

    Args:
        elem_id: its id.
        scripts: names of files in ``static/``, which are run in it.
        value: of Gradio's component.
        template: what is shown, with ``${value}`` and ``${…}`` of ``props``.
        classes: of CSS.
        props: further values for the template.
    """
    return gr.HTML(
        value, html_template=template, js_on_load=static(*scripts) if scripts else None, elem_id=elem_id or None,
        elem_classes=classes.split(), apply_default_css=False, **props,
    )  # fmt: skip


def fold(title: str, elem_id: str, *scripts: str, classes: str = "", inside: str = "") -> gr.HTML:
    """Lay out a part that opens and closes, and is computed while it is open; ``scripts`` are for what is in it."""
    template = f'<details ${{value.open ? "open" : ""}}><summary>{title}</summary>{INSIDE}</details>'
    return part(
        elem_id, "fold.js", *scripts, value={"open": False}, template=template, classes=f"fold {classes}", inside=inside
    )


def python(code: str) -> gr.HTML:
    """Lay out the Python that makes a tab's picture.

    Its value is the code as HTML: it comes with every picture, and an update of ``inside`` would take Gradio longer.
    """
    summary = "<summary>The Python that makes this picture</summary>"
    template = f"<details {_property('opened')}>{summary}${{value}}</details>"
    return part("", "python.js", value=_code(code), template=template, classes="fold python")


def _code(text: str) -> str:
    return f'<button type="button" class="copy">Copy</button><pre tabindex="0"><code>{html.escape(text)}</code></pre>'


def _dict(value) -> dict:
    return value if isinstance(value, dict) else {}
