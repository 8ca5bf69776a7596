"""The codebook tab: all vectors of a model, how they are used, where they lie, and the way from a picture to one."""

import math

import gradio as gr

from ..explore import codebook as explore
from ..explore import codebook_map, snippets
from ..explore.codebook import SHOWS, SORTS, Codebook
from ..explore.settings import number
from . import codebook_html as page
from .chooser import Chooser
from .parts import CLICKS, Picker, Tab, View, answer, explained, figure, png

ID, TITLE, SETTINGS = "codebook", "Codebook", Codebook
_SORTS = dict(zip(SORTS, ("use", "index", "distance to the nearest other"), strict=True))
_SHOWS = dict(zip(SHOWS, ("all", "in use", "dead", "duplicates"), strict=True))


def codebook_gallery(model: str = Codebook.model, sort: str = "use", show: str = "all") -> dict:
    """Draw a model's learnable vectors, each decoded (of a grid in all the cells).

    Args:
        model: one with vectors, such as codebook-mnist.
        sort: use (the most used first), index, or distance (to the nearest other vector).
        show: all, used, dead or duplicate vectors.

    Returns:
        A PNG of the vectors, row by row.
    """
    return answer(png(explore.gallery(Codebook(model, sort=sort, show=show))))


def codebook_health(model: str = Codebook.model) -> dict:
    """Say how well a model's codebook is used by the latents of the whole test set.

    Args:
        model: one with vectors, such as codebook-mnist.

    Returns:
        the numbers of vectors, in_use, dead and duplicates, perplexity and largest_share.
    """
    return explore.book(Codebook(model).model).health


def codebook_vector(model: str = Codebook.model, vector: int = 0) -> dict:
    """Say what is known of one vector: its use, the vectors nearest to it, the samples nearest to it.

    Args:
        model: one with vectors, such as codebook-mnist.
        vector: its index, from 0.

    Returns:
        share, in_use, dead, duplicate, nearest_vectors and nearest_samples.
    """
    return explore.about(Codebook(model, vector=vector))


def toward_vector(model: str = Codebook.model, start: str = "sample:0", vector: int = 0, way: float = 0.5) -> dict:
    """Walk from a picture's latent straight to a vector and draw where that leads; of a grid every cell walks.

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
    """Draw a point of a model's map of latents of test images.

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
    return [
        figure(explore.vector(settings), f"Vector {settings.vector}", alt),
        page.gallery(settings),
        page.panel(settings),
    ]


def _draw_map(settings: Codebook) -> list[str]:
    has_map = codebook_map.load_map(settings.model) is not None
    return [page.plane(settings), page.point(settings, codebook_map.point(settings)) if has_map else ""]


def _last_point(model: str) -> int:
    found = codebook_map.load_map(model)
    return len(found.points) - 1 if found else 0


def build() -> Tab:
    """Lay the tab out and wire it."""
    first = Codebook(model=Codebook.first())
    with gr.Tab(TITLE, id=ID) as tab:
        gr.Markdown(
            "Here a model keeps a *codebook*: vectors that it learnt, each a place that the latents of pictures are "
            "drawn to. See every vector as the model draws it, which ones are used, and where they lie among the "
            "latents: figures 3.4, 3.5 and 4.1 to 4.3 of the paper."
        )
        with gr.Row():
            with gr.Column(min_width=300):
                picker = Picker(ID, Codebook)
            with gr.Column(min_width=300):
                chooser = Chooser(ID, {"start": "Start"}, first)
        health = gr.HTML(elem_id="codebook_health", min_height=60)
        with gr.Row():
            sort = gr.Radio(
                [(title, name) for name, title in _SORTS.items()], value=SORTS[0], label="Sort the vectors by",
                elem_id="codebook_sort", min_width=300,
            )  # fmt: skip
            show = gr.Radio(
                [(title, name) for name, title in _SHOWS.items()], value=SHOWS[0], label="Show",
                info="dead: dashed frame; duplicate: double frame", elem_id="codebook_show", min_width=300,
            )  # fmt: skip
        gallery = gr.HTML(elem_id="codebook_gallery", js_on_load=page.CHOOSE, min_height=90)
        sprites = gr.HTML(elem_id="codebook_sprites")
        with gr.Row():
            with gr.Column(min_width=300):
                with gr.Row(elem_classes=["pair"]):
                    start_picture = gr.HTML(elem_id="codebook_start", min_height=120)
                    live = gr.HTML(elem_id="codebook_live", min_height=120)
                    vector_picture = gr.HTML(elem_id="codebook_vector", min_height=120)
                way = gr.Slider(
                    0, 1, first.way, step=0.01, label="From the start to the vector", elem_id="codebook_way",
                    info="0: the start, 1: the vector", buttons=[],
                )  # fmt: skip
                vector = gr.Slider(
                    0, max(1, first.config.num_codes - 1), 0, step=1, label="Vector, by index",
                    elem_id="codebook_number", buttons=[],
                )  # fmt: skip
                chooser.tokens["start"].render()
            with gr.Column(min_width=300):
                panel = gr.HTML(elem_id="codebook_panel", js_on_load=page.CHOOSE, min_height=240)
        gr.Markdown(
            "### The map\nVectors and latents of test images on a plane (*t-SNE*: near stays near, far says little). "
            "Click a vector or a point."
        )
        with gr.Row():
            with gr.Column(min_width=300, scale=2):
                plane = gr.HTML(elem_id="codebook_map", js_on_load=page.PLACE, min_height=320)
            with gr.Column(min_width=240):
                point = gr.Slider(
                    0, max(1, _last_point(first.model)), 0, step=1, label="Point, by number", elem_id="codebook_point",
                    buttons=[],
                )  # fmt: skip
                point_picture = gr.HTML(elem_id="codebook_point_picture", js_on_load=page.CHOOSE, min_height=240)

        controls = {
            "model": picker.model, "start": chooser.tokens["start"], "vector": vector, "sort": sort, "show": show,
            "way": way, "point": point,
        }  # fmt: skip

        def fill(s: Codebook) -> dict:
            codes, last = s.config.num_codes, _last_point(s.model)
            return {
                **picker.fill(s),
                **chooser.fill(s),
                vector: gr.Slider(maximum=max(1, codes - 1), value=s.vector, visible=codes > 1),
                sort: gr.Radio(value=s.sort, visible=codes > 1),
                show: gr.Radio(value=s.show, visible=codes > 1),
                way: s.way,
                point: gr.Slider(maximum=max(1, last), value=s.point, visible=last > 0),
            }

        model_view, start_view = View(_draw_model, [sprites, health]), View(_draw_start, [start_picture])
        vector_view = View(_draw_vector, [vector_picture, gallery, panel])
        live_view, map_view = View(_draw_live, [live]), View(_draw_map, [plane, point_picture])
        result = Tab(ID, tab, Codebook, controls, fill, [model_view, vector_view, start_view, live_view, map_view])
        result.end(snippets.codebook)

    result.outputs = [*picker.outputs, *chooser.outputs, vector, sort, show, way, point]
    result.change_model(picker, ["start", "sort", "show", "way"])
    chooser.wire(lambda event: result.redraw(event, [start_view, live_view, vector_view]))
    result.draw_on([way.input, way.release], live_view)
    result.redraw_on([sort.input, show.input], [vector_view])
    result.redraw_on([vector.input, vector.release], [live_view, vector_view, map_view])
    result.redraw_on([point.input, point.release], [map_view])

    @explained
    def choose(event: gr.EventData):
        """A vector or a start, by its button."""
        data = event._data if isinstance(event._data, dict) else {}
        chosen, token = data.get("vector"), data.get("start")
        index = int(chosen) if isinstance(chosen, str) and chosen.isdecimal() and len(chosen) < 6 else gr.skip()
        return [index, token if isinstance(token, str) else gr.skip()]

    for buttons in (gallery, panel, point_picture):
        event = buttons.select(choose, None, [vector, chooser.tokens["start"]], **CLICKS)
        result.redraw(event, [vector_view, start_view, live_view, map_view])

    @explained
    def place(model, event: gr.EventData):
        """What was clicked on the map."""
        data = event._data if isinstance(event._data, dict) else {}
        x, y = (number(name, data.get(name, math.nan), -1, 2) for name in ("x", "y"))
        kind, index = codebook_map.at(Codebook(model), *page.inside(x, y))
        return [index if kind == name else gr.skip() for name in ("vector", "point")]

    event = plane.select(place, picker.model, [vector, point], **CLICKS)
    result.redraw(event, [vector_view, live_view, map_view])
    return result
