"""The tab Turn without Gradio: shifts of a latent, and what is shown beside them."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from code_runs import picture_of
from image_files import apart, file_of
from PIL import Image, ImageSequence

from aevq_hub import pictures
from aevq_hub.demo.shared import exhibits, starts
from aevq_hub.demo.shared.exhibits import exhibit
from aevq_hub.demo.turn import compute, snippet
from aevq_hub.demo.turn.settings import BASES, SLIDERS, Turn
from aevq_hub.folder import available_models
from aevq_hub.sampling import GaussianMixture

SIDE = 84  # of a picture in a sheet, beside which there is a gap of two pixels
LATENTS, GRIDS = ["center-mnist", "ae-celeba"], ["vqae-mnist", "vqvae-fashionmnist"]


def decoded(name: str, z: torch.Tensor) -> Image.Image:
    model = exhibit(name).model
    return model.to_pil(model.decode(z[None]))[0]


def steps(settings: Turn) -> torch.Tensor:
    """What a shift of 1 by each slider adds to a latent, from the model's directions, numbers and deviations."""
    model = exhibit(settings.model).model
    if settings.basis == "directions":
        found = model.directions()[:SLIDERS]
        return found if settings.unit == "std" else found / found.norm(dim=1, keepdim=True)
    dims = model.ranked_dimensions()[:SLIDERS]
    numbers = torch.eye(settings.config.latent_dim)[dims]
    return numbers if settings.unit == "raw" else numbers * model.std()


@pytest.mark.parametrize("name", LATENTS)
@pytest.mark.parametrize("unit", ["std", "raw"])
@pytest.mark.parametrize("basis", BASES)
def test_sliders_move_the_latent_along_their_steps(name, basis, unit):
    settings = Turn(name, "sample:1", basis=basis, unit=unit)
    z = exhibit(name).z[1]
    assert compute.picture(settings).tobytes() == decoded(name, z).tobytes()
    for i in (0, SLIDERS - 1):
        moved = replace(settings, mix=",".join(["0"] * i + ["1.5"]))
        assert apart(compute.picture(moved), decoded(name, z + 1.5 * steps(settings)[i])) <= 1
        assert apart(compute.picture(moved), decoded(name, z)) > 3
    together = replace(settings, mix="0.5,0,-2,0.25")
    z = z + 0.5 * steps(settings)[0] - 2 * steps(settings)[2] + 0.25 * steps(settings)[3]
    assert apart(compute.picture(together), decoded(name, z)) <= 1


@pytest.mark.parametrize(("name", "basis"), [*zip(GRIDS, BASES, strict=True)])
def test_sliders_move_one_cell_of_a_grid(name, basis):
    settings = Turn(name, "sample:2", basis=basis, mix="0,-3", row=1, column=2)
    shown = exhibit(name)
    z = shown.model.decoder_input(shown.z[2:3])[0].clone()
    z[:, 0, 1] -= 3 * steps(settings)[1]
    assert settings.cell == (0, 1) and apart(compute.picture(settings), decoded(name, z)) <= 1


def test_far_parts_of_the_picture_do_not_see_a_cell():
    settings = Turn("vqae-fashionmnist", shift=100.0, row=1, column=1)
    start, shifted = (np.asarray(compute.picture(s), int) for s in (replace(settings, shift=0.0), settings))
    changed = abs(start - shifted)
    assert changed[:6, :6].max() > 20 and changed[18:, 18:].max() == 0
    assert Turn("vqae-fashionmnist").cell == (3, 3) and Turn("ae-mnist").cell is None


def test_one_more_number_adds_to_the_sliders():
    settings = Turn("center-mnist", "sample:1", basis="numbers", mix="0.5,0.25", rank=2, shift=1.0, unit="raw")
    shown = exhibit("center-mnist")
    first, second, *_ = shown.model.ranked_dimensions()
    z = shown.z[1].clone()
    z[first], z[second] = z[first] + 0.5, z[second] + 1.25
    assert apart(compute.picture(settings), decoded("center-mnist", z)) <= 1
    # it is a number, whatever the sliders move
    along = replace(settings, basis="directions", unit="std", shift=2.0)
    z = shown.z[1] + 0.5 * steps(along)[0] + 0.25 * steps(along)[1]
    z[second] += 2 * shown.model.std()[second]
    assert apart(compute.picture(along), decoded("center-mnist", z)) <= 1


@pytest.mark.parametrize("name", [*LATENTS, *GRIDS])
def test_way_leads_to_the_second_picture(name):
    settings, z = Turn(name, "sample:3", "sample:4"), exhibit(name).z
    for way in (0.0, 0.25, 1.0):
        wanted = exhibit(name).model.decoder_input((z[3] + way * (z[4] - z[3]))[None])[0]
        assert apart(compute.picture(replace(settings, way=way)), decoded(name, wanted)) <= 1
    shifted = compute.picture(replace(settings, way=1.0, mix="2"))  # the way comes first
    assert apart(shifted, compute.picture(replace(settings, start="sample:4", mix="2"))) <= 1
    strip = compute.strip(replace(settings, mix="3", way=0.5))
    assert len(strip) == compute.STRIP
    assert apart(strip[2], compute.picture(replace(settings, way=2 / (compute.STRIP - 1)))) <= 1
    for picture, start in ((strip[0], "sample:3"), (strip[-1], "sample:4")):
        assert apart(picture, starts.rendered(exhibit(name), start)) <= 1


def test_unusual_is_the_distance_to_the_training_latents():
    settings = Turn("center-mnist", "sample:1")
    sampler, z = exhibit("center-mnist").model.sampler, exhibit("center-mnist").z[1:2]
    assert isinstance(sampler, GaussianMixture)
    near = compute.unusual(settings)
    far, farther = (compute.unusual(replace(settings, **more)) for more in ({"mix": "0,8"}, {"shift": 50.0}))
    assert near is not None and far is not None and farther is not None
    assert far == pytest.approx(sampler.distance(z + 8 * steps(settings)[1]).item(), rel=1e-4)
    assert near == sampler.distance(z).item() and 0.3 < near < 2
    assert near + 0.5 < far < farther
    assert all(compute.unusual(Turn(name)) is None for name in GRIDS)


def test_samples_have_mean_distance_one():
    model = exhibit("center-mnist").model
    z, sampler = model.sample_latents(500, seed=0), model.sampler
    assert isinstance(sampler, GaussianMixture) and sampler.distance(z).mean().item() == pytest.approx(1, abs=0.1)
    assert sampler.distance(z + 10).min() > 5


def test_moving_picture_goes_along_the_first_slider_and_back():
    settings = Turn("center-celeba", "sample:1", mix="0,5")
    with Image.open(io.BytesIO(compute.moving(settings))) as moving:
        assert moving.format == "WEBP" and moving.info["loop"] == 0
        frames = [frame.convert("RGB") for frame in ImageSequence.Iterator(moving)]
    assert len(frames) == compute.FRAMES
    quarter = compute.FRAMES // 4
    for i, mix in ((0, ""), (quarter, "1.5"), (2 * quarter, ""), (3 * quarter, "-1.5")):
        still = compute.picture(replace(settings, mix=mix)).convert("RGB")
        assert frames[i].tobytes() == still.tobytes()
    assert frames[quarter - 1].tobytes() == frames[quarter + 1].tobytes() != frames[quarter].tobytes()


@pytest.mark.parametrize(
    "settings",
    [
        Turn("center-mnist", "sample:1"),
        Turn("zero-celeba", "random:3", "sample:2", basis="numbers", way=0.5),
        Turn("vqae-fashionmnist", unit="raw", row=2, column=3),
        Turn("ema-fashionmnist", basis="numbers", unit="raw"),
    ],
    ids=lambda settings: f"{settings.model}-{settings.basis}-{settings.unit}",
)
def test_tiles_are_the_cells_of_the_sheet(settings):
    sheet, tiles = compute.sheet(settings), compute.tiles(settings)
    assert len(tiles) == len(settings.figure) and {len(row) for row in tiles} == {SLIDERS}
    side = pictures.enlarge(tiles[0][0], SIDE).width + 2
    left, top = sheet.width - 10 * side, sheet.height - len(tiles) * side
    for r, row in enumerate(tiles):
        for s, tile in enumerate(row):
            x, y = left + s * side, top + r * side
            cell = sheet.crop((x, y, x + side - 2, y + side - 2))
            assert apart(cell, pictures.enlarge(tile, SIDE).convert("RGB")) <= 1  # rounding differs in a batch
    z = exhibit(settings.model).model.decoder_input(compute._start(settings)[None])[0]
    unshifted = tiles[list(settings.figure).index(0)]
    assert all(apart(tile, decoded(settings.model, z)) <= 1 for tile in unshifted)


def test_middle_row_of_the_sheet_is_the_start():
    shown, cell = exhibit("center-mnist"), SIDE + 2
    sheet = pictures.perturbation(shown.model, shown.z[0])
    strip = pictures.perturbation(shown.model, shown.z[0], shifts=[0])
    top = (sheet.height - 2) % cell
    row = sheet.crop((sheet.width - 10 * cell, top + 3 * cell, sheet.width, top + 4 * cell))
    assert row.tobytes() == strip.crop((strip.width - 10 * cell, top, strip.width, top + cell)).tobytes()


def test_raw_shift_in_standard_deviations():
    model = exhibit("center-mnist").model
    for rank, unit in ((1, "std"), (7, "raw")):
        std = model.std()[model.ranked_dimensions()[rank - 1]].item()
        assert compute.raw_in_std(Turn("center-mnist", mix="2", rank=rank, unit=unit)) == pytest.approx(1 / std)


def test_curve_is_zero_at_the_start_and_grows():
    settings = Turn("center-mnist", "sample:2", rank=1)
    curve = compute.curve(settings)
    middle = len(curve.shifts) // 2
    assert (curve.shifts[0], curve.shifts[middle], curve.shifts[-1]) == (-3, 0, 3)
    assert curve.picture[middle] == 0 and min(curve.picture[:10] + curve.picture[-10:]) > 0.1
    assert curve.ground[middle] < curve.ground[-1]
    a, b = (np.asarray(compute.picture(replace(settings, shift=s)), float) / 255 for s in (0.0, 3.0))
    assert curve.picture[-1] == pytest.approx(((a - b) ** 2).mean() ** 0.5, abs=0.005)
    assert curve.ground[-1] == pytest.approx(compute.unusual(replace(settings, shift=3.0)), rel=1e-4)
    assert compute.curve(replace(settings, shift=2.0, mix="1")) is curve  # computed once for all shifts
    grid = compute.curve(Turn("vqvae-mnist"))
    assert grid.ground[middle] == pytest.approx(0, abs=0.1) and "nearest code" in grid.known


def test_limit_covers_the_shifts_of_a_link():
    assert Turn("ema-mnist").limit == Turn("ema-mnist", reach=0).limit == 3
    assert Turn("ema-mnist", reach=0, unit="raw").limit == 300 and Turn("center-mnist", reach=1).limit == 1
    assert Turn("center-mnist", shift=20.0).limit == Turn("center-mnist", reach=50).limit == 50
    assert Turn("center-mnist", mix="0,-4").limit == 15


def test_short_latents_have_fewer_sliders(monkeypatch):
    offer = exhibits.offers()["ae-mnist"]
    short = exhibits.Offer(offer.name, replace(offer.config, latent_dim=4))
    monkeypatch.setattr(exhibits, "_all_offers", lambda: {short.name: short})
    assert Turn("ae-mnist", mix="1,2,3,4,5,6").mixed == [1, 2, 3, 4] and Turn("ae-mnist").sliders == 4
    assert Turn("ae-mnist", mix="1").mixed == [1, 0, 0, 0]


def test_ends_are_named_where_that_was_measured(monkeypatch):
    names = {"directions": [{"low": "dark", "high": "bright"}, None], "numbers": []}
    monkeypatch.setattr("aevq_hub.demo.turn.settings.history", lambda model: {"names": names})
    assert Turn().ends[:2] == [("dark", "bright"), ("Direction 2", "")] and len(Turn().ends) == SLIDERS
    assert Turn(basis="numbers").ends[0] == ("Number 1", "")
    monkeypatch.setattr("aevq_hub.demo.turn.settings.history", lambda model: {})
    assert Turn().ends[5] == ("Direction 6", "")


def test_python_code_reproduces_the_picture_exactly(shipped, tmp_path):
    """Half of the settings for each model, in turn."""
    image, ink = (starts.bring(file_of(Image.radial_gradient("L")), invert) for invert in ("no", "yes"))
    several = (
        Turn(shipped, "sample:2", rank=3, shift=1.5),
        Turn(shipped, "random:17", image, way=0.3, mix="0.5,0,-1"),
        Turn(shipped, image, basis="numbers", mix="0.5,0,-1", shift=-0.5, unit="raw"),
        Turn(shipped, ink, "random:4", way=1.0, mix="0,0,2.5", unit="raw", reach=15),
    )
    for settings in several[available_models().index(shipped) % 2 :: 2]:
        made = picture_of(snippet.code(settings), settings, tmp_path)
        assert made.tobytes() == compute.picture(settings).tobytes(), settings


def test_code_needs_only_what_it_uses():
    assert (
        snippet.code(Turn("vae-mnist", "random:1"))
        == """# pip install aevq-hub
from aevq_hub import AEVQ, latent

model = AEVQ.from_pretrained("vae-mnist")
z = model.sample_latents(1, seed=1)[0]

picture = model.to_pil(model.decode(z[None]))[0]
picture.save("result.png")"""
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"basis": "axes"}, "unknown basis 'axes'; choose from directions, numbers"),
        ({"way": 1.5}, "way is 1.5; give a number from 0 to 1"),
        ({"rank": 65}, "rank is 65; give a whole number from 1 to 64"),
        ({"rank": 1.5}, "rank is 1.5"),
        ({"rank": True}, "rank is True"),
        ({"rank": None}, "rank is None"),
        ({"shift": float("nan")}, "shift is nan; give a number from -300 to 300"),
        ({"shift": float("inf")}, "shift is inf"),
        ({"shift": 10**400}, "shift is 1000"),
        ({"shift": "1"}, "shift is '1'"),
        ({"unit": "metres"}, "unknown unit 'metres'; choose from std, raw"),
        ({"reach": 7}, "reach is 7; choose from 0, 1, 3"),
        ({"row": 1}, "row is 1; give a whole number from 0 to 0"),
        ({"mix": "1,2,x"}, "mix is not a list of numbers"),
        ({"mix": "1,2,nan"}, "mix is not a list of numbers"),
        ({"mix": "1,2,3,4,5,6,7"}, "mix is not a list of numbers"),
        ({"mix": None}, "mix is not a list of numbers"),
    ],
)
def test_invalid_setting_is_refused_with_one_sentence(settings, message):
    with pytest.raises(ValueError) as error:
        Turn(**settings)
    assert message in str(error.value) and len(str(error.value)) < 900
    assert Turn(unit="latent").unit == "raw"  # as links said before
