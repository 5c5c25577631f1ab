"""What the catalogue says beside sets and claims: pairs, exosome axes, agents, biomarkers, blind spots.

Genes are human symbols throughout, also where the experiment was done in mice.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field

from cafsc.sig.model import Effect, Evidence, Gene, Outcome, Slug, Strict

_GENE_NAME = re.compile(r"[A-Za-z0-9@._-]+")

Cell = Literal[
    "caf",
    "tumour",
    "t_cell",
    "treg",
    "nk",
    "macrophage",
    "neutrophil",
    "mdsc",
    "dendritic",
    "b_cell",
    "mast",
    "endothelial",
    "epithelial",
    "msc",
    "adipocyte",
    "platelet",
    "normal_fibroblast",
    "any",
]


def _between_cells(value: str) -> str:
    cells = value.split(">")
    if len(cells) != 2 or not set(cells) <= set(get_args(Cell)):
        raise ValueError(f"{value!r} is not sender>receiver of {', '.join(get_args(Cell))}")
    return value


Direction = Annotated[str, AfterValidator(_between_cells)]
"""``sender>receiver``, for example ``caf>tumour``."""


class Pair(Strict):
    """A ligand and its receptor, and between which cells the literature sees them."""

    id: Slug
    ligand: list[Gene] = Field(min_length=1)
    """Subunits, where the ligand is a complex."""
    receptor: list[Gene] = Field(min_length=1)
    """Subunits, where the receptor is a complex."""
    directions: list[Direction] = Field(min_length=1)
    effect: Effect
    named: Literal["ligand", "receptor", "both"]
    """Which partner the source names; the other one was added."""
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
        return tuple(dict.fromkeys([*self.ligand, *self.receptor]))


class Pairs(Strict):
    """``signatures/axes/ligand_receptor.yaml``."""

    pairs: list[Pair]


class ExosomeAxis(Strict):
    """A cargo that travels in exosomes, and what it does where it arrives."""

    id: Slug
    cargo: str
    """Printed name of the cargo."""
    cargo_kind: Literal["mirna", "lncrna", "circrna", "mrna", "protein", "metabolite", "other"]
    cargo_genes: list[Gene] = Field(default_factory=list)
    """What single-cell RNA-seq can count of it: host gene, mRNA, or the gene of the protein."""
    direction: Direction
    targets: list[Gene] = Field(default_factory=list)
    """Genes of the recipient that the cargo changes."""
    target_change: Literal["down", "up", "none"] = "none"
    effect: Effect
    cargo_level: Literal["present", "lost"] = "present"
    """``lost``: the source reports the loss of the cargo from the exosomes."""
    cancer: list[Slug] = Field(min_length=1)
    mechanism: list[Slug] = Field(default_factory=list)
    measurable: Literal["yes", "indirect", "no"]
    """By single-cell RNA-seq: the cargo itself, only its traces in the recipient, or not at all."""
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
        return tuple(dict.fromkeys([*self.cargo_genes, *self.targets]))


class ExosomeAxes(Strict):
    """``signatures/axes/exosome.yaml``."""

    axes: list[ExosomeAxis]


class Agent(Strict):
    """A compound or a therapy that was shown to act on CAFs or on what they send out."""

    id: Slug
    label: str
    kind: Literal[
        "antibody",
        "small_molecule",
        "natural_compound",
        "exosome_inhibitor",
        "uptake_inhibitor",
        "nanotherapy",
        "vaccine",
        "cell_therapy",
        "engineered_exosome",
        "other",
    ]
    targets: list[Gene] = Field(default_factory=list)
    acts_on: Slug
    """``caf``, ``tumour``, ``exosome_release``, ``exosome_uptake``, ``immune`` ..."""
    mechanism: str
    shown: str
    """What was shown, and where; no promise that it works."""
    evidence: Evidence
    """The best there is."""
    cancer: list[Slug] = Field(min_length=1)
    sources: list[Slug] = Field(min_length=1)
    review_claims: list[str] = Field(default_factory=list)
    note: str | None = None

    @property
    def genes(self) -> tuple[str, ...]:
        """The targets, without repeats."""
        return tuple(dict.fromkeys(self.targets))


class Agents(Strict):
    """``signatures/agents.yaml``."""

    agents: list[Agent]


class Biomarker(Strict):
    """Something measured in patients, and what it predicts."""

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


class Biomarkers(Strict):
    """``signatures/biomarkers.yaml``."""

    biomarkers: list[Biomarker]


class Unmeasured(Strict):
    """What single-cell RNA-seq cannot see, why, and what stands in for it."""

    id: Slug
    what: str
    why: str
    proxy: str | None = None
    """``program:<id>``, ``gene:<SYMBOL>``, or words; None where nothing stands in."""
    sources: list[Slug] = Field(default_factory=list)
    review_claims: list[str] = Field(default_factory=list)
    note: str | None = None

    @property
    def label(self) -> str:
        """What cannot be measured."""
        return self.what

    @property
    def genes(self) -> tuple[str, ...]:
        """The gene that stands in, if one does."""
        kind, _, name = (self.proxy or "").partition(":")
        return (name,) if kind == "gene" and _GENE_NAME.fullmatch(name) else ()


class UnmeasuredFile(Strict):
    """``signatures/not_measurable.yaml``."""

    unmeasured: list[Unmeasured]


Record = Pair | ExosomeAxis | Agent | Biomarker | Unmeasured
