"""The perturbation tab: one number of the latent, or several, turned by hand."""

from dataclasses import replace

import gradio as gr

from ..explore import perturbation as explore
from ..explore import snippets
from ..explore.perturbation import REACHES, STEPS, STRONGEST, Perturbation
from ..explore.settings import whole
from .chooser import Chooser
from .curve import curves
from .parts import CLICKS, Picker, Tab, View, answer, explained, figure, png, sent

ID, TITLE, SETTINGS = "perturbation", "Perturbation", Perturbation
_UNITS = {"latent": "the latent's own units", "std": "standard deviations of the training latents (σ)"}
_CLICK = """element.addEventListener('click', event => {
    const frame = event.target.closest('[data-cells]');
    if (!frame) return;
    const box = frame.getBoundingClientRect(), count = Number(frame.dataset.cells);
    const cell = share => Math.min(count, 1 + Math.floor(share * count));
    trigger('select', {row: cell((event.clientY - box.top) / box.height),
                       column: cell((event.clientX - box.left) / box.width)});
});"""


def perturb(
    model: str = Perturbation.model,
    start: str = "sample:0",
    rank: int = 1,
    shift: float = 1.0,
    unit: str = "latent",
    row: int = 0,
    column: int = 0,
    mix: str = "",
) -> dict:
    """Shift dimensions of a picture's latent and draw what comes out.

    Args:
        model: one of the models that the endpoint `models` lists, such as center-mnist.
        start: what is shifted: sample:N (a sample's number), random:N (a seed) or image:… (what `bring` answered).
        rank: of the dimension; 1 is the one that moves the picture most.
        shift: by how much, from -300 to 300.
        unit: latent (the latent's own units) or std (standard deviations of the training latents).
        row: of models with a grid, the row of the shifted cell from 1; 0 for the middle.
        column: of models with a grid, the column of the shifted cell from 1; 0 for the middle.
        mix: more shifts, of the dimensions of rank 1 to 6, with commas between them, such as 0,1.5.

    Returns:
        A PNG of the picture, in the model's own size.
    """
    settings = Perturbation(model, start, rank, shift, unit, 0, row, column, mix)
    return answer(png(explore.picture(settings)))


def perturbation_sheet(
    model: str = Perturbation.model, start: str = "sample:0", unit: str = "latent", row: int = 0, column: int = 0
) -> dict:
    """Draw a sheet: the ten dimensions that move the picture most (columns), shifted by several amounts (rows).

    Args:
        model: one of the models that the endpoint `models` lists, such as center-mnist.
        start: what is shifted: sample:N, random:N or image:….
        unit: latent (the latent's own units) or std (standard deviations of the training latents).
        row: of models with a grid, the row of the shifted cell from 1; 0 for the middle.
        column: of models with a grid, the column of the shifted cell from 1; 0 for the middle.

    Returns:
        A PNG of the sheet.
    """
    return answer(png(explore.sheet(Perturbation(model, start, unit=unit, row=row, column=column))))


ENDPOINTS = (perturb, perturbation_sheet)


def _draw_start(settings: Perturbation) -> list[str]:
    hint = "click a cell to choose it" if settings.cell else ""
    alt = f"the start, {settings.start}, as {settings.model} draws it"
    picture, size = explore.start(settings), settings.config.grid_size
    return [figure(picture, "Start", alt, hint=hint, cells=size, cell=settings.cell)]


def _draw_live(settings: Perturbation) -> list[str]:
    moved = ", ".join(f"dimension {rank} by {amount:+g}" for rank, amount in settings.by_rank.items()) or "nothing"
    unit = "σ" if settings.unit == "std" else "the latent's own units"
    return [
        figure(explore.picture(settings), "Shifted", f"the picture after shifting {moved}"),
        curves(explore.curve(settings), settings.shift, unit, alone=not settings.mix),
    ]


def _draw_sheet(settings: Perturbation) -> list[str]:
    caption = "The ten dimensions that move the picture most (columns), shifted by the amounts at the left (rows)"
    alt = f"a grid of pictures of {settings.model}: dimensions in columns, shifts in rows"
    return [figure(explore.sheet(settings), caption, alt, download=f"{settings.model}-perturbation.png", least=560)]


def build() -> Tab:
    """Lay the tab out and wire it."""
    first = Perturbation(model=Perturbation.first())
    scale = {"minimum": -first.limit, "maximum": first.limit, "step": STEPS[first.limit], "buttons": ["reset"]}
    with gr.Tab(TITLE, id=ID) as tab:
        gr.Markdown(
            "Turn one number of the latent and see what it stands for. Small *perturbations* should change a little, "
            "large ones lead to where the model knows nothing: figures 2.1, 2.3, 3.2, 4.1 and 4.6 of the paper."
        )
        with gr.Row():
            with gr.Column(min_width=300):
                picker = Picker(ID, Perturbation)
            with gr.Column(min_width=300):
                chooser = Chooser(ID, {"start": "Start"}, first)
        with gr.Row():
            with gr.Column(min_width=300):
                with gr.Row(elem_classes=["pair"]):
                    start_picture = gr.HTML(elem_id="start", js_on_load=_CLICK, min_height=160)
                    live = gr.HTML(elem_id="live", min_height=160)
                chooser.tokens["start"].render()
            with gr.Column(min_width=300):
                shift = gr.Slider(value=0, label="Shift", elem_id="shift", **scale)
                rank = gr.Slider(
                    1, first.config.latent_dim, 1, step=1, label="Dimension, by rank", elem_id="rank", buttons=[],
                    info="1 moves the picture most",
                )  # fmt: skip
                with gr.Row(visible=False) as cell_row:
                    row, column = (
                        gr.Slider(0, 8, 0, step=1, label=label, elem_id=name, buttons=[], min_width=120)
                        for name, label in (("row", "Row of the cell"), ("column", "Column of the cell"))
                    )
                unit = gr.Radio(
                    [(title, name) for name, title in _UNITS.items()], value="latent", label="Shifts are in",
                    elem_id="unit",
                )  # fmt: skip
                reach = gr.Radio(
                    [("as in the paper", 0), *((f"±{reach}", reach) for reach in REACHES)], value=0,
                    label="Sliders go to", elem_id="reach", info="far enough, every model breaks",
                )  # fmt: skip
        curve = gr.HTML(elem_id="curve", min_height=170)
        with gr.Accordion("Several dimensions at once", open=False, elem_id="several"):
            gr.Markdown("The six that move the picture most, by rank. All add up, with the slider above.")
            with gr.Row():
                mix = [
                    gr.Slider(value=0, label=f"Rank {i + 1}", elem_id=f"mix_{i + 1}", min_width=300, **scale)
                    for i in range(STRONGEST)
                ]
        sheet = gr.HTML(elem_id="sheet", min_height=240)

        controls = {
            "model": picker.model, "start": chooser.tokens["start"], "rank": rank, "shift": shift, "unit": unit,
            "reach": reach, "row": row, "column": column, "mix": mix,
        }  # fmt: skip

        sliders = [shift, *mix]

        def scaled(limit: int, values: list[float]) -> dict:
            return {
                slider: gr.Slider(-limit, limit, min(max(value, -limit), limit), step=STEPS[limit])
                for slider, value in zip(sliders, values, strict=True)
            }

        def fill(s: Perturbation) -> dict:
            size, cell = s.config.grid_size, s.cell or (-1, -1)
            return {
                **picker.fill(s),
                **chooser.fill(s),
                **scaled(s.limit, [s.shift, *s.mixed]),
                rank: gr.Slider(maximum=s.config.latent_dim, value=s.rank),
                unit: s.unit,
                reach: s.reach,
                cell_row: gr.Row(visible=size > 0),
                **{
                    box: gr.Slider(minimum=min(1, size), maximum=max(size, 1), value=place + 1)
                    for box, place in zip((row, column), cell, strict=True)
                },
            }

        start_view = View(_draw_start, [start_picture])
        live_view = View(_draw_live, [live, curve])
        sheet_view = View(_draw_sheet, [sheet])
        result = Tab(ID, tab, Perturbation, controls, fill, [start_view, live_view, sheet_view])
        result.end(snippets.perturbation)

    result.outputs = [*picker.outputs, *chooser.outputs, rank, unit, reach, cell_row, row, column, *sliders]
    result.change_model(picker, ["start"])
    chooser.wire(lambda event: result.redraw(event, result.views))
    result.draw_on([rank.input, *(slider.input for slider in sliders)], live_view)
    result.draw_on([slider.release for slider in (rank, *sliders)], live_view)  # also a slider's reset
    result.redraw_on([unit.input], [live_view, sheet_view])
    result.redraw_on([row.release, column.release], result.views)

    @explained
    def rescale(*values):
        s = result.collected(*values)
        return scaled(replace(s, shift=0.0, mix="").limit, [s.shift, *s.mixed])

    result.redraw(reach.input(rescale, result.components, sliders, **CLICKS), [live_view])

    @explained
    def choose_cell(event: gr.EventData):
        return [whole(name, sent(event, name), 1, 512) for name in ("row", "column")]

    result.redraw(start_picture.select(choose_cell, None, [row, column], **CLICKS), result.views)
    return result
