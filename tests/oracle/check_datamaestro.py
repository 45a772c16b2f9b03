"""`dscc show` finds what datamaestro has downloaded; what dscc removes, datamaestro misses and downloads again, and it
finds all else as before. What would make it lose data in silence is refused.

Everything is tried on copies, on which the real library is asked afterwards.
"""

import os
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path

from _dm_definitions import DATASETS, FILES, HOST, QRELS, plugin
from _dm_library import LONER, Library
from _ircommon import Loopback, md5
from check_recount import recount
from sandbox import Answer, Lab, Node, beneath, entries, few, snapshot, weigh, went

MAIN = "datamaestro"
LONER_ID = "net.loner.set"
RECOVERY = {"org.sample.licensed": "irreplaceable", "org.sample.legacy": "uncertain"}  # of all others: download
FAILING = {"org.sample.corrupt", "org.sample.half"}  # their definitions never succeed
LETTERS, TRAIN, SMALL = "com.example.letters", "com.example.letters.train", "com.example.letters.train.small"
LINKED = "org.sample.linked"
# What a dataset must stay for when it is named alone.
NEEDED_BY = {LETTERS: {TRAIN, SMALL}, TRAIN: {SMALL, LINKED}}


def checks(lab: Lab, _homes):
    yield "datamaestro: show finds what the library finds", lambda: compare(lab)
    yield "datamaestro: every byte is counted once: data", lambda: count(lab, "datamaestro-data")
    yield "datamaestro: every byte is counted once: cache", lambda: count(lab, "datamaestro-cache")
    for dataset in datasets(lab):
        if dataset in NEEDED_BY:
            yield f"datamaestro: stays: {dataset}", lambda it=dataset: stays(lab, [it], [it])
        else:
            yield f"datamaestro: goes, and comes back: {dataset}", lambda it=dataset: goes_alone(lab, it)
    for more, kept in (TRAIN, [LETTERS, TRAIN]), (SMALL, [LETTERS]):
        yield f"datamaestro: stays: {LETTERS}, named with {more}", lambda it=more, k=kept: stays(lab, [LETTERS, it], k)
    yield "datamaestro: an archive goes together with those in it", lambda: goes_together(lab)
    yield "datamaestro: everything goes but what may not come back", lambda: goes_all(lab)


# ---------------------------------------------------------------- copies, and the library on them


@contextmanager
def bench(lab: Lab, stalls: dict[str, int] | None = None):
    """A copy of the home, and the library for its user. Links into the home lead into the copy."""
    with lab.home("home") as home, Loopback(FILES, stalls) as net:
        for link in filter(Path.is_symlink, (home / MAIN / "data").rglob("*")):
            target = os.readlink(link)
            if beneath(target, str(lab.corpus / "home")):
                times = link.lstat().st_atime_ns, link.lstat().st_mtime_ns
                link.unlink()
                link.symlink_to(str(home) + target.removeprefix(str(lab.corpus / "home")))
                os.utime(link, ns=times, follow_symlinks=False)
        plugins = lab.scratch / "dm-plugins"
        plugin(plugins, DATASETS % {"host": HOST, "qrels_md5": md5(QRELS)})
        yield home, Library(lab.scratch, plugins, net.proxy)


def datasets(lab: Lab) -> list[str]:
    """The ids of all datasets in the corpus, by their folders."""
    tops = [path.parent for name in (".state.json", ".state.lock") for path in data_of(lab).rglob(name)]
    ids = {dataset_id(top.relative_to(data_of(lab))) for top in tops}
    return sorted(ids | {"org.sample.legacy"})


def data_of(lab: Lab) -> Path:
    return lab.corpus / "home" / MAIN / "data"


def dataset_id(folder: Path) -> str:
    return ".".join(folder.parts[2 if folder.parts[0] == "__custom__" else 1 :])


def folder_of(dataset: str) -> str:
    """The folder, relative to the home."""
    repository = "__custom__/loner" if dataset == LONER_ID else "corpus"
    return f"{MAIN}/data/{repository}/{dataset.replace('.', '/')}"


def own(nodes: dict[str, Node], dataset: str, others: Iterable[str]) -> set[str]:
    """What is in a dataset's folder without the datasets in it."""
    folder = folder_of(dataset)
    inner = [folder_of(other) for other in others if other != dataset and beneath(folder_of(other), folder)]
    return {path for path in nodes if beneath(path, folder) and not any(beneath(path, other) for other in inner)}


def clean(lab: Lab, home: Path, *ids: str, cache: str = "datamaestro-data") -> Answer:
    force = ["--force", "irreplaceable"] if any(RECOVERY.get(it) == "irreplaceable" for it in ids) else []
    return lab.run(home, "clean", "-c", cache, *ids, *force, "-y", "--json")


def same_but(found: dict, wanted: dict, gone: Iterable[str]) -> list[str]:
    """The library's rows of all datasets but those that went."""
    return [
        f"the library's {name} is {found['datasets'][name]}, but was {row}"
        for name, row in wanted["datasets"].items()
        if name not in gone and found["datasets"][name] != row
    ]


# ---------------------------------------------------------------- what is found


def compare(lab: Lab) -> list[str]:
    problems = []
    with bench(lab) as (home, library):
        nodes, report = snapshot(home), library.report()
        data = lab.run(home, "show", "-c", "datamaestro-data", "--json")
        cache = lab.run(home, "show", "-c", "datamaestro-cache", "--json")
    if data.status or cache.status:
        return [str(data), str(cache)]
    rows, known = entries(data), datasets(lab)
    if rows.keys() != set(known):
        problems.append(f"found {sorted(rows)}, but there are {known}")
    for dataset in known:
        problems += of_dataset(rows[dataset], report["datasets"].get(dataset), nodes, known)
    return problems + of_downloads(entries(cache), nodes)


def of_dataset(row: dict, library: dict | None, nodes: dict[str, Node], known: list[str]) -> list[str]:
    """dscc's row beside the library's, which has none for a dataset that was defined elsewhere."""
    dataset, size = row["id"], weigh(nodes[path] for path in own(nodes, row["id"], known))
    wanted = {
        "size": size,
        "state": "complete" if library is None or library["prepared"] else "partial",
        "recovery": RECOVERY.get(dataset, "download"),
        "kind": "legacy" if dataset == "org.sample.legacy" else "dataset",
    }
    problems = [f"{dataset}: {what} is {row[what]}, not {it}" for what, it in wanted.items() if row[what] != it]
    has_record = f"{folder_of(dataset)}/.state.json" in nodes
    if library and has_record:
        states = {f"{name}: {resource['state']}" for name, resource in library["resources"].items()}
        if set(row["attributes"].get("resources", [])) != states:
            problems.append(f"{dataset}: {row['attributes'].get('resources')}, not {states}")
    return problems


def of_downloads(rows: dict[str, dict], nodes: dict[str, Node]) -> list[str]:
    """Every address that was fetched is told by its text, with all that is kept of it."""
    problems, by_url = [], {row["label"]: row for row in rows.values()}
    files = {path: n for path, n in nodes.items() if beneath(path, f"{MAIN}/cache") and n.kind == "file"}
    names = {Path(path).stem for path in files}
    if len(rows) != len(names) or not by_url.keys() <= FILES.keys():
        problems.append(f"{sorted(by_url)} are found, and {len(names)} addresses were fetched")
    for url, row in by_url.items():
        mine = {path for path in files if Path(path).name in row["paths"]}
        ends = {Path(path).suffix for path in mine}
        state = "complete" if ".dl" in ends else "partial" if ".tmp" in ends else "stale"
        if row["size"] != weigh(files[path] for path in mine) or row["state"] != state:
            problems.append(f"{url}: {row['size']} bytes, {row['state']}; there are {ends}")
        if (row["reclaim"] is None) == (ends == {".url"}):
            problems.append(f"{url}: reclaim is {row['reclaim']}")
    return problems


def count(lab: Lab, cache: str) -> list[str]:
    with bench(lab) as (home, _):
        return recount(lab, home, cache)


# ---------------------------------------------------------------- what goes


def goes_alone(lab: Lab, dataset: str) -> list[str]:
    with bench(lab) as (home, library):
        baseline, before = library.report(), snapshot(home)
        run = clean(lab, home, dataset)
        problems = removal_problems(lab, before, snapshot(home), run, [dataset])
        return problems or library_problems(home, library, baseline, before, [dataset])


def goes_together(lab: Lab) -> list[str]:
    gone = [LETTERS, TRAIN, SMALL, LINKED]  # downloaded in this order: after an inner one, the outer would be adopted
    with bench(lab) as (home, library):
        baseline, before = library.report(), snapshot(home)
        run = clean(lab, home, *gone)
        problems = removal_problems(lab, before, snapshot(home), run, gone)
        return problems or library_problems(home, library, baseline, before, gone)


def goes_all(lab: Lab) -> list[str]:
    gone = [dataset for dataset in datasets(lab) if dataset not in RECOVERY]
    with bench(lab) as (home, library):
        baseline, before = library.report(), snapshot(home)
        run = clean(lab, home)
        kept = {row["id"]: row["reason"] for row in run.json["keep"]}
        problems = [] if kept.keys() == RECOVERY.keys() else [f"kept: {kept}"]
        problems += removal_problems(lab, before, snapshot(home), run, gone)
        return problems or library_problems(home, library, baseline, before, gone)


def removal_problems(lab: Lab, before: dict, after: dict, run: Answer, gone: list[str]) -> list[str]:
    if run.status or run.json["failed"] or run.json["errors"]:
        return [f"{run}\n{run.stdout[:2000]}"]
    expected = set().union(*(own(before, dataset, datasets(lab)) for dataset in gone))
    problems, lost = [], before.keys() - after.keys()
    if left := expected & after.keys() - folders_of_others(expected, after):
        problems.append(f"still there: {few(left)}")
    if more := {path for path in lost - expected if before[path].kind != "dir"}:
        problems.append(f"gone too: {few(more)}")
    if empty := {p for p in lost - expected if any(beneath(left, p) for left in after)}:
        problems.append(f"these folders were not empty: {few(empty)}")
    changed = {p for p in after if p not in before or after[p].kind != "dir" and after[p] != before[p]}
    if changed:
        problems.append(f"changed: {few(changed)}")
    if run.json["freed"] != went(before, after):
        problems.append(f"{run.json['freed']} bytes are said to be freed, really {went(before, after)}")
    return problems


def folders_of_others(expected: set[str], after: dict[str, Node]) -> set[str]:
    """Folders that stay because another dataset is in them."""
    return {path for path in expected if any(left != path and beneath(left, path) for left in after)}


def library_problems(home: Path, library: Library, baseline: dict, before: dict, gone: list[str]) -> list[str]:
    """What went is absent for the library and comes back whole; all else is as it was."""
    known = [dataset for dataset in gone if dataset != LONER_ID]
    absent, *done, again = library.ask("report", *known, "report")
    problems = same_but(absent, baseline, gone)
    problems += [f"{it}: the library still has it" for it in known if absent["datasets"][it]["prepared"]]
    for dataset, result in zip(known, done):
        if result is not (dataset not in FAILING):
            problems.append(f"{dataset}: the library's download came to {result}")
    problems += [f"{it}: not prepared" for it in known if it not in FAILING and not again["datasets"][it]["prepared"]]
    problems += same_but(again, baseline, gone)
    if LONER_ID in gone and library.run(LONER).returncode:
        problems.append(f"{LONER_ID}: cannot be downloaded")
    after = snapshot(home)
    whole = [it for it in gone if it not in FAILING | {"org.sample.killed"}]
    for path in (path for dataset in whole for path in own(before, dataset, gone) if not is_record(path)):
        if path not in after or not after[path].same_content(before[path]):
            problems.append(f"{path} did not come back")
    return problems


def is_record(path: str) -> bool:
    return path.endswith((".state.json", ".state.lock"))


# ---------------------------------------------------------------- what stays


def stays(lab: Lab, named: list[str], kept: list[str]) -> list[str]:
    """What would be taken for whole without its data is refused, with the reason; the library has it all."""
    with bench(lab) as (home, library):
        baseline, before = library.report(), snapshot(home)
        run = clean(lab, home, *named)
        gone = set(named) - set(kept)
        reasons = {row["id"]: row["reason"] for row in run.json["keep"]}
        problems = [f"{it} is not kept: {run.stdout[:1000]}" for it in kept if it not in reasons]
        for dataset, reason in reasons.items():
            if not any(f"`{other}` stays and needs it" in reason for other in NEEDED_BY.get(dataset, ())):
                problems.append(f"{dataset} stays because {reason}")
        expected = set().union(*(own(before, dataset, datasets(lab)) for dataset in gone))
        if before.keys() - snapshot(home).keys() != expected:
            problems.append(f"went: {few(before.keys() - snapshot(home).keys())}")
        return problems + same_but(library.report(), baseline, gone)
