"""Every public step, called before the steps that it needs, says which of them to run."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from anndata import AnnData

import cafsc
from cafsc.errors import InputError

ORDER = (
    "pp.normalize",
    "pp.qc",
    "pp.cluster",
    "tl.gate",
    "tl.score",
    "tl.label",
    "tl.programs",
    "tl.calibrate",
    "tl.verdict",
)
MORE: dict[str, dict[str, Any]] = {
    "tl.explain": {"cluster": "0"},
    "tl.crosstalk": {"resource": "catalogue"},
}


def steps() -> Iterator[tuple[str, Callable[..., object]]]:
    """Public functions of an AnnData that need what other steps write."""
    for package in ("pp", "tl", "get", "pl"):
        for name in getattr(cafsc, package).__all__:
            function = getattr(getattr(cafsc, package), name)
            if inspect.isfunction(function) and next(iter(inspect.signature(function).parameters)) == "adata":
                yield f"{package}.{name}", function
    yield "report.write", lambda adata: cafsc.report.write(adata, Path("never.html"))


def refusals(adata: AnnData) -> dict[str, str]:
    """What each step that cannot run says."""
    said = {}
    for name, step in steps():
        if name in ("pp.check", "pp.normalize", "tl.score_sets", *ORDER[: ORDER.index("pp.cluster")]):
            continue
        try:
            step(adata.copy(), **MORE.get(name, {}))
        except InputError as error:
            said[name] = str(error)
    return said


def test_quickstart_shows_the_order() -> None:
    text = (Path(__file__).parents[1] / "docs" / "quickstart.md").read_text(encoding="utf-8")
    places = [re.search(rf"{re.escape(name)}\b", text) for name in ORDER]
    assert all(places)
    assert [place.start() for place in places if place] == sorted(place.start() for place in places if place)


@pytest.mark.slow
@pytest.mark.parametrize("done", [0, 1, 3, 4, 5, 6, 8, 9])
def test_a_step_that_comes_too_early_names_the_step_to_run(
    done: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    adata = cafsc.data.simulated_tumour(150, seed=1)
    functions = dict(steps())
    for name in ORDER[:done]:
        functions[name](adata)
    said = refusals(adata)
    assert "report.write" in said
    if done < len(ORDER):
        assert {"get.clusters", "pl.score_heatmap", "tl.explain"} <= set(said)
    for name, text in said.items():
        assert re.search(r"fix: .*cafsc\.(annotate|(pp|tl)\.\w+)", text), f"{name}: {text}"


def test_qc_before_normalise_is_answered() -> None:
    with pytest.raises(InputError, match=r"cafsc\.pp\.normalize"):
        cafsc.pp.qc(cafsc.data.simulated_tumour(150, seed=1))
