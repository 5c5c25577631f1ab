"""Look into the catalogue: tables, the whole as plain data, a search by words, one entry by its id."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from operator import attrgetter
from typing import Any

from cafsc.errors import OptionError
from cafsc.sig.catalogue import Catalogue, CatalogueClaim, conflicts
from cafsc.sig.model import PAN, distinct

Row = dict[str, Any]
"""``id`` first; ``genes`` are all genes of the entry; ``cancer`` where the entry has any."""

_COLUMNS: Mapping[str, tuple[str, str]] = {
    "sets": ("set", "label species cancer n_genes states schemes paper=paper.citation"),
    "programs": ("program", "label n_genes papers=sources meaning"),
    "papers": ("paper", "citation title cancer n_sets n_claims verified link"),
    "claims": (
        "claim",
        "about=claim.about effect=claim.effect evidence=claim.evidence cancer=claim.cancer "
        "statement=claim.statement paper=paper.citation link=paper.link",
    ),
    "states": ("state", "label meaning members"),
    "schemes": ("scheme", "label paper method members"),
    "pairs": ("axis", "pair=label directions effect cancer mechanism statement sources"),
    "exosome": (
        "exosome",
        "cargo kind=cargo_kind direction targets change=target_change effect cancer measurable statement sources",
    ),
    "agents": ("agent", "label kind targets acts_on evidence cancer shown sources"),
    "biomarkers": ("biomarker", "label measured_in predicts prognosis therapy_response cancer sources"),
    "unmeasured": ("unmeasured", "what why proxy"),
    "review": ("review", "kind lines gist answers"),
}
"""Table -> kind of subject, and columns as ``name`` or ``name=attribute``."""
_ATTRIBUTES = {"exosome": "exosome_axes", "review": "review_claims"}

KINDS = tuple(_COLUMNS)
"""Names of the tables."""
SECTIONS = {subject: _ATTRIBUTES.get(kind, kind) for kind, (subject, _) in _COLUMNS.items()}
"""Kind of subject -> attribute of `Catalogue`, and section of the JSON export."""
_DUMPED = (
    "programs", "lineages", "schemes", "states", "pairs", "exosome_axes", "agents", "biomarkers", "unmeasured",
    "cancers", "groups",
)  # fmt: skip

AROUND = 40  # characters shown on either side of a match
_SAID = {"id", "effect", "statement"}
_WITH_GENES = ("sets", "programs", "pairs", "exosome", "agents", "biomarkers")
_NOT_IN_TABLE = {
    "sets": "definition.derivation definition.seen_in definition.note definition.dropped definition.renamed",
    "papers": "journal first_author doi pmid",
    "agents": "mechanism note",
    "biomarkers": "statement",
}
"""Fields that are searched beside those of the table."""


def rows(catalogue: Catalogue, kind: str) -> list[Row]:
    """Rows of one of `KINDS`, in the order of the catalogue."""
    subject, columns = _COLUMNS[kind]
    entries: Any = getattr(catalogue, SECTIONS[subject])
    if kind == "claims":
        entries = {entry.claim.id: entry for entry in catalogue.claims}
    found = []
    for key, entry in entries.items():
        genes = catalogue.genes_of(f"{subject}:{key}")
        computed: Row = {"n_genes": len(genes)}
        if kind == "schemes":
            genes = distinct(*(member.definition.genes for member in catalogue.sets_in_scheme(key)))
        elif kind == "claims":
            genes = catalogue.genes_of(entry.claim.about)
        elif kind == "review":
            computed = {"answers": list(catalogue.answers.get(key, ()))}
        elif kind == "papers":
            genes, computed = _of_paper(catalogue, key)
        found.append({"id": key, **_fields(entry, columns, computed), "genes": list(genes)})
    return found


def in_cancer(row: Row, cancer: str) -> bool:
    """Whether a row holds for a cancer code; a row without cancers, or for all of them, always does."""
    return "cancer" not in row or bool({cancer, PAN} & {*row["cancer"]})


def names_gene(row: Row, gene: str) -> bool:
    """Whether a row names a gene, in any case."""
    return gene.casefold() in {name.casefold() for name in row["genes"]}


def _fields(entry: object, columns: str, computed: Row) -> Row:
    """Columns of one entry: computed ones, and attributes with their lists copied."""
    found: Row = {}
    for column in columns.split():
        name, _, attribute = column.partition("=")
        value = computed[name] if name in computed else attrgetter(attribute or name)(entry)
        found[name] = list(value) if isinstance(value, tuple | list) else value
    return found


def _of_paper(catalogue: Catalogue, key: str) -> tuple[tuple[str, ...], Row]:
    sets = [entry for entry in catalogue.sets.values() if entry.paper.key == key]
    claims = [entry.claim for entry in catalogue.claims if entry.paper.key == key]
    cancer = sorted(distinct(*(entry.cancer for entry in sets), *(claim.cancer for claim in claims)))
    genes = distinct(*(entry.definition.genes for entry in sets))
    return genes, {"cancer": cancer, "n_sets": len(sets), "n_claims": len(claims)}


def sections(catalogue: Catalogue) -> dict[str, Any]:
    """The whole catalogue as plain data, with the keys of `Catalogue`."""
    sets, plain = {}, {}
    for entry in catalogue.sets.values():
        groups = {"paper": entry.paper.key, "schemes": [*entry.schemes], "states": [*entry.states]}
        sets[entry.id] = groups | entry.definition.model_dump()
    for name in _DUMPED:
        plain[name] = {key: entry.model_dump() for key, entry in getattr(catalogue, name).items()}
    return {
        "sha256": catalogue.sha256,
        "papers": {
            key: {**paper.model_dump(), "citation": paper.citation, "link": paper.link}
            for key, paper in catalogue.papers.items()
        },
        "sets": sets,
        "claims": [{"paper": claim.paper.key, **claim.claim.model_dump()} for claim in catalogue.claims],
        **plain,
        "recipients": catalogue.recipients.model_dump(),
        "no_fixed_sign": dict(catalogue.no_fixed_sign),
        "review_claims": {key: asdict(claim) for key, claim in catalogue.review_claims.items()},
        "weights": catalogue.weights.model_dump(),
    }


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
    hits: list[tuple[bool, Hit]] = []
    for kind in KINDS if words else ():
        for row in rows(catalogue, kind):
            # A claim or paper refers to genes of other entries, where the search finds them.
            own = row if kind in _WITH_GENES else {**row, "genes": []}
            if kind in _NOT_IN_TABLE:
                entry = getattr(catalogue, kind)[row["id"]]
                own = own | _fields(entry, _NOT_IN_TABLE[kind], {})
            values = [part if isinstance(part, list) else [part] for part in own.values()]
            parts = [part for value in values for part in value if isinstance(part, str)]
            folded = [part.casefold() for part in parts]
            if all(any(word in part for part in folded) for word in words):
                where = next(part for part in parts if words[0] in part.casefold())
                hit = Hit(kind, row["id"], _around(where, words[0]))
                hits.append((text.casefold() in folded, hit))
    return tuple(hit for _, hit in sorted(hits, key=lambda found: not found[0]))


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
    """One entry, with its papers last, and what else speaks of it."""
    entry: Row = {"kind": kind, "id": identifier}
    # A field called kind, such as that of an agent, stays beside the kind of the entry.
    named = {(f"{kind}_kind" if name == "kind" else name): value for name, value in fields.items()}
    entry |= sorted(named.items(), key=lambda field: field[0] in ("sources", "review_claims", "note"))
    if "sources" in fields:
        entry["sources"] = [{"key": key, **_cited(catalogue, key)} for key in fields["sources"]]
    entry |= _cited(catalogue, str(fields.get("paper")))
    if kind == "review":
        entry["answers"] = list(catalogue.answers.get(identifier, ()))
    claims = catalogue.claims_about(f"{kind}:{identifier}")
    if kind == "paper":
        entry["sets"] = [name for name, found in catalogue.sets.items() if found.paper.key == identifier]
        claims = tuple(found for found in catalogue.claims if found.paper.key == identifier)
    genes = catalogue.genes_of(f"{kind}:{identifier}") if kind in ("set", "state", "program") else ()
    return entry | _spoken_of(catalogue, claims, genes)


def _gene(catalogue: Catalogue, symbol: str) -> Row:
    """What names a gene, in any case."""
    named = {kind: [row for row in rows(catalogue, kind) if names_gene(row, symbol)] for kind in KINDS}
    known = {gene.casefold(): gene for entries in named.values() for row in entries for gene in row["genes"]}
    if symbol.casefold() not in known:
        raise OptionError(
            f"nothing in the catalogue names the gene {symbol!r}",
            expected="an approved symbol",
            fix="see 'cafsc signatures search TEXT'",
        )
    gene = known[symbol.casefold()]
    entry: Row = {"no_fixed_sign": catalogue.no_fixed_sign.get(f"gene:{gene}")}
    entry |= {kind: [row["id"] for row in named[kind]] for kind in _WITH_GENES}
    entry |= _spoken_of(catalogue, catalogue.claims_about(f"gene:{gene}"), (gene,))
    return {"kind": "gene", "id": gene} | {name: value for name, value in entry.items() if value}


def _spoken_of(catalogue: Catalogue, claims: tuple[CatalogueClaim, ...], genes: tuple[str, ...]) -> Row:
    """Claims, and conflicts of the genes; only what there is."""
    said = [
        {**found.claim.model_dump(include=_SAID), "paper": found.paper.citation, "link": found.paper.link}
        for found in claims
    ]
    both = [
        {"gene": one.gene, "pro": f"pro in {', '.join(one.pro)}", "anti": f"anti in {', '.join(one.anti)}"}
        for one in (conflicts(catalogue) if genes else ())
        if one.gene in genes
    ]
    return {name: value for name, value in (("claims", said), ("conflicts", both)) if value}


def _cited(catalogue: Catalogue, key: str) -> Row:
    """Citation and link of a paper of the catalogue."""
    paper = catalogue.papers.get(key)
    return {"citation": paper.citation, "link": paper.link} if paper else {}
