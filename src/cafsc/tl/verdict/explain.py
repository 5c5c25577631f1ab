"""Why a cluster is called what it is called, and what would change that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cafsc import sig
from cafsc._config import AnnotateConfig
from cafsc._keys import ANTI, FIBROBLAST, PRO, UNRESOLVED, Keys
from cafsc.errors import InputError, OptionError
from cafsc.tl.label.lead import Lead, gene_excess
from cafsc.tl.score.fibroblasts import fibroblasts
from cafsc.tl.score.set_columns import scored_sets
from cafsc.tl.verdict.changes import Change, name_changes, verdict_changes
from cafsc.tl.verdict.explain_text import page
from cafsc.tl.verdict.ledger import witness_names
from cafsc.tl.verdict.weigh import Vote

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue

N_CLAIMS = 5
N_GENES = 8
_RUN_FIRST = "run cafsc.annotate first"


@dataclass(frozen=True)
class StateScore:
    """How one state does in the cluster.

    Attributes
    ----------
    score
        Mean of its sets above their reference levels, natural log units.
    effect
        Mean of its sets, standard deviations of matched random sets.
    share
        Share of the cluster's cells that take the state by themselves, 0..1.
    n_sets
        Published sets that describe it and are covered by the data.
    """

    state: str
    score: float
    effect: float
    share: float
    n_sets: int


@dataclass(frozen=True)
class Explanation:
    """One cluster explained; ``str()`` is a page of text, `to_dict` the same as plain types.

    Attributes
    ----------
    lineages
        Mean panel score (0..1) of each lineage in the cluster, highest first.
    leading
        State ahead, also where it did not earn the name.
    runner_up, margin, lead
        Next state, and how far it is behind: in standard errors, and in natural log units.
    states
        Every state that competed, highest score first.
    genes
        Genes that carried the lead: symbol and what the lead would lose without it, natural log units.
    claims_for, claims_against
        Heaviest claims that voted for the call and against it; for pro and for anti where there is no side.
    claims_context
        Claims that are told without a verdict.
    cancers
        Call in each other cancer where it is another one.
    changes
        What would change the name or the call.
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
        return page(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON types."""
        document: dict[str, Any] = json.loads(json.dumps(asdict(self), default=float, allow_nan=False))
        return document


def explain(
    adata: AnnData, cluster: str, *, catalogue: Catalogue | None = None, key_added: str = "caf"
) -> Explanation:
    """Say why a cluster got its lineage, its name and its call, and what would change them.

    Parameters
    ----------
    adata
        AnnData that `cafsc.annotate` has been run on.
    cluster
        Name of the cluster, as in ``obs["<key_added>_cluster"]``.
    catalogue
        States and sets; the shipped ones if not given.
    key_added
        The ``key_added`` of that run.

    Returns
    -------
    Explanation

    Notes
    -----
    What would change the name is computed, not guessed: the genes are left out of all sets and the lead over the
    runner-up is scored again (before neighbours or resampling are done anew), with the thresholds of the run. For
    the call, papers are left out and the votes weighed again.

    Raises
    ------
    InputError
        If there is no result.
    OptionError
        If there is no such cluster.
    """
    keys = Keys(key_added)
    slot = adata.uns.get(keys.uns)
    if not isinstance(slot, Mapping) or "clusters" not in slot or "evidence" not in slot:
        raise InputError(f"the AnnData has no result in uns[{keys.uns!r}]", fix=_RUN_FIRST)
    catalogue = catalogue or sig.load()
    config = _config(slot)
    row = _row(slot["clusters"], str(cluster))
    cells = np.flatnonzero((adata.obs[keys.cluster].astype(object) == row["cluster"]).to_numpy())
    states = _states(
        slot["scores"], row["cluster"], adata.obs[keys.cell_subtype].iloc[cells], catalogue, config
    )
    leading, runner_up = _ranked(row, states)
    by_name = {state.state: state for state in states}
    lead = _lead(adata, keys, slot["scores"], cells, row, leading, runner_up, catalogue, config)
    symbols = adata.var[keys.symbol].to_numpy(dtype=object)
    margin = float(row["margin"])
    gap = by_name[leading].score - by_name[runner_up].score if runner_up in by_name else 0.0
    evidence = slot["evidence"]
    mine = evidence[evidence["cluster"].astype(str) == row["cluster"]]
    votes = [
        Vote(
            str(r["paper"]),
            str(r["effect"]),
            float(r["weight"]),
            own_evidence=r["evidence"] != "review",
            group=str(r["group"]),
            about=str(r["about"]),
        )
        for r in mine.to_dict("records")
    ]
    names = witness_names(catalogue)
    changes = [
        *name_changes(row, by_name, leading, runner_up, gap, lead, symbols, config.label),
        *verdict_changes(row, votes, names, config.verdict),
    ]
    sides = ("for", "against") if row["call"] in (PRO, ANTI) else (PRO, ANTI)
    return Explanation(
        cluster=row["cluster"],
        n_cells=int(row["n_cells"]),
        subtype=str(row["subtype"]),
        reason=str(row["reason"]),
        support=_number(row["support"]),
        lineages=_lineages(adata, keys, cells),
        leading=leading,
        runner_up=runner_up,
        margin=_number(margin),
        lead=_number(gap),
        states=tuple(states),
        genes=tuple((str(symbols[gene]), cost) for gene, cost in (lead.carriers() if lead else [])[:N_GENES]),
        call=str(row["call"]),
        call_reason=str(row["call_reason"]),
        score=_number(row["verdict_score"]),
        low=_number(row["verdict_low"]),
        high=_number(row["verdict_high"]),
        n_pro=int(row["n_pro"]),
        n_anti=int(row["n_anti"]),
        prognosis=str(row["prognosis"]),
        therapy_response=str(row["therapy_response"]),
        cancer=str(slot.get("cancer", "")),
        claims_for=_claims(mine[mine["counted"].astype(bool)], sides[0], names),
        claims_against=_claims(mine[mine["counted"].astype(bool)], sides[1], names),
        claims_context=_claims(mine, "context", names),
        cancers=_other_cancers(slot, row),
        changes=tuple(changes),
    )


def _config(slot: Mapping[str, Any]) -> AnnotateConfig:
    """Thresholds of the run; the defaults where they are not recorded."""
    try:
        recorded = json.loads(str(slot["provenance"]))["parameters"]["config"]
        return AnnotateConfig.model_validate(recorded)
    except (KeyError, TypeError, ValueError):
        return AnnotateConfig()


def _row(clusters: pd.DataFrame, cluster: str) -> dict[str, Any]:
    found = clusters[clusters["cluster"].astype(str) == cluster]
    if found.empty:
        known = ", ".join(clusters["cluster"].astype(str)) or "none: no fibroblast cluster was found"
        raise OptionError(f"no cluster {cluster!r}", expected=known, fix="name one of these clusters")
    text = found.iloc[0].to_dict()
    return {str(key): value for key, value in text.items()} | {"cluster": cluster}


def _states(
    scores: pd.DataFrame, cluster: str, cell_states: pd.Series, catalogue: Catalogue, config: AnnotateConfig
) -> list[StateScore]:
    mine = scores[(scores["cluster"].astype(str) == cluster) & (scores["kind"].astype(str) == "subtype")]
    of_set = {str(row["set"]): row for row in mine.to_dict("records")}
    share = cell_states.astype(str).value_counts(normalize=True)
    label = config.label
    out = []
    for name, state in catalogue.states.items():
        rows = [
            of_set[member]
            for member in state.members
            if member in of_set
            and of_set[member]["n_found"]
            >= max(label.min_genes, label.min_coverage * of_set[member]["n_genes"])
        ]
        if rows:
            score = float(np.mean([row["mean"] for row in rows]))
            effect = float(np.mean([row["effect"] for row in rows]))
            out.append(StateScore(name, score, effect, float(share.get(name, 0.0)), len(rows)))
    return sorted(out, key=lambda state: (-state.score, state.state))


def _ranked(row: Mapping[str, Any], states: list[StateScore]) -> tuple[str, str]:
    """The state ahead, by the cells that take it, and the one that it was measured against."""
    if not states:
        return "", ""
    order = sorted(states, key=lambda state: (-state.share, -state.score, state.state))
    leading = order[0].state if row["subtype"] == UNRESOLVED else str(row["subtype"])
    rivals = [state.state for state in states if state.state != leading]
    recorded = str(row["runner_up"])
    return leading, recorded if recorded and recorded != leading else next(iter(rivals), "")


def _lead(
    adata: AnnData,
    keys: Keys,
    scores: pd.DataFrame,
    cells: np.ndarray,
    row: Mapping[str, Any],
    leading: str,
    runner_up: str,
    catalogue: Catalogue,
    config: AnnotateConfig,
) -> Lead | None:
    """The lead as a function of genes; None where there are not two states to compare."""
    if not leading or not runner_up:
        return None
    kept = fibroblasts(adata, keys.key_added)
    sets = scored_sets(catalogue, kept.species, kept.columns)
    mine = scores[
        (scores["cluster"].astype(str) == row["cluster"]) & (scores["kind"].astype(str) == "subtype")
    ]
    mean = dict(zip(mine["set"].astype(str), mine["mean"].astype(float), strict=True))
    label = config.label
    members = {
        state: [
            name
            for name in catalogue.states[state].members
            if name in sets
            and name in mean
            and sets[name].n_found >= max(label.min_genes, label.min_coverage * sets[name].n_genes)
        ]
        for state in (leading, runner_up)
    }
    if not all(members.values()):
        return None
    level = kept.cluster_means(np.isin(kept.rows, cells).astype(np.float64)[:, None])[0]
    first, second = (tuple(sets[name] for name in members[state]) for state in (leading, runner_up))
    raw = Lead(gene_excess(level, kept.bins), first, second, 0.0)
    told = [float(np.mean([mean[name] for name in members[state]])) for state in (leading, runner_up)]
    return Lead(raw.above, first, second, told[0] - told[1] - raw.without([]))


def _lineages(adata: AnnData, keys: Keys, cells: np.ndarray) -> dict[str, float]:
    if keys.lineage_scores not in adata.obsm:
        return {FIBROBLAST: 0.0}
    table = adata.obsm[keys.lineage_scores]
    # Column by column: the last digits of a sum depend on how the table lies in memory.
    mean = {str(name): float(table[name].to_numpy()[cells].mean()) for name in table}
    return dict(sorted(mean.items(), key=lambda item: -item[1]))


def _claims(claims: pd.DataFrame, side: str, names: Mapping[str, str]) -> tuple[dict[str, Any], ...]:
    shown = claims[claims["side"].astype(str) == side]
    shown = shown.sort_values(["weight", "claim"], ascending=[False, True], kind="stable").head(N_CLAIMS)
    columns = "claim about effect statement citation doi pmid evidence cancer".split()
    return tuple(
        {name: str(row[name]) for name in columns}
        | {
            "weight": float(row["weight"]),
            "presence": float(row["presence"]),
            "votes_for": names.get(str(row["group"]), str(row["group"])),
        }
        for row in shown.to_dict("records")
    )


def _other_cancers(slot: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, str]:
    table = slot.get("cancers")
    if table is None:
        return {}
    mine = table[(table["cluster"].astype(str) == row["cluster"]) & (table["n_own"] > 0)]
    other = mine[mine["call"].astype(str) != row["call"]]
    return dict(zip(other["cancer"].astype(str), other["call"].astype(str), strict=True))


def _number(value: Any) -> float:
    """A finite number: 0 where there is none."""
    number = float(value)
    return number if np.isfinite(number) else 0.0
