#!/usr/bin/env python3
"""Make a real datamaestro folder with the real datamaestro library.

    python make_datamaestro.py OUT_DIR

Writes OUT_DIR/home/datamaestro (data/, cache/, settings.json), the user file
OUT_DIR/home/.config/datamaestro/user.json, OUT_DIR/outside-dm (folders that
belong to the user and are only linked from the data folder) and
OUT_DIR/expected/datamaestro.json.

A small dataset repository is written to a scratch folder and found by
datamaestro through its entry point, as a plugin is. Every dataset is then
downloaded by datamaestro's own command line from a loopback server.
"""

from __future__ import annotations

import importlib.metadata
import shutil
import signal
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from _dm_definitions import DATASETS, FILES, HOST, QRELS, STALLS, plugin  # noqa: E402
from _dm_library import COMMAND_LINE, LONER, Library  # noqa: E402
from _ircommon import (  # noqa: E402
    Loopback,
    copytree,
    du,
    fresh,
    listing,
    md5,
    pin_mtimes,
    wait_quiet,
    write_expected,
)

DOWNLOADED = [
    "com.example.letters",
    "com.example.letters.train",
    "com.example.letters.train.small",
    "com.example.pairs",
    "org.sample.kept",
    "org.sample.ref",
    "org.sample.linked",
    "org.sample.licensed",
    "org.sample.corrupt",
    "org.sample.half",
    "org.sample.variants",
    "org.sample.old",
    "org.sample.legacy",
]


class Maker:
    def __init__(self, out: Path, proxy: str):
        self.out, self.root = out, out / "home" / "datamaestro"
        self.outside, self.scratch = out / "outside-dm", out / "scratch-dm"
        self.library = Library(out, self.scratch, proxy)
        self.log: list[dict] = []

    def dm(self, *args: str, stdin: str = "") -> None:
        done = self.library.command(*args, stdin=stdin)
        self.log.append({"args": list(args), "returncode": done.returncode})

    def prepare(self) -> None:
        for path in (self.root, self.out / "home" / ".config" / "datamaestro", self.outside, self.scratch):
            fresh(path)
        (self.out / "home").mkdir(parents=True, exist_ok=True)
        (self.outside / "disks" / "TREC45" / "FBIS").mkdir(parents=True)
        (self.outside / "disks" / "TREC45" / "FBIS" / "FB396001").write_bytes(b"licensed\n" * 300)
        (self.outside / "disks" / "terms.txt").write_bytes(b"terms\n")
        plugin(self.scratch, self.definitions)

    @property
    def definitions(self) -> str:
        return DATASETS % {"host": HOST, "qrels_md5": md5(QRELS)}

    def fill(self) -> None:
        self.dm("datafolders", "set", "disks", str(self.outside / "disks"))
        for dataset in DOWNLOADED:
            self.dm("download", dataset)
        self.dm("prepare", "org.sample.agreed", stdin="yes\n")
        # a second download of the same address, this time kept in cache/
        shutil.rmtree(self.root / "data" / "corpus" / "org" / "sample" / "variants")
        self.dm("--keep-downloads", "download", "org.sample.variants")
        self.library.run(LONER).check_returncode()
        self.kill_a_download()

    def kill_a_download(self) -> None:
        command, where = self.library.process(COMMAND_LINE, "download", "org.sample.killed")
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, **where, **silent)
        wait_quiet(self.root, lambda: any((self.root / "cache").glob("*.tmp")))
        process.send_signal(signal.SIGKILL)
        process.wait()

    def spoil(self) -> None:
        # an older datamaestro wrote no state files; a user drops a note in data/
        legacy = self.root / "data" / "corpus" / "org" / "sample" / "legacy"
        for name in (".state.json", ".state.lock"):
            (legacy / name).unlink(missing_ok=True)
        (self.root / "data" / "README.txt").write_text("do not delete\n")
        # the definition of org.sample.old goes away
        before, after = self.definitions.split('@dataset(File, id="org.sample.old")')
        plugin(self.scratch, before + after[after.index("@useragreement") :])
        shutil.rmtree(self.scratch / "dscc_corpus" / "config" / "com" / "__pycache__", True)

    def pin(self) -> None:
        data = self.root / "data" / "corpus"
        for path in (data / "com", data / "org" / "sample", self.root / "cache", self.root, self.outside):
            pin_mtimes(path)
        pin_mtimes(self.out / "home" / ".config")

    def trial(self, act, steps: list[str], look: list[str]) -> dict:
        """What happens to datamaestro when something goes, on a copy."""
        keep = self.out / "scratch-keep"
        copytree(self.root, keep)
        act()
        runs = [{"args": args, "returncode": self.library.command(*args).returncode} for args in map(str.split, steps)]
        now = self.library.report()
        folders = [Path(now["datasets"][dataset]["folder"]) for dataset in look]
        paths = [row["path"] for row in listing(self.root)]
        result = {
            "runs": runs,
            "after": {dataset: now["datasets"][dataset] for dataset in look},
            "files": [path for path in paths if any((self.root / path).is_relative_to(at) for at in folders)],
        }
        shutil.rmtree(self.root)
        keep.rename(self.root)
        return result

    def trials(self) -> dict[str, dict]:
        letters = self.root / "data/corpus/com/example/letters"
        pairs = self.root / "data/corpus/com/example/pairs"
        linked = ["org.sample.linked", "com.example.letters.train"]

        def drop_own_files():
            for child in letters.iterdir():
                if child.name != "train":
                    shutil.rmtree(child) if child.is_dir() else child.unlink()

        def drop_some_files():
            (pairs / "queries.tsv").unlink()
            shutil.rmtree(pairs / "runs")

        again = (["download com.example.pairs"], ["com.example.pairs"])
        return {
            "a dataset folder removed whole is downloaded again": self.trial(lambda: shutil.rmtree(pairs), *again),
            "files removed, .state.json left: downloaded again": self.trial(drop_some_files, *again),
            "own files and state of an archive dataset removed, nested dataset left: adopted as complete": self.trial(
                drop_own_files, ["download com.example.letters"], ["com.example.letters"]
            ),
            "a removed target leaves a dangling link that download does not repair": self.trial(
                lambda: shutil.rmtree(letters / "train"), ["download org.sample.linked"], linked
            ),
            "the cache folder removed": self.trial(
                lambda: shutil.rmtree(self.root / "cache"),
                ["download com.example.pairs", "download org.sample.corrupt"],
                ["com.example.pairs"],
            ),
        }

    def expected(self) -> dict:
        seen = self.library.report()
        orphans = self.library.command("orphans")
        tree = listing(self.root)
        return {
            "library": {name: importlib.metadata.version(name) for name in ("datamaestro", "experimaestro")},
            "roots": {
                "home": "home/datamaestro",
                "user_settings": "home/.config/datamaestro/user.json",
                "outside": "outside-dm",
            },
            "made_by_hand": ["data/README.txt", "data/corpus/org/sample/legacy: state files removed"],
            "commands": self.log,
            "seen": seen,
            "orphans": {
                "returncode": orphans.returncode,
                "lines": sorted(orphans.stdout.split()),
                "last_line": (orphans.stderr.strip().splitlines() or [""])[-1],
            },
            "trials": self.trials(),
            "urls": {url: {"bytes": len(content)} for url, content in FILES.items()},
            "tree": tree,
            "outside_tree": listing(self.outside),
            "bytes": {"home": du(self.root), "outside": du(self.outside)},
        }


def main(out: Path) -> None:
    with Loopback(FILES, STALLS) as net:
        maker = Maker(out.resolve(), net.proxy)
        maker.prepare()
        maker.fill()
        maker.spoil()
        maker.pin()
        expected = maker.expected()
    shutil.rmtree(maker.scratch)
    write_expected(maker.out, "datamaestro", expected)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
