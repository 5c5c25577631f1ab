"""Names in published schemes: by scores, by markers, by levels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cafsc import sig
from cafsc._config import LabelConfig, MarkerConfig
from cafsc.tl.label.markers import LEVELS, MarkerLevels
from cafsc.tl.label.schemes import SchemeContext, level_profile, scheme_label
from cafsc.tl.score.set_columns import columns_of, scored_sets, set_columns

GENES = sorted({gene for entry in sig.load().sets.values() for gene in entry.definition.genes})
COLUMNS = {gene: column for column, gene in enumerate(GENES)}


def context(level: dict[str, float], columns: dict[str, int] | None = None, **changes: Any) -> SchemeContext:
    """One cluster with the given relative levels, 0 for all other genes, deep enough to read."""
    columns = COLUMNS if columns is None else columns
    relative = np.zeros((1, len(GENES)))
    for gene, value in level.items():
        relative[0, COLUMNS[gene]] = value
    sets = scored_sets(sig.load(), "human", columns)
    values: dict[str, Any] = {
        "catalogue": sig.load(),
        "sets": sets,
        "names": list(sets),
        "columns": columns,
        "species": "human",
        "markers": MarkerLevels(relative, np.ones_like(relative, dtype=bool)),
        "config": LabelConfig(),
        "marker_config": MarkerConfig(),
        "n_neighbors": 1,
    }
    return SchemeContext(**(values | changes))


def label(scheme: str, given: SchemeContext, **scores: tuple[float, float]) -> str:
    """Label of the cluster; a score is (mean above the reference, effect) of a set, others lie low."""
    random = np.random.default_rng(0)
    centred = random.normal(-1.0, 0.1, (30, len(given.names)))
    effect = np.zeros(len(given.names))
    for name, (mean, value) in scores.items():
        column = given.names.index(name.replace("__", "/").replace("_mm", "-mm"))
        centred[:, column] += 1.0 + mean
        effect[column] = value
    return scheme_label(scheme, 0, centred, effect, given)


def test_the_set_ahead_of_the_others_names_the_cluster() -> None:
    given = context({})
    assert label("elyada", given, elyada2019__myCAF=(0.5, 8), elyada2019__iCAF=(0.1, 5)) == "myCAF"
    assert label("elyada", given, elyada2019__myCAF=(0.1, 8), elyada2019__iCAF=(0.5, 5)) == "iCAF"


def test_a_set_that_is_not_ahead_of_chance_does_not_compete() -> None:
    given = context({})
    assert label("elyada", given, elyada2019__myCAF=(0.5, 1.9), elyada2019__iCAF=(0.1, 5)) == "iCAF"
    assert label("elyada", given, elyada2019__myCAF=(0.5, 1.9)) == "unresolved"


def test_two_sets_that_are_level_name_nothing() -> None:
    # Thirty cells that were pooled by fifteens are two.
    given = context({}, n_neighbors=15)
    assert label("elyada", given, elyada2019__myCAF=(0.3, 8), elyada2019__iCAF=(0.3, 8)) == "unresolved"
    assert label("elyada", given, elyada2019__myCAF=(0.6, 8), elyada2019__iCAF=(0.3, 8)) == "myCAF"


def test_a_minor_state_must_be_strong() -> None:
    given = context({})
    weak = label("elyada", given, elyada2019__apCAF=(0.5, 8), elyada2019__iCAF=(0.1, 8))
    strong = label("elyada", given, elyada2019__apCAF=(1.0, 8), elyada2019__iCAF=(0.1, 8))
    assert (weak, strong) == ("iCAF", sig.load().sets["elyada2019/apCAF"].label)


def test_a_set_with_few_genes_in_the_data_does_not_compete() -> None:
    kept = sig.load().sets["elyada2019/iCAF"].definition.up
    columns = {gene: COLUMNS[gene] for gene in kept}
    given = context({}, columns)
    assert given.sets["elyada2019/myCAF"].n_found < 5
    assert label("elyada", given, elyada2019__myCAF=(2.0, 9), elyada2019__iCAF=(0.1, 5)) == "iCAF"


@pytest.mark.parametrize(
    ("hgf", "fgf7", "expected"),
    [(0.9, 0.8, "subtype-I"), (0.1, 0.9, "subtype-II"), (0.1, 0.1, "subtype-III")],
)
def test_markers_are_present_or_absent(hgf: float, fgf7: float, expected: str) -> None:
    found = label("hgf_fgf7", context({"HGF": hgf, "FGF7": fgf7}))
    assert found == sig.load().sets[f"hu2021/{expected}"].label


def test_absence_is_not_called_from_dropout() -> None:
    given = context({})
    shallow = MarkerLevels(given.markers.relative, np.zeros_like(given.markers.readable))
    assert label("hgf_fgf7", given) == sig.load().sets["hu2021/subtype-III"].label
    assert label("hgf_fgf7", context({}, markers=shallow)) == "unresolved"


def test_neither_present_nor_absent_is_unresolved() -> None:
    assert label("hgf_fgf7", context({"HGF": 0.35, "FGF7": 0.35})) == "unresolved"


def test_two_marker_sets_at_once_are_a_mixture_and_said_so() -> None:
    sets = sig.load().sets
    both = f"mixed:{sets['mcandrews2022/aSMA-pos'].label}+{sets['mcandrews2022/FAP-pos'].label}"
    assert label("sma_fap", context({"ACTA2": 1.0, "FAP": 1.0})) == both
    assert label("sma_fap", context({"ACTA2": 1.0})) == sets["mcandrews2022/aSMA-pos"].label


@pytest.mark.parametrize("entry", sig.load().sets_in_scheme("costa"), ids=lambda entry: entry.label)
def test_a_cluster_at_the_published_levels_takes_that_name(entry: Any) -> None:
    levels = {gene: LEVELS[level] for gene, level in entry.definition.levels.items()}
    assert label("costa", context(levels)) == entry.label


def test_a_cluster_far_from_all_profiles_takes_no_name() -> None:
    genes = {gene for entry in sig.load().sets_in_scheme("costa") for gene in entry.definition.levels}
    profiles = [
        {gene: LEVELS[level] for gene, level in entry.definition.levels.items()}
        for entry in sig.load().sets_in_scheme("costa")
    ]
    far = {
        gene: 0.0 if np.mean([profile.get(gene, 0.5) for profile in profiles]) > 0.5 else 1.0
        for gene in genes
    }
    assert label("costa", context(far)) == "unresolved"


def test_levels_that_cannot_be_read_name_nothing() -> None:
    entry = sig.load().sets_in_scheme("costa")[0]
    given = context({gene: LEVELS[level] for gene, level in entry.definition.levels.items()})
    shallow = MarkerLevels(given.markers.relative, np.zeros_like(given.markers.readable))
    assert label("costa", context({}, markers=shallow)) == "unresolved"


def test_a_profile_with_a_missing_gene_is_no_profile() -> None:
    entry = sig.load().sets_in_scheme("costa")[0]
    missing = next(iter(entry.definition.levels))
    columns = {gene: column for gene, column in COLUMNS.items() if gene != missing}
    assert level_profile(entry, context({}, columns)) == {}


def test_columns_are_those_of_orthologs_in_a_mouse() -> None:
    columns = {"Col1a1": 4, "Cxcl12": 2, "Acta2": 0}
    assert columns_of(["COL1A1", "ACTA2", "NOBODY1", "COL1A1"], "human", "mouse", columns) == [4, 0]
    found = set_columns(["COL1A1", "NOBODY1"], ["CXCL12"], "human", "mouse", columns)
    assert (found.up.tolist(), found.down.tolist(), found.n_genes, found.n_found) == ([4], [2], 3, 2)


def test_sets_of_the_datas_own_species_stand_before_the_others() -> None:
    human = scored_sets(sig.load(), "human", COLUMNS)
    assert "elyada2019/myCAF" in human
    assert "elyada2019/myCAF-mm" not in human
    mouse = scored_sets(sig.load(), "mouse", {})
    assert "elyada2019/myCAF-mm" in mouse
    assert "elyada2019/myCAF" not in mouse
    assert {"elyada2019/myCAF", "elyada2019/myCAF-mm"} <= set(
        scored_sets(sig.load(), "human", {}, every=True)
    )
