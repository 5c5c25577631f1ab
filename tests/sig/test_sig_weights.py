"""A user's weights replace shipped ones; papers of one group are one independent source."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cafsc.errors import OptionError
from cafsc.sig import lint, load, read
from cafsc.sig.user import own_weights


def test_only_named_numbers_change(tmp_path: Path) -> None:
    shipped = load().weights
    given = {"evidence": {"in_vitro": 0.3}, "why": {"evidence.in_vitro": "mine"}}
    path = tmp_path / "weights.yaml"
    path.write_text("evidence:\n  in_vitro: 0.3\n")
    for form in (given, json.dumps(given), path, str(path)):
        found = own_weights(shipped, form)
        assert found.evidence == {**shipped.evidence, "in_vitro": 0.3}
        assert found.model_dump(exclude={"evidence"}) == shipped.model_dump(exclude={"evidence"})
    assert own_weights(shipped, shipped) is shipped
    assert shipped.evidence["in_vitro"] != 0.3


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"evidences": {}}, "evidences"),
        ({"evidence": 1}, "evidence"),
        ({"evidence": {"in_silico": 1}}, "in_silico"),
        ({"evidence": {"in_vivo": 2}}, "evidence.in_vivo is 2"),
        ({"evidence": {"in_vivo": True}}, "True"),
        ({"cancer": {"same": "high"}}, "high"),
        ({"cancer": {"same": float("nan")}}, "nan"),
        ("{not json", "not JSON"),
        ("nowhere.yaml", "nowhere.yaml"),
    ],
)
def test_errors_name_the_value(given: object, found: str) -> None:
    with pytest.raises(OptionError) as caught:
        own_weights(load().weights, given)  # type: ignore[arg-type]
    assert found in caught.value.found


def test_every_paper_is_in_one_group_or_its_own(tiny: Path) -> None:
    catalogue = load()
    assert catalogue.group_of("costa2018") == catalogue.group_of("givel2018") != "costa2018"
    assert catalogue.group_of("feig2013") == "feig2013"
    (tiny / "independence.yaml").write_text(
        "groups:\n  lab: {label: Lab, shared: laboratory, papers: [one2020, two2021], why: one house}\n"
    )
    assert lint(tiny).ok
    assert read(tiny).group_of("two2021") == "lab"


@pytest.mark.parametrize(
    ("groups", "code"),
    [
        ({"lab": "[one2020, gone1999]"}, "unknown-paper"),
        ({"one2020": "[one2020, two2021]"}, "group-is-paper"),
        ({"a": "[one2020, two2021]", "b": "[one2020, two2021]"}, "two-groups"),
    ],
)
def test_lint_checks_the_groups(tiny: Path, groups: dict[str, str], code: str) -> None:
    lines = [
        f"  {name}: {{label: L, shared: dataset, papers: {papers}, why: w}}"
        for name, papers in groups.items()
    ]
    (tiny / "independence.yaml").write_text("groups:\n" + "\n".join(lines) + "\n")
    assert {finding.code for finding in lint(tiny).findings} == {code}
