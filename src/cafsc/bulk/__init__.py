"""Bulk and pseudobulk cohorts: the catalogue's scores and the net verdict per sample, and survival models."""

from __future__ import annotations

from cafsc.bulk.clinical import read_clinical
from cafsc.bulk.read import read
from cafsc.bulk.score import BulkResult, score
from cafsc.bulk.survival import Curves, Survival, curves, survival

__all__ = ["BulkResult", "Curves", "Survival", "curves", "read", "read_clinical", "score", "survival"]
