rule merge_clusters:
    input:
        expand(
            f"{RESULTS}/{{sample}}/{{sample}}.cafsc/clusters.tsv", sample=SAMPLES.index
        ),
    output:
        report(f"{RESULTS}/clusters.tsv", category="Cohort"),
    log:
        f"{RESULTS}/logs/merge_clusters.log",
    benchmark:
        f"{RESULTS}/benchmarks/merge_clusters.tsv"
    conda:
        "../envs/cafsc.yaml"
    params:
        samples=list(SAMPLES.index),
    script:
        "../scripts/merge_clusters.py"
