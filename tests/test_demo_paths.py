"""Answers do not say where the server keeps its files, and what they say instead is understood."""

import asyncio

import httpx
import pytest
from gradio.utils import get_upload_folder
from gradio_client import Client, handle_file
from image_files import half_bright
from servers import ROOT

from aevq_hub.demo.shared.paths import SHOWN, ShownPaths


@pytest.fixture(scope="module")
def client(page_url):
    """A client that does not fetch the pictures of an answer."""
    return Client(page_url, verbose=False, download_files=False)


@pytest.mark.parametrize("path", ["/", "/config", "/gradio_api/info"])
def test_pages_do_not_name_folders_of_the_server(path, page_url):
    answer = httpx.get(page_url + path)
    assert answer.status_code == 200 and answer.text
    assert get_upload_folder() not in answer.text and str(ROOT) not in answer.text


def test_pictures_of_an_answer_are_found_under_the_path_it_gives(client, page_url):
    answer = client.predict("center-mnist", "sample:3", api_name="/perturb")
    file = answer[0] if isinstance(answer, (list, tuple)) else answer
    assert file["path"].startswith(f"{SHOWN}/") and SHOWN in file["url"] and get_upload_folder() not in str(answer)
    for address in (file["url"], f"{page_url}/gradio_api/file={file['path']}"):
        picture = httpx.get(address)
        assert picture.headers["content-type"].startswith("image/") and picture.content


def test_an_upload_is_known_by_the_path_that_was_answered(client, page_url, tmp_path):
    file = tmp_path / "half.png"
    half_bright("L").save(file)
    (path,) = httpx.post(f"{page_url}/gradio_api/upload", files={"files": (file.name, file.read_bytes())}).json()
    assert path.startswith(f"{SHOWN}/") and path.endswith(file.name)
    assert httpx.get(f"{page_url}/gradio_api/file={path}").content == file.read_bytes()
    assert client.predict(handle_file(file), api_name="/bring").startswith("image:")  # it uploads, and sends the path


def exchange(app, body: list[bytes], kind: str = "application/json") -> list[dict]:
    """The messages with which an app behind :class:`ShownPaths` answers a request whose body comes in parts."""
    parts = [{"type": "http.request", "body": part, "more_body": i < len(body) - 1} for i, part in enumerate(body)]
    sent, headers = [], [(b"content-type", kind.encode())]

    async def receive():
        return parts.pop(0) if parts else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    asyncio.run(ShownPaths(app)({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive, send))
    return sent


@pytest.mark.parametrize(("kind", "renamed"), [("application/json", True), ("image/png", False)])
def test_paths_are_replaced_in_texts_only_and_the_length_fits(kind, renamed):
    async def echo(scope, receive, send):
        message = await receive()
        body = message["body"] + f" {get_upload_folder()}/a".encode()
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    start, answer = exchange(echo, [f"{SHOWN[:5]}".encode(), f"{SHOWN[5:]}/b".encode()], kind)
    shown = f"{SHOWN}/b {SHOWN}/a" if renamed else f"{SHOWN[:5]} {get_upload_folder()}/a"
    assert answer["body"].decode() == shown
    assert dict(start["headers"])[b"content-length"].decode() == str(len(shown))


def test_an_answer_in_parts_has_no_length():
    async def parts(scope, receive, send):
        headers = [(b"content-type", b"text/html"), (b"content-length", b"9")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": get_upload_folder().encode(), "more_body": True})
        await send({"type": "http.response.body", "body": b"end"})

    start, *bodies = exchange(parts, [b"{}"])
    assert [each["body"] for each in bodies] == [SHOWN.encode(), b"end"] and len(start["headers"]) == 1


def test_a_client_that_leaves_within_its_request_is_noticed():
    async def read(scope, receive, send):
        assert (await receive())["type"] == "http.disconnect"
        await send({"type": "http.response.start", "status": 200, "headers": []})

    parts = exchange(read, [])
    assert [message["type"] for message in parts] == ["http.response.start"]
