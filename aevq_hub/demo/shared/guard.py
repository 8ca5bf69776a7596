"""What the server tells browsers, and which hosts may use the tools for language models (MCP)."""

import ipaddress
import os
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = "AEVQ_HOSTS"  # environment variable: further names, joined by commas, under which the server may be asked
MCP = "/gradio_api/mcp"
# pages that may show the demo in a frame: the Hub shows its Spaces so
FRAMES = "'self' https://huggingface.co https://*.huggingface.co https://*.hf.space"
HEADERS = {
    "Content-Security-Policy": f"frame-ancestors {FRAMES}; object-src 'none'; base-uri 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}


class Guard:
    """ASGI middleware: adds ``HEADERS`` to every answer, and refuses MCP requests from elsewhere.

    A page of another site may not talk to the tools, even if its name leads to this machine (DNS rebinding): the Host
    must be an address, localhost, the Space's host or one of ``AEVQ_HOSTS``, and an Origin must be of the same host.
    """

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        headers = Headers(scope=scope)
        if scope["path"].startswith(MCP) and not may_use_tools(headers.get("host", ""), headers.get("origin")):
            asked = ascii(headers.get("origin") or headers.get("host", ""))
            refusal = PlainTextResponse(f"these tools are not for {asked}; {HOSTS} names other hosts", 403)
            await refusal(scope, receive, with_headers)
        else:
            await self.app(scope, receive, with_headers)


def may_use_tools(host: str, origin: str | None) -> bool:
    """Whether a request with these headers may use the tools; ``origin`` is None if no web page sent it."""
    name = _name(f"//{host}")
    return _ours(name) and (origin is None or _name(origin) == name)


def _name(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""


def _ours(name: str) -> bool:
    named = (os.environ.get("SPACE_HOST", ""), *os.environ.get(HOSTS, "").split(","))
    known = {"localhost", *(host.strip().lower() for host in named)} - {""}
    try:
        return name in known or bool(ipaddress.ip_address(name))
    except ValueError:
        return False
