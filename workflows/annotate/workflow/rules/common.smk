# The sheet of samples and the options, checked before any job starts.
import re
import shlex

import pandas as pd
from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

SHEET_OPTIONS = ("cancer", "species", "layer", "sample_key", "batch_key", "cluster_key")


def read_samples(sheet):
    """Rows of the sheet by sample; an empty cell means that the option of the configuration holds."""
    try:
        samples = pd.read_csv(sheet, sep="\t", dtype=str, comment="#").dropna(how="all")
    except (OSError, ValueError) as error:
        raise WorkflowError(f"{sheet}: the sheet of samples cannot be read: {error}")
    validate(samples, workflow.source_path("../schemas/samples.schema.yaml"))
    if samples.empty:
        raise WorkflowError(f"{sheet}: no samples in the sheet")
    twice = samples["sample"][samples["sample"].duplicated()].unique()
    if len(twice):
        raise WorkflowError(
            f"{sheet}: a sample must stand in one row only: {', '.join(twice)}"
        )
    return samples.set_index("sample", drop=False)


validate(config, workflow.source_path("../schemas/config.schema.yaml"))

SAMPLES = read_samples(config["samples"])
RESULTS = config["results"].rstrip("/")


wildcard_constraints:
    sample="|".join(re.escape(sample) for sample in SAMPLES.index),


def sample_input(wildcards):
    """The file or folder of one sample."""
    return SAMPLES.at[wildcards.sample, "input"]


def sample_options(wildcards):
    """Options of `cafsc annotate` for one sample, quoted for the shell; the sheet wins over the configuration."""
    options = dict(config["options"])
    row = SAMPLES.loc[wildcards.sample]
    options |= {name: row[name] for name in SHEET_OPTIONS if pd.notna(row.get(name))}
    words = []
    for name, value in options.items():
        values = value if isinstance(value, list) else [value]
        for item in values:
            flag = name.replace("_", "-")
            if isinstance(item, bool):
                words.append(f"--{flag}" if item else f"--no-{flag}")
            elif item is not None:
                words += [f"--{flag}", str(item)]
    return shlex.join(words)
