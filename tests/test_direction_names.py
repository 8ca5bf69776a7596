"""Names of directions and classes of samples, as measured by training and by the command ``names``."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file
from tiny import build

from aevq_hub.folder import available_models, shipped_folder
from aevq_hub.registry import DATASETS
from training import fit_sampler
from training.__main__ import main
from training.data import Split, load, training_labels
from training.direction_names import LEAST, assigned, correlations, direction_names
from training.image_properties import ATTRIBUTES, OF_DATASET, properties
from training.release import named
from training.rows import Source
from training.sources import find_source

PHOTOS = Source("photos", replace(DATASETS["mnist"], label_columns=(), class_names=()), "images")
FACES = Source("celeba", DATASETS["celeba"], "mirror")
NOTHING = [None, None]


class Plain:
    """A model of images of one grey: latents contain it, times ``scale``, and a number that has nothing to do with it.

    With ``twice`` both dimensions are the grey. With ``deaf`` the decoder ignores the latents.
    """

    config = SimpleNamespace(grid_size=0)

    def __init__(self, scale: float = 1.0, offset: float = 0.0, twice: bool = False, deaf: bool = False):
        self.scale, self.offset, self.twice, self.deaf = scale, offset, twice, deaf
        self.noise = torch.rand(256, generator=torch.Generator().manual_seed(0))

    def encode(self, x):
        grey = x.mean((1, 2, 3))
        other = grey if self.twice else self.noise[(255 * grey).round().long()]
        return torch.stack([grey, other], 1) * self.scale + self.offset

    def decode(self, z):
        grey = (z[:, 0] - self.offset) / self.scale
        return (0 * grey + 0.5 if self.deaf else grey)[:, None, None, None].expand(-1, 3, 8, 8)

    def directions(self):
        return torch.eye(2) * abs(self.scale) * 0.3

    axes = directions


def greys(channels: int = 1, count: int = 400) -> torch.Tensor:
    """Images of one grey each, uint8 (N, C, 8, 8)."""
    grey = torch.randint(256, (count, 1, 1, 1), generator=torch.Generator().manual_seed(1))
    return grey.expand(-1, channels, 8, 8).to(torch.uint8)


@pytest.mark.parametrize(("scale", "offset"), [(1, 0), (-1, 0), (1e-4, 0), (-1e4, 3.0)])
def test_brightness_is_named_in_the_right_order_and_noise_is_not(scale, offset):
    found = direction_names(Plain(scale, offset), PHOTOS, Split(greys(), None))
    ends = {"low": "dark", "high": "light"} if scale > 0 else {"low": "light", "high": "dark"}
    assert found == {basis: [{**ends, "correlation": 1.0}, None] for basis in ("directions", "numbers")}


def test_a_property_names_only_one_direction():
    names = direction_names(Plain(twice=True), PHOTOS, Split(greys(), None))["directions"]
    assert [name and name["high"] for name in names] in (["light", None], [None, "light"])
    strength = torch.tensor([[0.9, 0.8, 0.1], [0.7, 0.95, 0.2], [0.1, 0.6, LEAST - 0.01]])
    assert assigned(strength) == {1: 1, 0: 0}


def test_what_the_decoder_does_not_show_has_no_name():
    assert direction_names(Plain(deaf=True), PHOTOS, Split(greys(), None))["numbers"] == NOTHING


def test_too_few_images_and_constant_ones_have_no_names():
    for images in (greys(count=1), greys(count=60), greys()[:1].expand(400, -1, -1, -1)):
        found = direction_names(Plain(), PHOTOS, Split(images, None))
        assert found == {"directions": NOTHING, "numbers": NOTHING}


def test_attributes_are_read_from_the_images_that_have_labels():
    """Half of the images have labels; the attribute is known of half of these."""
    images, smiling = greys(3, 1200), DATASETS["celeba"].label_columns.index("Smiling")
    labels = torch.full((1200, 40), -1)
    labels[::2] = 0
    labels[::2, smiling] = (Plain().encode(images / 255)[::2, 1] > 0.5).long()
    labels[:600, smiling] = -1
    found = direction_names(Plain(), FACES, Split(images, labels))
    assert found["directions"][1] == {
        "low": "not smiling",
        "high": "smiling",
        "correlation": pytest.approx(0.87, abs=0.05),
    }
    assert found["numbers"][1] is None  # single dimensions may be correlated with what the label is about
    for unknown in (None, labels.fill_(-1)):
        assert direction_names(Plain(), FACES, Split(images, unknown))["directions"][1] is None


def test_correlations_leave_out_what_is_unknown():
    x = torch.randn(300, 2, generator=torch.Generator().manual_seed(0))
    values = torch.stack([x[:, 0] + x[:, 1], x[:, 0], x[:, 1]], 1)
    values[::3, 1], values[:270, 2] = torch.nan, torch.nan
    found = correlations(x, values)
    whole = torch.corrcoef(torch.cat([values[:, :1], x], 1).T)[0, 1:]
    assert found[0].tolist() == pytest.approx(whole.tolist())
    assert found[1, 0] == pytest.approx(1) and found[2].tolist() == [0, 0]


@pytest.mark.parametrize("dataset", [*DATASETS, "photos"])
def test_every_property_measures_images_of_any_size(dataset):
    for size in (4, 28, 64):
        x = torch.rand(5, 3, size, size, generator=torch.Generator().manual_seed(0))
        for one in properties(dataset, 3):
            assert one.measure(x).shape == (5,) and one.measure(x).std() > 0
            assert one.measure(0 * x).isfinite().all()
    words = [(one.low, one.high) for one in properties(dataset, 3)]
    assert len({word for pair in words for word in pair}) == 2 * len(words)


def test_shapes_of_drawn_strokes():
    measure = {one.high: one.measure for one in OF_DATASET["mnist"]}
    x = torch.zeros(4, 1, 28, 28)
    x[0, :, 4:24, 13:15] = 1  # a thin upright stroke
    x[1, :, 4:24, 10:18] = 1  # a bold one
    x[2] = x[0].transpose(1, 2)  # a lying one
    x[3, :, range(4, 24), range(23, 3, -1)] = 1  # from the lower left to the upper right
    assert measure["bold strokes"](x)[1] > 3 * measure["bold strokes"](x)[0]
    assert measure["tall"](x)[0] > 3 * measure["tall"](x)[2] and measure["wide"](x)[2] > 3 * measure["wide"](x)[0]
    assert measure["leaning right"](x).tolist() == pytest.approx([0, 0, 0, 1], abs=1e-4)


def test_attributes_are_columns_of_celeba():
    assert ATTRIBUTES.keys() <= {*DATASETS["celeba"].label_columns}


def test_training_and_command_write_the_same_names(trained, mirror, tmp_path, capsys):
    folder = shutil.copytree(trained, tmp_path / "center-mnist")
    text = (folder / "history.json").read_text(encoding="utf-8")
    history = json.loads(text)
    names = history.pop("names")
    assert {basis: len(found) for basis, found in names.items()} == {"directions": 10, "numbers": 10}
    assert history.pop("sample_classes") == [str(i % 10) for i in range(20)]
    (folder / "history.json").write_text(json.dumps(history), encoding="utf-8")  # as an earlier version wrote it
    assert main(["names", str(folder), "--data-root", str(mirror)]) == 0
    assert f"wrote {folder / 'history.json'}" in capsys.readouterr().out
    assert (folder / "history.json").read_text(encoding="utf-8") == text


def test_faces_have_names_and_no_classes(mirror):
    source = find_source("celeba", data_root=mirror)
    model = build("center", "celeba", latent_dim=4, widths="8x8x8x8")
    train = Split(load(source, "train").images, training_labels(source))
    fit_sampler.fit(model, train.images[:100])
    found = named(model, source, train, load(source, "test"))
    assert found["sample_classes"] == []
    assert {basis: len(names) for basis, names in found["names"].items()} == {"directions": 4, "numbers": 4}
    assert found == named(model, source, train, load(source, "test"))


def test_grids_have_no_names(mirror):
    source = find_source("mnist", data_root=mirror)
    found = named(build("vqae"), source, load(source, "train"), load(source, "test"))
    assert found["names"] == {"directions": [], "numbers": []} and len(found["sample_classes"]) == 20


def test_a_sample_without_a_label_has_no_class(mirror):
    source = find_source("mnist", data_root=mirror)
    test = load(source, "test")
    own = replace(source, dataset=replace(source.dataset, shareable=False))  # the first ten are its samples
    labels = torch.where(torch.arange(60) == 1, -1, test.labels)
    assert named(build("vqae"), own, test, Split(test.images, labels))["sample_classes"][:3] == ["0", None, "2"]
    for unknown in (None, torch.full((60,), -1)):
        assert named(build("vqae"), own, test, Split(test.images, unknown))["sample_classes"] == []


def test_invalid_arguments_are_refused_with_one_sentence(mirror, capsys):
    for arguments, message in (
        (["names"], "give the models whose directions are to be named, or --all"),
        (["names", "--all", "center-mnist"], "give the models whose directions are to be named, or --all"),
        (["names", "nothing"], "there is no model 'nothing'"),
        (["names", "ada/center-mnist"], "ada/center-mnist is on the Hub; download its folder first"),
    ):
        assert main([*arguments, "--data-root", str(mirror)]) == 1
        assert message in capsys.readouterr().err


@pytest.mark.parametrize("name", available_models())
def test_shipped_models_have_names(name):
    history = json.loads((shipped_folder() / name / "history.json").read_text(encoding="utf-8"))
    for names in history["names"].values():
        given = [found for found in names if found]
        assert all(LEAST <= found["correlation"] <= 1 for found in given)
        assert len({frozenset((found["low"], found["high"])) for found in given}) == len(given)
    assert bool(history["names"]["directions"]) == (
        not json.loads((shipped_folder() / name / "config.json").read_text(encoding="utf-8"))["grid_size"]
    )


@pytest.mark.data
@pytest.mark.parametrize("dataset", ["mnist", "fashionmnist"])
def test_classes_are_those_of_the_stored_samples(dataset, data_root):
    folder, test = shipped_folder() / f"center-{dataset}", load(find_source(dataset, data_root=data_root), "test")
    classes = json.loads((folder / "history.json").read_text(encoding="utf-8"))["sample_classes"]
    for image, name in zip(load_file(folder / "samples.safetensors")["images"], classes, strict=True):
        (index,) = (test.images == image).flatten(1).all(1).nonzero()[:, 0].tolist()
        assert DATASETS[dataset].class_names[test.labels[index]] == name
