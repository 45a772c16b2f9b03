"""The real datamaestro in a process of its own: what it says of its datasets, and its downloads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from _ircommon import worker_env

#: Runs steps of the command line in one process: loading the library takes longer than most of them.
WORKER = """
import json, logging, sys
logging.disable(logging.CRITICAL)
from datamaestro.context import Context

def report():
    context = Context.instance()
    rows = {}
    for ds in context.datasets():
        rows[ds.id] = {
            "folder": str(ds.datapath),
            "prepared": ds.is_prepared(),
            "has_files": ds.has_files(),
            "resources": {
                r.name: {
                    "type": type(r).__name__,
                    "state": r.state.value,
                    "transient": r.transient,
                    "path": str(r.path),
                    "present": r.files_present() if r.has_files() else None,
                }
                for r in ds.ordered_resources
            },
        }
    return {
        "datapath": str(context.datapath),
        "cachepath": str(context.cachepath),
        "settings": str(context.settings.path),
        "user_settings": str(context.user_settings.path),
        "datafolders": {k: str(v) for k, v in context.settings.datafolders.items()},
        "agreements": context.user_settings.agreements,
        "datasets": rows,
    }

def download(name):
    from datamaestro.definitions import AbstractDataset
    try:
        return AbstractDataset.find(name).download() is not False
    except Exception as error:
        return f"{type(error).__name__}: {error}"

answers = []
for step in json.loads(sys.argv[1]):
    answers.append(report() if step == "report" else download(step))
with open(sys.argv[2], "w") as out:
    json.dump(answers, out)
"""
COMMAND_LINE = "from datamaestro.__main__ import main; main()"
LONER = "from loner.config.sets import Loner; Loner.__dataset__.download()"


class Library:
    """datamaestro with the made-up repository in `plugins`, for the user whose home is `out/home`."""

    def __init__(self, out: Path, plugins: Path, proxy: str):
        self.out, self.plugins, self.proxy = out, plugins, proxy

    def process(self, code: str, *args: str) -> tuple[list[str], dict]:
        """The arguments of a process, for callers that need more than its end."""
        environment = worker_env(self.out, self.proxy, PYTHONPATH=str(self.plugins))
        return [sys.executable, "-c", code, *args], {"env": environment, "cwd": self.out}

    def run(self, code: str, *args: str, stdin: str = "") -> subprocess.CompletedProcess:
        command, where = self.process(code, *args)
        done = subprocess.run(command, **where, input=stdin, capture_output=True, text=True, timeout=120)
        if os.environ.get("CORPUS_DEBUG"):
            print(args, done.returncode, done.stdout[-2000:], done.stderr[-3000:])
        return done

    def command(self, *args: str, stdin: str = "") -> subprocess.CompletedProcess:
        """What a user types after `datamaestro`."""
        return self.run(COMMAND_LINE, *args, stdin=stdin)

    def ask(self, *steps: str) -> list:
        """The answers to steps: `report`, or the id of a dataset to download (true, false, or what went wrong)."""
        answers = self.out / "answers.json"
        done = self.run(WORKER, json.dumps(steps), str(answers))
        if done.returncode:
            raise RuntimeError(f"datamaestro failed: {done.stderr[-2000:]}")
        found = json.loads(answers.read_text())
        answers.unlink()
        return found

    def report(self) -> dict:
        return self.ask("report")[0]
