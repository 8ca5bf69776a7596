"""Answers do not say where the server keeps its files, and what they say instead is understood."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import httpx
import pytest
from gradio.utils import get_upload_folder
from gradio_client import Client, handle_file
from image_files import half_bright

from aevq_hub.demo.shared.paths import SHOWN, ShownPaths, own_path


@pytest.fixture(scope="module")
def client(page_url):
    """A client that does not fetch the pictures of an answer."""
    return Client(page_url, verbose=False, download_files=False)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Gradio's folder, with a name that has several spellings."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "José's files"))
    return get_upload_folder()


def test_pictures_of_an_answer_are_found_under_the_path_it_gives(client, page_url):
    file = client.predict("center-mnist", "sample:3", api_name="/perturb")
    assert file["path"].startswith(f"{SHOWN}/") and SHOWN in file["url"] and get_upload_folder() not in str(file)
    for address in (file["url"], f"{page_url}/gradio_api/file={file['path']}"):
        picture = httpx.get(address)
        assert picture.headers["content-type"].startswith("image/") and picture.content


def test_an_upload_is_known_by_the_path_that_was_answered(client, page_url, tmp_path):
    file = tmp_path / "half.png"
    half_bright("L").save(file)
    (path,) = httpx.post(f"{page_url}/gradio_api/upload", files={"files": (file.name, file.read_bytes())}).json()
    assert path.startswith(f"{SHOWN}/") and path.endswith(file.name)
    address = f"{page_url}/gradio_api/file={path}"
    assert httpx.get(address).content == file.read_bytes()
    for picture in (handle_file(file), address):  # the client uploads the first, and sends the path
        assert client.predict(picture, api_name="/bring").startswith("image:")


def exchange(app, body: list[bytes], kind="application/json", path="/") -> list[dict]:
    """The messages with which an app behind :class:`ShownPaths` answers a request whose body comes in parts."""
    parts = [{"type": "http.request", "body": part, "more_body": i < len(body) - 1} for i, part in enumerate(body)]
    sent, headers = [], [(b"content-type", kind.encode())]

    async def receive():
        return parts.pop(0) if parts else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
    with ThreadPoolExecutor(1) as thread:  # Playwright's event loop may run in this one
        thread.submit(asyncio.run, ShownPaths(app)(scope, receive, send)).result()
    return sent


def answering(*parts: str, kind="application/json"):
    """An app that answers with a text in parts, of a length that is known."""
    bodies = [part.encode() for part in parts]

    async def app(scope, receive, send):
        headers = [(b"content-type", kind.encode()), (b"content-length", b"%d" % sum(map(len, bodies)))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for i, body in enumerate(bodies):
            await send({"type": "http.response.body", "body": body, "more_body": i < len(bodies) - 1})

    return app


@pytest.mark.parametrize("spelling", [quote, json.dumps, lambda path: json.dumps(path, ensure_ascii=False)])
def test_every_spelling_of_the_folder_is_replaced_and_the_length_fits(spelling, folder):
    start, answer = exchange(answering(spelling(f"{folder}/a")), [b"{}"])
    assert answer["body"].decode().strip('"') == f"{SHOWN}/a"
    assert int(dict(start["headers"])[b"content-length"]) == len(answer["body"])


def test_pictures_are_not_changed(folder):
    _, answer = exchange(answering(folder, kind="image/png"), [b"{}"])
    assert answer["body"].decode() == folder


def test_an_answer_in_parts_has_no_length(folder):
    start, *bodies = exchange(answering(folder, "end", kind="text/html"), [b"{}"])
    assert [body["body"] for body in bodies] == [SHOWN.encode(), b"end"] and len(start["headers"]) == 1


def test_an_empty_answer_keeps_its_length():
    async def head(scope, receive, send):
        await send(
            {"type": "http.response.start", "headers": [(b"content-type", b"text/html"), (b"content-length", b"7")]}
        )
        await send({"type": "http.response.body", "body": b""})

    assert dict(exchange(head, [])[0]["headers"])[b"content-length"] == b"7"


def test_a_stream_begins_before_its_first_event():
    async def stream(scope, receive, send):
        await send({"type": "http.response.start", "headers": [(b"content-type", b"text/event-stream")]})

    assert [message["type"] for message in exchange(stream, [])] == ["http.response.start"]


async def echo(scope, receive, send):
    """Answers with the path and the body that it was asked with."""
    message = await receive()
    await send({"type": "http.response.start", "headers": [(b"content-type", b"image/png")]})
    await send(
        {
            "type": "http.response.body",
            "body": scope["path"].encode() + b" " + message.get("body", message["type"].encode()),
        }
    )


def asked(**request) -> str:
    """What an app is asked, as a path and a body."""
    return exchange(echo, **request)[-1]["body"].decode()


def test_whole_paths_of_requests_are_replaced(folder):
    file, cut = f"{SHOWN}/b", len(SHOWN) // 2
    assert asked(path=f"/gradio_api/file={file}", body=[b"{}"]) == f"/gradio_api/file={folder}/b {{}}"
    parts = [f'{{"path": "{file[:cut]}'.encode(), f'{file[cut:]}"}}'.encode()]
    assert json.loads(asked(body=parts).partition(" ")[2]) == {"path": f"{folder}/b"}
    assert asked(body=parts[:1], kind="text/plain").endswith(file[:cut])
    assert own_path(file) == f"{folder}/b" and own_path(folder) == folder


def test_the_folder_is_not_sent_to_other_servers(folder):
    other = f"https://evil.example{SHOWN}/b"
    assert asked(path=f"/gradio_api/file={other}", body=[f'{{"path": "{other}"}}'.encode()]).count(other) == 2
    assert own_path(other) == other


def test_a_client_that_leaves_within_its_request_is_noticed():
    assert asked(body=[]).endswith("http.disconnect")
