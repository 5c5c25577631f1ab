"""Gene names that something happened to: the cause is named, not only that they are unknown."""

from __future__ import annotations

from collections.abc import Callable

import dask.array
import numpy as np
import pytest
from anndata import AnnData
from scipy import sparse

from cafsc import genes
from cafsc.pp import check, normalize, qc
from cafsc.pp.check.findings import Finding
from cafsc.pp.normalize import lognorm_matrix

HUMAN = sorted(genes.approved("human"))
MOUSE = sorted(genes.approved("mouse"))
IDS = {symbol: gene for gene, symbol in genes.tables.table("human").symbol_of.items()}


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


@pytest.mark.parametrize("prefixes", [("GRCh38_", "mm10___"), ("hg19-", "mm10-"), ("GRCh38.", "GRCm39.")])
@pytest.mark.parametrize("mouse_is_deeper", [False, True])
def test_prefixes_of_two_genomes_take_the_species_with_more_counts(
    small: AnnData, prefixes: tuple[str, str], mouse_is_deeper: bool
) -> None:
    """120 cells: 80 human, 40 mouse; each has a few counts of the other genome."""
    human, mouse = prefixes
    adata = named(
        small,
        [f"{human}{name}" for name in HUMAN[5000:5200]] + [f"{mouse}{name}" for name in MOUSE[5000:5200]],
    )
    counts = np.random.default_rng(0).poisson(2.0, (120, 400)).astype(np.float64)
    counts[:80, 200:] *= np.random.default_rng(1).random((80, 200)) < 0.1
    counts[80:, :200] *= np.random.default_rng(2).random((40, 200)) < 0.1
    counts[80:] *= 10 if mouse_is_deeper else 1
    for matrix in (sparse.csr_matrix(counts), dask.array.from_array(counts, chunks=(50, -1))):
        adata.X = matrix
        for species, used in (("auto", "mouse" if mouse_is_deeper else "human"), ("human", "human")):
            found = find(adata, "mixed_species", species=species)
            assert (found.severity, found.count) == ("warning", 200)
            assert f"{40 if used == 'human' else 80} of 120 cells" in found.message
            assert check(adata, species=species).species == used  # type: ignore[arg-type]
    adata.X = sparse.csr_matrix(counts)
    normalize(adata)
    qc(adata)
    foreign = np.arange(120) < 80 if mouse_is_deeper else np.arange(120) >= 80
    np.testing.assert_array_equal(adata.obs["caf_low_quality"], foreign)
    np.testing.assert_array_equal(adata.obs["caf_pct_counts_foreign"] > 50, foreign)
    assert set(adata.var["caf_symbol"]) >= set(MOUSE[5000:5200] if mouse_is_deeper else HUMAN[5000:5200])


def test_cells_of_the_other_species_are_no_fibroblasts_of_this_one(small: AnnData) -> None:
    adata = named(small, [*HUMAN[5000:5200], *MOUSE[5000:5200]])
    normalize(adata, check(adata, species="human"))
    assert adata.var["caf_symbol"].tolist() == adata.var_names.tolist()
    assert adata.var["caf_foreign"].sum() == 200
    adata.var_names = HUMAN[5000:5400]
    normalize(adata)
    assert "caf_foreign" not in adata.var


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


@pytest.mark.parametrize("limit", [127, 65_535])
def test_counts_cut_off_at_the_end_of_a_type(small: AnnData, limit: int) -> None:
    small.X = sparse.csr_matrix(np.minimum(counts_of(small) * limit, limit))
    assert find(small, "clipped").count > 5


def test_a_sum_beyond_any_number(small: AnnData) -> None:
    matrix = counts_of(small).astype(np.float64)
    for high in (1e308, 1e39):
        matrix[0, :3] = high
        small.X = sparse.csr_matrix(matrix)
        assert find(small, "overflow").severity == "error"


@pytest.mark.parametrize(
    "name", [str, lambda name: name.replace("-", "."), lambda name: f"GRCh38_{name}", IDS.get]
)
def test_mitochondrial_cells_are_found_under_any_name(small: AnnData, name: Callable[[str], str]) -> None:
    mitochondrial = sorted(symbol for symbol in IDS if symbol.startswith("MT-"))[:13]
    symbols = [*mitochondrial, *sorted(IDS)[5000:5387]]
    named(small, [str(name(symbol)) for symbol in symbols])
    assert "high_mito" not in {item.code for item in check(small).findings}
    counts = counts_of(small)
    counts[:, :13] = 20 * counts.mean() + 50
    small.X = np.rint(counts * 10)
    found = find(small, "high_mito")
    assert found.severity == "warning"
    assert 60 < found.count <= 120


@pytest.mark.parametrize("change", [str, str.lower])
def test_no_message_of_python_speaks_of_the_command_line(
    small: AnnData, change: Callable[[str], str]
) -> None:
    matrices = (small.X, small.X * 0, small.X * -0.3, small.X * 0.123, small.X.log1p(), small.X > 0)
    for names in (HUMAN[:400], [*HUMAN[5000:5200], *MOUSE[5000:5200]], [f"{name}-1" for name in HUMAN[:400]]):
        named(small, list(map(change, names)))
        for matrix in matrices:
            small.X = matrix.astype(np.float32)
            report = check(small)
            assert report.findings
            assert "--" not in " ".join(item.message + item.fix for item in report.findings)
