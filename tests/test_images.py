"""Conversion between pictures and tensors, and sheets of pictures."""

import numpy as np
import pytest
import torch
from image_files import half_bright
from PIL import Image

from aevq_hub.images import to_array, to_pil
from aevq_hub.pictures import sheet


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I;16", "I", "F"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_image_mode_keeps_its_brightness(mode, channels):
    x = to_array(half_bright(mode), 28, channels)
    assert x.shape == (channels, 28, 28)
    assert x.dtype == np.uint8
    assert x[..., :12].max() < 10
    assert x[..., 16:].min() > 245


def test_image_of_model_size_is_kept_exactly():
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    assert np.array_equal(to_array(Image.fromarray(pixels), 28, 1)[0], pixels)


def test_crop_keeps_the_centre_of_a_celeba_image():
    pixels = np.zeros((218, 178, 3), np.uint8)
    pixels[35:183, 15:163] = 255  # the centred 148 × 148
    assert to_array(Image.fromarray(pixels), 64, 3, crop=148 / 178).min() == 255


def test_resizing_is_antialiased():
    stripes = np.zeros((256, 256), np.uint8)
    stripes[:, ::2] = 255
    x = to_array(Image.fromarray(stripes), 32, 1)
    assert abs(x.astype(int) - 127).max() < 8  # grey; picking single pixels would give black or white


def test_exif_rotation_is_applied():
    image = half_bright("L")
    exif = image.getexif()
    exif[0x0112] = 3  # upside down
    image.info["exif"] = exif.tobytes()
    assert to_array(image, 28, 1)[0, :, :12].min() > 245


def test_transparency_becomes_white():
    image = Image.new("RGBA", (28, 28), (0, 0, 0, 0))
    assert to_array(image, 28, 3).min() == 255


def test_tensor_to_pil_round_trip_is_exact(generator):
    x = torch.randint(0, 256, (2, 3, 16, 16), generator=generator)
    back = [torch.from_numpy(to_array(image, 16, 3)) for image in to_pil(x / 255)]
    assert torch.equal(torch.stack(back).long(), x)


def test_values_outside_the_range_are_clipped():
    image = to_pil(torch.tensor([-1.0, 2.0]).view(1, 1, 1, 2))[0]
    assert [image.getpixel((0, 0)), image.getpixel((1, 0))] == [0, 255]


def test_sheet_shows_each_image_enlarged_in_place():
    x = torch.tensor([[0.0, 1.0], [0.5, 0.2]]).view(2, 2, 1, 1, 1).expand(2, 2, 1, 8, 8)
    picture = sheet(x, cell=16, gap=2)
    assert picture.size == (38, 38)
    centres = [picture.getpixel((10 + 18 * s, 10 + 18 * r))[0] for r in range(2) for s in range(2)]
    assert centres == [0, 255, 128, 51]


def test_sheet_refuses_labels_of_wrong_count():
    with pytest.raises(ValueError, match="3 row and 0 column labels for 2 × 2"):
        sheet(torch.zeros(2, 2, 1, 8, 8), row_labels=["a", "b", "c"])
