"""All entries together, an inode once, and what no entry claims are what an independent count of the root finds, and
no two entries of one level own one path."""

import os
from collections import Counter
from pathlib import Path

from sandbox import Lab, beneath, snapshot, weigh


def recount(lab: Lab, home: Path, cache: str, shares: bool = False, **settings: str) -> list[str]:
    """The problems of every root of a cache. `shares`: entries hold more than they own, so that what is claimed does
    not follow from their paths."""
    listed = lab.run(home, "list", "-c", cache, "--json", **settings)
    shown = lab.run(home, "show", "-c", cache, "--children", "--json", **settings)
    if listed.status or shown.status:
        return [str(listed), str(shown)]
    caches = listed.json["caches"]
    if not caches:
        return [f"{cache} is not found"]
    problems = []
    for row in caches:
        entries = [entry for entry in shown.json["entries"] if entry["root"] == row["root"]]
        problems += [f"{row['root']}: {problem}" for problem in of_root(row, entries, shares)]
    return problems


def of_root(row: dict, entries: list[dict], shares: bool) -> list[str]:
    nodes = snapshot(Path(os.path.realpath(row["root"])))
    there = weigh(nodes.values())
    problems = [] if row["size"] == there else [f"the size is {row['size']}, and {there} bytes are there"]
    tops = [entry for entry in entries if entry["parent"] is None]
    if row["entries"] != len(tops):
        problems.append(f"{row['entries']} entries are listed, and {len(tops)} shown")
    owners = Counter((entry["parent"], path) for entry in entries for path in entry["paths"])
    problems += [f"`{path}` has {times} owners" for (_, path), times in owners.items() if times > 1]
    if not shares:
        claims = {path for entry in tops for path in entry["paths"]}
        claimed = {p for p in nodes if any(beneath(p, claim) for claim in claims)}
        inodes = {nodes[p].inode for p in claimed}
        left = weigh(n for p, n in nodes.items() if p not in claimed and n.inode not in inodes)
        if row["unclaimed"] != left:
            problems.append(f"{row['unclaimed']} bytes are unclaimed, and {left} are in no entry's paths")
    return problems
