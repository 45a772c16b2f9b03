#!/usr/bin/env python3
"""Prints plugins/ir-datasets/src/known.tsv: every file and folder that the installed ir_datasets makes in its home.

    target/oracle/venv-ir/bin/python tests/oracle/ir_known.py > plugins/ir-datasets/src/known.tsv

The library keeps no list of them: downloads are in a table of its own, all else is in the code of its datasets. So this
imports the library and looks at the objects that its datasets are made of. check_ir_known.py compares. Columns, with a
tab between them; paths are relative to the home:

    download  path  item  MD5  address       path is empty for what is kept for one run only
    manual    path  item  MD5                the user has to get it, and to put or link it there
    member    path  the file it was taken from, if that is kept
    folder    path  the archive that was unpacked, if that is kept
    made      path                           worked out from other files
    version   path  content  paths that the library deletes when the file has another content, or is missing
"""

import gc
import importlib.metadata
import json
import os
import pkgutil
import sys
import tempfile
from pathlib import Path


def table(home: str) -> set[tuple[str, ...]]:
    import ir_datasets.util as util
    from ir_datasets.util.fileio import Cache, ReTar, TarExtractAll, ZipExtractCache

    rows = set(downloads())
    for thing in gc.get_objects():
        kind = type(thing)
        if kind is util.Migrator:
            affected = [below(home, path) for path in thing._affected_files]
            rows.add(("version", below(home, thing._version_file), thing._version, *affected))
        elif kind is Cache and below(home, thing._path):
            rows.add(("member", below(home, thing._path), origin(home, thing._streamer)))
        elif kind is TarExtractAll:
            rows.add(("folder", below(home, thing._extract_path), origin(home, thing._streamer)))
        elif kind is ZipExtractCache:
            rows.add(("folder", below(home, thing.extract_path), origin(home, thing.dlc)))
        elif kind is ReTar:
            rows.add(("member", below(home, thing._output_file), origin(home, thing._streamer)))
        elif kind.__name__ == "Cord19Docs" and thing._include_fulltext:
            rows.add(("folder", below(home, thing._extr_path), origin(home, thing._streamer)))
        elif kind.__name__ == "DocPairGenerator":
            rows.add(("member", below(home, thing._cache_path), origin(home, thing._docpair_dlc)))
        elif kind.__name__ == "Gov2DocCountFile":
            rows.add(("made", below(home, thing._path)))
        elif kind.__name__ == "_ManagedDlc":
            rows.add(("made", below(home, thing._path)))
    return {row for row in rows if row[1] or row[0] == "download"}


def downloads():
    """The table of downloads. One dataset has its files in a folder of another name."""
    content = json.loads(pkgutil.get_data("ir_datasets", "etc/downloads.json"))
    for dataset, items in content.items():
        folder = {"trec-tot-2025": "trec-tot/2025"}.get(dataset, dataset)
        for name, item in items.items():
            path = f"{folder}/{item['cache_path']}" if "cache_path" in item else ""
            kind = "manual" if "instructions" in item else "download"
            yield (kind, path, f"{dataset}/{name}", item.get("expected_md5", ""), item.get("url", ""))


def below(home: str, path) -> str:
    """A path relative to the home; empty if it is elsewhere."""
    text = os.path.normpath(path)
    return text.removeprefix(f"{home}/") if text.startswith(f"{home}/") else ""


def origin(home: str, source) -> str:
    """The download behind a chain of unpacking objects."""
    seen = 0
    while source is not None and seen < 10:
        if type(source).__name__ == "Download":
            return below(home, source._cache_path) if source._cache_path else ""
        parts = vars(source)
        source = next((parts[name] for name in ("_streamer", "dlc", "_dlc", "_base") if name in parts), None)
        seen += 1
    return ""


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        home = os.path.realpath(home)
        os.environ["IR_DATASETS_HOME"] = home
        import ir_datasets  # noqa: F401  (makes the objects)

        rows = sorted(table(home))
    version = importlib.metadata.version("ir_datasets")
    print(f"# What ir_datasets {version} makes in its home; written by tests/oracle/ir_known.py, which explains the columns.")
    for row in rows:
        print("\t".join(row).rstrip("\t"))


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
