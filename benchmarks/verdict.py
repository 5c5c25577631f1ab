"""Published statements about CAF subsets, each predicted from the other papers of the catalogue.

    python benchmarks/verdict.py [--markdown FILE] [--write-table]

``published_statements.tsv`` lists what papers with evidence of their own say of a subset in a cancer. For each one
all claims of its paper are removed, and the rest is weighed by the functions of `cafsc.tl.verdict`. No cells are
needed: the subset stands for a cluster, and what else is present in it follows from the gene lists (see `presence`). A
predicted ``mixed`` or ``undetermined`` abstains; the opposite side contradicts. A second round removes all papers of
the laboratory. ``--write-table`` makes the table anew from the catalogue.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection
from pathlib import Path

import pandas as pd

from cafsc import sig
from cafsc._config import VerdictConfig
from cafsc._keys import ANTI, PRO
from cafsc.sig import Catalogue
from cafsc.tl.verdict.claims import MIN_SIGNATURE, weighted_claims
from cafsc.tl.verdict.weigh import Call, weigh

TABLE = Path(__file__).parent / "published_statements.tsv"
COLUMNS = "subject cancer species published paper doi claim".split()
MIN_OVERLAP = 0.25
HIGH = ("medium-high", "high")
NO_CANCER = "none"


def statements(catalogue: Catalogue) -> pd.DataFrame:
    """Every statement of the catalogue: a side, about a published subset or a state, on evidence of its own.

    A paper that says the same of one subject in one cancer twice is one statement, a claim on several cancers is
    about the first.
    """
    rows = []
    for entry in catalogue.claims:
        claim = entry.claim
        kind = claim.about.partition(":")[0]
        if kind in ("set", "state") and claim.effect in (PRO, ANTI) and claim.evidence != ["review"]:
            cancer = next((code for code in claim.cancer if code in catalogue.cancers), NO_CANCER)
            species = "human" if "human" in claim.species else "mouse"
            key = entry.paper.key
            rows.append((claim.about, cancer, species, claim.effect, key, entry.paper.doi or "", claim.id))
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.drop_duplicates(["subject", "cancer", "published", "paper"]).reset_index(drop=True)


def high_genes(subject: str, catalogue: Catalogue) -> frozenset[str]:
    """Genes that a subject has: the up genes, or those with a high level."""
    name = subject.partition(":")[2]
    genes = set(catalogue.up_genes(subject))
    if name in catalogue.sets:
        genes |= {gene for gene, level in catalogue.sets[name].definition.levels.items() if level in HIGH}
    return frozenset(gene.upper() for gene in genes)


def states_of(subject: str, catalogue: Catalogue) -> frozenset[str]:
    """Harmonised states that a subject is, or is a published description of."""
    kind, _, name = subject.partition(":")
    return frozenset([name] if kind == "state" else catalogue.sets[name].states if kind == "set" else [])


def presence(other: str, subject: str, catalogue: Catalogue) -> float:
    """How present one subject is in cells that are the other, 0..1, by the gene lists alone.

    1 for the same subject or the same harmonised state, for a gene of its list, and for a marker set whose markers
    are all in it; for longer sets and programmes the share of the shorter list that is common, where it is at least
    a quarter and three genes. What only a longer list would imply about a marker is unknown, and so 0.
    """
    if other == subject or states_of(other, catalogue) & states_of(subject, catalogue):
        return 1.0
    kind, _, name = other.partition(":")
    if kind not in ("gene", "set", "state", "program"):
        return 0.0
    here, there = high_genes(subject, catalogue), high_genes(other, catalogue)
    if kind == "gene":
        return float(there <= here)
    if kind == "set" and catalogue.sets[name].definition.down and len(there) < MIN_SIGNATURE:
        return 0.0
    if not there or len(there) < MIN_SIGNATURE:
        return float(bool(there) and there <= here)
    common = len(here & there)
    share = common / min(len(here), len(there)) if here else 0.0
    return share if common >= MIN_SIGNATURE and share >= MIN_OVERLAP else 0.0


def predicted(
    subject: str, cancer: str | None, species: str, without: Collection[str], catalogue: Catalogue
) -> Call:
    """The call of a subset in a cancer, from the claims of all papers but some."""
    entries = [
        (entry, here)
        for entry in catalogue.claims
        if entry.paper.key not in without and (here := presence(entry.claim.about, subject, catalogue)) > 0
    ]
    votes = weighted_claims(entries, catalogue, cancer, species)
    return weigh(votes, VerdictConfig(), interval=False)


def held_out(
    table: pd.DataFrame, catalogue: Catalogue, removed: Callable[[str], Collection[str]]
) -> pd.DataFrame:
    """Each statement with what the other papers predict; ``removed`` gives the papers to take away for one."""
    calls = [
        predicted(
            row.subject,
            None if row.cancer == NO_CANCER else row.cancer,
            row.species,
            removed(row.paper),
            catalogue,
        )
        for row in table.itertuples()
    ]
    out = table.assign(predicted=[call.call for call in calls], reason=[call.reason for call in calls])
    sided = out["predicted"].isin([PRO, ANTI])
    out["outcome"] = "abstains"
    out.loc[sided & (out["predicted"] == out["published"]), "outcome"] = "agrees"
    out.loc[sided & (out["predicted"] != out["published"]), "outcome"] = "contradicts"
    return out


def outcomes(found: pd.DataFrame) -> dict[str, int]:
    """Statements by outcome."""
    return {name: int((found["outcome"] == name).sum()) for name in ("agrees", "abstains", "contradicts")}


def laboratory(catalogue: Catalogue) -> Callable[[str], Collection[str]]:
    """Papers of the laboratory or dataset of a paper."""
    return lambda paper: {
        key for key in catalogue.papers if catalogue.group_of(key) == catalogue.group_of(paper)
    }


def markdown(rounds: dict[str, pd.DataFrame]) -> str:
    """The outcome as a section of a page."""
    first = next(iter(rounds.values()))
    always = int((first["published"] == PRO).sum())
    lines = [
        "# Verdict",
        "",
        f"{len(first)} published statements about CAF subsets (`benchmarks/published_statements.tsv`: {always} pro, "
        f"{len(first) - always} anti), each predicted from the claims of all other papers by `benchmarks/verdict.py`.",
        "`mixed` and `undetermined` abstain. The subset stands for a cluster; what else is present in it follows from",
        "the gene lists, so this judges the weighing and the catalogue, not the reading of cells.",
        "",
        "| removed | statements | agrees | abstains | contradicts | contradicts, of all | agrees, of sides taken |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, found in rounds.items():
        n = outcomes(found)
        sided = n["agrees"] + n["contradicts"]
        lines.append(
            f"| {name} | {len(found)} | {n['agrees']} | {n['abstains']} | {n['contradicts']} | "
            f"{n['contradicts'] / len(found):.0%} | {n['agrees'] / sided if sided else 0:.0%} of {sided} |"
        )
    lines += ["", f"Calling every subset pro would contradict {len(first) - always} of {len(first)}.", ""]
    for side in (PRO, ANTI):
        n = outcomes(first[first["published"] == side])
        lines.append(
            f"Published {side}: {n['agrees']} agree, {n['abstains']} abstain, {n['contradicts']} contradict."
        )
    lines += ["", "Contradictions, with the paper removed:", ""]
    for row in first[first["outcome"] == "contradicts"].itertuples():
        lines.append(
            f"- `{row.subject}` in {row.cancer}: {row.paper} says {row.published}, the rest {row.predicted}"
        )
    if not (first["outcome"] == "contradicts").any():
        lines.append("- none")
    why = first[first["outcome"] == "abstains"]["reason"].value_counts()
    lines += [
        "",
        "Abstentions: " + ", ".join(f"{n} {reason.replace('_', ' ')}" for reason, n in why.items()) + ".",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--markdown", type=Path, help="write the outcome here, too")
    parser.add_argument("--write-table", action="store_true", help="make the table of statements anew")
    options = parser.parse_args()
    catalogue = sig.load()
    if options.write_table:
        statements(catalogue).to_csv(TABLE, sep="\t", index=False, lineterminator="\n")
    table = pd.read_csv(TABLE, sep="\t", keep_default_na=False)
    rounds = {
        "the paper": held_out(table, catalogue, lambda paper: {paper}),
        "its laboratory": held_out(table, catalogue, laboratory(catalogue)),
    }
    columns = "subject cancer published paper predicted reason outcome".split()
    print(rounds["the paper"][columns].to_string(index=False))
    text = markdown(rounds)
    print(text)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
