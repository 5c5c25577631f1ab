"""Loops compiled to machine code, and kept on disk where that can be."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

# Below these numbers of stored values NumPy is done before numba has been imported and its code loaded (1.5 CPU s).
_SUMS_FROM = 40_000_000
_RANKS_FROM = 8_000_000
_LOOPS = ("cafsc.engine.loops", "cafsc.engine.cell_loops")


def kernels(n_values: int, *, ranks: bool = False) -> ModuleType:
    """The loops for an input with that many stored values: compiled for a large one, in NumPy for a small one.

    Parameters
    ----------
    n_values
        Stored values of the whole input, of which the rows at hand may be a part: were it the part's number, the way
        the rows are cut up would choose the loops.
    ranks
        Whether values are ranked, which NumPy does far more slowly.

    Returns
    -------
    `cafsc.engine.loops` or `cafsc.engine.reference`, which have the same functions.
    """
    # Both give the same bits: once compiled code is loaded, nothing speaks for the other.
    large = n_values >= (_RANKS_FROM if ranks else _SUMS_FROM) or any(name in sys.modules for name in _LOOPS)
    return importlib.import_module(f"cafsc.engine.{'loops' if large else 'reference'}")


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function with numba when it is first called, once for each combination of types.

    The machine code is kept where numba finds a folder it can write to. Where there is none, where the disk is full,
    or where what lies there is broken, the function is compiled for this process alone.
    """
    import numba

    try:
        kept = numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # No folder can be written to.
        return numba.njit(nogil=True)(function)
    alone = numba.njit(nogil=True)(function)
    chosen = kept

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        nonlocal chosen
        try:
            return chosen(*arguments)
        except Exception:
            # The loops raise nothing themselves: it is the folder. What else it may be, the second call says.
            if chosen is alone:
                raise
            chosen = alone
            return alone(*arguments)

    return call
