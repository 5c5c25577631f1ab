"""R objects in the shapes that authors save them in become AnnData."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from cafsc.data.convert import from_r, read_r
from cafsc.errors import DatasetError

GENES, CELLS = ["A", "B", "C"], ["x", "y"]
VALUES = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0]])
TYPES = pd.DataFrame({"type": ["CAF", "PVL"]}, index=CELLS)


def _dgc(names: tuple[object, object] = (GENES, CELLS)) -> SimpleNamespace:
    """A dgCMatrix as rdata gives it: a namespace of its slots."""
    matrix = sparse.csc_matrix(VALUES)
    dimnames = [None if item is None else np.array(item) for item in names]
    return SimpleNamespace(
        i=matrix.indices,
        p=matrix.indptr,
        x=matrix.data,
        Dim=np.array(matrix.shape),
        Dimnames=dimnames,
        factors=[],
    )


def _dframe(frame: pd.DataFrame) -> SimpleNamespace:
    return SimpleNamespace(
        rownames=np.array(frame.index),
        nrows=np.array([len(frame)]),
        listData={key: frame[key].to_numpy() for key in frame},
    )


def _sce(matrix: SimpleNamespace, *, old: bool = False) -> SimpleNamespace:
    """A SingleCellExperiment; the old form keeps its assays in an environment."""
    listed = SimpleNamespace(listData={"logcounts": "not this one", "counts": matrix})
    assays = SimpleNamespace(**{".xData": {"data": listed}}) if old else SimpleNamespace(data=listed)
    return SimpleNamespace(
        assays=assays,
        colData=_dframe(TYPES),
        rowRanges=SimpleNamespace(partitioning=SimpleNamespace(NAMES=np.array(GENES))),
        NAMES=None,
        metadata=[],
    )


def _seurat() -> SimpleNamespace:
    return SimpleNamespace(
        assays={"RNA": SimpleNamespace(counts=_dgc(), data=_dgc())}, **{"meta.data": TYPES}
    )


OBJECTS = {
    "SingleCellExperiment": (_sce(_dgc()), True),
    "SingleCellExperiment, names apart": (_sce(_dgc((None, None))), True),
    "SingleCellExperiment, old assays": (_sce(_dgc(), old=True), True),
    "Seurat": (_seurat(), True),
    "dgCMatrix": (_dgc(), False),
    "list of matrix and annotation": ({"mtx": _dgc(), "annots": TYPES}, True),
    "data frame": (pd.DataFrame(VALUES, index=GENES, columns=CELLS), False),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_shapes_of_r_objects(name: str) -> None:
    value, annotated = OBJECTS[name]
    found = from_r({"object": value}, name)
    assert found.X.toarray().tolist() == VALUES.T.tolist()
    assert isinstance(found.X, sparse.csr_matrix)
    assert found.X.dtype == np.float32
    assert found.obs_names.tolist() == CELLS
    assert found.var_names.tolist() == GENES
    assert list(found.obs.columns) == (["type"] if annotated else [])
    if annotated:
        assert found.obs["type"].tolist() == ["CAF", "PVL"]


def _r_matrix(data: Any, converter: Any) -> Any:
    """An R matrix with dimnames, which rdata reads but does not write by itself."""
    from rdata.conversion.to_r import build_r_object
    from rdata.parser import RObjectType

    attributes = {"dim": np.array(data.shape, dtype=np.int32), "dimnames": [np.array(GENES), np.array(CELLS)]}
    return build_r_object(
        RObjectType.REAL,
        value=data.to_numpy().ravel("F"),
        attributes=converter.convert_to_r_attributes(attributes),
    )


def test_labelled_matrix_through_a_real_r_file(tmp_path: Path) -> None:
    import rdata
    import xarray
    from rdata.conversion.to_r import DEFAULT_CLASS_MAP

    path = tmp_path / "matrix.rda"
    content = {"mini": {"mtx": xarray.DataArray(VALUES), "annots": TYPES}}
    rdata.write_rda(path, content, constructor_dict={**DEFAULT_CLASS_MAP, xarray.DataArray: _r_matrix})
    found = from_r(read_r(path), "mini")
    assert found.X.toarray().tolist() == VALUES.T.tolist()
    assert found.obs_names.tolist() == CELLS
    assert found.var_names.tolist() == GENES
    assert found.obs["type"].tolist() == ["CAF", "PVL"]


@pytest.mark.parametrize("content", [{}, {"words": np.array(["a", "b"])}, {"bare": VALUES}])
def test_what_cannot_be_converted_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(DatasetError, match="tiny"):
        from_r(content, "tiny")


def test_annotation_of_other_cells_is_refused() -> None:
    with pytest.raises(DatasetError, match="rows of annotation"):
        from_r({"list": {"mtx": _dgc(), "annots": TYPES.iloc[:1]}}, "tiny")
