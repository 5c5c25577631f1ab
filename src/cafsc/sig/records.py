"""Schema of ligand-receptor pairs, exosome axes, agents, biomarkers, recipients and review claims.

Genes are human symbols, also where the experiment was done in mice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field

from cafsc.sig.model import Effect, Evidence, Gene, Outcome, Slug, Strict, United, distinct

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


class _Entry(Strict):
    """Fields of a record that papers report in some cancers."""

    id: Slug
    cancer: list[Slug] = Field(min_length=1)
    """Cancer codes, or ``pan``."""
    sources: list[Slug] = Field(min_length=1)
    review_claims: list[str] = Field(default_factory=list)
    note: str | None = None


class Pair(_Entry):
    """A ligand-receptor pair and the cells between which it was reported."""

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
    statement: str

    @property
    def label(self) -> str:
        """``LIGAND-RECEPTOR``, the subunits of a complex joined by ``+``."""
        return f"{'+'.join(self.ligand)}-{'+'.join(self.receptor)}"

    @property
    def genes(self) -> tuple[str, ...]:
        """Both partners, without repeats."""
        return distinct(self.ligand, self.receptor)


class ExosomeAxis(_Entry):
    """An exosomal cargo and its effect on the recipient cells."""

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
    mechanism: list[Slug] = Field(default_factory=list)
    measurable: Literal["yes", "indirect", "no"]
    """By single-cell RNA-seq: the cargo itself, only its targets in the recipient, or neither."""
    statement: str

    @property
    def label(self) -> str:
        """``cargo > targets``."""
        return f"{self.cargo} > {', '.join(self.targets)}" if self.targets else self.cargo

    @property
    def genes(self) -> tuple[str, ...]:
        """Genes of the cargo and its targets, without repeats."""
        return distinct(self.cargo_genes, self.targets)


class Agent(_Entry):
    """A compound or therapy that acts on CAFs or on the signals they send."""

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

    @property
    def genes(self) -> tuple[str, ...]:
        """The targets, without repeats."""
        return distinct(self.targets)


class Biomarker(_Entry):
    """A measurement in patients and what it predicts."""

    label: str
    genes: list[Gene] = Field(default_factory=list)
    measured_in: str
    """Tumour stroma, tumour tissue, plasma exosomes, serum, urine, circulating cells ..."""
    predicts: str
    prognosis: Outcome | None = None
    therapy_response: Outcome | None = None
    diagnostic: bool = False
    statement: str


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
        return (name,) if kind == "gene" and " " not in name else ()


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

    cells: list[Cell] = Field(min_length=1)


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
