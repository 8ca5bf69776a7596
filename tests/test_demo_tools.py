"""The demo's endpoints as tools of language models (MCP)."""

import asyncio
import base64
import io
import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from image_files import apart, file_of
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from PIL import Image, ImageOps

from aevq_hub.demo.about.compute import COLUMNS
from aevq_hub.demo.grid import compute as grid
from aevq_hub.demo.grid.settings import Grid
from aevq_hub.demo.shared.exhibits import offers
from aevq_hub.demo.turn import compute as turn
from aevq_hub.demo.turn.settings import Turn
from aevq_hub.latent_space import UNITS


@pytest.fixture(scope="module")
def ask(page_url):
    """Ask the server: the tools, or the answer of one of them."""

    async def asked(name: str, arguments: dict):
        async with (
            streamable_http_client(f"{page_url}/gradio_api/mcp/") as (reading, writing, *_),
            ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            return await session.call_tool(name, arguments) if name else (await session.list_tools()).tools

    with ThreadPoolExecutor(1) as pool:  # the browser of other tests runs an event loop in this thread
        yield lambda name="", **arguments: pool.submit(asyncio.run, asked(name, arguments)).result()


def test_every_endpoint_is_a_tool_that_explains_itself(ask, page_url):
    tools = {tool.name: tool for tool in ask()}
    assert {f"/{name}" for name in tools} == set(httpx.get(f"{page_url}/gradio_api/info").json()["named_endpoints"])
    for name, tool in tools.items():
        assert " Returns: " in tool.description, name
        for called, argument in tool.inputSchema["properties"].items():  # a whole sentence of the docstring
            assert argument["description"].endswith((".", "…")), (name, called)
            assert argument.keys() & {"type", "enum", "anyOf"}, (name, called)
    properties = tools["perturb"].inputSchema["properties"]
    assert (properties["unit"]["enum"], properties["unit"]["default"]) == ([*UNITS], "std")
    assert "from 1 to 32" in properties["scale"]["description"]
    assert "upload_file_to_gradio" in tools["bring"].description  # Gradio's own tool for files
    assert all(f"`{column}`" in tools["results"].description for column in COLUMNS)


def test_tool_shows_its_picture(ask):
    (shown, address) = ask("perturb", model="center-mnist", start="sample:2", mix="0,1.5").content
    with Image.open(io.BytesIO(base64.b64decode(shown.data))) as image:
        wanted = turn.picture(Turn(model="center-mnist", start="sample:2", mix="0,1.5"))
        assert apart(image, ImageOps.scale(wanted, 8, Image.Resampling.NEAREST)) <= 1
    assert address.text.startswith("Image URL: ")


def test_tool_answers_data_in_json(ask):
    def answer(name: str, **arguments):
        (content,) = ask(name, **arguments).content
        return json.loads(content.text)

    assert answer("models") == list(offers())
    assert answer("samples", dataset="celeba")[0] == {"start": "sample:0", "class": None}
    assert answer("codebook_health", model="ema-mnist")["in_use"] == 10
    s = Grid(model="vqae-fashionmnist", cells="1,1=-")
    assert answer("index_matrix", model=s.model, cells="1,1=-") == grid.codes(s)
    assert ask("edit_cells", action="reset").content[0].text == ""  # text stays text


def test_uploaded_file_is_brought_by_its_address(ask, page_url):
    (path,) = httpx.post(f"{page_url}/gradio_api/upload", files={"files": file_of(Image.radial_gradient("L"))}).json()
    (start,) = ask("bring", picture=f"{page_url}/gradio_api/file={path}").content
    assert start.text.startswith("image:")
    assert not ask("perturb", start=start.text).isError


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": "nothing"}, "unknown model 'nothing'; choose from"),
        ({"unit": "metres"}, "'metres' is not one of"),  # by the schema
        ({"scale": 0}, "scale is 0; give a whole number from 1 to 32"),
    ],
)
def test_invalid_argument_is_answered_with_one_sentence(arguments, message, ask):
    refused = ask("perturb", **arguments)
    assert refused.isError and message in refused.content[0].text and "\n" not in refused.content[0].text
