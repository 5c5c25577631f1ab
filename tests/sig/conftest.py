"""A tiny catalogue on disk, whole and without findings, for tests to break."""

from __future__ import annotations

from pathlib import Path

import pytest

ONE = """\
paper: {key: one2020, first_author: One, year: 2020, journal: J, title: T, doi: 10.1000/one, verified: read}
context: {species: [human], cancer: [breast], tissue: tumour, assay: scRNA-seq}
sets:
  myCAF: {label: myCAF, up: [ACTA2, TAGLN, POSTN], down: [CFD], derivation: d, seen_in: s, verified: read}
  iCAF: {label: iCAF, up: [CXCL12, CFD, DPT], derivation: d, seen_in: s, verified: read}
claims:
  - {id: one2020-pro, about: 'set:one2020/myCAF', effect: pro, evidence: [in_vivo], cancer: [breast],
     species: [human], statement: they push, verified: read}
"""
TWO = """\
paper: {key: two2021, first_author: Two, year: 2021, journal: J, title: U, pmid: '123', verified: abstract}
context: {species: [mouse], cancer: [pdac]}
sets:
  levels: {label: levels, levels: {FAP: high, CAV1: low}, derivation: d, seen_in: s, verified: read}
  Col: {label: Col, species: mouse, up: [Col1a1, Acta2], derivation: d, seen_in: s, verified: read}
claims:
  - {id: two2021-anti, about: 'state:iCAF', effect: anti, evidence: [patients], cancer: [pan],
     species: [mouse], statement: they hold back, verified: abstract}
"""
RECORDS = {
    "axes/ligand_receptor.yaml": (
        "pairs:\n"
        "  - {id: lr-one, ligand: [CXCL12], receptor: [CXCR4], directions: [caf>t_cell], effect: pro, named: both,\n"
        "     in_liana_consensus: true, cancer: [breast], statement: holds T cells off, sources: [one2020],\n"
        "     review_claims: [S002-001]}\n"
    ),
    "axes/exosome.yaml": (
        "axes:\n"
        "  - {id: exo-one, cargo: hsa-miR-21-5p, cargo_kind: mirna, direction: caf>tumour, targets: [APAF1],\n"
        "     target_change: down, effect: pro, cancer: [pan], measurable: indirect, statement: less death,\n"
        "     sources: [two2021], review_claims: [S002-002]}\n"
    ),
    "agents.yaml": (
        "agents:\n"
        "  - {id: drug, label: Drug, kind: antibody, targets: [IL6R], acts_on: caf, mechanism: blocks IL-6,\n"
        "     shown: less growth in mice, evidence: in_vivo, cancer: [breast], sources: [one2020]}\n"
    ),
    "biomarkers.yaml": (
        "biomarkers:\n"
        "  - {id: mark, label: Mark, genes: [CAV1], measured_in: tumour stroma, predicts: relapse,\n"
        "     prognosis: better, cancer: [breast], statement: loss goes with relapse, sources: [one2020]}\n"
    ),
    "not_measurable.yaml": (
        "unmeasured:\n"
        "  - {id: stiff, what: stiffness, why: not RNA, proxy: 'program:contract'}\n"
        "  - {id: mature-mirna, what: mature miRNA, why: no poly-A, proxy: the targets of the recipient}\n"
    ),
    "recipients.yaml": (
        "cells:\n  t_cell: {lineage: fibroblast, core: [CD3D], sources: [two2021]}\n"
        "responses:\n  tired:\n    label: tired\n    meaning: tired\n    cells: [t_cell]\n"
        "    parts: [{paper: one2020, up: [PDCD1], seen_in: s}]\n"
        "footprints:\n  tgfb: [program:contract, response:tired]\n"
    ),
    "no_fixed_sign.yaml": "subjects:\n  gene:ACTA2: restrains and promotes\n  program:contract: both\n",
    "review_claims.tsv": (
        "id\treview\tsection\tkind\tlines\tgist\n"
        "S002-001\t002\tImmune\tligand_receptor\t10-12\tCXCL12 holds T cells off\n"
        "S002-002\t002\tExosomes\texosome\t20,22\tmiR-21 lowers APAF1\n"
    ),
}
REST = {
    "programs/contract.yaml": (
        "{id: contract, label: contractility, meaning: m, parts: ["
        "{paper: one2020, up: [ACTA2, MYL9], seen_in: s}, {paper: two2021, up: [MYL9, CNN1], seen_in: s}]}\n"
    ),
    "lineages.yaml": (
        "lineages:\n"
        "  fibroblast: {label: fibroblast, core: [COL1A1, DCN], excludes: [EPCAM], sources: [one2020]}\n"
    ),
    "schemes.yaml": (
        "schemes:\n"
        "  one: {label: One, paper: one2020, method: scores, members: [one2020/myCAF, one2020/iCAF]}\n"
    ),
    "crosswalk.yaml": (
        "states:\n  iCAF: {label: iCAF, meaning: m, members: [one2020/iCAF], basis: b}\n"
        "  myCAF: {label: myCAF, meaning: m, members: [one2020/myCAF], basis: b}\n"
    ),
    "cancers.yaml": (
        "cancers:\n"
        "  breast: {label: breast cancer, organ: breast, aliases: [BRCA, mammary]}\n"
        "  pdac: {label: pancreatic ductal adenocarcinoma, organ: pancreas, aliases: [pancreas]}\n"
    ),
    "weights.yaml": (
        "evidence: {in_vivo: 1.0, patients: 0.7, in_vitro: 0.5, review: 0.2}\n"
        "cancer: {same: 1.0, same_organ: 0.8, pan: 0.7, other: 0.3, unknown: 0.5}\n"
        "species: {same: 1.0, other: 0.6}\nwhy: {evidence: e, cancer: c, species: s}\n"
    ),
}


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Folder of a catalogue with two papers, one programme, one scheme, two states, and a record of each kind."""
    root = tmp_path / "catalogue"
    for name, text in {"papers/one2020.yaml": ONE, "papers/two2021.yaml": TWO, **REST, **RECORDS}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def paper_text() -> str:
    """A paper file that a user might bring."""
    return ONE.replace("one2020", "mine").replace("10.1000/one", "10.1000/mine")
