"""Every byte beneath a root is counted once: as an entry's, or as unclaimed. For any cache that is the only one in its root
and of which no entry shares anything, which `show` does not tell; the hub's store has a check of its own."""

import os
from pathlib import Path
from stat import S_ISREG

from sandbox import Lab, few


def recount(lab: Lab, home: Path, cache: str, **settings: str) -> list[str]:
    """The figures of `list` and `show` for one cache, the only one in its root, against a count of our own."""
    listed = lab.run(home, "list", "--json", "-c", cache, **settings)
    shown = lab.run(home, "show", "-c", cache, "--children", "--json", **settings)
    if listed.status or shown.status:
        return [str(listed), str(shown)]
    rows = [row for row in listed.json["caches"] if row["cache"] == cache]
    if not rows:
        return [f"no cache is called {cache}"]
    problems = []
    for row in rows:
        entries = [entry for entry in shown.json["entries"] if entry["root"] == row["root"]]
        problems += compare(Path(row["root"]), row, entries)
    return problems


def compare(root: Path, row: dict, entries: list[dict]) -> list[str]:
    nodes = files_beneath(root)
    owned = {path for entry in entries for path in entry["paths"]}
    rest = {path: stat for path, stat in nodes.items() if not owned.intersection(above(path))}
    problems = [
        f"{root}: {what} is {said}, a recount gives {true}"
        for what, said, true in [
            ("size", row["size"], weigh(nodes.values())),
            ("disk_size", row["disk_size"], weigh(nodes.values(), lambda stat: stat.st_blocks * 512)),
            ("entries", row["entries"], sum(entry["parent"] is None for entry in entries)),
            ("lower_bound", row["lower_bound"], False),
        ]
        if said != true
    ]
    if row["unclaimed"] != weigh(rest.values()):
        problems.append(f"{root}: unclaimed is {row['unclaimed']}, a recount gives {weigh(rest.values())}: {few(rest)}")
    return problems + twice_owned(entries)


def twice_owned(entries: list[dict]) -> list[str]:
    """No two siblings own one path."""
    seen: dict[tuple[str | None, str], str] = {}
    problems = []
    for entry in entries:
        for path in entry["paths"]:
            other = seen.setdefault((entry["parent"], path), entry["id"])
            if other != entry["id"]:
                problems.append(f"{path} is owned by {other} and by {entry['id']}")
    return problems


def files_beneath(root: Path) -> dict[str, os.stat_result]:
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            stat = path.lstat()
            if S_ISREG(stat.st_mode):
                found[path.relative_to(root).as_posix()] = stat
    return found


def weigh(stats, of=lambda stat: stat.st_size) -> int:
    """Bytes of files, an inode once."""
    return sum({(stat.st_dev, stat.st_ino): of(stat) for stat in stats}.values())


def above(path: str) -> set[str]:
    """A path and the folders that it lies in."""
    parts = path.split("/")
    return {"/".join(parts[:n]) for n in range(1, len(parts) + 1)}
