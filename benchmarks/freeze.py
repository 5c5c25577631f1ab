"""Write what a user sees for each dataset as small tables, and compare two such folders.

    python benchmarks/freeze.py write FOLDER [--only NAME ...]
    python benchmarks/freeze.py compare BEFORE AFTER [--markdown FILE]

``write`` runs `cafsc.annotate` with defaults on every single-cell dataset of ``CAFSC_DATA_DIR`` and on the simulated
tumour. FOLDER must lie outside the repository. ``compare`` prints, for each table, the share of equal labels and the
largest difference between numbers. Rows are matched by name, so that tables of two versions of cafsc can be compared.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
from anndata import AnnData

CANCERS = {
    "simulated_tumour": "breast",
    "breast_tnbc_wu2021_CID4465": "breast",
    "pdac_lin2020_P01": "pancreas",
    "breast_tnbc_gao2021_302": "breast",
    "hnscc_puram2017_180": "hnscc",
    "mouse_gut_mca2018_219": None,
    "cell_lines_tian2019_celseq2": None,
    "colon_mesenchyme_kinchen2018_250": None,
    "crc_mcaf_che2021_1105": "colorectal",
    "xenium_breast_380genes_10000": "breast",
}
KEYS = {
    "cells": ["cell"],
    "clusters": ["cluster"],
    "evidence": ["cluster", "paper", "about", "effect", "statement"],
    "scores": ["cluster", "set"],
}


def write(folder: Path, only: list[str]) -> None:
    """Annotate each dataset and write its tables below `folder`."""
    import cafsc
    from cafsc import data

    for name, cancer in CANCERS.items():
        if only and name not in only:
            continue
        adata = data.simulated_tumour() if name == "simulated_tumour" else _dataset(name)
        start = time.process_time()
        result = cafsc.annotate(adata, cancer=cancer)
        seconds = time.process_time() - start
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        tables = {"clusters": result.clusters, "cells": result.cells, "evidence": result.evidence}
        tables["cells"] = result.cells.assign(
            **{str(key): values.to_numpy() for key, values in adata.obs.filter(regex="^caf_").items()}
        )
        tables["scores"] = result.scores
        for table, frame in tables.items():
            frame.to_csv(
                place / f"{table}.tsv.gz", sep="\t", index=False, compression={"method": "gzip", "mtime": 0}
            )
        kept = result.summary["gate"]["kept"]
        print(f"{name}: kept {kept}, {len(result.clusters)} clusters, {seconds:.1f} CPU s", flush=True)


def _dataset(name: str) -> AnnData:
    """A file of ``CAFSC_DATA_DIR``, registered or not."""
    return anndata.read_h5ad(Path(os.environ["CAFSC_DATA_DIR"]) / f"{name}.h5ad")


def compare(before: Path, after: Path) -> pd.DataFrame:
    """One row a dataset and table: rows on both sides, share of equal labels, largest difference of numbers."""
    rows = []
    for place in sorted(path for path in before.iterdir() if path.is_dir()):
        for table, keys in KEYS.items():
            old, new = (_read(side / place.name / f"{table}.tsv.gz") for side in (before, after))
            if old is None or new is None:
                continue
            rows.append({"dataset": place.name, "table": table, **_difference(old, new, keys)})
    return pd.DataFrame(rows)


def _read(path: Path) -> pd.DataFrame | None:
    return pd.read_csv(path, sep="\t", keep_default_na=False, dtype=str) if path.exists() else None


def _difference(old: pd.DataFrame, new: pd.DataFrame, keys: list[str]) -> dict[str, object]:
    keys = [key for key in keys if key in old and key in new]
    shared = [column for column in old if column in new and column not in keys]
    old, new = (frame.drop_duplicates(keys).set_index(keys) for frame in (old, new))
    both = old.index.intersection(new.index)
    out: dict[str, object] = {"rows before": len(old), "rows after": len(new), "in both": len(both)}
    equal: dict[str, float] = {}
    largest, where = 0.0, ""
    for column in shared:
        one, other = old.loc[both, column], new.loc[both, column]
        numbers = [pd.to_numeric(values.replace("", "nan"), errors="coerce") for values in (one, other)]
        if all(
            n.notna().sum() == (v != "").sum() for n, v in zip(numbers, (one, other), strict=True)
        ) and "." in "".join(one):
            difference = float(np.nanmax(np.abs(numbers[0] - numbers[1]).to_numpy(), initial=0.0))
            if difference > largest:
                largest, where = difference, column
        else:
            equal[column] = float((one == other).mean()) if len(both) else 1.0
    worst = {column: share for column, share in sorted(equal.items(), key=lambda item: item[1]) if share < 1}
    out["equal labels"] = float(np.mean(list(equal.values()))) if equal else 1.0
    out["labels that differ"] = ", ".join(
        f"{column} {share:.3f}" for column, share in list(worst.items())[:4]
    )
    out["largest difference"] = f"{largest:.3g} ({where})" if where else "0"
    return out


def main() -> None:
    """Read the command line."""
    warnings.filterwarnings("ignore")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    jobs = parser.add_subparsers(dest="job", required=True)
    writer = jobs.add_parser("write")
    writer.add_argument("folder", type=Path)
    writer.add_argument("--only", nargs="*", default=[])
    comparer = jobs.add_parser("compare")
    comparer.add_argument("before", type=Path)
    comparer.add_argument("after", type=Path)
    comparer.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    if options.job == "write":
        if options.folder.resolve().is_relative_to(Path(__file__).resolve().parents[1]):
            sys.exit("give a folder outside the repository")
        write(options.folder, options.only)
        return
    table = compare(options.before, options.after)
    print(table.to_string(index=False, float_format="%.3f"))
    if options.markdown:
        lines = [
            "| " + " | ".join(map(str, row)) + " |"
            for row in [list(table), ["---"] * table.shape[1], *table.values.tolist()]
        ]
        options.markdown.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
