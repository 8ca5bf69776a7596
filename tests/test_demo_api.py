"""The demo's endpoints as programs call them, with valid values."""

import base64
import re

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from image_files import apart, file_of
from PIL import Image, ImageOps
from servers import ROOT, free_port

from aevq_hub import latent
from aevq_hub.demo import page
from aevq_hub.demo.about.compute import COLUMNS
from aevq_hub.demo.codebook import compute as codebook
from aevq_hub.demo.codebook import map as codebook_map
from aevq_hub.demo.codebook.settings import SHOWS, SORTS, Codebook
from aevq_hub.demo.compare import compute as compare
from aevq_hub.demo.compare.endpoints import ladder
from aevq_hub.demo.compare.settings import Compare
from aevq_hub.demo.grid import completion
from aevq_hub.demo.grid import compute as grid
from aevq_hub.demo.grid.settings import Grid
from aevq_hub.demo.morph import compute as morph
from aevq_hub.demo.morph.settings import Morph
from aevq_hub.demo.shared.exhibits import data_sets, exhibit, history, of_data_set, offers
from aevq_hub.demo.shared.starts import INVERT
from aevq_hub.demo.turn import compute as turn
from aevq_hub.demo.turn.settings import BASES, Turn
from aevq_hub.latent_space import UNITS

ENDPOINTS = {
    "/models", "/samples", "/bring", "/perturb", "/perturbation_sheet", "/interpolate", "/interpolation_animation",
    "/four_corners", "/codebook_gallery", "/codebook_health", "/codebook_vector", "/toward_vector",
    "/codebook_map_point", "/recombine", "/recombination_changes", "/index_matrix", "/edit_cells", "/fill_cells",
    "/unusual_cells", "/ladder", "/ladder_row", "/describe_model", "/results", "/claims",
}  # fmt: skip
SCALED = {"/perturb", "/toward_vector", "/codebook_map_point", "/recombine", "/recombination_changes"}
CHOICES = {"unit": UNITS, "basis": BASES, "mode": latent.MODES, "sort": SORTS, "show": SHOWS, "invert": INVERT}
ACTIONS = {"/edit_cells": tuple(grid.ACTIONS), "/fill_cells": grid.FILLS}
GRID = "vqae-fashionmnist"


@pytest.fixture(scope="module")
def client(page_url):
    return Client(page_url, verbose=False)


def same(file: str, wanted: Image.Image, scale: int = 1) -> bool:
    """Whether a file shows a picture, enlarged; a server with other threads rounds differently."""
    with Image.open(file) as found:
        return apart(found.convert("RGB"), ImageOps.scale(wanted.convert("RGB"), scale, Image.Resampling.NEAREST)) <= 1


def test_calls_without_a_session_do_not_pile_up(monkeypatch):
    """Gradio keeps a session of 0.7 MB for each of them; the oldest are forgotten."""
    assert page.SESSIONS * 0.7 < 100
    monkeypatch.setattr(page, "SESSIONS", 10)
    with page.build() as demo:
        page.launch(demo, prevent_thread_lock=True, server_port=free_port(), mcp_server=False, quiet=True)
        try:
            for _ in range(15):
                address = f"{demo.local_url}gradio_api/call/models"
                event = httpx.post(address, json={"data": []}).json()["event_id"]
                assert "event: complete" in httpx.get(f"{address}/{event}").text
            assert len(demo.app.state_holder.session_data) == 10
        finally:
            demo.close()


def test_every_endpoint_is_named_typed_and_documented(client):
    found = client.view_api(print_info=False, return_format="dict")["named_endpoints"]
    assert set(found) == ENDPOINTS
    for name, endpoint in found.items():
        assert endpoint["description"], name
        (answer,) = endpoint["returns"]
        assert answer["python_type"]["type"] not in ("Any", "dict"), name
        choices = {**CHOICES, "action": ACTIONS.get(name)}
        for parameter in endpoint["parameters"]:
            called, kind = parameter["parameter_name"], parameter["type"]
            if called in choices:
                assert tuple(kind["enum"]) == tuple(choices[called]), (name, called)
            elif called != "picture":
                assert kind["type"] in ("string", "integer", "number"), (name, called)
    assert {name for name, e in found.items() if "scale" in [p["parameter_name"] for p in e["parameters"]]} == SCALED
    assert [p["parameter_name"] for p in found["/perturb"]["parameters"]][:4] == ["model", "start", "rank", "shift"]
    assert found["/bring"]["parameters"][0]["python_type"]["type"] == "str | filepath"
    assert found["/perturb"]["returns"][0]["python_type"]["type"] == "filepath"


def test_perturb_returns_the_picture_eight_times_as_large(client):
    file = client.predict("center-mnist", "sample:2", 3, 1.5, api_name="/perturb")
    assert same(file, turn.picture(Turn(model="center-mnist", start="sample:2", rank=3, shift=1.5)), 8)
    values = {"model": GRID, "start": "random:3", "row": 2, "column": 6, "unit": "raw", "basis": "numbers"}
    assert same(client.predict(**values, api_name="/perturbation_sheet"), turn.sheet(Turn(**values)))


def test_perturb_takes_all_of_the_tab(client):
    values = {"model": "center-mnist", "start": "sample:4", "second": "sample:9", "way": 0.25, "mix": "0,1.5,-2"}
    wanted = {basis: turn.picture(Turn(**values, basis=basis)) for basis in BASES}
    assert apart(*wanted.values()) > 10
    for basis, picture in wanted.items():
        assert same(client.predict(**values, basis=basis, scale=3, api_name="/perturb"), picture, 3)
    with pytest.raises(AppError, match="scale is 33; give a whole number from 1 to 32"):
        client.predict(scale=33, api_name="/perturb")


def test_readme_client_example_returns_the_picture(page_url):
    (code,) = re.findall(r"```python\n(from gradio_client .*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    found = {}
    exec(code.replace("http://127.0.0.1:7860", page_url), found)
    assert same(found["file"], turn.picture(Turn(model="center-mnist", start="sample:3", mix="2.5,0,-1")), 8)


def test_interpolation_returns_strip_sheet_and_animation(client):
    values = {"model": "center-mnist", "start": "random:1", "second": "sample:4"}
    file = client.predict(**values, steps=5, mode="slerp", api_name="/interpolate")
    assert same(file, morph.strip(Morph(**values, steps=5, mode="slerp")))
    assert same(client.predict(**values, api_name="/four_corners"), morph.four_corners(Morph(**values)))
    with Image.open(client.predict("center-mnist", api_name="/interpolation_animation")) as moving:
        assert moving.n_frames == 2 * morph.FRAMES - 2


def test_codebook_endpoints_return_pictures_and_numbers(client):
    file = client.predict("ema-mnist", "index", "used", api_name="/codebook_gallery")
    shown = codebook.gallery(Codebook(model="ema-mnist", sort="index", show="used"))
    assert same(file, shown, round(1000 / shown.width))
    assert client.predict("ema-mnist", api_name="/codebook_health")["in_use"] == 10
    known = client.predict("ema-mnist", 7, api_name="/codebook_vector")
    assert known == codebook.about(Codebook(model="ema-mnist", vector=7)) and len(known["nearest_vectors"]) == 6
    file = client.predict("ema-mnist", "random:3", 7, 0.25, api_name="/toward_vector")
    assert same(file, codebook.picture(Codebook(model="ema-mnist", start="random:3", vector=7, way=0.25)), 8)
    file = client.predict("ema-mnist", 5, scale=1, api_name="/codebook_map_point")
    assert same(file, codebook_map.point(Codebook(model="ema-mnist", point=5)))


def test_recombination_endpoints_edit_and_render_a_grid(client):
    cells = client.predict("put", GRID, row=1, column=2, to_row=2, code=17, api_name="/edit_cells")
    s = Grid(model=GRID, cells="1,2=17;2,2=17")
    assert same(client.predict(GRID, cells=cells, api_name="/recombine"), grid.picture(s), 8)
    file = client.predict(GRID, cells=cells, scale=2, api_name="/recombination_changes")
    assert same(file, grid.change(s).picture, 2)
    with pytest.raises(AppError, match="Row 2, column 1 of the matrix is '100'; give a whole number from 0 to 99"):
        client.predict(
            GRID, cells=";".join(["1 2 3 4 5 6 7", "100 2 3 4 5 6 7"] * 3 + ["~ " * 7]), api_name="/recombine"
        )


def test_index_matrix_is_data(client):
    matrix = client.predict(GRID, cells="1,2=17;7,7=-", api_name="/index_matrix")
    wanted = grid.indices(Grid(model=GRID, cells="1,2=17"))
    wanted[6][6] = None
    assert matrix == wanted and matrix[0][1] == 17


def test_cells_are_filled_and_judged_by_programs(client):
    values = {"model": GRID, "row": 1, "column": 1, "to_row": 3, "to_column": 7, "seed": 2}
    cells = client.predict("fill_rest", **values, api_name="/fill_cells")
    assert cells == [one.settings.cells for one in completion.proposals(Grid(**values), "fill_rest")]
    bits = client.predict(GRID, cells=cells[1], api_name="/unusual_cells")
    assert np.allclose(bits, completion.surprise(Grid(model=GRID, cells=cells[1])).bits, atol=1e-3)
    with pytest.raises(AppError, match="unknown action 'put'; choose from fill, fill_rest, seam"):
        client.predict("put", GRID, api_name="/fill_cells")


def test_pasted_cells_take_codes_of_the_given_second_picture(client):
    values = {"model": GRID, "cells": "1,1=@;7,7=@;4,4=@", "second": "sample:9"}
    cells = client.predict("quantise", **values, api_name="/edit_cells")
    other = Grid(**{**values, "second": "sample:1"})
    assert cells == grid.edited(Grid(**values), "quantise").cells != grid.edited(other, "quantise").cells


def test_ladder_returns_a_row_and_the_whole_sheet(client):
    values = {"start": "sample:3", "second": "sample:4", "shift": -1.5}
    wanted = Compare(model="ae-fashionmnist", **values)
    assert same(client.predict("fashionmnist", **values, api_name="/ladder"), compare.sheet(wanted))
    file = client.predict("ae-fashionmnist", **values, api_name="/ladder_row")
    assert same(file, compare.row_sheet(wanted, "ae-fashionmnist"))


def test_ladder_draws_random_pictures_by_the_variant_center():
    file = ladder("mnist", start="random:5")
    assert same(file["path"], compare.sheet(Compare(model="center-mnist", start="random:5")))


def test_samples_have_their_classes(client):
    for dataset in data_sets():
        name, found = next(iter(of_data_set(dataset))), client.predict(dataset, api_name="/samples")
        assert [sample["start"] for sample in found] == [f"sample:{i}" for i in range(len(exhibit(name).z))]
        assert [sample["class"] for sample in found] == (history(name)["sample_classes"] or [None] * len(found))
    with pytest.raises(AppError, match="unknown dataset 'cifar'; choose from mnist, fashionmnist, celeba"):
        client.predict("cifar", api_name="/samples")


def test_results_are_data(client):
    found = client.predict("mnist", api_name="/results")
    assert [line["model"] for line in found] == list(of_data_set("mnist"))
    for line in found:
        measured = history(line["model"])["results"]
        assert line["variant"] == offers()[line["model"]].config.variant and line["mse"] == measured["mse"]
        assert line["probes.linear"] == measured["probes"]["linear"]
        assert line.keys() - {"model", "variant"} <= set(COLUMNS)
    assert {"verdict", "parts"} <= client.predict(api_name="/claims")[0].keys()
    assert client.predict("vae-mnist", api_name="/describe_model").startswith("**")


def test_own_image_is_used_as_start(client, page_url, tmp_path):
    assert client.predict(api_name="/models") == list(offers())
    file = tmp_path / "ink.png"
    ImageOps.invert(Image.radial_gradient("L")).save(file)  # dark at the border
    data = base64.b64encode(file.read_bytes()).decode()
    with file.open("rb") as opened:
        (path,) = httpx.post(f"{page_url}/gradio_api/upload", files={"files": opened}).json()
    pictures = (data, f"data:image/png;base64,{data}", handle_file(file), f"{page_url}/gradio_api/file={path}")
    starts = {client.predict(picture, api_name="/bring") for picture in pictures}
    assert len(starts) == 1 and starts == {client.predict(data, "no", api_name="/bring")}
    starts.add(client.predict(handle_file(file), invert="yes", api_name="/bring"))
    drawn = [client.predict("center-mnist", start, api_name="/perturb") for start in [*starts, "sample:0"]]
    assert len({Image.open(picture).tobytes() for picture in drawn}) == 3


def test_what_is_no_image_is_refused(client, page_url):
    text = base64.b64encode(file_of(Image.new("L", (8, 8))).getvalue()[:40]).decode()
    for picture in (text, handle_file(__file__)):
        with pytest.raises(AppError, match="cannot be read as an image; please bring a PNG, JPEG or WebP"):
            client.predict(picture, api_name="/bring")
    with pytest.raises(AppError, match="unknown invert 'maybe'; choose from auto, yes, no"):
        client.predict(text, invert="maybe", api_name="/bring")
    with pytest.raises(AppError, match="This is no uploaded file; please bring the image again"):
        client.predict(f"{page_url}/gradio_api/file=/etc/passwd", api_name="/bring")
