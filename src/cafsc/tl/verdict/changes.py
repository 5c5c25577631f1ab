"""What would change a name or a call, computed from the numbers of the run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from cafsc._config import LabelConfig, VerdictConfig
from cafsc._keys import ANTI, MIXED, PRO, UNRESOLVED
from cafsc.tl.label.lead import Lead
from cafsc.tl.verdict.weigh import Vote, fewest_to_change, sides, witness_weights

_MAX_GENES = 12


@dataclass(frozen=True)
class Change:
    """One thing that would change the result.

    Attributes
    ----------
    of
        ``name`` or ``call``.
    kind
        ``margin``, ``effect``, ``support``, ``cells``, ``mixture``, ``genes``, ``papers``, ``weight`` or ``name``.
    text
        In words.
    becomes
        What it would be then, where that follows.
    found, needed
        The number as it is, and the threshold; None where it is no number.
    names
        Papers or genes.
    """

    of: str
    kind: str
    text: str
    becomes: str = ""
    found: float | None = None
    needed: float | None = None
    names: tuple[str, ...] = field(default=())


class _Scored(Protocol):
    @property
    def effect(self) -> float: ...
    @property
    def share(self) -> float: ...


def name_changes(
    row: Mapping[str, Any],
    states: Mapping[str, _Scored],
    leading: str,
    runner_up: str,
    gap: float,
    lead: Lead | None,
    symbols: Sequence[object],
    config: LabelConfig,
) -> list[Change]:
    """What would take the name away, or give one.

    Parameters
    ----------
    gap
        Lead over the runner-up, natural log units.
    lead
        The same as a function of genes.
    """
    if not leading:
        return [
            Change("name", "cells", "No published state is covered by the genes of the data: more genes.")
        ]
    named = row["subtype"] != UNRESOLVED
    out = [_cells(row, config)] if not named and row["n_cells"] < config.min_cells else []
    if not named and row["reason"] == "not_activated":
        text = "Fibroblasts that show what those of tumours show, in any cluster of the sample."
        out.append(Change("name", "effect", text, becomes=leading))
    margin = float(row["margin"])
    if runner_up and math.isfinite(margin):
        out.append(_margin(leading, runner_up, gap, margin, named, config.min_margin))
    effect = states[leading].effect
    if named or effect < config.min_effect:
        out.append(
            Change(
                "name",
                "effect",
                f"{leading} stands {effect:.1f} null standard deviations above matched random sets; "
                + (
                    f"below {config.min_effect:.1f}"
                    if named
                    else f"{config.min_effect:.1f} are needed for a name"
                )
                + (" there would be no name." if named else "."),
                becomes=UNRESOLVED if named else leading,
                found=effect,
                needed=config.min_effect,
            )
        )
    out += _shares(row, states, leading, named, config)
    if lead is not None:
        out += _genes(leading, runner_up, lead, gap, symbols)
    return out


def _cells(row: Mapping[str, Any], config: LabelConfig) -> Change:
    return Change(
        "name",
        "cells",
        f"It has {int(row['n_cells'])} cells; a name needs {config.min_cells}.",
        found=float(row["n_cells"]),
        needed=float(config.min_cells),
    )


def _margin(leading: str, runner_up: str, gap: float, margin: float, named: bool, needed: float) -> Change:
    error = abs(gap / margin) if margin else 0.0
    text = f"{leading} leads {runner_up} by {gap:.2f} log units, {margin:.1f} standard errors. "
    if margin >= needed:
        text += (
            f"If the lead fell by {max(gap - needed * error, 0.0):.2f}, below {needed:.1f} standard errors, "
        )
        text += "the name would be lost."
    else:
        text += (
            f"A name needs {needed:.1f} standard errors: {max(needed * error - gap, 0.0):.2f} log units more."
        )
    becomes = UNRESOLVED if named else leading
    return Change("name", "margin", text, becomes=becomes, found=margin, needed=needed)


def _shares(
    row: Mapping[str, Any], states: Mapping[str, _Scored], leading: str, named: bool, config: LabelConfig
) -> list[Change]:
    n_cells, out = int(row["n_cells"]), []
    second = max((s for s in states if s != leading), key=lambda s: (states[s].share, s), default="")
    if second:
        here, limit = states[second].share, config.mixed_share
        missing = math.ceil((limit - here) * n_cells - 1e-9)
        if here >= limit:
            text = f"{here:.0%} of its cells take {second} by themselves; below {limit:.0%} it would not be mixed."
        else:
            text = (
                f"{here:.0%} of its cells take {second} by themselves; {missing} cells more ({limit:.0%}) "
                f"would make it mixed:{leading}+{second}."
            )
        out.append(
            Change("name", "mixture", text, becomes=UNRESOLVED if named else "", found=here, needed=limit)
        )
    support = float(row["support"])
    if math.isfinite(support):
        text = f"{support:.0%} of resamples give {leading}; a name needs {config.min_support:.0%}."
        out.append(Change("name", "support", text, found=support, needed=config.min_support))
    return out


def _genes(leading: str, runner_up: str, lead: Lead, gap: float, symbols: Sequence[object]) -> list[Change]:
    if gap <= 0:
        return []
    gone = lead.fewest_genes(0.0)
    if gone is None:
        text = f"No gene that carries {leading} could be left out so that {runner_up} would lead."
        return [Change("name", "genes", text)]
    names = tuple(str(symbols[gene]) for gene in gone)
    if len(names) > _MAX_GENES:
        text = (
            f"{runner_up} would lead only without {len(names)} of the genes that carry {leading}, "
            f"{', '.join(names[:4])} first."
        )
    else:
        text = f"Without {', '.join(names)} in the sets, {runner_up} would lead."
    return [Change("name", "genes", text, becomes=runner_up, names=names)]


def verdict_changes(
    row: Mapping[str, Any], votes: Sequence[Vote], names: Mapping[str, str], config: VerdictConfig
) -> list[Change]:
    """What would turn the call: papers taken away, weight added."""
    call, reason = str(row["call"]), str(row["call_reason"])
    if reason == "unresolved":
        return [
            Change("call", "name", "A name: claims are about named fibroblasts, so none is weighed here.")
        ]
    if reason in ("no_claim", "single_source"):
        text = f"Evidence of its own from {config.min_papers} independent papers on one side."
        return [Change("call", "papers", text, needed=float(config.min_papers))]
    out = []
    if row["hangs_on"]:
        text = f"{row['hangs_on']}: without it the balance changes sides."
        out.append(Change("call", "papers", text, names=(str(row["hangs_on"]),)))
    found = fewest_to_change(votes, config)
    if found is None:
        out.append(
            Change("call", "papers", "No set of its papers that was tried turns the call when left out.")
        )
    else:
        left_out, after = found
        papers = tuple(names.get(paper, paper) for paper in left_out)
        text = f"Without {', '.join(papers)} it would be {after.call}"
        text += f" ({after.reason.replace('_', ' ')})." if after.reason else "."
        out.append(Change("call", "papers", text, becomes=after.call, names=papers))
    pro, anti = sides(witness_weights(votes).values())
    if call in (PRO, ANTI):
        mine, other = (pro, anti) if call == PRO else (anti, pro)
        limit = config.mixed_share / (1 - config.mixed_share) * mine
        text = (
            f"Weight against it: {other:.2f} of {pro + anti:.2f}; {max(limit - other, 0.0):.2f} more makes it mixed "
            f"({config.mixed_share:.0%}). A claim weighs 1 at most."
        )
        share = other / (pro + anti)
        out.append(Change("call", "weight", text, becomes=MIXED, found=share, needed=config.mixed_share))
    return out
