"""End to end with own labelled images: from class folders to a model that knows the class names."""

import numpy as np
import pytest
from PIL import Image, ImageDraw
from safetensors.torch import load_file

from aevq_hub import AEVQ, LoadError, folder
from training.__main__ import main
from training.data import load
from training.maps import write_map
from training.recipes import configure, recipe_for
from training.sources import find_source

SHAPES = {"circles": 60, "squares": 4, "triangles": 3}  # number of corners


@pytest.fixture
def shapes(tmp_path):
    """Class folders with forty pictures of each of three shapes."""
    rng = np.random.default_rng(0)
    for shape, corners in SHAPES.items():
        (tmp_path / "shapes" / shape).mkdir(parents=True)
        for i in range(40):
            image = Image.new("RGB", (32, 32), "black")
            circle = (*rng.uniform(12, 20, 2), rng.uniform(8, 11))  # centre and radius
            colour = tuple(rng.integers(120, 256, 3).tolist())
            ImageDraw.Draw(image).regular_polygon(circle, corners, fill=colour)
            image.save(tmp_path / "shapes" / shape / f"{i}.png")
    return tmp_path / "shapes"


def arguments(variant, shapes):
    options = ["--data", str(shapes), "--size", "32", "--channels", "3", "--output", str(shapes.parent)]
    return ["train", variant, "shapes", *options, "--epochs", "1", "--latent-dim", "8", "--widths", "8x16x16"]


def test_classifier_learns_from_class_folders(shapes, capsys):
    options = ["--classifier-epochs", "2", "--batch-size", "16"]
    assert main([*arguments("classifier", shapes), *options]) == 0
    model = AEVQ.from_pretrained(shapes.parent / "classifier-shapes")
    assert (model.config.num_classes, model.config.multi_label) == (3, False)
    history = folder.history(shapes.parent / "classifier-shapes")
    assert len(history["data"].pop("digest")) == 16
    assert history["data"] == {
        "source": "shapes", "train_images": 108, "test_images": 12, "class_names": list(SHAPES),
    }  # fmt: skip
    assert folder.class_names(shapes.parent / "classifier-shapes", "shapes") == tuple(SHAPES)
    results, card = history["results"], (shapes.parent / "classifier-shapes" / "README.md").read_text()
    assert results["majority"] == pytest.approx(1 / 3, abs=0.1)
    assert results["classifier"]["accuracy"] > results["majority"]
    assert set(results["frechet"]) == {"reconstructions", "samples", "gaussian", "midpoints", "within", "between"}
    assert set(results["probes"]) == {"majority", "linear", "neighbours"}
    assert "\naevq train classifier shapes --data IMAGES --size 32 --channels 3 --latent-dim 8 --widths 8x16x16" in card
    assert "**The model has learnt little**" in card  # after one epoch
    assert f"{results['accuracy']:.2%}" in card
    assert all(f"{results['frechet'][name]:.1f}" in card for name in ("reconstructions", "gaussian", "midpoints"))


def test_own_model_is_found_by_its_name_and_measured_in_its_own_format(shapes, capsys, monkeypatch):
    monkeypatch.chdir(shapes.parent)
    few = ["--output", "model_cards", "--batch-size", "16"]
    assert main([*arguments("center", shapes), *few]) == 0
    said = capsys.readouterr().err
    assert (
        "108 images in batches of 16 are only 6 steps in 1 epochs; the model may learn little: give --epochs 167"
        in said
    )
    assert AEVQ.from_pretrained("center-shapes").config.dataset == "shapes"
    assert main(["evaluate", "center-shapes", "--data", str(shapes)]) == 0
    monkeypatch.chdir(shapes)
    with pytest.raises(LoadError, match="there is no model 'center-shapes'"):
        AEVQ.from_pretrained("center-shapes")


def test_map_has_the_classes_of_class_folders(shapes):
    source = find_source("shapes", data=shapes, size=32, channels=3)
    recipe = recipe_for("center", "shapes", latent_dim=8, widths="8x16x16")
    model = AEVQ(configure("center", source.name, source.dataset, recipe)).eval()
    write_map(model, load(source, "test"), shapes)
    assert load_file(shapes / "map.safetensors")["classes"].bincount().tolist() == [4, 4, 4]


def test_classifier_without_labels_is_refused(shapes, capsys):
    for shape in SHAPES:
        for file in (shapes / shape).iterdir():
            file.rename(shapes / f"{shape}-{file.name}")
        (shapes / shape).rmdir()
    assert main(arguments("classifier", shapes)) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "shapes has no class labels, and classifier needs them: give each class a folder of its own, add a" in error
