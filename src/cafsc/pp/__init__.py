"""Preparation: check what is there, keep the counts, normalise, cluster."""

from __future__ import annotations

from cafsc.pp.check import CheckReport, check
from cafsc.pp.cluster import cluster
from cafsc.pp.normalize import normalize
from cafsc.pp.qc import qc

__all__ = ["CheckReport", "check", "cluster", "normalize", "qc"]
