"""Schema of ligand-receptor pairs, exosome axes, agents, biomarkers, recipients and review claims.

Genes are human symbols, also where the experiment was done in mice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, Field, model_validator

from cafsc.sig.model import Effect, Evidence, Gene, Outcome, ProgramPart, Slug, Strict, United, distinct

_GENE_NAME = re.compile(r"[A-Za-z0-9@._-]+")

Cell = Literal[
    "caf", "tumour", "t_cell", "treg", "nk", "macrophage", "neutrophil", "mdsc", "dendritic", "b_cell", "mast",
    "endothelial", "epithelial", "msc", "adipocyte", "platelet", "normal_fibroblast", "any",
]  # fmt: skip


def _between_cells(value: str) -> str:
    cells = value.split(">")
    if len(cells) != 2 or not set(cells) <= set(get_args(Cell)):
        raise ValueError(f"{value!r} is not sender>receiver of {', '.join(get_args(Cell))}")
    return value


Direction = Annotated[str, AfterValidator(_between_cells)]
"""``sender>receiver``, for example ``caf>tumour``."""


class _Records(Strict):
    """A file of records, whose ids differ."""

    @model_validator(mode="after")
    def _distinct_ids(self) -> Self:
        for entries in dict(self).values():
            ids = [entry.id for entry in entries]
            if twice := sorted({name for name in ids if ids.count(name) > 1}):
                raise ValueError(f"duplicate id {', '.join(twice)}")
        return self


class Pair(Strict):
    """A ligand-receptor pair and the cells between which it was reported."""

    id: Slug
    ligand: list[Gene] = Field(min_length=1)
    """Subunits, where the ligand is a complex."""
    receptor: list[Gene] = Field(min_length=1)
    """Subunits, where the receptor is a complex."""
    directions: list[Direction] = Field(min_length=1)
    effect: Effect
    named: Literal["ligand", "receptor", "both"]
    """Partner named by the source; curation added the other one."""
    in_liana_consensus: bool
    """Whether the consensus resource of liana holds the pair."""
    mechanism: list[Slug] = Field(default_factory=list)
    cancer: list[Slug] = Field(min_length=1)
    """Cancer codes, or ``pan``."""
    statement: str
    sources: list[Slug] = Field(min_length=1)
    review_claims: list[str] = Field(default_factory=list)
    note: str | None = None

    @property
    def label(self) -> str:
        """``LIGAND-RECEPTOR``, the subunits of a complex joined by ``+``."""
        return f"{'+'.join(self.ligand)}-{'+'.join(self.receptor)}"

    @property
    def genes(self) -> tuple[str, ...]:
        """Both partners, without repeats."""
        return distinct(self.ligand, self.receptor)


class Pairs(_Records):
    """``signatures/axes/ligand_receptor.yaml``."""

    pairs: list[Pair]


class ExosomeAxis(Strict):
    """An exosomal cargo and its effect on the recipient cells."""

    id: Slug
    cargo: str
    """Printed name of the cargo."""
    cargo_kind: Literal["mirna", "lncrna", "circrna", "mrna", "protein", "metabolite", "other"]
    cargo_genes: list[Gene] = Field(default_factory=list)
    """Genes of the cargo that single-cell RNA-seq counts: host gene, mRNA, or gene of the protein."""
    direction: Direction
    targets: list[Gene] = Field(default_factory=list)
    """Genes that the cargo changes in the recipient."""
    target_change: Literal["down", "up", "none"] = "none"
    effect: Effect
    cargo_level: Literal["present", "lost"] = "present"
    """``lost``: the source reports the loss of the cargo from the exosomes."""
    cancer: list[Slug] = Field(min_length=1)
    mechanism: list[Slug] = Field(default_factory=list)
    measurable: Literal["yes", "indirect", "no"]
    """By single-cell RNA-seq: the cargo itself, only its targets in the recipient, or neither."""
    statement: str
    sources: list[Slug] = Field(min_length=1)
    review_claims: list[str] = Field(default_factory=list)
    note: str | None = None

    @property
    def label(self) -> str:
        """``cargo > targets``."""
        return f"{self.cargo} > {', '.join(self.targets)}" if self.targets else self.cargo

    @property
    def genes(self) -> tuple[str, ...]:
        """Genes of the cargo and its targets, without repeats."""
        return distinct(self.cargo_genes, self.targets)


class ExosomeAxes(_Records):
    """``signatures/axes/exosome.yaml``."""

    axes: list[ExosomeAxis]


class Agent(Strict):
    """A compound or therapy that acts on CAFs or on the signals they send."""

    id: Slug
    label: str
    kind: Literal[
        "antibody", "small_molecule", "natural_compound", "exosome_inhibitor", "uptake_inhibitor", "nanotherapy",
        "vaccine", "cell_therapy", "engineered_exosome", "other",
    ]  # fmt: skip
    targets: list[Gene] = Field(default_factory=list)
    acts_on: Slug
    """``caf``, ``tumour``, ``exosome_release``, ``exosome_uptake``, ``immune`` ..."""
    mechanism: str
    shown: str
    """Reported effect and model system."""
    evidence: Evidence
    """Strongest available."""
    cancer: list[Slug] = Field(min_length=1)
    sources: list[Slug] = Field(min_length=1)
    review_claims: list[str] = Field(default_factory=list)
    note: str | None = None

    @property
    def genes(self) -> tuple[str, ...]:
        """The targets, without repeats."""
        return distinct(self.targets)


class Agents(_Records):
    """``signatures/agents.yaml``."""

    agents: list[Agent]


class Biomarker(Strict):
    """A measurement in patients and what it predicts."""

    id: Slug
    label: str
    genes: list[Gene] = Field(default_factory=list)
    measured_in: str
    """Tumour stroma, tumour tissue, plasma exosomes, serum, urine, circulating cells ..."""
    predicts: str
    prognosis: Outcome | None = None
    therapy_response: Outcome | None = None
    diagnostic: bool = False
    cancer: list[Slug] = Field(min_length=1)
    statement: str
    sources: list[Slug] = Field(min_length=1)
    review_claims: list[str] = Field(default_factory=list)
    note: str | None = None


class Biomarkers(_Records):
    """``signatures/biomarkers.yaml``."""

    biomarkers: list[Biomarker]


class Unmeasured(Strict):
    """A property that single-cell RNA-seq cannot measure, the reason, and a proxy."""

    id: Slug
    what: str
    why: str
    proxy: str | None = None
    """``program:<id>``, ``gene:<SYMBOL>``, or words; None without a proxy."""
    sources: list[Slug] = Field(default_factory=list)
    review_claims: list[str] = Field(default_factory=list)
    note: str | None = None

    @property
    def label(self) -> str:
        """The property."""
        return self.what

    @property
    def genes(self) -> tuple[str, ...]:
        """The proxy gene, if there is one."""
        kind, _, name = (self.proxy or "").partition(":")
        return (name,) if kind == "gene" and _GENE_NAME.fullmatch(name) else ()


class UnmeasuredFile(_Records):
    """``signatures/not_measurable.yaml``."""

    unmeasured: list[Unmeasured]


Record = Pair | ExosomeAxis | Agent | Biomarker | Unmeasured


class RecipientCell(Strict):
    """A kind of cell that the records name, as a lineage of the gate or a part of one."""

    lineage: Slug
    core: list[Gene] = Field(default_factory=list)
    """Markers of the kind within its lineage; empty where the whole lineage stands for it."""
    excludes: list[Gene] = Field(default_factory=list)
    sources: list[Slug] = Field(default_factory=list)
    note: str | None = None


class Response(United):
    """A gene response that only some recipient cells can show."""

    label: str
    meaning: str
    proxy: str | None = None
    """What RNA cannot show about the response."""
    cells: list[Cell] = Field(min_length=1)
    parts: list[ProgramPart] = Field(min_length=1)


class Recipients(Strict):
    """``signatures/recipients.yaml``: recipients of CAF signals and the responses to look for in them."""

    cells: dict[Cell, RecipientCell] = Field(default_factory=dict)
    responses: dict[Slug, Response] = Field(default_factory=dict)
    footprints: dict[Slug, list[str]] = Field(default_factory=dict)
    """Mechanism of a pair -> ``program:<id>`` or ``response:<id>``."""


@dataclass(frozen=True)
class ReviewClaim:
    """One assertion of a review, in our own words: a row of ``signatures/review_claims.tsv``."""

    id: str
    review: str
    section: str
    kind: str
    lines: str
    """Lines in the text of the review."""
    gist: str
