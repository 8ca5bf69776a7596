"""Random changes of training images."""

import pytest
import torch
from tiny import trainer_for
from torch.nn.functional import pad

from training.augment import augment


@pytest.fixture
def images(generator):
    return torch.randint(256, (200, 3, 32, 32), dtype=torch.uint8, generator=generator)


def test_none_changes_nothing_and_uses_no_random_number(images, generator):
    before = generator.get_state()
    assert augment(images, "none", generator) is images
    assert torch.equal(generator.get_state(), before)


def test_a_flip_gives_each_image_or_its_mirror_and_about_half_of_each(images, generator):
    flipped = augment(images, "flip", generator)
    same, mirrored = ((flipped == x).flatten(1).all(1) for x in (images, images.flip(-1)))
    assert (same ^ mirrored).all()
    assert 70 < mirrored.sum() < 130  # four standard deviations


def test_a_crop_shifts_each_image_by_a_sixteenth_at_most(images, generator):
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
def test_the_same_seed_gives_the_same_batch_and_leaves_the_global_generator(how, images):
    first, second, other = (torch.Generator().manual_seed(seed) for seed in (1, 1, 2))
    before = torch.get_rng_state()
    batch = augment(images, how, first)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)  # what the global generator has given does not matter
    assert torch.equal(augment(images, how, second), batch)
    assert not torch.equal(augment(images, how, other), batch)
    assert not torch.equal(augment(images, how, first), batch)  # of the next step


def test_both_batches_are_augmented(mirror, generator, monkeypatch):
    trainer, images = trainer_for("center", mirror, augment="flip")
    monkeypatch.setattr("training.trainer.augment", lambda x, how, _: x.flip(-1) if how == "flip" else x)
    batch = trainer._batch(images, None, torch.arange(8), 0, generator)
    assert torch.equal(batch.x, images[:8].flip(-1).float() / 255)
    plain, _ = trainer_for("center", mirror)
    same = plain._batch(images, None, torch.arange(8), 0, torch.Generator().manual_seed(0))
    assert torch.equal(batch.x_pull, same.x_pull.flip(-1))


def test_going_on_from_a_checkpoint_with_flips_changes_nothing(mirror, tmp_path):
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
