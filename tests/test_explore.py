"""The perturbation and interpolation tabs without Gradio, and the models they offer."""

import io
import shutil
import threading
from dataclasses import replace

import numpy as np
import pytest
from image_files import file_of
from PIL import Image

from aevq_hub import AEVQ, LoadError, explore, folder, pictures
from aevq_hub.demo import page
from aevq_hub.explore import exhibits, interpolation, perturbation, snippets, starts
from aevq_hub.explore.interpolation import Interpolation
from aevq_hub.explore.perturbation import Perturbation
from aevq_hub.folder import shipped_folder
from aevq_hub.registry import DATASETS

CELL = 86  # cell of a sheet in pixels: 28 enlarged three times, and a gap of two


@pytest.fixture(scope="module")
def shown():
    return explore.exhibit("center-mnist")


BROKEN = {
    "config": ("config.json", lambda data: b"{", "is not valid JSON"),
    "weights": ("model.safetensors", lambda data: data[:-9], "is not the file that its config.json was written with"),
    "history": ("history.json", lambda data: b"{}", "history.json is damaged: it has no recipe"),
    "samples": ("samples.safetensors", None, "has no samples.safetensors"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_folder_is_skipped_and_named(case, tmp_path, monkeypatch, caplog):
    for name in ("ae-mnist", "center-mnist"):
        shutil.copytree(shipped_folder() / name, tmp_path / name)
    file, change, message = BROKEN[case]
    path = tmp_path / "center-mnist" / file
    if change:
        path.write_bytes(change(path.read_bytes()))
    else:
        path.unlink()
    monkeypatch.setattr("aevq_hub.folder.shipped_folder", lambda: tmp_path)
    monkeypatch.setattr(exhibits, "history", folder.history)
    assert list(exhibits._all_offers.__wrapped__()) == ["ae-mnist"]
    (warning,) = caplog.messages
    assert warning.startswith("center-mnist is not shown: ") and message in warning


def test_middle_row_of_the_sheet_is_the_start(shown):
    sheet = pictures.perturbation(shown.model, shown.z[0])
    strip = pictures.perturbation(shown.model, shown.z[0], shifts=[0])
    top, cell = (sheet.height - 2) % CELL, CELL
    row = sheet.crop((sheet.width - 10 * cell, top + 3 * cell, sheet.width, top + 4 * cell))
    assert row.tobytes() == strip.crop((strip.width - 10 * cell, top, strip.width, top + cell)).tobytes()


def test_strip_ends_are_the_two_pictures(shown):
    strip = pictures.interpolation(shown.model, shown.z[:1], shown.z[1:2], 5)
    ends = [pictures.enlarge(image, 84) for image in shown.model.to_pil(shown.model.decode(shown.z[:2]))]
    assert strip.crop((2, 2, CELL, CELL)).convert("L").tobytes() == ends[0].tobytes()
    assert strip.crop((strip.width - CELL, 2, strip.width - 2, CELL)).convert("L").tobytes() == ends[1].tobytes()


def test_every_shipped_model_can_be_shown(shipped):
    shown = explore.exhibit(shipped)
    images_may_be_shown = DATASETS[shown.model.config.dataset].shareable
    assert len(shown.thumbnails) == len(shown.z) == (20 if images_may_be_shown else 10)
    assert shown.model.config.latent_dim == shown.z.shape[1]
    assert f"{shown.history['results']['mse']:.4f}" in explore.describe(shipped)
    settings = Perturbation(shipped)
    start = perturbation.start(settings)
    assert perturbation.picture(settings).tobytes() == start.tobytes()
    assert perturbation.picture(replace(settings, shift=float(settings.limit))).tobytes() != start.tobytes()


@pytest.mark.parametrize(("name", "discrete"), [("ae-mnist", set()), ("vqvae-mnist", {"codebook", "recombination"})])
def test_page_of_own_models_has_only_applicable_tabs(name, discrete, monkeypatch):
    offer = explore.offers()[name]
    custom = exhibits.Offer(offer.name, replace(offer.config, dataset="cats"))
    monkeypatch.setattr(exhibits, "_all_offers", lambda: {custom.name: custom})
    components = page.build().config["components"]
    shown = {c["props"]["id"] for c in components if c["type"] == "tabitem"}
    assert shown == {"perturbation", "interpolation", "ladder", "about"} | discrete
    assert any(c["type"] == "radio" and ("cats", "cats") in map(tuple, c["props"]["choices"]) for c in components)


def test_page_without_models_is_refused(monkeypatch):
    monkeypatch.setattr(exhibits, "_all_offers", dict)
    with pytest.raises(LoadError, match="there is no model to show"):
        page.build()


def test_model_cache_opens_once_across_threads_and_evicts_oldest():
    opened, may_open = [], threading.Event()

    def open_slowly(name):
        may_open.wait(10)
        opened.append(name)
        if name == "broken":
            raise ValueError("no such model")
        return name

    shelf = exhibits._Shelf(open_slowly, most=2)
    threads = [threading.Thread(target=shelf, args=("a",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    may_open.set()
    for thread in threads:
        thread.join()
    assert opened == ["a"]
    for name in ("b", "a", "c", "a", "b"):  # a is used again and stays; b is evicted for c
        assert shelf(name) == name
    assert opened == ["a", "b", "c", "b"]
    for _ in range(2):  # a failure is not remembered
        with pytest.raises(ValueError, match="no such model"):
            shelf("broken")
    assert opened[-2:] == ["broken", "broken"]


def test_describe_does_not_load_weights(monkeypatch):
    monkeypatch.setattr(AEVQ, "from_pretrained", None)
    exhibits.describe.cache_clear()
    for name, offer in explore.offers().items():
        assert f"{offer.config.latent_dim} numbers" in explore.describe(name)
    grids = explore.offers(lambda config: config.grid_size > 0)
    assert grids and all(offer.config.grid_size for offer in grids.values())


def test_shifts_of_several_dimensions_add_up():
    settings = Perturbation("center-mnist", "sample:1", rank=2, shift=1.0, unit="raw", mix="0.5,0.25")
    assert settings.by_rank == {1: 0.5, 2: 1.25}
    shown = explore.exhibit("center-mnist")
    first, second, *_ = shown.model.ranked_dimensions()
    z = shown.z[1].clone()
    z[first], z[second] = z[first] + 0.5, z[second] + 1.25
    assert perturbation.picture(settings).tobytes() == shown.model.to_pil(shown.model.decode(z[None]))[0].tobytes()
    assert (
        perturbation.picture(replace(settings, shift=0.0, mix="")).tobytes() == perturbation.start(settings).tobytes()
    )


def test_shifts_are_in_standard_deviations_by_default():
    settings = Perturbation("center-mnist", "sample:1", shift=2.0)
    shown = explore.exhibit("center-mnist")
    z, dim = shown.z[1].clone(), shown.model.ranked_dimensions()[0]
    z[dim] += 2 * shown.model.std()[dim]
    assert perturbation.picture(settings).tobytes() == shown.model.to_pil(shown.model.decode(z[None]))[0].tobytes()
    assert perturbation.raw_in_std(settings) == pytest.approx(1 / shown.model.std()[dim].item())
    assert Perturbation("center-mnist", unit="latent").unit == "raw"  # as links said before
    assert settings.limit == 3 and replace(settings, model="ema-mnist", unit="raw").limit == 300


def test_samples_have_mean_distance_one():
    model = explore.exhibit("center-mnist").model
    z = model.sample_latents(500, seed=0)
    assert model.sampler.distance(z).mean().item() == pytest.approx(1, abs=0.1)
    assert model.sampler.distance(z + 10).min() > 5


def test_curve_is_zero_at_the_start_and_grows():
    settings = Perturbation("center-mnist", "sample:2", rank=1)
    curve = perturbation.curve(settings)
    middle = len(curve.shifts) // 2
    assert (curve.shifts[0], curve.shifts[middle], curve.shifts[-1]) == (-3, 0, 3)
    assert curve.picture[middle] == 0 and min(curve.picture[:10] + curve.picture[-10:]) > 0.1
    assert curve.ground[middle] < curve.ground[-1]
    a, b = (np.asarray(perturbation.picture(replace(settings, shift=s)), float) / 255 for s in (0.0, 3.0))
    assert curve.picture[-1] == pytest.approx(((a - b) ** 2).mean() ** 0.5, abs=0.005)
    assert perturbation.curve(replace(settings, shift=2.0)) is curve  # computed once for all shifts


def test_shift_changes_only_the_chosen_cell_of_a_grid():
    settings = Perturbation("vqae-fashionmnist", "sample:0", shift=100.0, row=1, column=1)
    start, shifted = perturbation.start(settings), perturbation.picture(settings)
    changed = abs(np.asarray(start, int) - np.asarray(shifted, int))
    assert changed[:6, :6].max() > 20 and changed[18:, 18:].max() == 0
    assert settings.cell == (0, 0) and Perturbation("vqae-fashionmnist").cell == (3, 3)


def test_slider_limit_covers_the_values_of_a_link():
    assert Perturbation("ema-mnist").limit == 3 and Perturbation("ema-mnist", unit="raw").limit == 300
    assert Perturbation("center-mnist", shift=20.0).limit == Perturbation("center-mnist", reach=50).limit == 50
    assert Perturbation("center-mnist", mix="0,-4").limit == 15


def test_four_corners_are_the_four_pictures():
    settings = Interpolation("center-mnist", "sample:4", "sample:5", "random:6", "sample:7")
    sheet, side = interpolation.four_corners(settings).convert("L"), 58  # 28 pixels enlarged twice, and a gap of two
    for which, (x, y) in zip(
        interpolation.CORNERS, [(2, 2), (2 + 6 * side, 2), (2, 2 + 6 * side), (2 + 6 * side,) * 2], strict=True
    ):
        corner = np.asarray(pictures.enlarge(interpolation.corner(settings, which), 56), int)
        # rounding differs in a batch
        assert abs(np.asarray(sheet.crop((x, y, x + 56, y + 56)), int) - corner).max() <= 1


def test_animation_goes_there_and_back():
    settings = Interpolation("center-mnist", "sample:0", "sample:1")
    with Image.open(io.BytesIO(interpolation.animation(settings))) as moving:
        count = moving.n_frames
        frames = {}
        for i in (0, 1, count // 2, count - 1):
            moving.seek(i)
            frames[i] = np.asarray(moving.convert("L"), int)
    ends = [np.asarray(pictures.enlarge(interpolation.corner(settings, w), 224), int) for w in ("start", "end")]
    assert abs(frames[0] - ends[0]).max() <= 1 and abs(frames[count // 2] - ends[1]).max() <= 1
    assert (frames[1] == frames[count - 1]).all() and (frames[1] != frames[0]).any()


def test_interpolation_through_another_variant():
    settings = Interpolation("center-mnist", "sample:0", "random:3", other="ae-mnist")
    strip, other = interpolation.strip(settings), interpolation.other_strip(settings)
    assert other.size == strip.size and other.tobytes() != strip.tobytes()
    assert interpolation.other_strip(replace(settings, other="")) is None
    with pytest.raises(ValueError, match="unknown other 'ae-celeba'; choose from"):
        replace(settings, other="ae-celeba")


MODELS = ["center-mnist", "vae-fashionmnist", "vqae-fashionmnist", "vqvae-fashionmnist", "center-celeba"]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("kind", ["sample:2", "random:17", "image", "inverted image"])
def test_python_code_reproduces_the_picture_exactly(name, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    token = kind if ":" in kind else starts.bring(file_of(Image.radial_gradient("L")), invert="inverted" in kind)
    if ":" not in kind:
        for file in ("picture.png", "picture-z1.png"):
            starts.brought(token).image.save(file)
    for unit, mix in (("raw", ""), ("std", "0.5,0,-1")):
        settings = Perturbation(name, token, rank=3, shift=1.5, unit=unit, mix=mix)
        scope = {}
        exec(snippets.perturbation(settings), scope)
        assert scope["picture"].tobytes() == perturbation.picture(settings).tobytes()
    settings, scope = Interpolation(name, token, "random:4", steps=5, mode="slerp"), {}
    exec(snippets.interpolation(settings), scope)
    assert scope["picture"].tobytes() == interpolation.strip(settings).tobytes()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "centre-mnist"}, "unknown model 'centre-mnist'; choose from ae-mnist"),
        ({"model": "/etc"}, "unknown model"),
        ({"model": None}, "unknown model None"),
        ({"rank": 33}, "rank is 33; give a whole number from 1 to 32"),
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
        ({"mix": None}, "mix is not a list of numbers"),
        ({"start": []}, "give sample:N"),
    ],
)
def test_invalid_setting_is_refused_with_one_sentence(settings, message):
    with pytest.raises(ValueError) as error:
        Perturbation(**settings)
    assert message in str(error.value) and len(str(error.value)) < 900


def test_link_restores_settings_and_reports_invalid_values():
    link = {"model": "center-celeba", "start": "random:9", "rank": "50", "shift": "-2.5", "mix": "0,1"}
    settings, problems = Perturbation.from_link(link)
    assert settings == Perturbation("center-celeba", "random:9", 50, -2.5, mix="0,1") and problems == []
    settings, problems = Perturbation.from_link({**link, "model": "x", "shift": "lots", "unit": "std", "other": "1"})
    assert settings == Perturbation(Perturbation.first(), "random:9", 1, 0.0, "std", mix="0,1")
    assert [problem.split(" ")[0] for problem in problems] == ["unknown", "rank", "shift"]
