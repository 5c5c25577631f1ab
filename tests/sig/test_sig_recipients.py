"""Recipients and footprints of the catalogue."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cafsc import genes, sig
from cafsc.errors import CatalogueError

GOOD = """
cells:
  tumour: {lineage: epithelial}
  t_cell: {lineage: t_nk, core: [CD3D], sources: [azizi2018]}
responses:
  tired:
    label: tired
    meaning: tired
    cells: [t_cell]
    parts: [{paper: azizi2018, up: [PDCD1], seen_in: nowhere}]
footprints:
  tgfb: ["program:tgfb-response", "response:tired"]
"""


def linted(tmp_path: Path, text: str) -> list[str]:
    """Findings of the shipped catalogue with another file of recipients."""
    root = tmp_path / "signatures"
    shutil.copytree(sig.signatures_dir(), root)
    (root / "recipients.yaml").write_text(text)
    return [
        f"{finding.code}: {finding.message}"
        for finding in sig.lint(
            root, {"human": genes.approved("human"), "mouse": genes.approved("mouse")}
        ).findings
        if finding.file == "recipients.yaml"
    ]


def test_a_good_file_has_no_findings(tmp_path: Path) -> None:
    assert linted(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("lineage: t_nk", "lineage: t_cells", "unknown-subject"),
        ("sources: [azizi2018]", "sources: [gone]", "unknown-paper"),
        ("paper: azizi2018", "paper: gone", "unknown-paper"),
        ("response:tired", "response:gone", "unknown-subject"),
        ("program:tgfb-response", "program:gone", "unknown-subject"),
        ("CD3D", "CD3DX", "gene"),
        ("PDCD1", "PDCD1X", "gene"),
    ],
)
def test_what_is_nowhere_is_found(tmp_path: Path, old: str, new: str, code: str) -> None:
    findings = linted(tmp_path, GOOD.replace(old, new))
    assert len(findings) == 1
    assert findings[0].startswith(code)


def test_an_unknown_kind_of_cell_is_refused(tmp_path: Path) -> None:
    findings = linted(tmp_path, GOOD.replace("t_cell:", "lymphocyte:"))
    assert findings
    with pytest.raises(CatalogueError, match="recipients"):
        sig.read(tmp_path / "signatures")


def test_every_receiver_of_the_records_is_said_to_be_there_or_not() -> None:
    catalogue = sig.load()
    words = {word for pair in catalogue.pairs.values() for one in pair.directions for word in one.split(">")}
    words |= {word for axis in catalogue.exosome_axes.values() for word in axis.direction.split(">")}
    untold = words - set(catalogue.recipients.cells) - {"caf", "any"}
    assert untold == {"msc", "normal_fibroblast"}
