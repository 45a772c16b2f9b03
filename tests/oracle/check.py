#!/usr/bin/env python3
"""Compares a dscc binary with the real libraries: one line a check, then `N passed, N failed`.

Run by run.sh with the Python that has the libraries; needs the corpus that corpus/make_*.py makes.
"""

import argparse
import importlib
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(1, str(Path(__file__).resolve().parent / "corpus"))
os.environ["HF_HUB_OFFLINE"] = "1"

from facts import all_facts  # noqa: E402
from sandbox import Lab  # noqa: E402

# What is compared on each corpus: modules with `checks(lab, homes)`, where `homes` are the facts of the hubs, if any.
PARTS = {
    "hf": (
        "check_show",
        "check_clean",
        "check_concurrent",
        "check_better",
        "check_prefix",
        "check_roots",
        "check_transformers",
        "check_datasets",
        "check_hf_home",
    ),
    "ir": ("check_roots", "check_ir_datasets"),
    "datamaestro": ("check_datamaestro", "check_datamaestro_traps"),
}


def problems_of(check) -> list[str]:
    try:
        return check()
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return [f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dscc", type=Path, help="the binary")
    parser.add_argument("library", choices=PARTS, help="whose caches are in the corpus")
    parser.add_argument("corpus", type=Path, help="what make_*.py made of them")
    parser.add_argument("-k", "--only", default="", metavar="TEXT", help="only the checks whose line holds the text")
    parser.add_argument("-q", "--quiet", action="store_true", help="no line for what passes")
    args = parser.parse_args()

    passed = failed = 0
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dscc-oracle-") as scratch:
        lab = Lab(args.dscc, args.corpus, Path(scratch))
        homes = all_facts(lab.corpus) if args.library == "hf" else {}
        parts = [importlib.import_module(name) for name in PARTS[args.library]]
        for title, check in (found for part in parts for found in part.checks(lab, homes)):
            if args.only not in title:
                continue
            problems = problems_of(check)
            passed, failed = passed + (not problems), failed + bool(problems)
            if problems or not args.quiet:
                print("FAILED" if problems else "passed", title, flush=True)
            for problem in problems[:10]:
                print("       -", problem.replace("\n", "\n         "), flush=True)
    print(f"{passed} passed, {failed} failed ({time.monotonic() - start:.0f} s)")
    return 1 if failed or not (passed or args.only) else 0


if __name__ == "__main__":
    sys.exit(main())
