"""The page for the models there are, without a browser."""

from dataclasses import replace

import pytest

from aevq_hub import LoadError
from aevq_hub.demo import page
from aevq_hub.demo.shared import exhibits


@pytest.mark.parametrize(("name", "discrete"), [("ae-mnist", set()), ("vqvae-mnist", {"codebook", "grid"})])
def test_page_of_own_models_has_only_applicable_tabs(name, discrete, monkeypatch):
    offer = exhibits.offers()[name]
    custom = exhibits.Offer(offer.name, replace(offer.config, dataset="cats"))
    monkeypatch.setattr(exhibits, "_all_offers", lambda: {custom.name: custom})
    config = page.build().config
    shown = {c["props"]["id"] for c in config["components"] if c["type"] == "tabitem"}
    assert shown == {"turn", "morph", "compare", "about"} | discrete
    assert "cats" in str(config)  # as one of the data sets to choose from


def test_page_without_models_is_refused(monkeypatch):
    monkeypatch.setattr(exhibits, "_all_offers", dict)
    with pytest.raises(LoadError, match="there is no model to show"):
        page.build()
