"""Someone who floods the queue does not keep others waiting."""

from threading import Event
from types import SimpleNamespace

import httpx
import pytest
from servers import free_port

from aevq_hub.demo import page
from aevq_hub.demo.morph import compute as morph
from aevq_hub.demo.shared import fair
from aevq_hub.demo.shared.fair import client_of, in_turn


def request(host="10.0.0.1", **headers) -> SimpleNamespace:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return SimpleNamespace(client=SimpleNamespace(host=host), headers=headers)


@pytest.mark.parametrize(
    ("connected", "forwarded", "client"),
    [
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "8.8.8.8", "8.8.8.8"),
        ("10.0.0.1", "1.1.1.1, 8.8.8.8, 10.1.2.3", "8.8.8.8"),  # the first may be made up, the last is a proxy
        ("10.0.0.1", "nonsense, ", "10.0.0.1"),
        ("9.9.9.9", "8.8.8.8", "9.9.9.9"),  # without a proxy, all of it may be made up
    ],
)
def test_client_behind_proxies(connected, forwarded, client):
    assert client_of(request(connected, x_forwarded_for=forwarded)) == client


def test_clients_are_served_in_turn():
    waiting = ["a1", "a2", "a3", "b1", "c1", "b2"]
    events = [SimpleNamespace(name=name, request=request(host=name[0])) for name in waiting]
    assert [event.name for event in in_turn(events)] == ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert in_turn([]) == []


def test_a_flood_of_animations_keeps_nobody_waiting(monkeypatch):
    monkeypatch.setattr(fair, "MOST", 20)
    gate, made = Event(), []

    def animation(settings) -> bytes:
        gate.wait(60)
        made.append(settings.start)
        return b""

    monkeypatch.setattr(morph, "animation", animation)
    with page.build() as demo:
        page.launch(demo, prevent_thread_lock=True, server_port=free_port(), mcp_server=False, quiet=True)
        try:
            call = f"{demo.local_url}gradio_api/call/interpolation_animation"

            def ask(client: str, seed: int) -> httpx.Response:
                body = {"data": ["center-mnist", f"random:{seed}", "sample:1", "lerp"]}
                return httpx.post(call, json=body, headers={"X-Forwarded-For": client}, timeout=60)

            answers = [ask("8.8.8.8", seed) for seed in range(30)]
            refused = [answer for answer in answers if answer.status_code == 503]
            assert 5 <= len(refused) <= 10 and "20 of your requests are waiting" in refused[0].text
            event = ask("9.9.9.9", 1000).json()["event_id"]
            gate.set()
            assert "event: complete" in httpx.get(f"{call}/{event}", timeout=60).text
            assert made.index("random:1000") <= 10  # those that had begun, and one more
        finally:
            gate.set()
            demo.close()
