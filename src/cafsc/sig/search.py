"""Find entries by the words in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cafsc.sig.catalogue import Catalogue
from cafsc.sig.listing import KINDS, rows

CONTEXT = 40
"""Characters shown on either side of what was found."""


_WITH_GENES = ("sets", "programs", "pairs", "exosome", "agents", "biomarkers")


@dataclass(frozen=True)
class Hit:
    """An entry that holds the text."""

    kind: str
    id: str
    found: str
    """The words around it."""


def search(catalogue: Catalogue, text: str) -> tuple[Hit, ...]:
    """Entries that hold every word of ``text`` in some field, in any case; whole ids and genes first.

    Parameters
    ----------
    text
        Words, a gene, part of an id, an author, a DOI.
    """
    words = text.casefold().split()
    if not words:
        return ()
    hits: list[tuple[bool, Hit]] = []
    for kind in KINDS:
        for row in rows(catalogue, kind):
            # The genes of what a claim or a paper only points at are found where they stand.
            own = {name: value for name, value in row.items() if name != "genes" or kind in _WITH_GENES}
            parts = [*_strings(own), *_more(catalogue, kind, row["id"])]
            folded = [part.casefold() for part in parts]
            if all(any(word in part for part in folded) for word in words):
                exact = text.casefold() in folded
                where = next(part for part in parts if words[0] in part.casefold())
                hits.append((not exact, Hit(kind, row["id"], _around(where, words[0]))))
    return tuple(hit for _, hit in sorted(hits, key=lambda hit: hit[0]))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _strings(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)


def _more(catalogue: Catalogue, kind: str, identifier: str) -> Iterator[str]:
    """Words of an entry that its table leaves out."""
    if kind == "sets":
        entry = catalogue.sets[identifier].definition
        yield from (entry.derivation, entry.seen_in, entry.note or "", *entry.dropped, *entry.renamed)
    elif kind == "papers":
        paper = catalogue.papers[identifier]
        yield from (paper.journal, paper.first_author, paper.doi or "", paper.pmid or "")
    elif kind == "agents":
        agent = catalogue.agents[identifier]
        yield from (agent.mechanism, agent.note or "")
    elif kind == "biomarkers":
        yield catalogue.biomarkers[identifier].statement


def _around(text: str, word: str) -> str:
    text = " ".join(text.split())
    start = max(text.casefold().find(word), 0)
    first, last = max(start - CONTEXT, 0), start + len(word) + CONTEXT
    return ("..." if first else "") + text[first:last] + ("..." if last < len(text) else "")
