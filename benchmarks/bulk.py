"""Bulk scores on simulated mixtures with known shares of CAF states.

    python benchmarks/bulk.py [--samples N] [--seeds N]

Cells of the simulated tumour are summed: a tenth to six tenths fibroblasts, of them any share myCAF and the rest iCAF,
the others at random, with a log-normal factor a gene and library (0.2). Printed: rank correlation of each state's score
with its share of the cells, by scale and method; and the AUC of the net verdict for samples whose fibroblasts are more
myCAF than iCAF, whole and with one paper left out. The latter is no accuracy in patients: it shows that the verdict
follows the composition, and hangs on no single paper.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "bulk"))

from mixtures import SCALES, STATES, Cohort, auc, mixture

from cafsc import bulk, data

CANCERS = (None, "breast", "pancreas")
LEFT_OUT = ((), ("peng2024",), ("cords2024",), ("kieffer2020",))


def correlations(cohort: Cohort, seed: int) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for scale, made in SCALES.items():
        found = bulk.score(made(cohort))
        assert found.ssgsea is not None
        for method, table in (("control-corrected", found.scores), ("ssGSEA", found.ssgsea)):
            row: dict[str, object] = {"scale": scale, "method": method, "seed": seed}
            for state in STATES:
                row[state] = table[f"state:{state}"].corr(cohort.shares[state], method="spearman")
            rows.append(row)
    return rows


def verdicts(cohort: Cohort, seed: int) -> list[dict[str, object]]:
    truth = cohort.myofibroblastic > 0.5
    rows: list[dict[str, object]] = []
    for cancer in CANCERS:
        for papers in LEFT_OUT:
            found = bulk.score(cohort.counts, cancer=cancer, exclude_papers=papers, ssgsea=False).verdict
            rows.append(
                {
                    "cancer": cancer or "none named",
                    "left out": ", ".join(papers) or "-",
                    "seed": seed,
                    "AUC": auc(truth, found["verdict_score"].to_numpy()),
                    "undetermined": float((found["call"] == "undetermined").mean()),
                    "mixed": float((found["call"] == "mixed").mean()),
                }
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    tumour = data.simulated_tumour()
    scores, calls = [], []
    for seed in range(options.seeds):
        cohort = mixture(tumour, options.samples, seed)
        scores += correlations(cohort, seed)
        calls += verdicts(cohort, seed)
    by_scale = pd.DataFrame(scores).groupby(["method", "scale"], sort=False)[list(STATES)]
    print("Rank correlation with the known share, mean and lowest of the seeds")
    print(by_scale.agg(["mean", "min"]).round(3).to_string(), "\n")
    by_paper = pd.DataFrame(calls).drop(columns="seed").groupby(["cancer", "left out"], sort=False)
    print("Net verdict: fibroblasts more myCAF than iCAF")
    print(by_paper.mean().round(3).to_string())


if __name__ == "__main__":
    main()
