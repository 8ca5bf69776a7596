"""Start tokens: samples, random latents and uploaded images."""

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from image_files import file_of, half_bright
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from aevq_hub import explore, images
from aevq_hub.explore import starts
from aevq_hub.explore.interpolation import Interpolation


def test_sample_and_random_starts_give_their_latents():
    shown = explore.exhibit("center-mnist")
    assert torch.equal(starts.latent(shown, "sample:3"), shown.z[3])
    assert torch.equal(starts.latent(shown, "random:17"), shown.model.sample_latents(1, seed=17)[0])
    other = explore.exhibit("ae-mnist")  # a seed means the same picture for every model
    carried = starts.latent(other, "random:17", drawn_by=shown)
    assert torch.equal(carried, other.model.encode(shown.model.sample(1, seed=17))[0])


@pytest.mark.parametrize(
    "token", [None, 3, "", "sample", "sample:", "sample:-1", "sample:1e3",
              "random:99999999999", "image:xyz", "file:/etc/passwd", "sample:³"]
)  # fmt: skip
def test_malformed_start_is_refused_with_the_choices(token):
    with pytest.raises(ValueError, match=r"give sample:N .* random:N .* or image:…") as error:
        starts.latent(explore.exhibit("center-mnist"), token)
    assert str(error.value).count(". ") == 0


def test_missing_sample_or_image_is_refused():
    shown = explore.exhibit("center-mnist")
    with pytest.raises(ValueError, match="There is no sample:20; choose from sample:0 to sample:19"):
        starts.latent(shown, "sample:20")
    with pytest.raises(ValueError, match="no longer here; please bring it again"):
        starts.latent(shown, "image:0123456789abcdef")


def test_sample_number_wraps_when_the_model_changes():
    settings = Interpolation("center-celeba", "sample:13", "random:13")
    carried = starts.carried_over(settings)
    assert (carried.start, carried.end, carried.steps) == ("sample:3", "random:13", settings.steps)
    assert starts.carried_over(replace(settings, model="center-mnist")).start == "sample:13"


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
        assert starts.latent(explore.exhibit(name), token).isfinite().all()


def test_uploads_are_rotated_shrunk_and_reduced_to_the_first_frame():
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    turned = starts.brought(starts.bring(file_of(half_bright("L"), "JPEG", exif=exif))).image
    assert turned.getpixel((5, 20)) > 245 and turned.getpixel((35, 20)) < 10
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "blue")]
    moving = starts.bring(file_of(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True))
    assert starts.brought(moving).image.getpixel((3, 3)) == (255, 0, 0)
    large = starts.brought(starts.bring(file_of(Image.new("L", (3000, 2000), "white"), "JPEG"))).image
    assert large.size == (256, 256)


def test_upload_of_model_size_is_encoded_exactly():
    shown = explore.exhibit("center-mnist")
    image = shown.model.to_pil(shown.model.render(shown.z[:1]))[0]
    for invert in (False, True):
        z = shown.model.encode(shown.model.preprocess(image, invert=invert))[0]
        assert torch.equal(starts.latent(shown, starts.bring(file_of(image), invert)), z)


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
