"""A user's short YAML: a list of signatures, each with an id, genes, a call and its source."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from cafsc.sig._own_gmt import own_file, species_of, tidy_genes
from cafsc.sig._own_paper import REGISTERED_DOI, OwnPaper, own_paper
from cafsc.sig.model import Claim, Effect, Evidence, Gene, GeneSet, PaperFile, Pmid, Slug, Species, Strict
from cafsc.sig.subjects import PAN

_DOI = re.compile(r"10\.[0-9.]+/[-._;()/:a-z0-9]+")


def _lower_doi(value: str) -> str:
    if not _DOI.fullmatch(value.lower()):
        raise ValueError(f"{value!r} is not a DOI (10.xxxx/...)")
    return value.lower()


def _no_weights(value: object) -> object:
    if isinstance(value, dict):
        raise ValueError("genes with weights are not read; give a list of symbols")
    return value


Genes = Annotated[list[Gene], BeforeValidator(_no_weights)]


class OwnSignature(Strict):
    """One signature of a user."""

    id: Slug
    label: str | None = None
    genes: Genes
    genes_down: Genes = Field(default_factory=list)
    species: Species | None = None
    """As the symbols are written, if left out."""
    call: Effect | None = None
    """What its presence means for the tumour; needs a source."""
    doi: Annotated[str, AfterValidator(_lower_doi)] | None = None
    pmid: Pmid | None = None
    evidence: list[Evidence] = Field(default=["review"], min_length=1)
    """Counts as the weakest if left out."""
    cancer: list[Slug] = Field(default=[PAN], min_length=1)
    statement: str | None = None
    note: str | None = None

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if not self.genes:
            raise ValueError(f"signature {self.id!r} has no genes")
        both = sorted({*self.genes} & {*self.genes_down})
        if both:
            raise ValueError(f"signature {self.id!r} has {', '.join(both)} in genes and in genes_down")
        if self.call is not None and self.doi is None and self.pmid is None:
            raise ValueError(f"signature {self.id!r} has a call, but no source: add its doi or pmid")
        return self


class OwnSignatures(Strict):
    """A file of a user: ``version: 1`` and ``signatures``."""

    version: Literal[1] = 1
    signatures: list[OwnSignature] = Field(min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [signature.id for signature in self.signatures]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"duplicate id {', '.join(twice)}")
        return self


def from_list(
    path: Path, key: str, own: OwnSignatures, notes: list[str]
) -> tuple[PaperFile, dict[str, OwnPaper]]:
    """The sets and claims of the list in the form of a paper file, and the source of each set."""
    sets: dict[str, GeneSet] = {}
    sources: dict[str, OwnPaper] = {}
    claims: list[Claim] = []
    for signature in own.signatures:
        where = f"{path.name}: {signature.id}"
        up = tidy_genes(signature.genes, where, notes)
        species = signature.species or species_of(up)
        if signature.doi and not REGISTERED_DOI.fullmatch(signature.doi):
            notes.append(f"{where}: {signature.doi} does not look like a registered DOI")
        sources[signature.id] = own_paper(path, key, signature.doi, signature.pmid)
        sets[signature.id] = GeneSet(
            label=signature.label or signature.id,
            species=species,
            up=up,
            down=tidy_genes(signature.genes_down, where, notes),
            derivation="set of the user",
            seen_in=path.name,
            verified="listed",
            note=signature.note,
        )
        if signature.call is not None:
            claims.append(_claim(key, signature, signature.call, species))
    return own_file(own_paper(path, key), sets).model_copy(update={"claims": claims}), sources


def _claim(key: str, signature: OwnSignature, call: Effect, species: Species) -> Claim:
    return Claim(
        id=f"{key}-{signature.id}",
        about=f"set:{key}/{signature.id}",
        effect=call,
        evidence=signature.evidence,
        cancer=signature.cancer,
        species=[species],
        statement=signature.statement
        or f"{signature.label or signature.id} is called {call} by the user's file",
        verified="listed",
    )
