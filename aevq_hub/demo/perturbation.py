"""The perturbation tab: one or more dimensions of a latent, shifted by hand."""

from dataclasses import replace

import gradio as gr

from ..explore import perturbation as explore
from ..explore import snippets
from ..explore.perturbation import REACHES, SLIDERS, STEPS, Perturbation
from ..explore.settings import whole
from .chooser import Chooser
from .curve import curves
from .parts import CLICKS, Picker, Tab, View, answer, explained, figure, png, sent, static, titled

ID, TITLE, SETTINGS = "perturbation", "Perturbation", Perturbation
_UNITS = {"std": "standard deviations of the training latents (σ)", "raw": "the latent's own units, as in the paper"}


def perturb(
    model: str = Perturbation.model,
    start: str = "sample:0",
    rank: int = 1,
    shift: float = 1.0,
    unit: str = "std",
    row: int = 0,
    column: int = 0,
    mix: str = "",
) -> dict:
    """Shift dimensions of a picture's latent and draw the result.

    Args:
        model: one of the models that the endpoint `models` lists, such as center-mnist.
        start: what is shifted: sample:N (a sample's number), random:N (a seed) or image:… (what `bring` answered).
        rank: of the dimension; 1 is the one that moves the picture most.
        shift: by how much, from -300 to 300.
        unit: std, the default (standard deviations of the training latents), or raw (the paper's, the latent's own).
        row: of models with a grid, the row of the shifted cell from 1; 0 for the middle.
        column: of models with a grid, the column of the shifted cell from 1; 0 for the middle.
        mix: more shifts, of the dimensions of rank 1 to 6, with commas between them, such as 0,1.5.

    Returns:
        A PNG of the picture, in the model's own size.
    """
    return answer(png(explore.picture(Perturbation(model, start, rank, shift, unit, 0, row, column, mix))))


def perturbation_sheet(
    model: str = Perturbation.model, start: str = "sample:0", unit: str = "std", row: int = 0, column: int = 0
) -> dict:
    """Draw a sheet: the ten dimensions that move the picture most (columns), shifted by several amounts (rows).

    Args:
        model: one of the models that the endpoint `models` lists, such as center-mnist.
        start: what is shifted: sample:N, random:N or image:….
        unit: std, the default (standard deviations of the training latents), or raw (the paper's, the latent's own).
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
    raw = explore.raw_in_std(settings)
    unit = f"σ (the paper's raw ±3 is ±{3 * raw:.2g} σ here)" if settings.unit == "std" else f"raw units of {raw:.3g} σ"
    return [
        figure(explore.picture(settings), "Shifted", f"the picture after shifting {moved}"),
        curves(explore.curve(settings), settings.shift, unit, alone=not settings.mix),
    ]


def _draw_sheet(settings: Perturbation) -> list[str]:
    unit = "σ" if settings.unit == "std" else "raw units"
    caption = (
        f"The dimensions that move the picture most (columns), shifted by the amounts at the left in {unit} (rows)"
    )
    alt = f"a grid of pictures of {settings.model}: dimensions in columns, shifts in rows"
    return [figure(explore.sheet(settings), caption, alt, download=f"{settings.model}-perturbation.png", least=560)]


def build() -> Tab:
    """Lay the tab out and wire it."""
    first = Perturbation(model=Perturbation.first())
    scale = {"value": 0, "minimum": -first.limit, "maximum": first.limit, "step": STEPS[first.limit]}
    with gr.Tab(TITLE, id=ID) as tab:
        gr.Markdown(
            "Turn one number of the latent and see what it stands for. Small *perturbations* should change a little, "
            "large ones lead to where the model knows nothing: figures 2.1, 2.3, 3.2, 4.1 and 4.6 of the paper."
        )
        with gr.Row():
            picker, chooser = Picker(ID, Perturbation), Chooser(ID, {"start": "Start"}, first)
        controls: dict = {"model": picker.model, **chooser.tokens}
        with gr.Row():
            with gr.Column(min_width=300):
                with gr.Row(elem_classes=["pair"]):
                    start = gr.HTML(elem_id="start", js_on_load=static("grid.js"), min_height=160)
                    live = gr.HTML(elem_id="live", min_height=160)
                chooser.tokens["start"].render()
            with gr.Column(min_width=300):
                cell_row = _lay_out_sliders(first, scale, controls)
        curve = gr.HTML(elem_id="curve", min_height=170)
        with gr.Accordion("Several dimensions at once", open=False, elem_id="several"):
            gr.Markdown("The six that move the picture most, by rank. All add up, with the slider above.")
            with gr.Row():
                controls["mix"] = [
                    gr.Slider(label=f"Rank {i}", elem_id=f"mix_{i}", min_width=300, buttons=["reset"], **scale)
                    for i in range(1, SLIDERS + 1)
                ]
        sheet = gr.HTML(elem_id="sheet", min_height=240)

        def fill(s: Perturbation) -> dict:
            size, cell = s.config.grid_size, s.cell or (-1, -1)
            places = zip((controls["row"], controls["column"]), cell, strict=True)
            return {
                **_scaled(controls, s.limit, s),
                controls["rank"]: gr.update(maximum=s.config.latent_dim, value=s.rank),
                cell_row: gr.update(visible=size > 0),
                **{box: gr.update(minimum=min(1, size), maximum=max(size, 1), value=at + 1) for box, at in places},
            }

        views = [View(_draw_start, [start]), View(_draw_live, [live, curve]), View(_draw_sheet, [sheet])]
        fills = [picker.fill, chooser.fill, fill]
        result = Tab(tab, Perturbation, controls, views, snippets.perturbation, fills)
    result.change_model(["start"], picker)
    chooser.wire(lambda event: result.redraw(event, views))
    _wire(result)
    return result


def _lay_out_sliders(first: Perturbation, scale: dict, controls: dict) -> gr.Row:
    controls["shift"] = gr.Slider(label="Shift", elem_id="shift", buttons=["reset"], **scale)
    controls["rank"] = gr.Slider(
        1, first.config.latent_dim, 1, step=1, label="Dimension, by rank", elem_id="rank", buttons=[],
        info="1 moves the picture most",
    )  # fmt: skip
    with gr.Row(visible=False) as cell_row:
        for name in ("row", "column"):
            label = f"{name.title()} of the cell"
            controls[name] = gr.Slider(0, 8, 0, step=1, label=label, elem_id=name, buttons=[], min_width=120)
    controls["unit"] = gr.Radio(titled(_UNITS), value="std", label="Shifts are in", elem_id="unit")
    controls["reach"] = gr.Radio(
        [("as in the figure", 0), *((f"±{reach}", reach) for reach in REACHES)], value=0,
        label="Sliders go to", elem_id="reach", info="far enough, every model breaks",
    )  # fmt: skip
    return cell_row


def _scaled(controls: dict, limit: int, s: Perturbation) -> dict:
    """The sliders of shifts, from −limit to limit."""
    scale = {"minimum": -limit, "maximum": limit, "step": STEPS[limit]}
    return {
        slider: gr.update(value=min(max(value, -limit), limit), **scale)
        for slider, value in zip((controls["shift"], *controls["mix"]), (s.shift, *s.mixed), strict=True)
    }


def _wire(tab: Tab) -> None:
    c, (start_view, live_view, sheet_view) = tab.controls, tab.views
    moving = [c["rank"], c["shift"], *c["mix"]]
    tab.draw_on([slider.input for slider in moving], live_view)
    tab.draw_on([slider.release for slider in moving], live_view)  # also a slider's reset
    tab.redraw_on([c["row"].release, c["column"].release], tab.views)

    @explained
    def rescale(values: dict) -> dict:
        s = tab.collected(values)
        return _scaled(c, replace(s, shift=0.0, mix="").limit, s)

    for control, views in (("reach", [live_view]), ("unit", [live_view, sheet_view])):
        tab.redraw(c[control].input(rescale, tab.components, [c["shift"], *c["mix"]], **CLICKS), views)

    @explained
    def choose_cell(event: gr.EventData) -> list[int]:
        return [whole(name, sent(event, name), 1, 512) for name in ("row", "column")]

    tab.redraw(start_view.outputs[0].select(choose_cell, None, [c["row"], c["column"]], **CLICKS), tab.views)
