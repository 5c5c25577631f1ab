from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import anndata as ad
import matplotlib as mpl
import numpy as np
import pytest
from annotated import CLUSTERS, annotated
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cafsc import get, pl
from cafsc._keys import Keys
from cafsc.errors import InputError, OptionError
from cafsc.pl._canvas import BLUE, CATEGORIES, VERMILION, clean, colours, label
from cafsc.pp.normalize import lognorm_matrix

Draw = Callable[..., Axes]
ALL: tuple[Draw, ...] = (pl.embedding, pl.dotplot, pl.score_heatmap, pl.evidence_chart, pl.lineage_bar)
OF_CLUSTERS: tuple[Draw, ...] = (pl.dotplot, pl.score_heatmap, pl.evidence_chart)
NOTEBOOK = """
CELL = '''
from annotated import annotated
from cafsc import pl
for draw in (pl.lineage_bar, pl.embedding, pl.dotplot):
    draw(annotated())
'''
import matplotlib as mpl
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
class Shell(InteractiveShell):
    def enable_gui(self, gui=None): pass
shell = Shell.instance()
shell.run_line_magic("matplotlib", "inline")
before = dict(mpl.rcParams)
with capture_output() as shown:
    shell.run_cell(CELL).raise_error()
assert dict(mpl.rcParams) == before
print(sum("image/png" in output.data for output in shown.outputs))
"""


@pytest.fixture(autouse=True)
def no_figure_is_left_open() -> Iterator[None]:
    yield
    pyplot.close("all")


def bars(ax: Axes) -> list[Rectangle]:
    return [p for p in ax.patches if isinstance(p, Rectangle)]


def labels(ax: Axes) -> list[str]:
    return [t.get_text() for t in ax.get_yticklabels()]


def dots(ax: Axes) -> list[PathCollection]:
    return [c for c in ax.collections if isinstance(c, PathCollection) and len(c.get_offsets())]


def test_a_notebook_shows_figures_inline_as_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("IPython")
    monkeypatch.delenv("MPLBACKEND", raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    out = subprocess.run([sys.executable, "-c", NOTEBOOK], capture_output=True, text=True, check=False)
    assert out.stdout.splitlines()[-1:] == ["3"], out.stdout + out.stderr


@pytest.mark.parametrize("draw", ALL)
def test_a_figure_is_pyplots_own_and_settings_stay(adata: ad.AnnData, draw: Draw) -> None:
    # A figure that pyplot knows is what the inline backend shows and `pyplot.show` opens.
    before = dict(mpl.rcParams)
    ax = draw(adata)
    assert pyplot.gcf() is ax.figure
    assert len(pyplot.get_fignums()) == 1
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("draw", ALL)
def test_axes_or_a_figure_of_the_users_are_drawn_on_without_pyplot(adata: ad.AnnData, draw: Draw) -> None:
    figure = Figure()
    assert draw(adata, ax=figure.add_subplot()).figure is figure
    empty = Figure()
    assert draw(adata, ax=empty).figure is empty
    assert not pyplot.get_fignums()


def test_save_writes_the_figure_and_show_shows_it(
    adata: ad.AnnData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[bool] = []
    monkeypatch.setattr(pyplot, "show", lambda: shown.append(True))
    pl.lineage_bar(adata, save=tmp_path / "bar.pdf")
    assert (tmp_path / "bar.pdf").read_bytes().startswith(b"%PDF")
    assert not shown
    pl.lineage_bar(adata, show=True)
    assert shown == [True]


def test_importing_chooses_no_backend() -> None:
    code = "import sys, cafsc.pl; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("draw", ALL)
def test_svg_is_the_same_each_time_without_date_version_or_markup(draw: Draw) -> None:
    svg = pl.to_svg(draw(annotated()))
    assert svg == pl.to_svg(draw(annotated()))
    for word in ("dc:date", mpl.__version__, "<script"):
        assert word not in svg


@pytest.mark.parametrize("draw", ALL)
def test_the_object_is_not_changed(adata: ad.AnnData, draw: Draw) -> None:
    draw(adata)
    untouched = annotated()
    assert adata.obs.equals(untouched.obs)
    assert set(adata.obsm) == set(untouched.obsm)
    assert set(adata.uns) == set(untouched.uns)
    assert (adata.X != untouched.X).nnz == 0


@pytest.mark.parametrize("draw", ALL)
def test_without_a_result_or_clusters_the_reason_is_said(empty: ad.AnnData, draw: Draw) -> None:
    with pytest.raises(InputError, match=r"run cafsc\.annotate first"):
        draw(ad.AnnData(np.zeros((2, 2), dtype=np.float32)))
    if draw in OF_CLUSTERS:
        with pytest.raises(InputError, match="no fibroblast cluster"):
            draw(empty)


def test_embedding_shows_only_kept_cells_of_the_fibroblast_pca(adata: ad.AnnData) -> None:
    ax = pl.embedding(adata)
    assert [len(c.get_offsets()) for c in dots(ax)] == [sum(n for _, n, *_ in CLUSTERS)]
    legend = ax.get_legend()
    assert legend is not None
    assert [t.get_text() for t in legend.get_texts()][:2] == ["myCAF (40)", "iCAF (25)"]


def test_embedding_prefers_our_umap_then_the_users(adata: ad.AnnData) -> None:
    with pytest.raises(InputError, match=r"scanpy\.tl\.umap"):
        pl.embedding(adata, basis="umap")
    points = np.random.default_rng(0).normal(size=(adata.n_obs, 2))
    for slot, shift in (("X_umap", 100), ("X_caf_umap", 200)):
        adata.obsm[slot] = points + shift
        for basis in (None, "umap"):
            ax = pl.embedding(adata, basis=basis)
            assert ax.get_xlabel() == "UMAP1"
            assert np.round(np.mean(dots(ax)[0].get_offsets()), -2) == shift
    assert pl.embedding(adata, basis=Keys().pca).get_xlabel() == "PC1"


def test_embedding_takes_numbers_and_names_with_dollars(adata: ad.AnnData) -> None:
    assert len(pl.embedding(adata, Keys().confidence).figure.axes) == 2
    adata.obs["note"] = np.where(np.arange(adata.n_obs) % 2, "$\\frac$", "$a$ b")
    assert "$\\frac$" in pl.to_svg(pl.embedding(adata, "note")).replace("&#36;", "$")


@pytest.mark.parametrize("options", [{"color": "absent"}, {"basis": "X_absent"}])
def test_embedding_names_what_is_missing(adata: ad.AnnData, options: dict[str, str]) -> None:
    with pytest.raises(OptionError, match="absent"):
        pl.embedding(adata, **options)  # type: ignore[arg-type]


def test_embedding_refuses_too_many_categories(adata: ad.AnnData) -> None:
    adata.obs["name"] = list(adata.obs_names)
    with pytest.raises(OptionError, match="93 different values"):
        pl.embedding(adata, "name")


def test_dotplot_measures_the_counts(adata: ad.AnnData) -> None:
    values = lognorm_matrix(adata)[(adata.obs[Keys().cluster] == "0").to_numpy()][:, [0, 11]].toarray()
    ax = pl.dotplot(adata, ["COL1A1", "KRT8"])
    assert dots(ax)[0].get_sizes()[:2] == pytest.approx(150 * (values > 0).mean(axis=0))
    light = dots(ax)[0].get_facecolors()[:2].sum(axis=1)
    assert (light[0] < light[1]) == (values.mean(axis=0)[0] > values.mean(axis=0)[1])
    assert labels(ax)[0] == "0 · myCAF"


def test_dotplot_shows_the_genes_that_carried_the_names(adata: ad.AnnData) -> None:
    genes = [t.get_text() for t in pl.dotplot(adata, n_genes=2).get_xticklabels()]
    assert genes == ["COL1A1", "POSTN", "CXCL12", "C3", "MCAM", "NOTCH3", "FAP"]
    with pytest.raises(OptionError, match="none of the 1 genes"):
        pl.dotplot(adata, ["NOSUCHGENE"])


def test_heatmap_shows_the_effects(adata: ad.AnnData) -> None:
    ax = pl.score_heatmap(adata)
    mesh = next(c for c in ax.collections if isinstance(c, QuadMesh))
    values = np.asarray(mesh.get_array()).reshape(5, len(CLUSTERS))
    scores = get.scores(adata).set_index(["cluster", "set"])["effect"]
    assert values[labels(ax).index("iCAF · elyada"), 1] == pytest.approx(scores["1", "elyada2019/iCAF"])
    with pytest.raises(InputError, match="program, subtype"):
        pl.score_heatmap(adata, "state")


def test_heatmap_keeps_the_strongest_sets(adata: ad.AnnData) -> None:
    scores = get.scores(adata)
    best = scores[scores["kind"] == "subtype"].groupby("set")["effect"].max().nlargest(2).index
    shown = labels(pl.score_heatmap(adata, n_sets=2))
    assert {name.split(" · ")[0] for name in shown} == {str(s).rpartition("/")[2] for s in best}


def test_evidence_points_pro_to_the_right_and_anti_to_the_left(adata: ad.AnnData) -> None:
    drawn = bars(pl.evidence_chart(adata))
    claims = get.evidence(adata)
    for sign, colour, effect in ((1, VERMILION, "pro"), (-1, BLUE, "anti")):
        side = [b for b in drawn if b.get_facecolor()[:3] == to_rgb(colour)]
        weights = claims.loc[(claims["effect"] == effect) & claims["counted"], "weight"]
        assert len(side) == len(weights)
        assert sum(b.get_width() for b in side) == pytest.approx(sign * weights.sum())
        assert all(sign * b.get_x() >= 0 for b in side)


def test_evidence_draws_one_segment_a_paper(adata: ad.AnnData) -> None:
    before = len(bars(pl.evidence_chart(adata)))
    stored = adata.uns["cafsc"]["evidence"]
    stored.loc[stored["claim"] == "costa2018-s1-treg", "paper"] = "kieffer2020"
    assert len(bars(pl.evidence_chart(adata))) == before - 1


@pytest.mark.parametrize("refused", [True, False])
def test_lineage_bars_add_up_and_their_numbers_stand_at_their_ends(adata: ad.AnnData, refused: bool) -> None:
    kept = adata.obs[Keys().gate] == "kept"
    ax = pl.lineage_bar(adata if refused else adata[kept])
    assert sum(b.get_width() for b in bars(ax)) == (adata.n_obs if refused else kept.sum())
    assert all(text.xy[0] == int(text.get_text()) for text in ax.texts)  # type: ignore[attr-defined]


def test_colours_are_fixed_for_calls_and_distinct_for_many_categories() -> None:
    assert colours(["pro", "myCAF", "anti"]) == [VERMILION, CATEGORIES[0], BLUE]
    assert len(set(colours([f"state {i:02d}" for i in range(30)]))) == 30


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("plain µ β", "plain µ β"),
        ("a\x1b[31mred\x9b0m", "a [31mred 0m"),
        ("a\x00b\rc", "a b c"),
        ("tumour\u202egpj", "tumourgpj"),
        ("a\ud800b", "a b"),
        ("line\nline\ttab", "line\nline\ttab"),
    ],
)
def test_clean_leaves_no_control_character(dirty: str, expected: str) -> None:
    assert clean(dirty) == expected


def test_label_is_one_short_line_without_mathtext() -> None:
    assert label("a\nb " + "x" * 100, limit=20) == "a b " + "x" * 15 + "…"
    assert label("$x$") == r"\$x\$"
