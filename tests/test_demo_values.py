"""Invalid values, sent to the demo's endpoints: each is answered with one sentence."""

import base64
import json
import math
import re
import subprocess
import sys

import httpx
import pytest
from fuzzing import fuzz, quick_and_deep
from gradio.utils import get_upload_folder
from gradio_client import Client
from gradio_client.exceptions import AppError
from hypothesis import strategies as st
from servers import ROOT

from aevq_hub.demo.codebook.settings import SHOWS, SORTS
from aevq_hub.demo.grid.compute import ACTIONS
from aevq_hub.demo.shared.events import uploaded
from aevq_hub.demo.shared.starts import INVERT
from aevq_hub.demo.turn.settings import BASES

ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
    st.sampled_from([1e308, -1e308, 2**63, 10**30, "NaN", "../../etc/passwd", "image:0123456789abcdef", "x" * 5000,
                     {"path": "/etc/passwd"}, "http://127.0.0.1/gradio_api/file=/etc/passwd"]),
)  # fmt: skip
STARTS = st.one_of(st.integers(0, 25).map("sample:{}".format), st.integers(0, 2**33).map("random:{}".format))
GOOD = {
    "model": st.sampled_from(["center-mnist", "vqae-fashionmnist", "ae-celeba"]),
    "rank": st.integers(-1, 600),
    "shift": st.floats(-400, 400),
    "unit": st.sampled_from(["std", "raw", "latent"]),
    "basis": st.sampled_from([*BASES, "names"]),
    "row": st.integers(-1, 9),
    "column": st.integers(-1, 9),
    "mix": st.lists(st.floats(-10, 10), max_size=7).map(lambda amounts: ",".join(map(str, amounts))),
    "scale": st.integers(0, 33),
    "steps": st.integers(0, 20),
    "mode": st.sampled_from(["lerp", "slerp"]),
    "vector": st.integers(-1, 2),
    "sort": st.sampled_from(SORTS),
    "show": st.sampled_from(SHOWS),
    "way": st.floats(-0.1, 1.1),
    "point": st.integers(-1, 800),
    "picture": st.binary(max_size=50).map(lambda data: base64.b64encode(data).decode()),
    "invert": st.sampled_from([*INVERT, "perhaps"]),
    "cells": st.sampled_from(
        ["", "1,1=5", "9,1=5", "1 2;3 4", ";".join(["1 ~ 3 @ 99 - ~17"] * 7), "[[1, 2]]", "100 " * 49]
    ),
    "action": st.sampled_from([*ACTIONS, "shuffle"]),
    "dataset": st.sampled_from(["mnist", "celeba", "cifar"]),
    "code": st.integers(-1, 110),
    "share": st.floats(-0.1, 1.1),
    "seed": st.integers(-1, 2**33),
    **dict.fromkeys(("to_row", "to_column"), st.integers(-1, 9)),
    **dict.fromkeys(("start", "second", "third", "fourth"), STARTS),
}


@pytest.fixture(scope="module")
def client(page_url):
    return Client(page_url, verbose=False)


@pytest.fixture(scope="module")
def send(client, page_url):
    """Call an endpoint over plain HTTP, since the client refuses some values; returns event and message."""
    endpoints = client.view_api(print_info=False, return_format="dict")["named_endpoints"]

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


def test_data_set_is_one_that_is_offered(send):
    for endpoint in ("/ladder", "/samples", "/results"):
        kind, message = send(endpoint, dataset="cifar")
        assert kind == "error" and "unknown dataset 'cifar'; choose from mnist, fashionmnist, celeba" in str(message)


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


def test_what_the_tabs_compute_needs_neither_gradio_nor_matplotlib():
    tabs = ("turn", "morph", "codebook", "grid", "compare", "about")
    modules = [f"aevq_hub.demo.{tab}.{part}" for tab in tabs for part in ("compute", "snippet")]
    code = f"import sys, {', '.join(modules)}; assert not {{'gradio', 'matplotlib'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
