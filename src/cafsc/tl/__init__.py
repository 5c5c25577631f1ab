"""Tools: gate, score, label, programmes, verdict; each one call on an AnnData, in this order."""

from __future__ import annotations

from cafsc.tl.calibrate import calibrate
from cafsc.tl.explain import Explanation, explain
from cafsc.tl.gate import gate
from cafsc.tl.label import label
from cafsc.tl.programs import programs
from cafsc.tl.score import score
from cafsc.tl.verdict import verdict

__all__ = ["Explanation", "calibrate", "explain", "gate", "label", "programs", "score", "verdict"]
