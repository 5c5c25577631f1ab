"""Who receives what CAFs send, and which answer to look for there: ``signatures/recipients.yaml``."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from cafsc.sig.model import Gene, ProgramPart, Slug, Strict
from cafsc.sig.records import Cell


class RecipientCell(Strict):
    """Where a kind of cell that the records name is found among the lineages of the gate."""

    lineage: Slug
    core: list[Gene] = Field(default_factory=list)
    """Markers that tell the kind from the others of its lineage; empty where the whole lineage stands for it."""
    excludes: list[Gene] = Field(default_factory=list)
    sources: list[Slug] = Field(default_factory=list)
    note: str | None = None


class Response(Strict):
    """An answer that only some receivers can give."""

    label: str
    meaning: str
    proxy: str | None = None
    """What the score cannot show."""
    cells: list[Cell] = Field(min_length=1)
    parts: list[ProgramPart] = Field(min_length=1)

    @property
    def up(self) -> tuple[str, ...]:
        """Up genes of all parts, without repeats."""
        return tuple(dict.fromkeys(gene for part in self.parts for gene in part.up))

    @property
    def down(self) -> tuple[str, ...]:
        """Down genes of all parts, without repeats."""
        return tuple(dict.fromkeys(gene for part in self.parts for gene in part.down))


class Recipients(Strict):
    """The whole file."""

    cells: dict[Cell, RecipientCell] = Field(default_factory=dict)
    responses: dict[Slug, Response] = Field(default_factory=dict)
    footprints: dict[Slug, list[str]] = Field(default_factory=dict)
    """Mechanism of a pair -> ``program:<id>`` or ``response:<id>``."""

    def genes(self) -> Iterator[str]:
        """Every gene that the file names."""
        for cell in self.cells.values():
            yield from (*cell.core, *cell.excludes)
        for response in self.responses.values():
            yield from (*response.up, *response.down)

    def sources(self) -> Iterator[tuple[str, str]]:
        """Entry and paper, for every paper that the file names."""
        for name, cell in self.cells.items():
            yield from ((name, source) for source in cell.sources)
        for slug, response in self.responses.items():
            yield from ((slug, part.paper) for part in response.parts)
