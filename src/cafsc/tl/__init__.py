"""Tools: gate, score, label, programmes, verdict, in this order; then crosstalk, exosomes, origin, targets.

`score_sets` stands by itself: any gene sets, in any cells.
"""

from __future__ import annotations

from cafsc.tl.calibrate import calibrate
from cafsc.tl.connectivity import connectivity
from cafsc.tl.crosstalk import crosstalk
from cafsc.tl.exosome import exosome
from cafsc.tl.explain import Explanation, explain
from cafsc.tl.gate import gate
from cafsc.tl.label import label
from cafsc.tl.neighbourhood import neighbourhood
from cafsc.tl.origin import origin
from cafsc.tl.programs import programs
from cafsc.tl.score import score
from cafsc.tl.score_sets import score_sets
from cafsc.tl.targets import targets
from cafsc.tl.verdict import verdict

__all__ = [
    "Explanation",
    "calibrate",
    "connectivity",
    "crosstalk",
    "exosome",
    "explain",
    "gate",
    "label",
    "neighbourhood",
    "origin",
    "programs",
    "score",
    "score_sets",
    "targets",
    "verdict",
]
