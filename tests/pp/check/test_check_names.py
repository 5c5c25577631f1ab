"""Gene names that something happened to: the cause is named, not only that they are unknown."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from anndata import AnnData
from scipy import sparse

from cafsc import genes
from cafsc.pp import check, normalize
from cafsc.pp.check.findings import Finding
from cafsc.pp.normalize import lognorm_matrix

HUMAN = sorted(genes.approved("human"))
MOUSE = sorted(genes.approved("mouse"))


def named(adata: AnnData, names: list[str]) -> AnnData:
    adata.var_names = names
    return adata


def find(adata: AnnData, code: str, **options: str) -> Finding:
    (found,) = [item for item in check(adata, **options).findings if item.code == code]  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda name: f"{name} ", "blanks, quotes or invisible characters"),
        (lambda name: f'"{name}"', "blanks, quotes or invisible characters"),
        (lambda name: f"b'{name}'", "blanks, quotes or invisible characters"),
        (lambda name: f"\u200b{name}", "blanks, quotes or invisible characters"),
        (lambda name: f"{name}|17", "something behind a bar"),
        (lambda name: f"{name}-1", "a suffix such as -1"),
    ],
)
def test_what_hides_every_name_is_said(small: AnnData, change: Callable[[str], str], words: str) -> None:
    found = find(named(small, [change(name) for name in HUMAN[5000:5400]]), "unknown_genes")
    assert found.severity == "error"
    assert words in found.message


def test_a_few_hidden_names_are_a_warning(small: AnnData) -> None:
    names = HUMAN[5000:5400]
    names[0] = f"\ufeff{names[0]}"
    names[7] = f" {names[7]}"
    found = find(named(small, names), "stray_characters")
    assert (found.severity, found.count) == ("warning", 2)


def test_clean_names_are_not_said_to_be_hidden(small: AnnData) -> None:
    codes = {item.code for item in check(named(small, HUMAN[5000:5400])).findings}
    assert not codes & {"stray_characters", "mixed_species", "unknown_genes"}


def test_two_genomes_in_one_matrix(small: AnnData) -> None:
    adata = named(small, [*HUMAN[5000:5200], *MOUSE[5000:5200]])
    assert find(adata, "mixed_species").severity == "error"
    assert find(adata, "mixed_species", species="human").severity == "warning"


def test_two_genome_prefixes(small: AnnData) -> None:
    names = [f"GRCh38_{name}" for name in HUMAN[5000:5200]] + [f"mm10___{name}" for name in MOUSE[5000:5200]]
    assert find(named(small, names), "mixed_species").severity == "error"


def test_a_minor_second_genome_is_a_warning(small: AnnData) -> None:
    found = find(named(small, [*HUMAN[5000:5280], *MOUSE[5000:5120]]), "mixed_species")
    assert found.severity == "warning"
    assert 80 < found.count <= 120


def test_ensembl_in_small_letters(small: AnnData) -> None:
    found = find(named(small, [f"ensg{number:011d}" for number in range(400)]), "letter_case")
    assert found.severity == "error"
    assert "capitals" in found.fix


def counts_of(adata: AnnData) -> np.ndarray:
    return np.asarray(adata.X.toarray(), dtype=np.float64)


@pytest.mark.parametrize("total", [1e4, 1e6, 0])
def test_log10_is_told_and_undone(small: AnnData, total: float) -> None:
    named(small, HUMAN[5000:5400])
    counts = counts_of(small)
    values = counts / counts.sum(axis=1, keepdims=True) * total if total else counts
    wanted = small.copy()
    normalize(wanted)
    small.X = sparse.csr_matrix(np.log10(values + 1), dtype=np.float32)
    assert check(small).matrix == "log10"
    normalize(small)
    found, true = lognorm_matrix(small).toarray(), lognorm_matrix(wanted).toarray()
    assert np.abs(found - true).max() < 0.01


def test_shares_are_no_counts(small: AnnData) -> None:
    """Whole multiples of a smallest value, but far too little for molecules."""
    small.X = sparse.csr_matrix(counts_of(small) * 1e-30)
    assert check(small).matrix == "normalized"


@pytest.mark.parametrize("limit", [127, 255, 32_767, 65_535])
def test_counts_cut_off_at_the_end_of_a_type(small: AnnData, limit: int) -> None:
    small.X = sparse.csr_matrix(np.minimum(counts_of(small) * limit, limit))
    assert find(small, "clipped").count > 5


def test_a_sum_beyond_any_number(small: AnnData) -> None:
    matrix = counts_of(small).astype(np.float64)
    for high in (1e308, 1e39):
        matrix[0, :3] = high
        small.X = sparse.csr_matrix(matrix)
        assert find(small, "overflow").severity == "error"
