"""Why a cluster has its name and its call, and what would change them."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cafsc import sig
from cafsc._config import Config, LabelConfig
from cafsc._keys import ANTI, PRO, UNRESOLVED, Keys, require
from cafsc.errors import OptionError
from cafsc.tl.label.lead import Lead, gene_excess
from cafsc.tl.score.fibroblasts import Fibroblasts, fibroblasts
from cafsc.tl.score.set_columns import scored_sets
from cafsc.tl.verdict.call import source_names
from cafsc.tl.verdict.changes import Change, StateScore, name_changes, verdict_changes
from cafsc.tl.verdict.weigh import Vote

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue

N_CLAIMS = 5
N_GENES = 8
_N_STATES = 4
_N_LINEAGES = 3
_WIDTH = 100
_TEXTS = "cluster subtype reason call call_reason prognosis therapy_response".split()
_REASONS = {
    "no_claim": "no claim takes a side on what is present",
    "both_sides": "papers of weight on both sides",
    "context_dependent": "the strong papers call it context-dependent",
    "no_clear_side": "nearly balanced",
    "sensitive_to_one_source": "one paper or laboratory decides it",
    "unresolved": "the cluster has no name",
}


@dataclass(frozen=True)
class Explanation:
    """One cluster explained; ``str()`` is a page of text, `to_dict` the same as plain types.

    Attributes
    ----------
    lineages
        Mean panel score (0..1) of each lineage in the cluster, highest first.
    leading, runner_up
        State ahead, also where the cluster has no name, and the next state.
    margin, lead
        Lead over the runner-up, in standard errors and in natural log units.
    states
        Every state that competed, highest score first.
    genes
        Genes that carried the lead, each with the loss of lead without it (natural log units).
    claims_for, claims_against, claims_context
        Heaviest claims for and against the call (pro and anti where it takes no side), and context-dependent ones.
    cancers
        Call in each other cancer where it differs.
    """

    cluster: str
    n_cells: int
    subtype: str
    reason: str
    support: float
    lineages: dict[str, float]
    leading: str
    runner_up: str
    margin: float
    lead: float
    states: tuple[StateScore, ...]
    genes: tuple[tuple[str, float], ...]
    call: str
    call_reason: str
    score: float
    low: float
    high: float
    n_pro: int
    n_anti: int
    prognosis: str
    therapy_response: str
    cancer: str
    claims_for: tuple[dict[str, Any], ...]
    claims_against: tuple[dict[str, Any], ...]
    claims_context: tuple[dict[str, Any], ...]
    cancers: dict[str, str]
    changes: tuple[Change, ...]

    def __str__(self) -> str:
        """A page of text."""
        return "\n".join(line for text in _page(self) for line in _wrapped(text))

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON types."""
        document: dict[str, Any] = json.loads(json.dumps(asdict(self), default=float, allow_nan=False))
        return document


def explain(
    adata: AnnData, cluster: str, *, catalogue: Catalogue | None = None, key_added: str = "caf"
) -> Explanation:
    """Say why a cluster has its lineage, its name and its call, and what would change them.

    Parameters
    ----------
    adata
        After `cafsc.annotate`, or after `cafsc.tl.verdict`.
    cluster
        Name of the cluster, as in ``obs["<key_added>_cluster"]``.
    catalogue
        States and sets; the shipped ones if not given.
    key_added
        The ``key_added`` of that run.

    Notes
    -----
    Changes are computed with the thresholds of the run. For the name, genes are removed from all sets and the lead
    over the runner-up is scored again; neighbours and resamples stay. For the call, papers are removed and the votes
    weighed again.

    Raises
    ------
    InputError
        If there is no result.
    OptionError
        If there is no such cluster.

    Examples
    --------
    >>> print(cafsc.tl.explain(adata, "0"))  # doctest: +SKIP
    """
    keys = Keys(key_added)
    labelled = [("uns", "clusters"), ("uns", "scores"), ("obs", keys.cluster), ("obs", keys.cell_subtype)]
    called = [("clusters", "sensitive_to"), ("uns", "evidence"), ("uns", "cancers")]
    slot = require(adata, keys, dict.fromkeys(labelled, "tl.label") | dict.fromkeys(called, "tl.verdict"))
    catalogue = catalogue or sig.load()
    config = _config(slot)

    def of_cluster(name: str) -> pd.DataFrame:
        table: pd.DataFrame = slot[name]
        return table[table["cluster"].astype(str) == str(cluster)]

    if of_cluster("clusters").empty:
        known = ", ".join(slot["clusters"]["cluster"].astype(str))
        known = known or "none: no fibroblast cluster was found"
        raise OptionError(f"no cluster {str(cluster)!r}", expected=known, fix="name one of these clusters")
    row = {str(name): value for name, value in of_cluster("clusters").iloc[0].items()}
    row["cluster"] = str(cluster)
    cells = np.flatnonzero((adata.obs[keys.cluster].astype(object) == row["cluster"]).to_numpy())
    scores = of_cluster("scores")
    scores = scores[scores["kind"].astype(str) == "subtype"]
    scores = scores.set_index(scores["set"].astype(str))
    members = _members(scores, catalogue, config.label)
    states = _states(scores, members, adata.obs[keys.cell_subtype].iloc[cells])
    leading, runner_up = _ranked(row, states)
    by_name = {state.state: state for state in states}
    gap, lead = 0.0, None
    if runner_up in by_name:
        gap = by_name[leading].score - by_name[runner_up].score
        ahead = (members[leading], members[runner_up])
        lead = _lead(fibroblasts(adata, key_added), cells, ahead, gap, catalogue)
    table = adata.obsm[keys.lineage_scores]
    # Column by column: the last digits of a sum depend on the layout of the table in memory.
    panels = {str(name): float(table[name].to_numpy()[cells].mean()) for name in table}
    symbols = adata.var[keys.symbol].to_numpy(dtype=object)
    evidence, cancers = of_cluster("evidence"), of_cluster("cancers")
    counted = evidence[evidence["counted"].astype(bool)]
    cancers = cancers[(cancers["n_own"] > 0) & (cancers["call"].astype(str) != row["call"])]
    names = source_names(catalogue)
    changes = [
        *name_changes(row, by_name, leading, runner_up, gap, lead, symbols, config.label),
        *verdict_changes(row, _votes(evidence), names, config.verdict),
    ]
    sides = ("for", "against") if row["call"] in (PRO, ANTI) else (PRO, ANTI)
    plain: dict[str, Any] = {name: str(row[name]) for name in _TEXTS}
    plain |= {name: int(row[name]) for name in ("n_cells", "n_pro", "n_anti")}
    plain |= {name: _number(row[name]) for name in ("support", "margin")}
    plain |= {name: _number(row[f"verdict_{name}"]) for name in ("score", "low", "high")}
    return Explanation(
        **plain,
        lineages=dict(sorted(panels.items(), key=lambda item: -item[1])),
        leading=leading,
        runner_up=runner_up,
        lead=_number(gap),
        states=tuple(states),
        genes=tuple((str(symbols[gene]), loss) for gene, loss in (lead.carriers() if lead else [])[:N_GENES]),
        cancer=str(slot.get("cancer", "")),
        claims_for=_claims(counted, sides[0], names),
        claims_against=_claims(counted, sides[1], names),
        claims_context=_claims(evidence, "context", names),
        cancers=dict(zip(cancers["cancer"].astype(str), cancers["call"].astype(str), strict=True)),
        changes=tuple(changes),
    )


def _config(slot: Mapping[str, Any]) -> Config:
    """Thresholds of the run, or the defaults where none are recorded."""
    try:
        recorded = json.loads(str(slot["provenance"]))["parameters"]["config"]
        return Config.model_validate(recorded)
    except (KeyError, TypeError, ValueError):
        return Config()


def _members(scores: pd.DataFrame, catalogue: Catalogue, config: LabelConfig) -> dict[str, list[str]]:
    """Sets of each state that the data cover; states without any are left out."""
    enough = np.maximum(config.min_genes, config.min_coverage * scores["n_genes"])
    covered = set(scores.index[scores["n_found"] >= enough])
    members = {name: [m for m in state.members if m in covered] for name, state in catalogue.states.items()}
    return {name: sets for name, sets in members.items() if sets}


def _states(scores: pd.DataFrame, members: Mapping[str, list[str]], cells: pd.Series) -> list[StateScore]:
    """Every state with covered sets, highest score first."""
    share = cells.astype(str).value_counts(normalize=True)
    found = []
    for name, sets in members.items():
        score, effect = (float(np.mean(scores.loc[sets, column])) for column in ("mean", "effect"))
        found.append(StateScore(name, score, effect, float(share.get(name, 0.0)), len(sets)))
    return sorted(found, key=lambda state: (-state.score, state.state))


def _ranked(row: Mapping[str, Any], states: list[StateScore]) -> tuple[str, str]:
    """The name, or else the state of most cells; and the runner-up of the run, or else the best other state."""
    if not states:
        return "", ""
    order = sorted(states, key=lambda state: (-state.share, -state.score, state.state))
    leading = order[0].state if row["subtype"] == UNRESOLVED else str(row["subtype"])
    rivals = [state.state for state in states if state.state != leading]
    recorded = str(row["runner_up"])
    return leading, recorded if recorded and recorded != leading else next(iter(rivals), "")


def _lead(
    kept: Fibroblasts, cells: np.ndarray, ahead: Iterable[list[str]], gap: float, catalogue: Catalogue
) -> Lead:
    """The lead of one state's sets over another's as a function of genes; `gap` with all of them."""
    sets = scored_sets(catalogue, kept.species, kept.columns)
    level = kept.cluster_means(np.isin(kept.rows, cells).astype(np.float64)[:, None])[0]
    one, other = (tuple(sets[name] for name in names if name in sets) for names in ahead)
    lead = Lead(gene_excess(level, kept.bins), one, other, 0.0)
    return replace(lead, offset=gap - lead.without([]))


def _votes(evidence: pd.DataFrame) -> list[Vote]:
    columns = ["paper", "effect", "weight", "group", "about"]
    rows = evidence[columns].assign(own_evidence=evidence["evidence"].astype(str) != "review")
    return [Vote(**{str(name): value for name, value in row.items()}) for row in rows.to_dict("records")]


def _claims(claims: pd.DataFrame, side: str, names: Mapping[str, str]) -> tuple[dict[str, Any], ...]:
    """The heaviest claims of one side."""
    shown = claims[claims["side"].astype(str) == side]
    shown = shown.sort_values(["weight", "claim"], ascending=[False, True], kind="stable").head(N_CLAIMS)
    columns = "claim about effect statement citation doi pmid evidence cancer".split()
    return tuple(
        {name: str(row[name]) for name in columns}
        | {name: float(row[name]) for name in ("weight", "presence")}
        | {"votes_for": names.get(str(row["group"]), str(row["group"]))}
        for row in shown.to_dict("records")
    )


def _number(value: Any) -> float:
    """A finite number: 0 where there is none."""
    return float(value) if np.isfinite(float(value)) else 0.0


def _page(found: Explanation) -> Iterable[str]:
    """All paragraphs of one explanation."""
    reason = _REASONS.get(found.call_reason, found.call_reason.replace("_", " "))
    call = f"{found.call} ({reason})" if reason else found.call
    panels = ", ".join(f"{name} {score:.2f}" for name, score in list(found.lineages.items())[:_N_LINEAGES])
    yield f"Cluster {found.cluster}: {found.n_cells:,} cells, {found.subtype}, {call}"
    yield from ("", "Why fibroblasts")
    yield f"  Mean scores of the marker panels, 0 to 1: {panels}."
    yield from ("", f"Why {found.subtype}" if found.subtype != UNRESOLVED else "Why it has no name")
    yield from _name_lines(found)
    yield from ("", f"Why {found.call}")
    yield from _call_lines(found)
    yield from ("", "What would change it")
    yield from (f"  - {change.of}: {change.text}" for change in found.changes)
    if found.cancers:
        other = ", ".join(f"{call} in {cancer}" for cancer, call in found.cancers.items())
        yield f"  - call: another cancer ({other})."


def _name_lines(found: Explanation) -> Iterable[str]:
    if not found.states:
        yield "  No published state has enough of its genes in the data."
        return
    if found.reason:
        yield f"  Reason: {found.reason}. {found.leading} leads without enough evidence for a name."
    ahead = (found.leading, found.runner_up)
    for state in sorted(found.states, key=lambda state: state.state not in ahead)[:_N_STATES]:
        yield (
            f"  {state.state:<14} score {state.score:+.2f}  effect {state.effect:+.1f} SD  "
            f"{state.share:>4.0%} of cells  {state.n_sets} sets"
        )
    yield (
        f"  Runner-up {found.runner_up or 'none'}, {found.margin:.1f} standard errors "
        f"({found.lead:.2f} log units) behind; support {found.support:.2f} of 1."
    )
    if found.genes:
        genes = ", ".join(f"{name} ({loss:.3f})" for name, loss in found.genes)
        yield f"  Genes that carried the lead, with the loss of lead without each: {genes}."


def _call_lines(found: Explanation) -> Iterable[str]:
    yield (
        f"  Score {found.score:+.2f} ({found.low:+.2f} to {found.high:+.2f}), {found.cancer or 'no cancer given'}; "
        f"independent sources: {found.n_pro} pro, {found.n_anti} anti."
    )
    outcomes = {"prognosis": found.prognosis, "response to therapy": found.therapy_response}
    if reported := ", ".join(f"{what} {outcome}" for what, outcome in outcomes.items() if outcome):
        yield f"  Reported outcome of patients, no part of the call: {reported}."
    titles = ("For it", "Against it") if found.call in (PRO, ANTI) else ("For pro", "For anti")
    blocks = (found.claims_for, found.claims_against, found.claims_context)
    for title, claims in zip((*titles, "Context"), blocks, strict=True):
        if claims:
            yield f"  {title}:"
        for claim in claims:
            source = f"doi:{claim['doi']}" if claim["doi"] else f"PMID {claim['pmid']}"
            yield (
                f"    - {claim['weight']:.2f}  {claim['statement']} {claim['citation']}, {source} "
                f"[{claim['evidence']}; {claim['cancer']}; {claim['about']}, present {claim['presence']:.2f}]"
            )


def _wrapped(text: str) -> list[str]:
    """Lines of a paragraph, indented like its first word."""
    indent = " " * (len(text) - len(text.lstrip(" -")))
    return textwrap.wrap(text, _WIDTH, subsequent_indent=indent, break_on_hyphens=False) or [""]
