"""Publishing the demo as a Space."""

import json
from pathlib import Path

import pytest
from huggingface_hub import SpaceCard

import aevq_hub.hub
from aevq_hub import AEVQ
from aevq_hub.folder import Pin
from training.__main__ import main
from training.space import Shown, lay_out, requirements

ROOT = Path(__file__).parent.parent
NAME = "ada/center-mnist"


def test_space_is_the_demo_with_pinned_models(hub, pushed, capsys):
    assert main(["push-space", "--to", "ada/demo", "--dry-run"]) == 0
    assert "add    app.py" in capsys.readouterr().out
    assert ("spaces", "ada/demo") not in hub.repos
    assert main(["push-space", "--to", "ada/demo"]) == 0
    assert f"{hub.url}/spaces/ada/demo/commit/" in capsys.readouterr().out
    files = hub.files("ada/demo", kind="spaces")
    commit = hub.repos["models", NAME].refs["main"]
    assert json.loads(files["model_cards/pins.json"]) == {"center-mnist": {"repo_id": NAME, "revision": commit}}
    for path in ("app.py", "aevq_hub/model.py"):
        assert files[path] == (ROOT / path).read_bytes()
    card = SpaceCard(files["README.md"].decode()).data
    assert (card.sdk, card.app_file, card.license, card.models) == ("gradio", "app.py", "mit", [NAME])
    assert card.preload_from_hub == [
        f"{NAME} config.json,model.safetensors,history.json,samples.safetensors,map.safetensors {commit}"
    ]
    assert not [path for path in files if "__pycache__" in path or path.endswith(".safetensors")]

    capsys.readouterr()
    assert main(["push-space", "--to", "ada/demo"]) == 0
    assert "nothing changes" in capsys.readouterr().out
    (pushed / "samples.png").unlink()
    assert main(["push", "center-mnist", "--to", "ada", "--output", str(pushed.parent)]) == 0
    before = len(hub.uploaded)
    assert main(["push-space", "--to", "ada/demo"]) == 0
    assert hub.uploaded[before:] == ["ada/demo/README.md", "ada/demo/model_cards/pins.json"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "demo"], "--to is 'demo'; give the Space as NAMESPACE/NAME"),
        (["--to", "ada/demo", "--models", "bob"], "bob has no models on the Hub; publish them with"),
        (["--to", "bob/demo"], "may not publish under 'bob'; choose from ada"),
        (["--to", "ada/taken"], "ada/taken exists and is no space of aevq-hub"),
        (["--to", "ada/demo", "--models", "eve"], "eve/center-mnist has no samples.safetensors; publish it again"),
    ],
)
def test_invalid_space_is_refused_with_one_sentence(arguments, message, hub, pushed, capsys):
    files = hub.files(NAME)
    hub.repos["models", "eve/center-mnist"] = type(hub.repos["models", NAME])()
    hub.repos["models", "eve/center-mnist"].commit("main", {k: v for k, v in files.items() if k[:8] != "samples."})
    hub.repos["spaces", "ada/taken"] = type(hub.repos["models", NAME])()
    hub.repos["spaces", "ada/taken"].commit("main", {"README.md": b"another"})
    capsys.readouterr()
    assert main(["push-space", *arguments]) == 1
    error = capsys.readouterr().err
    assert message in error and len(error.strip().splitlines()) == 1
    assert ("spaces", "ada/demo") not in hub.repos


def test_pinned_model_loads_by_short_name_at_its_commit(hub, pushed, tmp_path, monkeypatch):
    commit = hub.repos["models", NAME].refs["main"]
    new = AEVQ.from_pretrained(pushed)
    new.codebook += 1
    new.save_pretrained(pushed)
    assert main(["push", "center-mnist", "--to", "ada", "--output", str(pushed.parent)]) == 0
    space = lay_out(tmp_path / "space", {"my-center": Shown(Pin(NAME, commit))})
    monkeypatch.setattr(aevq_hub.folder, "shipped_folder", lambda: space / "model_cards")
    assert aevq_hub.available_models() == ["my-center"]
    old = AEVQ.from_pretrained("my-center")
    assert (old.codebook + 1 == new.codebook).all()
    assert (AEVQ.from_pretrained("my-center", revision="main").codebook == new.codebook).all()


def test_requirements_match_the_hardware():
    assert requirements("cpu")[0].startswith("--extra-index-url") and "torch>=2.6" in requirements("cpu")
    assert requirements("zero-a10g")[0] == "torch>=2.8,<2.12"
    assert requirements("cpu")[2:] == requirements("zero-a10g")[1:]
