"""The layout of the tab Codebook: all vectors of a model, their use, a map, and the way from a picture to a vector."""

from dataclasses import replace

import gradio as gr

from ..shared.events import CLICKS, LIVE, sent, titled
from ..shared.html import figure
from ..shared.settings import number
from ..shared.tab import Page, Tab, View, part, python
from . import compute
from . import html as page_html
from . import map as map_
from .endpoints import ENDPOINTS
from .settings import SHOWS, SORTS, Codebook
from .snippet import code

__all__ = ["ENDPOINTS", "ID", "SAYS", "SETTINGS", "TITLE", "VERB", "build"]
ID, TITLE, SETTINGS, VERB = "codebook", "Codebook", Codebook, "moved to a learnable vector"
SAYS = "This model learnt vectors that latents are pulled to. Move the picture to one of them."
_CHOOSING = ("vectors.js", "group.js")
_SORTS = dict(zip(SORTS, ("use", "index", "distance to the nearest other"), strict=True))
_SHOWS = dict(zip(SHOWS, ("all", "in use", "dead", "duplicates"), strict=True))


def _draw_model(settings: Codebook) -> list[str]:
    return [page_html.sprites(settings.model), page_html.health(settings)]


def _draw_start(settings: Codebook) -> list[str]:
    return [figure(compute.start(settings), "Reconstruction", f"{settings.start} by {settings.model}")]


def _draw_live(settings: Codebook) -> list[str]:
    alt = f"the picture {settings.way:.0%} of the way from {settings.start} to vector {settings.vector}"
    file = f"{settings.model}-vector-{settings.vector}.png"
    return [figure(compute.picture(settings), f"{settings.way:.0%} there", alt, download=file)]


def _draw_vector(settings: Codebook) -> list[str]:
    alt = f"vector {settings.vector} by {settings.model}"
    shown = figure(compute.vector(settings), f"Vector {settings.vector}", alt)
    return [shown, page_html.gallery(settings), page_html.panel(settings)]


def _draw_map(settings: Codebook) -> list[str]:
    has_map = map_.load_map(settings.model) is not None
    return [page_html.plane(settings), page_html.point(settings, map_.point(settings)) if has_map else ""]


def _last_point(model: str) -> int:
    found = map_.load_map(model)
    return len(found.points) - 1 if found else 0


def build(page: Page) -> Tab:
    """Lay the tab out and wire it."""
    first = Codebook(model=Codebook.first())
    controls: dict = {}
    with gr.Tab(TITLE, id=ID) as tab:
        with gr.Row(elem_classes=["three"]):
            start, live, vector = (part(f"codebook_{name}") for name in ("start", "live", "vector"))
        controls["way"] = gr.Slider(
            0, 1, first.way, step=0.01, label="From picture A to the vector", elem_id="codebook_way", buttons=[]
        )
        sprites = part("codebook_sprites")
        with gr.Row():
            with gr.Column(min_width=300, scale=3):
                with gr.Row():
                    for name, titles, label in (("sort", _SORTS, "Sort by"), ("show", _SHOWS, "Show")):
                        controls[name] = gr.Radio(
                            titled(titles), value=getattr(first, name), label=label, elem_id=f"codebook_{name}",
                            min_width=240,
                        )  # fmt: skip
                gallery = part("codebook_gallery", *_CHOOSING)
            with gr.Column(min_width=300, scale=2):
                controls["vector"] = gr.Slider(
                    0, max(1, first.config.num_codes - 1), first.vector, step=1, label="Vector, by index",
                    elem_id="codebook_number", buttons=[],
                )  # fmt: skip
                panel = part("codebook_panel", *_CHOOSING)
        health = part("codebook_health")
        plane, point, preview = _map(first, controls)
        code_shown = python(code(first))
        of = gr.State(first.model)

        def fill(s: Codebook) -> dict:
            codes, last = s.config.num_codes, _last_point(s.model)
            return {
                controls["vector"]: gr.update(maximum=max(1, codes - 1), value=s.vector, visible=codes > 1),
                **{controls[name]: gr.update(value=getattr(s, name), visible=codes > 1) for name in ("sort", "show")},
                controls["point"]: gr.update(maximum=max(1, last), value=s.point, visible=last > 0),
            }

        views = [
            View(_draw_model, [sprites, health]), View(_draw_vector, [vector, gallery, panel]),
            View(_draw_start, [start]), View(_draw_live, [live]), View(_draw_map, [plane, point]),
        ]  # fmt: skip
        result = Tab(tab, page, Codebook, controls, views, code, code_shown, fill, of=of, words=(VERB, SAYS))
    _wire(result, preview)
    return result


def _map(first: Codebook, controls: dict) -> tuple[gr.HTML, gr.HTML, gr.HTML]:
    gr.Markdown(
        "### The map\nVectors and latents of test images on a plane (*t-SNE*: near stays near, far says little). "
        "Click a vector or a point."
    )
    with gr.Row():
        with gr.Column(min_width=300, scale=2, elem_classes=["mapped"]):
            plane = part("codebook_map", "map.js")
            preview = part("codebook_preview")
        with gr.Column(min_width=240):
            controls["point"] = gr.Slider(
                0, max(1, _last_point(first.model)), 0, step=1, label="Point, by number", elem_id="codebook_point",
                buttons=[],
            )  # fmt: skip
            point = part("codebook_point_picture", *_CHOOSING)
    return plane, point, preview


def _wire(tab: Tab, preview: gr.HTML) -> None:
    c, (_, vector, _, live, map_view) = tab.controls, tab.views
    (_, gallery, panel), (plane, point) = vector.outputs, map_view.outputs
    tab.on([c["way"].input, c["way"].release], [live])
    tab.on([c["sort"].input, c["show"].input], [vector], lane=CLICKS)
    tab.on([c["vector"].input, c["vector"].release], [live, vector, map_view])
    tab.on([c["point"].input, c["point"].release], [map_view])

    def choose(s: Codebook, values: dict, data: gr.EventData) -> Codebook:
        """A vector, by its button."""
        chosen = sent(data, "vector")
        index = int(chosen) if isinstance(chosen, str) and chosen.isdecimal() and len(chosen) < 6 else chosen
        return replace(s, vector=index)

    def below(s: Codebook, data: gr.EventData) -> dict[str, int]:
        """The vector or the point of the map at the place of an event."""
        x, y = (number(name, sent(data, name), -1, 2) for name in "xy")
        kind, index = map_.at(s, *page_html.inside(x, y))
        return {kind: index}

    def hover(components: dict, data: gr.EventData) -> dict:
        s = tab.collected(components)
        found = below(s, data)
        picture = compute.vector if "vector" in found else map_.point
        return {preview: figure(picture(replace(s, **found)), "", "what the pointer is over")}

    plane.input(tab.page.answered(hover), tab.components, [preview, tab.page.problem], **LIVE)
    tab.on([gallery.select, panel.select, point.select], [live, vector, map_view], choose, lane=CLICKS)
    tab.on([plane.select], [live, vector, map_view], lambda s, _, data: replace(s, **below(s, data)), lane=CLICKS)
