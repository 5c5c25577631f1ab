"""Public datasets by name, and the embedded simulated tumour."""

from __future__ import annotations

from cafsc.data.registry import datasets, fetch, load
from cafsc.data.simulate import simulated_tumour

__all__ = ["datasets", "fetch", "load", "simulated_tumour"]
