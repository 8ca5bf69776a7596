"""Broken model folders: every defect gives a clear error."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import build

from aevq_hub import AEVQ, LoadError


@pytest.fixture
def folder(tmp_path):
    build(latent_dim=8, components=10).save_pretrained(tmp_path / "center-mnist")
    return tmp_path / "center-mnist"


def edit_config(folder, **changes):
    path = folder / "config.json"
    values = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({k: v for k, v in values.items() if v is not ...}))


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
    "newer format": ({"format_version": 99, "new": 1}, "reads up to 2: update it"),
    "wrong grid size": ({"grid_size": 7}, "grid_size is 7; with this network and these widths it must be 0"),
    "unknown feed": ({"feed": "both"}, "unknown feed 'both'; choose from encoder, codebook"),
    "feed without vectors": ({"feed": "codebook", "num_codes": 0}, "there is no vector to feed"),
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
        ({**weights, first: weights[first].int()}, f"the weight '{first}' has the type I32"),
    ):
        save_file(changed, path)
        with pytest.raises(LoadError, match=message):
            AEVQ.from_pretrained(folder)


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
    edit_config(folder, format_version=1, components=..., prior_width=..., prior_blocks=...)
    model = AEVQ.from_pretrained(folder)
    assert model.config == whole.config and model.config.components == 10 and model.config.prior_blocks == 0
    assert torch.equal(model.state_dict()["sampler.mean"], whole.state_dict()["sampler.mean"])
