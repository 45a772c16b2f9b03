"""dscc knows the caches of the real `datasets` library: it finds all that the library made, and after a removal the
library reads what was kept, makes anew what was removed, and cannot be left with a dataset whose files are gone.
"""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from check_recount import recount
from facts import Facts
from sandbox import Lab, few, snapshot, weigh, went

CACHE = ".cache/huggingface/datasets"
LEGACY = Path(sys.prefix, "hf-legacy")


def checks(lab: Lab, _homes: dict[str, Facts]):
    expected = json.loads((lab.corpus / "expected" / "datasets.json").read_text())
    yield "datasets: all that the library made is found", lambda: found(lab, expected)
    yield "datasets: every byte is counted once", lambda: counted(lab)
    yield "datasets: results of map go as by cleanup_cache_files", lambda: same_as_cleanup(lab, expected)
    yield "datasets: what was kept is read after each removal", lambda: removals(lab, expected)
    yield "datasets: all of the cache goes, but for what may be the only copy", lambda: everything(lab, expected)
    yield "datasets: a dataset of the Hub is the latest build that is left", lambda: of_the_hub(lab)
    yield "datasets: what was removed is made anew, the rest is used as it is", lambda: made_anew(lab)
    yield "datasets: files that a dataset points to stay with it", lambda: pointed_to(lab)
    yield "datasets: what a script extracted stays with the dataset", lambda: extracted(lab)


# ---------------------------------------------------------------- the two programs


class Library:
    """The real library in a process, for as long as a check takes."""

    def __init__(self, lab: Lab, home: Path, legacy: bool = False):
        home.mkdir(parents=True, exist_ok=True)
        env = lab.environment(home, HF_HUB_OFFLINE="1", PYTHONDONTWRITEBYTECODE="1", TMPDIR=str(lab.scratch))
        env["PYTHONPATH"] = str(LEGACY) if legacy else ""
        isolated = ["-S"] if legacy else []
        program = [sys.executable, *isolated, str(Path(__file__).with_name("datasets_library.py"))]
        self.errors = lab.scratch / "datasets-library.log"
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                program, env=env, cwd=lab.scratch, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )

    def ask(self, function: str, *arguments):
        print(json.dumps([function, *map(str, arguments)]), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the library failed in {function}: {self.errors.read_text()[-1500:]}")
        return json.loads(line)


@contextmanager
def library(lab: Lab, home: Path, legacy: bool = False):
    running = Library(lab, home, legacy)
    try:
        yield running
    finally:
        running.process.stdin.close()
        running.process.wait(timeout=60)


def show(lab: Lab, home: Path) -> dict[str, dict]:
    answer = lab.run(home, "show", "-c", "datasets", "--children", "--json")
    if answer.status:
        raise AssertionError(str(answer))
    return {entry["id"]: entry for entry in answer.json["entries"]}


def clean(lab: Lab, home: Path, *args: str) -> dict:
    """Removes, and sees to it that nothing but what was announced is gone."""
    before = snapshot(home)
    dry = lab.run(home, "clean", *args, "-n", "--json")
    run = lab.run(home, "clean", *args, "-y", "--json")
    after = snapshot(home)
    lost = before.keys() - after.keys()
    roots = {item["root"] for item in run.json["remove"]}
    planned = {f"{item['root']}/{path}" for item in dry.json["remove"] for path in item["paths"]}
    places = {path: str(home / path) for path in lost}
    beyond = [path for path, full in places.items() if not any(full == p or full.startswith(f"{p}/") for p in planned)]
    changed = [path for path in before.keys() & after.keys() if not before[path].same_content(after[path])]
    if run.json["failed"] or run.json["errors"] or beyond or changed or after.keys() - before.keys():
        raise AssertionError(f"{run}: beyond the plan {few(beyond)}, changed {few(changed)}, in {roots}")
    if run.json["freed"] != went(before, after):
        raise AssertionError(f"{run}: freed {run.json['freed']}, really {went(before, after)}")
    return run.json


def build_id(folder: str) -> str:
    """The id of a build, by its folder."""
    dataset, rest = folder.split("/", 1)
    return f"{dataset.replace('___', '/', 1)}@{rest}"


# ---------------------------------------------------------------- what is found


def found(lab: Lab, expected: dict) -> list[str]:
    with lab.home("home", CACHE) as home:
        rows, root = show(lab, home), home / CACHE
        problems = []
        for folder, answer in expected.items():
            row = rows.get(build_id(folder))
            problems += [f"{folder} is not found"] if row is None else of_build(root, folder, answer, row)
        parts = {path for row in rows.values() if row["kind"] == "cache" for path in row["paths"]}
        results = {str(path.relative_to(root)) for path in root.rglob("cache-*.arrow")}
        problems += [f"results of map: {few(parts ^ results)}"] if parts != results else []
        problems += unfinished(root, rows) + downloads(root, rows)
    older, newer = (rows[build_id(folder)] for folder in list(expected)[:2])
    if older["state"] != "stale" or "superseded" not in older["reclaim"] or newer["reclaim"]:
        problems.append(f"of two commits: {older['state']}, {older['reclaim']}; {newer['state']}, {newer['reclaim']}")
    return problems


def of_build(root: Path, folder: str, answer: dict, row: dict) -> list[str]:
    attributes = row["attributes"]
    size = weigh(snapshot(root / folder).values())
    splits = sorted(f"{name}: {rows}" for name, rows in answer["splits"].items())
    compared = [
        ("size", row["size"], size),
        ("kind", row["kind"], "build"),
        ("state", row["state"] in ("complete", "stale"), True),
        ("splits", sorted(attributes.get("splits", [])), splits),
        ("builder", attributes["builder"], [answer["builder_name"]]),
        ("config", attributes["config"], [answer["config_name"]]),
        ("version", attributes["version"], [answer["version"]]),
        ("locks", all((root / path).exists() for path in row["paths"]), True),
    ]
    return [f"{folder}: {what} is {said}, not {true}" for what, said, true in compared if said != true]


def unfinished(root: Path, rows: dict) -> list[str]:
    paths = [*root.rglob("*.incomplete"), *root.glob("*/*/*/*/tmp*")]
    problems = [] if len(paths) == 2 else [f"the corpus has {paths}"]
    for path in (str(path.relative_to(root)) for path in paths):
        owners = [row for row in rows.values() if path in row["paths"] and row["parent"]]
        if [(row["state"], row["kind"], bool(row["reclaim"])) for row in owners] != [("partial", "partial", True)]:
            problems.append(f"{path}: {owners}")
    return problems


def downloads(root: Path, rows: dict) -> list[str]:
    problems = []
    for record in (root / "downloads").glob("*.json"):
        url, path = json.loads(record.read_text())["url"], f"downloads/{record.stem}"
        owners = [row for row in rows.values() if path in row["paths"]]
        wanted = [("download", [url], sorted([path, f"{path}.json", f"{path}.lock"]))]
        if [(row["kind"], row["attributes"].get("url"), sorted(row["paths"])) for row in owners] != wanted:
            problems.append(f"{url}: {owners}")
    for path in (root / "downloads/extracted").iterdir():
        path = str(path.relative_to(root))
        if sum(path in row["paths"] for row in rows.values()) != 1:
            problems.append(f"{path} is not claimed by one entry")
    return problems


def counted(lab: Lab) -> list[str]:
    with lab.home("home", CACHE) as home:
        return recount(lab, home, "datasets")


# ---------------------------------------------------------------- removals on the corpus


def same_as_cleanup(lab: Lab, expected: dict) -> list[str]:
    problems = []
    for folder, answer in expected.items():
        removed = answer["cleanup_cache_files"]["removed"]
        if not removed:
            continue
        with lab.home("home", CACHE) as home:
            build = build_id(folder)
            parts = [row["id"] for row in show(lab, home).values() if row["parent"] == build and row["kind"] == "cache"]
            before = {path.name for path in (home / CACHE / folder).iterdir()}
            clean(lab, home, "-c", "datasets", *parts)
            gone = sorted(before - {path.name for path in (home / CACHE / folder).iterdir()})
        if gone != removed:
            problems.append(f"{folder}: {gone} went, the library removes {removed}")
    return problems


def removals(lab: Lab, expected: dict) -> list[str]:
    """Each entry alone, on a copy; then the library reads every other build."""
    problems = []
    with library(lab, lab.scratch / "reader") as real:
        with lab.home("home", CACHE) as home:
            rows = show(lab, home)
        for entry_id, row in rows.items():
            with lab.home("home", CACHE) as home:
                answer = clean(lab, home, "-c", "datasets", entry_id)
                gone = {item["id"] for item in answer["remove"]}
                left = real.ask("read", home / CACHE)
                wanted = {f: a["splits"] for f, a in expected.items() if build_id(f) not in gone}
                still = [path for path in row["paths"] if os.path.lexists(home / CACHE / path)]
            if left != wanted or still or entry_id not in gone:
                problems.append(f"{entry_id}: the library reads {left}, not {wanted}; still there: {still}")
    return problems


def everything(lab: Lab, expected: dict) -> list[str]:
    """`clean -c datasets`: data of the Hub goes, and so do downloads; what may be the only copy stays and is told."""
    with library(lab, lab.scratch / "reader") as real, lab.home("home", CACHE) as home:
        answer = clean(lab, home, "-c", "datasets")
        left = real.ask("read", home / CACHE)
    wanted = {folder: a["splits"] for folder, a in expected.items() if not folder.startswith("acme___reviews")}
    problems = [] if left == wanted else [f"the library reads {sorted(left)}, not {sorted(wanted)}"]
    kept = {item["id"] for item in answer["keep"]}
    untold = {folder.split("/")[0].replace("___", "/") for folder in wanted} - kept
    problems += [f"kept without a word: {untold}"] if untold else []
    return problems


def of_the_hub(lab: Lab) -> list[str]:
    """Without the net the library takes the build that was made last; without any it says so."""
    dataset = "acme/reviews"
    older, newer = (
        f"{dataset}@default/0.0.0/{commit}"
        for commit in ("90e2edded64226036b0212158e20d6060acd3227", "ba62a8498f8d7f716274a2e3efeb83d4fe246f07")
    )
    problems = []
    for ids, wanted in [((), newer), ((older,), newer), ((newer,), older), ((older, newer), None), ((dataset,), None)]:
        with lab.home("home", CACHE) as home, library(lab, home) as real:
            before = (home / CACHE / "acme___reviews").exists()
            if ids:
                clean(lab, home, "-c", "datasets", *ids)
            after, folder = real.ask("hub", dataset), home / CACHE / "acme___reviews"
            if not before or (wanted is None) == folder.exists():
                problems.append(f"without {ids}: the folder is {'there' if folder.exists() else 'gone'}")
        if (wanted.rpartition("/")[2] if wanted else "Error: ") not in after:
            problems.append(f"without {ids} the library takes {after}")
    return problems


# ---------------------------------------------------------------- removals, and the library's next run


def fill(home: Path) -> Path:
    data = home / "data"
    (data / "downloads").mkdir(parents=True)
    (data / "rows.csv").write_text("n\n" + "".join(f"{n}\n" for n in range(100)))
    (data / "downloads/train.csv").write_text("n\n" + "".join(f"{n}\n" for n in range(30)))
    (data / "rows.jsonl").write_text("".join(json.dumps({"n": n}) + "\n" for n in range(70)))
    (data / "lines.txt").write_text("".join(f"line {n}\n" for n in range(40)))
    pictures = home / f".cache/huggingface/hub/datasets--acme--Pictures/snapshots/{'ab' * 20}"
    pictures.mkdir(parents=True)
    (pictures.parent.parent / "refs").mkdir()
    (pictures.parent.parent / "refs/main").write_text("ab" * 20)
    (data / "pictures.csv").write_text("picture,n\n" + "".join(f"{pictures}/{n}.png,{n}\n" for n in range(9)))
    for n in range(9):
        (pictures / f"{n}.png").write_bytes(b"PNG")
    return data


@contextmanager
def filled(lab: Lab):
    """A home that the library of today filled itself, and the library."""
    import shutil

    home = lab.scratch / "home"
    try:
        data = fill(home)
        with library(lab, home) as real:
            yield home, data, real
    finally:
        shutil.rmtree(home)


def made_anew(lab: Lab) -> list[str]:
    problems = []
    with filled(lab) as (home, data, real):
        first = real.ask("load", data)
        rows = show(lab, home)
        again = real.ask("load", data)
        if first != again:
            return [f"the library does not use its own cache: {first}, then {again}"]
        ids = {name: build_id(os.path.relpath(place["folder"], home / CACHE)) for name, place in first.items() if name != "paths"}
        missing = set(ids.values()) - rows.keys()
        if missing:
            return [f"not found: {missing}"]
        locks = [path.name for path in (home / CACHE).glob("*.lock")]
        owned = [path for row in rows.values() if row["kind"] == "build" for path in row["paths"] if path in locks]
        if sorted(owned) != sorted(locks):
            problems.append(f"locks of the root: builds have {sorted(owned)}, there are {sorted(locks)}")
        for name in ("csv", "json", "text", "folder", "generator", "pictures"):
            clean(lab, home, "-c", "datasets", ids[name])
            after = real.ask("load", data)
            changed = {n for n in ids if after[n]["made"] != first[n]["made"] or after[n]["folder"] != first[n]["folder"]}
            wanted = {name, "map"} if name == "csv" else {name}
            if changed != wanted or any(after[n].get("rows") != first[n].get("rows") for n in ids):
                problems.append(f"after the removal of {name} {changed} was made anew")
            first = after
        part = f"{ids['csv']}/{Path(first['map']['file']).stem}"
        clean(lab, home, "-c", "datasets", part)
        after = real.ask("load", data)
        changed = {n for n in ids if after[n]["made"] != first[n]["made"]}
        if changed != {"map"}:
            problems.append(f"after the removal of the map's result {changed} was made anew")
    return problems


def pointed_to(lab: Lab) -> list[str]:
    """A dataset of pictures holds their paths, here into the hub's cache: the snapshot stays until the dataset goes."""
    with filled(lab) as (home, data, real):
        first = real.ask("load", data)
        build = build_id(os.path.relpath(first["pictures"]["folder"], home / CACHE))
        refused = lab.run(home, "clean", "-c", "hub", "dataset/acme/Pictures", "-y", "--json")
        problems = []
        reasons = [item["reason"] for item in refused.json["keep"]]
        if refused.status != 3 or not all(os.path.exists(path) for path in first["paths"]):
            problems.append(f"{refused}: the pictures of {build} went")
        if not any("datasets:csv" in reason for reason in reasons):
            problems.append(f"the reason is {reasons}")
        clean(lab, home, "-c", "datasets", build)
        run = lab.run(home, "clean", "-c", "hub", "dataset/acme/Pictures", "-y", "--json")
        if run.status or any(os.path.exists(path) for path in first["paths"]):
            problems.append(f"{run}: without {build} the pictures are free to go")
    return problems


SCRIPT = """
import os
import datasets


class Pictures(datasets.GeneratorBasedBuilder):
    VERSION = datasets.Version("1.1.0")

    def _info(self):
        return datasets.DatasetInfo(features=datasets.Features({"file": datasets.Value("string")}))

    def _split_generators(self, manager):
        folder = manager.download_and_extract(os.environ["ARCHIVE"])
        return [datasets.SplitGenerator(name="train", gen_kwargs={"folder": folder})]

    def _generate_examples(self, folder):
        for number, name in enumerate(sorted(os.listdir(folder))):
            yield number, {"file": os.path.join(folder, name)}
"""


def extracted(lab: Lab) -> list[str]:
    import shutil
    import zipfile

    home = lab.scratch / "home"
    problems = []
    try:
        home.mkdir()
        (home / "pictures.py").write_text(SCRIPT)
        for name in ("used", "other"):
            with zipfile.ZipFile(home / f"{name}.zip", "w") as archive:
                archive.writestr(f"{name}.png", b"PNG")
        with library(lab, home, legacy=True) as real:
            made = real.ask("script", home / "pictures.py", home / "used.zip")
            rows = show(lab, home)
            (needed,) = (row["id"] for row in rows.values() if row["kind"] == "extracted")
            build = build_id(os.path.relpath(made["folder"], home / CACHE))
            refused = lab.run(home, "clean", "-c", "datasets", needed, "-y", "--json")
            reasons = [item["reason"] for item in refused.json["keep"]]
            if refused.status != 3 or not all(map(os.path.exists, made["files"])) or "stays and needs it" not in str(reasons):
                problems.append(f"{refused}: {reasons}")
            if build not in rows or rows[build]["recovery"] != "uncertain":
                problems.append(f"{build}: {rows.get(build)}")
            both = clean(lab, home, "-c", "datasets", build, needed)
            if {item["id"] for item in both["remove"]} < {build, needed}:
                problems.append(f"together: {both['remove']}, kept {both['keep']}")
            again = real.ask("script", home / "pictures.py", home / "used.zip")
            if not all(map(os.path.exists, again["files"])):
                problems.append("the library does not extract again")
    finally:
        shutil.rmtree(home)
    return problems
