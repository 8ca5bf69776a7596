"""Settings of all tabs: what links and programs may give, and what becomes of values that do not fit."""

import random
from dataclasses import asdict, replace
from urllib.parse import parse_qsl, urlencode

import pytest

from aevq_hub.config import AEVQConfig
from aevq_hub.demo.about.settings import About
from aevq_hub.demo.codebook.settings import SHOWS, SORTS, Codebook
from aevq_hub.demo.compare.settings import Compare
from aevq_hub.demo.grid.settings import Grid
from aevq_hub.demo.morph.settings import Morph, others
from aevq_hub.demo.shared import exhibits
from aevq_hub.demo.shared.exhibits import offers
from aevq_hub.demo.shared.settings import FIRST, MAX_SEED, Settings, token, whole
from aevq_hub.demo.turn.settings import BASES, REACHES, Turn
from aevq_hub.latent import MODES
from aevq_hub.latent_space import UNITS

TABS = (Turn, Morph, Codebook, Grid, Compare, About)


def a_start(rng: random.Random, config: AEVQConfig) -> str:
    kinds = (f"sample:{rng.randrange(10)}", f"random:{rng.randint(0, MAX_SEED)}", f"image:{rng.randbytes(8).hex()}")
    return rng.choice(kinds)


def a_cell(rng: random.Random, config: AEVQConfig) -> int:
    return rng.randint(0, config.grid_size)


def some_cells(rng: random.Random, config: AEVQConfig) -> str:
    size, entries = config.grid_size, ("~", "@", "-", rng.randrange(config.num_codes))
    return ";".join(" ".join(str(rng.choice(entries)) for _ in range(size)) for _ in range(size))


def some_shifts(rng: random.Random, config: AEVQConfig) -> str:
    return ",".join(f"{rng.uniform(-300, 300)}" for _ in range(rng.randint(1, 6)))


# a random valid value of each setting, for the configuration of the model
DRAWN = {
    **dict.fromkeys(("start", "second", "third", "fourth"), a_start),
    **dict.fromkeys(("row", "column", "to_row", "to_column"), a_cell),
    **dict.fromkeys(("way", "share"), lambda rng, config: rng.random()),
    **{
        name: lambda rng, config, choices=choices: rng.choice(choices)
        for name, choices in {
            "basis": BASES, "unit": UNITS, "reach": (0, *REACHES), "mode": MODES, "sort": SORTS, "show": SHOWS,
        }.items()
    },
    "mix": some_shifts,
    "cells": some_cells,
    "rank": lambda rng, config: rng.randint(1, config.latent_dim),
    "shift": lambda rng, config: rng.uniform(-10, 10),
    "steps": lambda rng, config: rng.randint(2, 17),
    "other": lambda rng, config: rng.choice(others(config.name)),
    **dict.fromkeys(("vector", "code"), lambda rng, config: rng.randrange(config.num_codes)),
    "point": lambda rng, config: rng.randint(0, 65535),
    "seed": lambda rng, config: rng.randint(0, MAX_SEED),
}  # fmt: skip


@pytest.mark.parametrize("kind", TABS)
def test_link_restores_random_settings(kind: type[Settings]):
    rng = random.Random(0)
    models = rng.sample(list(offers(kind.can)), 5)
    for _ in range(30):
        model = rng.choice(models)
        names = [name for name in kind.names() if name != "model" and rng.random() < 0.5]
        values = {name: DRAWN[name](rng, offers()[model].config) for name in names}
        settings, plain = kind(model, **values), kind(model)
        link = dict(parse_qsl(urlencode(settings.link), keep_blank_values=True, strict_parsing=True))
        assert link.keys() - {"model"} == {n for n in names if getattr(settings, n) != getattr(plain, n)}
        assert link["model"] == model
        assert kind.fitted(link) == (settings, []) == kind.fitted(asdict(settings))


INVALID = {
    Turn: {"basis": "axes", "mix": "1,x", "way": "2", "rank": "129", "shift": "lots", "unit": "m", "reach": "7",
           "row": 1},
    Morph: {"third": "sample", "fourth": None, "steps": "1", "mode": "arc", "other": "center-celeba", "second": 3},
    Codebook: {"vector": "100000", "sort": "colour", "show": [], "way": "nan", "point": "-1"},
    Grid: {"cells": "1 2 3", "row": 9, "column": "9", "to_row": -1, "to_column": "x", "code": 5000, "share": None,
           "seed": "1e99", "start": "image:"},
    Compare: {"shift": "11", "start": "random:99999999999", "second": "file:/etc/passwd"},
    About: {"start": "", "second": "sample:12345"},
}  # fmt: skip


@pytest.mark.parametrize("kind", TABS)
def test_invalid_values_become_defaults_with_a_sentence_each(kind: type[Settings]):
    settings, problems = kind.fitted({**INVALID[kind], "tab": "x"})
    assert settings == kind(kind.first())
    in_order = [name for name in kind.names() if name in INVALID[kind]]
    for name, problem in zip(in_order, problems, strict=True):
        assert name in problem or (name == "cells" and "The matrix has 1 row" in problem)
        assert len(problem) < 900 and problem.count(". ") == 0 and "\n" not in problem


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("shift", "lots", "shift is 'lots'; give a number."),
        ("shift", "inf", "shift is inf; give a number from -300 to 300"),
        ("rank", "1.5", "rank is 1.5; give a whole number from 1 to 64"),
        ("rank", "65", "rank is 65; give a whole number from 1 to 64"),
        ("reach", "7", "reach is 7; choose from 0, 1, 3, 15, 50, 100, 300."),
        ("model", "centre-mnist", "unknown model 'centre-mnist'; did you mean center-mnist, "),
        ("model", None, "unknown model None."),
    ],
)
def test_problem_says_what_is_allowed(name, value, message):
    settings, (problem,) = Turn.fitted({name: value})
    assert settings == Turn(FIRST) and problem.startswith(message)
    settings, (problem,) = Turn.fitted({"start": "random:7", name: value, "way": 0.5})
    assert settings == Turn(FIRST, "random:7", way=0.5) and problem.startswith(message)  # the others are kept


def test_numbers_of_a_link_are_read():
    link = {"model": "ae-celeba", "rank": "3.0", "shift": "-2.5", "way": "1e-3", "mix": " 0, 1.50 "}
    assert Turn.fitted(link) == (Turn("ae-celeba", rank=3, shift=-2.5, way=0.001, mix="0,1.5"), [])
    assert Turn.fitted({}) == (Turn(Turn.first()), []) and Turn.fitted({"tab": "turn"})[1] == []


def test_numbers_of_samples_wrap_around():
    values = {"start": "sample:25", "second": " sample:0013 ", "third": "random:25", "fourth": "sample:9"}
    settings, problems = Morph.fitted({"model": "center-celeba", **values})  # ten samples
    assert settings == Morph("center-celeba", "sample:5", "sample:3", "random:25", "sample:9") and problems == []
    settings, problems = Morph.fitted({**values, "model": "center-mnist"})  # twenty
    assert settings == Morph("center-mnist", "sample:5", "sample:13", "random:25", "sample:9") and problems == []
    settings, problems = Compare.fitted(
        {"start": "sample:20", "model": "missing"}
    )  # of the model that is shown instead
    assert settings.start == "sample:0" and len(problems) == 1


@pytest.mark.parametrize(
    ("kind", "model", "shown"),
    [
        (Grid, "center-mnist", "vqae-mnist"),
        (Grid, "vqvae-mnist", "vqvae-mnist"),
        (Grid, "vae-celeba", "vqae-celeba"),
        (Codebook, "vae-fashionmnist", "codebook-fashionmnist"),
        (Codebook, "center-fashionmnist", "center-fashionmnist"),
        (Turn, "classifier-celeba", "classifier-celeba"),
    ],
)
def test_model_that_cannot_do_the_job_gives_way(kind, model, shown):
    assert kind.capable(model) == shown and kind.fitted({"model": model}) == (kind(shown), [])
    if model != shown:
        with pytest.raises(ValueError, match=f"unknown model '{model}'; choose from "):
            kind(model)


def test_another_model_is_shown_where_the_preferred_one_is_missing(monkeypatch):
    known = offers()
    cats = exhibits.Offer("cats", replace(known["ae-mnist"].config, dataset="cats"))
    few = {"cats": cats, **{name: known[name] for name in ("vqvae-mnist", "vqae-celeba", "ema-mnist", "vae-mnist")}}
    monkeypatch.setattr(exhibits, "_all_offers", lambda: few)
    assert Grid.capable("ema-mnist") == "vqvae-mnist"  # of its data set, though not the tab's preferred variant
    assert Grid.capable("cats") == "vqvae-mnist"  # none of its data set: the first of all
    assert Codebook.capable("vae-mnist") == "vqvae-mnist" and Turn.capable("cats") == "cats"
    assert Turn.first() == "cats" and Grid.first() == "vqvae-mnist"  # without center-celeba, the first that can


def test_tabs_open_with_the_same_model_or_one_like_it():
    assert [kind.first() for kind in TABS] == [FIRST, FIRST, FIRST, "vqae-celeba", FIRST, FIRST]
    assert all(kind().model in offers(kind.can) for kind in TABS)


@pytest.mark.parametrize("value", [None, 3, "", "sample", "sample:", "sample:-1", "random:1e3", "image:XYZ", "sample:³",
                                   f"random:{MAX_SEED + 1}"])  # fmt: skip
def test_malformed_start_is_refused(value):
    with pytest.raises(ValueError, match=r"^start is .*; give sample:N .* random:N .* or image:…"):
        token("start", value)


def test_starts_have_one_canonical_text():
    assert token("start", " sample:007 ") == "sample:7" and token("start", "random:00") == "random:0"
    assert Morph(second="random:0042").second == "random:42"
    assert whole("row", 3.0, 0, 5) == 3 and type(Turn(rank=2.0).rank) is int  # type: ignore[arg-type]
