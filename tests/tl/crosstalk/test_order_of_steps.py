"""A step without the earlier ones says which of them to run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from anndata import AnnData

from cafsc import tl
from cafsc.errors import InputError

AFTER_VERDICT: tuple[Callable[..., Any], ...] = (
    tl.crosstalk,
    tl.exosome,
    tl.origin,
    tl.targets,
    lambda adata: tl.explain(adata, "0"),
)


@pytest.mark.parametrize("step", [tl.verdict, *AFTER_VERDICT])
def test_before_label_it_says_so(tumour: AnnData, gated: AnnData, scored: AnnData, step: Any) -> None:
    for adata in (tumour, gated, scored):
        with pytest.raises(InputError, match=r"cafsc\.annotate.*cafsc\.tl\.label"):
            step(adata)


@pytest.mark.parametrize("step", AFTER_VERDICT)
def test_before_verdict_it_says_so(_labelled: AnnData, step: Any) -> None:
    with pytest.raises(InputError, match=r"cafsc\.tl\.verdict"):
        step(_labelled)


@pytest.mark.parametrize("step", [tl.verdict, *AFTER_VERDICT])
def test_a_lost_slot_is_named(adata: AnnData, step: Any) -> None:
    for column in ("caf_gate", "caf_cluster"):
        without = adata.copy()
        del without.obs[column]
        with pytest.raises(InputError, match=r"cafsc\.tl\.(gate|label)"):
            step(without)
    without = adata.copy()
    without.var = without.var[[]]
    with pytest.raises(InputError, match=r"cafsc\.(tl|pp)\."):
        step(without)
