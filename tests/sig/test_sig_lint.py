"""Each rule of lint finds its mistake, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest

from cafsc import genes
from cafsc.errors import CatalogueError
from cafsc.sig import lint, load
from cafsc.sig.lint import Approved, Renamed

APPROVED: Approved = {"human": genes.approved("human"), "mouse": genes.approved("mouse")}

BREAKS = [
    ("weights.yaml", "why:", "whys:", "schema"),
    ("papers/one2020.yaml", "key: one2020", "key: other2020", "file-name"),
    ("programs/contract.yaml", "{id: contract", "{id: other", "file-name"),
    ("papers/two2021.yaml", "pmid: '123'", "doi: 10.1000/one", "duplicate-paper"),
    ("papers/two2021.yaml", "id: two2021-anti", "id: one2020-pro", "duplicate-claim"),
    ("papers/one2020.yaml", "'set:one2020/myCAF'", "'set:one2020/gone'", "unknown-subject"),
    ("papers/two2021.yaml", "'state:iCAF'", "'state:gone'", "unknown-subject"),
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
    ("papers/one2020.yaml", "CXCL12, CFD, DPT]", "POSTN, TAGLN, ACTA2], down: [CFD]", "identical-sets"),
    ("weights.yaml", ", review: 0.2", "", "schema"),
    ("weights.yaml", "review: 0.2", "review: 2.0", "schema"),
    ("papers/one2020.yaml", "POSTN", "NOSUCHGENE", "gene"),
    ("papers/two2021.yaml", "Col1a1", "COL1A1", "gene"),
    ("programs/contract.yaml", "CNN1", "CNNX", "gene"),
    ("lineages.yaml", "EPCAM", "EPCAMX", "gene"),
    ("papers/one2020.yaml", "doi: 10.1000/one", "doi: 10.1000/ONE", "schema"),
    ("papers/two2021.yaml", "title: U", "title: t.", "duplicate-paper"),
    ("papers/one2020.yaml", "'set:one2020/myCAF'", "'axis:gone'", "unknown-subject"),
    ("papers/one2020.yaml", "'set:one2020/myCAF'", "'caf:all'", "unknown-subject"),
    ("papers/one2020.yaml", "statement: they push", "statement: they push, line: p. 7", "schema"),
    ("papers/one2020.yaml", "they push", "s, review_claims: [S9]", "unknown-review-claim"),
    ("papers/one2020.yaml", "up: [CXCL12,", "renamed: {SDF1: CXCL14}, up: [CXCL12,", "original-list"),
    ("papers/one2020.yaml", "up: [CXCL12,", "renamed: {DPT: CXCL12}, up: [CXCL12,", "original-list"),
    ("papers/one2020.yaml", "up: [CXCL12,", "dropped: {FOS: ' '}, up: [CXCL12,", "original-list"),
    ("axes/ligand_receptor.yaml", "caf>t_cell", "caf>tcell", "schema"),
    ("axes/ligand_receptor.yaml", "[CXCR4]", "[CXCR12]", "gene"),
    ("axes/ligand_receptor.yaml", "sources: [one2020]", "sources: [gone]", "unknown-paper"),
    ("axes/ligand_receptor.yaml", "cancer: [breast]", "cancer: [toe]", "unknown-cancer"),
    ("axes/ligand_receptor.yaml", "[S002-001]", "[S002-001, S002-9]", "unknown-review-claim"),
    ("axes/exosome.yaml", "[APAF1]", "[APAF9]", "gene"),
    ("agents.yaml", "[IL6R]", "[CD126X]", "gene"),
    ("not_measurable.yaml", "'program:contract'", "'program:gone'", "unknown-subject"),
    ("not_measurable.yaml", "'program:contract'", "'gene:NOSUCH'", "gene"),
    ("not_measurable.yaml", "id: mature-mirna", "id: stiff", "schema"),
    ("no_fixed_sign.yaml", "program:contract", "program:gone", "unknown-subject"),
    ("recipients.yaml", "lineage: fibroblast", "lineage: gone", "unknown-subject"),
    ("recipients.yaml", "sources: [two2021]", "sources: [gone]", "unknown-paper"),
    ("recipients.yaml", "paper: one2020", "paper: gone", "unknown-paper"),
    ("recipients.yaml", "response:tired]", "response:gone]", "unknown-subject"),
    ("recipients.yaml", "program:contract", "program:gone", "unknown-subject"),
    ("recipients.yaml", "CD3D", "CD3DX", "gene"),
    ("recipients.yaml", "t_cell:", "lymphocyte:", "schema"),
    ("review_claims.tsv", "S002-002", "S002-001", "schema"),
    ("review_claims.tsv", "lines", "line", "schema"),
    ("review_claims.tsv", "\t20,22", "\t", "schema"),
]


def broken(path: Path, old: str, new: str) -> None:
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))


def test_whole_catalogue_has_no_findings_and_is_counted(tiny: Path) -> None:
    report = lint(tiny, APPROVED)
    assert report.findings == ()
    assert report.ok
    assert (report.n_sets, report.n_claims, report.n_papers, report.n_programs) == (4, 2, 2, 1)
    assert report.n_approved == report.n_genes == 20
    assert report.n_records == {"axis": 1, "exosome": 1, "agent": 1, "biomarker": 1, "unmeasured": 2}
    assert (report.n_review_claims, report.uncovered) == (2, ())


@pytest.mark.parametrize(("file", "old", "new", "code"), BREAKS)
def test_rule_finds_its_mistake(tiny: Path, file: str, old: str, new: str, code: str) -> None:
    broken(tiny / file, old, new)
    findings = lint(tiny, APPROVED).findings
    named_in = {"identical-sets": "schemes.yaml"}.get(code, file)
    assert [finding.file for finding in findings if finding.code == code][:1] == [named_in]
    if code not in ("schema", "file-name", "duplicate-paper"):  # these drag others with them
        assert {finding.code for finding in findings} == {code}


def test_every_recipient_of_the_records_is_a_lineage_or_listed_here() -> None:
    catalogue = load()
    pairs = catalogue.pairs.values()
    words = {word for pair in pairs for direction in pair.directions for word in direction.split(">")}
    words |= {word for axis in catalogue.exosome_axes.values() for word in axis.direction.split(">")}
    unlisted = words - {*catalogue.recipients.cells} - {"caf", "any"}
    assert unlisted == {"msc", "normal_fibroblast"}


def test_program_in_two_files_is_found(tiny: Path) -> None:
    text = (tiny / "programs" / "contract.yaml").read_text()
    (tiny / "programs" / "copy.yaml").write_text(text)
    assert {finding.code for finding in lint(tiny).findings} == {"duplicate-program", "file-name"}


def test_former_symbol_is_named_with_todays(tiny: Path) -> None:
    broken(tiny / "papers" / "one2020.yaml", "POSTN", "CTGF")
    renamed: Renamed = {"human": genes.aliases("human"), "mouse": genes.aliases("mouse")}
    (finding,) = lint(tiny, APPROVED, renamed).findings
    assert finding.message.endswith("it is CCN2 today")
    assert lint(tiny).ok  # symbols are not checked without the tables


def test_gene_on_both_sides_is_listed_and_no_finding(tiny: Path) -> None:
    broken(tiny / "papers" / "one2020.yaml", "up: [CXCL12, CFD, DPT]", "up: [CXCL12, POSTN, DPT]")
    report = lint(tiny, APPROVED)
    assert report.ok
    (conflict,) = report.conflicts
    assert (conflict.gene, conflict.pro, conflict.anti) == ("POSTN", ("set:one2020/myCAF",), ("state:iCAF",))
    # A subject with claims on both sides makes no conflict with itself.
    broken(tiny / "papers" / "two2021.yaml", "state:iCAF", "set:one2020/myCAF")
    assert lint(tiny).conflicts == ()


def test_folder_without_papers_is_no_catalogue(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="papers/"):
        lint(tmp_path)


def test_review_claim_that_nothing_answers_is_a_finding_unless_allowed(tiny: Path) -> None:
    broken(tiny / "axes" / "exosome.yaml", ", review_claims: [S002-002]", "")
    (finding,) = lint(tiny, APPROVED).findings
    assert (finding.file, finding.code) == ("review_claims.tsv", "uncovered-review-claim")
    assert "S002-002" in finding.message
    allowed = lint(tiny, APPROVED, allow_uncovered=True)
    assert allowed.ok
    assert allowed.uncovered == ("S002-002",)


@pytest.mark.parametrize("subject", ["'gene:ACTA2'", "'program:contract'", "'set:one2020/myCAF'"])
def test_unsigned_subject_needs_a_cancer(tiny: Path, subject: str) -> None:
    path = tiny / "papers" / "one2020.yaml"
    broken(path, "about: 'set:one2020/myCAF'", f"about: {subject}")
    broken(path, "up: [ACTA2, TAGLN, POSTN]", "up: [ACTA2]")
    assert lint(tiny, APPROVED).ok
    broken(path, "[in_vivo], cancer: [breast]", "[in_vivo], cancer: [pan]")
    assert [finding.code for finding in lint(tiny, APPROVED).findings] == ["fixed-sign"]
    broken(path, "effect: pro", "effect: context")
    assert lint(tiny, APPROVED).ok


def test_pair_with_an_unsigned_ligand_needs_a_cancer(tiny: Path) -> None:
    path = tiny / "axes" / "ligand_receptor.yaml"
    broken(path, "ligand: [CXCL12]", "ligand: [ACTA2]")
    assert lint(tiny, APPROVED).ok
    broken(path, "cancer: [breast]", "cancer: [pan]")
    assert [finding.code for finding in lint(tiny, APPROVED).findings] == ["fixed-sign"]


@pytest.mark.parametrize("file", ["papers/one2020.yaml", "programs/contract.yaml"])
def test_set_that_a_species_lacks_must_say_so(tiny: Path, file: str) -> None:
    report = lint(tiny, APPROVED, translate=genes.translate)
    assert report.ok
    shares = {row.id: (row.n_genes, row.share("human"), row.share("mouse")) for row in report.coverage}
    assert shares["two2021/Col"] == (2, 1.0, 1.0)
    assert len(shares) == 5
    # Two genes without a mouse orthologue.
    broken(tiny / file, "up: [ACTA2,", "up: [HLA-DPA1, CST1,")
    (finding,) = lint(tiny, APPROVED, translate=genes.translate).findings
    assert (finding.file, finding.code) == (file, "species-coverage")
    assert "mouse" in finding.message
    broken(tiny / file, "label:", "not_for: {mouse: no orthologues}, label:")
    report = lint(tiny, APPROVED, translate=genes.translate)
    assert report.ok
    assert [row.not_for for row in report.coverage if row.not_for] == [("mouse",)]


def test_catalogue_without_records_is_whole(tiny: Path) -> None:
    for name in ("axes/ligand_receptor.yaml", "axes/exosome.yaml", "agents.yaml", "biomarkers.yaml",
                 "not_measurable.yaml", "no_fixed_sign.yaml", "recipients.yaml", "review_claims.tsv"):  # fmt: skip
        (tiny / name).unlink()
    report = lint(tiny, APPROVED)
    assert report.ok
    assert sum(report.n_records.values()) == report.n_review_claims == 0


def test_original_list_can_be_read_back_under_its_printed_names(tiny: Path) -> None:
    changed = "DPT], dropped: {FOS: stress}, renamed: {SDF1: CXCL12}"
    broken(tiny / "papers" / "one2020.yaml", "DPT]", changed)
    assert lint(tiny, APPROVED).ok
    broken(tiny / "papers" / "one2020.yaml", "renamed: {SDF1: CXCL12}", "renamed: {SDF1: CXCL14}")
    assert [finding.code for finding in lint(tiny, APPROVED).findings] == ["original-list"]
