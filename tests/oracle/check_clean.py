"""`dscc clean` removes what the real library removes, what belonged to it and the library forgets, and nothing else.

Each scenario of expected/*.json is run on a copy: a dry run, then the run; then the library looks at what is left.
"""

from collections.abc import Iterable
from pathlib import Path

from _hf_oracle import scan
from facts import HUB, Facts
from sandbox import Lab, Node, beneath, claims, entries, few, snapshot, went


def checks(lab: Lab, homes: dict[str, Facts]):
    for facts in homes.values():
        for scenario in facts.answers.get("scenarios", []):
            if scenario["kind"] != "revisions":
                continue
            ids = targets(facts, scenario["revisions"], scenario.get("whole_repo"))
            if ids:
                gone, rewritten = expected(facts, scenario)
                title = f"clean removes what the library removes: {facts.name}: {title_of(ids, scenario)}"
                yield title, lambda f=facts, i=ids, g=gone, r=rewritten: play(lab, f, i, g, r)


def title_of(ids: list[str], scenario: dict) -> str:
    return (
        f"all {len(ids)} revisions" if scenario.get("everything") else " ".join(i[:-32] if "@" in i else i for i in ids)
    )


# ---------------------------------------------------------------- what should happen


def targets(facts: Facts, commits: list[str], whole_repo: str | None) -> list[str]:
    """What a user names to dscc. A repository folder that is a link has no revisions to name."""
    if whole_repo:
        return [whole_repo]
    named = [
        revision_id for revision_id, (_, revision) in facts.revisions.items() if revision["commit_hash"] in commits
    ]
    moved = [
        repo_id
        for repo_id, repo in facts.repos.items()
        if facts.is_moved(repo_id) and {revision["commit_hash"] for revision in repo["revisions"]} <= set(commits)
    ]
    return named + moved


def expected(facts: Facts, scenario: dict) -> tuple[set[str], dict[str, str]]:
    """What must be gone, and the manifests with their new text.

    The library is wrong where it removes what lies outside of the cache. It forgets the records of a revision, the
    locks of a whole repository, and folders that it emptied.
    """
    commits = set(scenario["revisions"])
    gone = {path for path in map(facts.home_relative, scenario["removed"]) if beneath(path, HUB)}
    for repo_id, repo in facts.repos.items():
        chosen = commits & {revision["commit_hash"] for revision in repo["revisions"]}
        for commit in chosen:
            gone |= facts.records(repo_id, commit)
        if len(chosen) == len(repo["revisions"]):
            gone |= facts.locks(repo_id)
    rewritten = {facts.home_relative(path): text for path, text in scenario["rewritten"].items()}
    return with_emptied_folders(gone, facts.nodes), rewritten


def with_emptied_folders(gone: set[str], nodes: dict[str, Node]) -> set[str]:
    """Folders of which everything goes, and something does. Never the hub itself."""
    gone = set(gone)
    folders = [path for path, n in nodes.items() if n.kind == "dir" and path.startswith(f"{HUB}/")]
    for folder in sorted(folders, key=lambda path: -path.count("/")):
        inside = {path for path in nodes if path.startswith(f"{folder}/")}
        if inside and inside <= gone:
            gone.add(folder)
    return gone


# ---------------------------------------------------------------- what happens


def play(lab: Lab, facts: Facts, ids: list[str], gone: set[str], rewritten: dict[str, str], *options: str) -> list[str]:
    with lab.home(facts.name, facts.where) as home:
        before = snapshot(home)
        unique = entries(lab.run(home, "show", "-c", "hub", "--json", ids[0])) if len(ids) == 1 else {}
        dry = lab.run(home, "clean", "-c", "hub", *ids, *options, "-n", "--json")
        problems = dry_run_problems(before, snapshot(home), dry, gone)
        if problems:
            return problems
        run = lab.run(home, "clean", "-c", "hub", *ids, *options, "-y", "--json")
        if run.status or run.json["failed"] or run.json["errors"] or run.json["dry_run"]:
            return [f"{run}\n{run.stdout[:2000]}"]
        after = snapshot(home)
        problems = tree_problems(before, after, gone, rewritten) + manifest_problems(home, rewritten)
        problems += report_problems(before, after, dry.json, run.json)
        if unique and ids[0] in unique and not goes_with_its_parent(facts, ids[0]):
            problems += same("unique_size and expected", unique[ids[0]]["unique_size"], dry.json["expected"])
        return problems + library_problems(facts, scan(home / HUB), gone)


def goes_with_its_parent(facts: Facts, entry_id: str) -> bool:
    repo_id, at, _ = entry_id.partition("@")
    return bool(at) and len(facts.repos[repo_id]["revisions"]) == 1


def dry_run_problems(before: dict[str, Node], now: dict[str, Node], dry, gone: set[str]) -> list[str]:
    if dry.status or not dry.json["dry_run"] or dry.json["freed"] or dry.json["failed"] or dry.json["errors"]:
        return [f"{dry}\n{dry.stdout[:2000]}"]
    if before != now:
        return [f"the dry run changed {few(p for p in before.keys() | now.keys() if before.get(p) != now.get(p))}"]
    named = [path for item in dry.json["remove"] for path in claims(item)]
    unnamed = {path for path in gone if not any(beneath(path, top) for top in named)}
    emptied = with_emptied_folders(gone - unnamed, before)
    problems = []
    if unnamed - emptied:
        problems.append(f"not named by the dry run: {few(unnamed - emptied)}")
    if more := set(named) & before.keys() - gone:
        problems.append(f"named by the dry run, but the library keeps it: {few(more)}")
    return problems


def tree_problems(before: dict[str, Node], after: dict[str, Node], gone: set[str], rewritten: dict) -> list[str]:
    problems = []
    if left := gone & after.keys():
        problems.append(f"still there: {few(left)}")
    if lost := before.keys() - after.keys() - gone:
        problems.append(f"gone, but the library keeps it: {few(lost)}")
    if new := after.keys() - before.keys():
        problems.append(f"new: {few(new)}")
    for path in sorted(before.keys() & after.keys()):
        if before[path].mode != after[path].mode:
            problems.append(f"mode of {path}: {before[path].mode:o} -> {after[path].mode:o}")
        if path not in rewritten and not before[path].same_content(after[path]):
            problems.append(f"changed: {path}: {before[path]} -> {after[path]}")
    return problems


def manifest_problems(home: Path, rewritten: dict[str, str]) -> list[str]:
    """The same lines as the library leaves, in any order."""
    lines = {
        path: sorted((home / path).read_text().splitlines()) if (home / path).exists() else None for path in rewritten
    }
    return [
        p for path, text in rewritten.items() for p in same(f"lines of {path}", lines[path], sorted(text.splitlines()))
    ]


def report_problems(before: dict[str, Node], after: dict[str, Node], dry: dict, run: dict) -> list[str]:
    """The report says what was announced, and as many bytes as really went."""
    gone = went(before, after)
    lines = sum(n.size - after[p].size for p, n in before.items() if p in after and n.kind == "file")
    problems = []
    for what, said in [("freed", run["freed"]), ("expected", dry["expected"])]:
        if said not in (gone, gone + lines):
            problems.append(f"{what}: dscc says {said}; really {gone}, and {lines} of rewritten manifests")
    for part in ("remove", "keep"):
        announced = [(item["id"], item.get("paths")) for item in dry[part]]
        problems += same(f"`{part}` of run and dry run", [(i["id"], i.get("paths")) for i in run[part]], announced)
    return problems


def library_problems(facts: Facts, now: dict, gone: Iterable[str]) -> list[str]:
    """The library sees exactly what was kept: the same revisions and sizes, and no new warning."""
    gone = set(gone)
    wanted = {
        (repo["path"], revision["commit_hash"]): revision
        for repo in facts.scan["repos"]
        for revision in repo["revisions"]
        if not gone & {f"{HUB}/{repo['path']}", f"{HUB}/{repo['path']}/snapshots/{revision['commit_hash']}"}
    }
    seen = {(r["path"], v["commit_hash"]): v for r in now["repos"] for v in r["revisions"]}
    problems = [f"the library misses {lost}" for lost in wanted.keys() - seen.keys()]
    problems += [f"the library still sees {left}" for left in seen.keys() - wanted.keys()]
    for key in wanted.keys() & seen.keys():
        for what in ("size_on_disk", "nb_files", "refs", "files"):
            problems += same(f"the library's {what} of {key}", seen[key][what], wanted[key][what])
    if new := set(now["warnings"]) - set(facts.scan["warnings"]):
        problems.append(f"new warnings of the library: {new}")
    for what in ("incomplete_files", "unreferenced_shared_blobs"):
        left = {path: size for path, size in facts.scan[what].items() if f"{HUB}/{path}" not in gone}
        problems += same(f"the library's {what}", now[what], left)
    return problems


def same(what: str, found, wanted) -> list[str]:
    return [] if found == wanted else [f"{what}: {found}, but should be {wanted}"]
