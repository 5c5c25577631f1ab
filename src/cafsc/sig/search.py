"""Find entries of the catalogue: by the words in them, or one whole entry by its id."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cafsc.errors import OptionError
from cafsc.sig.catalogue import Catalogue, CatalogueClaim, conflicts
from cafsc.sig.export import sections
from cafsc.sig.listing import KINDS, SECTIONS, Row, names_gene, rows

AROUND = 40
"""Characters shown on either side of a match."""
_WITH_GENES = ("sets", "programs", "pairs", "exosome", "agents", "biomarkers")


@dataclass(frozen=True)
class Hit:
    """An entry that holds the text."""

    kind: str
    id: str
    found: str
    """The text around the first word."""


def search(catalogue: Catalogue, text: str) -> tuple[Hit, ...]:
    """Entries that hold every word of ``text`` in some field, in any case; exact ids and genes first.

    Parameters
    ----------
    text
        Words, a gene, part of an id, an author, a DOI.
    """
    words = text.casefold().split()
    exact: list[Hit] = []
    others: list[Hit] = []
    for kind in KINDS if words else ():
        for row in rows(catalogue, kind):
            # A claim or paper refers to genes of other entries, where the search finds them.
            own = {name: value for name, value in row.items() if name != "genes" or kind in _WITH_GENES}
            parts = [*_strings(catalogue, kind, own)]
            folded = [part.casefold() for part in parts]
            if all(any(word in part for part in folded) for word in words):
                where = next(part for part in parts if words[0] in part.casefold())
                hits = exact if text.casefold() in folded else others
                hits.append(Hit(kind, row["id"], _around(where, words[0])))
    return (*exact, *others)


def _strings(catalogue: Catalogue, kind: str, row: Row) -> Iterator[str]:
    """Text of a row and of the fields that the table leaves out."""
    values: list[object] = [
        value for part in row.values() for value in (part if isinstance(part, list) else [part])
    ]
    key = row["id"]
    if kind == "sets":
        entry = catalogue.sets[key].definition
        values += [entry.derivation, entry.seen_in, entry.note, *entry.dropped, *entry.renamed]
    elif kind == "papers":
        paper = catalogue.papers[key]
        values += [paper.journal, paper.first_author, paper.doi, paper.pmid]
    elif kind == "agents":
        values += [catalogue.agents[key].mechanism, catalogue.agents[key].note]
    elif kind == "biomarkers":
        values.append(catalogue.biomarkers[key].statement)
    yield from (value for value in values if isinstance(value, str))


def _around(text: str, word: str) -> str:
    text = " ".join(text.split())
    start = max(text.casefold().find(word), 0)
    first, last = max(start - AROUND, 0), start + len(word) + AROUND
    return ("..." if first else "") + text[first:last] + ("..." if last < len(text) else "")


def find(catalogue: Catalogue, identifier: str) -> Row:
    """The entry with an id, or with ``kind:id``; ``gene:<SYMBOL>`` gathers the entries of a gene.

    Returns
    -------
    ``kind``, ``id`` and the fields of the entry; then ``citation`` and ``link`` of its paper or ``sources``,
    ``claims`` about it and ``conflicts`` of its genes, where there are any.

    Raises
    ------
    OptionError
        If no entry, or more than one, has the id; names similar or full ids.
    """
    prefix, _, rest = identifier.partition(":")
    if prefix == "gene":
        return _gene(catalogue, rest)
    content = sections(catalogue)
    content["claims"] = {claim["id"]: claim for claim in content["claims"]}
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


def _whole(catalogue: Catalogue, kind: str, identifier: str, fields: Row) -> Row:
    # A field called kind, such as that of an agent, stays beside the kind of the entry.
    entry: Row = {"kind": kind, "id": identifier}
    entry |= {(f"{kind}_kind" if name == "kind" else name): value for name, value in fields.items()}
    if "sources" in fields:
        entry["sources"] = [{"key": key, **_cited(catalogue, key)} for key in fields["sources"]]
    entry |= _cited(catalogue, str(fields.get("paper")))
    if kind == "review":
        entry["answers"] = list(catalogue.answers.get(identifier, ()))
    claims = catalogue.claims_about(f"{kind}:{identifier}")
    if kind == "paper":
        entry["sets"] = [name for name, found in catalogue.sets.items() if found.paper.key == identifier]
        claims = tuple(found for found in catalogue.claims if found.paper.key == identifier)
    found_conflicts = []
    if kind in ("set", "state", "program"):
        found_conflicts = _conflicts(catalogue, {*catalogue.genes_of(f"{kind}:{identifier}")})
    return entry | _filled(claims=[_claim(found) for found in claims], conflicts=found_conflicts)


def _gene(catalogue: Catalogue, symbol: str) -> Row:
    named = {kind: [row for row in rows(catalogue, kind) if names_gene(row, symbol)] for kind in KINDS}
    known = {gene.casefold(): gene for entries in named.values() for row in entries for gene in row["genes"]}
    if symbol.casefold() not in known:
        raise OptionError(
            f"nothing in the catalogue names the gene {symbol!r}",
            expected="an approved symbol",
            fix="see 'cafsc signatures search TEXT'",
        )
    gene = known[symbol.casefold()]
    return {"kind": "gene", "id": gene} | _filled(
        no_fixed_sign=catalogue.no_fixed_sign.get(f"gene:{gene}"),
        **{kind: [row["id"] for row in named[kind]] for kind in _WITH_GENES},
        claims=[_claim(found) for found in catalogue.claims_about(f"gene:{gene}")],
        conflicts=_conflicts(catalogue, {gene}),
    )


def _filled(**fields: Any) -> Row:
    return {name: value for name, value in fields.items() if value}


def _claim(found: CatalogueClaim) -> Row:
    fields = found.claim.model_dump(include={"id", "effect", "statement"})
    return {**fields, "paper": found.paper.citation, "link": found.paper.link}


def _cited(catalogue: Catalogue, key: str) -> Row:
    paper = catalogue.papers.get(key)
    return {"citation": paper.citation, "link": paper.link} if paper else {}


def _conflicts(catalogue: Catalogue, genes: set[str]) -> list[Row]:
    found = (conflict for conflict in conflicts(catalogue) if conflict.gene in genes)
    return [
        {"gene": gene.gene, "pro": f"pro in {', '.join(gene.pro)}", "anti": f"anti in {', '.join(gene.anti)}"}
        for gene in found
    ]
