"""A user's ``.gmt``: name, description and genes, separated by tabs."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import ValidationError

from cafsc.errors import CatalogueError
from cafsc.sig._own_paper import REGISTERED_DOI, OwnPaper, own_paper
from cafsc.sig.files import read_text
from cafsc.sig.model import Context, GeneSet, PaperFile, Species, slugged

_MOUSE = re.compile(r"[A-Z][a-z0-9-]*[a-z][a-z0-9-]*")


def read_gmt(path: Path, key: str, notes: list[str]) -> tuple[PaperFile, dict[str, OwnPaper]]:
    """Sets of the file, and the source of each; what is odd goes to ``notes``."""
    sets: dict[str, GeneSet] = {}
    sources: dict[str, OwnPaper] = {}
    lines = read_text(path).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        fields = [part.strip() for part in line.split("\t")]
        name, where = slugged(fields[0]), f"{path} line {number}"
        if not name:
            raise CatalogueError(f"{where}: the set has no usable name", expected="letters or digits")
        if name in sets:
            raise CatalogueError(
                f"{where}: duplicate set {name!r}", expected="every name once", fix="rename or remove one"
            )
        if len(fields) < 3:
            raise CatalogueError(
                f"{where}: {len(fields)} column(s)",
                expected="name, description and genes, separated by tabs",
                fix="save the file as tab-separated text",
            )
        genes = tidy_genes(fields[2:], f"{path.name}: {name}", notes)
        if not genes:
            notes.append(f"{path.name}: {name} holds no genes and is left out")
            continue
        found = REGISTERED_DOI.search(fields[1].lower())
        sources[name] = own_paper(path, key, found.group() if found else None)
        sets[name] = _gene_set(where, fields, genes)
    return own_file(own_paper(path, key), sets), sources


def own_file(paper: OwnPaper, sets: dict[str, GeneSet]) -> PaperFile:
    """A paper file around sets without a paper file."""
    species = sorted({entry.species for entry in sets.values()})
    # Every part is checked already; checking the whole would ask the user's file for a paper.
    return PaperFile.model_construct(
        paper=paper, context=Context(species=species or ["human"]), sets=sets, claims=[]
    )


def tidy_genes(printed: list[str], where: str, notes: list[str]) -> list[str]:
    """Genes without gaps and repeats, and in capitals if all are in small letters; notes what was done."""
    named = [gene for gene in printed if gene]
    genes = list(dict.fromkeys(named))
    if len(genes) < len(named):
        notes.append(f"{where} names {len(named) - len(genes)} gene(s) twice; each counts once")
    if genes and all(gene == gene.lower() for gene in genes) and any(gene != gene.upper() for gene in genes):
        notes.append(f"{where}: genes in small letters (case matters); read as {genes[0].upper()} and so on")
        genes = [gene.upper() for gene in genes]
    return genes


def species_of(genes: list[str]) -> Species:
    """Mouse symbols are written Xxxx, human ones XXXX; Ensembl mouse genes start with ENSMUSG."""
    mouse = sum(bool(_MOUSE.fullmatch(gene)) or gene.startswith("ENSMUSG") for gene in genes)
    return "mouse" if mouse * 2 > len(genes) else "human"


def _gene_set(where: str, fields: list[str], genes: list[str]) -> GeneSet:
    try:
        return GeneSet(
            label=fields[0],
            species=species_of(genes),
            up=genes,
            derivation=fields[1] or "not said",
            seen_in=where,
            verified="listed",
        )
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        message = str(problem["msg"]).removeprefix("Value error, ")
        raise CatalogueError(
            f"{where}: {fields[0]!r}: {message[:200]}",
            expected="gene symbols or Ensembl IDs, one a column",
            fix="correct the line",
        ) from None
