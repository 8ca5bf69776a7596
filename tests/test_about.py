"""The tab About without Gradio."""

import pytest
from code_runs import picture_of

from aevq_hub import claims
from aevq_hub.demo.about import compute, snippet
from aevq_hub.demo.about.settings import About
from aevq_hub.demo.shared.exhibits import exhibit, in_short, offers
from aevq_hub.measures import markdown_table, meanings
from aevq_hub.registry import DATASETS, VARIANTS


def test_variants_table_lists_data_sets_of_every_variant():
    lines = markdown_table(compute.variants()).splitlines()
    assert len(lines) == 2 + len(VARIANTS) and len({line.count("|") for line in lines}) == 1
    for line, (name, variant) in zip(lines[2:], VARIANTS.items(), strict=True):
        shipped = [DATASETS[o.config.dataset].title for o in offers(lambda c, n=name: c.variant == n).values()]
        (short,) = {offer.short for offer in offers(lambda c, n=name: c.variant == n).values()}
        assert line.startswith(f"| `{name}` | {short} | {variant.section} |")
        assert in_short(variant.summary) in line
        assert line.endswith(f"| {', '.join(shipped) or 'not shipped'} |")


@pytest.mark.parametrize("dataset", DATASETS)
def test_results_table_has_numbers_of_every_shipped_model(dataset):
    names = list(offers(lambda config: config.dataset == dataset))
    headings, _, *lines = markdown_table(compute.results(dataset)).splitlines()
    assert len(lines) == len(names) and " MSE |" in headings
    for name, line in zip(names, lines, strict=True):
        results = exhibit(name).history["results"]
        assert f"| {results['mse']:.5f} | {results['psnr']:.2f} dB |" in line
        assert ("codebook" in results) == (f"| {results.get('codebook', {}).get('vectors', '?')} |" in line)
    for heading in headings.strip("| ").split(" | ")[2:]:
        assert f"- **{heading}**: " in meanings(compute.COLUMNS)
    assert " images, measured on " in compute.counted(dataset)


def test_unknown_data_set_is_refused():
    with pytest.raises(ValueError, match="unknown data set 'cifar'; choose from mnist, fashionmnist, celeba"):
        compute.results("cifar")


def test_licences_cover_code_and_every_data_set():
    text = compute.licences()
    assert "The code: MIT." in text and "Weights trained on MNIST: MIT." in text
    for dataset in DATASETS.values():
        assert dataset.title in text and dataset.terms in text and (dataset.license_link or "") in text


@pytest.mark.parametrize("name", ["center-mnist", "ema-fashionmnist", "vqae-mnist", "vqvae-fashionmnist", "vae-celeba"])
def test_python_code_reproduces_the_picture_exactly(name, tmp_path):
    made = picture_of(snippet.code(About(name)), About(name), tmp_path)
    assert made.tobytes() == compute.samples(About(name)).tobytes()


def test_cases_of_a_claim_begin_with_the_title_of_their_data_set():
    values = {"mnist": [1.0], "mnist (mlp), rate 1": [1.0], "+3": [1.0], "celebac": [1.0]}
    part = {"says": "a", "bound": "b", "form": "{:.0f}", "holds": True, "values": values}
    assert claims.in_words(part) == "✓ a – MNIST: 1; MNIST (mlp), rate 1: 1; +3: 1; celebac: 1 (b)"
