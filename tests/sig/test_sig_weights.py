"""Weights of one's own, and papers that are one witness."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cafsc.errors import OptionError
from cafsc.sig import lint, load, read
from cafsc.sig.weights import own_weights


def test_only_what_is_named_changes(tmp_path: Path) -> None:
    shipped = load().weights
    given = {"evidence": {"in_vitro": 0.3}, "why": {"evidence.in_vitro": "mine"}}
    path = tmp_path / "weights.yaml"
    path.write_text("evidence:\n  in_vitro: 0.3\n")
    for form in (given, json.dumps(given), path, str(path)):
        found = own_weights(shipped, form)
        assert found.evidence == {**shipped.evidence, "in_vitro": 0.3}
        assert (found.cancer, found.species, found.subject) == (
            shipped.cancer,
            shipped.species,
            shipped.subject,
        )
    assert own_weights(shipped, shipped) is shipped
    assert shipped.evidence["in_vitro"] != 0.3


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"evidences": {}}, "evidences"),
        ({"evidence": 1}, "evidence"),
        ({"evidence": {"in_silico": 1}}, "in_silico"),
        ({"evidence": {"in_vivo": 2}}, "in_vivo is 2"),
        ({"evidence": {"in_vivo": True}}, "True"),
        ({"cancer": {"same": "high"}}, "high"),
        ({"cancer": {"same": float("nan")}}, "nan"),
        ("{not json", "not JSON"),
        ("nowhere.yaml", "nowhere.yaml"),
    ],
)
def test_what_is_wrong_is_named(given: object, found: str) -> None:
    with pytest.raises(OptionError) as caught:
        own_weights(load().weights, given)  # type: ignore[arg-type]
    assert found in caught.value.found
    assert caught.value.expected


def test_every_paper_is_in_one_group_or_its_own(tiny: Path) -> None:
    catalogue = load()
    assert catalogue.group_of("costa2018") == catalogue.group_of("givel2018") != "costa2018"
    assert catalogue.group_of("feig2013") == "feig2013"
    path = tiny / "independence.yaml"
    path.write_text(
        "groups:\n  lab: {label: Lab, shared: laboratory, papers: [one2020, two2021], why: one house}\n"
    )
    assert lint(tiny).ok
    assert read(tiny).group_of("two2021") == "lab"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("  lab: {label: L, shared: laboratory, papers: [one2020, gone1999], why: w}\n", "unknown-paper"),
        ("  one2020: {label: L, shared: dataset, papers: [one2020, two2021], why: w}\n", "group-is-paper"),
        (
            "  a: {label: L, shared: dataset, papers: [one2020, two2021], why: w}\n"
            "  b: {label: L, shared: dataset, papers: [one2020, two2021], why: w}\n",
            "two-groups",
        ),
    ],
)
def test_lint_checks_the_groups(tiny: Path, text: str, code: str) -> None:
    (tiny / "independence.yaml").write_text(f"groups:\n{text}")
    assert code in {finding.code for finding in lint(tiny).findings}
