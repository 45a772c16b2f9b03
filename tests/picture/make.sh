#!/usr/bin/env bash
# Draws the pictures of the README: a terminal with dscc in a home that holds every cache, which the real libraries made.
#
# usage: make.sh DSCC ORACLE_DIR       ORACLE_DIR is where tests/oracle/run.sh made its corpora
#
# Needs the Python package `rich`. The home is called /home/me in the pictures, wherever it is.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dscc=$(realpath "$1")
corpora=$(realpath "$2")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

mkdir "$scratch/me"
for corpus in hf ir datamaestro; do
  cp -a "$corpora/$corpus/home/." "$scratch/me/"
done

draw() { # NAME ARGUMENT...: what the command prints on a terminal
  local name=$1
  shift
  env -i PATH="$PATH" HOME="$scratch/me" TERM=xterm-256color LANG=C.UTF-8 DSCC_GRACE=0s \
    python3 "$here/draw.py" "$here/$name.svg" "$scratch/me" "$dscc" "$@"
}

draw list list --reclaimable
draw clean clean -c ir_datasets --dry-run
