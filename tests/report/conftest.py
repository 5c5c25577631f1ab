from __future__ import annotations

import sys
from pathlib import Path

# The hand-built AnnData is shared with the tests of the getters.
sys.path.insert(0, str(Path(__file__).parents[1] / "get"))
from annotated import adata, empty

__all__ = ["adata", "empty"]
