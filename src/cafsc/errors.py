"""What can go wrong, and how it is said.

Every error a user can mend says three things: what was found, what was expected, and what to do.
Exit code 2 is for the user to mend, 1 is a bug of ours.
"""

from __future__ import annotations

EXIT_OK = 0
EXIT_BUG = 1
EXIT_USER = 2


class CafscError(Exception):
    """Base of all errors that cafsc raises on purpose; carries the exit code of the command line."""

    exit_code = EXIT_BUG


class UserError(CafscError):
    """Something the user can mend.

    Parameters
    ----------
    found
        What was found, naming the file, column or option.
    expected
        What would have been right.
    fix
        What to do about it.
    """

    exit_code = EXIT_USER

    def __init__(self, found: str, *, expected: str | None = None, fix: str | None = None) -> None:
        self.found = found
        self.expected = expected
        self.fix = fix
        lines = (found, expected and f"expected: {expected}", fix and f"fix: {fix}")
        super().__init__("\n".join(filter(None, lines)))


class InputError(UserError):
    """The input file or AnnData cannot be used as it is."""


class OptionError(UserError, ValueError):
    """An option or argument has a value that is not accepted."""


class OutputError(UserError):
    """The output cannot be written where it was asked for."""


class CatalogueError(UserError):
    """A signature file or a set in it breaks the rules of the catalogue."""


class DatasetError(UserError):
    """A registered dataset is unknown or cannot be had."""
