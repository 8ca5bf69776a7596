"""What the demo's server tells browsers, and who may use its tools."""

import httpx
import pytest

from aevq_hub.demo.shared.guard import HEADERS, HOSTS, MCP, may_use_tools

START = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
    "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}}  # fmt: skip


@pytest.mark.parametrize("path", ["/", "/gradio_api/info", "/nowhere"])
def test_every_answer_has_the_headers(path, page_url):
    answer = httpx.get(page_url + path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "https://huggingface.co" in answer.headers["content-security-policy"]  # the Hub shows Spaces in a frame


def test_tools_refuse_other_hosts_and_origins(page_url):
    host = page_url.removeprefix("http://")

    def status(**headers) -> int:
        accept = {"Accept": "application/json, text/event-stream"}
        return httpx.post(f"{page_url}{MCP}/", json=START, headers={**accept, **headers}).status_code

    assert status() == status(Origin=page_url) == 200
    assert status(Host="evil.example") == status(Origin="http://evil.example") == 403
    assert status(Host=host, Origin="null") == 403


@pytest.mark.parametrize(
    ("host", "origin", "allowed"),
    [
        ("127.0.0.1:7860", None, True),
        ("[::1]:7860", "http://[::1]:7860", True),
        ("localhost", "http://localhost:3000", True),
        ("LOCALHOST", None, True),
        ("127.0.0.1.evil.example", None, False),
        ("ada-aevq.hf.space", None, False),
        ("", None, False),
        ("[", "[", False),
        ("localhost", "https://evil.example", False),
    ],
)
def test_hosts(host, origin, allowed):
    assert may_use_tools(host, origin) is allowed


def test_the_space_and_named_hosts_are_allowed(monkeypatch):
    monkeypatch.setenv("SPACE_HOST", "ada-aevq.hf.space")
    monkeypatch.setenv(HOSTS, "models.example, Other.example")
    assert may_use_tools("ada-aevq.hf.space", "https://ada-aevq.hf.space")
    assert may_use_tools("other.example:80", None) and not may_use_tools("third.example", None)
