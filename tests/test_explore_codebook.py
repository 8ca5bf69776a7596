"""The codebook tab without Gradio, and the shipped maps."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from image_files import file_of, half_bright
from safetensors.torch import load_file

from aevq_hub import AEVQ, explore, pictures
from aevq_hub.codebook import DUPLICATE
from aevq_hub.demo import codebook_html
from aevq_hub.explore import codebook, codebook_map, snippets, starts
from aevq_hub.explore.codebook import Codebook
from aevq_hub.folder import MAP_FILE, shipped_folder

OFFERED = list(explore.offers(Codebook.can))
MODELS = ["center-mnist", "codebook-fashionmnist", "ema-mnist", "vqae-fashionmnist", "codebook-celeba"]


def distances(name: str) -> torch.Tensor:
    """(K, K) distances between a model's vectors in double precision, infinite on the diagonal."""
    v = explore.exhibit(name).model.codebook.double()
    return (v[:, None] - v).norm(dim=-1).fill_diagonal_(math.inf)


def test_only_models_with_vectors_are_offered():
    assert OFFERED and all(explore.exhibit(name).model.codebook is not None for name in MODELS)
    assert not any("codebook" in explore.exhibit(name).history["results"] for name in ("ae-mnist", "vae-mnist"))
    assert {"ae-mnist", "vae-mnist"}.isdisjoint(OFFERED)


@pytest.mark.parametrize("name", MODELS)
def test_gallery_is_sorted_and_filtered_by_recorded_measures(name):
    history = explore.exhibit(name).history["results"]
    share, nearest, count = history["codebook"]["share"], distances(name).amin(1), history["codebook"]["vectors"]
    of = {sort: codebook.order(Codebook(name, sort=sort)) for sort in codebook.SORTS}
    assert of["index"] == list(range(count)) and all(sorted(found) == of["index"] for found in of.values())
    assert [share[i] for i in of["use"]] == sorted(share, reverse=True)
    assert torch.allclose(nearest[of["distance"]], nearest.sort().values, atol=1e-5)
    shown = {show: set(codebook.order(Codebook(name, show=show))) for show in codebook.SHOWS}
    assert shown["used"] == {i for i in range(count) if share[i] >= 0.0005}
    assert shown["dead"] == {i for i in range(count) if share[i] == 0}
    assert shown["duplicate"] == set(history["codebook"]["duplicate_indices"])
    if count > 1:  # the record has the median relative to the spread of the latents
        spread = nearest.median() / history["codebook"]["nearest_distance"]
        assert shown["duplicate"] == {i for i in range(count) if nearest[i] < DUPLICATE * spread}
    assert [len(shown[show]) for show in ("all", "used", "dead", "duplicate")] == [
        history["codebook"][key] for key in ("vectors", "in_use", "dead", "duplicates")
    ]


def test_counts_of_used_dead_and_duplicate_vectors_match_the_records():
    for name in OFFERED:
        known = codebook.book(name)
        counts = [sum(show in known.kinds(i) for i in range(len(known.share))) for show in codebook.SHOWS]
        assert counts == [known.health[key] for key in ("vectors", "in_use", "dead", "duplicates")], name


def test_duplicates_are_recorded_or_derived_from_the_spread():
    """Two pairs, 0.1 and 0.3 apart; with a spread of 4, a duplicate is at most 0.2 away."""
    nearest = torch.tensor([0.1, 0.1, 0.3, 0.3])
    assert codebook._duplicates(nearest, {"duplicate_indices": [3], "nearest_distance": 0.025}) == {3}
    assert codebook._duplicates(nearest, {"nearest_distance": 0.1 / 4}) == {0, 1}
    assert codebook._duplicates(torch.tensor([0.0, 0.0, 0.0]), {"nearest_distance": 0.0}) == {0, 1, 2}


@pytest.mark.parametrize("name", MODELS)
def test_vector_looks_the_same_alone_and_in_the_gallery(name):
    model = explore.exhibit(name).model
    last = model.config.num_codes - 1
    z = model.codebook[last:].reshape(1, -1, *[1] * (len(model.config.latent_shape) - 1))
    wanted = np.asarray(model.to_pil(model.decode(z.expand(1, *model.config.latent_shape)))[0], int)
    # rounding differs in a batch
    assert abs(np.asarray(codebook.vector(Codebook(name, vector=last)), int) - wanted).max() <= 1
    sheet, side = codebook.sprites(name), model.config.image_size
    y, x = divmod(last, sheet.width // side)
    cut = sheet.crop((x * side, y * side, (x + 1) * side, (y + 1) * side))
    assert cut.tobytes() == codebook.vector(Codebook(name, vector=last)).tobytes()
    first = codebook.order(Codebook(name, sort="use"))[0]
    cut = codebook.gallery(Codebook(name)).crop((0, 0, side, side))
    assert cut.tobytes() == codebook.vector(Codebook(name, vector=first)).tobytes()


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("token", ["sample:3", "random:5"])
def test_way_leads_from_the_sample_to_the_vector(name, token):
    settings = Codebook(name, token, vector=explore.offers()[name].config.num_codes - 1, way=0.0)
    ends = [np.asarray(codebook.picture(replace(settings, way=way)), int) for way in (0.0, 0.5, 1.0)]
    assert (ends[0] == np.asarray(codebook.start(settings), int)).all()
    assert abs(ends[2] - np.asarray(codebook.vector(settings), int)).max() <= 1  # rounding differs in a batch
    assert (ends[1] != ends[0]).any() and (ends[1] != ends[2]).any()


@pytest.mark.parametrize("name", ["codebook-fashionmnist", "ema-mnist", "vqae-fashionmnist"])
def test_neighbours_are_the_nearest_vectors(name):
    v = explore.exhibit(name).model.codebook
    for vector in (0, 7, len(v) - 1):
        apart = torch.cdist(v[vector : vector + 1].double(), v.double())[0]
        apart[vector] = math.inf
        found = codebook.neighbours(Codebook(name, vector=vector))
        assert len(found) == 6 and vector not in [index for index, _ in found]
        assert [distance for _, distance in found] == pytest.approx(apart.sort().values[:6].tolist(), abs=1e-4)
        assert all(apart[index].item() == pytest.approx(distance, abs=1e-4) for index, distance in found)
    assert codebook.neighbours(Codebook("center-mnist")) == []


def test_samples_are_ranked_by_distance_or_by_cells():
    shown = explore.exhibit("ema-mnist")
    apart = torch.cdist(shown.model.codebook[14:15].double(), shown.z.double())[0]
    found = codebook.samples(Codebook("ema-mnist", vector=14))
    assert [i for i, _ in found] == apart.argsort()[:5].tolist()
    assert [d for _, d in found] == pytest.approx(apart.sort().values[:5].tolist(), abs=1e-4)
    shown = explore.exhibit("vqae-fashionmnist")
    used = codebook.order(Codebook("vqae-fashionmnist"))[0]
    cells = [(grid == used).sum().item() for grid in shown.model.quantize(shown.z)[1]]
    found = codebook.samples(Codebook("vqae-fashionmnist", vector=used))
    assert [count for _, count in found] == sorted(cells, reverse=True)[:5]
    assert all(cells[i] == count > 0 for i, count in found)


@pytest.mark.parametrize("name", ["center-mnist", "ema-fashionmnist", "vqae-fashionmnist", "vqvae-fashionmnist"])
@pytest.mark.parametrize("token", ["sample:2", "random:17", "image"])
def test_python_code_reproduces_the_picture_exactly(name, token, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if token == "image":
        token = starts.bring(file_of(half_bright("L")))
        starts.brought(token).image.save("picture.png")
    vector = explore.offers()[name].config.num_codes - 1
    for way in (0.0, 0.37, 1.0):
        settings, scope = Codebook(name, token, vector, way=way), {}
        exec(snippets.codebook(settings), scope)
        assert scope["picture"].tobytes() == codebook.picture(settings).tobytes()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "ae-mnist"}, "unknown model 'ae-mnist'; choose from center-mnist"),
        ({"model": "center-mnist", "vector": 1}, "vector is 1; give a whole number from 0 to 0"),
        ({"model": "ema-mnist", "vector": 50}, "vector is 50; give a whole number from 0 to 49"),
        ({"vector": "0"}, "vector is '0'"),
        ({"vector": -1}, "vector is -1"),
        ({"sort": "colour"}, "unknown sort 'colour'; choose from use, index, distance"),
        ({"show": None}, "unknown show None; choose from all, used, dead, duplicate"),
        ({"way": 1.01}, "way is 1.01; give a number from 0 to 1"),
        ({"way": math.nan}, "way is nan"),
        ({"point": 1.5}, "point is 1.5"),
    ],
)
def test_invalid_setting_is_refused_with_one_sentence(settings, message):
    with pytest.raises(ValueError) as error:
        Codebook(**settings)
    assert message in str(error.value) and len(str(error.value)) < 900


def test_missing_items_are_refused_with_one_sentence(monkeypatch):
    with pytest.raises(ValueError, match="point is 700; give a whole number from 0 to 699"):
        codebook_map.point(Codebook(point=700))
    with pytest.raises(ValueError, match="has no vector to show as dead; choose all"):
        codebook.gallery(Codebook(show="dead"))
    assert "No vector of this model is dead" in codebook_html.gallery(Codebook(show="dead"))
    monkeypatch.setattr(codebook_map, "load_map", lambda name: None)
    with pytest.raises(ValueError, match="has no map; `aevq map codebook-fashionmnist` makes one"):
        codebook_map.about_point(Codebook())


def test_link_restores_settings_and_reports_invalid_values():
    link = {"model": "ema-mnist", "vector": "49", "sort": "index", "show": "dead", "way": "0.25", "point": "12"}
    assert Codebook.from_link(link) == (Codebook("ema-mnist", "sample:0", 49, "index", "dead", 0.25, 12), [])
    settings, problems = Codebook.from_link({**link, "vector": "50", "way": "far"})
    assert settings == Codebook("ema-mnist", "sample:0", 0, "index", "dead", 0.5, 12)
    assert [problem.split(" ")[0] for problem in problems] == ["vector", "way"]


@pytest.mark.parametrize("name", OFFERED)
def test_shipped_map_matches_its_model(name):
    tensors = load_file(shipped_folder() / name / MAP_FILE)
    config, points = explore.offers()[name].config, len(tensors["points"])
    assert set(tensors) == {"points", "vectors", "classes", "latents"}
    assert points >= 200 and tensors["points"].shape == (points, 2)
    assert tensors["vectors"].shape == (config.num_codes, 2)
    assert tensors["latents"].shape == (points, config.latent_dim) and tensors["classes"].shape == (points,)
    for places in (tensors["points"], tensors["vectors"]):
        assert places.min() >= 0 and places.max() <= 1
    assert (tensors["classes"].unique().tolist() == list(range(10))) or config.dataset == "celeba"
    model, plane = AEVQ.from_pretrained(name), codebook_map.load_map(name)
    x = model.render(pictures.filled(model, plane.latents[:: points // 20]))
    assert x.isfinite().all() and x.min() >= 0 and x.max() <= 1 and x.std(0).mean() > 0.01
    apart = torch.cdist(plane.latents.double(), model.codebook.double())
    chosen = apart.gather(1, torch.tensor(plane.nearest)[:, None])[:, 0]
    assert torch.allclose(chosen, apart.amin(1), rtol=1e-3)
    last = Codebook(name, point=points - 1)
    assert codebook_map.about_point(last)["distance"] == pytest.approx(chosen[-1].item(), rel=1e-3)
    assert codebook_map.point(last).size == (config.image_size,) * 2


def test_latents_of_one_class_lie_together_on_the_map():
    """Most nearest neighbours on the map have the same class."""
    plane = codebook_map.load_map("residual-mnist")
    classes = torch.tensor(plane.classes)
    nearest = torch.cdist(plane.points, plane.points).fill_diagonal_(math.inf).argmin(1)
    assert (classes[nearest] == classes).float().mean() > 0.8


def test_shipped_maps_are_small():
    assert sum((shipped_folder() / name / MAP_FILE).stat().st_size for name in OFFERED) <= 3e6


def test_click_on_the_map_selects_the_nearest_item():
    settings = Codebook("ema-mnist")
    plane = codebook_map.load_map("ema-mnist")
    for i in (0, 17, 49):
        assert codebook_map.at(settings, *plane.vectors[i].tolist()) == ("vector", i)
    far = (torch.cdist(plane.points, plane.vectors).amin(1) > 2 * codebook_map.REACH).nonzero()[:, 0].tolist()
    assert len(far) >= 5
    for i in far[:5]:
        kind, found = codebook_map.at(settings, *plane.points[i].tolist())
        assert kind == "point" and torch.equal(plane.points[found], plane.points[i])
    corner = codebook_html.MARGIN / codebook_html.SIDE
    assert codebook_html.inside(corner, 1 - corner) == pytest.approx((0, 1))


def test_health_is_shown_in_numbers():
    html = codebook_html.health(Codebook("ema-fashionmnist"))
    for text in ("<b>13</b> in use", "<b>37</b> dead", "<b>0</b> duplicates", "<b>Perplexity 11.7</b>", "13.4%"):
        assert text in html
    assert "nothing to choose" in codebook_html.health(Codebook("center-mnist"))
