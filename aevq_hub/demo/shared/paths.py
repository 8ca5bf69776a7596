"""Where the server keeps pictures stays its own: clients see another name in place of Gradio's temporary folder."""

import json

from gradio.utils import get_upload_folder
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SHOWN = "/aevq-files"  # what clients see instead of the folder
JSON = "application/json"
TEXTS = (JSON, "text/event-stream", "text/html")  # what may contain paths; pictures are not read


def own_path(path: str) -> str:
    """The server's own path of a file, from the one that clients see."""
    return path.replace(SHOWN, get_upload_folder())


class ShownPaths:
    """ASGI middleware: replaces the folder by ``SHOWN`` in answers, and ``SHOWN`` by the folder in requests.

    Clients of Gradio ask for a picture by the path that an answer gave, and send the paths of their uploads.
    """

    def __init__(self, app: ASGIApp):
        self.app = app
        self.inside, self.outside = (json.dumps(path)[1:-1].encode() for path in (get_upload_folder(), SHOWN))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope = {**scope, "path": own_path(scope["path"])}
        await self.app(scope, self._requests(scope, receive), self._answers(scope, send))

    def _requests(self, scope: Scope, receive: Receive) -> Receive:
        if not Headers(scope=scope).get("content-type", "").startswith(JSON):
            return receive

        async def whole() -> Message:
            parts, message = [], {"more_body": True}
            while message.get("more_body"):  # a path may be cut in two
                message = await receive()
                if message["type"] != "http.request":
                    return message
                parts.append(message.get("body", b""))
            return {"type": "http.request", "body": b"".join(parts).replace(self.outside, self.inside)}

        return whole

    def _answers(self, scope: Scope, send: Send) -> Send:
        start: Message | None = None  # of a text, until its first part is known

        async def renamed(message: Message) -> None:
            nonlocal start, text
            if message["type"] == "http.response.start":
                text = Headers(raw=message["headers"]).get("content-type", "").startswith(TEXTS)
                if text:
                    start = message
                    return
            elif text:
                message = {**message, "body": message.get("body", b"").replace(self.inside, self.outside)}
                if start is not None:
                    headers = MutableHeaders(raw=start["headers"])
                    if message.get("more_body"):
                        del headers["content-length"]
                    elif scope["method"] != "HEAD":
                        headers["content-length"] = str(len(message["body"]))
                    await send(start)
                    start = None
            await send(message)

        text = False
        return renamed
