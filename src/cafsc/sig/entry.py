"""One entry of the catalogue, whole: what it holds, what is claimed about it, and from where."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from cafsc.errors import OptionError
from cafsc.sig.catalogue import Catalogue
from cafsc.sig.conflicts import conflicts
from cafsc.sig.export import to_json
from cafsc.sig.listing import KINDS, names_gene, rows

Entry = dict[str, Any]

SECTIONS: Mapping[str, str] = {
    "set": "sets",
    "state": "states",
    "program": "programs",
    "scheme": "schemes",
    "paper": "papers",
    "claim": "claims",
    "axis": "pairs",
    "exosome": "exosome_axes",
    "agent": "agents",
    "biomarker": "biomarkers",
    "unmeasured": "unmeasured",
    "review": "review_claims",
}
"""Section of the JSON export, by kind of entry."""


def find(catalogue: Catalogue, identifier: str) -> Entry:
    """The entry with an id, or with ``kind:id``; ``gene:<SYMBOL>`` gathers what names a gene.

    Returns
    -------
    ``kind``, ``id`` and the fields of the entry; then ``citation`` and ``link`` of its paper or ``sources``,
    ``claims`` about it and ``conflicts`` of its genes, where there are any.

    Raises
    ------
    OptionError
        If no entry, or more than one, has the id; names close or full ones.
    """
    content = json.loads(to_json(catalogue))
    content["claims"] = {claim["id"]: claim for claim in content["claims"]}
    prefix, _, rest = identifier.partition(":")
    if prefix == "gene":
        return _gene(catalogue, rest)
    if prefix in SECTIONS and rest in content[SECTIONS[prefix]]:
        return _whole(catalogue, prefix, rest, content[SECTIONS[prefix]][rest])
    kinds = [kind for kind, section in SECTIONS.items() if identifier in content[section]]
    if len(kinds) == 1:
        return _whole(catalogue, kinds[0], identifier, content[SECTIONS[kinds[0]]][identifier])
    if kinds:
        raise OptionError(
            f"{identifier!r} is the id of {len(kinds)} entries",
            expected=" or ".join(f"{kind}:{identifier}" for kind in kinds),
            fix="write the kind before the id",
        )
    known = [name for section in SECTIONS.values() for name in content[section]]
    close = difflib.get_close_matches(rest if prefix in SECTIONS else identifier, known, n=3, cutoff=0.4)
    raise OptionError(
        f"nothing in the catalogue has the id {identifier!r}",
        expected=", ".join(close) or "an id as printed by 'cafsc signatures list', or gene:<SYMBOL>",
        fix="see 'cafsc signatures list --kind KIND', or 'cafsc signatures search TEXT'",
    )


def _whole(catalogue: Catalogue, kind: str, identifier: str, fields: Entry) -> Entry:
    # A field called kind, such as that of an agent, stays beside the kind of the entry.
    entry: Entry = {"kind": kind, "id": identifier}
    entry |= {(f"{kind}_kind" if name == "kind" else name): value for name, value in fields.items()}
    if "sources" in fields:
        entry["sources"] = [_source(catalogue, key) for key in fields["sources"]]
    paper = catalogue.papers.get(str(fields.get("paper")))
    if paper is not None:
        entry |= {"citation": paper.citation, "link": paper.link}
    if kind == "review":
        entry["answers"] = list(catalogue.answers.get(identifier, ()))
    if kind == "paper":
        entry["sets"] = [name for name, found in catalogue.sets.items() if found.paper.key == identifier]
        entry["claims"] = [_claim(found) for found in catalogue.claims if found.paper.key == identifier]
    else:
        entry["claims"] = [_claim(found) for found in catalogue.claims_about(f"{kind}:{identifier}")]
    genes = set(catalogue.genes_of(f"{kind}:{identifier}"))
    entry["conflicts"] = _conflicts(catalogue, genes) if kind in ("set", "state", "program") else []
    return {name: value for name, value in entry.items() if name not in ("claims", "conflicts") or value}


def _gene(catalogue: Catalogue, symbol: str) -> Entry:
    named = {kind: [row for row in rows(catalogue, kind) if names_gene(row, symbol)] for kind in KINDS}
    known = {gene.casefold(): gene for entries in named.values() for row in entries for gene in row["genes"]}
    if symbol.casefold() not in known:
        raise OptionError(
            f"nothing in the catalogue names the gene {symbol!r}",
            expected="an approved symbol",
            fix="see 'cafsc signatures search TEXT'",
        )
    gene = known[symbol.casefold()]
    entry: Entry = {"kind": "gene", "id": gene}
    entry["no_fixed_sign"] = catalogue.no_fixed_sign.get(f"gene:{gene}")
    for kind in ("sets", "programs", "pairs", "exosome", "agents", "biomarkers"):
        entry[kind] = [row["id"] for row in named[kind]]
    entry["claims"] = [_claim(found) for found in catalogue.claims_about(f"gene:{gene}")]
    entry["conflicts"] = _conflicts(catalogue, {gene})
    return {name: value for name, value in entry.items() if value}


def _claim(found: Any) -> Entry:
    claim, paper = found.claim, found.paper
    return {
        "id": claim.id,
        "effect": claim.effect,
        "statement": claim.statement,
        "paper": paper.citation,
        "link": paper.link,
    }


def _source(catalogue: Catalogue, key: str) -> Entry:
    paper = catalogue.papers.get(key)
    return {"key": key} if paper is None else {"key": key, "citation": paper.citation, "link": paper.link}


def _conflicts(catalogue: Catalogue, genes: set[str]) -> Sequence[Entry]:
    return [
        {
            "gene": conflict.gene,
            "pro": f"pro in {', '.join(conflict.pro)}",
            "anti": f"anti in {', '.join(conflict.anti)}",
        }
        for conflict in conflicts(catalogue)
        if conflict.gene in genes
    ]
