"""The paper's figures from the shipped models."""

import pytest
import torch
from PIL import Image

from aevq_hub import folder, pictures
from training import paper_figures
from training.__main__ import main
from training.paper_figures import FIGURES, Shown


@pytest.mark.parametrize("number", FIGURES)
def test_every_figure_is_drawn_with_its_title_and_caption(number, tmp_path):
    dataset = FIGURES[number].datasets[0]
    path = paper_figures.draw(number, dataset, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [path.name] == [f"figure-{number}-{dataset}.png"]
    with Image.open(path) as image:
        assert image.width >= 700 and len(image.convert("L").getcolors()) > 10
        top, bottom = (image.convert("L").crop((0, y, image.width, y + 25)) for y in (0, image.height - 25))
        assert min(top.getextrema()[0], bottom.getextrema()[0]) < 100  # ink


def test_figures_are_the_same_every_time(tmp_path):
    first, second = ((tmp_path / name) for name in ("a", "b"))
    for output in (first, second):
        assert main(["figures", "4.5", "4.8", "2.2", "--output", str(output)]) == 0
    assert {p.name: p.read_bytes() for p in first.iterdir()} == {p.name: p.read_bytes() for p in second.iterdir()}


def test_figures_of_other_data_sets(tmp_path):
    assert main(["figures", "2.4", "3.2", "4.3b", "--dataset", "celeba", "--output", str(tmp_path)]) == 0
    assert len(list(tmp_path.iterdir())) == 3


def test_page_shows_all_drawn_figures():
    page = paper_figures.gallery([("3.2", "celeba"), ("A.1", "fashionmnist")])
    assert "## A.1: " in page and FIGURES["3.2"].look in page and "](figure-3.2-celeba.png)" in page
    shipped = folder.shipped_folder() / paper_figures.FOLDER
    text = (shipped / folder.CARD_FILE).read_text(encoding="utf-8")
    assert all(f"]({path.name})" in text for path in shipped.glob("*.png")) and text.count("![") == 27


@pytest.mark.parametrize("arguments", [["5.1"], ["3.2", "--dataset", "cifar"]])
def test_unknown_figures_and_data_sets_are_refused_before_any_work(arguments, tmp_path, capsys):
    assert main(["figures", *arguments, "--output", str(tmp_path / "out")]) == 1
    assert "choose from" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_used_and_unused_vectors_are_apart():
    shown = Shown.load("ema-fashionmnist")
    used, unused = paper_figures._used(shown), paper_figures._unused(shown)
    assert not set(used.tolist()) & set(unused.tolist()) and len(used) < len(unused)
    shares = torch.tensor(folder.history(shown.name)["results"]["codebook"]["share"])
    assert shares[used].min() > 0 and shares[unused].max() == 0


def test_figure_3_2_is_in_both_units():
    shown = Shown.load("center-mnist")
    both, dims = paper_figures._raw_and_sigma(shown), shown.model.ranked_dimensions()[:10]
    names = [f"z{d}" for d in dims]
    for place, unit in ((0, "raw"), (1, "std")):
        sheet = pictures.perturbation(shown.model, shown.z[0], shown.model.axes(dims, unit), labels=names)
        left = place * (sheet.width + 40)
        assert both.crop((left, 30, left + sheet.width, 30 + sheet.height)).tobytes() == sheet.tobytes()
