"""The ladder tab: one picture through every variant of its data set, row by row."""

import html
from collections.abc import Iterator

import gradio as gr

from ..explore import data_sets, offers, snippets
from ..explore import ladder as explore
from ..explore.exhibits import history
from ..explore.ladder import FARTHEST, Ladder, Row
from ..model import AEVQ
from ..registry import VARIANTS
from .chooser import Chooser
from .parts import LONG, Tab, View, answer, coded, figure, original, png

ID, TITLE, SETTINGS = "ladder", "Ladder", Ladder
_PLACES = {"start": "Picture", "second": "Second picture"}


def ladder(model: str = "center-mnist", start: str = "sample:0", second: str = "sample:1", shift: float = 2.0) -> dict:
    """Draw one picture through every variant of a data set: reconstruction, shifted, and the way to a second picture.

    Args:
        model: any model of the data set, such as center-mnist; all of its data set are drawn.
        start: the picture: sample:N (a sample's number) or image:… (what `bring` answered).
        second: where the way leads, likewise.
        shift: of the dimension that moves the picture most, in standard deviations, from -10 to 10.

    Returns:
        A PNG with a row for every variant, in the paper's order.
    """
    return answer(png(explore.sheet(Ladder(model, start, second, shift))))


def ladder_row(
    model: str = "center-mnist", start: str = "sample:0", second: str = "sample:1", shift: float = 2.0
) -> dict:
    """Draw the row of one model in the ladder: reconstruction, shifted, and the way to a second picture.

    Args:
        model: one of the models that the endpoint `models` lists, such as center-mnist.
        start: the picture: sample:N or image:….
        second: where the way leads, likewise.
        shift: of the dimension that moves the picture most, in standard deviations, from -10 to 10.

    Returns:
        A PNG of the row.
    """
    return answer(png(explore.row_sheet(Ladder(model, start, second, shift), model)))


ENDPOINTS = (ladder, ladder_row)


def _draw_original(settings: Ladder) -> list[str]:
    otherwise = "Not shown: the data set's terms do not allow it. The samples above are drawn by the model that "
    return [original(settings, otherwise + "reconstructs best.")]


def _draw_rows(settings: Ladder) -> Iterator[list]:
    """The progress and each row, as soon as it is computed; rows that are still to come stay unchanged."""
    count = len(settings.models)
    empty = [""] * (len(VARIANTS) - count)
    for i, row in enumerate(explore.rows(settings)):
        shown = [_row(settings, row) if j == i else gr.skip() for j in range(count)]
        said = f"All {count} variants are drawn." if i + 1 == count else f"Drawing: {i + 1} of {count} variants …"
        yield [f'<p class="said-of" role="status">{said}</p>', *shown, *empty]


def _row(settings: Ladder, row: Row) -> str:
    offer = offers()[row.model]
    amount, over, measured = f"{settings.shift:+g} σ", "", {"mse": row.error, "psnr": row.psnr}
    if row.error is None:
        over, measured = "over the test images ", history(row.model)["results"]
    way = f"{explore.STEPS} steps from {settings.start} to {settings.second}"
    reconstruction, shifted = (AEVQ.to_pil(x[None])[0] for x in (row.reconstruction, row.shifted))
    pictures = [
        figure(reconstruction, "Drawn", f"{settings.start} drawn by {row.model}"),
        figure(shifted, "Shifted", f"the same, shifted by {amount}", hint=amount),
        figure(explore.strip(row), "To the second picture", way, hint="interpolation"),
    ]
    return (
        f'<article class="rung" data-model="{row.model}" aria-label="{html.escape(offer.variant)}"><div><h3>'
        f"{html.escape(offer.variant)}</h3><p>{coded(VARIANTS[offer.config.variant].summary)}</p>"
        f'<p class="error">Mean squared error {over}{measured["mse"]:.4f} (PSNR {measured["psnr"]:.1f} dB)</p></div>'
        f"{''.join(pictures)}</article>"
    )


def build() -> Tab:
    """Lay the tab out and wire it."""
    first = Ladder(model=Ladder.first())
    with gr.Tab(TITLE, id=ID) as tab:
        gr.Markdown(
            "One picture through every variant, from the plain autoencoder to the grid of codes: how well each draws "
            "it again, what the same shift does to it, and what lies between it and a second picture. The paper on "
            "one screen."
        )
        with gr.Row():
            with gr.Column(min_width=300):
                model = gr.Radio(
                    [(title, explore.best(name)) for name, title in data_sets().items()], value=first.model,
                    label="Pictures of", info="the data set", elem_id=f"{ID}_dataset",
                )  # fmt: skip
                shift = gr.Slider(
                    -FARTHEST, FARTHEST, first.shift, step=0.5, label="Shift", elem_id=f"{ID}_shift", buttons=["reset"],
                    info="of each model's dimension that moves pictures most (of grids in the middle cell), in "
                    "standard deviations of its training latents (σ)",
                )  # fmt: skip
            chooser = Chooser(ID, _PLACES, first)
            chooser.random.visible = False  # a seed is another picture for every model
        with gr.Row(elem_classes=["four"]):
            with gr.Column(min_width=120, scale=1):
                before = gr.HTML(elem_id=f"{ID}_original", min_height=130)
            with gr.Column(min_width=120, scale=3):
                with gr.Row():
                    for box in chooser.tokens.values():
                        box.info = "type sample:3, and Enter"
                        box.render()
                said = gr.HTML(elem_id=f"{ID}_progress", min_height=24)
        rows = [gr.HTML(elem_id=f"rung_{i + 1}", elem_classes=["rung-of"]) for i in range(len(VARIANTS))]

        views = [View(_draw_original, [before]), View(_draw_rows, [said, *rows], LONG)]
        controls = {"model": model, **chooser.tokens, "shift": shift}
        result = Tab(tab, Ladder, controls, views, snippets.ladder, [chooser.fill])
    result.change_model(["start", "second", "shift"])
    chooser.wire(lambda event: result.redraw(event, views))
    result.redraw_on([shift.release], views[1:])
    return result
