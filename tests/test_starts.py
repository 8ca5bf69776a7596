"""Starts: samples, random latents and uploaded images, and the original images behind them."""

import base64
import io

import numpy as np
import pytest
import torch
from image_files import apart, file_of, half_bright
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from aevq_hub import images
from aevq_hub.demo.shared import originals, starts
from aevq_hub.demo.shared.exhibits import best, exhibit
from aevq_hub.demo.turn.settings import Turn


def test_sample_and_random_starts_give_their_latents():
    shown = exhibit("center-mnist")
    assert torch.equal(starts.latent(shown, "sample:3"), shown.z[3])
    assert torch.equal(starts.latent(shown, "random:17"), shown.model.sample_latents(1, seed=17)[0])
    other = exhibit("ae-mnist")  # a seed means the same picture for every model
    carried = starts.latent(other, "random:17", drawn_by=shown)
    assert torch.equal(carried, other.model.encode(shown.model.sample(1, seed=17))[0])


def test_learnable_vector_is_a_start_for_every_model():
    center, grid, plain = map(exhibit, ("center-mnist", "vqae-mnist", "ae-mnist"))
    assert torch.equal(starts.latent(center, "vector:0"), center.model.vectors[0])
    in_all_cells = starts.latent(grid, "vector:5")
    assert torch.equal(in_all_cells, grid.model.vectors[5][:, None, None].expand(-1, 7, 7))
    picture = center.model.decode(center.model.vectors)
    for drawn_by in (None, center):  # a model without vectors encodes the picture of one that has some
        assert torch.equal(starts.latent(plain, "vector:0", drawn_by), plain.model.encode(picture)[0])
    assert originals.original("center-mnist", "vector:0") is None
    assert Turn.fitted({"model": "center-mnist", "start": "vector:105"})[0].start == "vector:0"
    assert Turn.fitted({"model": "vqae-mnist", "start": "vector:105"})[0].start == "vector:5"
    with pytest.raises(ValueError, match="center-mnist has no vector:1; choose from vector:0 to vector:0"):
        starts.latent(center, "vector:1")


def test_missing_sample_or_image_is_refused():
    shown = exhibit("center-mnist")
    with pytest.raises(ValueError, match="There is no sample:20; choose from sample:0 to sample:19"):
        starts.latent(shown, "sample:20")
    with pytest.raises(ValueError, match="no longer here; please bring it again"):
        starts.latent(shown, "image:0123456789abcdef")
    for malformed in (None, "sample", "file:/etc/passwd"):
        with pytest.raises(ValueError, match=r"^start is .*; give sample:N .* random:N .* vector:N .* or image:…"):
            starts.latent(shown, malformed)  # type: ignore[arg-type]


def test_store_evicts_the_oldest_image():
    store = starts._Store(2)
    keys = [store.put(starts.Brought(Image.new("L", (4, 4), shade), False)) for shade in (1, 2)]
    assert store.get(keys[0])  # used again, so the second is now the oldest
    third = store.put(starts.Brought(Image.new("L", (4, 4), 3), False))
    assert [bool(store.get(key)) for key in (*keys, third)] == [True, False, True]


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "I;16", "CMYK"])
def test_uploads_of_every_mode_keep_their_brightness(mode):
    token = starts.bring(file_of(half_bright(mode), "TIFF" if mode == "CMYK" else "PNG"))
    kept = np.asarray(starts.brought(token).image.convert("L"))
    assert kept[:, :18].max() < 10 and kept[:, 22:].min() > 245
    for name in ("center-mnist", "center-celeba"):
        assert starts.latent(exhibit(name), token).isfinite().all()


def test_uploads_are_rotated_shrunk_and_reduced_to_the_first_frame():
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    turned = starts.brought(starts.bring(file_of(half_bright("L"), "JPEG", exif=exif))).image
    pixels = np.asarray(turned)
    assert pixels[20, 5] > 245 and pixels[20, 35] < 10
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "blue")]
    moving = starts.bring(file_of(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True))
    assert starts.brought(moving).image.getpixel((3, 3)) == (255, 0, 0)
    large = starts.brought(starts.bring(file_of(Image.new("L", (3000, 2000), "white"), "JPEG"))).image
    assert large.size == (256, 256)


def test_upload_of_model_size_is_encoded_exactly():
    shown = exhibit("center-mnist")
    image = starts.rendered(shown, "sample:0")
    assert apart(image, shown.model.to_pil(shown.model.render(shown.z[:1]))[0]) == 0
    for invert in ("no", "yes"):
        z = shown.model.encode(shown.model.preprocess(image, invert=invert == "yes"))[0]
        assert torch.equal(starts.latent(shown, starts.bring(file_of(image), invert)), z)
    with pytest.raises(ValueError, match="unknown invert True; choose from auto, yes, no"):
        starts.bring(file_of(image), True)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def digit() -> Image.Image:
    """A digit of MNIST, bright on black, in the middle of a wide picture."""
    digit = starts.rendered(exhibit("center-mnist"), "sample:0").resize((56, 56), Image.Resampling.NEAREST)
    picture = Image.new("L", (90, 70))
    picture.paste(digit, (17, 7))
    return picture


def given(model: str, start: str) -> Image.Image:
    """The picture that a model gets of a start."""
    return exhibit(model).model.to_pil(starts.brought(start).prepared(exhibit(model).model))[0]


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_ink_on_paper_becomes_bright_on_black_for_models_of_grey_pictures(digit, mode):
    bright, photo = digit.convert(mode), ImageOps.invert(digit).convert(mode)  # dark ink on white paper
    start, ready = starts.bring(file_of(photo)), starts.bring(file_of(bright))
    assert starts.brought(start).on_paper and not starts.brought(ready).on_paper
    assert apart(given("center-mnist", start), given("center-mnist", ready)) <= 1
    assert np.asarray(given("center-mnist", start))[0].max() == 0  # black around it
    inverted, wanted = (starts.latent(exhibit("center-mnist"), token) for token in (start, ready))
    assert torch.allclose(inverted, wanted, atol=0.05)
    # models of colour pictures get it as it is
    wanted = exhibit("center-celeba").model.preprocess(photo.crop((10, 0, 80, 70)))
    assert torch.equal(starts.brought(start).prepared(exhibit("center-celeba").model), wanted)
    assert [starts.brought(start).inverted(channels) for channels in (1, 3)] == [True, False]
    shown = originals.original("ae-mnist", start)
    assert shown is not None and apart(exhibit("ae-mnist").model.to_pil(shown[None])[0], given("ae-mnist", ready)) <= 1


def test_inversion_can_be_chosen(digit):
    photo = ImageOps.invert(digit)
    auto, yes, no = (starts.bring(file_of(photo), invert) for invert in starts.INVERT)
    assert auto == yes != no and auto == starts.bring_data(base64.b64encode(file_of(photo).getvalue()).decode())
    assert np.asarray(given("center-mnist", no))[0].min() == 255
    assert np.asarray(given("center-mnist", yes))[0].max() == 0
    assert apart(given("center-celeba", no), given("center-celeba", yes)) == 0
    forced = starts.bring_data(base64.b64encode(file_of(digit).getvalue()).decode(), "yes")
    assert np.asarray(given("center-mnist", forced))[0].min() == 255


@pytest.mark.parametrize(
    ("border", "inside", "on_paper"), [(255, 0, True), (128, 0, True), (127, 255, False), (0, 255, False)]
)
def test_bright_border_means_paper(border, inside, on_paper):
    image = Image.new("L", (400, 300), border)
    image.paste(inside, (51, 1, 349, 299))  # all but the border
    assert starts.brought(starts.bring(file_of(image))).on_paper is on_paper


def image_with_huge_text() -> io.BytesIO:
    info = PngInfo()
    info.add_text("comment", "x" * 5_000_000, zip=True)
    return file_of(Image.new("L", (9, 9)), pnginfo=info)


INVALID_IMAGES = {
    "empty": io.BytesIO,
    "text": lambda: io.BytesIO(b"no picture"),
    "svg": lambda: io.BytesIO(b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
    "truncated": lambda: io.BytesIO(file_of(Image.radial_gradient("L")).getvalue()[:900]),
    "decompression bomb": lambda: file_of(Image.new("1", (20_000, 20_000))),
    "huge text chunk": image_with_huge_text,
    "unsupported format": lambda: file_of(Image.radial_gradient("L"), "PPM"),
}


@pytest.mark.parametrize("kind", INVALID_IMAGES)
def test_invalid_image_is_refused_with_one_sentence(kind):
    with pytest.raises(ValueError, match="cannot be read as an image; please bring a PNG"):
        starts.bring(INVALID_IMAGES[kind]())


def test_image_of_too_many_pixels_is_refused():
    with pytest.raises(ValueError, match="8000 × 8000 pixels; please bring one of at most 50 megapixels"):
        starts.bring(file_of(Image.new("1", (8_000, 8_000))))


@pytest.mark.parametrize("data", [None, 3, "no base64!", "data:image/png;base64,é", "x" * 14_000_000])
def test_invalid_base64_image_is_refused(data):
    with pytest.raises(ValueError, match="base64 text|at most 10 MB|cannot be read"):
        starts.bring_data(data)


def test_base64_and_data_url_are_equivalent():
    data = base64.b64encode(file_of(Image.new("L", (28, 28), 7)).getvalue()).decode()
    assert starts.bring_data(data) == starts.bring_data(f"data:image/png;base64,{data}")


@pytest.mark.parametrize("mode", ["I;16", "I"])
def test_large_images_of_16_bits_are_thinned_before_they_are_converted(mode, monkeypatch):
    sizes, convert = [], images._eight_bit
    monkeypatch.setattr(images, "_eight_bit", lambda image: sizes.append(image.size) or convert(image))
    large = half_bright(mode).resize((4800, 4000), Image.Resampling.NEAREST)
    kept = starts._decoded(file_of(large))
    assert max(sizes[0]) <= 8 * starts.KEPT_SIDE and kept.size == (starts.KEPT_SIDE, starts.KEPT_SIDE)
    assert (kept.getpixel((20, 128)), kept.getpixel((230, 128))) == (0, 255)


def test_pictures_that_stand_for_starts():
    """The originals where they may be shown, else what a model renders."""
    x = originals.original("vae-mnist", "sample:3")
    assert x is not None
    digits = originals.samples("mnist")
    assert len(digits) == 20 and apart(digits[3], exhibit("vae-mnist").model.to_pil(x[None])[0]) == 0
    assert originals.shown("ema-mnist", "sample:23") is digits[3]  # numbers wrap around
    faces, model = originals.samples("celeba"), exhibit(best("celeba"))
    assert len(faces) == 10 and apart(faces[2], starts.rendered(model, "sample:2")) <= 1  # rounding differs in a batch
    assert originals.shown("zero-celeba", "sample:2") is faces[2]
    drawn = originals.shown("zero-celeba", "random:5")
    assert apart(drawn, starts.rendered(exhibit("zero-celeba"), "random:5")) == 0
    brought = starts.bring(file_of(half_bright("RGB")))
    assert apart(originals.shown("zero-celeba", brought), given("zero-celeba", brought)) == 0


def test_original_is_available_only_if_shareable():
    white = starts.bring(file_of(Image.new("L", (1, 1), 255)))
    assert originals.original("center-celeba", "sample:0") is None
    assert originals.original("ae-mnist", "random:0") is None
    shown = originals.original("center-celeba", white)
    assert shown is not None and shown.shape == (3, 64, 64) and shown.min() == 1
    garments = exhibit("vqae-fashionmnist")
    x = originals.original("vqae-fashionmnist", "sample:3")
    assert x is not None
    assert torch.allclose(garments.model.encode(x[None])[0], starts.latent(garments, "sample:3"), atol=1e-4)
    with pytest.raises(ValueError, match="There is no sample:20; choose from sample:0 to sample:19"):
        originals.original("ae-mnist", "sample:20")
