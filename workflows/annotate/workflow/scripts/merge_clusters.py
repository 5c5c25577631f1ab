"""One table of the clusters of all samples, with a first column that names the sample."""

import sys
from pathlib import Path

import pandas as pd


def merge(tables: dict[str, Path]) -> pd.DataFrame:
    """Stack the tables of the samples; a column that one of them lacks stays empty there.

    Parameters
    ----------
    tables
        Sample to its ``clusters.tsv``. Values are kept as they are written.
    """
    frames = []
    for sample, path in tables.items():
        frame = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
        frame.insert(0, "sample", sample)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True).fillna("")


if "snakemake" in globals():
    job = globals()["snakemake"]
    with Path(job.log[0]).open("w", encoding="utf-8") as log:
        sys.stderr = log
        merged = merge(dict(zip(job.params.samples, map(Path, job.input), strict=True)))
        merged.to_csv(job.output[0], sep="\t", index=False)
        print(f"{len(merged)} clusters of {len(job.input)} samples", file=log)
