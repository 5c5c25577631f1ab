"""Run the example of the README on the simulated tumour, and put what it prints into the README."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
COMMAND = "cafsc annotate simulated_tumour.h5ad --cancer breast"
_BLOCK = re.compile(rf"(?<=```\n\$ {re.escape(COMMAND)}\n).*?(?=\n```\n)", re.DOTALL)
_STEP = re.compile(r"\[\d+/\d+\] |read |write |check |simulated, not measured")


def shown() -> str:
    """What the README says that the command prints."""
    block = _BLOCK.search(README.read_text(encoding="utf-8"))
    if block is None:
        raise ValueError(f"{README.name} has no example of {COMMAND!r}")
    return block.group()


def printed() -> str:
    """What the command prints, without the steps, which a terminal shows as a bar that goes away."""
    cafsc = [sys.executable, "-m", "cafsc"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [*cafsc, "data", "demo", "-o", "simulated_tumour.h5ad"],
            cwd=folder,
            check=True,
            capture_output=True,
        )
        run = subprocess.run(
            [*cafsc, *COMMAND.split()[1:]], cwd=folder, check=True, capture_output=True, text=True
        )
    lines = [line for line in run.stderr.splitlines() if not _STEP.match(line)]
    if not any(line.startswith("cluster") for line in lines):
        raise ValueError(f"{COMMAND!r} printed no table: {run.stderr!r}")
    return "\n".join(lines).strip("\n")


if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    README.write_text(_BLOCK.sub(printed().replace("\\", r"\\"), text), encoding="utf-8")
