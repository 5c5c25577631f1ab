"""What a run brings to light."""

from __future__ import annotations

import numpy as np
from anndata import AnnData

from cafsc.pp import check, normalize, qc
from cafsc.pp.check.outcome import fibroblast_findings, own_set_findings, quality_findings
from cafsc.pp.normalize import lognorm_matrix


def test_sets_that_the_data_cannot_show_are_named() -> None:
    sets = {
        "u/alien": {"ZZZ1": ("ZZZ1",), "ZZZ2": ()},
        "u/half": {"A": ("A",), "B": ("B",)},
        "u/thin": {"A": ("x", "A"), "B": ("y",), "C": ("z",)},
    }
    alien, thin = own_set_findings(sets, {"A", "other", "another"})
    assert "u/alien" in alien.message
    assert "none of its 2 genes" in alien.message
    assert thin.examples == ("B", "C")


def test_a_set_of_most_genes_that_were_measured_is_named() -> None:
    genes = [f"G{number}" for number in range(10)]
    (found,) = own_set_findings({"u/all": {gene: (gene,) for gene in genes[:6]}}, set(genes))
    assert (found.code, found.count) == ("set_is_large", 6)
    assert not own_set_findings({"u/few": {gene: (gene,) for gene in genes[:5]}}, set(genes))


def test_a_gene_under_two_names_is_named() -> None:
    sets = {"u/twice": {"CTGF": ("CCN2",), "CCN2": ("CCN2",), "DCN": ("DCN",)}}
    (found,) = own_set_findings(sets, {"CCN2", "DCN", "LUM", "C7", "FAP"})
    assert (found.code, found.examples) == ("set_names_twice", ("CCN2",))


def test_few_fibroblasts() -> None:
    assert [item.code for item in fibroblast_findings(3)] == ["few_fibroblasts"]
    assert not fibroblast_findings(0)
    assert not fibroblast_findings(300)


def test_many_cells_with_few_genes(small: AnnData) -> None:
    normalize(small)
    qc(small)
    assert not quality_findings(small)
    small.obs["caf_low_quality"] = np.arange(120) < 60
    (item,) = quality_findings(small)
    assert (item.code, item.count) == ("low_quality", 60)


def test_mitochondrial_cells_are_a_finding_of_the_check(small: AnnData) -> None:
    assert "high_mito" not in {item.code for item in check(small).findings}
    counts = small.X.toarray()
    counts[:, :13] = 20 * counts.mean() + 50
    small.X = np.rint(counts * 10)
    small.var_names = [f"MT-{name}" if number < 13 else name for number, name in enumerate(small.var_names)]
    (item,) = [item for item in check(small).findings if item.code == "high_mito"]
    assert item.severity == "warning"
    assert 60 < item.count <= 120


def test_half_precision_is_widened(small: AnnData) -> None:
    wanted = small.copy()
    normalize(wanted)
    small.X = small.X.toarray().astype(np.float16)
    normalize(small)
    assert np.allclose(lognorm_matrix(small).toarray(), lognorm_matrix(wanted).toarray())
    assert small.layers["counts"].dtype == np.float32
