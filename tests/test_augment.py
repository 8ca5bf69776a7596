"""Augmentation: random flips and crops of training images."""

import pytest
import torch
from tiny import trainer_for
from torch.nn.functional import pad

from training.augment import augment


@pytest.fixture
def images(generator):
    return torch.randint(256, (200, 3, 32, 32), dtype=torch.uint8, generator=generator)


def test_none_returns_images_unchanged_without_random_numbers(images, generator):
    before = generator.get_state()
    assert augment(images, "none", generator) is images
    assert torch.equal(generator.get_state(), before)


def test_flip_mirrors_about_half_of_the_images(images, generator):
    flipped = augment(images, "flip", generator)
    same, mirrored = ((flipped == x).flatten(1).all(1) for x in (images, images.flip(-1)))
    assert (same ^ mirrored).all()
    assert 70 < mirrored.sum() < 130  # four standard deviations


def test_crop_shifts_images_by_at_most_a_sixteenth(images, generator):
    cropped = augment(images, "flip-crop", generator)
    assert (cropped.shape, cropped.dtype) == (images.shape, torch.uint8)
    found = torch.zeros(len(images), dtype=torch.int)
    for x in (images, images.flip(-1)):
        padded = pad(x.float(), (2, 2, 2, 2), mode="reflect").byte()
        for top in range(5):
            for left in range(5):
                window = padded[:, :, top : top + 32, left : left + 32]
                found += (cropped == window).flatten(1).all(1)
    assert (found == 1).all()


@pytest.mark.parametrize("how", ["flip", "flip-crop"])
def test_augmentation_depends_only_on_its_generator(how, images):
    first, second, other = (torch.Generator().manual_seed(seed) for seed in (1, 1, 2))
    before = torch.get_rng_state()
    batch = augment(images, how, first)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)  # the state of the global generator does not matter
    assert torch.equal(augment(images, how, second), batch)
    assert not torch.equal(augment(images, how, other), batch)
    assert not torch.equal(augment(images, how, first), batch)  # the generator has advanced


def test_both_batches_are_augmented(mirror, generator, monkeypatch):
    trainer, images = trainer_for("center", mirror, augment="flip")
    monkeypatch.setattr("training.trainer.augment", lambda x, how, _: x.flip(-1) if how == "flip" else x)
    batch = trainer._batch(images, None, torch.arange(8), 0, generator)
    assert torch.equal(batch.x, images[:8].flip(-1).float() / 255)
    plain, _ = trainer_for("center", mirror)
    same = plain._batch(images, None, torch.arange(8), 0, torch.Generator().manual_seed(0))
    assert torch.equal(batch.x_pull, same.x_pull.flip(-1))


def test_resuming_with_flips_gives_identical_result(mirror, tmp_path):
    whole, images = trainer_for("center", mirror, augment="flip")
    whole.run_epoch(images)
    whole.save(tmp_path / "checkpoint.safetensors")
    whole.run_epoch(images)
    second, _ = trainer_for("center", mirror, augment="flip")
    second.load(tmp_path / "checkpoint.safetensors")
    second.run_epoch(images)
    plain, _ = trainer_for("center", mirror)
    plain.run_epoch(images)
    plain.run_epoch(images)
    state = whole.model.state_dict()
    assert all(torch.equal(second.model.state_dict()[key], value) for key, value in state.items())
    assert not torch.equal(plain.model.state_dict()["codebook"], state["codebook"])
