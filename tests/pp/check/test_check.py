"""The check says what a dataset holds, and everything that is wrong with it at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData, read_h5ad
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from cafsc import genes, io
from cafsc.errors import InputError, OptionError
from cafsc.genes.tables import table
from cafsc.pp.check.matrix import matrix_kind, matrix_stats
from cafsc.pp.check.report import CheckReport, check

Matrix = Any


def _codes(report: CheckReport, severity: str | None = None) -> set[str]:
    return {finding.code for finding in report.findings if severity in (None, finding.severity)}


def _with(adata: AnnData, matrix: Matrix) -> AnnData:
    return AnnData(X=matrix, obs=adata.obs, var=adata.var)


def _dense(adata: AnnData) -> np.ndarray:
    return np.asarray(adata.X.todense(), dtype=np.float64)


def _per_cell(adata: AnnData, total: float = 1e4) -> np.ndarray:
    counts = _dense(adata)
    return counts / counts.sum(axis=1, keepdims=True) * total


def _log1p(adata: AnnData) -> np.ndarray:
    return np.log1p(_per_cell(adata))


def _scaled(adata: AnnData) -> np.ndarray:
    values = _log1p(adata)
    return np.clip((values - values.mean(axis=0)) / (values.std(axis=0) + 1e-9), -10, 10)


# ---------------------------------------------------------------- what the matrix holds

TRANSFORMS: dict[str, tuple[str, Callable[[AnnData], np.ndarray]]] = {
    "counts": ("counts", _dense),
    "log1p": ("log1p", _log1p),
    "log1p of CPM": ("log1p", lambda adata: np.log1p(_per_cell(adata, 1e6))),
    "log1p of counts": ("log1p", lambda adata: np.log1p(_dense(adata))),
    "log1p of some genes": ("log1p", lambda adata: _log1p(adata)[:, :250]),
    "log2": ("log2", lambda adata: np.log2(1 + _per_cell(adata))),
    "log2 of counts": ("log2", lambda adata: np.log2(1 + _dense(adata))),
    "log1p twice": ("log1p_twice", lambda adata: np.log1p(_log1p(adata))),
    "per ten thousand": ("normalized", _per_cell),
    "per million, some genes": ("normalized", lambda adata: _per_cell(adata, 1e6)),
    "ambient removed": ("corrected_counts", lambda adata: _dense(adata) * 0.93),
    "expected counts": (
        "corrected_counts",
        lambda adata: _dense(adata) + 0.37 * (np.arange(adata.n_vars) % 11 == 0) * (_dense(adata) > 0),
    ),
    "scaled": ("scaled", _scaled),
    "zeros": ("empty", lambda adata: np.zeros(adata.shape)),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_kind_of_matrix_in_any_layout(small: AnnData, name: str) -> None:
    expected, transform = TRANSFORMS[name]
    for dtype in (np.float32, np.float64):
        values = transform(small).astype(dtype)
        for matrix in (
            values,
            sparse.csr_matrix(values),
            sparse.csc_matrix(values),
            dask.array.from_array(values, chunks=(50, -1)),
        ):
            assert matrix_kind(matrix, matrix_stats(matrix)) == expected


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float64"])
def test_integer_and_float_counts_are_counts_without_a_finding(small: AnnData, dtype: str) -> None:
    matrix = np.minimum(_dense(small), 200).astype(dtype)
    report = check(_with(small, matrix if dtype == "float16" else sparse.csr_matrix(matrix)))
    assert report.matrix == "counts"
    assert report.use == "X"
    assert _codes(report) - {"few_genes", "aliases", "empty_genes"} == set()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), order=st.randoms(use_true_random=False))
def test_kind_does_not_depend_on_the_order_of_cells_and_genes(seed: int, order: Any) -> None:
    random = np.random.default_rng(seed)
    counts = random.poisson(random.gamma(0.5, 4.0, 60), (25, 60)).astype(np.float64) + np.eye(25, 60)
    logged = np.log1p(counts / counts.sum(axis=1, keepdims=True) * 1e4)
    rows, columns = list(range(25)), list(range(60))
    order.shuffle(rows)
    order.shuffle(columns)
    for matrix in (counts, logged):
        moved = matrix[rows][:, columns]
        assert matrix_kind(moved, matrix_stats(moved)) == matrix_kind(matrix, matrix_stats(matrix))


def test_stats_of_a_matrix_with_explicit_zeros_nan_and_inf() -> None:
    dense = np.array([[0, 2, np.nan], [np.inf, 0, -1.5], [0, 0, 0]])
    matrix = sparse.csr_matrix(dense)
    matrix[2, 2] = 1
    matrix[2, 2] = 0
    for stats in (matrix_stats(dense), matrix_stats(matrix)):
        assert (stats.n_values, stats.n_nan, stats.n_inf, stats.n_negative, stats.n_whole) == (4, 1, 1, 1, 1)
        assert stats.high == 2
        assert stats.cell_sums.tolist() == [2, -1.5, 0]
        assert stats.cell_values.tolist() == [1, 1, 0]
        assert stats.gene_values.tolist() == [0, 1, 1]


REAL = {
    "breast_tnbc_wu2021_CID4465": ("counts", "human", "symbol"),
    "pdac_lin2020_P01": ("counts", "human", "symbol"),
    "breast_tnbc_gao2021_302": ("counts", "human", "symbol"),
    "hnscc_puram2017_180": ("log2", "human", "symbol"),
    "mouse_gut_mca2018_219": ("counts", "mouse", "symbol"),
    "cell_lines_tian2019_celseq2": ("counts", "human", "ensembl"),
    "colon_mesenchyme_kinchen2018_250": ("log1p", "human", "symbol"),
}


@pytest.mark.parametrize("name", REAL)
def test_real_datasets(dataset: Callable[[str], AnnData], name: str) -> None:
    report = check(dataset(name), source=name)
    assert (report.matrix, report.species, report.identifiers) == REAL[name]
    assert report.use == "X"
    assert not report.errors
    assert ("few_genes" in _codes(report)) == (
        name in ("hnscc_puram2017_180", "colon_mesenchyme_kinchen2018_250")
    )
    if report.matrix == "counts":
        assert not report.warnings


def test_pbmc_of_scanpy_is_scaled_with_a_usable_raw() -> None:
    scanpy = pytest.importorskip("scanpy")
    folder = Path(scanpy.__file__).parent / "datasets"
    path = next(folder.glob("*pbmc68k_reduced.h5ad"), None)
    if path is None:
        pytest.skip("this scanpy does not bundle pbmc68k_reduced")
    from cafsc import io

    report = check(io.read(path), source=path.name)
    assert (report.use, report.matrix, report.species) == ("raw", "log1p", "human")
    assert "raw_used" in _codes(report, "warning")
    assert not report.errors


# ---------------------------------------------------------------- which matrix is used


def test_scaled_without_raw_is_an_error_that_says_so(small: AnnData) -> None:
    report = check(_with(small, _scaled(small)), source="sample.h5ad")
    assert _codes(report, "error") == {"scaled"}
    with pytest.raises(InputError, match=r"sample\.h5ad: .*negative.*scaled") as caught:
        report.raise_for_errors()
    assert "fix: give the counts" in str(caught.value)
    assert caught.value.exit_code == 2


def test_scaled_variable_genes_with_all_genes_in_raw(small: AnnData) -> None:
    logged = _with(small, sparse.csr_matrix(_log1p(small)))
    adata = _with(small, _scaled(small))[:, :100].copy()
    adata.raw = logged
    report = check(adata)
    assert (report.use, report.matrix, report.n_vars) == ("raw", "log1p", small.n_vars)
    assert "raw_used" in _codes(report, "warning")


def test_counts_layer_is_used_where_x_is_logged(small: AnnData) -> None:
    adata = _with(small, sparse.csr_matrix(_log1p(small)))
    adata.layers["counts"] = small.X
    report = check(adata)
    assert (report.use, report.matrix) == ("layer:counts", "counts")
    assert "counts_in_layer" in _codes(report, "note")
    assert "log1p" not in _codes(report)


def test_raw_is_left_alone_where_x_holds_counts(small: AnnData) -> None:
    small.raw = _with(small, _log1p(small))
    report = check(small)
    assert report.use == "X"
    assert "raw_used" not in _codes(report)


@pytest.mark.parametrize("where", ["layer", "raw"])
def test_no_x(small: AnnData, where: str) -> None:
    adata = AnnData(obs=small.obs, var=small.var)
    if where == "layer":
        adata.layers["counts"] = small.X
    else:
        adata.raw = small
    report = check(adata)
    assert report.use == ("layer:counts" if where == "layer" else "raw")
    assert report.matrix == "counts"


def test_no_matrix_at_all(small: AnnData) -> None:
    with pytest.raises(InputError, match="has no matrix"):
        check(AnnData(obs=small.obs, var=small.var), source="sample.h5ad")


def test_named_layer(small: AnnData) -> None:
    small.layers["ambient_removed"] = small.X * 0.9
    assert check(small, layer="ambient_removed").use == "layer:ambient_removed"
    assert check(small, layer="ambient_removed").matrix == "corrected_counts"
    with pytest.raises(OptionError, match="no layer 'nope'") as caught:
        check(small, layer="nope")
    assert "ambient_removed" in str(caught.value)


def test_unknown_species_is_refused(small: AnnData) -> None:
    with pytest.raises(OptionError, match="zebrafish"):
        check(small, species="zebrafish")  # type: ignore[arg-type]


def test_the_object_is_not_changed(small: AnnData) -> None:
    before = small.copy()
    check(small)
    assert (before.X != small.X).nnz == 0
    pd.testing.assert_frame_equal(before.obs, small.obs)
    pd.testing.assert_frame_equal(before.var, small.var)
    assert not small.uns


# ---------------------------------------------------------------- values


def _first_entries(adata: AnnData, n: int, value: float) -> AnnData:
    matrix = adata.X.copy()
    matrix.data[:n] = value
    return _with(adata, matrix)


@pytest.mark.parametrize(
    ("value", "code"), [(np.nan, "nan"), (np.inf, "inf"), (-np.inf, "inf"), (-1, "negative_counts")]
)
def test_values_that_nothing_can_be_computed_from(small: AnnData, value: float, code: str) -> None:
    report = check(_first_entries(small, 7, value))
    finding = next(finding for finding in report.errors if finding.code == code)
    assert finding.count == 7
    assert finding.fix


def test_all_errors_are_reported_at_once(small: AnnData) -> None:
    adata = _first_entries(small, 3, np.nan)
    adata.X.data[5] = np.inf
    adata.var_names = [str(1000 + number) for number in range(adata.n_vars)]
    report = check(adata, source="sample.h5ad")
    assert {"nan", "inf", "numeric_genes"} <= _codes(report, "error")
    with pytest.raises(InputError) as caught:
        report.raise_for_errors()
    text = str(caught.value)
    assert all(word in text for word in ("sample.h5ad", "NaN", "infinite", "Entrez"))
    assert len(text.splitlines()) <= 8


def test_empty_cells_and_genes_are_counted(small: AnnData) -> None:
    counts = _dense(small)
    counts[::10] = 0
    counts[:, :7] = 0
    report = check(_with(small, sparse.csr_matrix(counts)))
    found = {finding.code: finding for finding in report.findings}
    assert found["empty_cells"].count == 12
    assert found["empty_cells"].severity == "warning"
    assert found["empty_genes"].count >= 7
    assert not report.errors


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda counts: (counts > 0).astype(bool), "binary"),
        (lambda counts: np.minimum(counts * 20, 255).astype(np.uint8), "clipped"),
        (lambda counts: counts * 2.0**22, "huge_counts"),
        (lambda counts: counts * 10_000, "deep"),
        (lambda counts: counts + 1, "dense_values"),
        (lambda counts: counts * (np.arange(counts.shape[1]) % 10 == 0), "shallow"),
        (lambda counts: np.vstack([counts[:60], counts[:60]]), "copied_cells"),
    ],
)
def test_counts_that_are_odd_give_a_warning(
    small: AnnData, change: Callable[[np.ndarray], np.ndarray], code: str
) -> None:
    report = check(_with(small, change(_dense(small))))
    assert code in _codes(report, "warning")
    assert code not in _codes(check(small))


def test_many_blocks_are_summed_up_as_one() -> None:
    dense = np.random.default_rng(0).poisson(0.5, (5000, 40)).astype(np.float64)
    dense[3, 2], dense[4000, 1], dense[100, 0] = np.nan, -3.0, 99.0
    whole = matrix_stats(dense)
    for form in (dask.array.from_array(dense, chunks=(700, -1)), sparse.csc_matrix(dense)):
        for name, value in vars(matrix_stats(form)).items():
            np.testing.assert_array_equal(value, getattr(whole, name), err_msg=name)


def test_identical_cells_are_an_error(small: AnnData) -> None:
    report = check(_with(small, np.repeat(_dense(small)[:1], small.n_obs, axis=0)))
    assert "identical_cells" in _codes(report, "error")


@pytest.mark.parametrize(
    ("rows", "columns", "code", "severity"),
    [
        (0, 400, "no_cells", "error"),
        (120, 0, "no_genes", "error"),
        (1, 400, "too_few_cells", "error"),
        (10, 400, "few_cells", "warning"),
        (120, 1, "too_few_genes", "error"),
    ],
)
def test_sizes(small: AnnData, rows: int, columns: int, code: str, severity: str) -> None:
    report = check(small[:rows, :columns].copy())
    assert code in _codes(report, severity)


def test_text_matrix_is_refused(small: AnnData) -> None:
    adata = AnnData(obs=small.obs, var=small.var)
    adata.layers["words"] = np.full(small.shape, "1")
    with pytest.raises(InputError, match="not numeric"):
        check(adata, layer="words")


def test_a_matrix_that_anndata_keeps_open_is_refused_with_the_way_out(small: AnnData, tmp_path: Path) -> None:
    small.write_h5ad(tmp_path / "sample.h5ad")
    with pytest.raises(InputError, match="to_memory"):
        check(read_h5ad(tmp_path / "sample.h5ad", backed="r"))


def test_a_backed_matrix_is_checked_as_one_in_memory(small: AnnData, tmp_path: Path) -> None:
    small.X[3, :] = 0
    small.write_h5ad(tmp_path / "sample.h5ad")
    found = check(io.read(tmp_path / "sample.h5ad", backed=True))
    assert found.to_dict() == check(small).to_dict()
    assert "empty_cells" in {finding.code for finding in found.findings}


# ---------------------------------------------------------------- names


def _named(adata: AnnData, names: list[str]) -> CheckReport:
    adata.var_names = names
    return check(adata, source="sample.h5ad")


def test_duplicated_names_are_counted_and_left(small: AnnData) -> None:
    names = small.var_names.tolist()
    names[1] = names[2] = names[0]
    small.obs_names = ["x", "x", *small.obs_names[2:]]
    report = _named(small, names)
    found = {finding.code: finding for finding in report.warnings}
    assert found["duplicated_gene_names"].count == 2
    assert found["duplicated_gene_names"].examples == (names[0],)
    assert found["duplicated_cell_names"].count == 1
    assert small.var_names.tolist() == names


def test_transposed(small: AnnData) -> None:
    report = check(small.T.copy(), source="sample.h5ad")
    assert _codes(report, "error") == {"transposed"}
    with pytest.raises(InputError, match="transposed"):
        report.raise_for_errors()


def test_mouse(small: AnnData) -> None:
    report = _named(small, sorted(genes.approved("mouse"))[5000:5400])
    assert report.species == "mouse"
    assert not report.errors


def _ensembl(small: AnnData) -> list[str]:
    return sorted(map(str, table("human").symbol_of))[: small.n_vars]


@pytest.mark.parametrize("version", ["", ".12"])
def test_ensembl_identifiers(small: AnnData, version: str) -> None:
    report = _named(small, [f"{name}{version}" for name in _ensembl(small)])
    assert (report.species, report.identifiers, report.gene_names) == ("human", "ensembl", "var_names")
    assert "ensembl" in _codes(report, "note")


def test_symbols_in_a_column_are_found(small: AnnData) -> None:
    small.var["feature_name"] = small.var_names.to_numpy()
    report = _named(small, _ensembl(small))
    assert (report.gene_names, report.identifiers) == ("feature_name", "symbol")
    assert "symbols_in_column" in _codes(report, "note")
    report = _named(small, [str(number) for number in range(small.n_vars)])
    assert report.gene_names == "feature_name"
    assert not report.errors


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda number, name: str(1000 + 7 * number), "numeric_genes"),
        (lambda number, name: f"qzx{number}b", "unknown_genes"),
        (lambda number, name: name.lower(), "species_unknown"),
        (
            lambda number, name: "".join(c.lower() if i % 2 else c for i, c in enumerate(name)),
            "species_unknown",
        ),
    ],
)
def test_names_that_nothing_can_be_looked_up_by(
    small: AnnData, change: Callable[[int, str], str], code: str
) -> None:
    report = _named(small, [change(number, name) for number, name in enumerate(small.var_names)])
    assert code in _codes(report, "error")


def test_lower_case_passes_where_the_species_is_given(small: AnnData) -> None:
    small.var_names = small.var_names.str.lower()
    report = check(small, species="human")
    assert report.species == "human"
    assert not report.errors
    assert "letter_case" in _codes(report, "warning")


def test_given_species_that_does_not_fit(small: AnnData) -> None:
    assert "species_mismatch" in _codes(check(small, species="mouse"), "warning")


@pytest.mark.parametrize(
    ("change", "code", "count"),
    [
        ({3: "1-Mar", 4: "2-Sep", 5: "2021-03-01"}.get, "excel_dates", 3),
        ({3: "", 4: "nan"}.get, "blank_genes", 2),
        (lambda number, name: f"GRCh38_{name}", "genome_prefix", 400),
        (lambda number, name: f"hg38-{name}", "genome_prefix", 400),
        (lambda number, name: f"{name}-1" if number % 10 == 0 else name, "unique_suffix", None),
    ],
)
def test_damaged_gene_names_give_a_warning(
    small: AnnData, change: Callable[[int, str], str], code: str, count: int | None
) -> None:
    assert code not in _codes(check(small))
    report = _named(small, [change(number, name) for number, name in enumerate(small.var_names)])
    finding = next(finding for finding in report.warnings if finding.code == code)
    assert count is None or finding.count == count
    assert "letter_case" not in _codes(report)


def test_names_from_a_file_cannot_steer_the_terminal(small: AnnData) -> None:
    small.obs_names = [f"\x1b[31mred{number}\x07" for number in range(small.n_obs)]
    report = check(small)
    finding = next(finding for finding in report.warnings if finding.code == "odd_cell_names")
    assert finding.count == small.n_obs
    assert "\x1b" not in report.to_json().encode().decode("unicode_escape")


# ---------------------------------------------------------------- panels


def test_variable_genes_only_is_a_warning_by_count(tumour: AnnData) -> None:
    from cafsc import sig

    core = {gene for panel in sig.load().lineages.values() for gene in panel.core}
    rest = tumour[:, [name for name in tumour.var_names if name not in core]].copy()
    report = check(rest)
    finding = next(finding for finding in report.warnings if finding.code == "few_genes")
    assert finding.count == rest.n_vars
    assert "0% of lineage genes" in finding.message
    assert "few_genes" in _codes(check(tumour), "note")


def test_whole_transcriptome_is_not_called_a_panel(dataset: Callable[[str], AnnData]) -> None:
    assert "few_genes" not in _codes(check(dataset("pdac_lin2020_P01")))


# ---------------------------------------------------------------- the report


def test_report_as_json(small: AnnData) -> None:
    report = check(_first_entries(small, 3, np.nan), source="sample.h5ad")
    plain = json.loads(report.to_json())
    assert plain["source"] == "sample.h5ad"
    assert plain["n_obs"] == small.n_obs
    assert {"code", "severity", "message", "count", "examples", "fix"} == set(plain["findings"][0])
