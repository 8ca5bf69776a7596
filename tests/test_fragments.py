"""The experiment on the paper's open question: what codes tell about the class, how local they are, the verdict."""

import json
import math
from concurrent.futures import ThreadPoolExecutor
from statistics import mean
from types import SimpleNamespace

import pytest
import torch

from training import fragments
from training.__main__ import main
from training.code_meaning import bag, information, one_hot, probe, swapped
from training.fragments import DECODERS, FED_BY, FILE, WIDTHS, Length, experiment, table, verdict
from training.sources import find_source


def seeded(*size: int, high: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(high, size, generator=torch.Generator().manual_seed(seed))


def test_a_code_that_is_the_class_tells_all_of_it():
    y = seeded(4000, high=8)
    assert information(y[:, None, None].expand(-1, 3, 3), y, 10) == pytest.approx(3, abs=0.01)
    half = torch.where(seeded(4000, 1, 1, high=2, seed=1) == 1, y[:, None, None], 9)
    assert information(half, y, 10) == pytest.approx(1.5, abs=0.1)  # every second code is that of no class


def test_few_images_do_not_suggest_information():
    y = seeded(2000, high=10)
    found = [information(seeded(2000, 1, 1, high=20, seed=seed), y, 20) for seed in range(1, 9)]
    uncorrected = 9 * 19 / (2 * 2000 * math.log(2))
    assert abs(mean(found)) < 0.01 < 0.05 < uncorrected


def test_a_bag_of_codes_does_not_know_where_they_are():
    """The class is where the code 1 is: in one of four cells."""
    y = seeded(800, high=4)
    grids = torch.nn.functional.one_hot(y, 4).view(-1, 2, 2)
    assert bag(grids, 3)[0].toarray().tolist() == [[3, 1, 0]]
    assert one_hot(grids, 3).shape == (800, 12)
    assert one_hot(grids[:1], 3).toarray().reshape(4, 3).argmax(1).tolist() == grids[0].flatten().tolist()
    accuracies = [probe(seen(grids[:400], 3), y[:400], seen(grids[400:], 3), y[400:]) for seen in (bag, one_hot)]
    assert accuracies[0] < 0.4 and accuracies[1] == 1


@pytest.mark.parametrize(("spread", "own", "area"), [(False, 1, 1 / 16), (True, 1 / 16, 1)])
def test_locality_of_a_swapped_code(spread, own, area):
    """A decoder paints each cell's square in the brightness of its code, or the whole picture in their mean."""

    def decode_indices(indices):
        picture = indices[:, None].float().repeat_interleave(8, 2).repeat_interleave(8, 3)
        return picture.mean((2, 3), keepdim=True).expand_as(picture) if spread else picture

    config = SimpleNamespace(grid_size=4, image_size=32, widths=(8, 8, 8))
    model = SimpleNamespace(config=config, decode_indices=decode_indices)
    assert swapped(model, seeded(300, 4, 4, high=9)) == pytest.approx({"own": own, "area": area})


def rows(feed: float, ratio: float) -> list[dict]:
    """Rows in which codes fed to the decoder tell ``feed`` bits more, and those of 2 × 2 cells ``ratio`` times more."""
    bits = {7: 0.1, 4: 0.2, 2: 0.1 * ratio, 1: 2.0}
    return [
        {"case": {"dataset": "mnist", "side": side, "fed_by": fed_by, "decoder": decoder, "seed": seed},
         "results": {"perplexity": 50, "information": bits[side] + feed * (fed_by == "codebook") * (side == 1)}}
        for side in WIDTHS for fed_by in FED_BY for decoder in DECODERS for seed in range(2)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("feed", "ratio", "explained"), [(0.04, 6, True), (0.06, 6, False), (0.04, 4, False), (-0.06, 6, False)]
)
def test_the_verdict_depends_on_the_feed_and_on_the_ratio(feed, ratio, explained):
    found = verdict(rows(feed, ratio))
    assert found["explained"] is explained
    assert found["feed"] == pytest.approx(abs(feed)) and found["ratio"] == pytest.approx(ratio)


@pytest.fixture
def quick(monkeypatch):
    """Only grids of 2 × 2 cells, trained in a thread instead of new processes, which take seconds to start."""
    monkeypatch.setattr("training.parallel.pool", ThreadPoolExecutor)
    monkeypatch.setattr(fragments, "WIDTHS", {2: "8x8x8x8"})
    monkeypatch.setattr(fragments, "NUM_CODES", 10)
    monkeypatch.setattr(fragments, "SAMPLED", 50)


def test_the_experiment_continues_where_it_was_interrupted(mirror, tmp_path, quick, monkeypatch):
    source, path, length = find_source("mnist", data_root=mirror), tmp_path / FILE, Length(200, 4, 1)
    found = experiment([source], 1, path, length, progress=False)
    assert [tuple(row["case"].values()) for row in found] == [
        ("mnist", 2, fed_by, decoder, 0) for fed_by in FED_BY for decoder in DECODERS
    ]
    for row in found:
        assert set(row["results"]) == set(fragments.MEASURED)
        assert all(math.isfinite(value) for value in row["results"].values())
        assert row["results"]["perplexity"] > 1 and 0 < row["results"]["mse"] < 1
    assert len(table(found)) == 4
    path.write_text(json.dumps(found[:-1]))
    trained = []
    original = fragments.train_case
    monkeypatch.setattr(fragments, "train_case", lambda case, *rest: trained.append(case) or original(case, *rest))
    again = experiment([source], 1, path, length, progress=False)
    assert len(trained) == 1 and again == found  # the same seed gives the same model


def test_the_experiment_refuses_other_data_before_any_work(mirror, tmp_path, capsys):
    status = main(["fragments", "--datasets", "celeba", "--data-root", str(mirror), "--output", str(tmp_path)])
    assert status == 1 and "celeba has 64 pixels; the experiment's grids are for 28" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
