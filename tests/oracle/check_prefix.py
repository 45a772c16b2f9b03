"""Every prefix of a removal leaves a cache that the real library accepts: references go before content.

The paths of a dry run are removed by hand, one after the other; after each of them the library scans the cache.
"""

import os
import shutil
from pathlib import Path

from _hf_oracle import scan
from check_clean import targets, title_of
from facts import HUB, Facts
from sandbox import Lab, claims

LONGEST = 60  # steps of a scenario; longer ones say nothing new


def checks(lab: Lab, homes: dict[str, Facts]):
    for facts in homes.values():
        scenarios = [s for s in facts.answers.get("scenarios", []) if s["kind"] == "revisions"]
        for scenario in scenarios:
            ids = targets(facts, scenario["revisions"], scenario.get("whole_repo"))
            single = len(scenario["revisions"]) == 1 and facts.name != "broken"
            if ids and (single or scenario["rewritten"] or len(ids) > 1):
                title = f"every prefix is a valid cache: {facts.name}: {title_of(ids, scenario)}"
                yield title, lambda f=facts, i=ids: walk(lab, f, i)


def walk(lab: Lab, facts: Facts, ids: list[str]) -> list[str]:
    with lab.home(facts.name, facts.where) as home:
        dry = lab.run(home, "clean", "-c", "hub", *ids, "-n", "--json")
        if dry.status:
            return [str(dry)]
        steps = [path for item in dry.json["remove"] for path in claims(item)]
        gone: set[str] = set()
        for number, step in enumerate(steps, 1):
            remove(home / step)
            gone.add(step)
            if number > LONGEST and number < len(steps):
                continue
            if problems := invalid(facts, home, gone):
                return [f"after step {number} of {len(steps)} ({step}): {problem}" for problem in problems]
    return []


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def invalid(facts: Facts, home: Path, gone: set[str]) -> list[str]:
    now = scan(home / HUB)
    problems = [f"new warning: {warning}" for warning in set(now["warnings"]) - set(facts.scan["warnings"])]
    seen = {(r["path"], v["commit_hash"]): v for r in now["repos"] for v in r["revisions"]}
    for repo in facts.scan["repos"]:
        for revision in repo["revisions"]:
            key = (repo["path"], revision["commit_hash"])
            snapshot = f"{HUB}/{repo['path']}/snapshots/{revision['commit_hash']}"
            if any(snapshot == path or snapshot.startswith(f"{path}/") for path in gone):
                continue
            if key not in seen:
                problems.append(f"revision lost: {key}")
            elif seen[key]["size_on_disk"] != revision["size_on_disk"]:
                problems.append(f"size of {key}: {seen[key]['size_on_disk']}, was {revision['size_on_disk']}")
    return problems + [f"dangling: {link}" for link in dangling(home / HUB) - dangling(facts.path / HUB)]


def dangling(hub: Path) -> set[str]:
    """Links beneath a hub, relative to it, that lead nowhere."""
    links = (Path(folder, name) for folder, _, names in os.walk(hub) for name in names)
    return {link.relative_to(hub).as_posix() for link in links if link.is_symlink() and not link.exists()}
