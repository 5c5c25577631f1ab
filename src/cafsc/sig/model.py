"""Schema of the catalogue's papers, programmes, states, cancers and weights, as pydantic models.

One file per paper. A model refuses unknown keys, so that a typing error is never silently dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

Species = Literal["human", "mouse"]
Effect = Literal["pro", "anti", "context"]
Evidence = Literal["in_vivo", "patients", "in_vitro", "review"]
"""Strongest first: depletion or genetics in animals, patient outcome, cell culture, statement of a review."""
Verified = Literal["read", "abstract", "listed"]
"""How the source was checked: full text, abstract, or only listed elsewhere."""
Outcome = Literal["worse", "better", "none"]
Level = Literal["negative", "negative-low", "low", "low-medium", "medium", "medium-high", "high"]

PAN = "pan"
"""Cancer of a claim that holds for every cancer."""
ALL_CAF = "caf"
"""Subject of a claim about CAFs as a whole."""

_DOI = re.compile(r"10\.\d{4,9}/[-._;()/:a-z0-9]+")
_PMID = re.compile(r"[1-9]\d{0,8}")
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+.-]*")
_NOT_SLUG = re.compile(r"[^A-Za-z0-9_+.-]+")
_LINES = re.compile(r"\d+(-\d+)?(, ?\d+(-\d+)?)*")
_GENE = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._-]*")


def _matching(pattern: re.Pattern[str], what: str) -> AfterValidator:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(f"{value!r} is not {what}")
        return value

    return AfterValidator(check)


def _shown(pattern: re.Pattern[str]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern.pattern}$"})


Doi = Annotated[str, _matching(_DOI, "a DOI (10.xxxx/..., lower case)"), _shown(_DOI)]
Pmid = Annotated[str, _matching(_PMID, "a PubMed ID"), _shown(_PMID)]
Slug = Annotated[str, _matching(_SLUG, "an id (letters, digits, _ + . -)"), _shown(_SLUG)]
Lines = Annotated[str, _matching(_LINES, "lines (79, 79-83 or 79-83,90; in quotes)"), _shown(_LINES)]
Gene = Annotated[str, _matching(_GENE, "a gene symbol"), _shown(_GENE)]
Weight = Annotated[float, Field(ge=0, le=1)]


def slugged(name: str) -> str:
    """``name`` as an id: other characters become ``-``; may be empty."""
    return _NOT_SLUG.sub("-", name).strip("-._+")


def distinct(*lists: Iterable[str]) -> tuple[str, ...]:
    """Genes of all lists in order, each once."""
    return tuple(dict.fromkeys(gene for genes in lists for gene in genes))


class Strict(BaseModel):
    """Frozen model that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Paper(Strict):
    """A published source with a DOI or PubMed ID."""

    key: Slug
    first_author: str
    year: int = Field(ge=1950, le=2100)
    journal: str
    title: str
    doi: Doi | None = None
    pmid: Pmid | None = None
    verified: Verified

    @property
    def citation(self) -> str:
        """Short form for tables: ``Costa 2018 Cancer Cell``."""
        return f"{self.first_author} {self.year} {self.journal}"

    @property
    def short(self) -> str:
        """Author and year: ``Costa 2018``."""
        return f"{self.first_author} {self.year}"

    @property
    def link(self) -> str:
        """Address under which the paper opens; empty for a user's own file without a DOI."""
        if self.doi:
            return f"https://doi.org/{self.doi}"
        return f"https://pubmed.ncbi.nlm.nih.gov/{self.pmid}/" if self.pmid else ""


class Context(Strict):
    """Species, cancer, tissue and assay that a paper studied."""

    species: list[Species] = Field(min_length=1)
    cancer: list[Slug] = Field(default_factory=list)
    tissue: str | None = None
    assay: str | None = None


class GeneSet(Strict):
    """A published gene set as curated, with the changes that curation made."""

    label: str
    species: Species = "human"
    up: list[Gene] = Field(default_factory=list)
    down: list[Gene] = Field(default_factory=list)
    levels: dict[Gene, Level] = Field(default_factory=dict)
    dropped: dict[Gene, str] = Field(default_factory=dict)
    """Removed gene -> reason."""
    renamed: dict[Gene, str] = Field(default_factory=dict)
    """Printed symbol -> approved symbol in the lists."""
    derivation: str
    seen_in: str
    """Where the list itself was read."""
    verified: Verified
    cancer: list[Slug] = Field(default_factory=list)
    not_for: dict[Species, str] = Field(default_factory=dict)
    """Species that the set is not meant for -> reason, such as genes without an ortholog."""
    note: str | None = None

    @model_validator(mode="after")
    def _holds_genes(self) -> Self:
        if not (self.up or self.down or self.levels):
            raise ValueError("a set needs up, down or levels")
        for name, genes in (("up", self.up), ("down", self.down)):
            if len(set(genes)) != len(genes):
                raise ValueError(f"{name} names a gene twice")
        if both := sorted(set(self.up) & set(self.down)):
            raise ValueError(f"in up and down at once: {', '.join(both)}")
        if kept := sorted(set(self.dropped) & set(self.genes)):
            raise ValueError(f"both dropped and kept: {', '.join(kept)}")
        return self

    @property
    def genes(self) -> tuple[str, ...]:
        """Every gene the set names, in order, without repeats."""
        return distinct(self.up, self.down, self.levels)


class Claim(Strict):
    """One assertion of one paper about one subject."""

    id: Slug
    about: str
    """The subject: ``set:<paper>/<set>``, ``state:<harmonised state>``, ``gene:<SYMBOL>``, ``program:<id>``,
    ``axis:<pair>``, ``exosome:<axis>``, ``agent:<id>``, ``biomarker:<id>``, ``unmeasured:<id>``, or
    ``caf`` for CAFs as a whole."""
    effect: Effect
    evidence: list[Evidence] = Field(min_length=1)
    cancer: list[Slug] = Field(min_length=1)
    """Cancer codes, or ``pan``."""
    species: list[Species] = Field(min_length=1)
    mechanism: list[Slug] = Field(default_factory=list)
    prognosis: Outcome | None = None
    therapy_response: Outcome | None = None
    statement: str
    review_claims: list[str] = Field(default_factory=list)
    line: Lines | None = None
    """Lines of the text, where the source is a review."""
    cites: str | None = None
    """What the source cites for it."""
    verified: Verified
    note: str | None = None


class PaperFile(Strict):
    """``signatures/papers/<key>.yaml``."""

    paper: Paper
    context: Context
    sets: dict[Slug, GeneSet] = Field(default_factory=dict)
    claims: list[Claim] = Field(default_factory=list)

    @model_validator(mode="after")
    def _opens(self) -> Self:
        if self.paper.doi is None and self.paper.pmid is None:
            raise ValueError("a paper needs a doi or a pmid")
        return self


class ProgramPart(Strict):
    """Genes of a programme from one source."""

    paper: Slug
    up: list[Gene] = Field(default_factory=list)
    down: list[Gene] = Field(default_factory=list)
    seen_in: str
    note: str | None = None


class United(Strict):
    """Genes united from several sources."""

    label: str
    meaning: str
    proxy: str | None = None
    """What RNA cannot show of it."""
    parts: list[ProgramPart] = Field(min_length=1)

    @property
    def up(self) -> tuple[str, ...]:
        """Up genes of all parts, without repeats."""
        return distinct(*(part.up for part in self.parts))

    @property
    def down(self) -> tuple[str, ...]:
        """Down genes of all parts, without repeats."""
        return distinct(*(part.down for part in self.parts))

    @property
    def genes(self) -> tuple[str, ...]:
        """Up and down genes, without repeats."""
        return distinct(self.up, self.down)

    @property
    def sources(self) -> list[str]:
        """Paper of each part."""
        return [part.paper for part in self.parts]


class Program(United):
    """``signatures/programs/<id>.yaml``: a functional programme, the union of its sources."""

    id: Slug
    not_for: dict[Species, str] = Field(default_factory=dict)
    """Species that the programme is not meant for -> reason."""


class LineagePanel(Strict):
    """Marker genes of one lineage."""

    label: str
    core: list[Gene] = Field(min_length=1)
    """Genes whose joint presence speaks for the lineage."""
    excludes: list[Gene] = Field(default_factory=list)
    """Genes whose presence speaks against it."""
    sources: list[Slug] = Field(min_length=1)
    note: str | None = None


class Scheme(Strict):
    """Published names of fibroblasts, one per set; each cluster takes the best-fitting one."""

    label: str
    paper: Slug
    method: Literal["scores", "levels", "markers"]
    members: list[str] = Field(min_length=1)
    """Set ids ``<paper>/<set>``."""
    note: str | None = None


class State(Strict):
    """A harmonised state and the published sets that describe it."""

    label: str
    meaning: str
    members: list[str] = Field(min_length=1)
    """Set ids ``<paper>/<set>``."""
    basis: str
    """Paper that equates these sets, or the measured overlap."""
    excludes: list[Gene] = Field(default_factory=list)
    """Genes that this state does not express; expression points to doublets or another lineage."""
    primary: bool = False
    """Every fibroblast is compared with the primary states; the others need a strong score."""


class CancerType(Strict):
    """A cancer type and its names."""

    label: str
    organ: Slug
    aliases: list[str] = Field(default_factory=list)


class SourceGroup(Strict):
    """Papers that count together as one independent source."""

    label: str
    shared: Literal["laboratory", "dataset"]
    """What the papers have in common."""
    papers: list[Slug] = Field(min_length=2)
    why: str


class EvidenceWeights(Strict):
    """``signatures/weights.yaml``: weights of a claim, each with its reason."""

    evidence: dict[Evidence, Weight] = Field(min_length=4)
    cancer: dict[Literal["same", "same_organ", "pan", "other", "unknown"], Weight] = Field(min_length=5)
    species: dict[Literal["same", "other"], Weight] = Field(min_length=2)
    subject: dict[Literal["state", "set", "marker", "program", "gene"], Weight] = Field(default_factory=dict)
    """Specificity of a kind of subject for one fibroblast state; 1 where it is not listed."""
    why: dict[str, str]
