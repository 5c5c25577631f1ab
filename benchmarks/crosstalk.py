"""Crosstalk, exosomes and targets on one real tumour: coverage of the reviews, and time.

    python benchmarks/crosstalk.py [--markdown FILE]

Annotates CID4465 and makes every table. Printed are the records of the catalogue and the claims of the two reviews that
have a row, the rows by kind and status, the planted signals that are recovered (over ten seeds, in the simulated
tumour), and how long each table took.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from anndata import AnnData

import cafsc
from cafsc import data, sig, tl
from cafsc.tl.crosstalk.table import Status

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "tl"))
from planted import N_DECOYS, planted_pair, planted_targets

SAMPLE = "breast_tnbc_wu2021_CID4465"
N_SEEDS = 10
KINDS = {
    "exosome_miRNA_lncRNA_circRNA": "exosomes: RNA",
    "exosome_cargo_mRNA_or_protein": "exosomes: cargo",
    "exosome_biogenesis_or_uptake": "exosomes: making and uptake",
    "drug/natural_compound": "drugs, natural compounds",
    "nanotherapy": "nanotherapies",
    "biomarker/prognosis": "biomarkers",
    "ligand_receptor": "ligands and receptors",
}


def timed(function: Callable[[], pd.DataFrame]) -> tuple[pd.DataFrame, float]:
    start = time.perf_counter()
    return function(), time.perf_counter() - start


def tables(adata: AnnData) -> dict[str, tuple[pd.DataFrame, float]]:
    return {
        "crosstalk, with liana": timed(lambda: tl.crosstalk(adata)),
        "exosome": timed(lambda: tl.exosome(adata)),
        "origin": timed(lambda: tl.origin(adata)),
        "targets": timed(lambda: tl.targets(adata)),
    }


def coverage(made: dict[str, tuple[pd.DataFrame, float]]) -> pd.DataFrame:
    """Records and review claims with a row in one of the tables."""
    catalogue = sig.load()
    ids = {name for table, _ in made.values() for name in table["id"]}
    claims = {
        claim for table, _ in made.values() for text in table["review_claims"] for claim in text.split("; ")
    }
    rows = [
        (name, len(records), len(set(records) & ids))
        for name, records in (
            ("pairs", catalogue.pairs),
            ("exosome axes", catalogue.exosome_axes),
            ("agents", catalogue.agents),
            ("biomarkers", catalogue.biomarkers),
            ("not measurable", catalogue.unmeasured),
        )
    ]
    for kind, label in KINDS.items():
        wanted = {claim.id for claim in catalogue.review_claims.values() if claim.kind == kind}
        rows.append((f"review claims, {label}", len(wanted), len(wanted & claims)))
    return pd.DataFrame(rows, columns=["what", "in the catalogue", "with a row"])


def recovered() -> pd.DataFrame:
    """How often planted signals are first, and how often they are found where nothing was planted."""
    adata = cafsc.annotate(data.simulated_tumour(), cancer="breast").adata
    rows = []
    for name, plant_in, make, won in (
        ("pair with footprint", planted_pair, _pairs, Status.PAIR_AND_RESPONSE),
        ("repressed targets", planted_targets, _recipients, Status.CONSISTENT),
    ):
        first, absent = 0, 0
        for seed in range(N_SEEDS):
            top = make(*plant_in(adata, sig.load(), plant=True, seed=seed), seed).iloc[0]
            first += top["id"].endswith("-planted") and top["status"] == won
            found = make(*plant_in(adata, sig.load(), plant=False, seed=seed), seed)
            absent += won not in set(found[found["id"].str.endswith("-planted")]["status"])
        rows.append((name, f"{first}/{N_SEEDS}", f"{absent}/{N_SEEDS}"))
    return pd.DataFrame(
        rows, columns=["planted", f"first among {N_DECOYS} decoys", "absent when not planted"]
    )


def _pairs(adata: AnnData, catalogue: sig.Catalogue, seed: int) -> pd.DataFrame:
    return tl.crosstalk(adata, resource="catalogue", catalogue=catalogue, seed=seed)


def _recipients(adata: AnnData, catalogue: sig.Catalogue, seed: int) -> pd.DataFrame:
    rows = tl.exosome(adata, catalogue=catalogue)
    return rows[rows["kind"] == "recipient"]


def markdown(frame: pd.DataFrame) -> str:
    lines = ["| " + " | ".join(frame.columns) + " |", "|" + " --- |" * frame.shape[1]]
    lines += ["| " + " | ".join(str(value) for value in row) + " |" for row in frame.to_numpy()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--markdown", type=Path, help="write the tables here too")
    arguments = parser.parse_args()
    adata = data.load(SAMPLE)
    cafsc.annotate(adata, cancer="breast")
    made = tables(adata)
    seconds = pd.DataFrame(
        [(name, len(table), f"{took:.1f}") for name, (table, took) in made.items()],
        columns=["table", "rows", "seconds"],
    )
    every = pd.concat([table for table, _ in made.values()])
    unsourced = int(((every["papers"] == "") | (every["doi"] == "")).sum())
    every["named"] = every["named"].fillna("")
    rows = every.groupby(["kind", "named", "status"], sort=False).size().rename("rows").reset_index()
    parts = [
        "Coverage on CID4465",
        markdown(coverage(made)),
        f"Rows without a source: {unsourced} of {len(every)}.",
        "Time on CID4465",
        markdown(seconds),
        f"Together {sum(took for _, took in made.values()):.1f} s.",
        "Rows",
        markdown(rows),
        "Planted signals in the simulated tumour",
        markdown(recovered()),
    ]
    text = "\n\n".join(parts) + "\n"
    print(text)
    if arguments.markdown:
        arguments.markdown.write_text(text)


if __name__ == "__main__":
    main()
