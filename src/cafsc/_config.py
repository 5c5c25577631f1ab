"""Every threshold once: type, unit, default, and why that default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cafsc.errors import OptionError


class Thresholds(BaseModel):
    """Thresholds of one step: frozen, and closed to unknown names."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class QCConfig(Thresholds):
    """When a cell holds too little to be called anything."""

    min_genes: int = Field(default=50, ge=1)
    """Genes detected. Far below any usual filter: cafsc refuses what cannot be named, it does not clean."""


class ClusterConfig(Thresholds):
    """Embedding and clustering of one group of cells."""

    n_top_genes: int = Field(default=3000, ge=10)
    """Variable genes; of 2,000, scanpy's bins leave too few that tell pericytes from fibroblasts in shallow data."""
    n_pcs: int = Field(default=30, ge=2)
    n_neighbors: int = Field(default=8, ge=2)
    """The cell itself counts as one. Small, so that eight fibroblasts can be a cluster of their own."""
    resolution: float = Field(default=1.0, gt=0)
    max_cells: int = Field(default=10_000, ge=100)
    """Cells that are clustered; of more, a random sample of so many, and the others are placed among them."""


class GateConfig(Thresholds):
    """Which cells are fibroblasts."""

    components: ClusterConfig = ClusterConfig(resolution=3.0)
    """Fine clusters start the mixture; fine enough that two lineages rarely share one."""
    min_score: float = Field(default=0.3, ge=0, le=1)
    """Mean relative marker level under which a component stays ``unknown``."""
    min_fibroblast_score: float = Field(default=0.35, ge=0, le=1)
    """The same for fibroblasts: between what fibroblasts reach (0.42 and more) and cell lines (0.21 at most)."""
    min_doublet_gain: float = Field(default=10.0, ge=0)
    """Log-likelihood by which two unlike lineages must explain a cell better than one."""
    min_cells: int = Field(default=3, ge=1)
    """Cells a component needs to exist, and to set a reference level."""


class ScoreConfig(Thresholds):
    """Scores of the catalogue's sets."""

    max_rank: int = Field(default=1500, ge=10)
    """UCell: ranks beyond it count as not expressed (doi:10.1016/j.csbj.2021.06.043)."""
    n_neighbors: int = Field(default=25, ge=1)
    """Cells whose counts are pooled before scoring; one shallow cell alone says little."""
    max_cells: int = Field(default=10_000, ge=100)
    """Fibroblasts among which neighbours are sought; of more, a random sample of so many."""


class LabelConfig(Thresholds):
    """When a name is earned."""

    resolution: float = Field(default=0.5, gt=0)
    """Leiden resolution among the fibroblasts of one state."""
    min_coverage: float = Field(default=0.5, ge=0, le=1)
    """Share of a set's genes that must be in the data for the set to compete."""
    min_genes: int = Field(default=3, ge=1)
    """Genes of a set that must be in the data for it to name a state."""
    min_effect: float = Field(default=2.0, ge=0)
    """Null standard deviations a score must reach: ahead of matched chance."""
    min_margin: float = Field(default=1.0, ge=0)
    """Standard errors by which a name must lead the runner-up."""
    min_support: float = Field(default=0.55, ge=0, le=1)
    """Share of resamples that must agree on the name, one standard error below the share that does."""
    min_cells: int = Field(default=5, ge=1)
    """Cells a cluster needs for a name."""
    min_activation: float = Field(default=0.15, ge=0, le=1)
    """Level of the activation panel, relative to tumours, below which fibroblasts are taken for normal ones."""
    mixed_share: float = Field(default=0.3, ge=0, le=0.5)
    """A second state holding this share of a cluster makes the cluster mixed."""
    n_resamples: int = Field(default=20, ge=2)


class MarkerConfig(Thresholds):
    """When one gene is present in a cluster, or absent from it."""

    present: float = Field(default=0.5, gt=0, le=1)
    """Share of the level in the fibroblast cluster that expresses it most."""
    absent: float = Field(default=0.2, ge=0, lt=1)


class VerdictConfig(Thresholds):
    """When the claims make a call."""

    min_papers: int = Field(default=2, ge=1)
    """Independent papers a call needs, with evidence of their own; papers of one laboratory count as one."""
    min_score: float = Field(default=0.25, ge=0, le=1)
    """Absolute net score a call needs."""
    mixed_share: float = Field(default=0.3, ge=0, le=0.5)
    """Share of the weight on the losing side that makes a call mixed."""
    n_resamples: int = Field(default=1000, ge=100)
    """Resamples of the papers, and of cells and samples, for intervals."""


class CrosstalkConfig(Thresholds):
    """Talk between fibroblasts and other cells, exosomes, targets."""

    min_cells: int = Field(default=10, ge=2)
    """Cells a group needs to send or to receive."""
    expr_prop: float = Field(default=0.1, ge=0, le=1)
    """Share of a group's cells in which a gene must be detected to count as expressed; liana's default."""
    n_perms: int = Field(default=1000, ge=1)
    """Shuffles of the groups' labels; the smallest p is one over this."""
    max_fdr: float = Field(default=0.05, gt=0, le=1)
    """False discovery rate up to which a pair counts as found."""
    min_effect: float = Field(default=2.0, gt=0)
    """Null standard deviations at which a receiver counts as answering, as a name needs."""
    max_cells: int = Field(default=500, ge=50)
    """Cells of a group that take part in the shuffles; more change little and take long."""


class Config(Thresholds):
    """The thresholds of every step of `cafsc.annotate`.

    Examples
    --------
    >>> import cafsc
    >>> cafsc.Config(label={"min_margin": 2.0}).label.min_margin
    2.0
    """

    qc: QCConfig = QCConfig()
    gate: GateConfig = GateConfig()
    score: ScoreConfig = ScoreConfig()
    label: LabelConfig = LabelConfig()
    markers: MarkerConfig = MarkerConfig()
    verdict: VerdictConfig = VerdictConfig()

    @classmethod
    def of(cls, given: ConfigLike | None) -> Config:
        """Thresholds from a nested mapping; those that it does not name keep their default.

        Raises
        ------
        OptionError
            If a name is unknown or a value is out of range.
        """
        if isinstance(given, Config):
            return given
        try:
            return cls.model_validate(given or {})
        except ValidationError as error:
            raise _refused(error) from error


ConfigLike: TypeAlias = Config | Mapping[str, Any]
"""All thresholds, or a nested mapping with those that change."""


def _refused(error: ValidationError) -> OptionError:
    """The first thing that is wrong with a mapping of thresholds, with the names that there are."""
    first = error.errors()[0]
    names = [str(part) for part in first["loc"]]
    where = ".".join(["config", *names])
    if first["type"] != "extra_forbidden":
        return OptionError(f"{where} is {first['input']!r}", expected=first["msg"], fix="correct the value")
    step: Any = Config
    for name in names[:-1]:
        step = step.model_fields[name].annotation
    return OptionError(
        f"{where}: there is no such threshold",
        expected=f"one of {', '.join(step.model_fields)}",
        fix="correct the name",
    )


AnnotateConfig = Config
"""Former name of `Config`, kept for one release."""
