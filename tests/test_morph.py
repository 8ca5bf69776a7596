"""The tab Morph without Gradio: ways between pictures, as a strip, as an animation and as a sheet."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from code_runs import picture_of
from image_files import apart, file_of
from PIL import Image, ImageSequence

from aevq_hub import latent, pictures
from aevq_hub.demo.morph import compute, snippet
from aevq_hub.demo.morph.settings import CORNERS, Morph, others
from aevq_hub.demo.shared import starts
from aevq_hub.demo.shared.exhibits import exhibit
from aevq_hub.folder import available_models

CELL = 86  # cell of a strip in pixels: 28 enlarged three times, and a gap of two


def cells(strip: Image.Image) -> list[Image.Image]:
    """The pictures of a strip of grey pictures."""
    return [strip.crop((x, 2, x + CELL - 2, CELL)).convert("L") for x in range(2, strip.width, CELL)]


@pytest.mark.parametrize("name", ["center-mnist", "vqvae-fashionmnist"])
@pytest.mark.parametrize("mode", latent.MODES)
def test_strip_leads_from_the_start_to_the_second_picture(name, mode):
    shown, settings = exhibit(name), Morph(name, "sample:2", "random:3", steps=5, mode=mode)
    ends = torch.stack([shown.z[2], shown.model.sample_latents(1, seed=3)[0]])
    found = cells(compute.strip(settings))
    assert len(found) == 5
    for picture, wanted in zip((found[0], found[-1]), shown.model.to_pil(shown.model.render(ends)), strict=True):
        assert apart(picture, pictures.enlarge(wanted, 84)) <= 1  # rounding differs in a batch
    if mode == "lerp":
        (middle,) = shown.model.to_pil(shown.model.render(ends.mean(0, keepdim=True)))
        assert apart(found[2], pictures.enlarge(middle, 84)) <= 1
    else:
        assert compute.strip(settings).tobytes() != compute.strip(replace(settings, mode="lerp")).tobytes()


def test_four_corners_are_the_four_pictures():
    settings = Morph("center-mnist", "sample:4", "sample:5", "random:6", "sample:7")
    sheet, side = compute.four_corners(settings).convert("L"), 58  # 28 pixels enlarged twice, and a gap of two
    far = 2 + (compute.SIDE - 1) * side
    for which, (x, y) in zip(CORNERS, [(2, 2), (far, 2), (2, far), (far, far)], strict=True):
        corner = pictures.enlarge(compute.corner(settings, which), 56)
        assert apart(sheet.crop((x, y, x + 56, y + 56)), corner) <= 1  # rounding differs in a batch


def test_animation_goes_there_and_back():
    settings = Morph("center-mnist", "sample:0", "sample:1")
    with Image.open(io.BytesIO(compute.animation(settings))) as moving:
        assert moving.format == "WEBP" and moving.info["loop"] == 0
        frames = [frame.convert("L") for frame in ImageSequence.Iterator(moving)]
    assert len(frames) == 2 * compute.FRAMES - 2
    start, second = (pictures.enlarge(compute.corner(settings, which), 224) for which in CORNERS[:2])
    assert apart(frames[0], start) <= 1 and apart(frames[compute.FRAMES - 1], second) <= 1
    assert apart(frames[1], frames[-1]) == 0 and apart(frames[1], frames[0]) > 0


@pytest.mark.parametrize("other", ["ae-mnist", "vqae-mnist"])
def test_another_variant_draws_the_same_way(other):
    settings = Morph("center-mnist", "sample:0", "random:3", steps=5, other=other)
    strip, found = compute.strip(settings), compute.other_strip(settings)
    assert found is not None and found.size == strip.size and found.tobytes() != strip.tobytes()
    model, source = exhibit(other).model, exhibit("center-mnist").model
    carried = model.render(model.encode(source.sample(1, seed=3)))  # the seed means the picture of the first model
    assert apart(cells(found)[-1], pictures.enlarge(model.to_pil(carried)[0], 84)) <= 1
    assert np.mean(abs(np.asarray(found, int) - np.asarray(strip, int))) < 25
    assert compute.other_strip(replace(settings, other="")) is None


def test_others_are_of_the_same_data_set():
    assert "ae-celeba" in others("center-celeba") and "center-celeba" not in others("center-celeba")
    assert all(name.endswith("-mnist") and not name.endswith("fashionmnist") for name in others("vae-mnist"))


def test_python_code_reproduces_the_picture_exactly(shipped, tmp_path):
    """One of several settings for each model, in turn."""
    image, ink = (starts.bring(file_of(Image.radial_gradient("L")), invert) for invert in ("no", "yes"))
    several = (
        Morph(shipped, "sample:2", "random:4", steps=5, mode="slerp"),
        Morph(shipped, "random:17", ink, steps=2),
        Morph(shipped, image, "sample:0", ink, steps=3),
        Morph(shipped, image, ink, steps=2, mode="slerp"),
        Morph(shipped, "vector:0", "sample:1", steps=3),
    )
    settings = several[available_models().index(shipped) % len(several)]
    made = picture_of(snippet.code(settings), settings, tmp_path)
    assert made.tobytes() == compute.strip(settings).tobytes()
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.tobytes() == compute.four_corners(settings).tobytes()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "centre-mnist"}, "unknown model 'centre-mnist'; choose from ae-mnist"),
        ({"other": "ae-mnist"}, "unknown other 'ae-mnist'; choose from"),
        ({"other": "center-celeba"}, "unknown other 'center-celeba'; choose from"),
        ({"mode": "arc"}, "unknown mode 'arc'; choose from lerp, slerp"),
        ({"steps": 1}, "steps is 1; give a whole number from 2 to 17"),
        ({"steps": 18}, "steps is 18; give a whole number from 2 to 17"),
        ({"second": "end"}, "second is 'end'; give sample:N"),
        ({"third": None}, "third is None; give sample:N"),
        ({"fourth": "sample:x"}, "fourth is 'sample:x'; give sample:N"),
    ],
)
def test_invalid_setting_is_refused_with_one_sentence(settings, message):
    with pytest.raises(ValueError) as error:
        Morph(**settings)
    assert message in str(error.value) and len(str(error.value)) < 900
