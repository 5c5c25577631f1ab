"""What is odd about the names of cells and genes."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cafsc import genes
from cafsc.pp.check.findings import Finding, error, note, warning

if TYPE_CHECKING:
    import pandas as pd

SYMBOL_COLUMNS = (
    "gene_symbols",
    "gene_symbol",
    "feature_name",
    "gene_name",
    "gene_names",
    "symbol",
    "symbols",
    "Symbol",
    "SYMBOL",
    "gene_short_name",
    "hgnc_symbol",
    "mgi_symbol",
    "features",
    "gene",
)
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec"
_EXCEL = re.compile(
    rf"\d{{1,2}}-({_MONTHS})|({_MONTHS})-\d{{1,2}}|\d{{4}}-\d\d-\d\d( 00:00:00)?", re.IGNORECASE
)
_GENOME = re.compile(r"(GRCh\d\d|GRCm\d\d|hg\d\d|mm\d\d)(_+|-)")
_GENOMES = ("GRC", "hg", "mm")
_NUMBER = re.compile(r"\d+(\.0)?")
_SUFFIX = re.compile(r"(.+?)[-.]\d{1,2}")
_JOINTS = ("-", ".")
_BLANK = {"", "nan", "na", "none", "null", "n/a", "<na>"}
_CONTROL = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")
_PLAIN = re.compile(r"[A-Za-z0-9._-]+")
_WRAPPED = re.compile(r"""b?(['"])(.*)\1""")
_LEAST_KNOWN = 0.05
_WELL_KNOWN = 0.25
_MANY_OTHERS = 0.2


@dataclass(frozen=True)
class GeneNames:
    """Which names of the genes to use, and what they are."""

    column: str
    """``var_names``, or the column of ``var`` that holds the symbols."""
    names: list[str]
    identifiers: genes.Identifiers
    findings: tuple[Finding, ...]


def _share(names: Sequence[str]) -> float:
    return genes.identify(names).share if len(names) else 0.0


def _genome(name: str) -> re.Match[str] | None:
    """The genome prefix; hardly any name begins like one."""
    return _GENOME.match(name) if name.startswith(_GENOMES) else None


def _strip_genome(names: list[str]) -> list[str]:
    return [name[match.end() :] if (match := _genome(name)) else name for name in names]


def choose_gene_names(var: pd.DataFrame) -> GeneNames:
    """Find the names of the genes: ``var_names`` where they are known, else a column that holds symbols."""
    names = [str(name) for name in var.index]
    found = genes.identify(names)
    if found.kind == "symbol" and found.share >= _WELL_KNOWN:
        return GeneNames("var_names", names, found, ())
    best = GeneNames("var_names", names, found, ())
    for column in SYMBOL_COLUMNS:
        if column not in var.columns:
            continue
        candidate = [str(name) for name in var[column]]
        identifiers = genes.identify(candidate)
        # Symbols beside identifiers are what the authors used, so they win where they are as well known.
        if identifiers.kind == "symbol" and identifiers.share >= max(
            best.identifiers.share * 0.8, _WELL_KNOWN
        ):
            text = f"var_names are not symbols; the symbols of var[{column!r}] are used"
            said = note("symbols_in_column", text, len(names), names)
            return GeneNames(column, candidate, identifiers, (said,))
    return best


def gene_findings(
    chosen: GeneNames, species: str, used_species: str | None, table: pd.DataFrame | None
) -> list[Finding]:
    """Findings on the names of the genes.

    Parameters
    ----------
    chosen
        The names to use.
    species
        ``auto``, or what the user gave.
    used_species
        The species in the end; None where the names do not tell.
    table
        Result of `cafsc.genes.symbols` for the names; None without a species.
    """
    names, identifiers = _strip_genome(chosen.names), chosen.identifiers
    n_other = _of_the_other_species(chosen.names, used_species)
    found = _repeated(
        chosen.names, "gene", "duplicated_gene_names", "counts of one symbol are summed before scoring"
    )
    found += _pattern_findings(chosen.names)
    odd_case = _case(names, identifiers, used_species)
    if n_other and used_species is None:
        text = "human and mouse genes stand side by side: two genomes, or two datasets, in one"
        fix = "keep the genes of one species, or say with --species which one counts"
        found.append(error("mixed_species", text, n_other, names, fix))
    elif (
        _scrambled(names, identifiers) and genes.identify([name.upper() for name in names]).kind == "ensembl"
    ):
        text = "the gene names are Ensembl identifiers in small letters"
        found.append(error("letter_case", text, len(names), names, "write them in capitals (ENSG...)"))
    elif _scrambled(names, identifiers) and species == "auto":
        found.append(_undecided(names, "are in mixed case"))
    elif used_species is None and identifiers.kind != "unknown":
        found.append(_undecided(names, "fit human and mouse alike (all in lower case?)"))
    elif used_species is None or identifiers.share < _LEAST_KNOWN:
        found.append(_unknown(names, identifiers.share))
    else:
        found += odd_case
        if n_other and not odd_case:
            text = f"{n_other:,} gene names are not {used_species} but of the other species, and are not used"
            fix = "keep the genes of one species, if two genomes were mapped"
            found.append(warning("mixed_species", text, n_other, fix=fix))
        if identifiers.share < _WELL_KNOWN:
            text = f"only {identifiers.share:.0%} of the gene names are known {used_species} symbols"
            fix = "check that the names are approved gene symbols or Ensembl identifiers"
            found.append(warning("few_known_genes", text, len(names), names, fix))
    if table is not None:
        found += _translated(table)
    if species != "auto" and identifiers.species not in (None, species):
        text = f"the gene names look like {identifiers.species}, but the species was given as {species}"
        fix = f"leave the species out, or give --species {identifiers.species}"
        found.append(warning("species_mismatch", text, fix=fix))
    return found


def _of_the_other_species(names: list[str], used: str | None) -> int:
    """Names that a second species explains, where those are many; else 0."""
    prefixed = {"human": 0, "mouse": 0}
    plain = []
    for name in names:
        match = _genome(name)
        if match:
            prefixed["mouse" if match[1].lower().startswith(("mm", "grcm")) else "human"] += 1
        else:
            plain.append(name)
    capitals = [name for name in plain if name == name.upper()]
    titled = [name for name in plain if name != name.upper() and name[:1] == name[:1].upper()]
    found = {
        "human": prefixed["human"] + _known_as(capitals, "human"),
        "mouse": prefixed["mouse"] + _known_as(titled, "mouse"),
    }
    other = min(found, key=lambda species: found[species]) if used is None else _OTHER[used]
    return found[other] if found[other] > _MANY_OTHERS * len(names) else 0


_OTHER = {"human": "mouse", "mouse": "human"}


def _known_as(names: list[str], species: str) -> int:
    identifiers = genes.identify(names) if names else None
    if identifiers is None or identifiers.species != species or identifiers.share < _WELL_KNOWN:
        return 0
    return round(identifiers.share * len(names))


def _scrambled(names: list[str], identifiers: genes.Identifiers) -> bool:
    """Whether the names become known only in capitals, as after a script mixed their case."""
    if identifiers.kind == "ensembl" or identifiers.share >= _WELL_KNOWN:
        return False
    return _share([name.upper() for name in names]) > max(2 * identifiers.share, _WELL_KNOWN)


def _undecided(names: list[str], why: str) -> Finding:
    text = f"the gene symbols {why}: the species cannot be told"
    return error("species_unknown", text, len(names), names, "give --species human or --species mouse")


def _translated(table: pd.DataFrame) -> list[Finding]:
    """Notes on names that were looked up under another form."""
    found = []
    for code, ways, text in (
        (
            "ensembl",
            ("ensembl", "version"),
            "genes are given by Ensembl identifier, and translated to symbols",
        ),
        ("aliases", ("alias",), "genes have a former symbol (alias), and are taken under the approved one"),
    ):
        rows = table.loc[table["how"].isin(ways)]
        if len(rows):
            pairs = (f"{name} = {symbol}" for name, symbol in zip(rows["name"], rows["symbol"], strict=True))
            found.append(note(code, f"{len(rows):,} {text}", len(rows), pairs))
    return found


def _repeated(names: Sequence[str], what: str, code: str, then: str) -> list[Finding]:
    times = Counter(names)
    repeated = [name for name, n in times.items() if n > 1]
    if not repeated:
        return []
    extra = len(names) - len(times)
    text = f"{extra:,} {what} names are duplicates of another: {then}"
    return [warning(code, text, extra, repeated, f"make them unique first, if they are different {what}s")]


def _pattern_findings(names: list[str]) -> list[Finding]:
    found = []
    blank = [name for name in names if name.strip().lower() in _BLANK]
    if blank:
        text = f"{len(blank):,} gene names are blank or missing (empty, nan, NA)"
        fix = "give these genes their names, or drop them"
        found.append(warning("blank_genes", text, len(blank), map(repr, blank), fix))
    dates = [name for name in names if "-" in name and _EXCEL.fullmatch(name)]
    if dates:
        text = f"{len(dates):,} gene names were turned into dates by Excel"
        fix = "take the names from the original table, not from Excel"
        found.append(warning("excel_dates", text, len(dates), dates, fix))
    prefixed = [name for name in names if _genome(name)]
    if prefixed:
        text = f"{len(prefixed):,} gene names carry a genome prefix, which is ignored"
        fix = "take the prefix off the gene names"
        found.append(warning("genome_prefix", text, len(prefixed), prefixed, fix))
    return found + _stray(names) + _suffixes(names)


def _bare(name: str) -> str:
    """A name without blanks at its ends, invisible characters, quotes and the ``b''`` of bytes."""
    # Nearly all names, of tens of thousands, have nothing to take off.
    if _PLAIN.fullmatch(name):
        return name
    shown = "".join(char for char in name if unicodedata.category(char) not in ("Cc", "Cf")).strip()
    match = _WRAPPED.fullmatch(shown)
    return match[2].strip() if match else shown


def _stray(names: list[str]) -> list[Finding]:
    """Names that are known only without the blanks, quotes or invisible characters around them."""
    odd = [(name, bare) for name in names if (bare := _bare(name)) != name and bare]
    if not odd or _share([bare for _, bare in odd]) < 0.5:
        return []
    text = f"{len(odd):,} gene names are not found because of blanks, quotes or invisible characters in them"
    fix = "take these characters off the gene names"
    return [warning("stray_characters", text, len(odd), (repr(name) for name, _ in odd), fix)]


def _suffixes(names: list[str]) -> list[Finding]:
    """Names that are known only without the ``-1`` that `make_unique` leaves behind."""
    known = set(names)
    # Few names, of tens of thousands, end like one.
    ends = (name for name in names if name[-2:-1] in _JOINTS or name[-3:-2] in _JOINTS)
    parts = ((name, _SUFFIX.fullmatch(name)) for name in ends if not name.upper().startswith("ENS"))
    orphans = [(name, match[1]) for name, match in parts if match and match[1] not in known]
    if len(orphans) < 5:
        return []
    if not _share([base for _, base in orphans]) > 0.7 > 1.4 * _share([name for name, _ in orphans]):
        return []
    text = f"{len(orphans):,} genes are not found because of a suffix such as -1 that make_unique left behind"
    fix = "take the suffix off the names whose plain form is not there"
    return [warning("unique_suffix", text, len(orphans), (name for name, _ in orphans), fix)]


def _case(names: list[str], identifiers: genes.Identifiers, species: str | None) -> list[Finding]:
    if identifiers.kind == "ensembl":
        return []
    letters = [name for name in names if name[:1].isalpha() or any(char.isalpha() for char in name)]
    if not letters or species is None:
        return []
    lower = np.mean([name == name.lower() for name in letters])
    upper = np.mean([name == name.upper() for name in letters])
    odd = ""
    if lower > 0.5:
        odd = "are in lower case"
    elif species == "human" and upper < 0.5:
        odd = "are in mixed case"
    elif species == "mouse" and upper > 0.5:
        odd = "are in upper case, as human symbols are"
    if not odd:
        return []
    text = f"most gene symbols {odd}; they are matched without regard to case"
    fix = "check the species (--species), and that no script changed the names"
    return [warning("letter_case", text, len(letters), letters, fix)]


def _unknown(names: list[str], share: float) -> Finding:
    numbers = sum(bool(_NUMBER.fullmatch(name)) for name in names)
    if numbers > 0.9 * len(names):
        text = "the gene names are numbers (Entrez identifiers or row numbers), not gene symbols"
        fix = "put gene symbols or Ensembl identifiers into var_names"
        return error("numeric_genes", text, numbers, names, fix)
    for changed, what in (
        ([_bare(name) for name in names], "blanks, quotes or invisible characters"),
        ([match[1] if (match := _SUFFIX.fullmatch(name)) else name for name in names], "a suffix such as -1"),
        ([name.split("|")[0] for name in names], "something behind a bar (|)"),
    ):
        if (
            changed != names
            and len(set(changed)) > len(names) / 2
            and _share(changed) > max(2 * share, _WELL_KNOWN)
        ):
            text = f"the gene names carry {what}, and only {share:.0%} of them are found among gene symbols"
            fix = "take that off the gene names"
            return error("unknown_genes", text, len(names), map(repr, names), fix)
    text = f"only {share:.0%} of the gene names are found among human and mouse symbols: another species?"
    fix = "put human or mouse gene symbols or Ensembl identifiers into var_names"
    return error("unknown_genes", text, len(names), names, fix)


def cell_findings(names: Sequence[str]) -> list[Finding]:
    """Findings on the names of the cells."""
    found = _repeated(names, "cell", "duplicated_cell_names", "joins by barcode are ambiguous")
    odd = [name for name in names if _CONTROL.search(name)]
    if odd:
        text = f"{len(odd):,} cell names hold a space, tab, newline or control character"
        fix = "rename the cells, or expect quotes in the tables"
        found.append(warning("odd_cell_names", text, len(odd), odd, fix))
    return found


def looks_transposed(obs_names: Sequence[str], gene_share: float) -> bool:
    """Whether the names of the cells are gene names, and those of the genes are not."""
    return gene_share < _WELL_KNOWN and _share([str(name) for name in obs_names]) > 0.5
