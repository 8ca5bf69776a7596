"""The codebook tab: all vectors of a model, their use, a map, and the way from a picture to a vector."""

import gradio as gr

from ..explore import codebook as explore
from ..explore import codebook_map, snippets
from ..explore.codebook import SHOWS, SORTS, Codebook
from ..explore.settings import number
from . import codebook_html as page
from .chooser import Chooser
from .parts import CLICKS, Picker, Tab, View, answer, explained, figure, png, sent, static, titled

ID, TITLE, SETTINGS = "codebook", "Codebook", Codebook
_SORTS = dict(zip(SORTS, ("use", "index", "distance to the nearest other"), strict=True))
_SHOWS = dict(zip(SHOWS, ("all", "in use", "dead", "duplicates"), strict=True))


def codebook_gallery(model: str = Codebook.model, sort: str = "use", show: str = "all") -> dict:
    """Draw a model's learnable vectors, each decoded (for a grid, repeated in all cells).

    Args:
        model: one with vectors, such as codebook-mnist.
        sort: use (the most used first), index, or distance (to the nearest other vector).
        show: all, used, dead or duplicate vectors.

    Returns:
        A PNG of the vectors, row by row.
    """
    return answer(png(explore.gallery(Codebook(model, sort=sort, show=show))))


def codebook_health(model: str = Codebook.model) -> dict:
    """Measure how well the latents of the whole test set use a model's codebook.

    Args:
        model: one with vectors, such as codebook-mnist.

    Returns:
        the numbers of vectors, in_use, dead and duplicates, perplexity and largest_share.
    """
    return explore.book(Codebook(model).model).health


def codebook_vector(model: str = Codebook.model, vector: int = 0) -> dict:
    """Describe one vector: its use, and the vectors and samples nearest to it.

    Args:
        model: one with vectors, such as codebook-mnist.
        vector: its index, from 0.

    Returns:
        share, in_use, dead, duplicate, nearest_vectors and nearest_samples.
    """
    return explore.about(Codebook(model, vector=vector))


def toward_vector(model: str = Codebook.model, start: str = "sample:0", vector: int = 0, way: float = 0.5) -> dict:
    """Move a picture's latent straight towards a vector and draw the result; in a grid, every cell moves.

    Args:
        model: one with vectors, such as codebook-mnist.
        start: where to begin: sample:N (a sample's number), random:N (a seed) or image:… (what `bring` answered).
        vector: the index of the vector, from 0.
        way: how far, from 0 (the start) to 1 (the vector).

    Returns:
        A PNG of the picture, in the model's own size.
    """
    return answer(png(explore.picture(Codebook(model, start, vector, way=way))))


def codebook_map_point(model: str = Codebook.model, point: int = 0) -> dict:
    """Draw a point of a model's map, a latent of a test image.

    Args:
        model: one with vectors, such as codebook-mnist.
        point: its number, from 0.

    Returns:
        A PNG of the picture, in the model's own size.
    """
    return answer(png(codebook_map.point(Codebook(model, point=point))))


ENDPOINTS = (codebook_gallery, codebook_health, codebook_vector, toward_vector, codebook_map_point)


def _draw_model(settings: Codebook) -> list[str]:
    return [page.sprites(settings.model), page.health(settings)]


def _draw_start(settings: Codebook) -> list[str]:
    return [figure(explore.start(settings), "Start", f"the start, {settings.start}, as {settings.model} draws it")]


def _draw_live(settings: Codebook) -> list[str]:
    alt = f"the picture {settings.way:.0%} of the way from {settings.start} to vector {settings.vector}"
    return [figure(explore.picture(settings), f"{settings.way:.0%} there", alt)]


def _draw_vector(settings: Codebook) -> list[str]:
    alt = f"vector {settings.vector} as {settings.model} draws it"
    shown = figure(explore.vector(settings), f"Vector {settings.vector}", alt)
    return [shown, page.gallery(settings), page.panel(settings)]


def _draw_map(settings: Codebook) -> list[str]:
    has_map = codebook_map.load_map(settings.model) is not None
    return [page.plane(settings), page.point(settings, codebook_map.point(settings)) if has_map else ""]


def _last_point(model: str) -> int:
    found = codebook_map.load_map(model)
    return len(found.points) - 1 if found else 0


def build() -> Tab:
    """Lay the tab out and wire it."""
    first = Codebook(model=Codebook.first())
    choosing = static("vectors.js", "group.js")
    with gr.Tab(TITLE, id=ID) as tab:
        gr.Markdown(
            "Here a model keeps a *codebook*: vectors that it learnt, each a place that the latents of pictures are "
            "drawn to. See every vector as the model draws it, which ones are used, and where they lie among the "
            "latents: figures 3.4, 3.5 and 4.1 to 4.3 of the paper."
        )
        with gr.Row():
            picker, chooser = Picker(ID, Codebook), Chooser(ID, {"start": "Start"}, first)
        controls: dict = {"model": picker.model, **chooser.tokens}
        health = gr.HTML(elem_id="codebook_health", min_height=60)
        with gr.Row():
            controls["sort"] = gr.Radio(
                titled(_SORTS), value=SORTS[0], label="Sort the vectors by", elem_id="codebook_sort", min_width=300
            )
            controls["show"] = gr.Radio(
                titled(_SHOWS), value=SHOWS[0], label="Show", info="dead: dashed frame; duplicate: double frame",
                elem_id="codebook_show", min_width=300,
            )  # fmt: skip
        gallery = gr.HTML(elem_id="codebook_gallery", js_on_load=choosing, min_height=90)
        sprites = gr.HTML(elem_id="codebook_sprites")
        with gr.Row():
            with gr.Column(min_width=300):
                with gr.Row(elem_classes=["pair"]):
                    start, live, vector = (
                        gr.HTML(elem_id=f"codebook_{name}", min_height=120) for name in ("start", "live", "vector")
                    )
                controls["way"] = gr.Slider(
                    0, 1, first.way, step=0.01, label="From the start to the vector", elem_id="codebook_way",
                    info="0: the start, 1: the vector", buttons=[],
                )  # fmt: skip
                controls["vector"] = gr.Slider(
                    0, max(1, first.config.num_codes - 1), 0, step=1, label="Vector, by index",
                    elem_id="codebook_number", buttons=[],
                )  # fmt: skip
                chooser.tokens["start"].render()
            with gr.Column(min_width=300):
                panel = gr.HTML(elem_id="codebook_panel", js_on_load=choosing, min_height=240)
        plane, point = _lay_out_map(first, controls, choosing)

        def fill(s: Codebook) -> dict:
            codes, last = s.config.num_codes, _last_point(s.model)
            return {
                controls["vector"]: gr.update(maximum=max(1, codes - 1), value=s.vector, visible=codes > 1),
                controls["sort"]: gr.update(value=s.sort, visible=codes > 1),
                controls["show"]: gr.update(value=s.show, visible=codes > 1),
                controls["point"]: gr.update(maximum=max(1, last), value=s.point, visible=last > 0),
            }

        views = [
            View(_draw_model, [sprites, health]), View(_draw_vector, [vector, gallery, panel]),
            View(_draw_start, [start]), View(_draw_live, [live]), View(_draw_map, [plane, point]),
        ]  # fmt: skip
        result = Tab(tab, Codebook, controls, views, snippets.codebook, [picker.fill, chooser.fill, fill])
    result.change_model(["start", "sort", "show", "way"], picker)
    _wire(result, chooser)
    return result


def _lay_out_map(first: Codebook, controls: dict, choosing: str) -> tuple[gr.HTML, gr.HTML]:
    gr.Markdown(
        "### The map\nVectors and latents of test images on a plane (*t-SNE*: near stays near, far says little). "
        "Click a vector or a point."
    )
    with gr.Row():
        with gr.Column(min_width=300, scale=2):
            plane = gr.HTML(elem_id="codebook_map", js_on_load=static("map.js"), min_height=320)
        with gr.Column(min_width=240):
            controls["point"] = gr.Slider(
                0, max(1, _last_point(first.model)), 0, step=1, label="Point, by number", elem_id="codebook_point",
                buttons=[],
            )  # fmt: skip
            point = gr.HTML(elem_id="codebook_point_picture", js_on_load=choosing, min_height=240)
    return plane, point


def _wire(tab: Tab, chooser: Chooser) -> None:
    c, (_, vector_view, start_view, live_view, map_view) = tab.controls, tab.views
    (_, gallery, panel), (plane, point) = vector_view.outputs, map_view.outputs
    chooser.wire(lambda event: tab.redraw(event, [start_view, live_view, vector_view]))
    tab.draw_on([c["way"].input, c["way"].release], live_view)
    tab.redraw_on([c["sort"].input, c["show"].input], [vector_view])
    tab.redraw_on([c["vector"].input, c["vector"].release], [live_view, vector_view, map_view])
    tab.redraw_on([c["point"].input, c["point"].release], [map_view])

    @explained
    def choose(event: gr.EventData) -> list:
        """A vector or a start, by its button."""
        chosen, token = sent(event, "vector"), sent(event, "start")
        index = int(chosen) if isinstance(chosen, str) and chosen.isdecimal() and len(chosen) < 6 else gr.skip()
        return [index, token if isinstance(token, str) else gr.skip()]

    for buttons in (gallery, panel, point):
        event = buttons.select(choose, None, [c["vector"], c["start"]], **CLICKS)
        tab.redraw(event, [vector_view, start_view, live_view, map_view])

    @explained
    def place(model, event: gr.EventData) -> dict:
        """The vector or the point that was clicked on the map."""
        x, y = (number(name, sent(event, name), -1, 2) for name in "xy")
        kind, index = codebook_map.at(Codebook(model), *page.inside(x, y))
        return {c[kind]: index}

    event = plane.select(place, c["model"], [c["vector"], c["point"]], **CLICKS)
    tab.redraw(event, [vector_view, live_view, map_view])
