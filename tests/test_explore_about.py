"""The about tab without Gradio."""

import pytest

from aevq_hub import explore
from aevq_hub.explore import about, snippets
from aevq_hub.explore.about import About
from aevq_hub.measures import markdown_table, meanings
from aevq_hub.registry import DATASETS, VARIANTS


def test_variants_table_lists_data_sets_of_every_variant():
    lines = markdown_table(about.variants()).splitlines()
    assert len(lines) == 2 + len(VARIANTS) and len({line.count("|") for line in lines}) == 1
    for line, (name, variant) in zip(lines[2:], VARIANTS.items(), strict=True):
        shipped = [DATASETS[o.config.dataset].title for o in explore.offers(lambda c, n=name: c.variant == n).values()]
        assert line.startswith(f"| `{name}` | {variant.section} |") and variant.summary in line
        assert line.endswith(f"| {', '.join(shipped) or 'not shipped'} |")


@pytest.mark.parametrize("dataset", DATASETS)
def test_results_table_has_numbers_of_every_shipped_model(dataset):
    names = list(explore.offers(lambda config: config.dataset == dataset))
    headings, _, *lines = markdown_table(about.results(dataset)).splitlines()
    assert len(lines) == len(names) and " MSE |" in headings
    for name, line in zip(names, lines, strict=True):
        results = explore.exhibit(name).history["results"]
        assert f"| {results['mse']:.5f} | {results['psnr']:.2f} dB |" in line
        assert ("codebook" in results) == (f"| {results.get('codebook', {}).get('vectors', '?')} |" in line)
    for heading in headings.strip("| ").split(" | ")[1:]:
        assert f"- **{heading}**: " in meanings(about.COLUMNS)
    assert " images, measured on " in about.counted(dataset)


def test_unknown_data_set_is_refused():
    with pytest.raises(ValueError, match="unknown data set 'cifar'; choose from mnist, fashionmnist, celeba"):
        about.results("cifar")


def test_licences_cover_code_and_every_data_set():
    text = about.licences()
    assert "The code: MIT." in text and "Weights trained on MNIST: MIT." in text
    for dataset in DATASETS.values():
        assert dataset.title in text and dataset.terms in text and (dataset.license_link or "") in text


@pytest.mark.parametrize("name", ["center-mnist", "vqvae-fashionmnist", "vae-celeba"])
def test_python_code_reproduces_the_picture_exactly(name):
    scope = {}
    exec(snippets.about(About(name)), scope)
    assert scope["picture"].tobytes() == about.samples(About(name)).tobytes()
