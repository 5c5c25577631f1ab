rule annotate:
    input:
        sample_input,
    output:
        h5ad=f"{RESULTS}/{{sample}}/{{sample}}.cafsc.h5ad",
        clusters=f"{RESULTS}/{{sample}}/{{sample}}.cafsc/clusters.tsv",
        cells=f"{RESULTS}/{{sample}}/{{sample}}.cafsc/cells.tsv.gz",
        evidence=f"{RESULTS}/{{sample}}/{{sample}}.cafsc/evidence.tsv",
        summary=f"{RESULTS}/{{sample}}/{{sample}}.cafsc/summary.json",
        report=report(
            f"{RESULTS}/{{sample}}/{{sample}}.cafsc/report.html",
            category="Samples",
            labels={"sample": "{sample}"},
        ),
    log:
        f"{RESULTS}/logs/annotate/{{sample}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/annotate/{{sample}}.tsv"
    conda:
        "../envs/cafsc.yaml"
    threads: config["threads"]
    resources:
        mem_mb=config["mem_mb"],
        runtime=config["runtime"],
    params:
        options=sample_options,
    shell:
        "cafsc annotate {input:q} --output {output.h5ad:q} --force"
        " {params.options} 2> {log:q}"
