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
from sandbox import Lab, Skipped  # noqa: E402

MUST_RUN = "DSCC_TESTS_MUST_RUN"  # what is skipped counts as failed then

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
        "check_crash",
    ),
    "ir": ("check_roots", "check_ir_datasets", "check_crash"),
    "datamaestro": ("check_datamaestro", "check_datamaestro_traps", "check_crash"),
}


def problems_of(check) -> list[str]:
    try:
        return check()
    except Skipped:
        raise
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return [f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dscc", type=Path, help="the binary")
    parser.add_argument("library", choices=PARTS, help="whose caches are in the corpus")
    parser.add_argument("corpus", type=Path, help="what make_*.py made of them")
    parser.add_argument("-k", "--only", default="", metavar="TEXT", help="only the checks whose line holds the text")
    parser.add_argument("--full", action="store_true", help="kills at every system call, not at some")
    parser.add_argument("-q", "--quiet", action="store_true", help="no line for what passes")
    args = parser.parse_args()

    passed = failed = 0
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dscc-oracle-") as scratch:
        lab = Lab(args.dscc, args.library, args.corpus, Path(scratch), full=args.full)
        homes = all_facts(lab.corpus) if args.library == "hf" else {}
        parts = [importlib.import_module(name) for name in PARTS[args.library]]
        for title, check in (found for part in parts for found in part.checks(lab, homes)):
            if args.only not in title:
                continue
            try:
                problems = problems_of(check)
            except Skipped as why:
                print(f"skipped: {title}: {why}", flush=True)
                failed += MUST_RUN in os.environ
                continue
            passed, failed = passed + (not problems), failed + bool(problems)
            if problems or not args.quiet:
                print("FAILED" if problems else "passed", title, flush=True)
            for problem in problems[:10]:
                print("       -", problem.replace("\n", "\n         "), flush=True)
    print(f"{passed} passed, {failed} failed ({time.monotonic() - start:.0f} s)")
    return 1 if failed or not (passed or args.only) else 0


if __name__ == "__main__":
    sys.exit(main())
