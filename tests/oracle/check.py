#!/usr/bin/env python3
"""Compares a dscc binary with the real huggingface_hub: one line a check, then `N passed, N failed`.

Run by run.sh with the Python that has the library; needs the corpus that corpus/make_hf.py makes.
"""

import argparse
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(1, str(Path(__file__).resolve().parent / "corpus"))
os.environ["HF_HUB_OFFLINE"] = "1"

import check_better  # noqa: E402
import check_clean  # noqa: E402
import check_prefix  # noqa: E402
import check_roots  # noqa: E402
import check_show  # noqa: E402
from facts import all_facts  # noqa: E402
from sandbox import Lab  # noqa: E402

PARTS = (check_show, check_clean, check_better, check_prefix, check_roots)


def problems_of(check) -> list[str]:
    try:
        return check()
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return [f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dscc", type=Path, help="the binary")
    parser.add_argument("corpus", type=Path, help="what make_hf.py made")
    parser.add_argument("-k", "--only", default="", metavar="TEXT", help="only the checks whose line holds the text")
    parser.add_argument("-q", "--quiet", action="store_true", help="no line for what passes")
    args = parser.parse_args()

    passed = failed = 0
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dscc-oracle-") as scratch:
        lab = Lab(args.dscc, args.corpus, Path(scratch))
        homes = all_facts(lab.corpus)
        for title, check in (found for part in PARTS for found in part.checks(lab, homes)):
            if args.only not in title:
                continue
            problems = problems_of(check)
            passed, failed = passed + (not problems), failed + bool(problems)
            if problems or not args.quiet:
                print("FAILED" if problems else "passed", title, flush=True)
            for problem in problems[:10]:
                print("       -", problem.replace("\n", "\n         "), flush=True)
    print(f"{passed} passed, {failed} failed ({time.monotonic() - start:.0f} s)")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
