#!/usr/bin/env bash
# Compares dscc with the real Hugging Face libraries.
#
# usage: run.sh [DSCC [OPTION of check.py...]]       default: target/debug/dscc
#
# Makes a virtual environment and a corpus (about 5 minutes, 2 GB, the Python package index) in $DSCC_ORACLE_DIR, by
# default target/oracle; both are used again while what they are made from stays the same.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=${DSCC_ORACLE_DIR:-$here/../../target/oracle}
dscc=${1:-$here/../../target/debug/dscc}
[[ -x $dscc ]] || { echo "$dscc is not there: cargo build, or name the binary" >&2; exit 2; }
mkdir -p "$work"
work=$(cd "$work" && pwd)

find_python() { # The old libraries have wheels for these versions only.
  local python
  for python in python3.11 python3.12 python3; do
    if "$python" -c 'import sys; sys.exit(sys.version_info[:2] not in [(3, 11), (3, 12)])' 2>/dev/null; then
      command -v "$python"
      return
    fi
  done
  echo "no Python 3.11 or 3.12 found, which the pinned libraries need" >&2
  return 1
}

digest() { cat "$@" | sha256sum; }

make_once() { # NAME DIGEST COMMAND...: runs the command unless it made NAME from the same sources before
  local name=$1 digest=$2
  shift 2
  if [[ $(cat "$work/$name.made" 2>/dev/null) != "$digest" ]]; then
    echo "making $work/$name ..."
    rm -rf "${work:?}/$name" "$work/$name.made"
    "$@"
    echo "$digest" > "$work/$name.made"
  fi
}

make_venv() {
  local python pip
  python=$(find_python)
  "$python" -m venv "$work/venv"
  pip=("$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check)
  "${pip[@]}" -r "$here/corpus/requirements-hf.txt"
  "${pip[@]}" --no-deps --target "$work/venv/hf-legacy" -r "$here/corpus/requirements-hf-legacy.txt"
}

make_corpus() { "$work/venv/bin/python" "$here/corpus/make_hf.py" "$work/hf"; }

make_once venv "$(digest "$here"/corpus/requirements-*.txt)" make_venv
make_once hf "$(digest "$here"/corpus/*.py "$here"/corpus/requirements-*.txt)" make_corpus
"$work/venv/bin/python" "$here/check.py" "$dscc" "$work/hf" "${@:2}"
