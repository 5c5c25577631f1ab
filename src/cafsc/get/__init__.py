"""The results as tidy tables, read from the slots that ``cafsc.annotate`` fills; nothing is computed here."""

from cafsc.get._cancers import cancers
from cafsc.get._cells import cells
from cafsc.get._clusters import clusters
from cafsc.get._evidence import evidence
from cafsc.get._records import provenance, summary
from cafsc.get._scores import scores

__all__ = ["cancers", "cells", "clusters", "evidence", "provenance", "scores", "summary"]
