#!/usr/bin/env bash
# Compares dscc with the real libraries: those of Hugging Face, ir_datasets and datamaestro.
#
# usage: run.sh [DSCC [OPTION of check.py...]]       default: target/debug/dscc
#
# Makes virtual environments and corpora (about 8 minutes, 4 GB, the Python package index) in $DSCC_ORACLE_DIR, by
# default target/oracle; they are used again while what they are made from stays the same.
#
# run.sh DSCC -k crash: --full     kills dscc before every one of its system calls, not only before some
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=${DSCC_ORACLE_DIR:-$here/../../target/oracle}
dscc=${1:-$here/../../target/debug/dscc}
[[ -x $dscc ]] || { echo "$dscc is not there: cargo build, or name the binary" >&2; exit 2; }
mkdir -p "$work"
work=$(cd "$work" && pwd)
dscc=$(realpath "$dscc")

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

make_venv() { # NAME: from requirements-NAME.txt
  local python
  python=$(find_python)
  "$python" -m venv "$work/venv-$1"
  install "$1" -r "$here/corpus/requirements-$1.txt"
}

make_hf_venv() { # old releases and neighbours as well, which exclude the new ones or depend on more than is needed
  local more
  make_venv hf
  for more in hf-legacy hf-evaluate; do
    install hf --no-deps --target "$work/venv-hf/$more" -r "$here/corpus/requirements-$more.txt"
  done
}

install() { "$work/venv-$1/bin/python" -m pip install --quiet --disable-pip-version-check "${@:2}"; }

make_corpus() { "$work/venv-$1/bin/python" "$here/corpus/make_$2.py" "$work/$2"; } # VENV NAME

check() { # VENV NAME OPTION...
  "$work/venv-$1/bin/python" "$here/check.py" "$dscc" "$2" "$work/$2" "${@:3}"
}

cd "$here/corpus"
make_once venv-hf "$(digest requirements-hf*.txt)" make_hf_venv
make_once hf "$(digest _hf_*.py make_hf.py requirements-hf*.txt)" make_corpus hf hf
check hf hf "${@:2}"

make_once venv-ir "$(digest requirements-ir.txt)" make_venv ir
make_once ir "$(digest _ir*.py make_ir.py requirements-ir.txt)" make_corpus ir ir
check ir ir "${@:2}"

make_once datamaestro "$(digest _dm_*.py _ircommon.py make_datamaestro.py requirements-ir.txt)" make_corpus ir datamaestro
check ir datamaestro "${@:2}"
