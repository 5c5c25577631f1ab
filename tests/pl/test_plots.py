from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import anndata as ad
import matplotlib as mpl
import numpy as np
import pytest
from annotated import CLUSTERS, annotated
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cafsc import get, pl
from cafsc._keys import Keys
from cafsc.errors import InputError, OptionError
from cafsc.pl._style import BLUE, CATEGORIES, VERMILION, category_looks
from cafsc.pp.normalize import lognorm_matrix

Draw = Callable[..., Axes]
ALL: tuple[Draw, ...] = (pl.embedding, pl.dotplot, pl.score_heatmap, pl.evidence_chart, pl.lineage_bar)
OF_CLUSTERS: tuple[Draw, ...] = (pl.dotplot, pl.score_heatmap, pl.evidence_chart)


def bars(ax: Axes) -> list[Rectangle]:
    return [p for p in ax.patches if isinstance(p, Rectangle)]


def labels(ax: Axes) -> list[str]:
    return [t.get_text() for t in ax.get_yticklabels()]


@pytest.mark.parametrize("draw", ALL)
def test_the_users_axes_are_used(adata: ad.AnnData, draw: Draw) -> None:
    ax = Figure().add_subplot()
    assert draw(adata, ax=ax) is ax


@pytest.mark.parametrize("draw", ALL)
def test_the_same_calls_give_the_same_bytes(draw: Draw) -> None:
    assert pl.to_svg(draw(annotated())) == pl.to_svg(draw(annotated()))
    assert pl.to_png(draw(annotated()), dpi=60) == pl.to_png(draw(annotated()), dpi=60)


@pytest.mark.parametrize("draw", ALL)
def test_saving_leaves_no_date_and_no_setting_behind(adata: ad.AnnData, draw: Draw) -> None:
    before = dict(mpl.rcParams)
    svg = pl.to_svg(draw(adata))
    assert dict(mpl.rcParams) == before
    assert "dc:date" not in svg
    assert mpl.__version__ not in svg


@pytest.mark.parametrize("draw", ALL)
def test_the_object_is_not_changed(adata: ad.AnnData, draw: Draw) -> None:
    draw(adata)
    untouched = annotated()
    assert adata.obs.equals(untouched.obs)
    assert set(adata.obsm) == set(untouched.obsm)
    assert set(adata.uns) == set(untouched.uns)
    assert (adata.X != untouched.X).nnz == 0


@pytest.mark.parametrize("draw", ALL)
def test_markup_in_names_is_text_in_svg(adata: ad.AnnData, draw: Draw) -> None:
    assert "<script" not in pl.to_svg(draw(adata))


@pytest.mark.parametrize("draw", OF_CLUSTERS)
def test_without_clusters_the_reason_is_pointed_to(empty: ad.AnnData, draw: Draw) -> None:
    with pytest.raises(InputError, match="no fibroblast cluster"):
        draw(empty)


@pytest.mark.parametrize("draw", ALL)
def test_an_unannotated_object_is_refused(draw: Draw) -> None:
    with pytest.raises(InputError, match=r"run cafsc\.annotate first"):
        draw(ad.AnnData(np.zeros((2, 2), dtype=np.float32)))


def test_pyplot_is_not_imported() -> None:
    code = "import sys, cafsc.pl; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_dollars_are_not_mathematics(adata: ad.AnnData) -> None:
    adata.obs["note"] = np.where(np.arange(adata.n_obs) % 2, "$\\frac$", "$a$ b")
    assert "$\\frac$" in pl.to_svg(pl.embedding(adata, "note")).replace("&#36;", "$")


def test_embedding_shows_only_kept_cells_of_the_fibroblast_pca(adata: ad.AnnData) -> None:
    points = [c for c in pl.embedding(adata).collections if isinstance(c, PathCollection)]
    assert sum(len(c.get_offsets()) for c in points) == sum(n for _, n, *_ in CLUSTERS)


def test_embedding_prefers_a_umap(adata: ad.AnnData) -> None:
    adata.obsm["X_umap"] = np.random.default_rng(0).normal(size=(adata.n_obs, 2))
    ax = pl.embedding(adata)
    assert ax.get_xlabel() == "UMAP 1"
    assert sum(len(c.get_offsets()) for c in ax.collections) == adata.n_obs
    assert pl.embedding(adata, basis=Keys().pca).get_xlabel() == "PC 1"


def test_embedding_takes_numbers(adata: ad.AnnData) -> None:
    figure = pl.embedding(adata, Keys().confidence).figure
    assert isinstance(figure, Figure)
    assert len(figure.axes) == 2


@pytest.mark.parametrize("options", [{"color": "absent"}, {"basis": "X_absent"}])
def test_embedding_names_what_is_missing(adata: ad.AnnData, options: dict[str, str]) -> None:
    with pytest.raises(OptionError, match="absent"):
        pl.embedding(adata, **options)  # type: ignore[arg-type]


def test_dotplot_measures_the_counts(adata: ad.AnnData) -> None:
    ax = pl.dotplot(adata, ["COL1A1"])
    dots = next(c for c in ax.collections if isinstance(c, PathCollection))
    here = (adata.obs[Keys().cluster] == "0").to_numpy()
    values = lognorm_matrix(adata)[here][:, 0].toarray()
    shown = dots.get_array()
    assert shown is not None
    assert shown[0] == pytest.approx(values.mean())
    assert dots.get_sizes()[0] == pytest.approx(150 * (values > 0).mean())


def test_dotplot_shows_the_genes_that_carried_the_names(adata: ad.AnnData) -> None:
    genes = [t.get_text() for t in pl.dotplot(adata, n_genes=2).get_xticklabels()]
    assert genes == ["COL1A1", "POSTN", "CXCL12", "C3", "MCAM", "NOTCH3", "FAP"]


def test_dotplot_refuses_genes_that_are_not_there(adata: ad.AnnData) -> None:
    with pytest.raises(OptionError, match="none of the 1 genes"):
        pl.dotplot(adata, ["NOSUCHGENE"])


def test_heatmap_shows_the_effects(adata: ad.AnnData) -> None:
    ax = pl.score_heatmap(adata)
    mesh = next(c for c in ax.collections if isinstance(c, QuadMesh))
    values = np.asarray(mesh.get_array()).reshape(5, len(CLUSTERS))
    scores = get.scores(adata).set_index(["cluster", "set"])["effect"]
    row = labels(ax).index("iCAF · elyada")
    assert values[row, 1] == pytest.approx(scores["1", "elyada2019/iCAF"])


def test_heatmap_keeps_the_strongest_sets(adata: ad.AnnData) -> None:
    scores = get.scores(adata)
    best = scores[scores["kind"] == "subtype"].groupby("set")["effect"].max().nlargest(2).index
    shown = labels(pl.score_heatmap(adata, n_sets=2))
    assert {name.split(" · ")[0] for name in shown} == {str(s).rpartition("/")[2] for s in best}


def test_heatmap_names_the_kinds_there_are(adata: ad.AnnData) -> None:
    with pytest.raises(InputError, match="program, subtype"):
        pl.score_heatmap(adata, "state")


def test_evidence_points_pro_to_the_right_and_anti_to_the_left(adata: ad.AnnData) -> None:
    drawn = bars(pl.evidence_chart(adata))
    pro = [b for b in drawn if b.get_facecolor()[:3] == to_rgb(VERMILION)]
    anti = [b for b in drawn if b.get_facecolor()[:3] == to_rgb(BLUE)]
    claims = get.evidence(adata)
    for sign, side, effect in ((1, pro, "pro"), (-1, anti, "anti")):
        weights = claims.loc[(claims["effect"] == effect) & claims["counted"], "weight"]
        assert len(side) == len(weights)
        assert sum(b.get_width() for b in side) == pytest.approx(sign * weights.sum())


def test_evidence_draws_one_segment_a_paper(adata: ad.AnnData) -> None:
    before = len(bars(pl.evidence_chart(adata)))
    stored = adata.uns["cafsc"]["evidence"]
    stored.loc[stored["claim"] == "costa2018-s1-treg", "paper"] = "kieffer2020"
    assert len(bars(pl.evidence_chart(adata))) == before - 1


def test_lineage_bars_add_up(adata: ad.AnnData) -> None:
    assert sum(b.get_width() for b in bars(pl.lineage_bar(adata))) == adata.n_obs


def test_many_categories_stay_apart() -> None:
    looks = category_looks([f"state {i:02d}" for i in range(30)])
    assert len(set(looks.values())) == 30
    assert {colour for colour, _ in looks.values()} == set(CATEGORIES)


def test_png_refuses_a_silly_resolution(adata: ad.AnnData) -> None:
    with pytest.raises(OptionError, match="dpi is 0"):
        pl.to_png(pl.lineage_bar(adata), dpi=0)
