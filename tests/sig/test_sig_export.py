"""What is handed on can be read by the tools it is meant for, and says the same."""

from __future__ import annotations

import json
from pathlib import Path

import decoupler
import jsonschema
import numpy as np
import pandas as pd
import pytest
from gseapy.parser import read_gmt

from cafsc.sig import load, read, signatures_dir, to_gmt, to_json, to_net, to_schema
from cafsc.sig._yaml import loads


def test_gmt_holds_every_gene_list_and_no_level_profile(tiny: Path) -> None:
    lines = dict(line.split("\t", 1) for line in to_gmt(read(tiny)).splitlines())
    names = "one2020/myCAF one2020/myCAF/down one2020/iCAF two2021/Col program/contract"
    assert list(lines) == names.split()
    assert lines["one2020/myCAF"] == "https://doi.org/10.1000/one\tACTA2\tTAGLN\tPOSTN"
    assert lines["one2020/myCAF/down"] == "https://doi.org/10.1000/one\tCFD"


def test_gmt_of_the_shipped_catalogue_reads_in_gseapy(tmp_path: Path) -> None:
    catalogue = load()
    path = tmp_path / "cafsc.gmt"
    path.write_text(to_gmt(catalogue))
    found = read_gmt(str(path))
    for entry in catalogue.sets.values():
        if entry.definition.up:
            assert found[entry.id] == entry.definition.up
        if entry.definition.down:
            assert found[f"{entry.id}/down"] == entry.definition.down


def test_gmt_comes_back_as_a_users_file(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "back.gmt"
    path.write_text(to_gmt(read(tiny)))
    again = read(tiny, [path])
    assert again.sets["back/one2020-iCAF"].definition.up == again.sets["one2020/iCAF"].definition.up


def test_net_has_signed_weights_and_runs_in_decoupler(tiny: Path) -> None:
    net = to_net(read(tiny))
    assert list(net.columns) == ["source", "target", "weight"]
    my = net[net["source"] == "one2020/myCAF"].set_index("target")["weight"]
    assert my.to_dict() == {"ACTA2": 1.0, "TAGLN": 1.0, "POSTN": 1.0, "CFD": -1.0}
    assert not to_net(load()).duplicated(["source", "target"]).any()
    symbols = ["ACTA2", "TAGLN", "POSTN", "CFD", "CXCL12", "DPT", *(f"G{i}" for i in range(30))]
    counts = np.random.default_rng(0).poisson(1.0, (4, len(symbols))).astype(float)
    counts[0, :3] += 20
    cells = pd.DataFrame(counts, index=list("abcd"), columns=symbols)
    scores, _ = decoupler.mt.ulm(cells, net[net["source"].str.startswith("one2020")], tmin=3)
    assert scores["one2020/myCAF"].idxmax() == "a"


def test_json_is_whole_and_the_same_every_time(tiny: Path) -> None:
    text = to_json(read(tiny))
    assert text == to_json(read(tiny))
    content = json.loads(text)
    assert content["sets"]["two2021/levels"]["levels"] == {"FAP": "high", "CAV1": "low"}
    assert content["papers"]["two2021"]["link"] == "https://pubmed.ncbi.nlm.nih.gov/123/"
    assert [claim["id"] for claim in content["claims"]] == ["one2020-pro", "two2021-anti"]
    assert content["pairs"]["lr-one"]["receptor"] == ["CXCR4"]
    assert content["review_claims"]["S002-001"]["lines"] == "10-12"


def test_schema_fits_every_file_of_the_catalogue() -> None:
    schema = json.loads(to_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    paths = sorted(signatures_dir().rglob("*.yaml"))
    assert paths
    named = schema["files"]
    for path in paths:
        name = path.relative_to(signatures_dir()).as_posix()
        name = {"papers": "papers/<key>.yaml", "programs": "programs/<id>.yaml"}.get(path.parent.name, name)
        part = {"$ref": named[name], "$defs": schema["$defs"]}
        jsonschema.Draft202012Validator(part).validate(loads(path.read_text()))


@pytest.mark.parametrize(
    ("old", "new"),
    [("doi: 10.1000/one", "doi: one"), ("effect: pro", "effect: maybe"), ("POSTN", "7"), ("sets:", "set:")],
)
def test_schema_refuses_what_lint_refuses(tiny: Path, old: str, new: str) -> None:
    schema = json.loads(to_schema())
    validator = jsonschema.Draft202012Validator({"$ref": "#/$defs/PaperFile", "$defs": schema["$defs"]})
    text = (tiny / "papers" / "one2020.yaml").read_text()
    assert validator.is_valid(loads(text))
    assert not validator.is_valid(loads(text.replace(old, new, 1)))
