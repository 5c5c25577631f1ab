"""What is handed on can be read by the tools it is meant for, and says the same."""

from __future__ import annotations

import json
from pathlib import Path

import decoupler
import numpy as np
import pandas as pd
import pytest

from cafsc.sig import load, read, to_gmt, to_json, to_net


def test_gmt_holds_every_gene_list_and_no_level_profile(tiny: Path) -> None:
    lines = dict(line.split("\t", 1) for line in to_gmt(read(tiny)).splitlines())
    assert list(lines) == [
        "one2020/myCAF",
        "one2020/myCAF/down",
        "one2020/iCAF",
        "two2021/Col",
        "program/contract",
    ]
    assert lines["one2020/myCAF"] == "https://doi.org/10.1000/one\tACTA2\tTAGLN\tPOSTN"
    assert lines["one2020/myCAF/down"] == "https://doi.org/10.1000/one\tCFD"


def test_gmt_of_the_shipped_catalogue_reads_back_in_decoupler(tmp_path: Path) -> None:
    catalogue = load()
    path = tmp_path / "cafsc.gmt"
    path.write_text(to_gmt(catalogue))
    net = decoupler.pp.read_gmt(path)
    found = {name: set(group["target"]) for name, group in net.groupby("source")}
    wanted = {entry.id: {*entry.definition.up} for entry in catalogue.sets.values() if entry.definition.up}
    assert {name: found[name] for name in wanted} == wanted


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
    assert not net.duplicated(["source", "target"]).any()
    symbols = ["ACTA2", "TAGLN", "POSTN", "CFD", "CXCL12", "DPT", *(f"G{i}" for i in range(30))]
    counts = np.random.default_rng(0).poisson(1.0, (4, len(symbols))).astype(float)
    counts[0, :3] += 20
    cells = pd.DataFrame(counts, index=list("abcd"), columns=symbols)
    scores, _ = decoupler.mt.ulm(cells, net[net["source"].str.startswith("one2020")], tmin=3)
    assert scores["one2020/myCAF"].idxmax() == "a"


def test_net_of_the_shipped_catalogue_names_a_gene_once_a_set() -> None:
    net = to_net(load())
    assert not net.duplicated(["source", "target"]).any()
    assert set(net["weight"]) <= {1.0, -1.0}


def test_json_is_whole_and_the_same_every_time(tiny: Path) -> None:
    text = to_json(read(tiny))
    assert text == to_json(read(tiny))
    content = json.loads(text)
    assert content["sets"]["two2021/levels"]["levels"] == {"FAP": "high", "CAV1": "low"}
    assert content["papers"]["two2021"]["link"] == "https://pubmed.ncbi.nlm.nih.gov/123/"
    assert [claim["id"] for claim in content["claims"]] == ["one2020-pro", "two2021-anti"]


@pytest.mark.parametrize("form", [to_gmt, to_json])
def test_export_of_the_shipped_catalogue_is_utf8_text(form: object) -> None:
    assert callable(form)
    assert str(form(load())).encode()
