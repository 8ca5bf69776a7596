"""The map of a model, as written by training and by the command ``map``."""

import shutil

import torch
from safetensors.torch import load_file

from aevq_hub import AEVQ
from training.__main__ import main


def test_training_and_map_command_write_the_same_map(trained, mirror, tmp_path, capsys):
    folder = tmp_path / "center-mnist"
    shutil.copytree(trained, folder)
    (folder / "map.safetensors").unlink()
    assert main(["map", str(folder), "--data-root", str(mirror)]) == 0
    assert f"wrote {folder / 'map.safetensors'}" in capsys.readouterr().out
    trained_map, command_map = (load_file(path / "map.safetensors") for path in (trained, folder))
    assert trained_map.keys() == command_map.keys()
    assert all(torch.equal(trained_map[name], command_map[name]) for name in trained_map)
    assert trained_map["points"].shape == (60, 2) and trained_map["vectors"].shape == (1, 2)
    assert trained_map["classes"].tolist() == [i % 10 for i in range(60)]
    both = torch.cat([trained_map["points"], trained_map["vectors"]])
    assert both.amin(0).tolist() == [0, 0] and both.amax(0).tolist() == [1, 1]
    x = AEVQ.from_pretrained(folder).decode(trained_map["latents"].float())
    assert x.isfinite().all() and x.std(0).mean() > 0


def test_invalid_map_arguments_are_refused_with_one_sentence(mirror, capsys):
    for arguments, message in (
        (["map"], "name the models to map, or give --all"),
        (["map", "--all", "center-mnist"], "name the models to map, or give --all"),
        (["map", "ae-mnist"], "ae-mnist has no vectors, so there is nothing to map"),
        (["map", "nothing"], "there is no model 'nothing'"),
    ):
        assert main([*arguments, "--data-root", str(mirror)]) == 1
        assert message in capsys.readouterr().err
