"""Every byte of a cache is counted once: the union of its entries and what none of them claims is what lies in its root."""

import os
from pathlib import Path
from stat import S_ISREG

from sandbox import Lab, beneath, entries, few


def recount(lab: Lab, home: Path, cache: str, hidden: tuple[str, ...] = (), **settings: str) -> list[str]:
    """Compares `list` with an independent count of the root of a cache, and `show --children` with its tree. `hidden` are
    places beneath the root that do not exist for any plugin, such as credentials."""
    listed = lab.run(home, "list", "--json", **settings)
    shown = lab.run(home, "show", "-c", cache, "--children", "--json", **settings)
    if listed.status or shown.status:
        return [str(listed), str(shown)]
    caches = [row for row in listed.json["caches"] if row["cache"] == cache]
    if len(caches) != 1:
        return [f"{len(caches)} caches are called {cache}"]
    files = files_of(Path(caches[0]["root"]), hidden)
    rows = entries(shown).values()
    owned = {path for row in rows for path in row["paths"]}
    free = {path: stat for path, stat in files.items() if not any(above in owned for above in along(path))}
    problems = [
        f"{what}: dscc says {said}, a recount {true}"
        for what, said, true in [
            ("size", caches[0]["size"], weigh(files.values(), "st_size")),
            ("disk_size", caches[0]["disk_size"], weigh(files.values(), "st_blocks") * 512),
            ("unclaimed", caches[0]["unclaimed"], weigh(free.values(), "st_size")),
            ("lower_bound", caches[0]["lower_bound"], False),
        ]
        if said != true
    ]
    return problems + one_owner(rows)


def one_owner(rows) -> list[str]:
    """No path is owned by two entries of which neither is above the other."""
    parent = {row["id"]: row["parent"] for row in rows}

    def above(entry: str):
        while entry:
            yield entry
            entry = parent[entry]

    problems, owners = [], {}
    for row in rows:
        for path in row["paths"]:
            others = owners.setdefault(path, [])
            if any(row["id"] not in above(other) and other not in above(row["id"]) for other in others):
                problems.append(f"{path} is owned by {few([row['id'], *others])}")
            others.append(row["id"])
    return problems


def files_of(root: Path, hidden: tuple[str, ...]) -> dict[str, os.stat_result]:
    """The regular files beneath a folder."""
    found = {}
    for folder, _, names in os.walk(root):
        for path in (Path(folder, name) for name in names):
            below, stat = path.relative_to(root).as_posix(), path.lstat()
            if S_ISREG(stat.st_mode) and not any(beneath(below, place) for place in hidden):
                found[below] = stat
    return found


def weigh(stats, what: str) -> int:
    """The sum of a figure, an inode once."""
    return sum({(stat.st_dev, stat.st_ino): getattr(stat, what) for stat in stats}.values())


def along(path: str) -> list[str]:
    """A path and all above it."""
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
