"""A user's short YAML: a list of signatures, each with an id, genes, a call and its source."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from cafsc.sig.model import Claim, Effect, Evidence, Gene, PaperFile, Pmid, Slug, Species, Strict

_DOI = re.compile(r"10\.[0-9.]+/[-._;()/:a-z0-9]+")


def _lower_doi(value: str) -> str:
    if not _DOI.fullmatch(value.lower()):
        raise ValueError(f"{value!r} is not a DOI (10.xxxx/...)")
    return value.lower()


class OwnSignature(Strict):
    """One signature of a user; a call needs a source, and counts as a review where no evidence is named."""

    id: Slug
    label: str | None = None
    genes: list[Gene]
    genes_down: list[Gene] = Field(default_factory=list)
    species: Species | None = None
    call: Effect | None = None
    doi: Annotated[str, AfterValidator(_lower_doi)] | None = None
    pmid: Pmid | None = None
    evidence: list[Evidence] = Field(default=["review"], min_length=1)
    cancer: list[Slug] = Field(default=["pan"], min_length=1)
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

    def with_claims(self, file: PaperFile) -> PaperFile:
        """The file of these sets, with a claim for each call."""
        key = file.paper.key
        claims = [
            Claim(
                id=f"{key}-{own.id}",
                about=f"set:{key}/{own.id}",
                effect=own.call,
                evidence=own.evidence,
                cancer=own.cancer,
                species=[own.species or file.sets[own.id].species],
                statement=own.statement or f"{own.label or own.id} is called {own.call} by the user's file",
                verified="listed",
            )
            for own in self.signatures
            if own.call is not None and own.id in file.sets
        ]
        return file.model_copy(update={"claims": claims})
