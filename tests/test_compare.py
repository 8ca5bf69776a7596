"""Other libraries beside ours: all are trained and measured alike, and what is not installed gets a row saying so."""

import json
import math
from dataclasses import asdict, replace

import pytest
import torch
from PIL import Image

from aevq_hub.registry import DATASETS
from training import compare as comparing
from training import own_samplers
from training.__main__ import main
from training.compare import ENTRIES, RATES, Length, compare, picture, table
from training.peers import networks
from training.recipe import Recipe
from training.recipes import configure
from training.sources import find_source
from training.timing import installed

SHORT = Length(images=128, epochs=1)


@pytest.fixture(scope="module")
def rows(mirror, tmp_path_factory):
    path = tmp_path_factory.mktemp("compared") / comparing.FILE
    entries = ["`center`", "pythae RAE-L2", "`vqvae`"]
    source = find_source("mnist", data_root=mirror)
    return compare(source, 2, path, SHORT, entries=entries, progress=False), path, source


def test_every_entry_is_tuned_alike_and_trained_with_all_seeds(rows):
    found, _, _ = rows
    for name in ("`center`", "`vqvae`"):
        own = [row for row in found if row["entry"] == name and "times" not in row]
        (timed,) = [row["times"] for row in found if row["entry"] == name and "times" in row]
        tuned = {row["rate"]: row["held_out"] for row in own if row["seed"] == 0}
        trained = [row for row in own if row["rate"] == min(tuned, key=tuned.__getitem__)]
        assert sorted(tuned) == sorted(RATES) and [row["seed"] for row in trained] == [0, 1] and len(own) == 3
        assert all({"mse", "frechet.samples", "kept.one"} <= row["results"].keys() for row in trained)
        assert all(cost > 0 for row in trained for cost in row["costs"].values())
        assert timed["speed"] > 0 and timed["load"] > 0


def test_tables_have_means_over_seeds_and_say_what_is_missing(rows):
    found, _, _ = rows
    vectors = {line["model"]: line for line in table(found, grids=False)}
    assert " ± " in vectors["`center`"]["MSE"] and "`vqvae`" not in vectors
    if not installed("pythae"):
        assert vectors["pythae RAE-L2"]["MSE"] == "pythae is not installed"
        assert vectors["pythae RAE-L2"]["images/s"] == "–"
    (line,) = table(found, grids=True)
    assert line["model"] == "`vqvae`" and " ± " in line["perplexity"]


def test_nothing_is_trained_twice(rows):
    found, path, source = rows
    before = path.read_bytes()
    assert compare(source, 2, path, SHORT, entries=["`center`"], progress=False) == found
    assert path.read_bytes() == before


def row(**more):
    return {"entry": "FSQ", "dataset": "mnist", "length": {}, "rate": 0.004, "seed": 0, **more}


def measured(value, **more):
    return row(held_out=value, results=dict.fromkeys(comparing.GRIDS, value), costs={}, **more)


def test_table_has_the_better_rate_and_says_what_diverged():
    slow, fast, bad = measured(0.5, rate=0.001), measured(0.25), row(seed=1, error="not finite")
    (line,) = table([slow, fast, bad], grids=True)
    assert line["model"] == "FSQ (1 of 2 trainings)" and line["MSE"] == "0.25000"
    assert table([slow, fast], grids=True)[0]["model"] == "FSQ" and table([slow, fast], grids=False) == []
    assert table([bad], grids=True)[0]["MSE"] == "diverged"


def test_a_library_that_was_missing_is_tried_again():
    gone, tuned = row(missing="x"), measured(0.25)
    assert comparing._todo(["FSQ"], 3, [gone]) == [("FSQ", rate, 0) for rate in RATES]
    assert comparing._todo(["FSQ"], 3, [tuned]) == [("FSQ", 0.001, 0)]
    both = [tuned, measured(0.5, rate=0.001)]
    assert comparing._todo(["FSQ"], 3, both) == [("FSQ", 0.004, 1), ("FSQ", 0.004, 2)]
    assert comparing._todo(["FSQ"], 3, [row(error="x"), row(error="x", rate=0.001)]) == []
    assert comparing._installed_since(tuned, gone) and not comparing._installed_since(gone, tuned)
    assert not comparing._installed_since(tuned | {"rate": 0.001}, gone)


def test_picture_shows_the_images_and_each_entry(rows):
    found, path, source = rows
    shown = picture(source, path.parent / comparing.STRIPS, found)
    two, three = 2 * 58, 4 * 58  # at 56 pixels each: the images, center and vqvae, and pythae if it is installed
    assert two < shown.height < three + 58 and len(shown.convert("L").getcolors()) > 20


def test_command_continues_and_writes_a_picture(rows, mirror, capsys):
    _, path, _ = rows
    arguments = ["compare", "mnist", "--images", "128", "--epochs", "1", "--seeds", "2", "--data-root", str(mirror)]
    assert main([*arguments, "--entries", "`center`", "--output", str(path.parent)]) == 0
    assert "| `center` | 0." in capsys.readouterr().out
    assert {row["entry"] for row in json.loads(path.read_text())} == {"`center`", "pythae RAE-L2", "`vqvae`"}
    with Image.open(path.parent / comparing.PICTURE.format("mnist")) as drawn:
        assert drawn.width > 10 * 56
    assert main([*arguments, "--entries", "pytae", "--output", str(path.parent)]) == 1
    assert "unknown model 'pytae'; choose from `ae-conv`, " in capsys.readouterr().err


def test_all_start_from_the_same_networks(generator):
    """Ours, and those given to other libraries, with the same output."""
    recipe = Recipe(latent_dim=8, output_start="mean", seed=3)
    config = configure("ae-conv", "mnist", DATASETS["mnist"], recipe)
    images = torch.randint(256, (32, 1, 28, 28), dtype=torch.uint8, generator=generator)
    first, second = (networks(config, recipe, images).eval() for _ in range(2))
    x = images / 255
    assert torch.equal(first(x), second(x)) and (first(x).mean() - x.mean()).abs() < 0.05
    assert len({(entry.library, entry.model, entry.variant) for entry in ENTRIES.values()}) == len(ENTRIES)


class Drawing:
    """A training whose samplers give dark or bright images."""

    def epoch(self) -> None:
        pass

    def samples(self, sampler: str, count: int):
        factor = {"NormalSampler": 0.1, "MAFSampler": math.nan}.get(sampler, 1.0)
        yield torch.rand(count, 1, 28, 28) * factor


def test_samplers_of_other_libraries_are_measured_over_seeds(mirror, tmp_path, monkeypatch):
    source, path = find_source("mnist", data_root=mirror), tmp_path / comparing.FILE
    shared = {"entry": "pythae AE", "dataset": "mnist", "length": asdict(SHORT), "rate": 0.004}
    path.write_text(json.dumps([
        {**shared, "seed": seed, "held_out": 0.1, "results": {"frechet.samples": 20.0 + seed}} for seed in range(2)
    ]))  # fmt: skip
    monkeypatch.setattr(comparing, "prepared", lambda *arguments: (Drawing(), None, None))
    monkeypatch.setattr(own_samplers, "record_rows", lambda work, tasks, path, **options: path.write_text(
        json.dumps([*json.loads(path.read_text()), *(work(*task, 1) for task in tasks)])))  # fmt: skip
    entries = ["pythae AE", "pythae VQVAE", "`center`"]  # grids, and what has no row, are left out
    rows = own_samplers.sample(source, 2, path, SHORT, entries=entries)
    assert [row["seed"] for row in rows if "samplers" in row] == [0, 1]
    assert own_samplers.sample(source, 2, path, SHORT, entries=entries) == rows  # nothing is measured twice
    assert rows[2]["samplers"]["NormalSampler"] != rows[2]["samplers"]["GaussianMixtureSampler"] > 0
    (line,) = own_samplers.table(rows)
    assert line["our mixture"].startswith("20.5") and " ± " in line["NormalSampler"]
    assert line["MAFSampler"] == "diverged"


def test_networks_of_others_train_in_the_precision_of_ours(mirror):
    """Only while they train: all are measured in float32."""
    source, recipe = find_source("mnist", data_root=mirror), Recipe(latent_dim=8, precision="bf16")
    config = configure("ae-conv", "mnist", source.dataset, recipe)
    images = torch.randint(0, 256, (20, 1, 28, 28), dtype=torch.uint8)
    model, exact = networks(config, recipe, images), networks(config, replace(recipe, precision="fp32"), images)
    x = images / 255
    rounded, whole = model.train().encoder(x), exact.train().encoder(x)
    assert rounded.dtype == torch.float32 and 1e-6 < (rounded - whole).abs().max() < 0.1
    assert torch.equal(model.eval().encoder(x), exact.eval().encoder(x))


@pytest.mark.deep
def test_samplers_of_pythae_follow_the_seed(mirror):
    """Needs ``pip install "aevq-hub[peers]"``."""
    source = find_source("mnist", data_root=mirror)
    one, other = (own_samplers.sample_one("pythae AE", 0.004, 3, source, SHORT, 1) for _ in range(2))
    assert one == other and all(distance > 0 for distance in one["samplers"].values())


@pytest.mark.deep
@pytest.mark.parametrize("name", [name for name, entry in ENTRIES.items() if not entry.library.startswith("ours")])
def test_other_libraries_learn(name, mirror, tmp_path):
    """Needs ``pip install "aevq-hub[peers]"``."""
    source = find_source("mnist", data_root=mirror)
    found = compare(source, 1, tmp_path / comparing.FILE, Length(256, 4), entries=[name], progress=False)
    assert len(found) == len(RATES) + 1
    assert min(one["results"]["mse"] for one in found if "results" in one) < 0.09
