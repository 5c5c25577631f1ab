"""Change bytes of h5ad files, read what comes out, and see that nothing goes wrong in silence."""

from __future__ import annotations

import hashlib
import json
import random
import select
import subprocess
import sys
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

SECONDS = 90
"""Time after which a read counts as hung."""


@dataclass
class Fuzz:
    """What reading mutated files led to."""

    n: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    """``same``, ``refused``, ``warned`` (X differs, and the check says more than before), ``silent`` (X
    differs, and nobody says so), ``signal``, ``hang``, ``bug`` (an exception that is not ours)."""
    contained: Counter[str] = field(default_factory=Counter)
    """Among the refused: ``crash`` and ``endless``, what the file did to the child that looked through it."""
    examples: dict[str, list[str]] = field(default_factory=dict)


def base_files(folder: Path) -> list[Path]:
    """Small, varied h5ad files: CSR and dense, gzip-compressed; text, categories and nested uns."""
    random_ = np.random.default_rng(3)
    from cafsc import genes

    names = sorted(genes.approved("human"))[500:800]
    counts = random_.poisson(random_.gamma(0.5, 3.0, 300), (80, 300)).astype(np.float32)
    obs = pd.DataFrame(
        {"sample": pd.Categorical(["a", "b"] * 40), "word": ["x", "y", "z", ""] * 20, "n": np.arange(80)},
        index=[f"cell{number}" for number in range(80)],
    )
    made = []
    for name, matrix in (
        ("csr", sparse.csr_matrix(counts)),
        ("csc", sparse.csc_matrix(counts)),
        ("dense", counts),
    ):
        adata = AnnData(matrix, obs=obs.copy(), var=pd.DataFrame({"id": names}, index=names))
        adata.layers["counts"] = adata.X.copy()
        adata.obsm["X_pca"] = random_.random((80, 5))
        adata.uns["deep"] = {"a": {"b": np.arange(9)}, "text": "word", "list": ["x", "y"]}
        path = folder / f"{name}.h5ad"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            adata.write_h5ad(path, compression="gzip")
        made.append(path)
    return made


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A copy of a file with some bytes changed, a block overwritten, or the end cut off."""
    out = bytearray(data)
    kind = chance.random()
    if kind < 0.7:
        for _ in range(chance.choice((1, 1, 2, 4, 16))):
            out[chance.randrange(len(out))] = chance.randrange(256)
    elif kind < 0.8:
        place = chance.randrange(len(out))
        out[place] ^= 1 << chance.randrange(8)
    elif kind < 0.95:
        start, length = chance.randrange(len(out)), chance.choice((4, 8, 64, 512))
        source = chance.randrange(len(out))
        out[start : start + length] = out[source : source + length]
    else:
        del out[chance.randrange(len(out)) :]
    return bytes(out)


def _fingerprint(path: str) -> dict[str, Any]:
    """What a run would take from a file: its matrix, and what the check says."""
    from cafsc import io, pp
    from cafsc.errors import UserError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            adata = io.read(path)
            report = pp.check(adata, source="it")
    except UserError as error:
        return {"refused": error.found[-200:]}
    except Exception as error:
        return {"bug": f"{type(error).__name__}: {error}"[:300]}
    # Where X is damaged, a run would use layers["counts"], and the check says so.
    used = adata.X if report.use == "X" else adata.layers[report.use.removeprefix("layer:")]
    dense = sparse.csr_matrix(used if used is not None else np.zeros((0, 0))).toarray().astype(np.float64)
    digest = hashlib.sha256(f"{dense.shape}".encode() + dense.tobytes()).hexdigest()
    said = sorted(f"{item.code}:{item.count}" for item in report.findings if item.severity != "note")
    return {"X": digest, "said": said}


def worker() -> None:
    """Read file names from stdin, answer each with one JSON line."""
    for line in sys.stdin:
        print(json.dumps(_fingerprint(line.rstrip("\n"))), flush=True)


class Reader:
    """A process that reads files, and is replaced when one of them brings it down."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def read(self, path: Path) -> dict[str, Any]:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{path}\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], SECONDS)
        line = process.stdout.readline() if ready else ""
        if line:
            found: dict[str, Any] = json.loads(line)
            return found
        process.kill()
        code = process.wait()
        self._start()
        return {"signal": code} if ready else {"hang": SECONDS}

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def fuzz(folder: Path, n: int, *, seed: int = 0) -> Fuzz:
    """Read `n` files, mutated by a seeded chance, in an empty folder."""
    chance = random.Random(seed)
    bases = base_files(folder)
    contents = {path: path.read_bytes() for path in bases}
    found = Fuzz(n)
    reader = Reader()
    try:
        whole = {path: reader.read(path) for path in bases}
        for number in range(n):
            base = bases[number % len(bases)]
            path = folder / f"mutant{number}.h5ad"
            path.write_bytes(mutated(contents[base], chance))
            answer = reader.read(path)
            outcome = _outcome(answer, whole[base])
            found.contained.update(_contained(answer))
            found.outcomes[outcome] += 1
            if outcome in ("silent", "signal", "hang", "bug", "warned"):
                found.examples.setdefault(outcome, []).append(f"{number} ({base.name}): {answer}")
            if outcome in ("silent", "signal", "hang", "bug"):
                path.rename(folder / f"{outcome}{number}.h5ad")
            else:
                path.unlink()
    finally:
        reader.close()
    return found


def _contained(answer: dict[str, Any]) -> list[str]:
    words = {"crash": "crashes the library", "endless": "does not come to an end"}
    return [name for name, text in words.items() if text in answer.get("refused", "")]


def _outcome(answer: dict[str, Any], whole: dict[str, Any]) -> str:
    for bad in ("signal", "hang", "bug", "refused"):
        if bad in answer:
            return bad
    if answer["X"] == whole["X"]:
        return "same"
    return "warned" if set(answer["said"]) - set(whole["said"]) else "silent"


if __name__ == "__main__":
    worker()
