"""Fair shares of the queue: someone who asks for a lot waits longer, and others do not."""

import ipaddress
from collections import Counter
from typing import Any

MOST = 50  # requests of one client that may wait, of 200 in all


def share_fairly(queue: Any) -> None:
    """Let Gradio's queue serve clients in turn, and refuse more than ``MOST`` waiting requests of one of them."""
    push = queue.push

    async def pushed(body, request, username):
        lanes = [lane.queue for lane in queue.event_queue_per_concurrency_id.values()]
        client = client_of(request)
        if sum(client_of(event.request) == client for lane in lanes for event in lane) >= MOST:
            return (
                False,
                f"{MOST} of your requests are waiting already; ask again when some are answered.",
                "queue_full",
            )
        answer = await push(body, request, username)
        for lane in queue.event_queue_per_concurrency_id.values():
            lane.queue[:] = in_turn(lane.queue)
        return answer

    queue.push = pushed


def in_turn(events: list) -> list:
    """Waiting events, the first of each client before the second of any, else in their order."""
    turns, served = [], Counter()
    for event in events:
        client = client_of(event.request)
        turns.append(served[client])
        served[client] += 1
    return [event for _, event in sorted(zip(turns, events, strict=True), key=lambda pair: pair[0])]


def client_of(request) -> str:
    """The address of a client: of a public one that is connected itself, else the last public one that proxies name."""
    connected = request.client.host if request.client else ""
    if _is_public(connected):  # no proxy of ours, so what it names may be made up
        return connected
    named = [name.strip() for name in request.headers.get("x-forwarded-for", "").split(",")]
    return next((name for name in reversed(named) if _is_public(name)), connected)


def _is_public(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_global
    except ValueError:
        return False
