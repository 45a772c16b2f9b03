"""`dscc show` finds all that the real library finds, and the library's figures follow from its sizes and paths."""

import os
from pathlib import Path
from stat import S_ISREG

from facts import HUB, TEMPORARY_REF, Facts
from sandbox import Lab, claims, entries, few, tree_of, weigh


def checks(lab: Lab, homes: dict[str, Facts]):
    for facts in homes.values():
        yield f"show finds what the library finds: {facts.name}", lambda facts=facts: compare(lab, facts)
        yield (
            f"a size does not depend on how much is shown: {facts.name}",
            lambda facts=facts: compare_depths(lab, facts),
        )
    for facts in homes.values():
        yield f"every byte is counted once: {facts.name}", lambda facts=facts: recount(lab, facts)


# ---------------------------------------------------------------- what is found


def compare(lab: Lab, facts: Facts) -> list[str]:
    with lab.home(facts.name, facts.where) as home:
        answer = lab.run(home, "show", "-c", "hub", "--children", "--json")
    if answer.status:
        return [str(answer)]
    rows = entries(answer)
    problems = [f"{row['id']}: its root is {row['root']}" for row in rows.values() if not row["root"].endswith(HUB)]
    for compared in (repositories, revisions, leftovers, warned):
        problems += compared(facts, rows)
    return problems


def compare_depths(lab: Lab, facts: Facts) -> list[str]:
    with lab.home(facts.name, facts.where) as home:
        flat = entries(lab.run(home, "show", "-c", "hub", "--json"))
        deep = entries(lab.run(home, "show", "-c", "hub", "--children", "--json"))
    return [
        f"{row['id']}: {what} is {row[what]}, with --children {deep[row['id']][what]}"
        for row in flat.values()
        for what in ("size", "unique_size", "disk_size", "files")
        if row[what] != deep[row["id"]][what]
    ]


def repositories(facts: Facts, rows: dict[str, dict]) -> list[str]:
    problems = []
    for repo_id, repo in facts.repos.items():
        row, folder = rows.get(repo_id), facts.folder(repo_id)
        if row is None:
            problems.append(f"{repo_id}: not found")
            continue
        if folder not in claims(row):
            problems.append(f"{repo_id}: does not own {folder}, but {row['paths']}")
        if row["parent"] is not None or row["kind"] != repo["repo_type"]:
            problems.append(f"{repo_id}: parent {row['parent']}, kind {row['kind']}")
        problems += weight_of_repository(facts, repo_id, row)
    return problems


def weight_of_repository(facts: Facts, repo_id: str, row: dict) -> list[str]:
    """The library counts what snapshots point to; dscc the whole folder, and the payloads that it shares."""
    library, folder = facts.repos[repo_id]["size_on_disk"], facts.folder(repo_id)
    if facts.is_moved(repo_id):
        return [] if row["size"] == 0 else [f"{repo_id}: a linked folder weighs {row['size']}"]
    counted = {f"{HUB}/{file['blob']}" for r in facts.repos[repo_id]["revisions"] for file in r["files"]}
    inside = {path for path in tree_of(facts.nodes, folder) if facts.nodes[path].kind == "file"}
    more = weigh(facts.nodes[path] for path in inside - counted)
    return weight(facts, f"{repo_id}", row, library, more, facts.repos[repo_id]["revisions"])


def revisions(facts: Facts, rows: dict[str, dict]) -> list[str]:
    problems = []
    for revision_id, (repo_id, revision) in facts.revisions.items():
        row, commit = rows.get(revision_id), revision["commit_hash"]
        if row is None:
            problems.append(f"{revision_id}: not found")
            continue
        snapshot = f"{facts.folder(repo_id)}/snapshots/{commit}"
        if row["parent"] != repo_id or snapshot not in claims(row):
            problems.append(f"{revision_id}: parent {row['parent']}, owns {row['paths']}")
        refs = [ref for ref in revision["refs"] if not TEMPORARY_REF.fullmatch(ref)]
        if sorted(row["attributes"].get("refs", [])) != refs:
            problems.append(f"{revision_id}: refs {row['attributes'].get('refs')}, the library has {refs}")
        if not refs and row["reclaim"] is None:
            problems.append(f"{revision_id}: no ref points to it, but it is not to be reclaimed")
        if refs and row["reclaim"] is not None:
            problems.append(f"{revision_id}: {refs} point to it, but it is to be reclaimed: {row['reclaim']}")
        own = facts.refs(repo_id, commit) | facts.records(repo_id, commit)
        problems += weight(facts, revision_id, row, revision["size_on_disk"], facts.weight(own), [revision])
    known = {repo_id for repo_id in facts.repos if not facts.is_moved(repo_id)}
    with_content = {  # a commit that only a record speaks of is partial to dscc, and nothing to the library
        row["id"]
        for row in rows.values()
        if row["kind"] == "revision" and any("/snapshots/" in path for path in row["paths"])
    }
    extra = {i for i in with_content - facts.revisions.keys() if i.partition("@")[0] in known}
    return problems + ([f"revisions that the library does not know: {few(extra)}"] if extra else [])


def weight(facts: Facts, name: str, row: dict, library: int, more: int, revisions: list[dict]) -> list[str]:
    """The library's figure, without what lies outside of the cache, plus what it leaves out."""
    files = {file["blob"]: file["size"] for revision in revisions for file in revision["files"]}
    outside = sum(size for blob, size in files.items() if blob.startswith("../"))
    payloads = {payload for blob in files if (payload := facts.payload(blob))}
    if facts.has_store:
        more += facts.weight({f"{payload}.refs" for payload in payloads} & facts.nodes.keys())
    else:  # a store of another layout is nobody's but its own row's
        outside += facts.weight(payloads)
    if row["size"] == library - outside + more:
        return []
    return [f"{name}: weighs {row['size']}; the library says {library}, {outside} of it outside, and leaves out {more}"]


# ---------------------------------------------------------------- leftovers, and what the library refuses


def leftovers(facts: Facts, rows: dict[str, dict]) -> list[str]:
    problems = []
    for path, size in {**facts.scan["incomplete_files"], **facts.scan["unreferenced_shared_blobs"]}.items():
        path = f"{HUB}/{path}"
        owners = [row for row in rows.values() if path in claims(row)]
        if len(owners) != 1:
            problems.append(f"{path}: owned by {len(owners)} entries")
            continue
        others = facts.weight(set(claims(owners[0])) & facts.nodes.keys() - {path})
        if owners[0]["reclaim"] is None or owners[0]["size"] - others != size:
            problems.append(f"{path}: {owners[0]}; the library says {size} bytes to be had")
    return problems


def warned(facts: Facts, rows: dict[str, dict]) -> list[str]:
    problems = []
    for repo_id, folder in facts.warned.items():
        row = rows.get(repo_id)
        if row is None or folder not in claims(row):
            problems.append(f"{repo_id}: the library refuses to list it, and so does dscc")
        elif row["state"] not in ("partial", "broken"):
            problems.append(f"{repo_id}: {row['state']}, but the library refuses to list it")
    return problems


# ---------------------------------------------------------------- sums


def recount(lab: Lab, facts: Facts) -> list[str]:
    """The union of all entries and `unclaimed` against an independent count of the root."""
    with lab.home(facts.name, facts.where) as home:
        listed = lab.run(home, "list", "--json")
        shown = lab.run(home, "show", "-c", "hub", "--children", "--json")
        size, disk = on_disk(home / HUB)
    if listed.status or shown.status:
        return [str(listed), str(shown)]
    caches = [cache for cache in listed.json["caches"] if cache["cache"] == "hub"]
    if len(caches) != 1:
        return [f"{len(caches)} caches are called hub"]
    return [
        f"{what}: dscc says {said}, a recount {true}"
        for what, said, true in [
            ("size", caches[0]["size"], size),
            ("disk_size", caches[0]["disk_size"], disk),
            ("unclaimed", caches[0]["unclaimed"], unclaimed(facts, shown)),
            ("lower_bound", caches[0]["lower_bound"], False),
        ]
        if said != true
    ]


def on_disk(root: Path) -> tuple[int, int]:
    """Apparent and allocated bytes of the regular files beneath a folder, an inode once."""
    files = [Path(folder, name).lstat() for folder, _, names in os.walk(root) for name in names]
    inodes = {(stat.st_dev, stat.st_ino): stat for stat in files if S_ISREG(stat.st_mode)}.values()
    return sum(stat.st_size for stat in inodes), sum(stat.st_blocks * 512 for stat in inodes)


def unclaimed(facts: Facts, shown) -> int:
    """What no entry owns, outside of the shared store, which is one entry's as a whole without being owned by it."""
    rows = entries(shown).values()
    owned = set().union(*(tree_of(facts.nodes, path) for row in rows for path in claims(row)))
    rest = tree_of(facts.nodes, HUB) - owned - tree_of(facts.nodes, f"{HUB}/blobs")
    return facts.weight(path for path in rest if facts.nodes[path].kind == "file")
