"""``python -m cafsc`` is the ``cafsc`` command."""

from __future__ import annotations

from cafsc.cli import main

if __name__ == "__main__":
    main()
