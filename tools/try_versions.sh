#!/usr/bin/env bash
# Install the wheel into fresh environments and run its commands on simulated data.
#
#   tools/try_versions.sh                            every Python with the oldest and the newest packages
#   tools/try_versions.sh 3.12-oldest 3.13-newest    these combinations only
#
# oldest: the lowest version that pyproject.toml admits, of each package that it names. newest: what the index
# offers. Uses uv where it is installed, else pip.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export MPLBACKEND=Agg PYTHONNOUSERSITE=1
unset PYTHONPATH

# python_of VERSION: an interpreter that starts. Shims of pyenv exist for versions that are not active.
python_of() {
  local candidate
  for candidate in "$(command -v "python$1" || true)" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python; do
    if [ -x "$candidate" ] && "$candidate" -c '' 2>/dev/null; then echo "$candidate"; return; fi
  done
  return 1
}

# install ENVIRONMENT ARGUMENT...
install() {
  local environment=$1
  shift
  if command -v uv >/dev/null; then
    uv pip install --quiet --python "$environment/bin/python" "$@"
  else
    "$environment/bin/python" -m pip --disable-pip-version-check --quiet install --prefer-binary "$@"
  fi
}

# lower_bounds WHEEL: each requirement of the wheel, extras included, pinned at its lower bound.
lower_bounds() {
  "$python" - "$1" <<'PYTHON'
import re, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    text = wheel.read(name).decode()
for package, version in re.findall(r"^Requires-Dist: ([\w.-]+)(?:\[[^]]*\])?>=([\d.]+)", text, re.MULTILINE):
    print(f"{package}=={version}")
PYTHON
}

run_commands() {
  local cafsc=$1/bin/cafsc python=$1/bin/python resource=$2
  "$cafsc" data demo -o demo.h5ad
  "$python" - <<'PYTHON'
"""Twelve bulk samples: the counts of random cells, summed."""
import anndata, numpy as np, pandas as pd
adata = anndata.read_h5ad("demo.h5ad")
random = np.random.default_rng(0)
samples = {f"S{n}": np.asarray(adata.X[random.choice(adata.n_obs, 300)].sum(axis=0)).ravel() for n in range(12)}
pd.DataFrame(samples, index=adata.var_names).to_csv("bulk.tsv", sep="\t")
PYTHON
  "$cafsc" check demo.h5ad
  "$cafsc" annotate demo.h5ad --cancer breast
  grep -q myCAF demo.cafsc/clusters.tsv
  "$cafsc" explain demo.cafsc.h5ad
  "$cafsc" crosstalk demo.cafsc.h5ad --resource "$resource" -o crosstalk.tsv
  "$cafsc" targets demo.cafsc.h5ad -o targets.tsv
  "$cafsc" report demo.cafsc.h5ad -o report.html
  "$cafsc" score bulk.tsv --cancer breast
}

# try VERSION AGE
try() {
  local python environment=$work/$1-$2 folder=$work/$1-$2-run
  local -a arguments=("$wheel")
  python=$(python_of "$1")
  # liana does not yet admit pandas 3: beside the newest packages, crosstalk runs on the catalogue's own pairs.
  local resource=catalogue
  if [ "$2" = oldest ]; then
    resource=consensus
    arguments=("${wheel}[crosstalk]" -c "$work/oldest.txt")
  fi
  "$python" -m venv "$environment"
  install "$environment" "${arguments[@]}"
  "$environment/bin/python" - <<'PYTHON'
from importlib.metadata import version
print("   ", *(f"{name} {version(name)}" for name in "anndata scanpy pandas numpy dask".split()))
PYTHON
  mkdir "$folder"
  (cd "$folder" && run_commands "$environment" "$resource") >"$folder.log" 2>&1
}

python=$(python_of 3.11 || python_of 3.12 || python_of 3.13)
"$python" -m pip --disable-pip-version-check --quiet wheel --no-deps -w "$work" .
wheel=$(echo "$work"/*.whl)
lower_bounds "$wheel" >"$work/oldest.txt"

[ $# -gt 0 ] || set -- {3.11,3.12,3.13}-{oldest,newest}
failed=()
tried=
for combination in "$@"; do
  echo "== $combination"
  if ! python_of "${combination%-*}" >/dev/null; then
    echo "    skipped: Python ${combination%-*} is not installed"
    continue
  fi
  tried=yes
  started=$SECONDS
  # A function in a condition runs without `set -e`; a subshell of its own keeps it.
  set +e
  (set -e; try "${combination%-*}" "${combination#*-}")
  status=$?
  set -e
  if [ "$status" = 0 ]; then
    echo "    passed in $((SECONDS - started)) s"
  else
    failed+=("$combination")
    [ ! -f "$work/$combination-run.log" ] || tail -n 40 "$work/$combination-run.log"
    echo "    FAILED"
  fi
  rm -rf "${work:?}/$combination" "$work/$combination-run"
done
if [ ${#failed[@]} -gt 0 ] || [ -z "$tried" ]; then
  echo "failed: ${failed[*]:-no combination could be tried}" >&2
  exit 1
fi
