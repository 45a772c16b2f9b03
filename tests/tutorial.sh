#!/usr/bin/env bash
# What the tutorial says, from nothing to an installed plugin and an entry it removes: `tests/tutorial.sh DSCC
# [rust|python|javascript]`. Works in a temporary folder, with a home of its own; only what Cargo, pip and npm keep is the
# caller's. Fails at the first command that does not do what the tutorial promises.
set -euo pipefail

dscc=$(realpath "$1")
lang=${2:-rust}
name=labdata
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The tools are the caller's, everything else is in the scratch folder.
export CARGO_HOME=${CARGO_HOME:-$HOME/.cargo} RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
export PIP_CACHE_DIR=${PIP_CACHE_DIR:-$HOME/.cache/pip} npm_config_cache=${npm_config_cache:-$HOME/.npm}
export HOME=$scratch/home
unset XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME LABDATA_HOME
unset DSCC_CONFIG DSCC_PLUGINS_DIR DSCC_STATE_DIR DSCC_CACHE_DIR
mkdir -p "$HOME"
cd "$scratch"

step() { # COMMAND...
  printf '$ %s\n' "${*/#$dscc/dscc}"
  "$@" 2>&1 | tee "$scratch/output" || { echo "tests/tutorial.sh: failed: $*" >&2; exit 1; }
}

shows() { # TEXT: the last step said so
  grep -qF -- "$1" "$scratch/output" || { echo "tests/tutorial.sh: the output has no '$1'" >&2; exit 1; }
}

# A cache as the library leaves it: two downloads and a link to one of them.
cache=$HOME/.cache/$name
mkdir -p "$cache/corpus"
head -c 1048576 /dev/zero > "$cache/corpus/part-1.bin"
head -c 1000 /dev/zero > "$cache/model.bin"
ln -s corpus "$cache/latest"

step "$dscc" plugin new "$name" --lang "$lang"
shows "dscc plugin build"
cd "$name"
case $lang in
  rust) step cargo test --quiet ;;
  python)
    step python3 -m venv .venv
    step .venv/bin/pip install --quiet -r requirements.txt
    step python3 -m unittest
    ;;
  javascript)
    step npm install --silent --no-fund --no-audit
    step npm test --silent
    ;;
esac

step "$dscc" plugin build
shows "dscc plugin add ./$name.wasm"
if [[ $lang == rust ]]; then
  size=$(stat -c %s "$name.wasm")
  ((size < 100000)) || { echo "tests/tutorial.sh: $name.wasm has $size bytes; a small plugin stays below 100000" >&2; exit 1; }
fi
step "$dscc" plugin test .
step "$dscc" plugin dev --once
shows corpus

step "$dscc" plugin add -y "./$name.wasm"
shows "$name 0.1.0 is installed"
step "$dscc" list
shows "$cache"
step "$dscc" show -c "$name"
for entry in corpus latest model.bin; do shows "$entry"; done

step "$dscc" clean -y -c "$name" corpus
[[ ! -e $cache/corpus && -L $cache/latest && -e $cache/model.bin ]] || {
  echo 'tests/tutorial.sh: not exactly what was named was removed' >&2
  exit 1
}
step "$dscc" list -c "$name"
step "$dscc" plugin remove "$name"
step "$dscc" plugin list
if grep -q "^$name " "$scratch/output"; then
  echo "tests/tutorial.sh: $name is still installed" >&2
  exit 1
fi
[[ -e $cache/model.bin ]]
printf 'tests/tutorial.sh: %s does what the tutorial says\n' "$lang"
