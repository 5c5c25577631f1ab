"""Rows of the table of pairs: what was tested, and why the rest was not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cafsc._config import CrosstalkConfig
from cafsc.sig import Catalogue
from cafsc.tl.crosstalk import liana
from cafsc.tl.crosstalk.groups import Groups
from cafsc.tl.crosstalk.pair_tests import Trials
from cafsc.tl.crosstalk.pairs import Candidate, Indexed
from cafsc.tl.crosstalk.responses import Contrasts, Effects, footprint_of
from cafsc.tl.crosstalk.table import (
    ALSO,
    EXPRESSED,
    NAMED,
    NO_CELLS,
    NOT_EXPRESSED,
    NOT_MEASURED,
    NUMBERS,
    OTHER_WAY,
    PAIR,
    PAIR_AND_RESPONSE,
    POTENTIAL,
    TOO_FEW,
)
from cafsc.tl.score.controls import Array, Index, SetColumns
from cafsc.tl.verdict.sources import source_of

Row = dict[str, object]
ALONE = "the data hold no cells but fibroblasts: sender potential only"


@dataclass(frozen=True)
class Levels:
    """Groups x complexes: mean log-expression and share of cells."""

    mean: Array
    fraction: Array

    def seen(self, size: Index, share: float, cells: int) -> NDArray[np.bool_]:
        """Groups x complexes: whether it is detected in that share of cells, and in that many."""
        return np.asarray((self.fraction >= share) & (self.fraction * size[:, None] >= cells - 0.5))


@dataclass(frozen=True)
class Tested:
    """The tests with their results, and the candidate of each."""

    tests: Trials
    candidate: Sequence[int]
    score: Array
    p: Array
    fdr: Array


@dataclass(frozen=True)
class Answers:
    """Footprints in all groups."""

    sets: Mapping[str, SetColumns]
    effects: Effects
    contrasts: Contrasts
    catalogue: Catalogue

    def beside(self, candidate: Candidate, target: int, groups: Groups) -> Row:
        """Columns of the answer of one receiver to one pair; none where its mechanism leaves no footprint."""
        if candidate.pair is None:
            return {}
        receiver = groups.groups[target]
        name = footprint_of(
            candidate.pair.mechanism, receiver.name, receiver.lineage, self.catalogue.recipients, self.sets
        )
        if not name:
            return {}
        effect, fdr = self.effects.of(target, name)
        contrast, contrast_p = self.contrasts.of(name, target, candidate.receptor_columns)
        return {
            "response": name,
            "response_effect": effect,
            "response_fdr": fdr,
            "contrast": contrast,
            "contrast_p": contrast_p,
        }


@dataclass(frozen=True)
class TalkRows:
    """Everything that a row is made of."""

    groups: Groups
    found: Sequence[Candidate]
    named: Sequence[Mapping[tuple[int, int], str]]
    indexed: Indexed
    levels: Levels
    results: Tested
    ranks: Mapping[tuple[str, str, str, str], tuple[float, float]]
    answers: Answers
    catalogue: Catalogue
    config: CrosstalkConfig

    def tested(self) -> Iterator[Row]:
        """Rows of pairs that are expressed on both sides."""
        rows = list(self._found_rows())
        fdr = self.answers.contrasts.fdr()
        for row, number, target in rows:
            if name := str(row.get("response", "")):
                key = (name, target, self.found[number].receptor_columns)
                row["contrast_fdr"] = fdr.get(key, np.nan)
            yield row | {"standing": self._standing(row)}

    def _found_rows(self) -> Iterator[tuple[Row, int, int]]:
        symbols = {column: symbol for symbol, column in self.groups.columns.items()}
        results = self.results
        for test, number in enumerate(results.candidate):
            candidate = self.found[number]
            source, target = int(results.tests.source[test]), int(results.tests.target[test])
            direction = self.named[number].get((source, target), "")
            fdr = float(results.fdr[test])
            if not direction and fdr > self.config.max_fdr:
                continue
            row = self._row(number, source, target, direction) | {
                "score": float(results.score[test]),
                "p": float(results.p[test]),
                "fdr": fdr,
            }
            names = self.groups.groups
            key = (
                names[source].name,
                names[target].name,
                "_".join(symbols[column] for column in candidate.ligand_columns),
                "_".join(symbols[column] for column in candidate.receptor_columns),
            )
            row["magnitude_rank"], row["specificity_rank"] = self.ranks.get(key, (np.nan, np.nan))
            yield row | self.answers.beside(candidate, target, self.groups), number, target

    def _standing(self, row: Row) -> str:
        number = {name: float(row.get(name, np.nan)) for name in NUMBERS}  # type: ignore[arg-type]
        config = self.config
        if number["fdr"] > config.max_fdr:
            return EXPRESSED
        high = number["response_effect"] >= config.min_effect and number["response_fdr"] <= config.max_fdr
        beside = number["contrast"] > 0 and number["contrast_fdr"] <= config.max_fdr
        return PAIR_AND_RESPONSE if beside or high else PAIR

    def untested(self) -> Iterator[Row]:
        """Rows of pairs that the literature names and the data do not show, with the reason."""
        tests = self.results.tests
        done: defaultdict[int, set[tuple[int, int]]] = defaultdict(set)
        for number, source, target in zip(self.results.candidate, tests.source, tests.target, strict=True):
            done[number].add((int(source), int(target)))
        for number, candidate in enumerate(self.found):
            if candidate.pair is None:
                continue
            if not candidate.measured:
                yield from self._unmeasured(number)
                continue
            for (source, target), direction in self.named[number].items():
                if (source, target) not in done[number]:
                    yield self._row(number, source, target, direction) | self._why_not(number, source, target)
            for direction in candidate.pair.directions:
                if direction not in self.named[number].values():
                    yield from self._absent(number, direction)

    def _why_not(self, number: int, source: int, target: int) -> Row:
        for group in (source, target):
            if self.groups.size[group] < self.config.min_cells:
                name, size = self.groups.groups[group].name, self.groups.size[group]
                return {"standing": TOO_FEW, "reason": f"{size} cells of {name}"}
        fractions = (
            ("ligand", self.levels.fraction[source, self.indexed.ligand[number]]),
            ("receptor", self.levels.fraction[target, self.indexed.receptor[number]]),
        )
        seen = ", ".join(f"{what} in {share:.0%} of cells" for what, share in fractions)
        return {"standing": NOT_EXPRESSED, "reason": seen}

    def _unmeasured(self, number: int) -> Iterator[Row]:
        candidate = self.found[number]
        pair = candidate.pair
        assert pair is not None
        missing = [gene for gene in pair.genes if self.groups.column(gene) is None]
        for direction in pair.directions:
            yield self._named_row(number, direction) | {
                "standing": NOT_MEASURED,
                "reason": f"the data lack {', '.join(missing)}",
            }

    def _absent(self, number: int, direction: str) -> Iterator[Row]:
        """A named direction of which one end has no cells here."""
        sender, receiver = direction.split(">")
        base = self._named_row(number, direction)
        sources = self.groups.matching(sender, self.catalogue)
        targets = self.groups.matching(receiver, self.catalogue)
        if sources and not targets:
            why = f"no {receiver} cells in the data" if self.groups.others else ALONE
            for source in sources:
                row = base | self._side("source", source, self.indexed.ligand[number])
                enough = float(row["source_fraction"]) >= self.config.named_prop  # type: ignore[arg-type]
                yield row | {"standing": POTENTIAL if enough else NOT_EXPRESSED, "reason": why}
            return
        for target in targets:
            yield (
                base
                | self._side("target", target, self.indexed.receptor[number])
                | {
                    "standing": NO_CELLS,
                    "reason": f"no {sender} cells in the data",
                }
            )
        if not targets:
            yield base | {"standing": NO_CELLS, "reason": f"no {sender} and no {receiver} cells in the data"}

    def _row(self, number: int, source: int, target: int, direction: str) -> Row:
        names = self.groups.groups
        return (
            self._named_row(number, direction)
            | {"direction": direction or f"{_word(names[source].name)}>{_word(names[target].name)}"}
            | self._side("source", source, self.indexed.ligand[number])
            | self._side("target", target, self.indexed.receptor[number])
        )

    def _side(self, side: str, group: int, complex_: int) -> Row:
        known = self.groups.groups[group]
        row: Row = {
            side: known.name,
            f"{side}_state": known.state,
            f"{side}_level": float(self.levels.mean[group, complex_]),
            f"{side}_fraction": float(self.levels.fraction[group, complex_]),
        }
        return row | {"source_call": known.call} if side == "source" else row

    def _named_row(self, number: int, direction: str) -> Row:
        candidate = self.found[number]
        pair = candidate.pair
        if pair is None:
            return {
                "kind": "pair",
                "named": ALSO,
                "id": "",
                "label": candidate.label,
                "evidence": "resource",
                "statement": "A pair of liana's consensus resource.",
                "papers": liana.CITATION,
                "doi": liana.DOI,
            }
        return {
            "kind": "pair",
            "named": NAMED if direction else OTHER_WAY,
            "id": pair.id,
            "label": pair.label,
            "direction": direction,
            "effect": pair.effect if direction else "",
            **source_of(self.catalogue, pair),
        }


def _word(name: str) -> str:
    return name.partition(":")[0]
