"""Where the server keeps pictures stays its own: clients see another name in place of Gradio's temporary folder."""

import json
import os
from urllib.parse import quote

from gradio.utils import get_upload_folder
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SHOWN = "/aevq-files"  # what clients see instead of the folder
ROUTE = "/file="  # before a path in an address
JSON = "application/json"
TEXTS = (JSON, "text/event-stream", "text/html")  # what may contain paths; pictures are not read


def own_path(path: str) -> str:
    """The server's own path of a file, from the one that clients see; any other path as it is."""
    return _folder() + path.removeprefix(SHOWN) if path.startswith(f"{SHOWN}/") else path


class ShownPaths:
    """ASGI middleware: replaces the folder by ``SHOWN`` in answers, and ``SHOWN`` by the folder in requests.

    Clients of Gradio ask for a picture by the path that an answer gave, and send the paths of their uploads. In
    requests only whole paths are replaced: as a part of another server's address the folder would be sent there.
    """

    def __init__(self, app: ASGIApp):
        self.app, folder = app, _folder()
        as_json = (json.dumps(folder, ensure_ascii=ascii)[1:-1] for ascii in (True, False))
        self.spellings = [text.encode() for text in dict.fromkeys((*as_json, quote(folder)))]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        route, mark, path = scope["path"].partition(ROUTE)
        asked = {**scope, "path": route + mark + own_path(path)}
        in_json = Headers(scope=scope).get("content-type", "").startswith(JSON)
        await self.app(asked, self._requests(receive) if in_json else receive, self._answers(send))

    def _requests(self, receive: Receive) -> Receive:
        async def whole() -> Message:
            parts, message = [], {"more_body": True}
            while message.get("more_body"):  # a path may be cut in two
                message = await receive()
                if message["type"] != "http.request":
                    return message
                parts.append(message.get("body", b""))
            inside = b'"%s/' % self.spellings[0]
            return {"type": "http.request", "body": b"".join(parts).replace(f'"{SHOWN}/'.encode(), inside)}

        return whole

    def _answers(self, send: Send) -> Send:
        start: Message | None = None  # of a text whose length will change
        text = False

        async def renamed(message: Message) -> None:
            nonlocal start, text
            if message["type"] == "http.response.start":
                headers = Headers(raw=message["headers"])
                text = headers.get("content-type", "").startswith(TEXTS)
                if text and "content-length" in headers:
                    start = message
                    return
            elif text:
                body = message.get("body", b"")
                for folder in self.spellings:
                    body = body.replace(folder, SHOWN.encode())
                message = {**message, "body": body}
            if start is not None:
                headers = MutableHeaders(raw=start["headers"])
                if message.get("more_body"):
                    del headers["content-length"]
                elif message["body"]:  # there is none in answer to HEAD
                    headers["content-length"] = str(len(message["body"]))
                start, held = None, start
                await send(held)
            await send(message)

        return renamed


def _folder() -> str:
    return os.path.abspath(get_upload_folder())
