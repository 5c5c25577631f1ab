"""What happens with bad inputs, kills and damaged files.

    python benchmarks/reliability.py [corpus] [kills] [fuzz]

Prints one row a measurement; all three without a word. ``corpus`` needs the folder with ``make_bad.py``
(``CAFSC_BAD_INPUTS``, or ``shared/bad_inputs`` beside the checkout) and root in a throw-away machine. The tests in
``tests/reliability`` run smaller numbers of the same.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "reliability"))

import bad_inputs
from fuzz_h5ad import fuzz
from kill_writer import kill_writers

N_KILLS = 200
N_FILES = 2000


def corpus(folder: Path) -> None:
    cases = bad_inputs.make(folder)
    rows = bad_inputs.run_corpus(folder, [case["id"] for case in cases])
    print(f"cases that end as the manifest asks: {sum(row['passed'] for row in rows)} of {len(cases)}")
    for row in rows:
        if not row["passed"]:
            print(f"  {row['id']}: {row['outcome']}: {'; '.join(row['why'])[:300]}")
    outcomes = sorted({row["outcome"] for row in rows})
    print("  " + ", ".join(f"{name} {sum(row['outcome'] == name for row in rows)}" for name in outcomes))
    found = bad_inputs.check_outputs(folder, cases)
    bad = {name: complaints for name, complaints in found.items() if complaints}
    print(
        f"outputs with the labels and columns that the manifest asks for: {len(found) - len(bad)} of {len(found)}"
    )
    for name, complaints in bad.items():
        print(f"  {name}: {'; '.join(complaints)}")


def kills(folder: Path) -> None:
    found = kill_writers(folder, N_KILLS)
    print(f"kills: {found.n_kills}, {found.n_in_window} of them within the write")
    print(f"  file of {found.size:,} bytes, written in {found.seconds:.2f} s")
    print(f"  old file whole {found.n_old}, new file whole {found.n_new}, damaged {found.n_damaged}")
    print(f"  temporary files left after the next write: {found.n_left}")


def damaged(folder: Path) -> None:
    found = fuzz(folder, N_FILES)
    print(f"mutated files: {found.n}")
    print("  " + ", ".join(f"{name} {n}" for name, n in sorted(found.outcomes.items())))
    print(
        "  kept from harm in the child: "
        + (", ".join(f"{n} {name}" for name, n in found.contained.items()) or "none")
    )
    for name in ("silent", "signal", "hang", "bug", "warned"):
        for text in found.examples.get(name, []):
            print(f"  {name}: {text[:300]}")


def main() -> None:
    known: dict[str, Callable[[Path], None]] = {"corpus": corpus, "kills": kills, "fuzz": damaged}
    for name in sys.argv[1:] or known:
        started = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="reliability_") as folder:
            known[name](Path(folder))
        print(f"  ({name}: {time.perf_counter() - started:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
