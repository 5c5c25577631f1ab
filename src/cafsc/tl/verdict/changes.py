"""What would change the name or the call of a cluster, computed from the numbers of the run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cafsc._config import LabelConfig, VerdictConfig
from cafsc._keys import ANTI, MIXED, PRO, UNRESOLVED
from cafsc.tl.label.lead import Lead
from cafsc.tl.verdict.weigh import Vote, fewest_to_change, sides, source_weights

_MAX_GENES = 12
"""Genes that are listed in full."""


@dataclass(frozen=True)
class Change:
    """One thing that would change the name or the call (`of`).

    `kind` is ``margin``, ``effect``, ``support``, ``cells``, ``mixture``, ``genes``, ``papers``, ``weight`` or
    ``name``. `becomes` is the name or call after the change, or "". `found` is the number and `needed` its threshold,
    where there is one. `names` are papers or genes.
    """

    of: str
    kind: str
    text: str
    becomes: str = ""
    found: float | None = None
    needed: float | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class StateScore:
    """One state: mean of its `n_sets` covered sets above their reference levels (`score`, natural log units) and in
    standard deviations of matched random sets (`effect`), and `share` of cells whose own best state it is.
    """

    state: str
    score: float
    effect: float
    share: float
    n_sets: int


def name_changes(
    row: Mapping[str, Any],
    states: Mapping[str, StateScore],
    leading: str,
    runner_up: str,
    gap: float,
    lead: Lead | None,
    symbols: Sequence[object],
    config: LabelConfig,
) -> list[Change]:
    """What would remove the name of a cluster (a row of ``clusters``), or give it one.

    `gap` is the lead over the runner-up in natural log units, `lead` the same as a function of genes.
    """
    if not leading:
        return [Change("name", "cells", "More genes: the data cover the genes of no published state.")]
    named = row["subtype"] != UNRESOLVED
    becomes = UNRESOLVED if named else leading
    n_cells, margin, support = int(row["n_cells"]), float(row["margin"]), float(row["support"])
    out = []
    if not named and n_cells < config.min_cells:
        text = f"It has {n_cells} cells; a name needs {config.min_cells}."
        out.append(Change("name", "cells", text, found=float(n_cells), needed=float(config.min_cells)))
    if not named and row["reason"] == "not_activated":
        text = "Fibroblasts with the activation markers of tumours, in any cluster of the sample."
        out.append(Change("name", "effect", text, becomes=leading))
    if runner_up and math.isfinite(margin):
        error, needed = abs(gap / margin) if margin else 0.0, config.min_margin
        text = f"{leading} leads {runner_up} by {gap:.2f} log units, {margin:.1f} standard errors. "
        text += f"A name needs {needed:.1f} standard errors: "
        less_or_more = "less would lose it" if margin >= needed else "more would give one"
        text += f"{abs(gap - needed * error):.2f} log units {less_or_more}."
        out.append(Change("name", "margin", text, becomes, margin, needed))
    effect, needed = states[leading].effect, config.min_effect
    if named or effect < needed:
        text = f"{leading} lies {effect:.1f} null standard deviations above matched random sets; "
        text += f"a name needs {needed:.1f}."
        out.append(Change("name", "effect", text, becomes, effect, needed))
    second = max((s for s in states if s != leading), key=lambda s: (states[s].share, s), default="")
    if second:
        share, limit = states[second].share, config.mixed_share
        missing = math.ceil((limit - share) * n_cells - 1e-9)
        text = f"{share:.0%} of its cells are {second} by their own scores; "
        text += (
            f"a share below {limit:.0%} is not mixed."
            if share >= limit
            else f"{missing} cells more ({limit:.0%}) make it mixed:{leading}+{second}."
        )
        out.append(Change("name", "mixture", text, UNRESOLVED if named else "", share, limit))
    if math.isfinite(support):
        text = f"{support:.0%} of resamples give {leading}; a name needs {config.min_support:.0%}."
        out.append(Change("name", "support", text, found=support, needed=config.min_support))
    if lead is not None and gap > 0:
        out.append(_gene_change(leading, runner_up, lead, symbols))
    return out


def _gene_change(leading: str, runner_up: str, lead: Lead, symbols: Sequence[object]) -> Change:
    removed = lead.fewest_genes(0.0)
    if removed is None:
        return Change("name", "genes", f"{runner_up} does not lead without any of the genes of {leading}.")
    names = tuple(str(symbols[gene]) for gene in removed)
    shown = ", ".join(names)
    if len(names) > _MAX_GENES:
        shown = f"{len(names)} of the genes of {leading} ({', '.join(names[:4])} first)"
    return Change("name", "genes", f"Without {shown}, {runner_up} leads.", runner_up, names=names)


def verdict_changes(
    row: Mapping[str, Any], votes: Sequence[Vote], names: Mapping[str, str], config: VerdictConfig
) -> list[Change]:
    """What would change the call of a cluster (a row of ``clusters``): fewer papers, more weight."""
    call, reason = str(row["call"]), str(row["call_reason"])
    if reason == "unresolved":
        return [Change("call", "name", "A name: only clusters with a name get a call.")]
    if reason in ("no_claim", "single_source"):
        text = f"{config.min_papers} independent sources with evidence of their own on one side."
        return [Change("call", "papers", text, needed=float(config.min_papers))]
    out = []
    if source := str(row["sensitive_to"]):
        text = f"{source}: without it the score changes its sign."
        out.append(Change("call", "papers", text, names=(source,)))
    found = fewest_to_change(votes, config)
    if found is None:
        out.append(Change("call", "papers", "No tested set of papers changes the call when it is left out."))
    else:
        papers = tuple(names.get(paper, paper) for paper in found[0])
        text = f"Without {', '.join(papers)} it is {found[1].call}"
        text += f" ({found[1].reason.replace('_', ' ')})." if found[1].reason else "."
        out.append(Change("call", "papers", text, found[1].call, names=papers))
    if call in (PRO, ANTI):
        pro, anti = sides(source_weights(votes).values())
        own, other = (pro, anti) if call == PRO else (anti, pro)
        missing = max(config.mixed_share / (1 - config.mixed_share) * own - other, 0.0)
        text = (
            f"Weight against it: {other:.2f} of {pro + anti:.2f}; {missing:.2f} more makes it mixed "
            f"({config.mixed_share:.0%}). A claim weighs 1 at most."
        )
        out.append(Change("call", "weight", text, MIXED, other / (pro + anti), config.mixed_share))
    return out
