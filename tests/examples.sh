#!/usr/bin/env bash
# The SDK's examples in other languages than Rust, each built, tested and installed as its README says:
# `tests/examples.sh DSCC LANGUAGE...` (python, javascript). Works on copies in a temporary folder, with a home of its
# own. The last step lists the caches of all that were installed, and how long that takes is a promise, too.
set -euo pipefail

dscc=$(realpath "$1")
shift
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Milliseconds that a listing may take, once components and code were read.
limit=150

# The tools are the caller's, everything else is in the scratch folder.
export PIP_CACHE_DIR=${PIP_CACHE_DIR:-$HOME/.cache/pip} npm_config_cache=${npm_config_cache:-$HOME/.npm}
export HOME=$scratch/home
unset XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME RECIPES_HOME TILES_HOME
unset DSCC_CONFIG DSCC_PLUGINS_DIR DSCC_STATE_DIR DSCC_CACHE_DIR
mkdir -p "$HOME/.cache"

# Complete in itself: the link to the interface becomes a copy of it, as in a project of its own.
copy() { # EXAMPLE
  cp -rL "$repository/sdk/examples/$1" "$scratch/$1"
  cd "$scratch/$1"
  rm -rf .venv .bindings node_modules -- *.wasm
}

check() { # COMPONENT
  "$dscc" plugin build
  "$dscc" plugin test "$1"
  "$dscc" plugin add -y "$1"
}

for lang in "$@"; do
  case $lang in
    python)
      copy python
      python3 -m venv .venv
      .venv/bin/pip install --quiet -r requirements.txt
      python3 -m unittest
      check ./recipes.wasm
      mkdir -p "$HOME/.cache/recipes/pages"
      echo '{"name": "soup", "files": ["pages/soup.txt"]}' > "$HOME/.cache/recipes/index.jsonl"
      echo 'Water, salt.' > "$HOME/.cache/recipes/pages/soup.txt"
      ;;
    javascript)
      copy javascript
      npm install --silent --no-fund --no-audit
      npm test --silent
      check ./tiles.wasm
      mkdir -p "$HOME/.cache/tiles/mine/3"
      echo '{"title": "The way to the lake"}' > "$HOME/.cache/tiles/mine/map.json"
      ;;
    *) echo "tests/examples.sh: no example in $lang" >&2 && exit 2 ;;
  esac
done

cd "$scratch"
"$dscc" list
sleep 3.5 # a file is known by its stamp once its last change is so long ago
"$dscc" list > /dev/null
best=$limit
for _ in 1 2 3 4 5 6 7 8 9 10; do
  start=$(date +%s%N)
  "$dscc" list > /dev/null
  took=$((($(date +%s%N) - start) / 1000000))
  ((took >= best)) || best=$took
done
((best < limit)) || { echo "tests/examples.sh: every listing took $limit ms or more" >&2; exit 1; }
printf 'tests/examples.sh: %s: sound; listing them all takes %d ms\n' "$*" "$best"
