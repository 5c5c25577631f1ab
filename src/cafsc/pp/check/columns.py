"""What is odd about the columns of obs that a run uses, and which slots it replaces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from cafsc._keys import Keys
from cafsc.errors import OptionError
from cafsc.pp.check.findings import Finding, by_severity, error, note, warning

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

    from cafsc.pp.check.report import CheckReport

_FEW_GROUPS = 10
_MISSING_WORDS = {"", "nan", "na", "none", "<na>", "n/a", "null"}
_QC = ("total_counts", "n_genes_by_counts", "pct_counts_mt", "pct_counts_foreign", "low_quality")


def with_columns(
    report: CheckReport,
    adata: AnnData,
    named: Mapping[str, str | None],
    min_cells: int,
    key_added: str = "caf",
    schemes: Iterable[str] = (),
) -> CheckReport:
    """The report with `column_findings`; an error for a column that does not exist, or any finding of that severity."""
    for option, column in named.items():
        if column is not None and column not in adata.obs:
            raise OptionError(
                f"{option} {column!r}: obs has no such column",
                expected=f"one of {', '.join(map(str, adata.obs.columns)) or 'no column at all'}",
                fix="name an existing column, or leave the option out",
            )
    more = column_findings(adata, named, min_cells=min_cells, key_added=key_added, schemes=schemes)
    report = report.with_findings(by_severity([*report.findings, *more]))
    report.raise_for_errors()
    return report


def column_findings(
    adata: AnnData,
    named: Mapping[str, str | None],
    *,
    min_cells: int,
    key_added: str = "caf",
    schemes: Iterable[str] = (),
) -> list[Finding]:
    """Findings on the columns that a run uses, and on the slots that it will replace.

    ``named`` gives the column by option: ``cluster_key``, ``sample_key``, ``batch_key``; None where not given.
    """
    given = {option: adata.obs[column] for option, column in named.items() if column is not None}
    found = [item for option, column in given.items() for item in _group_findings(column, option, min_cells)]
    return [*found, *_replaced(adata, key_added, schemes)]


def _group_findings(column: pd.Series, option: str, min_cells: int) -> Iterator[Finding]:
    """Findings on one column of clusters, samples or batches."""
    what = option.removesuffix("_key")
    many = "batches" if what == "batch" else f"{what}s"
    where = f"{option} {str(column.name)!r}"
    words = column.astype(str)
    missing = (column.isna() | words.str.strip().str.lower().isin(_MISSING_WORDS)).to_numpy(dtype=bool)
    n_missing, n_cells = int(missing.sum()), len(column)
    sizes = words[~missing].value_counts()
    fix = f"give another column as {option}, or leave it out"
    if n_missing == n_cells:
        text = f"{where}: every cell's {what} is missing (nan)"
        yield error(f"{what}_missing", text, n_missing, fix=fix)
        return
    if _is_continuous(column):
        text = f"{where}: the column holds continuous numbers (float), not names of {many}"
        yield error(f"{what}_continuous", text, len(sizes), sizes.index, fix)
        return
    if len(sizes) > max(_FEW_GROUPS, n_cells / 2):
        text = f"{where}: too many {many} ({len(sizes):,} in {n_cells:,} cells); most are unique to one cell"
        yield error(f"{what}_per_cell", text, len(sizes), sizes.index, fix)
        return
    if n_missing:
        text = f"{where}: {n_missing:,} cells have no {what} (missing, nan); they are taken together as one"
        fix = f"fill the missing {many}, or leave these cells out"
        yield warning(f"{what}_missing", text, n_missing, fix=fix)
    if column.dtype.kind == "f":
        text = f"{where}: the {many} are decimal numbers (float), as a merge leaves them"
        yield note(f"{what}_numbers", text, len(sizes), sizes.index)
    small = sizes[sizes < min_cells]
    if len(sizes) == 1:
        text = f"{where}: there is a single {what} (only 1), so nothing can be compared"
        fix = "give finer clusters, or leave it out"
        single = warning("one_cluster", text, 1, sizes.index, fix)
        yield single if what == "cluster" else note(f"one_{what}", text, 1, sizes.index)
    elif what == "cluster" and len(small):
        text = f"{where}: {len(small):,} clusters have too few cells for a name (fewer than {min_cells})"
        yield warning("small_clusters", text, len(small), small.index, "merge them with others")
    yield from _alike(sizes.index, what, where)


def _is_continuous(column: pd.Series) -> bool:
    """Whether a column holds measurements: numbers with decimals that are not mere codes."""
    if column.dtype.kind != "f":
        return False
    values = column.to_numpy(dtype=np.float64)
    values = values[np.isfinite(values)]
    return bool((values != np.rint(values)).any()) and len(np.unique(values)) > _FEW_GROUPS


def _alike(names: Iterable[object], what: str, where: str) -> Iterator[Finding]:
    """Names that differ only in case or blanks, as typing errors leave them."""
    first: dict[str, str] = {}
    pairs = []
    for name in sorted(map(str, names)):
        twin = first.setdefault("".join(name.casefold().split()), name)
        if twin != name:
            pairs.append(f"{twin!r} and {name!r}")
    if pairs:
        text = f"{len(pairs):,} names differ from another only in case or blanks; they are kept apart"
        fix = "give one name to what is one"
        yield warning(f"{what}_names_alike", f"{where}: {text}", len(pairs), pairs, fix)


def _replaced(adata: AnnData, key_added: str, schemes: Iterable[str]) -> Iterator[Finding]:
    """Slots that exist already under a name that the run will write."""
    keys = Keys(key_added)
    written = set(vars(keys).values()) - {key_added}
    written |= {f"{key_added}_{name}" for name in _QC} | {keys.scheme(scheme) for scheme in schemes}
    taken = [
        f"{slot}[{name!r}]"
        for slot in ("obs", "var", "obsm", "obsp", "layers")
        for name in getattr(adata, slot)
        if name in written
    ]
    if keys.uns in adata.uns:
        taken.append(f"uns[{keys.uns!r}]")
    if taken:
        text = f"{len(taken)} slots exist already, as of an earlier run, and are replaced in the result"
        yield warning("slots_replaced", text, len(taken), taken, "rename them if they are your own")
