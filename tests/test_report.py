"""The report on all models and the README agree with the records."""

import json
import re
import shutil
from pathlib import Path

import pytest
from huggingface_hub import metadata_load

from aevq_hub.folder import available_models, history, shipped_folder
from aevq_hub.measures import markdown_table
from aevq_hub.registry import VARIANTS
from training.__main__ import main
from training.claims import CLAIMS
from training.report import Records, report
from training.tables import comparison, hours, models

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_committed_report_is_up_to_date():
    assert (shipped_folder() / "README.md").read_text(encoding="utf-8") == report(shipped_folder())


@pytest.mark.parametrize("dataset", ["mnist", "fashionmnist", "celeba"])
def test_report_tables_contain_every_model(dataset):
    names = [f"{variant}-{dataset}" for variant in VARIANTS if f"{variant}-{dataset}" in available_models()]
    assert names and markdown_table(models([history(name) for name in names])) in report(shipped_folder())


def test_report_claims_have_verdicts_and_pictures_exist():
    text = report(shipped_folder())
    claims = re.search(r"\| claim .*?\n\n", text, re.DOTALL).group().strip().splitlines()[2:]
    assert len(claims) == len(CLAIMS) and not any("not measured" in line for line in claims)
    verdicts = {"holds", "holds in part", "does not hold"}
    assert all(line.strip("| ").split(" | ")[1] in verdicts for line in claims)
    links = re.findall(r"\]\((figures/[^)]*)\)", text)
    assert len(links) > 20 and all((shipped_folder() / path).is_file() for path in links)
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", text)
    assert pictures and all((shipped_folder() / path).is_file() for path in pictures)


def test_report_numbers_come_from_the_records(trained, tmp_path, capsys):
    """A report on own models has their tables, without the findings on the shipped models."""
    folder = shutil.copytree(trained, tmp_path / "models" / "center-mnist")
    record = json.loads((folder / "history.json").read_text())
    record["results"]["mse"] = 0.123456
    (folder / "history.json").write_text(json.dumps(record))
    rows = [
        {"variant": "center", "recipe": {"pull_weight": weight}, "mse": mse, "codebook": {"in_use": 1}}
        for weight, mse in ((1.0, 0.02), (1.0, 0.01), (3.0, 0.03))
    ]
    (folder / "search.json").write_text(json.dumps([*rows, {"variant": "zero", "recipe": {}, "error": "diverged"}]))
    assert main(["report", "--output", str(folder.parent)]) == 0
    assert f"wrote {folder.parent / 'README.md'}" in capsys.readouterr().out
    text = (folder.parent / "README.md").read_text(encoding="utf-8")
    assert "| `center-mnist` | 0.12346 |" in text and "claims" not in text and "[the" not in text

    records = Records(folder.parent)
    assert (records.n("center-mnist", "mse"), records.n("center-mnist", "accuracy")) == ("0.12346", "–")
    assert records.tried("center-mnist", "mse", pull_weight=1.0) == "0.01000 to 0.02000"
    assert records.tried("center-mnist", "codebook.in_use", variant="center") == "1"
    with pytest.raises(ValueError, match="has no mse with {'pull_weight': 2.0}"):
        records.tried("center-mnist", "mse", pull_weight=2.0)


def test_comparison_names_a_leader_only_beyond_two_deviations():
    def model(name: str, *errors: float, size: int = 8) -> dict:
        seeds = [{"seed": seed, "results": {"mse": error, "kept.one": 0.5}} for seed, error in enumerate(errors)]
        return {
            "model": name,
            "recipe": {"latent_dim": size},
            "results": {"mse": errors[0], "kept": {"one": 0.5}},
            "seeds": seeds[: len(errors) > 1 and 9],
        }

    error, kept = comparison([model("a", 0.1, 0.2, 0.3), model("b", 0.5, 0.6, 0.7)])
    assert error == {
        "measure": "MSE",
        "`a`": "0.20000 ± 0.10000",
        "`b`": "0.60000 ± 0.10000",
        "leads": "`a`, by 4.0 sd",
    }
    assert kept["leads"] == "none"
    assert comparison([model("a", 0.1, 0.2, 0.3), model("b", 0.3, 0.4, 0.5)])[0]["leads"] == "none"
    assert comparison([model("a", 0.3), model("b", 0.1)])[0]["leads"] == "`b`, not tested over seeds"
    larger = model("c", 0.01, 0.02, 0.03, size=16)
    error, _ = comparison([larger, model("a", 0.1, 0.2, 0.3), model("b", 0.5, 0.6, 0.7)])
    assert error["`c`"] == "0.02000 ± 0.01000" and error["leads"] == "`a`, by 4.0 sd"


def test_hours_are_those_of_all_seeds_and_of_the_prior():
    trained = {"epochs": [{"epoch": 1, "seconds": 600.0}, {"epoch": 2, "seconds": 300.0}], "results": {}}
    with_seeds = {**trained, "seeds": [{"results": {}}, {"results": {}}]}
    assert hours([trained]) == 0.25 and hours([with_seeds, trained]) == 0.75
    assert hours([{**with_seeds, "prior": {"epochs": [{"bits": 1.0}, {"seconds": 900.0}]}}]) == 0.75


def test_report_on_a_folder_without_models_is_refused(tmp_path, capsys):
    assert main(["report", "--output", str(tmp_path)]) == 1
    assert f"{tmp_path} contains no models" in capsys.readouterr().err


def test_readme_is_short_and_its_citation_and_links_are_valid():
    assert metadata_load(ROOT / "README.md")["app_file"] == "app.py"
    text = README.split("---\n", 2)[2]
    assert len(text.split()) <= 900
    assert all(f"| `{variant}` |" in text for variant in VARIANTS)
    (citation,) = re.findall(r"```bibtex\n.*?```", text, re.DOTALL)
    assert citation in (shipped_folder() / "center-mnist" / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\((.*?)\)", text)
    assert links and all((ROOT / link).is_file() for link in links)
