"""The source of a set that a user brings."""

from __future__ import annotations

import re
from pathlib import Path

from cafsc.sig.model import Paper, slugged

REGISTERED_DOI = re.compile(r"10\.\d{4,9}/[-._;()/:a-z0-9]*[a-z0-9]")


class OwnPaper(Paper):
    """Stands where the paper of a set would; the file of the user, and the DOI or PubMed ID it names."""

    year: int = 0
    doi: str | None = None
    """Not held to the form of a registered DOI."""

    def _opens(self) -> OwnPaper:  # type: ignore[override]
        return self

    @property
    def short(self) -> str:
        """The file."""
        return self.title

    @property
    def citation(self) -> str:
        """The file and what it names as its source."""
        source = f"doi {self.doi}" if self.doi else f"PubMed {self.pmid}" if self.pmid else ""
        return f"own file {self.title}" + (f" ({source})" if source else "")

    @property
    def link(self) -> str:
        """Where the DOI or PubMed ID opens; empty if the file names none."""
        return super().link if self.doi or self.pmid else ""


def own_paper(path: Path, key: str, doi: str | None = None, pmid: str | None = None) -> OwnPaper:
    """The source of a user's set, with a key of its own for every DOI or PubMed ID."""
    named = doi or pmid
    return OwnPaper(
        key=f"{key}-{slugged(named)}" if named else key,
        first_author="own file",
        journal="",
        title=path.name,
        doi=doi,
        pmid=pmid,
        verified="listed",
    )
