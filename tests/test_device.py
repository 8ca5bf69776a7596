"""``--device`` on machines with and without an accelerator."""

from argparse import ArgumentParser

import pytest
import torch

from training import metrics
from training.commands import options
from training.memory import fits_on


@pytest.fixture(params=[None, "mps", "cuda"])
def accelerator(request, monkeypatch):
    """A machine without an accelerator, or with two of one kind."""
    kind = request.param
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: kind is not None)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda *_: kind and torch.device(kind))
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 2 if kind else 0)
    return kind


def parse(*arguments):
    parser = ArgumentParser()
    options.add_device(parser)
    return parser.parse_args(arguments).device


def test_auto_prefers_the_accelerator_over_the_cpu(accelerator):
    assert parse() == parse("--device", "auto") == (accelerator or "cpu")
    assert parse("--device", "cpu") == "cpu"
    if accelerator:
        assert parse("--device", accelerator) == accelerator
        assert parse("--device", f"{accelerator}:1") == f"{accelerator}:1"


def test_unavailable_device_is_refused_with_the_choices(accelerator, capsys):
    with pytest.raises(SystemExit):
        parse("--device", "xpu")
    choices = f", {accelerator}, {accelerator}:0, {accelerator}:1" if accelerator else ""
    assert f"'xpu' is not available; choose from auto, cpu{choices}\n" in capsys.readouterr().err


def test_auto_device_of_this_machine_computes():
    x = torch.rand(5, device=parse())
    assert metrics.exact(x).sum().item() == pytest.approx(x.sum().item(), rel=1e-6)
    assert metrics.exact(x).dtype == torch.float64


def test_images_move_to_a_gpu_if_they_take_at_most_half_of_its_memory(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (2 * 784 * 10, 80e9))
    images = torch.zeros(11, 1, 28, 28, dtype=torch.uint8)
    assert fits_on(torch.device("cuda"), images[:10]) and not fits_on(torch.device("cuda"), images)
    assert not fits_on(torch.device("cpu"), images[:10]) and not fits_on(torch.device("mps"), images[:10])
