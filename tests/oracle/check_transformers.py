"""The flat cache of transformers 4.21: dscc finds all that the library finds, and what dscc removes is gone for the library
while the rest is loaded as before. The library is asked in a process of its own (ask_transformers.py), once for all.
"""

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path

from check_recount import recount
from facts import Facts
from sandbox import HUB, Lab, beneath, few, snapshot, weigh

HERE = Path(__file__).resolve().parent
FLAT = ".cache/huggingface/transformers"
CONFIG = "https://huggingface.co/bert-base-uncased/resolve/main/config.json"
KILLED = "https://huggingface.co/bert-base-uncased/resolve/main/rust_model.ot"


def checks(lab: Lab, _homes: dict[str, Facts]):
    facts = Flat(lab)
    yield "show finds what transformers 4.21 finds, with its sizes", facts.shown
    yield "transformers: killed downloads and locks that are left are found", facts.leftovers
    yield "transformers: every byte is counted once", facts.counted
    yield "transformers: each removal is one for the library too, and all else is as before", facts.removals
    yield "transformers: what the library superseded is what dscc calls so", facts.superseded
    yield "transformers: the library takes a killed download for the file, until it is removed", facts.killed
    yield "transformers: a record of what is gone breaks the library's list, until it is removed", facts.lost_file
    yield "transformers: flat files in the hub's folder are told from the hub", facts.in_the_hub


class Flat:
    """The corpus' flat cache and the library's answers."""

    def __init__(self, lab: Lab):
        self.lab = lab
        self.answers = json.loads((lab.corpus / "expected" / "transformers-legacy.json").read_text())
        self.files = self.answers["files"]
        self.copies = lab.scratch / "flat"

    @cache
    def nodes(self) -> dict:
        return snapshot(self.lab.corpus / "home" / FLAT)

    @cache
    def entries(self) -> list[dict]:
        with self.lab.home("home", FLAT) as home:
            return self.lab.run(home, "show", "-c", "transformers", "--children", "--json").json["entries"]

    def entry_of(self, name: str) -> dict:
        (found,) = [entry for entry in self.entries() if name in entry["paths"] and entry["parent"] is None]
        return found

    def size(self, paths) -> int:
        return weigh(node for path, node in self.nodes().items() if any(beneath(path, top) for top in paths))

    # ------------------------------------------------------------ what is found

    def shown(self) -> list[str]:
        problems = []
        for name, record in self.files.items():
            entry = self.entry_of(name)
            folder = name.replace(".", "-") + "-extracted"
            owned = [path for path in (name, f"{name}.json", f"{name}.lock", folder) if path in self.nodes()]
            told = {key: entry["attributes"].get(key) for key in ("url", "etag")}
            if told != {"url": [record["url"]], "etag": [record["etag"].strip('"')]}:
                problems.append(f"{entry['id']}: {told}; the library says {record}")
            if sorted(entry["paths"]) != sorted(owned) or entry["size"] != self.size(owned):
                problems.append(f"{entry['id']}: {entry['paths']} of {entry['size']}; should be {owned}")
            if entry["state"] != ("stale" if name == self.old() else "complete"):
                problems.append(f"{entry['id']}: {entry['state']}")
            if not entry["id"].endswith(f"@{'.'.join(part[:8] for part in name.split('.')[:2])}"):
                problems.append(f"{entry['id']}: the file {name} is not to be found by it")
        for url, _, megabytes in self.answers["get_cached_models"]:
            (name,) = [name for name, record in self.files.items() if record["url"] == url]
            if self.nodes()[name].size != round(megabytes * 1e6):
                problems.append(f"{url}: the library says {megabytes} MB")
        return problems

    def old(self) -> str:
        """The earlier of the two downloads of one address."""
        both = [name for name, record in self.files.items() if record["url"] == CONFIG]
        return min(both, key=lambda name: self.nodes()[name].modified)

    def leftovers(self) -> list[str]:
        kinds = {}
        for entry in self.entries():
            for path in entry["paths"]:
                kinds.setdefault(path, []).append((entry["kind"], entry["state"], entry["reclaim"] is not None))
        problems, owned = [], set(kinds)
        for path in self.nodes():
            top, name = path.split("/")[0], path.split("/")[0].removesuffix(".lock")
            if top not in owned:
                problems.append(f"{path} is nobody's")
            alone = path.endswith(".lock") and not any(f"{name}{end}" in self.nodes() for end in ("", ".incomplete"))
            wanted = ("lock", "detached", True) if alone else ("partial", "partial", True)
            if (alone or path.startswith("tmp") or path.endswith(".incomplete")) and kinds[path] != [wanted]:
                problems.append(f"{path}: {kinds[path]}, should be {wanted}")
        (named,) = [entry for entry in self.entries() if entry["attributes"].get("url") == [KILLED]]
        return problems + ([] if named["kind"] == "partial" else [f"{KILLED} is {named['kind']}"])

    def counted(self) -> list[str]:
        with self.lab.home("home", FLAT) as home:
            return recount(self.lab, home, "transformers")

    # ------------------------------------------------------------ what is removed

    def removals(self) -> list[str]:
        """Each entry alone, then all by default. What a removal takes is what the entry owns."""
        problems, folders = [], {}
        try:
            for number, entry in enumerate([None, *self.entries()]):
                home = self.copies / str(number)
                folder = self.copy(home)
                targets = [entry["id"]] if entry else []
                answer = self.lab.run(home, "clean", "-c", "transformers", *targets, "-y", "--json")
                if answer.status or answer.json["failed"]:
                    problems.append(f"{answer}\n{answer.stdout[:500]}")
                taken = [path for item in answer.json["remove"] for path in item["paths"]]
                if entry and sorted(taken) != sorted(entry["paths"]):
                    problems.append(f"{entry['id']}: {taken} went, it owns {entry['paths']}")
                if not entry:
                    problems += self.kept_by_default(answer.json["keep"])
                problems += self.changes(folder, taken, entry["id"] if entry else "all")
                folders[str(folder)] = taken
            answers = self.ask(*folders)
            for folder, taken in folders.items():
                problems += self.library(answers[folder], set(taken))
        finally:
            shutil.rmtree(self.copies, ignore_errors=True)
        return problems

    def kept_by_default(self, keep: list[dict]) -> list[str]:
        """What is on other servers than the Hub's stays unless it is named."""
        wanted = {self.entry_of(name)["id"] for name, r in self.files.items() if "//huggingface.co/" not in r["url"]}
        kept = {item["id"] for item in keep}
        return [] if kept == wanted else [f"by default {kept} are kept, should be {wanted}"]

    def changes(self, folder: Path, taken: list[str], what: str) -> list[str]:
        before, after = self.nodes(), snapshot(folder)
        left = {path for path in before if not any(beneath(path, top) for top in taken)}
        changed = [path for path in left & after.keys() if not before[path].same_content(after[path])]
        return [f"{what}: {few(left ^ after.keys())} is or is not there"] * (left != after.keys()) + [
            f"{what}: {path} changed" for path in changed
        ]

    def library(self, answers: dict, taken: set[str]) -> list[str]:
        """The library answers with the same files as before, and wants to download what went."""
        problems = []
        for (name, record), answer in zip(self.files.items(), answers["online"], strict=True):
            if answer != (None if name in taken else name):
                problems.append(f"{record['url']}: the library answers {answer} after {few(taken)} went")
        for url in {record["url"] for record in self.files.values()}:
            names = {name for name, record in self.files.items() if record["url"] == url and name not in taken}
            if answers["offline"][url] not in (names or {None}):
                problems.append(f"{url}: without a connection the library answers {answers['offline'][url]}")
        records = {name: [r["url"], r["etag"]] for name, r in self.files.items() if name not in taken}
        models = [m for m in self.answers["get_cached_models"] if any(m[:2] == record for record in records.values())]
        if (answers["models"], answers["records"]) != (models, records):
            problems.append(f"the library lists {answers['models']} and {answers['records']} after {few(taken)} went")
        return problems

    def superseded(self) -> list[str]:
        """A server that has the new content gets the new file from the library, never the old one."""
        old = self.entry_of(self.old())
        reclaimed = {e["id"] for e in self.entries() if (e["reclaim"] or "").startswith("superseded")}
        return [] if reclaimed == {old["id"]} else [f"superseded are {reclaimed}, should be {old['id']}"]

    def killed(self) -> list[str]:
        name = sha256(KILLED.encode()).hexdigest()
        try:
            folder = self.copy(self.copies / "killed")
            before = self.ask(str(folder), more=[KILLED])[str(folder)]["offline"][KILLED]
            (partial,) = [e["id"] for e in self.entries() if e["attributes"].get("url") == [KILLED]]
            self.lab.run(self.copies / "killed", "clean", partial, "-y")
            after = self.ask(str(folder), more=[KILLED])[str(folder)]["offline"][KILLED]
        finally:
            shutil.rmtree(self.copies, ignore_errors=True)
        wrong = not (before or "").startswith(name) or not before.endswith(".incomplete") or after is not None
        return [f"the library answers {before} before and {after} after"] if wrong else []

    def lost_file(self) -> list[str]:
        url = self.answers["get_cached_models"][0][0]
        (name,) = [name for name, record in self.files.items() if record["url"] == url]
        try:
            home = self.copies / "lost"
            folder = self.copy(home)
            (folder / name).unlink()
            before = self.ask(str(folder))[str(folder)]["models"]
            entries = self.lab.run(home, "show", "-c", "transformers", "--json").json["entries"]
            (record,) = [entry for entry in entries if f"{name}.json" in entry["paths"]]
            self.lab.run(home, "clean", record["id"], "-y")
            after = self.ask(str(folder))[str(folder)]["models"]
        finally:
            shutil.rmtree(self.copies, ignore_errors=True)
        if (record["kind"], record["state"], bool(record["reclaim"])) != ("record", "stale", True):
            return [f"{record}"]
        return [] if "FileNotFoundError" in str(before) and after == [] else [f"{before} before and {after} after"]

    # ------------------------------------------------------------ one folder, two layouts

    def in_the_hub(self) -> list[str]:
        """As `cached_download` left them, or TRANSFORMERS_CACHE. The hub's entries stay what they were."""
        with self.lab.home("home", HUB) as home:
            alone = self.lab.run(home, "show", "-c", "hub", "--children", "--json").json["entries"]
            shutil.copytree(self.lab.corpus / "home" / FLAT, home / HUB, dirs_exist_ok=True, copy_function=shutil.copy2)
            both = [self.lab.run(home, "show", "-c", c, "--children", "--json") for c in ("hub", "transformers")]
            listed = self.lab.run(home, "list", "--json", TRANSFORMERS_CACHE=str(home / HUB))
            before = snapshot(home)
            self.lab.run(home, "clean", "-c", "transformers", "-y")
            taken = before.keys() - snapshot(home).keys()
        problems = []
        ids = {entry["id"] for entry in self.entries()}
        if {entry["id"] for entry in both[1].json["entries"]} != ids:
            problems.append(f"{len(both[1].json['entries'])} entries in the hub, {len(ids)} in a folder of their own")
        sizes = [[(e["id"], e["size"], e["state"]) for e in entries] for entries in (alone, both[0].json["entries"])]
        if sizes[0] != sizes[1]:
            problems.append("the hub's entries changed")
        names = [(cache["cache"], cache["root"].endswith(HUB)) for cache in listed.json["caches"]]
        if names != [("hub", True), ("transformers", True)]:
            problems.append(f"`list` has {names}")
        total = weigh(before[path] for path in before if beneath(path, HUB))
        if listed.json["size"] != total:
            problems.append(f"`list` counts {listed.json['size']}, there are {total}")
        if foreign := [path for path in taken if path.removeprefix(f"{HUB}/") not in self.nodes()]:
            problems.append(f"with the flat files went {few(foreign)}")
        return problems

    # ------------------------------------------------------------ copies, and the library

    def copy(self, home: Path) -> Path:
        folder = home / FLAT
        folder.parent.mkdir(parents=True)
        subprocess.run(["cp", "-a", self.lab.corpus / "home" / FLAT, folder], check=True)
        return folder

    def ask(self, *folders: str, more: list[str] = ()) -> dict:
        questions, answers = self.lab.scratch / "questions.json", self.lab.scratch / "answers.json"
        files = [[record["url"], record["etag"]] for record in self.files.values()]
        questions.write_text(json.dumps({"folders": folders, "files": files + [[url, '"none"'] for url in more]}))
        legacy = Path(sys.prefix) / "hf-legacy"
        env = {"PATH": os.environ["PATH"], "HOME": str(self.lab.scratch), "PYTHONPATH": str(legacy)}
        command = [sys.executable, "-S", HERE / "ask_transformers.py", questions, answers]
        subprocess.run(command, env=env | {"PYTHONDONTWRITEBYTECODE": "1"}, check=True, capture_output=True)
        return json.loads(answers.read_text())
