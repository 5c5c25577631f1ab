"""Which pairs are looked at: those of the catalogue, and those of liana's consensus resource."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cafsc.sig.records import Pair
from cafsc.tl.crosstalk.groups import Groups
from cafsc.tl.crosstalk.pair_tests import Complexes, Trials

Resource = Literal["consensus", "catalogue"]
Complex = tuple[str, ...]


@dataclass(frozen=True)
class Candidate:
    """A pair, with what the data hold of it.

    Attributes
    ----------
    ligand, receptor
        Human symbols of the subunits.
    pair
        Of the catalogue; None where only the consensus resource has it.
    ligand_columns, receptor_columns
        Columns of the subunits; empty where the data lack one.
    """

    ligand: Complex
    receptor: Complex
    pair: Pair | None
    ligand_columns: tuple[int, ...]
    receptor_columns: tuple[int, ...]

    @property
    def label(self) -> str:
        """``LIGAND-RECEPTOR``, subunits joined by ``+``."""
        return f"{'+'.join(self.ligand)}-{'+'.join(self.receptor)}"

    @property
    def measured(self) -> bool:
        """Whether the data hold every subunit."""
        return bool(self.ligand_columns) and bool(self.receptor_columns)


def candidates(
    pairs: Iterable[Pair], consensus: Iterable[tuple[Complex, Complex]], groups: Groups
) -> list[Candidate]:
    """The catalogue's pairs, then those of the consensus resource that the catalogue has not."""
    named = {(tuple(pair.ligand), tuple(pair.receptor)): pair for pair in pairs}
    found: dict[tuple[Complex, Complex], Pair | None] = {**dict.fromkeys(consensus), **named}
    ordered = [*named, *(key for key in found if key not in named)]
    out = []
    for ligand, receptor in ordered:
        one, two = _columns(groups, ligand), _columns(groups, receptor)
        if found[ligand, receptor] is not None or (one and two):
            out.append(Candidate(ligand, receptor, found[ligand, receptor], one, two))
    return out


def _columns(groups: Groups, complex_: Complex) -> tuple[int, ...]:
    found = [groups.column(gene) for gene in complex_]
    return tuple(column for column in found if column is not None) if None not in found else ()


@dataclass(frozen=True)
class Indexed:
    """Measured candidates as arrays.

    Attributes
    ----------
    complexes
        Every ligand and receptor once.
    ligand, receptor
        Complex of each candidate; -1 where it is not measured.
    """

    complexes: Complexes
    ligand: tuple[int, ...]
    receptor: tuple[int, ...]

    @classmethod
    def of(cls, found: Sequence[Candidate]) -> Indexed:
        """Number the complexes of the candidates."""
        number: dict[tuple[int, ...], int] = {}
        for candidate in found:
            if candidate.measured:
                number.setdefault(candidate.ligand_columns, len(number))
                number.setdefault(candidate.receptor_columns, len(number))
        return cls(
            Complexes.of(list(number)),
            tuple(number.get(candidate.ligand_columns, -1) for candidate in found),
            tuple(number.get(candidate.receptor_columns, -1) for candidate in found),
        )


def tests(
    found: Sequence[Candidate],
    indexed: Indexed,
    expressed: NDArray[np.bool_],
    hinted: NDArray[np.bool_],
    usable: Sequence[int],
    extra: Mapping[int, Sequence[tuple[int, int]]],
    cafs: Sequence[int],
) -> tuple[Trials, list[int]]:
    """Pairs and directions in which both partners are expressed.

    Parameters
    ----------
    expressed, hinted
        Groups x complexes: whether it counts as expressed, and whether it does for a pair that the literature names in
        that direction.
    usable
        Groups with enough cells.
    extra
        Directions that the catalogue names, by candidate.
    cafs
        CAF clusters: every direction from or to one of them is looked at.

    Returns
    -------
    The tests, and the candidate of each.
    """
    kept = set(usable)
    around = [
        (source, target)
        for source in usable
        for target in usable
        if source in set(cafs) or target in set(cafs)
    ]
    rows: list[tuple[int, int, int]] = []
    for number, candidate in enumerate(found):
        if not candidate.measured:
            continue
        one, two = indexed.ligand[number], indexed.receptor[number]
        named = {way for way in extra.get(number, ()) if way[0] in kept and way[1] in kept}
        for source, target in dict.fromkeys((*around, *sorted(named))):
            seen = hinted if (source, target) in named else expressed
            if seen[source, one] and seen[target, two]:
                rows.append((number, source, target))
    number_, source_, target_ = (np.array([row[i] for row in rows], dtype=np.int64) for i in range(3))
    ligands, receptors = np.array(indexed.ligand, dtype=np.int64), np.array(indexed.receptor, dtype=np.int64)
    ligand, receptor = ligands[number_], receptors[number_]
    picked = Trials(
        ligand, receptor, source_, target_, ~expressed[source_, ligand], ~expressed[target_, receptor]
    )
    return picked, [row[0] for row in rows]
