"""Broken model folders: every defect gives a clear error."""

import errno
import io
import json
import os

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import build, write_config

from aevq_hub import AEVQ, LoadError
from aevq_hub.config import ADDED
from aevq_hub.folder import class_names, history, sample_images, samples
from aevq_hub.tensor_files import weights_hash


@pytest.fixture
def folder(tmp_path):
    build(latent_dim=8, components=10).save_pretrained(tmp_path / "center-mnist")
    return tmp_path / "center-mnist"


def edit_config(folder, **changes):
    write_config(folder, {**json.loads((folder / "config.json").read_text()), **changes})


CONFIG_ERRORS = {
    "unknown key": ({"latent_size": 8}, "unknown key 'latent_size'"),
    "missing key of this version": ({"components": ...}, "lacks the key 'components'"),
    "no components": ({"components": 0}, "components is 0; give a whole number from 1 to 1000"),
    "prior without a grid": ({"prior_width": 8, "prior_blocks": 1}, "but the model has no grid of codes"),
    "missing key": ({"latent_dim": ...}, "lacks the key 'latent_dim'"),
    "negative size": ({"latent_dim": -8}, "latent_dim is -8; give a whole number from 1 to 4096"),
    "huge size": ({"latent_dim": 10**12}, "latent_dim is 1000000000000"),
    "huge widths": ({"widths": [32, 10**9]}, "widths is 1000000000"),
    "size is a string": ({"image_size": "28"}, "image_size is '28'"),
    "size is a boolean": ({"num_codes": True}, "num_codes is True"),
    "size is a fraction": ({"latent_dim": 8.5}, "latent_dim is 8.5"),
    "crop is nan": ({"crop": float("nan")}, "crop is nan"),
    "unknown variant": ({"variant": "centre"}, "unknown variant 'centre'; choose from ae, ae-conv, classifier, center"),
    "unknown network": ({"network": "transformer"}, "unknown network 'transformer'"),
    "two channels": ({"channels": 2}, "channels is 2; choose from 1, 3"),
    "no widths": ({"widths": []}, "widths is"),
    "too many halvings": ({"widths": [8] * 6}, "cannot be halved once for each of 6 widths"),
    "newer format": ({"format_version": 99, "new": 1}, "reads up to 4: update it"),
    "wrong grid size": ({"grid_size": 7}, "grid_size is 7; with this network and these widths it must be 0"),
    "unknown feed": ({"feed": "both"}, "unknown feed 'both'; choose from encoder, codebook"),
    "feed without vectors": (
        {"variant": "vqvae", "network": "grid", "grid_size": 7, "feed": "codebook", "num_codes": 0},
        "there is no vector to feed",
    ),
    "feed of another variant": (
        {"feed": "codebook"},
        "feed is 'codebook'; with the variant center it must be 'encoder'",
    ),
    "a number of 401 digits": ({"crop": 10**400}, "crop is 10000"),
    "flag is a number": ({"variational": 1}, "variational is 1; it must be true or false"),
    "latent size differs from weights": ({"latent_dim": 16}, "has the shape"),
    "vector count differs from weights": ({"num_codes": 2}, "'codebook' has the shape .1, 8. instead of .2, 8."),
    "missing hash": ({"weights_sha256": ...}, "lacks the key 'weights_sha256'"),
    "invalid hash": ({"weights_sha256": "0"}, "weights_sha256 is '0'; it must be 64 hexadecimal digits"),
    "no vectors": ({"num_codes": 0}, "the weight 'codebook' is unknown"),
}


@pytest.mark.parametrize("case", CONFIG_ERRORS)
def test_invalid_config_value_is_a_clear_error(case, folder):
    changes, message = CONFIG_ERRORS[case]
    edit_config(folder, **changes)
    with pytest.raises(LoadError, match=message):
        AEVQ.from_pretrained(folder)


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "\x00", "[" * 100_000])
def test_config_that_is_not_an_object_is_a_clear_error(text, folder):
    (folder / "config.json").write_text(text)
    with pytest.raises(LoadError, match="config.json"):
        AEVQ.from_pretrained(folder)


@pytest.mark.parametrize("keep", [0, 7, 100, 0.5, -1])
def test_truncated_weights_are_a_clear_error(keep, folder):
    path = folder / "model.safetensors"
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    with pytest.raises(LoadError, match="model.safetensors is truncated or damaged"):
        AEVQ.from_pretrained(folder)


def header_of(tensors: dict) -> bytes:
    header = json.dumps(tensors).encode()
    return len(header).to_bytes(8, "little") + header


@pytest.mark.parametrize(
    "tensor",
    [
        {"dtype": "F4", "shape": [2], "data_offsets": [0, 1]},  # a type that torch does not have
        {"dtype": "F32", "shape": [0, 2**63], "data_offsets": [0, 0]},
    ],
)
def test_tensors_that_torch_cannot_have_are_a_clear_error(tensor, folder):
    data = bytes(tensor["data_offsets"][1])
    for name in ("model.safetensors", "samples.safetensors"):
        (folder / name).write_bytes(header_of({"images": tensor}) + data)
    with pytest.raises(LoadError, match="model.safetensors is truncated or damaged") as caught:
        AEVQ.from_pretrained(folder)
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(LoadError, match="samples.safetensors is truncated or damaged"):
        sample_images(folder)


@pytest.mark.parametrize("stored", [{}, {"latents": torch.zeros(2, 9)}, {"latents": torch.full((2, 8), torch.nan)}])
def test_samples_that_do_not_fit_the_model_are_a_clear_error(stored, folder):
    save_file(stored, folder / "samples.safetensors")
    with pytest.raises(LoadError, match="has no samples of center-mnist; download the model again"):
        samples(folder, AEVQ.from_pretrained(folder))
    save_file({"latents": torch.ones(2, 8)}, folder / "samples.safetensors")
    assert samples(folder, AEVQ.from_pretrained(folder)).shape == (2, 8)


def test_class_names_that_are_no_names_are_a_clear_error(folder):
    record = history("center-mnist")
    record["data"]["class_names"] = 7
    (folder / "history.json").write_text(json.dumps(record))
    with pytest.raises(LoadError, match="class_names is 7; download the model again"):
        class_names(folder, "cats")


@pytest.mark.parametrize("path", ["epochs", "environment", "data.source", "data.train_images", "results.psnr"])
def test_a_history_that_lacks_what_every_one_has_is_a_clear_error(path, folder):
    record = history("center-mnist")
    *outer, key = path.split(".")
    (record[outer[0]] if outer else record)[key] = None
    (folder / "history.json").write_text(json.dumps(record))
    with pytest.raises(LoadError, match=f"history.json is damaged: it has no {path}; download the model again"):
        history(folder)


@pytest.mark.parametrize("place", [-1, -1000])
def test_flipped_bit_in_weights_is_detected(place, folder):
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(LoadError, match="is not the file that its config.json was written with: its SHA-256 differs"):
        AEVQ.from_pretrained(folder)


def test_missing_unknown_and_integer_weights_are_clear_errors(folder):
    path = folder / "model.safetensors"
    weights = load_file(path)
    first = next(iter(weights))
    for changed, message in (
        ({k: v for k, v in weights.items() if k != first}, f"the weight '{first}' is missing"),
        ({**weights, "head.weight": torch.zeros(2)}, "the weight 'head.weight' is unknown"),
        ({**weights, first: weights[first].int()}, f"the weight '{first}' has the type torch.int32"),
    ):
        save_file(changed, path)
        with pytest.raises(LoadError, match=message):
            AEVQ.from_pretrained(folder)


@pytest.mark.parametrize("changes", [{"crop": 0.5}, {"dataset": "cats"}, {"weights_sha256": "0" * 64}])
def test_edited_configuration_is_a_clear_error(changes, folder):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(LoadError, match="config.json has been edited: its config_sha256 differs"):
        AEVQ.from_pretrained(folder)


def test_a_key_that_occurs_twice_is_a_clear_error(folder):
    path = folder / "config.json"
    path.write_text(path.read_text().replace("{", '{"crop": 0.5, ', 1))
    with pytest.raises(LoadError, match="the key 'crop' occurs twice"):
        AEVQ.from_pretrained(folder)


def test_weights_that_are_not_finite_are_a_clear_error(folder):
    path = folder / "model.safetensors"
    weights = load_file(path)
    weights["codebook"][0, 3] = float("nan")
    save_file(weights, path)
    edit_config(folder, weights_sha256=weights_hash(path))
    with pytest.raises(LoadError, match="the weight 'codebook' has values that are not finite"):
        AEVQ.from_pretrained(folder)


def test_large_files_are_refused_before_they_are_read(folder):
    """Sparse files of 3 GB, and a header that claims to be as long."""
    weights = (folder / "model.safetensors").read_bytes()
    for name, start, message in (
        (
            "model.safetensors",
            weights,
            "model.safetensors is damaged or of another model: its file has 3,000,000,000",
        ),
        ("model.safetensors", (2**31).to_bytes(8, "little"), "its header has 2,147,483,648 bytes"),
        ("config.json", b"{", "config.json has more than 65,536 bytes"),
    ):
        with open(folder / name, "wb") as file:
            file.write(start)
            file.truncate(3_000_000_000)
        with pytest.raises(LoadError, match=message):
            AEVQ.from_pretrained(folder)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_unreadable_files_are_a_clear_error(name, folder, monkeypatch):
    """The tests may run as root, who can read everything, so opening fails by other means."""
    original = io.open

    def refuse(file, *args, **kwargs):
        if str(file).endswith(name):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
        return original(file, *args, **kwargs)

    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr("io.open", refuse)
    with pytest.raises(LoadError, match=f"{name} cannot be read .Permission denied"):
        AEVQ.from_pretrained(folder)


def test_a_device_that_is_missing_is_a_clear_error(folder):
    for device in ("nonsense", "cuda:99", "meta:x"):
        with pytest.raises(ValueError, match=f"device is '{device}', which is not available; choose from cpu"):
            AEVQ.from_pretrained(folder, device=device)


def test_loaded_weights_do_not_change_with_the_file(folder):
    model, path = AEVQ.from_pretrained(folder), folder / "model.safetensors"
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with open(path, "r+b") as file:  # in place, as a copy over it would
        file.write(b"\0" * path.stat().st_size)
        file.truncate(100)
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key]), key


def test_pickles_are_never_opened(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(LoadError, match="has no model.safetensors"):
        AEVQ.from_pretrained(folder)


@pytest.mark.parametrize("name", ["centre-mnist", "./nowhere", "/nowhere/at/all", "a/b/c"])
def test_unknown_model_is_a_clear_error(name):
    with pytest.raises(LoadError, match="there is no model"):
        AEVQ.from_pretrained(name)


def test_local_files_only_sends_no_request(hub, tmp_path):
    with pytest.raises(LoadError, match="someone/center-mnist is not in the cache"):
        AEVQ.from_pretrained("someone/center-mnist", local_files_only=True, cache_dir=tmp_path)
    assert hub.requests == []


def test_configuration_of_the_first_version_has_ten_components_and_no_prior(folder):
    whole = AEVQ.from_pretrained(folder)
    later = {key: ... for keys in ADDED.values() for key in keys}
    edit_config(folder, format_version=1, **later)
    model = AEVQ.from_pretrained(folder)
    assert model.config == whole.config and model.config.components == 10 and model.config.prior_blocks == 0
    assert torch.equal(model.state_dict()["sampler.mean"], whole.state_dict()["sampler.mean"])
