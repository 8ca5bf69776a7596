"""Broken or hostile folders: each is refused with a clear error and without using much memory."""

import io
import json
import pickle
import resource
import struct
import zipfile

import pytest
import torch
from fuzzing import fuzz, quick_and_deep
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save_file
from tiny import write_config

from aevq_hub import AEVQ, LoadError
from aevq_hub.registry import DATASETS
from training.recipe import Recipe
from training.recipes import configure

SMALL = configure("center", "mnist", DATASETS["mnist"], Recipe(latent_dim=4, num_codes=1, widths="2x2"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A small valid model: its folder, the text of its configuration and the bytes of its weights."""
    folder = tmp_path_factory.mktemp("hostile") / "center-mnist"
    torch.manual_seed(0)
    AEVQ(SMALL).save_pretrained(folder)
    return folder, (folder / "config.json").read_text(), (folder / "model.safetensors").read_bytes()


@pytest.fixture
def folder(whole):
    """The folder, restored after each test."""
    path, config, weights = whole
    yield path
    (path / "config.json").write_text(config)
    (path / "model.safetensors").write_bytes(weights)


def header_of(weights: bytes) -> dict:
    (length,) = struct.unpack("<Q", weights[:8])
    return json.loads(weights[8 : 8 + length])


def with_header(weights: bytes, header: dict | bytes, length: int | None = None) -> bytes:
    (old,) = struct.unpack("<Q", weights[:8])
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + weights[8 + old :]


def edited(name: str, **changes):
    """A function that changes one tensor's entry in the header."""
    return lambda weights: with_header(weights, {**(header := header_of(weights)), name: {**header[name], **changes}})


def file_bytes(content) -> bytes:
    """The bytes of a file written by ``content``."""
    file = io.BytesIO()
    content(file)
    return file.getvalue()


def archive(file):
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr("archive/data.pkl", pickle.dumps({"codebook": 1}))


WEIGHTS = {
    "empty file": lambda w: b"",
    "seven bytes": lambda w: w[:7],
    "only a length": lambda w: w[:8],
    "half a header": lambda w: w[:100],
    "half the tensors": lambda w: w[: len(w) // 2],
    "one byte less": lambda w: w[:-1],
    "one byte more": lambda w: w + b"\0",
    "length of zero": lambda w: with_header(w, b"", 0),
    "header of gigabytes": lambda w: with_header(w, header_of(w), 3 * 2**30),
    "header of maximal length": lambda w: with_header(w, header_of(w), 2**64 - 1),
    "header longer than the file": lambda w: with_header(w, header_of(w), len(w)),
    "header is not JSON": lambda w: with_header(w, b"{{{{" * 10),
    "header is not text": lambda w: with_header(w, b"\xff\xfe" * 20),
    "header is a list": lambda w: with_header(w, b"[1, 2, 3]"),
    "deeply nested header": lambda w: with_header(w, b'{"a":' * 5000 + b"1" + b"}" * 5000),
    "empty header": lambda w: with_header(w, b"{}"),
    "metadata is not text": lambda w: with_header(w, {**header_of(w), "__metadata__": {"format": 1}}),
    "unknown type": edited("codebook", dtype="X9"),
    "integer type": edited("codebook", dtype="I32"),
    "other type of the same size": edited("codebook", dtype="U32"),
    "shape of terabytes": edited("codebook", shape=[2**40, 4]),
    "negative shape": edited("codebook", shape=[-1, 4]),
    "overflowing shape": edited("codebook", shape=[2**63, 2**63]),
    "transposed shape": edited("codebook", shape=[4, 1]),
    "shape of another length": edited("codebook", shape=[4]),
    "offsets beyond the file": edited("codebook", data_offsets=[0, 2**50]),
    "reversed offsets": edited("codebook", data_offsets=[16, 0]),
    "overlapping offsets": edited("codebook", data_offsets=[0, 16]),
    "negative offsets": edited("codebook", data_offsets=[-16, 0]),
    "renamed tensors": lambda w: with_header(w, {f"../{name}": about for name, about in header_of(w).items()}),
    "missing tensors": lambda w: with_header(w, {"codebook": header_of(w)["codebook"]}),
    "pickle": lambda w: pickle.dumps({"codebook": [0.0] * 4}),
    "pickled state": lambda w: file_bytes(lambda file: torch.save({"codebook": torch.zeros(1, 4)}, file)),
    "zip archive": lambda w: file_bytes(archive),
    "picture": lambda w: file_bytes(lambda file: Image.new("L", (28, 28)).save(file, "PNG")),
    "Git LFS pointer": lambda w: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "zeros": lambda w: bytes(len(w)),
    "ones": lambda w: b"\xff" * len(w),
    "flipped bit": lambda w: w[:-5] + bytes([w[-5] ^ 4]) + w[-4:],
    "other values": lambda w: w[:-16] + b"\1" * 16,
}  # fmt: skip


@pytest.mark.parametrize("case", WEIGHTS)
def test_broken_weights_are_refused(case, folder, whole):
    (folder / "model.safetensors").write_bytes(WEIGHTS[case](whole[2]))
    with pytest.raises(LoadError, match="model.safetensors"):
        AEVQ.from_pretrained(folder)


NUMBERS = [0, -1, 1.5, 10**9, 2**63, 10**30, float("nan"), float("inf"), True, None, "4", [], [4], {}, {"a": 1}]


@pytest.mark.parametrize("key", [*SMALL.to_dict(), "weights_sha256"])
def test_changed_config_value_is_refused_or_valid(key, folder, whole):
    values = json.loads(whole[1])
    for value in [*NUMBERS, "../../etc/passwd", "x" * 100_000, "\0", [32, -1], [1] * 9, [10**6] * 3]:
        write_config(folder, {**values, key: value})
        try:
            model = AEVQ.from_pretrained(folder)
        except LoadError as error:
            assert "config.json" in str(error) or "model.safetensors" in str(error)
        else:  # the same value, or another data set name, which is valid
            assert value == values[key] or key == "dataset"
            assert model.config.to_dict() == {**SMALL.to_dict(), key: value}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@quick_and_deep
def test_random_config_never_crashes_or_gives_a_wrong_model(examples, folder, whole):
    def check(data):
        values = json.loads(whole[1])
        for _ in range(data.draw(st.integers(1, 2))):
            key = data.draw(st.sampled_from(list(values)) | st.text(max_size=8))
            values[key] = data.draw(json_values)
        write_config(folder, values)
        loaded_or_refused(folder, whole[2])

    fuzz(check, examples)


@quick_and_deep
def test_random_weights_never_crash_or_give_a_wrong_model(examples, folder, whole):
    def check(data):
        weights = bytearray(whole[2])
        for _ in range(data.draw(st.integers(1, 8))):
            place = data.draw(st.integers(0, min(len(weights) - 1, 2000)) | st.integers(0, len(weights) - 1))
            weights[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=8))
        (folder / "model.safetensors").write_bytes(weights)
        loaded_or_refused(folder, whole[2])

    fuzz(check, examples)


def loaded_or_refused(folder, weights: bytes):
    """Load a folder: an error that names it, or exactly its weights, in both cases without much memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        model = AEVQ.from_pretrained(folder)
    except LoadError as error:
        assert str(folder) in str(error)
    else:
        assert (folder / "model.safetensors").read_bytes() == weights
        assert model.state_dict().keys() == header_of(weights).keys() - {"__metadata__"}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_invalid_model_folder_is_refused(tmp_path):
    for name in (
        "",
        " ",
        "..",
        "../..",
        "/",
        "/etc/passwd",
        "a/../b",
        "ada/../../x",
        "~",
        "C:\\models",
        "\0",
        "a" * 5000,
    ):
        with pytest.raises(LoadError):
            AEVQ.from_pretrained(name, local_files_only=True)
    (tmp_path / "model.safetensors").mkdir()
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(LoadError, match="has no model.safetensors"):
        AEVQ.from_pretrained(tmp_path)
    save_file({}, tmp_path / "empty.safetensors")
    with pytest.raises(LoadError, match="there is no model"):
        AEVQ.from_pretrained(tmp_path / "empty.safetensors")
