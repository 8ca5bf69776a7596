"""Publishing to a stand-in for the Hub over HTTP, and loading the published models."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace

import hub_server
import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file, save_file
from tiny import tiny

from aevq_hub import AEVQ
from aevq_hub.folder import PICTURES, available_models, shipped_folder
from aevq_hub.registry import VARIANTS
from training.__main__ import main
from training.contents import published_files
from training.publish import Publisher
from training.recipes import RECIPES, recipe_for


@pytest.fixture
def folder(trained, tmp_path):
    """A private copy of the trained folder."""
    return shutil.copytree(trained, tmp_path / "models" / "center-mnist")


def push(folder, *arguments) -> int:
    return main(["push", "--to", "ada", "--output", str(folder.parent), *arguments])


def test_pushed_model_is_the_folder_and_loads_exactly(hub, folder, generator):
    assert push(folder, "center-mnist") == 0
    files = hub.files("ada/center-mnist")
    here = {path.name: path.read_bytes() for path in published_files(folder)}
    assert b'\nname = "center-mnist"\n' in here["README.md"]  # only the published card names the repository
    here["README.md"] = here["README.md"].replace(b'name = "center-mnist"', b'name = "ada/center-mnist"')
    assert here == {name: data for name, data in files.items() if name != ".gitattributes"}
    x = torch.rand(3, 1, 28, 28, generator=generator)
    assert torch.equal(AEVQ.from_pretrained("ada/center-mnist")(x), AEVQ.from_pretrained(folder)(x))


def test_push_uploads_only_changes_and_keeps_old_revisions(hub, folder, generator):
    assert push(folder, "center-mnist", "--tag", "v1") == 0
    first, number = hub.repos["models", "ada/center-mnist"].refs["main"], len(hub.uploaded)
    assert push(folder, "center-mnist") == 0
    assert (hub.repos["models", "ada/center-mnist"].refs["main"], len(hub.uploaded)) == (first, number)

    old = AEVQ.from_pretrained(folder)
    new = AEVQ.from_pretrained(folder)
    new.codebook += 1
    new.save_pretrained(folder)
    (folder / "samples.png").unlink()
    assert push(folder, "center-mnist") == 0
    assert hub.uploaded[number:] == ["ada/center-mnist/config.json", "ada/center-mnist/model.safetensors"]
    assert "samples.png" not in hub.files("ada/center-mnist")
    for revision, model in ((None, new), ("v1", old), (first, old)):
        assert torch.equal(AEVQ.from_pretrained("ada/center-mnist", revision=revision).codebook, model.codebook)


def test_dry_run_lists_changes_without_pushing(hub, folder, capsys):
    assert push(folder, "center-mnist", "--dry-run") == 0
    assert "add    model.safetensors" in capsys.readouterr().out
    assert hub.repos == {}
    push(folder, "center-mnist")
    (folder / "README.md").write_text((folder / "README.md").read_text() + "\nOne line more.\n")
    capsys.readouterr()
    assert push(folder, "center-mnist", "--dry-run") == 0
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()[1:]] == [["update", "README.md"]]


def test_push_to_branch_pull_request_and_private_repository(hub, folder):
    assert push(folder, "center-mnist", "--revision", "trial", "--private") == 0
    assert hub.repos["models", "ada/center-mnist"].private
    assert set(hub.files("ada/center-mnist")) == {".gitattributes"}
    assert "model.safetensors" in hub.files("ada/center-mnist", "trial")
    assert push(folder, "center-mnist", "--create-pr") == 0
    assert set(hub.files("ada/center-mnist")) == {".gitattributes"}
    assert "model.safetensors" in hub.files("ada/center-mnist", "refs/pr/2")
    assert push(folder, "center-mnist") == 0
    (folder / "samples.png").unlink()
    assert push(folder, "center-mnist", "--revision", "later") == 0  # starts from main and changes one file
    assert hub.files("ada/center-mnist").keys() - hub.files("ada/center-mnist", "later").keys() == {"samples.png"}


def test_pull_request_to_a_foreign_repository(hub, folder, monkeypatch, capsys):
    assert push(folder, "center-mnist") == 0
    (folder / "samples.png").unlink()
    monkeypatch.setenv("HF_TOKEN", hub_server.OTHER)
    assert push(folder, "center-mnist", "--create-pr") == 0
    assert "/discussions/" in capsys.readouterr().out
    assert "samples.png" in hub.files("ada/center-mnist")
    (folder / "movement.png").unlink()
    assert push(folder, "center-mnist", "--create-pr") == 0  # an open pull request is extended
    (number,) = hub.repos["models", "ada/center-mnist"].proposals
    assert hub.files("ada/center-mnist").keys() - hub.files("ada/center-mnist", f"refs/pr/{number}").keys() == {
        "samples.png", "movement.png",
    }  # fmt: skip
    hub.repos["models", "ada/center-mnist"].proposals[number]["status"] = "closed"
    assert push(folder, "center-mnist", "--create-pr") == 0
    assert len(hub.repos["models", "ada/center-mnist"].proposals) == 2


def test_files_that_others_have_added_stay_unless_asked(hub, folder, capsys):
    assert push(folder, "center-mnist") == 0
    repo = hub.repos["models", "ada/center-mnist"]
    repo.commit("main", {**repo.commits[repo.refs["main"]], "old/notes.txt": b"x", "plot.png": b"y"})
    (folder / "samples.png").unlink()  # ours
    assert push(folder, "center-mnist") == 0
    assert "not ours, and kept unless --prune is given: old/notes.txt, plot.png" in capsys.readouterr().out
    assert {"old/notes.txt", "plot.png"} < hub.files("ada/center-mnist").keys()
    assert "samples.png" not in hub.files("ada/center-mnist")
    assert push(folder, "center-mnist", "--prune") == 0
    assert not {"old/notes.txt", "plot.png"} & hub.files("ada/center-mnist").keys()


@pytest.mark.parametrize("published", [False, True])
def test_a_push_never_mixes_with_that_of_someone_else(published, hub, folder, monkeypatch, capsys):
    """Someone else pushes between the comparison and the commit."""
    if published:
        assert push(folder, "center-mnist") == 0
        (folder / "samples.png").unlink()
    compare = Publisher.changes

    def and_another_push(self, *args, **kwargs):
        found = compare(self, *args, **kwargs)
        repo = hub.repos.setdefault(("models", "ada/center-mnist"), hub_server.Repo())
        repo.commit("main", {**(repo.commits[repo.refs["main"]] if published else {}), "README.md": b"another card"})
        return found

    monkeypatch.setattr(Publisher, "changes", and_another_push)
    capsys.readouterr()
    assert push(folder, "center-mnist") == 1
    assert "ada/center-mnist: someone has changed the repository meanwhile" in capsys.readouterr().err
    assert hub.files("ada/center-mnist")["README.md"] == b"another card"
    monkeypatch.setattr(Publisher, "changes", compare)
    if published:
        assert push(folder, "center-mnist") == 0
        assert b"ada/center-mnist" in hub.files("ada/center-mnist")["README.md"]


@pytest.mark.parametrize("target", ["file", "folder"])
def test_links_out_of_the_folder_are_refused(target, hub, folder, tmp_path, capsys):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("secret")
    (folder / "notes").symlink_to(tmp_path / "secret" / ("key" if target == "file" else ""))
    assert push(folder, "center-mnist") == 1
    assert "is a link out of the folder, to" in capsys.readouterr().err
    assert hub.repos == {} and hub.uploaded == []


def test_links_within_the_folder_are_published_as_files(hub, folder):
    (folder / "again.png").symlink_to("samples.png")
    assert push(folder, "center-mnist") == 0
    assert hub.files("ada/center-mnist")["again.png"] == (folder / "samples.png").read_bytes()


def test_every_picture_of_a_card_is_known_as_ours():
    shown = {path.name for name in available_models() for path in (shipped_folder() / name).glob("*.png")}
    assert shown == set(PICTURES)


def test_push_all_keeps_the_ladder_order_and_resumes(hub, folder, capsys):
    for name in ("vqvae-mnist", "ae-mnist", "ae-celeba"):
        shutil.copytree(folder, folder.parent / name)
    hub.broken.append("ada/center-mnist/commit")
    assert push(folder, "--all", "--tag", "v1") == 1
    assert "ada/center-mnist: the Hub answered 500" in capsys.readouterr().err
    first = list(hub.uploaded)
    assert {path.split("/")[1] for path in first} == {"ae-mnist"}
    hub.broken.clear()
    assert push(folder, "--all", "--tag", "v1") == 0
    assert all("v1" in repo.tags for repo in hub.repos.values())
    assert not set(first) & set(hub.uploaded[len(first) :])
    (collection,) = hub.collections.values()
    assert collection["items"] == [f"ada/{n}" for n in ("ae-mnist", "center-mnist", "vqvae-mnist", "ae-celeba")]
    shutil.copytree(folder, folder.parent / "zero-mnist")
    assert push(folder, "--all") == 0  # one more model: no duplicates, and the order stays
    assert collection["items"][1:4] == ["ada/center-mnist", "ada/zero-mnist", "ada/vqvae-mnist"]
    assert len(collection["items"]) == 5


@pytest.mark.parametrize(
    ("prepare", "arguments", "message"),
    [
        (lambda hub, patch: patch.delenv("HF_TOKEN"), [], "there is no token; log in with `hf auth login`"),
        (lambda hub, patch: patch.setenv("HF_TOKEN", "hf_wrong"), [], "the Hub does not know the token"),
        (lambda hub, patch: patch.setenv("HF_TOKEN", hub_server.READ), [], "the token may only read"),
        (lambda hub, patch: patch.setenv("HF_TOKEN", hub_server.OTHER), [], "under 'ada'; choose from bob"),
        (lambda hub, patch: patch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9"), [], "the Hub was not reached"),
        (lambda hub, patch: patch.setattr(constants, "HF_HUB_OFFLINE", True), [], "HF_HUB_OFFLINE is set"),
        (lambda hub, patch: add_foreign_repository(hub), [], "ada/center-mnist exists and is not a model of aevq-hub"),
        (lambda hub, patch: None, ["--tag", "v1", "--create-pr"], "a pull request"),
        (lambda hub, patch: None, ["centre-mnist"], "there is no model"),
        (lambda hub, patch: None, ["center..mnist"], "there is no model"),
        (lambda hub, patch: None, ["--all"], "name the models to publish, or give --all"),
    ],
)  # fmt: skip
def test_invalid_push_is_refused_before_any_work(prepare, arguments, message, hub, folder, monkeypatch, capsys):
    prepare(hub, monkeypatch)
    before = {key: dict(repo.commits) for key, repo in hub.repos.items()}
    assert push(folder, "center-mnist", *arguments) == 1
    error = capsys.readouterr().err
    assert message in error and len(error.strip().splitlines()) == 1
    assert {key: dict(repo.commits) for key, repo in hub.repos.items()} == before
    assert hub.uploaded == []


def add_foreign_repository(hub):
    hub.repos["models", "ada/center-mnist"] = repo = hub_server.Repo()
    repo.commit("main", {"README.md": b"something else"})


def test_tag_is_never_moved(hub, folder, capsys):
    assert push(folder, "center-mnist", "--tag", "v1") == 0
    assert push(folder, "center-mnist", "--tag", "v1") == 0  # the same state
    (folder / "samples.png").unlink()
    assert push(folder, "center-mnist", "--tag", "v1") == 1
    assert "ada/center-mnist already has the tag 'v1' for another state" in capsys.readouterr().err
    assert "samples.png" in hub.files("ada/center-mnist")


def test_failed_upload_is_explained(hub, folder, monkeypatch, capsys):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    hub.broken.append("^/lfs/")
    assert push(folder, "center-mnist") == 1
    assert "ada/center-mnist: the Hub was not reached" in capsys.readouterr().err
    hub.broken.clear()
    assert push(folder, "center-mnist") == 0


def test_a_file_that_cannot_be_read_is_not_blamed_on_the_network(hub, folder, monkeypatch, capsys):
    def unreadable(*_):
        raise PermissionError(13, "Permission denied", "README.md")

    monkeypatch.setattr("training.publish.published", unreadable)
    assert push(folder, "center-mnist") == 1
    assert "Permission denied: 'README.md'\n" in capsys.readouterr().err


def test_a_name_that_the_hub_refuses_is_refused_before_any_work(hub, folder, capsys):
    shutil.copytree(folder, folder.parent / "center--mnist")
    assert push(folder, "center--mnist") == 1
    assert "Cannot have -- or .. in repo_id" in capsys.readouterr().err
    assert hub.repos == {} and hub.uploaded == []


def test_misspelt_name_is_never_looked_up_on_the_hub(hub, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder.parent.parent)
    assert main(["push", "--to", "ada", "--output", "models", "centre-mnist"]) == 1
    assert "there is no model 'models/centre-mnist'" in capsys.readouterr().err
    assert main(["push", "--to", "ada", "--output", "nowhere", "--all"]) == 1
    assert "nowhere contains no models" in capsys.readouterr().err
    assert hub.requests == []


def test_every_variant_round_trips_to_another_process(hub, mirror, tmp_path, monkeypatch, generator):
    for name in VARIANTS:
        small = replace(tiny(recipe_for(name, "mnist")), epochs=1, latent_dim=8)
        monkeypatch.setitem(RECIPES, f"{name}-mnist", small)
    models = str(tmp_path / "models")
    assert main(["all", "--datasets", "mnist", "--data-root", str(mirror), "--output", models]) == 0
    assert main(["push", "--all", "--to", "ada", "--output", models]) == 0
    x = torch.rand(2, 1, 28, 28, generator=generator)
    save_file({"x": x}, tmp_path / "x.safetensors")
    code = (
        "import sys\nfrom safetensors.torch import load_file, save_file\nfrom aevq_hub import AEVQ, available_models\n"
        "x = load_file('x.safetensors')['x']\n"
        "save_file({name: AEVQ.from_pretrained(name)(x) for name in available_models('ada')}, 'out.safetensors')"
    )
    address = {"HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(tmp_path / "home")}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, **address}, check=True)
    loaded = load_file(tmp_path / "out.safetensors")
    assert loaded.keys() == {f"ada/{name}-mnist" for name in VARIANTS}
    for name, pictures in loaded.items():
        assert torch.equal(pictures, AEVQ.from_pretrained(tmp_path / "models" / name.split("/")[1])(x))
