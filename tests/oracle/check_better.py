"""Where the real library is wrong, or has no way at all, dscc is right.

The library deletes a user's file through a link, mixes up two repositories with equal commit ids, can neither list nor
remove what it calls corrupted, prunes a download that is running, says that an unknown target is done, and counts as
freed what a hard link keeps.
"""

import fcntl
import os
from functools import partial
from pathlib import Path

from check_clean import play, same, with_emptied_folders
from facts import HUB, Facts
from sandbox import Lab, beneath, claims, entries, few, snapshot, tree_of, went


def checks(lab: Lab, homes: dict[str, Facts]):
    home, broken, renamed = homes["home"], homes["broken"], homes["renamed"]
    for repo_id in renamed.repos:
        gone = tree_of(renamed.nodes, renamed.folder(repo_id)) | renamed.locks(repo_id)
        yield from removal(lab, "equal commit ids: only the named repository goes", renamed, repo_id, gone)
    for revision_id, (repo_id, revision) in renamed.revisions.items():
        if len(renamed.repos[repo_id]["revisions"]) > 1:
            gone = revision_alone(renamed, repo_id, revision)
            yield from removal(lab, "equal commit ids: only the named revision goes", renamed, revision_id, gone)
    for facts in (home, broken):
        for repo_id, folder in facts.warned.items():
            gone = tree_of(facts.nodes, folder) | tree_of(facts.nodes, f"{HUB}/.locks/{Path(folder).name}")
            promise, force = "what the library calls corrupted can go as a whole", ()
            if holds_a_users_file(facts, folder):
                promise, force = f"{promise}, a user's file with it by force", ("--force", "irreplaceable")
                yield f"a user's file does not go without force: {repo_id}", partial(refused, lab, facts, repo_id)
            yield from removal(lab, promise, facts, repo_id, gone, *force)
    for path in home.scan["incomplete_files"]:
        yield from leftover(lab, "one partial download goes alone", home, {f"{HUB}/{path}"})
    for path in home.scan["unreferenced_shared_blobs"]:
        yield from leftover(lab, "one unreferenced payload goes alone", home, {f"{HUB}/{path}", f"{HUB}/{path}.refs"})
    yield from leftover(
        lab, "one orphan blob goes alone", broken, {f"{HUB}/models--acme--orphan-blob/blobs/{'ab' * 20}"}
    )
    yield "nothing outside changes where links lead outside, even by --all", lambda: outside_stays(lab, broken)
    yield "a linked repository folder has no revisions to remove", lambda: unknown(lab, broken, moved_revision(broken))
    yield "an unknown target is status 5, and nothing goes", lambda: unknown(lab, home, "model/acme/unknown")
    for path in home.scan["incomplete_files"]:
        yield f"a running download stays: {Path(path).parts[0]}", lambda path=path: running(lab, home, path)
    yield "what a hard link keeps is not freed", lambda: hard_link(lab, home, "model/gpt2-mini")


def removal(lab: Lab, promise: str, facts: Facts, entry_id: str, gone: set[str], *options: str):
    gone = with_emptied_folders(gone, facts.nodes)
    yield f"{promise}: {entry_id}", lambda: play(lab, facts, [entry_id], gone, {}, *options)


def holds_a_users_file(facts: Facts, folder: str) -> bool:
    """Whether a file lies where only folders of revisions should be."""
    names = {
        path for path, n in facts.nodes.items() if n.kind == "file" and Path(path).parent == Path(folder, "snapshots")
    }
    return any(Path(path).name not in (".DS_Store", "Thumbs.db", "desktop.ini") for path in names)


def refused(lab: Lab, facts: Facts, entry_id: str) -> list[str]:
    with lab.home(facts.name, facts.where) as home:
        before = snapshot(home)
        run = lab.run(home, "clean", "-c", "hub", entry_id, "-y", "--json")
        changed = before != snapshot(home)
    kept = [item["id"] for item in run.json["keep"]]
    return same("exit status", run.status, 3) + same("changed", changed, False) + same("kept", kept, [entry_id])


def revision_alone(facts: Facts, repo_id: str, revision: dict) -> set[str]:
    """What a revision has to itself, in a repository without a shared store."""
    folder, commit = facts.folder(repo_id), revision["commit_hash"]
    others = [r for r in facts.repos[repo_id]["revisions"] if r is not revision]
    kept = {file["blob"] for r in others for file in r["files"]}
    blobs = {f"{HUB}/{file['blob']}" for file in revision["files"] if file["blob"] not in kept}
    own = facts.refs(repo_id, commit) | facts.records(repo_id, commit)
    return blobs | own | tree_of(facts.nodes, f"{folder}/snapshots/{commit}")


def leftover(lab: Lab, promise: str, facts: Facts, gone: set[str]):
    def run() -> list[str]:
        entry_id = owner(lab, facts, min(gone))
        return play(lab, facts, [entry_id], with_emptied_folders(gone, facts.nodes), {})

    yield f"{promise}: {min(gone).removeprefix(HUB + '/')[:60]}", run


def owner(lab: Lab, facts: Facts, path: str) -> str:
    """The id of the deepest entry that owns a path."""
    with lab.home(facts.name, facts.where) as home:
        rows = entries(lab.run(home, "show", "-c", "hub", "--children", "--json"))
    owners = [row["id"] for row in rows.values() if path in claims(row)]
    assert len(owners) == 1, f"{path} is owned by {owners or 'nothing'}"
    return owners[0]


def outside_stays(lab: Lab, facts: Facts) -> list[str]:
    """Entries of which links lead outside may stay: `--all` takes what can be had back."""
    with lab.home(facts.name, facts.where) as home:
        before = snapshot(home)
        run = lab.run(home, "clean", "-c", "hub", "--all", "-y", "--json")
        after = snapshot(home)
    outside = {path for path in before if beneath(path, "outside")}
    changed = {path for path in outside if before[path] != after.get(path)}
    problems = [f"changed outside of the hub: {few(changed)}"] if changed else []
    return problems + same("exit status", run.status, 0) + same("something went", len(after) < len(before), True)


def moved_revision(facts: Facts) -> str:
    repo_id = next(repo_id for repo_id in facts.repos if facts.is_moved(repo_id))
    return f"{repo_id}@{facts.repos[repo_id]['revisions'][0]['commit_hash']}"


def unknown(lab: Lab, facts: Facts, entry_id: str) -> list[str]:
    known = next(iter(facts.revisions))
    with lab.home(facts.name, facts.where) as home:
        before = snapshot(home)
        run = lab.run(home, "clean", "-c", "hub", entry_id, known, "-y", "--json")
        changed = before != snapshot(home)
    return same("exit status", run.status, 5) + same("something changed", changed, False)


def running(lab: Lab, facts: Facts, path: str) -> list[str]:
    """The library's own lock is held, as it is while a download runs."""
    entry_id = owner(lab, facts, f"{HUB}/{path}")
    repo, etag = Path(path).parts[0], Path(path).name.split(".")[0]
    with lab.home(facts.name, facts.where) as home:
        with open(home / HUB / ".locks" / repo / f"{etag}.lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = snapshot(home)
            run = lab.run(home, "clean", "-c", "hub", entry_id, "-y", "--json")
            changed = before != snapshot(home)
        after = lab.run(home, "clean", "-c", "hub", entry_id, "-y", "--json")
    kept = [item["id"] for item in run.json["keep"]]
    return (
        same("something changed", changed, False)
        + same("exit status", run.status, 3)
        + same("kept", entry_id in kept, True)
        + same("exit status once the lock is free", after.status, 0)
    )


def hard_link(lab: Lab, facts: Facts, repo_id: str) -> list[str]:
    with lab.home(facts.name, facts.where) as home:
        largest = max((home / facts.folder(repo_id) / "blobs").iterdir(), key=lambda blob: blob.stat().st_size)
        os.link(largest, home / "kept-by-the-user")
        before = snapshot(home)
        run = lab.run(home, "clean", "-c", "hub", repo_id, "-y", "--json")
        after = snapshot(home)
    return same("exit status", run.status, 0) + same("freed", run.json["freed"], went(before, after))
