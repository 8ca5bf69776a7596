"""The bar above the tabs, the shared state and the tour."""

import re

import pytest

from aevq_hub import claims
from aevq_hub.demo import page
from aevq_hub.demo.bar import bar
from aevq_hub.demo.grid.settings import Grid
from aevq_hub.demo.shared.exhibits import history, of_data_set, offers
from aevq_hub.demo.state import State
from aevq_hub.demo.tour import STEPS, panel
from aevq_hub.demo.turn.settings import Turn

SETTINGS = {module.ID: module.SETTINGS for module in page.TABS}


def chosen(text: str, data: str) -> list[str]:
    """The values of the chosen buttons with an attribute."""
    return re.findall(rf'<button type="button"[^>]*data-{data}="([^"]*)"[^>]*aria-(?:checked|pressed)="true"', text)


def test_bar_marks_what_is_chosen():
    text = bar(State("center-mnist", "sample:3", "sample:4", "second"), Turn, "turn them")
    found = {data: chosen(text, data) for data in ("set", "model", "place", "start")}
    assert found == {"set": ["mnist"], "model": ["center-mnist"], "place": ["second"], "start": ["sample:4"]}
    assert "One digit, 32 numbers: turn them" in text and "sample 7, 7" in text
    assert "data-sketch" in text and "data-sketch" not in bar(State(), Turn, "")  # sketches are for grey pictures


def test_ladder_goes_from_continuous_to_discrete():
    names = re.findall(r'data-model="([^"]*)"', bar(State("center-celeba"), Turn, ""))
    assert set(names) == set(of_data_set("celeba"))
    sizes = [(offers()[name].config.grid_size, offers()[name].config.num_codes) for name in names]
    assert sizes == sorted(sizes) and offers()["residual-celeba"].short == "500 deep"


def test_learnable_vector_is_offered_where_there_is_one():
    assert 'data-vector="0" tabindex="-1" title="Start from the learnable vector">Its vector<' in bar(
        State("center-mnist"), Turn, ""
    )
    share = history("ema-mnist")["results"]["codebook"]["share"]
    said = f"Start from the most used of its {len(share)} vectors"
    assert f'data-vector="{share.index(max(share))}" tabindex="-1" title="{said}"' in bar(State("ema-mnist"), Turn, "")
    assert "data-vector" not in bar(State("vae-mnist"), Turn, "")


def test_bar_says_which_model_stands_in():
    text = bar(State("center-celeba"), Grid, "")
    assert "One vector cannot do this; <b>VQ-AE</b> is shown." in text
    assert chosen(text, "model") == ["center-celeba"]
    assert "cannot do this" not in bar(State("vqvae-celeba"), Grid, "")


def test_bar_shows_an_image_that_is_no_longer_here_as_nothing():
    assert 'src=""' in bar(State("center-mnist", "image:0123456789abcdef"), Turn, "")


@pytest.mark.parametrize("values", [None, [], {"model": 3}, {"start": {}}, {"place": "x", "tour": 99}, {"tour": True}])
def test_state_of_anything_is_valid(values):
    assert State.of(values) == State(model=State.first())


def test_another_data_set_keeps_variant_and_samples():
    state = State("vae-mnist", "sample:15", "random:7", "second", 3).of_dataset("celeba")
    assert state == State("vae-celeba", "sample:5", "random:7", "second", 3)  # CelebA has ten samples
    with pytest.raises(ValueError, match="unknown data set 'x'"):
        state.of_dataset("x")


@pytest.mark.parametrize("number", range(1, len(STEPS) + 1))
def test_every_step_of_the_tour_can_be_opened(number):
    step, known = STEPS[number - 1], {row["number"]: row for row in claims.shipped()}
    link = step.parameters
    settings, problems = SETTINGS[link.pop("tab")].fitted(link)
    assert not problems and link.keys() <= settings.link.keys() | {"start", "second"}
    text = panel(number)
    assert f"{number} of {len(STEPS)}" in text and step.do in text and (step.claims or step.measured)
    assert all(known[claim]["verdict"] in text and known[claim]["says"] in text for claim in step.claims)
    goes = [int(to) for to in re.findall(r'data-tour="(\d+)"', text)]
    assert goes == [n for n in (number - 1, number + 1) if 1 <= n <= len(STEPS)] + [0]


def test_the_tour_has_the_records_numbers():
    errors = {name: history(name)["results"]["mse"] for name in of_data_set("celeba")}
    assert f"{min(errors.values()):.5f}" in panel(8) and f"{max(errors.values()):.5f}" in panel(8)
    assert f"{history('codebook-mnist')['results']['codebook']['duplicates']} duplicates" in panel(6)
