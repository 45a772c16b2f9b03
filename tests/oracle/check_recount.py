"""All entries together, an inode once, and what no entry claims are what an independent count of the root finds, and
no two entries of which neither is in the other own one path."""

import os
from pathlib import Path

from sandbox import Lab, beneath, few

Stats = dict[str, os.stat_result]


def recount(
    lab: Lab, home: Path, cache: str, hidden: tuple[str, ...] = (), *, shares: bool = False, **settings: str
) -> list[str]:
    """The problems of every root of a cache. `hidden` are places beneath the root that do not exist for any plugin:
    credentials. `shares`: entries hold more than they own, so that what is claimed does not follow from their paths."""
    listed = lab.run(home, "list", "-c", cache, "--json", **settings)
    shown = lab.run(home, "show", "-c", cache, "--children", "--json", **settings)
    if listed.status or shown.status:
        return [str(listed), str(shown)]
    caches = [row for row in listed.json["caches"] if row["cache"] == cache]
    if not caches:
        return [f"{cache} is not found"]
    problems = []
    for row in caches:
        rows = [entry for entry in shown.json["entries"] if entry["root"] == row["root"]]
        found = of_root(row, rows, shares, hidden) + one_owner(rows)
        problems += [f"{row['root']}: {problem}" for problem in found]
    return problems


def of_root(row: dict, rows: list[dict], shares: bool, hidden: tuple[str, ...]) -> list[str]:
    files = files_of(Path(os.path.realpath(row["root"])), hidden)
    tops = [entry for entry in rows if entry["parent"] is None]
    figures = [
        ("size", row["size"], weigh(files, "st_size")),
        ("disk_size", row["disk_size"], weigh(files, "st_blocks") * 512),
        ("files", row["files"], len({inode(stat) for stat in files.values()})),
        ("entries", row["entries"], len(tops)),
        ("lower_bound", row["lower_bound"], False),
    ]
    if not shares:
        figures.append(("unclaimed", row["unclaimed"], weigh(unclaimed(files, rows), "st_size")))
    return [f"{what}: dscc says {said}, a recount {true}" for what, said, true in figures if said != true]


def unclaimed(files: Stats, rows: list[dict]) -> Stats:
    """What no entry owns, by none of its names."""
    owned = {path for row in rows for path in row["paths"]}
    claimed = {path for path in files if any(above in owned for above in along(path))}
    inodes = {inode(files[path]) for path in claimed}
    return {path: stat for path, stat in files.items() if inode(stat) not in inodes}


def one_owner(rows: list[dict]) -> list[str]:
    """No path is owned by two entries of which neither is above the other."""
    parent = {row["id"]: row["parent"] for row in rows}

    def lineage(entry: str | None):
        while entry:
            yield entry
            entry = parent[entry]

    problems, owners = [], {}
    for row in rows:
        for path in row["paths"]:
            others = owners.setdefault(path, [])
            if any(row["id"] not in lineage(other) and other not in lineage(row["id"]) for other in others):
                problems.append(f"{path} is owned by {few([row['id'], *others])}")
            others.append(row["id"])
    return problems


def files_of(root: Path, hidden: tuple[str, ...]) -> Stats:
    """The regular files beneath a folder."""
    found = {}
    for folder, _, names in os.walk(root):
        for path in (Path(folder, name) for name in names):
            below = path.relative_to(root).as_posix()
            if path.is_file() and not path.is_symlink() and not any(beneath(below, place) for place in hidden):
                found[below] = path.lstat()
    return found


def inode(stat: os.stat_result) -> tuple[int, int]:
    return stat.st_dev, stat.st_ino


def weigh(files: Stats, what: str) -> int:
    """The sum of a figure, an inode once."""
    return sum({inode(stat): getattr(stat, what) for stat in files.values()}.values())


def along(path: str) -> list[str]:
    """A path and all above it."""
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
