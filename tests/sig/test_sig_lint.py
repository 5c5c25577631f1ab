"""Each rule of lint finds its mistake, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest

from cafsc import genes
from cafsc._errors import CatalogueError
from cafsc.sig import lint, signatures_dir
from cafsc.sig.symbols import Approved, Renamed

APPROVED: Approved = {"human": genes.approved("human"), "mouse": genes.approved("mouse")}

BREAKS = [
    ("papers/one2020.yaml", "POSTN", "7", "schema"),
    ("papers/one2020.yaml", "cancer: [breast],\n", "cancer: [],\n", "schema"),
    ("papers/one2020.yaml", "doi: 10.1000/one, ", "", "schema"),
    ("weights.yaml", "why:", "whys:", "schema"),
    ("papers/one2020.yaml", "key: one2020", "key: other2020", "file-name"),
    ("programs/contract.yaml", "{id: contract", "{id: other", "file-name"),
    ("papers/two2021.yaml", "pmid: '123'", "doi: 10.1000/one", "duplicate-paper"),
    ("papers/two2021.yaml", "key: two2021", "key: one2020", "duplicate-paper"),
    ("papers/two2021.yaml", "id: two2021-anti", "id: one2020-pro", "duplicate-claim"),
    ("papers/one2020.yaml", "'set:one2020/myCAF'", "'set:one2020/gone'", "unknown-subject"),
    ("papers/two2021.yaml", "'state:iCAF'", "'state:gone'", "unknown-subject"),
    ("papers/two2021.yaml", "'state:iCAF'", "'program:gone'", "unknown-subject"),
    ("papers/two2021.yaml", "'state:iCAF'", "'iCAF'", "unknown-subject"),
    ("papers/two2021.yaml", "'state:iCAF'", "'gene:'", "unknown-subject"),
    ("schemes.yaml", "one2020/iCAF", "one2020/gone", "unknown-member"),
    ("schemes.yaml", "one2020/iCAF", "one2020/myCAF", "repeated-member"),
    ("schemes.yaml", "paper: one2020", "paper: gone", "unknown-paper"),
    ("crosswalk.yaml", "one2020/iCAF", "one2020/gone", "unknown-member"),
    ("programs/contract.yaml", "paper: two2021", "paper: gone", "unknown-paper"),
    ("lineages.yaml", "sources: [one2020]", "sources: [gone]", "unknown-paper"),
    ("papers/one2020.yaml", "cancer: [breast],\n", "cancer: [toe],\n", "unknown-cancer"),
    ("papers/two2021.yaml", "cancer: [pdac]", "cancer: [toe]", "unknown-cancer"),
    ("cancers.yaml", "aliases: [pancreas]", "aliases: [Mammary]", "ambiguous-cancer"),
    (
        "papers/one2020.yaml",
        "up: [CXCL12, CFD, DPT]",
        "up: [POSTN, TAGLN, ACTA2], down: [CFD]",
        "identical-sets",
    ),
    ("weights.yaml", "review: 0.2", "in_vitro2: 0.2", "schema"),
    ("weights.yaml", ", review: 0.2", "", "missing-weight"),
    ("weights.yaml", "review: 0.2", "review: 2.0", "weight-range"),
    ("papers/one2020.yaml", "POSTN", "NOSUCHGENE", "gene"),
    ("papers/two2021.yaml", "Col1a1", "COL1A1", "gene"),
    ("papers/two2021.yaml", "FAP:", "Fap:", "gene"),
    ("programs/contract.yaml", "CNN1", "CNNX", "gene"),
    ("lineages.yaml", "EPCAM", "EPCAMX", "gene"),
]


def test_whole_catalogue_has_no_findings_and_is_counted(tiny: Path) -> None:
    report = lint(tiny, APPROVED)
    assert report.findings == ()
    assert report.ok
    assert (report.n_sets, report.n_claims, report.n_papers, report.n_programs) == (4, 2, 2, 1)
    assert report.n_approved == report.n_genes == 15


@pytest.mark.parametrize(("file", "old", "new", "code"), BREAKS)
def test_rule_finds_its_mistake(tiny: Path, file: str, old: str, new: str, code: str) -> None:
    path = tiny / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    findings = lint(tiny, APPROVED).findings
    named_in = {"identical-sets": "schemes.yaml"}.get(code, file)
    assert [finding.file for finding in findings if finding.code == code][:1] == [named_in]
    if code not in ("schema", "file-name", "duplicate-paper"):  # these drag others with them
        assert {finding.code for finding in findings} == {code}


def test_program_in_two_files_is_found(tiny: Path) -> None:
    text = (tiny / "programs" / "contract.yaml").read_text()
    (tiny / "programs" / "copy.yaml").write_text(text)
    assert {finding.code for finding in lint(tiny).findings} == {"duplicate-program", "file-name"}


def test_former_symbol_is_named_with_todays(tiny: Path) -> None:
    path = tiny / "papers" / "one2020.yaml"
    path.write_text(path.read_text().replace("POSTN", "CTGF"))
    renamed: Renamed = {"human": genes.aliases("human"), "mouse": genes.aliases("mouse")}
    (finding,) = lint(tiny, APPROVED, renamed).findings
    assert finding.message.endswith("it is CCN2 today")


def test_symbols_are_not_checked_without_the_tables(tiny: Path) -> None:
    path = tiny / "papers" / "one2020.yaml"
    path.write_text(path.read_text().replace("POSTN", "NOSUCHGENE"))
    report = lint(tiny)
    assert report.ok
    assert report.n_approved is None


def test_gene_on_both_sides_is_listed_and_no_finding(tiny: Path) -> None:
    path = tiny / "papers" / "one2020.yaml"
    path.write_text(path.read_text().replace("up: [CXCL12, CFD, DPT]", "up: [CXCL12, POSTN, DPT]"))
    report = lint(tiny, APPROVED)
    assert report.ok
    (conflict,) = report.conflicts
    assert (conflict.gene, conflict.pro, conflict.anti) == ("POSTN", ("set:one2020/myCAF",), ("state:iCAF",))


def test_subject_with_claims_on_both_sides_makes_no_conflict_with_itself(tiny: Path) -> None:
    path = tiny / "papers" / "two2021.yaml"
    path.write_text(path.read_text().replace("state:iCAF", "set:one2020/myCAF"))
    assert lint(tiny).conflicts == ()


def test_folder_without_papers_is_no_catalogue(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="papers/"):
        lint(tmp_path)


def test_shipped_catalogue_has_no_findings() -> None:
    findings = lint(signatures_dir(), APPROVED).findings
    assert [f"{finding.file}: {finding.code}: {finding.message}" for finding in findings] == []
