"""Print a random sample of the catalogue's gene sets, for comparing them with their sources by hand.

The seed is fixed, so that the sample of `docs/catalogue_check.md` can be drawn again:

    python tools/sample_sets.py --catalogue signatures
    python tools/sample_sets.py --compare kieffer2020/ecm-myCAF list.txt    # against a list found elsewhere

Each line: set, species, number of genes of the published list (kept and dropped), where the list was read, and
the genes in the symbols of the paper.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path

from cafsc.sig._yaml import loads
from cafsc.sig.model import GeneSet, PaperFile

SEED = 20
N_SETS = 30


def all_sets(catalogue: Path) -> dict[str, GeneSet]:
    """Every set of a catalogue folder by its id ``<paper>/<set>``."""
    sets: dict[str, GeneSet] = {}
    for path in sorted((catalogue / "papers").glob("*.yaml")):
        file = PaperFile.model_validate(loads(path.read_text("utf-8")))
        sets |= {f"{file.paper.key}/{name}": definition for name, definition in file.sets.items()}
    return sets


def sample(ids: Sequence[str], n: int = N_SETS, seed: int = SEED) -> list[str]:
    """The ``n`` ids with the smallest hashes, so that a set added later displaces at most one of them."""
    hashes = {name: hashlib.sha256(f"{seed}:{name}".encode()).hexdigest() for name in ids}
    return sorted(sorted(ids, key=hashes.__getitem__)[:n])


def printed(definition: GeneSet) -> list[str]:
    """The published list: genes kept and dropped, under the names that were printed."""
    names: dict[str, list[str]] = {}
    for name, today in definition.renamed.items():
        names.setdefault(today, []).append(name)
    held = [*definition.genes, *definition.dropped]
    return [name for gene in held for name in names.get(gene, [gene])]


def compared(definition: GeneSet, source: Sequence[str]) -> str:
    """How the published list, as the catalogue has it, differs from a list of another place."""
    ours = printed(definition)
    missing = [gene for gene in source if gene not in ours]
    extra = [gene for gene in ours if gene not in source]
    return "\n".join(
        [
            f"ours {len(ours)}, source {len(source)}",
            f"missing here: {' '.join(missing) or '-'}",
            f"only here: {' '.join(extra) or '-'}",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--catalogue", type=Path, default=Path("signatures"))
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("-n", type=int, default=N_SETS)
    parser.add_argument("--compare", nargs=2, metavar=("SET", "FILE"), help="genes of FILE, by white space")
    options = parser.parse_args()
    sets = all_sets(options.catalogue)
    if options.compare:
        set_id, file = options.compare
        if set_id not in sets:
            parser.error(f"no set {set_id!r} in {options.catalogue}")
        print(compared(sets[set_id], Path(file).read_text("utf-8").split()))
        return
    for set_id in sample(list(sets), options.n, options.seed):
        genes = printed(sets[set_id])
        print(set_id, sets[set_id].species, len(genes), sets[set_id].seen_in, ",".join(genes), sep="\t")


if __name__ == "__main__":
    main()
