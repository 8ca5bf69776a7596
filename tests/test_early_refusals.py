"""What would spoil a training is refused before it, or survived; nothing spoilt is released."""

import os
import resource
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from aevq_hub import AEVQ, images
from training import checkpoint
from training.__main__ import main
from training.data import load
from training.metrics import psnr
from training.recipe import Recipe
from training.rows import DataError
from training.runs import train_model
from training.sources import find_source

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 16 16\n%%EndComments\nshowpage\n"


@pytest.fixture
def photos(tmp_path):
    """A folder of grey noise, 40 images of 16 pixels."""
    rng = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    for i in range(40):
        Image.fromarray(rng.integers(0, 256, (16, 16), dtype=np.uint8)).save(tmp_path / "photos" / f"{i}.png")
    return tmp_path / "photos"


def train(photos, variant="center", *options, name="noise", epochs="1") -> int:
    data = ["--data", str(photos), "--size", "16", "--channels", "1", "--output", str(photos.parent)]
    return main(["train", variant, name, *data, "--epochs", epochs, "--precision", "fp32", *options])


def test_weights_that_are_not_finite_are_never_released(photos, capsys):
    """The loss of the only step is finite, and its gradient is not."""
    assert train(photos, "center", "--center-reconstruction-weight", "1e38", "--batch-size", "64") == 1
    assert "the loss or a weight is not finite in epoch 1" in capsys.readouterr().err
    assert not list((photos.parent / "center-noise").glob("*"))


@pytest.mark.parametrize("variant", ["center", "ae", "vae"])
def test_latents_of_one_dimension_can_be_released(variant, photos):
    assert train(photos, variant, "--latent-dim", "1") == 0
    assert AEVQ.from_pretrained(photos.parent / f"{variant}-noise").config.latent_dim == 1


def test_images_without_any_error_have_a_finite_psnr():
    assert psnr(0.0) == 100 and psnr(0.01) == pytest.approx(20)


def test_a_release_is_rehearsed_before_the_first_epoch(photos, monkeypatch):
    def fail(*_):
        raise ValueError("a picture cannot be drawn")

    monkeypatch.setattr("training.maps.write_map", fail)
    monkeypatch.setattr("training.trainer.Trainer.run_epoch", lambda *_: pytest.fail("an epoch was trained"))
    with pytest.raises(ValueError, match="a picture cannot be drawn"):
        source = find_source("noise", data=photos, size=16, channels=1)
        train_model("center", source, Recipe(num_codes=1, epochs=1, precision="fp32"), photos.parent)


def test_a_checkpoint_is_not_continued_with_other_images(photos, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        patch.setattr("training.runs.release", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert train(photos) == 130
    kept = shutil.copytree(photos, photos.parent / "kept")
    Image.new("L", (16, 16)).save(photos / "11.png")
    assert train(photos) == 1
    assert "was made with other images of noise; give the same ones to continue it" in capsys.readouterr().err
    assert train(kept) == 0  # the same images in another place


@pytest.mark.parametrize("damage", ["flipped bit", "empty", "no digest"])
def test_damaged_decoded_images_are_decoded_again(damage, photos, fresh_cache):
    source = find_source("noise", data=photos, size=16, channels=1)
    whole = load(source, "train", progress=False).images.clone()
    (path,) = fresh_cache.glob("decoded/noise-train-*/images.npy")
    data = path.read_bytes()
    if damage == "no digest":
        (path.parent / "digest").unlink()
    else:
        path.write_bytes(b"" if damage == "empty" else data[:-1] + bytes([data[-1] ^ 1]))
    os.utime(path, ns=(0, 0))
    with pytest.warns(UserWarning, match="is damaged; the images are decoded again"):
        again = load(source, "train", progress=False).images
    assert torch.equal(again, whole)


@pytest.mark.parametrize("content", ["{}", "[]", "{", '{"recipe": {}, "data": {}}'])
def test_a_damaged_history_is_one_sentence(content, photos, capsys):
    assert train(photos) == 0
    (photos.parent / "center-noise" / "history.json").write_text(content)
    for command in (["report"], ["push", "--to", "ada", "--all"]):
        assert main([*command, "--output", str(photos.parent)]) == 1
        assert "history.json" in (error := capsys.readouterr().err) and "train it again" in error


def test_a_checkpoint_without_metadata_is_one_sentence(photos, capsys):
    (photos.parent / "center-noise").mkdir()
    save_file({"w": torch.zeros(3)}, photos.parent / "center-noise" / "checkpoint.safetensors")
    assert train(photos) == 1
    assert "checkpoint.safetensors is damaged" in capsys.readouterr().err


def test_two_caches_do_not_train_one_folder_at_once(photos, tmp_path, monkeypatch, capsys):
    def other(*_):
        monkeypatch.setenv("AEVQ_CACHE", str(tmp_path / "another"))
        return {"results": {"status": train(photos)}}

    monkeypatch.setattr("training.runs.release", other)
    monkeypatch.setattr("training.runs.terminal_report", lambda results: f"the other one's status: {results['status']}")
    assert train(photos) == 0
    out, err = capsys.readouterr()
    assert "the other one's status: 1" in out and "center-noise is being trained by another process" in err


def test_a_finished_model_is_checked_before_it_is_called_trained(photos, capsys):
    assert train(photos) == 0
    assert train(photos) == 0
    assert "is already trained" in capsys.readouterr().out
    weights = photos.parent / "center-noise" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    assert train(photos) == 1
    assert "is truncated or damaged" in (error := capsys.readouterr().err) and "move the folder away, or train" in error


def test_other_formats_than_the_usual_are_never_decoded(photos, monkeypatch):
    """Pillow starts Ghostscript for EPS, whatever the name of the file says."""
    monkeypatch.setattr("subprocess.check_call", lambda *_, **__: pytest.fail("a program was started"))
    (photos / "11.png").write_bytes(EPS)
    with pytest.raises(DataError, match="11.png cannot be read as an image"):
        load(find_source("noise", data=photos, size=16, channels=1), "train", progress=False)


def test_whatever_a_decoder_raises_names_the_file(photos, monkeypatch):
    def fail(*_):
        raise IndexError("tuple index out of range")

    monkeypatch.setattr("training.data.to_array", fail)
    with pytest.raises(DataError, match=r"\d+.png cannot be read as an image: tuple index out of range"):
        load(find_source("noise", data=photos, size=16, channels=1), "train", progress=False)


def test_hidden_files_are_skipped(photos):
    (photos / "._0.png").write_bytes(b"what a Mac leaves behind")
    source = find_source("noise", data=photos, size=16, channels=1)
    assert sum(len(load(source, split, progress=False)) for split in ("train", "test")) == 40


def test_an_image_with_damaged_exif_data_is_read(tmp_path, monkeypatch):
    def fail(image):
        raise SyntaxError("not a TIFF file")

    monkeypatch.setattr(images.ImageOps, "exif_transpose", fail)
    assert images.to_array(Image.new("L", (9, 9), 200), 8, 1).mean() == 200


@pytest.mark.parametrize("name", ["my--images", "a..b", "images-", "bad name", "x" * 90])
def test_names_that_the_hub_refuses_are_refused(name, photos, capsys):
    assert train(photos, name=name) == 1
    assert "cannot be part of a model's name on the Hub" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("seed", 2**63, "seed is 9223372036854775808; give a whole number from 0 to 4294967295"),
        ("warmup_steps", 10**30, "warmup_steps is 1000000000000000000000000000000; give a whole number from 0 to 10"),
        ("learning_rate", 10**400, "learning_rate is 1000000"),
    ],
)
def test_numbers_that_are_too_large_are_refused(setting, value, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**{setting: value})


def test_a_full_disk_is_one_sentence(tmp_path):
    """A limit of the size of files refuses what a full disk would."""
    weights, limits = [torch.nn.Parameter(torch.zeros(3))], resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(OSError, match="checkpoint.safetensors cannot be written: .*too large"):
            checkpoint.save(
                tmp_path / "checkpoint.safetensors", {"w": torch.zeros(9999)}, torch.optim.Adam(weights), {}, []
            )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []
