"""Perturbation and interpolation of latents."""

import pytest
import torch

from aevq_hub.latent import bilinear, interpolate, perturb


def test_perturb_adds_each_step_times_each_shift(generator):
    z, steps = torch.randn(3, 8, generator=generator), torch.eye(8)[[2, 5]]
    shifted = perturb(z, steps, [-1.0, 0.0, 3.0])
    assert shifted.shape == (3, 2, 3, 8)
    assert torch.equal(shifted[:, 0, 1], z)  # a shift of zero changes nothing
    expected = z.clone()
    expected[:, 5] += 3
    assert torch.equal(shifted[:, 1, 2], expected)


def test_perturb_accepts_one_step_and_one_shift():
    assert perturb(torch.zeros(4), torch.tensor([0.0, 0.5, 0.0, 1.0]), 2)[0, 0].tolist() == [0, 1, 0, 2]


@pytest.mark.parametrize("shape", [(), (7,), (2, 9), (1, 2, 8)])
def test_steps_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"these latents take \(P, 8\)"):
        perturb(torch.zeros(8), torch.zeros(shape), 1.0)


@pytest.mark.parametrize("shift", [float("nan"), float("inf")])
def test_shift_that_is_not_finite_is_refused(shift):
    with pytest.raises(ValueError, match="finite"):
        perturb(torch.zeros(8), torch.ones(8), shift)


@pytest.mark.parametrize("mode", ["lerp", "slerp"])
def test_interpolation_starts_and_ends_at_the_given_latents(mode, generator):
    z1, z2 = torch.randn(2, 3, 8, generator=generator)
    path = interpolate(z1, z2, 9, mode)
    assert path.shape == (9, 3, 8)
    assert torch.equal(path[0], z1)
    assert torch.equal(path[-1], z2)


def test_lerp_passes_through_the_middle(generator):
    z1, z2 = torch.randn(2, 8, generator=generator)
    assert torch.allclose(interpolate(z1, z2, 3)[1], (z1 + z2) / 2)


def test_slerp_keeps_the_length_and_turns_evenly():
    path = interpolate(torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0]), 4, "slerp")
    angles = torch.linspace(0, torch.pi / 2, 4)
    assert torch.allclose(path, 2 * torch.stack([angles.cos(), angles.sin()], 1), atol=1e-6)


@pytest.mark.parametrize("factor", [1.0, 2.0, -1.0, 0.0])
def test_slerp_of_parallel_vectors_is_lerp(factor):
    z = torch.tensor([1.0, 2.0, 3.0])
    path = interpolate(z, factor * z, 5, "slerp")
    assert path.isfinite().all()
    if factor:
        assert torch.allclose(path, interpolate(z, factor * z, 5))


def test_invalid_interpolation_is_refused():
    z = torch.zeros(4)
    with pytest.raises(ValueError, match="at least 2"):
        interpolate(z, z, 1)
    with pytest.raises(ValueError, match="'cubic'; choose from lerp, slerp"):
        interpolate(z, z, 3, "cubic")
    with pytest.raises(ValueError, match="must be equal"):
        interpolate(z, torch.zeros(5), 3)


@pytest.mark.parametrize("shape", [(4,), (4, 3, 3)])
def test_bilinear_has_the_corners_and_their_mean(shape, generator):
    corners = torch.randn(4, *shape, generator=generator)
    sheet = bilinear(*corners, rows=3, columns=5)
    assert sheet.shape == (3, 5, *shape)
    for corner, found in zip(corners, (sheet[0, 0], sheet[0, -1], sheet[-1, 0], sheet[-1, -1]), strict=True):
        assert torch.equal(found, corner)
    assert torch.allclose(sheet[1, 2], corners.mean(0), atol=1e-6)
    assert torch.allclose(sheet[0], interpolate(corners[0], corners[1], 5), atol=1e-6)  # each side is a straight line


def test_invalid_bilinear_is_refused():
    z = torch.zeros(4)
    with pytest.raises(ValueError, match="at least 2"):
        bilinear(z, z, z, z, 1, 5)
    with pytest.raises(ValueError, match="must be equal"):
        bilinear(z, z, z, torch.zeros(5), 3, 3)
