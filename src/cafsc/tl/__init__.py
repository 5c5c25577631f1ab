"""Tools: gate, score, label, programmes, verdict, in this order; then crosstalk, exosomes, origin, targets.

`score_sets` stands by itself: any gene sets, in any cells.
"""

from __future__ import annotations

from cafsc.tl.crosstalk.exosome import exosome
from cafsc.tl.crosstalk.origin import origin
from cafsc.tl.crosstalk.talk import crosstalk
from cafsc.tl.crosstalk.targets import targets
from cafsc.tl.gate.assign import gate
from cafsc.tl.label.enrich import markers, second_opinion
from cafsc.tl.label.name import label
from cafsc.tl.score.calibrate import calibrate
from cafsc.tl.score.catalogue import score
from cafsc.tl.score.own_sets import score_sets
from cafsc.tl.score.programs import programs
from cafsc.tl.verdict.call import verdict
from cafsc.tl.verdict.explain import Explanation, explain

__all__ = [
    "Explanation",
    "calibrate",
    "crosstalk",
    "exosome",
    "explain",
    "gate",
    "label",
    "markers",
    "origin",
    "programs",
    "score",
    "score_sets",
    "second_opinion",
    "targets",
    "verdict",
]
