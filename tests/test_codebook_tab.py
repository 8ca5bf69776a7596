"""The tab Codebook without Gradio, and the shipped maps."""

import math
from dataclasses import replace

import pytest
import torch
from code_runs import picture_of
from image_files import apart, file_of, half_bright
from safetensors.torch import load_file

from aevq_hub import pictures
from aevq_hub.codebook import DUPLICATE
from aevq_hub.config import LoadError
from aevq_hub.demo.codebook import compute, html, snippet
from aevq_hub.demo.codebook import map as maps
from aevq_hub.demo.codebook.settings import SHOWS, SORTS, Codebook
from aevq_hub.demo.shared import starts
from aevq_hub.demo.shared.exhibits import exhibit, offers
from aevq_hub.folder import MAP_FILE, shipped_folder

OFFERED = list(offers(Codebook.can))
MODELS = ["center-mnist", "codebook-fashionmnist", "ema-mnist", "vqae-fashionmnist", "codebook-celeba"]


def distances(name: str) -> torch.Tensor:
    """(K, K) distances between a model's vectors in double precision, infinite on the diagonal."""
    v = exhibit(name).model.vectors.double()
    return (v[:, None] - v).norm(dim=-1).fill_diagonal_(math.inf)


@pytest.fixture(scope="module", params=OFFERED)
def offered(request) -> str:
    """Every model with vectors; the tests of one follow each other, as long as it is open."""
    return request.param


def test_only_models_with_vectors_are_offered():
    assert OFFERED and all(exhibit(name).model.codebook is not None for name in MODELS)
    assert not any("codebook" in exhibit(name).history["results"] for name in ("ae-mnist", "vae-mnist"))
    assert {"ae-mnist", "vae-mnist"}.isdisjoint(OFFERED)


@pytest.mark.parametrize("name", MODELS)
def test_gallery_is_sorted_and_filtered_by_recorded_measures(name):
    history = exhibit(name).history["results"]
    share, nearest, count = history["codebook"]["share"], distances(name).amin(1), history["codebook"]["vectors"]
    of = {sort: compute.order(Codebook(name, sort=sort)) for sort in SORTS}
    assert of["index"] == list(range(count)) and all(sorted(found) == of["index"] for found in of.values())
    assert [share[i] for i in of["use"]] == sorted(share, reverse=True)
    assert torch.allclose(nearest[of["distance"]], nearest.sort().values, atol=1e-5)
    shown = {show: set(compute.order(Codebook(name, show=show))) for show in SHOWS}
    assert shown["used"] == {i for i in range(count) if share[i] >= 0.0005}
    assert shown["dead"] == {i for i in range(count) if share[i] == 0}
    assert shown["duplicate"] == set(history["codebook"]["duplicate_indices"])
    if count > 1:  # the record has the median relative to the spread of the latents
        spread = nearest.median() / history["codebook"]["nearest_distance"]
        assert shown["duplicate"] == {i for i in range(count) if nearest[i] < DUPLICATE * spread}
    assert [len(shown[show]) for show in ("all", "used", "dead", "duplicate")] == [
        history["codebook"][key] for key in ("vectors", "in_use", "dead", "duplicates")
    ]


def test_counts_of_used_dead_and_duplicate_vectors_match_the_records(offered):
    known = compute.book(offered)
    counts = [sum(show in known.kinds(i) for i in range(len(known.share))) for show in SHOWS]
    assert counts == [known.health[key] for key in ("vectors", "in_use", "dead", "duplicates")]


def test_duplicates_are_recorded_or_derived_from_the_spread():
    """Two pairs, 0.1 and 0.3 apart; with a spread of 4, a duplicate is at most 0.2 away."""
    nearest = torch.tensor([0.1, 0.1, 0.3, 0.3])
    assert compute._duplicates(nearest, {"duplicate_indices": [3], "nearest_distance": 0.025}) == {3}
    assert compute._duplicates(nearest, {"nearest_distance": 0.1 / 4}) == {0, 1}
    assert compute._duplicates(torch.tensor([0.0, 0.0, 0.0]), {"nearest_distance": 0.0}) == {0, 1, 2}


@pytest.mark.parametrize("name", MODELS)
def test_vector_looks_the_same_alone_and_in_the_gallery(name):
    model = exhibit(name).model
    last = model.config.num_codes - 1
    z = model.vectors[last:].reshape(1, -1, *[1] * (len(model.config.latent_shape) - 1))
    wanted = model.to_pil(model.decode(z.expand(1, *model.config.latent_shape)))[0]
    assert apart(compute.vector(Codebook(name, vector=last)), wanted) <= 1  # rounding differs in a batch
    sheet, side = compute.sprites(name), model.config.image_size
    y, x = divmod(last, sheet.width // side)
    cut = sheet.crop((x * side, y * side, (x + 1) * side, (y + 1) * side))
    assert cut.tobytes() == compute.vector(Codebook(name, vector=last)).tobytes()
    first = compute.order(Codebook(name, sort="use"))[0]
    cut = compute.gallery(Codebook(name)).crop((0, 0, side, side))
    assert cut.tobytes() == compute.vector(Codebook(name, vector=first)).tobytes()


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("token", ["sample:3", "random:5"])
def test_way_leads_from_the_sample_to_the_vector(name, token):
    settings = Codebook(name, token, vector=offers()[name].config.num_codes - 1)
    begin, between, end = (compute.picture(replace(settings, way=way)) for way in (0.0, 0.5, 1.0))
    assert begin.tobytes() == starts.rendered(exhibit(name), token).tobytes()
    assert apart(end, compute.vector(settings)) <= 1  # rounding differs in a batch
    assert apart(between, begin) > 0 < apart(between, end)


@pytest.mark.parametrize("name", ["codebook-fashionmnist", "ema-mnist", "vqae-fashionmnist"])
def test_neighbours_are_the_nearest_vectors(name):
    v = exhibit(name).model.vectors
    for vector in (0, 7, len(v) - 1):
        away = torch.cdist(v[vector : vector + 1].double(), v.double())[0]
        away[vector] = math.inf
        found = compute.neighbours(Codebook(name, vector=vector))
        assert len(found) == 6 and vector not in [index for index, _ in found]
        assert [distance for _, distance in found] == pytest.approx(away.sort().values[:6].tolist(), abs=1e-4)
        assert all(away[index].item() == pytest.approx(distance, abs=1e-4) for index, distance in found)
    assert compute.neighbours(Codebook("center-mnist")) == []


def test_most_used_vector_is_chosen_first():
    for name in ("codebook-mnist", "vqvae-celeba", "center-mnist"):
        assert Codebook(name).vector == compute.order(Codebook(name))[0]
    assert Codebook.fitted({"model": "codebook-mnist"})[0] == Codebook("codebook-mnist")
    assert "vector" not in Codebook("codebook-mnist").link


def test_samples_are_ranked_by_distance_or_by_cells():
    shown = exhibit("ema-mnist")
    away = torch.cdist(shown.model.vectors[14:15].double(), shown.z.double())[0]
    found = compute.samples(Codebook("ema-mnist", vector=14))
    assert [i for i, _ in found] == away.argsort()[:5].tolist()
    assert [d for _, d in found] == pytest.approx(away.sort().values[:5].tolist(), abs=1e-4)
    shown = exhibit("vqae-fashionmnist")
    used = compute.order(Codebook("vqae-fashionmnist"))[0]
    cells = [(grid == used).sum().item() for grid in shown.model.quantize(shown.z)[1]]
    found = compute.samples(Codebook("vqae-fashionmnist", vector=used))
    assert [count for _, count in found] == sorted(cells, reverse=True)[:5]
    assert all(cells[i] == count > 0 for i, count in found)


def test_python_code_reproduces_the_picture_exactly(offered, tmp_path):
    """Half of the settings for each model, in turn."""
    image, ink = (starts.bring(file_of(half_bright("L")), invert) for invert in ("no", "yes"))
    last = offers()[offered].config.num_codes - 1
    several = (
        Codebook(offered, "sample:2", vector=last, way=0.0),
        Codebook(offered, "random:17", vector=last // 2, way=0.37),
        Codebook(offered, image, vector=last // 3),
        Codebook(offered, ink, way=1.0),
        Codebook(offered, f"vector:{last}", vector=0, way=0.2),
    )
    for settings in several[OFFERED.index(offered) % 2 :: 2]:
        made = picture_of(snippet.code(settings), settings, tmp_path)
        assert made.tobytes() == compute.picture(settings).tobytes(), settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "ae-mnist"}, "unknown model 'ae-mnist'; choose from center-mnist"),
        ({"model": "center-mnist", "vector": 1}, "vector is 1; give a whole number from 0 to 0"),
        ({"model": "ema-mnist", "vector": 50}, "vector is 50; give a whole number from 0 to 49"),
        ({"vector": "0"}, "vector is '0'"),
        ({"vector": -1}, "vector is -1; give a whole number from 0 to 19"),
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
    name = "codebook-fashionmnist"
    with pytest.raises(ValueError, match="point is 700; give a whole number from 0 to 699"):
        maps.point(Codebook(name, point=700))
    with pytest.raises(ValueError, match="has no vector to show as dead; choose all"):
        compute.gallery(Codebook(name, show="dead"))
    assert "No vector of this model is dead" in html.gallery(Codebook(name, show="dead"))
    monkeypatch.setattr(maps, "load_map", lambda name: None)
    with pytest.raises(ValueError, match="has no map; `aevq map codebook-fashionmnist` makes one"):
        maps.about_point(Codebook(name))


def test_failed_download_of_a_map_is_tried_again(monkeypatch):
    def unreachable(*_):
        raise LoadError("the Hub was not reached")

    maps._read_map.cache_clear()
    with monkeypatch.context() as broken:
        broken.setattr(maps, "find_files", unreachable)
        assert maps.load_map("ema-mnist") is None
    assert maps.load_map("ema-mnist") is not None


def test_shipped_map_matches_its_model(offered):
    tensors = load_file(shipped_folder() / offered / MAP_FILE)
    config, points = offers()[offered].config, len(tensors["points"])
    assert set(tensors) == {"points", "vectors", "classes", "latents"}
    assert points >= 200 and tensors["points"].shape == (points, 2)
    assert tensors["vectors"].shape == (config.num_codes, 2)
    assert tensors["latents"].shape == (points, config.latent_dim) and tensors["classes"].shape == (points,)
    for places in (tensors["points"], tensors["vectors"]):
        assert places.min() >= 0 and places.max() <= 1
    assert (tensors["classes"].unique().tolist() == list(range(10))) or config.dataset == "celeba"
    model, plane = exhibit(offered).model, maps.load_map(offered)
    assert plane is not None
    x = model.render(pictures.filled(model, plane.latents[:: points // 20]))
    assert x.isfinite().all() and x.min() >= 0 and x.max() <= 1 and x.std(0).mean() > 0.01
    away = torch.cdist(plane.latents.double(), model.vectors.double())
    chosen = away.gather(1, torch.tensor(plane.nearest)[:, None])[:, 0]
    assert torch.allclose(chosen, away.amin(1), rtol=1e-3)
    last = Codebook(offered, point=points - 1)
    assert maps.about_point(last)["distance"] == pytest.approx(chosen[-1].item(), rel=1e-3)
    assert maps.point(last).size == (config.image_size,) * 2


def test_latents_of_one_class_lie_together_on_the_map():
    """Most nearest neighbours on the map have the same class."""
    plane = maps.load_map("residual-mnist")
    assert plane is not None
    classes = torch.tensor(plane.classes)
    nearest = torch.cdist(plane.points, plane.points).fill_diagonal_(math.inf).argmin(1)
    assert (classes[nearest] == classes).float().mean() > 0.8


def test_shipped_maps_are_small():
    assert sum((shipped_folder() / name / MAP_FILE).stat().st_size for name in OFFERED) <= 3e6


def test_click_on_the_map_selects_the_nearest_item():
    settings = Codebook("ema-mnist")
    plane = maps.load_map("ema-mnist")
    assert plane is not None
    for i in (0, 17, 49):
        assert maps.at(settings, *plane.vectors[i].tolist()) == ("vector", i)
    far = (torch.cdist(plane.points, plane.vectors).amin(1) > 2 * maps.REACH).nonzero()[:, 0].tolist()
    assert len(far) >= 5
    for i in far[:5]:
        kind, found = maps.at(settings, *plane.points[i].tolist())
        assert kind == "point" and torch.equal(plane.points[found], plane.points[i])
    corner = html.MARGIN / html.SIDE
    assert html.inside(corner, 1 - corner) == pytest.approx((0, 1))


def test_health_is_shown_in_numbers():
    shown = html.health(Codebook("ema-fashionmnist"))
    for text in ("<b>13</b> in use", "<b>37</b> dead", "<b>0</b> duplicates", "<b>Perplexity 11.7</b>", "13.4%"):
        assert text in shown
    assert "nothing to choose" in html.health(Codebook("center-mnist"))
