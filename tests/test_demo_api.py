"""The demo's endpoints as programs call them, with valid and invalid values."""

import asyncio
import base64
import io
import json
import math
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
from fuzzing import fuzz, quick_and_deep
from gradio.utils import get_upload_folder
from gradio_client import Client
from gradio_client.exceptions import AppError
from hypothesis import strategies as st
from image_files import file_of
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from PIL import Image
from servers import ROOT, free_port

from aevq_hub import explore
from aevq_hub.demo import page
from aevq_hub.demo.chooser import uploaded
from aevq_hub.explore import codebook, codebook_map, completion, interpolation, ladder, perturbation, recombination
from aevq_hub.explore.codebook import Codebook
from aevq_hub.explore.interpolation import Interpolation
from aevq_hub.explore.ladder import Ladder
from aevq_hub.explore.perturbation import Perturbation
from aevq_hub.explore.recombination import Recombination

ENDPOINTS = {
    "/models", "/bring", "/perturb", "/perturbation_sheet", "/interpolate", "/interpolation_animation", "/four_corners",
    "/codebook_gallery", "/codebook_health", "/codebook_vector", "/toward_vector", "/codebook_map_point",
    "/recombine", "/recombination_changes", "/index_matrix", "/edit_cells", "/fill_cells",
    "/unusual_cells", "/ladder", "/ladder_row",
    "/describe_model", "/results", "/claims",
}  # fmt: skip


@pytest.fixture(scope="module")
def client(page_url):
    return Client(page_url, verbose=False)


def grey(file: str) -> bytes:
    with Image.open(file) as image:
        return image.convert("L").tobytes()


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
    found = client.view_api(return_format="dict")["named_endpoints"]
    assert set(found) == ENDPOINTS
    for name, endpoint in found.items():
        assert endpoint["description"], name
        for parameter in endpoint["parameters"]:
            assert parameter["type"]["type"] in ("string", "integer", "number", "boolean"), (name, parameter)
    assert [p["parameter_name"] for p in found["/perturb"]["parameters"]][:4] == ["model", "start", "rank", "shift"]


def test_perturb_returns_the_picture(client):
    file = client.predict("center-mnist", "sample:2", 3, 1.5, api_name="/perturb")
    wanted = perturbation.picture(Perturbation("center-mnist", "sample:2", 3, 1.5))
    assert grey(file) == wanted.tobytes()
    file = client.predict("vqae-fashionmnist", "random:3", row=2, column=6, unit="raw", api_name="/perturbation_sheet")
    wanted = perturbation.sheet(Perturbation("vqae-fashionmnist", "random:3", unit="raw", row=2, column=6))
    assert grey(file) == wanted.convert("L").tobytes()


def test_readme_client_example_returns_the_picture(page_url):
    (code,) = re.findall(r"```python\n(from gradio_client .*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    found = {}
    exec(code.replace("http://127.0.0.1:7860", page_url), found)
    assert grey(found["file"]) == perturbation.picture(Perturbation("center-mnist", "sample:3", shift=2.5)).tobytes()


def test_interpolation_returns_strip_sheet_and_animation(client):
    file = client.predict(start="random:1", end="sample:4", steps=5, mode="slerp", api_name="/interpolate")
    wanted = interpolation.strip(Interpolation("center-mnist", "random:1", "sample:4", steps=5, mode="slerp"))
    assert grey(file) == wanted.convert("L").tobytes()
    assert (
        grey(client.predict(api_name="/four_corners"))
        == interpolation.four_corners(Interpolation()).convert("L").tobytes()
    )
    with Image.open(client.predict(api_name="/interpolation_animation")) as moving:
        assert moving.n_frames == 2 * interpolation.FRAMES - 2


def test_codebook_endpoints_return_pictures_and_numbers(client):
    file = client.predict("ema-mnist", "index", "used", api_name="/codebook_gallery")
    assert grey(file) == codebook.gallery(Codebook("ema-mnist", sort="index", show="used")).convert("L").tobytes()
    assert client.predict("ema-mnist", api_name="/codebook_health")["in_use"] == 10
    known = client.predict("ema-mnist", 7, api_name="/codebook_vector")
    assert known == codebook.about(Codebook("ema-mnist", vector=7)) and len(known["nearest_vectors"]) == 6
    file = client.predict("ema-mnist", "random:3", 7, 0.25, api_name="/toward_vector")
    assert grey(file) == codebook.picture(Codebook("ema-mnist", "random:3", 7, way=0.25)).tobytes()
    file = client.predict("ema-mnist", 5, api_name="/codebook_map_point")
    assert grey(file) == codebook_map.point(Codebook("ema-mnist", point=5)).tobytes()


def test_recombination_endpoints_edit_and_render_a_grid(client):
    name = "vqae-fashionmnist"
    cells = client.predict("put", name, row=1, column=2, to_row=2, code=17, api_name="/edit_cells")
    s = Recombination(name, cells="1,2=17;2,2=17")
    assert client.predict(name, cells=cells, api_name="/index_matrix") == recombination.csv(s)
    assert grey(client.predict(name, cells=cells, api_name="/recombine")) == recombination.picture(s).tobytes()
    file = client.predict(name, cells=cells, api_name="/recombination_changes")
    assert grey(file) == recombination.change(s).picture.convert("L").tobytes()
    with pytest.raises(AppError, match="Row 2, column 1 of the matrix is '100'; give a whole number from 0 to 99"):
        client.predict(
            name, cells=";".join(["1 2 3 4 5 6 7", "100 2 3 4 5 6 7"] * 3 + ["~ " * 7]), api_name="/recombine"
        )


def test_cells_are_filled_and_judged_by_programs(client):
    name = "vqae-fashionmnist"
    cells = client.predict("fill_rest", name, row=1, column=1, to_row=3, to_column=7, seed=2, api_name="/fill_cells")
    s = Recombination(name, row=1, column=1, to_row=3, to_column=7, seed=2)
    assert cells == [one.settings.cells for one in completion.proposals(s, "fill_rest")]
    bits = client.predict(name, cells=cells[1], api_name="/unusual_cells")
    assert np.allclose(bits, completion.surprise(Recombination(name, cells=cells[1])).bits, atol=1e-3)
    with pytest.raises(AppError, match="unknown action 'put'; choose from fill, fill_rest, seam"):
        client.predict("put", name, api_name="/fill_cells")


def test_pasted_cells_take_codes_of_the_given_second_picture(client):
    values = {"model": "vqae-fashionmnist", "cells": "1,1=@;7,7=@;4,4=@", "second": "sample:9"}
    cells = client.predict("quantise", **values, api_name="/edit_cells")
    s = recombination.edited(Recombination(**values), "quantise")
    other = Recombination(**{**values, "second": "sample:1"})
    assert cells == s.cells != recombination.edited(other, "quantise").cells


def test_ladder_returns_a_row_and_the_whole_sheet(client):
    settings = Ladder("ae-celeba", "sample:3", "sample:4", -1.5)
    values = ("ae-celeba", "sample:3", "sample:4", -1.5)
    wanted = {"/ladder": ladder.sheet(settings), "/ladder_row": ladder.row_sheet(settings, "ae-celeba")}
    for name, sheet in wanted.items():  # the server may use another number of threads, which rounds differently
        shown = np.frombuffer(grey(client.predict(*values, api_name=name)), np.uint8).astype(int)
        assert np.abs(shown - np.frombuffer(sheet.convert("L").tobytes(), np.uint8)).max() <= 1


def test_uploaded_image_is_used_as_start(client):
    assert client.predict(api_name="/models") == list(explore.offers())
    data = base64.b64encode(file_of(Image.radial_gradient("L")).getvalue()).decode()
    token = client.predict(data, True, api_name="/bring")
    assert grey(client.predict(start=token, api_name="/perturb")) != grey(client.predict(api_name="/perturb"))


def test_endpoints_are_also_mcp_tools(page_url):
    async def call_tools():
        async with (
            streamable_http_client(f"{page_url}/gradio_api/mcp/") as (reading, writing, *_),
            ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            tools = (await session.list_tools()).tools
            result = await session.call_tool("perturb", {"model": "center-mnist", "start": "sample:2", "shift": 1.5})
            return tools, result, await session.call_tool("perturb", {"model": "nothing"})

    with ThreadPoolExecutor(1) as pool:  # the browser of other tests runs an event loop in this thread
        tools, result, refused = pool.submit(asyncio.run, call_tools()).result()
    assert {f"/{tool.name}" for tool in tools} == ENDPOINTS
    for tool in tools:
        for name, argument in tool.inputSchema["properties"].items():  # a whole sentence of the docstring
            assert argument["description"].endswith((".", "…")), (tool.name, name)
    with Image.open(io.BytesIO(base64.b64decode(result.content[0].data))) as image:
        wanted = perturbation.picture(Perturbation("center-mnist", "sample:2", shift=1.5))
        assert image.tobytes() == wanted.tobytes()
    assert refused.isError and refused.content[0].text.startswith("unknown model 'nothing'; choose from")


ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
    st.sampled_from([1e308, -1e308, 2**63, 10**30, "NaN", "../../etc/passwd", "image:0123456789abcdef", "x" * 5000]),
)  # fmt: skip
STARTS = st.one_of(st.integers(0, 25).map("sample:{}".format), st.integers(0, 2**33).map("random:{}".format))
GOOD = {
    "model": st.sampled_from(["center-mnist", "vqae-fashionmnist", "ae-celeba"]),
    "rank": st.integers(-1, 600),
    "shift": st.floats(-400, 400),
    "unit": st.sampled_from(["std", "raw", "latent"]),
    "row": st.integers(-1, 9),
    "column": st.integers(-1, 9),
    "mix": st.lists(st.floats(-10, 10), max_size=7).map(lambda amounts: ",".join(map(str, amounts))),
    "steps": st.integers(0, 20),
    "mode": st.sampled_from(["lerp", "slerp"]),
    "vector": st.integers(-1, 2),
    "sort": st.sampled_from(codebook.SORTS),
    "show": st.sampled_from(codebook.SHOWS),
    "way": st.floats(-0.1, 1.1),
    "point": st.integers(-1, 800),
    "picture": st.binary(max_size=50).map(lambda data: base64.b64encode(data).decode()),
    "invert": st.booleans(),
    "cells": st.sampled_from(
        ["", "1,1=5", "9,1=5", "1 2;3 4", ";".join(["1 ~ 3 @ 99 - ~17"] * 7), "[[1, 2]]", "100 " * 49]
    ),
    "action": st.sampled_from([*recombination.ACTIONS, "shuffle"]),
    "dataset": st.sampled_from(["mnist", "celeba", "cifar"]),
    "code": st.integers(-1, 110),
    "share": st.floats(-0.1, 1.1),
    "seed": st.integers(-1, 2**33),
    **dict.fromkeys(("to_row", "to_column"), st.integers(-1, 9)),
    **dict.fromkeys(("start", "end", "third", "fourth", "second"), STARTS),
}


@pytest.fixture(scope="module")
def send(client, page_url):
    """Call an endpoint over plain HTTP, since the client refuses some values; returns event and message."""
    endpoints = client.view_api(return_format="dict")["named_endpoints"]

    with httpx.Client(base_url=f"{page_url}/gradio_api/call", timeout=60) as http:

        def send(endpoint: str, **values):
            parameters = endpoints[endpoint]["parameters"]
            data = [values.get(p["parameter_name"], p.get("parameter_default")) for p in parameters]
            sent = http.post(endpoint, content=json.dumps({"data": data}), headers={"content-type": "application/json"})
            assert sent.status_code == 200, sent.text
            answer = http.get(f"{endpoint}/{sent.json()['event_id']}").text
            kind, _, message = answer.strip().rpartition("event: ")[2].partition("\ndata: ")
            return kind, json.loads(message)

        send.parameters = {name: [p["parameter_name"] for p in e["parameters"]] for name, e in endpoints.items()}
        yield send


@quick_and_deep
def test_no_value_causes_an_internal_error(examples, send):
    """Valid and invalid values give a result or a sentence; ``page_url`` checks for tracebacks at the end."""
    # these take no values, or are slow and take the same values as others
    left_out = ("/models", "/claims", "/interpolation_animation", "/ladder")
    endpoints = sorted(set(send.parameters) - set(left_out))
    outcomes = {"complete": 0, "error": 0}

    def call(data):
        endpoint = data.draw(st.sampled_from(endpoints))
        names = data.draw(st.lists(st.sampled_from(send.parameters[endpoint]), unique=True))
        bad = data.draw(st.sets(st.sampled_from(names), max_size=2)) if names else set()
        kind, message = send(endpoint, **{name: data.draw(ANYTHING if name in bad else GOOD[name]) for name in names})
        outcomes[kind] += 1
        if kind == "error":
            text = message["error"] if isinstance(message, dict) else message
            assert text and "Traceback" not in text and "Error" not in text and len(text) < 1200, (endpoint, message)

    fuzz(call, examples)
    assert min(outcomes.values()) > examples / 10, outcomes


@pytest.mark.parametrize("value", [math.nan, math.inf, None, "1", [1], 1e39])
def test_invalid_number_is_answered_with_one_sentence(send, value):
    kind, message = send("/perturb", shift=value)
    assert kind == "error" and re.search("shift is .*; give a number from -300 to 300", str(message))


def test_model_argument_cannot_read_server_files(client):
    for model in ("/etc", "../model_cards/center-mnist", str(ROOT / "model_cards" / "center-mnist")):
        with pytest.raises(AppError, match="unknown model .*; choose from"):
            client.predict(model=model, api_name="/perturb")


@pytest.mark.parametrize(
    "file", ["/etc/passwd", 3, [], {}, {"path": 3}, {"path": None}, {"path": "a\0b"}, {"path": "x" * 9999},
             {"path": str(ROOT / "app.py")}, {"path": f"{get_upload_folder()}/../../etc/passwd"}],
    ids=lambda file: str(file)[:30].replace("\0", "NUL"),
)  # fmt: skip
def test_only_uploaded_files_are_accepted(file):
    with pytest.raises(ValueError, match="This is no uploaded file; please bring the image again"):
        uploaded(file)
    assert uploaded({"path": f"{get_upload_folder()}/abc/mine.png"}).name == "mine.png"


def test_explore_imports_neither_gradio_nor_matplotlib():
    code = "import sys, aevq_hub.explore.snippets; assert not {'gradio', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
