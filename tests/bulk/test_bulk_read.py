"""Reading cohorts: orientation, scale, names, and every way in which a table can be wrong."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from mixtures import SCALES, Cohort

from cafsc import bulk, genes
from cafsc.bulk.levels import levels, log2_levels, scale_of
from cafsc.errors import InputError


@pytest.fixture
def some(cohort: Cohort) -> pd.DataFrame:
    """Ten samples x 300 genes of counts."""
    return cohort.counts.iloc[:10, :300]


def write(frame: pd.DataFrame, path: Path, separator: str = "\t", label: str | None = "gene") -> Path:
    frame.to_csv(path, sep=separator, index_label=label)
    return path


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("name", "separator"), [("m.csv", ","), ("m.tsv.gz", "\t"), ("m.txt", ";")])
def test_tables_are_read_either_way_round(
    some: pd.DataFrame, tmp_path: Path, name: str, separator: str, turned: bool
) -> None:
    found = bulk.read(write(some.T if turned else some, tmp_path / name, separator))
    pd.testing.assert_frame_equal(
        found, some, check_names=False, check_index_type=False, check_column_type=False
    )
    assert any("genes in rows" in note for note in found.attrs["cafsc_notes"]) == turned


def test_h5ad_either_way_round(some: pd.DataFrame, tmp_path: Path) -> None:
    for turned, frame in enumerate((some, some.T)):
        path = tmp_path / f"{turned}.h5ad"
        anndata.AnnData(frame.astype(np.float32)).write_h5ad(path)
        np.testing.assert_allclose(bulk.read(path).to_numpy(), some.to_numpy())


def test_header_as_r_writes_it(some: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "r.tsv"
    path.write_text(some.T.to_csv(sep="\t").lstrip("\t"))
    assert list(bulk.read(path).index) == list(some.index)


def test_gct_and_annotation_columns(some: pd.DataFrame, tmp_path: Path) -> None:
    table = some.T.reset_index(names="Name")
    table.insert(0, "Entrez", range(len(table)))
    table.insert(2, "Description", "some words")
    table.insert(3, "Length", 1000)
    path = tmp_path / "m.gct"
    path.write_text(f"#1.2\n{len(table)}\t{some.shape[0]}\n" + table.to_csv(sep="\t", index=False))
    found = bulk.read(path)
    assert list(found.index) == list(some.index)
    assert "Description" in " ".join(found.attrs["cafsc_notes"])


def test_samples_without_names_are_numbered_and_annotation_left_out(
    some: pd.DataFrame, tmp_path: Path
) -> None:
    path = tmp_path / "m.csv"
    some.to_csv(path, index=False)
    assert list(bulk.read(path).index) == [str(n) for n in range(1, 11)]
    table = some.copy()
    table.insert(0, "subtype", "basal")
    assert list(bulk.read(write(table, path, ",")).columns) == list(some.columns)


def test_ensembl_ids_with_version(cohort: Cohort) -> None:
    ids = {symbol: gene for gene, symbol in genes.tables.table("human").symbol_of.items()}
    known = [name for name in cohort.counts.columns if name in ids]
    frame = cohort.counts[known]
    named = frame.set_axis([f"{ids[name]}.7" for name in known], axis=1)
    one, other = (levels(table, "auto", "x") for table in (frame, named))
    assert one.symbols == other.symbols
    assert "Ensembl" in " ".join(other.notes)


def test_mouse(cohort: Cohort) -> None:
    pairs = genes.translate(cohort.counts.columns, "human", "mouse")
    taken = {name: mouse[0] for name, mouse in pairs.items() if mouse}
    frame = cohort.counts[list(taken)].rename(columns=taken)
    found = bulk.score(frame, ssgsea=False)
    assert found.summary["input"]["species"] == "mouse"
    truth = cohort.shares["myCAF"]
    assert found.scores["state:myCAF"].corr(truth, method="spearman") > 0.85


def test_the_duplicate_with_the_highest_mean_is_kept(cohort: Cohort) -> None:
    gene = cohort.counts.mean().idxmax()
    tpm = cohort.tpm
    found = levels(pd.concat([tpm[[gene]] * 0.01, tpm], axis=1), "human", "x")
    assert found.symbols.count(gene) == 1
    kept = found.values[:, found.symbols.index(gene)]
    np.testing.assert_allclose(kept, np.log2(tpm[gene] + 1), atol=0.02)
    assert "more than once" in " ".join(found.notes)


@pytest.mark.parametrize("scale", SCALES)
def test_scales_are_recognised_and_brought_to_log2(cohort: Cohort, scale: str) -> None:
    values = SCALES[scale](cohort).to_numpy()
    assert scale_of(values, "x") == scale
    offset = 30.3 if scale == "log2_intensities" else 31.3 if scale == "intensities" else 1
    expected = np.log2(cohort.tpm.to_numpy() + offset)
    np.testing.assert_allclose(log2_levels(values, scale), expected, atol=1e-6)  # type: ignore[arg-type]


def test_negative_logs_are_used_and_centred_genes_refused(cohort: Cohort) -> None:
    values = np.log2(cohort.tpm.to_numpy() + 0.001)
    assert scale_of(values, "x") == "log2"
    with pytest.raises(InputError, match="centred"):
        scale_of(values - values.mean(axis=0), "x")
    with pytest.raises(InputError, match="negative"):
        scale_of(cohort.tpm.to_numpy() - 5, "x")


def _text_cell(frame: pd.DataFrame) -> pd.DataFrame:
    out = frame.T.astype(object)
    out.iloc[3, 2] = "abc"
    return out


def _cell(value: float) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        out = frame.copy()
        out.iloc[2, 5] = value
        return out

    return change


WRONG: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "text among numbers": (_text_cell, "'abc' in row .*column 'S003'"),
    "missing": (_cell(np.nan), r"1 values are missing.*'S003' is missing"),
    "infinite": (_cell(np.inf), "infinite"),
    "one sample": (lambda frame: frame.iloc[:1], "a single sample"),
    "two samples": (lambda frame: frame.iloc[:2], "2 samples"),
    "repeated sample": (lambda frame: frame.rename(index={"S002": "S001"}).T, "twice, such as 'S001'"),
    "empty sample": (lambda frame: frame.mul([0] + [1] * (len(frame) - 1), axis=0), "1 samples are empty"),
    "few genes": (lambda frame: frame.iloc[:, :20], "only 20 of 20 names"),
    "no genes": (
        lambda frame: frame.set_axis([f"probe_{n}_at" for n in range(300)], axis=1),
        "no genes recog",
    ),
    "no samples": (lambda frame: frame.iloc[:0], "no rows|0 samples"),
    "no columns": (lambda frame: frame.T.iloc[:, :0], "without tab or comma|0 samples|one column"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_tables_are_refused_by_name(some: pd.DataFrame, tmp_path: Path, what: str) -> None:
    change, message = WRONG[what]
    path = write(change(some), tmp_path / "wrong.tsv")
    with pytest.raises(InputError, match=message) as stop:
        bulk.score(bulk.read(path), ssgsea=False, source=path.name)
    assert "wrong.tsv" in str(stop.value)
    assert stop.value.expected and stop.value.fix


FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "words": (b"this is a letter\nto a friend\n", "not a table"),
    "ragged": (b"gene\ta\tb\nx\t1\t2\ny\t1\t2\t3\t4\n", "not a table"),
    "binary": (b"\x00\x01\x02" * 50, "binary"),
    "zip": (b"PK\x03\x04" + b"x" * 50, "zip archive or an Excel"),
    "utf16": ("gene\ta\n".encode("utf-16"), "UTF-16"),
    "latin1": ("gene\tGröße\nA\t1\n".encode("latin-1"), "UTF-8"),
    "cut gzip": (gzip.compress(b"gene\ta\tb\n" + b"TP53\t1\t2\n" * 5000)[:60], "damaged"),
    "header only": (b"gene\ta\tb\n", "no rows"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + b"\0" * 50, "cannot|damaged|truncated"),
}


@pytest.mark.parametrize("what", FILES)
def test_files_that_are_no_tables(tmp_path: Path, what: str) -> None:
    content, message = FILES[what]
    path = tmp_path / "wrong.tsv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as stop:
        bulk.read(path)
    assert "wrong.tsv" in str(stop.value)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        bulk.read(tmp_path / "none.tsv")
    with pytest.raises(InputError, match="folder"):
        bulk.read(tmp_path)


def test_a_table_that_does_not_fit_in_memory(
    some: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(some, tmp_path / "big.tsv.gz")
    monkeypatch.setattr("cafsc.bulk.table.memory", lambda: 1000)
    with pytest.raises(InputError, match="memory"):
        bulk.read(path)


def test_names_in_lower_case_need_the_species(some: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="species='human'"):
        bulk.score(some.rename(columns=str.lower), ssgsea=False)
    assert bulk.score(some.rename(columns=str.lower), species="human", ssgsea=False).summary
