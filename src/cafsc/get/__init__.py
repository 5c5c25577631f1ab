"""The results as tidy tables, read from the slots that ``cafsc.annotate`` fills; nothing is computed here.

Every function takes the annotated AnnData and the ``key_added`` of the run, returns a copy, and raises
`cafsc.errors.InputError` where the AnnData holds no such result. `cafsc.get.schema` declares the columns of all tables;
docs/columns.md lists them.
"""

from cafsc.get._records import provenance, summary
from cafsc.get._tables import cancers, cells, clusters, evidence, markers, scores

__all__ = ["cancers", "cells", "clusters", "evidence", "markers", "provenance", "scores", "summary"]
