"""What is odd about the names of genes and cells, and about a set of genes that is not a whole transcriptome."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cafsc import genes, sig
from cafsc.pp.check.findings import Finding, error, note, warning

if TYPE_CHECKING:
    import pandas as pd

SYMBOL_COLUMNS = (
    "gene_symbols gene_symbol feature_name gene_name gene_names symbol symbols Symbol SYMBOL "
    "gene_short_name hgnc_symbol mgi_symbol features gene"
).split()
_MONTH = "jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec"
_EXCEL = re.compile(rf"\d\d?-({_MONTH})|({_MONTH})-\d\d?|\d{{4}}-\d\d-\d\d( 00:00:00)?", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(\.0)?")
_SUFFIX = re.compile(r"(?!ENS)(.+?)[-.]\d\d?", re.IGNORECASE)
_WRAPPED = re.compile(r"""b?(['"])(.*)\1""")
_PLAIN = re.compile(r"[A-Za-z0-9._-]+")
_CONTROL = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")
_BLANK = {"", "nan", "na", "none", "null", "n/a", "<na>"}
_LEAST_KNOWN = 0.05
_WELL_KNOWN = 0.25
_FEW_SUFFIXES = 5
_WHOLE_TRANSCRIPTOME = 8_000
_ENOUGH_MARKERS = 0.75
_SPECIES_FIX = "give species='human' or species='mouse'"


@dataclass(frozen=True)
class GeneNames:
    """Which names of the genes to use, and what they are."""

    column: str
    """``var_names``, or the column of ``var`` that holds the symbols."""
    names: list[str]
    identifiers: genes.Identifiers
    findings: tuple[Finding, ...] = ()


def _share(names: Sequence[str]) -> float:
    """Share of names that are known."""
    return genes.identify(names).share


def choose_gene_names(var: pd.DataFrame) -> GeneNames:
    """Find the names of the genes: ``var_names`` where they are known, else a column that holds symbols."""
    names = [str(name) for name in var.index]
    found = genes.identify(names)
    if found.kind == "symbol" and found.share >= _WELL_KNOWN:
        return GeneNames("var_names", names, found)
    for column in filter(var.columns.__contains__, SYMBOL_COLUMNS):
        inside = [str(name) for name in var[column]]
        identifiers = genes.identify(inside)
        # Symbols beside identifiers are what the authors used, so they win where they are as well known.
        if identifiers.kind == "symbol" and identifiers.share >= max(found.share * 0.8, _WELL_KNOWN):
            text = f"var_names are not symbols; the symbols of var[{column!r}] are used"
            said = note("symbols_in_column", text, len(names), names)
            return GeneNames(column, inside, identifiers, (said,))
    return GeneNames("var_names", names, found)


def gene_findings(chosen: GeneNames, species: str | None, *, given: bool, mixed: bool) -> Iterator[Finding]:
    """Findings on the names of the genes.

    ``species`` is the one used, ``given`` by the user or not; ``mixed``: see `cafsc.genes.foreign_genes`.
    """
    yield from _repeated(chosen.names, "gene", "counts of one symbol are summed before scoring")
    yield from _damaged(chosen.names)
    identifiers = chosen.identifiers
    names = [genes.strip_genome_prefix(name)[0] for name in chosen.names]
    capitals = genes.identify(map(str.upper, names)) if identifiers.share < _WELL_KNOWN else identifiers
    scrambled = identifiers.kind != "ensembl" and capitals.share > max(2 * identifiers.share, _WELL_KNOWN)
    if mixed and species is None:
        text = "human and mouse genes stand side by side: two genomes, or two datasets, in one"
        fix = f"keep the genes of one species, or {_SPECIES_FIX}"
        yield error("mixed_species", text, len(names), names, fix)
    elif scrambled and capitals.kind == "ensembl":
        text = "the gene names are Ensembl identifiers in small letters"
        yield error("letter_case", text, len(names), names, "write them in capitals (ENSG...)")
    elif scrambled and not given:
        text = "the gene symbols are in mixed case; the species cannot be determined"
        yield error("species_unknown", text, len(names), names, _SPECIES_FIX)
    elif species is None and identifiers.kind != "unknown":
        text = "the gene symbols fit human and mouse (all in lower case?); the species cannot be determined"
        yield error("species_unknown", text, len(names), names, _SPECIES_FIX)
    elif species is None or identifiers.share < _LEAST_KNOWN:
        yield _unknown(names, identifiers.share)
    else:
        if identifiers.kind != "ensembl" and not mixed:
            yield from _case(names, species)
        if identifiers.share < _WELL_KNOWN:
            text = f"only {identifiers.share:.0%} of the gene names are known {species} symbols"
            fix = "check that the names are approved gene symbols or Ensembl identifiers"
            yield warning("few_known_genes", text, len(names), names, fix)
    if given and not mixed and identifiers.species not in (None, species):
        text = f"the gene names look like {identifiers.species}, but species={species!r} was given"
        fix = f"leave the species out, or give species={identifiers.species!r}"
        yield warning("species_mismatch", text, fix=fix)


def foreign_finding(foreign: NDArray[np.bool_], shares: NDArray[np.float64], species: str) -> Finding:
    """Warning about genes of a second species, and cells that have most of their counts (`shares`) in them."""
    other = "mouse" if species == "human" else "human"
    n_genes, n_cells = int(foreign.sum()), int((shares > 0.5).sum())
    text = (
        f"{n_genes:,} genes are of {other}; they are not used. {n_cells:,} of {len(shares):,} cells have most of "
        f"their counts in them; these {other} cells are marked as low quality and get no name"
    )
    return warning("mixed_species", text, n_genes, fix=f"to name the {other} cells, give species={other!r}")


def translation_notes(table: pd.DataFrame) -> Iterator[Finding]:
    """Notes on names that were looked up under another form; `table` is that of `cafsc.genes.symbols`."""
    by_id = "genes are given by Ensembl identifier and translated to symbols"
    by_alias = "genes have a former symbol (alias) and are read under the approved one"
    for code, ways, text in (("ensembl", ("ensembl", "version"), by_id), ("aliases", ("alias",), by_alias)):
        rows = table.loc[table["how"].isin(ways)]
        if len(rows):
            yield note(code, f"{len(rows):,} {text}", len(rows), rows["name"] + " = " + rows["symbol"])


def _repeated(names: Sequence[str], what: str, then: str) -> Iterator[Finding]:
    """Names that stand more than once."""
    times = Counter(names)
    if extra := len(names) - len(times):
        text = f"{extra:,} {what} names are duplicates of another: {then}"
        fix = f"make them unique first, if they are different {what}s"
        twice = (name for name, n in times.items() if n > 1)
        yield warning(f"duplicated_{what}_names", text, extra, twice, fix)


def _damaged(names: list[str]) -> list[Finding]:
    """Names that something happened to, while most others are intact."""
    known = set(names)
    stray = [(name, bare) for name in names if (bare := _bare(name)) not in ("", name)]
    suffixed = [(name, bare) for name in names if (bare := _without_suffix(name)) not in known]
    found = []

    def say(code: str, odd: list[str], text: str, fix: str) -> None:
        if odd:
            found.append(warning(code, f"{len(odd):,} gene names {text}", len(odd), odd, fix))

    blank = [repr(name) for name in names if name.strip().lower() in _BLANK]
    say("blank_genes", blank, "are blank or missing (empty, nan, NA)", "name these genes, or drop them")
    dates = [name for name in names if _EXCEL.fullmatch(name)]
    say("excel_dates", dates, "were turned into dates by Excel", "take the names from the original table")
    prefixed = [name for name in names if genes.strip_genome_prefix(name)[1] is not None]
    say("genome_prefix", prefixed, "carry a genome prefix, which is ignored", "remove the prefix")
    if _hides(stray):
        text = "are not found because of blanks, quotes or invisible characters in them"
        say("stray_characters", [repr(name) for name, _ in stray], text, "remove these characters")
    if len(suffixed) >= _FEW_SUFFIXES and _hides(suffixed):
        text = "carry a suffix such as -1, left by make_unique; their genes are read without it"
        say("unique_suffix", [name for name, _ in suffixed], text, "remove the suffix")
    return found


def _hides(pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether names become known by the change from the first to the second of each pair."""
    after = _share([after for _, after in pairs])
    return after > 0.5 and after > 1.4 * _share([before for before, _ in pairs])


def _bare(name: str) -> str:
    """A name without blanks at its ends, invisible characters, quotes and the ``b''`` of bytes."""
    if _PLAIN.fullmatch(name):
        return name
    shown = "".join(char for char in name if unicodedata.category(char) not in ("Cc", "Cf")).strip()
    match = _WRAPPED.fullmatch(shown)
    return match[2].strip() if match else shown


def _without_suffix(name: str) -> str:
    """A name without the ``-1`` or ``.1`` that tools append to repeated names."""
    match = _SUFFIX.fullmatch(name)
    return match[1] if match else name


def _case(names: list[str], species: str) -> Iterator[Finding]:
    """Symbols that are not in the case of their species."""
    letters = [name for name in names if any(map(str.isalpha, name))]
    lower = sum(map(str.islower, letters)) > 0.5 * len(letters)
    upper = sum(map(str.isupper, letters)) > 0.5 * len(letters)
    if not letters or (upper if species == "human" else not (lower or upper)):
        return
    other = "mixed case" if species == "human" else "upper case, as human symbols are"
    text = f"most gene symbols are in {'lower case' if lower else other}; they are matched without regard to case"
    fix = "check species=, and that no script changed the names"
    yield warning("letter_case", text, len(letters), letters, fix)


_HIDDEN: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("blanks, quotes or invisible characters", _bare),
    ("a suffix such as -1", _without_suffix),
    ("something behind a bar (|)", lambda name: name.split("|")[0]),
)


def _unknown(names: list[str], share: float) -> Finding:
    """Error for names that are not those of genes, with the cause if there is one."""
    numbers = sum(bool(_NUMBER.fullmatch(name)) for name in names)
    if numbers > 0.9 * len(names):
        text = "the gene names are numbers (Entrez identifiers or row numbers), not gene symbols"
        fix = "put gene symbols or Ensembl identifiers into var_names"
        return error("numeric_genes", text, numbers, names, fix)
    for what, change in _HIDDEN:
        changed = [change(name) for name in names]
        if len(set(changed)) > len(names) / 2 and _share(changed) > max(2 * share, _WELL_KNOWN):
            text = f"the gene names carry {what}; only {share:.0%} of them are found among gene symbols"
            fix = "remove that from the gene names"
            return error("unknown_genes", text, len(names), map(repr, names), fix)
    text = f"only {share:.0%} of the gene names are found among human and mouse symbols: another species?"
    fix = "put human or mouse gene symbols or Ensembl identifiers into var_names"
    return error("unknown_genes", text, len(names), names, fix)


def cell_findings(names: Sequence[str]) -> Iterator[Finding]:
    """Findings on the names of the cells."""
    yield from _repeated(names, "cell", "joins by barcode are ambiguous")
    if odd := [name for name in names if _CONTROL.search(name)]:
        text = f"{len(odd):,} cell names hold a space, tab, newline or control character"
        fix = "rename the cells, or expect quotes in the tables"
        yield warning("odd_cell_names", text, len(odd), odd, fix)


def looks_transposed(obs_names: Sequence[str], gene_share: float) -> bool:
    """Whether the names of the cells are gene names, and those of the genes are not."""
    return gene_share < _WELL_KNOWN and _share(obs_names) > 0.5


def panel_findings(table: pd.DataFrame, species: str, known: float) -> Iterator[Finding]:
    """Findings on a dataset that measures only a part of the genes; `table` is that of `cafsc.genes.symbols`."""
    if known < _LEAST_KNOWN or len(table) >= _WHOLE_TRANSCRIPTOME:
        return
    measured = set(table["symbol"].astype(str))
    thin = []
    n_found = n_wanted = 0
    for panel in sig.load().lineages.values():
        wanted = [options for options in genes.translate(panel.core, "human", species).values() if options]
        found = sum(not measured.isdisjoint(options) for options in wanted)
        n_found, n_wanted = n_found + found, n_wanted + len(wanted)
        if found < len(wanted) / 2:
            thin.append(f"{panel.label} ({found} of {len(wanted)})")
    share = n_found / max(1, n_wanted)
    text = f"only {len(table):,} genes: a panel or variable genes only; {share:.0%} of lineage genes measured"
    if share >= _ENOUGH_MARKERS and not thin:
        yield note("few_genes", text, len(table))
        return
    if thin:
        text += f"; too few to tell {', '.join(thin[:4])}{' and others' if len(thin) > 4 else ''}"
    yield warning("few_genes", text, len(table), fix="give all genes, not only the variable ones (HVG)")
