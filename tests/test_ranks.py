"""Two processes that train together do what one process does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from servers import ROOT, free_port
from two_processes import CASES, DTYPES, EPOCHS, computing_as, run_epoch, trainer_of

from aevq_hub import AEVQ
from training.__main__ import main
from training.ranks import SINGLE, connect

LAUNCH = [
    sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1",
    "--mixed_precision", "no", "--dynamo_backend", "no",
]  # fmt: skip
PATIENCE = 300  # seconds for two processes to train

TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-10}


def launched(*command) -> subprocess.CompletedProcess:
    """The result of a command run by two processes on the CPU."""
    paths = [str(ROOT), str(ROOT / "tests")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    port = ["--main_process_port", str(free_port())]  # with 0, which picks a free one, older versions of torch hang
    whole = [*LAUNCH, *port, *map(str, command)]
    return subprocess.run(whole, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)


@pytest.fixture(scope="module")
def together(mirror, tmp_path_factory) -> Path:
    """The folder with the results of two processes for every case."""
    folder = tmp_path_factory.mktemp("together")
    result = launched(ROOT / "tests" / "two_processes.py", mirror, folder)
    assert result.returncode == 0, result.stderr
    return folder


def results(folder: Path, case: str) -> list[dict]:
    return [json.loads((folder / f"{case}.{index}.json").read_text()) for index in range(2)]


@pytest.mark.parametrize("case", CASES)
def test_losses_are_those_of_one_process(case, together, mirror):
    with computing_as(case):
        alone = trainer_of(case, mirror)
        expected = [run_epoch(alone, mirror) for _ in range(EPOCHS)]
    for result in results(together, case):
        assert result["epochs"] == [pytest.approx(terms, rel=TOLERANCE[DTYPES[case]]) for terms in expected]


@pytest.mark.parametrize("case", CASES)
def test_processes_have_the_same_bits_after_every_step(case, together):
    first, second = (result["digests"] for result in results(together, case))
    assert len(first) == EPOCHS * 10
    assert first == second


@pytest.mark.parametrize("case", ["classifier", "codebook", "vqvae"])
def test_one_process_continues_what_two_began(case, together, mirror):
    with computing_as(case):
        trainer = trainer_of(case, mirror)
        trainer.load(together / f"{case}.safetensors")
        expected = results(together, case)[0]["epochs"][1]
        assert run_epoch(trainer, mirror) == pytest.approx(expected, rel=TOLERANCE[DTYPES[case]])


def test_command_line_trains_in_two_processes(mirror, tmp_path):
    arguments = ["train", "center", "mnist", "--epochs", "1", "--latent-dim", "4", "--precision", "fp32"]
    arguments += ["--data-root", mirror, "--device", "cpu"]
    result = launched("-m", "training", *arguments, "--output", tmp_path / "two")
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("wrote ") == result.stderr.count("epoch   1:") == 1
    assert main([*map(str, arguments), "--output", str(tmp_path / "one")]) == 0
    two, one = (json.loads((tmp_path / n / "center-mnist" / "history.json").read_text()) for n in ("two", "one"))
    assert two["epochs"][0]["terms"] == pytest.approx(one["epochs"][0]["terms"], rel=1e-4)
    assert two["results"]["mse"] == pytest.approx(one["results"]["mse"], rel=1e-3)
    assert AEVQ.from_pretrained(tmp_path / "two" / "center-mnist").config.latent_dim == 4
    again = launched("-m", "training", *arguments, "--learning-rate", "0.5", "--output", tmp_path / "two")
    assert again.returncode
    assert "error: " in again.stderr and "learning_rate" in again.stderr


def test_only_train_is_launched_in_several_processes(monkeypatch, capsys):
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(["all", "--variants", "ae"]) == 1
    assert "all cannot be launched in several processes; train can" in capsys.readouterr().err


def test_single_process_does_not_import_accelerate():
    assert connect("cpu") == (SINGLE, "cpu")
    code = "import sys, training.__main__; sys.exit('accelerate' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
