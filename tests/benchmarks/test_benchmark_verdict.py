"""The statements that the verdict is judged on are those of the catalogue, and few are contradicted."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from cafsc import sig

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_verdict", ROOT / "benchmarks" / "verdict.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def table(bench: ModuleType) -> pd.DataFrame:
    return pd.read_csv(bench.TABLE, sep="\t", keep_default_na=False)


def test_the_table_holds_every_statement_of_the_catalogue(bench: ModuleType, table: pd.DataFrame) -> None:
    assert len(table) >= 25
    pd.testing.assert_frame_equal(table, bench.statements(sig.load()))


def test_at_most_one_in_ten_is_contradicted(bench: ModuleType, table: pd.DataFrame) -> None:
    found = bench.held_out(table, sig.load(), lambda paper: {paper})
    n = bench.outcomes(found)
    assert sum(n.values()) == len(table)
    assert n["contradicts"] <= 0.1 * len(table)
    assert n["agrees"] > n["contradicts"]


def test_a_paper_is_not_predicted_by_itself(bench: ModuleType) -> None:
    catalogue = sig.load()
    everyone = set(catalogue.papers)
    subject = "set:costa2018/CAF-S1"
    assert bench.predicted(subject, "breast", "human", everyone, catalogue).reason == "no_claim"
    alone = bench.predicted(subject, "breast", "human", everyone - {"givel2018"}, catalogue)
    assert (alone.call, alone.n_pro) == ("undetermined", 1)


@pytest.mark.parametrize(
    ("other", "subject", "expected"),
    [
        ("state:myCAF", "set:kieffer2020/ecm-myCAF", 1.0),
        ("set:cords2023/mCAF", "set:kieffer2020/ecm-myCAF", 1.0),
        ("set:maris2015/ASPN-pos", "set:kieffer2020/ecm-myCAF", 1.0),
        ("set:kieffer2020/ecm-myCAF", "set:maris2015/ASPN-pos", 0.0),
        ("set:mcandrews2022/FAP-pos", "set:costa2018/CAF-S1", 1.0),
        ("gene:CAV1", "set:costa2018/CAF-S1", 0.0),
        ("state:iCAF", "set:kieffer2020/ecm-myCAF", 0.0),
        ("caf", "state:iCAF", 0.0),
    ],
)
def test_presence_by_gene_lists(bench: ModuleType, other: str, subject: str, expected: float) -> None:
    assert bench.presence(other, subject, sig.load()) == expected


def test_the_page_is_up_to_date(bench: ModuleType, table: pd.DataFrame) -> None:
    catalogue = sig.load()
    rounds = {
        "the paper": bench.held_out(table, catalogue, lambda paper: {paper}),
        "its laboratory": bench.held_out(table, catalogue, bench.laboratory(catalogue)),
    }
    page = (ROOT / "docs" / "benchmarks_verdict.md").read_text(encoding="utf-8")
    assert page == bench.markdown(rounds), "run benchmarks/verdict.py --markdown docs/benchmarks_verdict.md"
