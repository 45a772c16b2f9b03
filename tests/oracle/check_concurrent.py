"""What the real library does while dscc cleans: a download that runs through cleanings ends whole, at the latest when it
is tried again, and while what went waits for `dscc undo` the library sees no trace of it.

A hub on loopback serves a model slowly to `snapshot_download` in a process of its own. DSCC_ORACLE_ROUNDS is how many
downloads are made for each command, each begun at another moment.
"""

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

from _hf_content import File, Repo, as_json, lfs, text
from _hf_fake_hub import FakeHub, _Handler, _Server
from _hf_oracle import scan
from facts import HUB, Facts
from sandbox import Lab, few, snapshot

ROUNDS = int(os.environ.get("DSCC_ORACLE_ROUNDS", "2"))
MODEL, OTHER = "acme/slow", "acme/other"
COMMANDS = (
    ("clean", "-y", "--all", "--grace", "0s"),
    ("clean", "-y", "--all"),
    ("clean", "-y", "-c", "hub", "--grace", "0s"),
    ("clean", "-y", "--all", "--grace", "0s", "--keep-undo"),
    ("clean", "-y", "--all", "--grace", "0s", "--no-record"),
)


def checks(lab: Lab, homes: dict[str, Facts]):
    for command in COMMANDS:
        title = f"a download runs through `dscc {' '.join(command)}` and is whole, at the latest when tried again"
        yield title, partial(downloads, lab, command)
    for inside in (False, True):
        where = "in the root" if inside else "beside the root"
        title = f"the library sees no trace of what waits {where}, and after undo all is as before"
        yield title, partial(held, lab, homes["home"], inside)


# ---------------------------------------------------------------- a slow hub


class SlowHub(FakeHub):
    """Two models; large files come in pieces, with pauses, unless `hurry` is set."""

    def __init__(self):
        files = {"config.json": as_json(model_type="bert"), "a/README.md": text("slow\n")}
        files |= {f"model-{n}.safetensors": lfs(f"slow-{n}", 300_000 + n) for n in range(5)}
        other = {"config.json": as_json(model_type="gpt2"), "model.safetensors": lfs("other", 200_000)}
        models = [Repo("model", MODEL, {"a": files}, {"main": "a"}), Repo("model", OTHER, {"a": other}, {"main": "a"})]
        self.repos = {(repo.type, repo.id): repo for repo in models}
        self.tls, self.xet_hashes, self.xorbs = None, {}, {}
        self.release, self.hurry = threading.Event(), threading.Event()
        self.server = _Server(("127.0.0.1", 0), type("Handler", (_SlowHandler,), {"hub": self}))
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def files(self, model: str) -> dict[str, File]:
        return self.repos["model", model].commits["a"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class _SlowHandler(_Handler):
    PIECES = 12

    def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        if self.command == "HEAD" or status not in (200, 206) or len(body) < 100_000 or self.hub.hurry.is_set():
            return super().answer(status, body, headers)
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        piece = len(body) // self.PIECES + 1
        for at in range(0, len(body), piece):
            self.wfile.write(body[at : at + piece])
            self.wfile.flush()
            time.sleep(0.05)


DOWNLOAD = """
import sys
from huggingface_hub import snapshot_download
print(snapshot_download(sys.argv[1], max_workers=2))
"""


def start_download(home: Path, hub: SlowHub, model: str) -> subprocess.Popen:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "HF_ENDPOINT": hub.endpoint,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    command = [sys.executable, "-c", DOWNLOAD, model]
    return subprocess.Popen(
        command, env=environment, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


# ---------------------------------------------------------------- a download through cleanings


def downloads(lab: Lab, command: tuple[str, ...]) -> list[str]:
    problems, reasons, interrupted = [], set(), 0
    with SlowHub() as hub:
        for number in range(ROUNDS):
            home = lab.scratch / f"download-{number}"
            home.mkdir()
            found, said, failed = one_download(lab, hub, home, command, number / ROUNDS)
            problems += [f"round {number}: {problem}" for problem in found]
            reasons |= said
            interrupted += failed
            subprocess.run(["rm", "-rf", home], check=True)
    # With a grace age it is too young in any case; without one it is the locks and the open files that keep it.
    if not any("use" in reason or "changed" in reason for reason in reasons):
        problems.append(f"nothing was ever kept because it is in use: {reasons}")
    if interrupted == ROUNDS:
        problems.append(f"all {ROUNDS} downloads were disturbed so much that they ended with an error")
    return problems


def one_download(
    lab: Lab, hub: SlowHub, home: Path, command: tuple[str, ...], moment: float
) -> tuple[list[str], set[str], bool]:
    hub.hurry.set()
    start_download(home, hub, OTHER).communicate()
    hub.hurry.clear()
    problems, reasons = [], set()
    process = start_download(home, hub, MODEL)
    time.sleep(moment)
    while process.poll() is None:
        answer = lab.run(home, *command, "--json")
        if answer.status not in (0, 1, 3):
            problems.append(str(answer))
        report = answer.json
        if answer.status == 0 and report["failed"]:
            problems.append(f"success with failures: {report['failed']}")
        mine = [row for row in report["keep"] if row["id"].startswith(f"model/{MODEL}")]
        reasons |= {row["reason"] for row in mine}
    _, errors = process.communicate()
    problems += damage(home)
    # What was taken last goes back, or is deleted: either way the library finds a valid cache.
    if "--keep-undo" in command:
        while (undone := lab.run(home, "undo", "--json")).status == 0:
            problems += damage(home)
        if undone.status == 1:  # a place is taken by what was downloaded anew
            lab.run(home, "undo", "--discard", "-y")
    hub.hurry.set()
    again = start_download(home, hub, MODEL)
    path, retry_errors = again.communicate()
    if again.returncode:
        return [*problems, f"the download fails when tried again: {retry_errors[-500:]}"], reasons, bool(process.returncode)
    for name, file in hub.files(MODEL).items():
        place = Path(path.strip(), name)
        if not place.is_file() or hashlib.sha256(place.read_bytes()).hexdigest() != file.sha256:
            problems.append(f"{name} is not whole: {errors[-300:]}")
    problems += damage(home)
    while lab.run(home, "undo", "--discard", "-y").status == 0:
        pass
    left = [path for path in snapshot(home) if ".dscc-" in path]
    if left:
        problems.append(f"left behind: {few(left)}")
    return problems, reasons, bool(process.returncode)


def damage(home: Path) -> list[str]:
    """Links and refs that lead nowhere, and what the library warns of."""
    hub = home / HUB
    problems = [f"{path.relative_to(hub)} leads nowhere" for path in hub.rglob("*") if path.is_symlink() and not path.exists()]
    for ref in hub.glob("models--*/refs/*"):
        # A download writes the ref before it writes the first file: then there is nothing to be whole yet.
        repository = ref.parent.parent
        if not (repository / "snapshots" / ref.read_text()).is_dir() and (repository / "snapshots").is_dir():
            problems.append(f"{ref.relative_to(hub)} names a revision that is not there")
    if hub.is_dir():
        warned = [warning for warning in scan(hub)["warnings"] if "Snapshots dir doesn't exist" not in warning]
        problems += [f"the library warns: {warning}" for warning in warned]
    return problems


# ---------------------------------------------------------------- what waits is not seen


def seen(hub: Path) -> str:
    """All that the library says but times of access, which reading changes."""
    found = scan(hub)
    for repo in found["repos"]:
        repo.pop("last_accessed")
    return json.dumps(found, indent=1, sort_keys=True)


def contents(hub: Path) -> dict[str, object]:
    """What is in every file; lists of holders are in no order."""
    nodes = {path: (n.kind, n.content) for path, n in snapshot(hub).items()}
    lists = {path: sorted((hub / path).read_text().splitlines()) for path in nodes if path.endswith(".refs")}
    return nodes | lists


def held(lab: Lab, facts: Facts, inside: bool) -> list[str]:
    problems = []
    with lab.home(facts.name, facts.where) as home:
        hub = home / HUB
        blocker = hub.parent / f".dscc-quarantine-{os.geteuid()}"
        if inside:
            blocker.write_text("in the way")
        before, files = seen(hub), contents(hub)
        warnings = set(json.loads(before)["warnings"])
        for targets in (["--all"], list(facts.repos)[:3], [next(iter(facts.revisions))]):
            run = lab.run(home, "clean", "-y", "-c", "hub", *targets, "--keep-undo", "--grace", "0s", "--json")
            if run.status not in (0, 1) or not run.json["remove"]:
                return [f"nothing waits: {run}"]
            waits = [path for path in snapshot(home) if ".dscc-quarantine" in path and path.endswith("CACHEDIR.TAG")]
            if len(waits) != 1 or waits[0].startswith(f"{HUB}/") != inside:
                problems.append(f"waits in the wrong place: {few(waits)}")
            new = set(json.loads(seen(hub))["warnings"]) - warnings
            if new:
                problems.append(f"new warnings while it waits: {few(new)}")
            undone = lab.run(home, "undo", "--json")
            if undone.status or undone.json["left"] or undone.json["errors"]:
                problems.append(f"not undone: {undone} {undone.stdout[:500]}")
            if seen(hub) != before:
                problems.append("the library sees something else after the undo")
            now = contents(hub)
            if changed := {path for path in files.keys() | now.keys() if files.get(path) != now.get(path)}:
                problems.append(f"not as before: {few(changed)}")
        blocker.unlink(missing_ok=True)
    return problems
