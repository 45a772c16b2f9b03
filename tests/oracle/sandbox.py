"""A copy of a home for each check, dscc run in a clean environment, and a record of everything beneath a folder."""

import hashlib
import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HUB = ".cache/huggingface/hub"


@dataclass(frozen=True)
class Node:
    """One file, folder or link, as far as a cleaner must leave it alone. Access times are not part of it."""

    kind: str
    size: int
    inode: int
    mode: int
    modified: int
    content: str  # digest of a file, text of a link

    @property
    def weight(self) -> int:
        return self.size if self.kind == "file" else 0

    def same_content(self, other: "Node") -> bool:
        return (self.kind, self.content) == (other.kind, other.content)


def node(path: Path) -> Node:
    stat = path.lstat()
    if path.is_symlink():
        kind, content = "link", os.readlink(path)
    elif path.is_dir():
        kind, content = "dir", ""
    else:
        kind, content = "file", hashlib.sha256(path.read_bytes()).hexdigest()
    return Node(kind, stat.st_size, stat.st_ino, stat.st_mode, stat.st_mtime_ns, content)


def snapshot(root: Path) -> dict[str, Node]:
    """Every node beneath root by its relative path."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = Path(folder, name)
            found[path.relative_to(root).as_posix()] = node(path)
    return found


def weigh(nodes) -> int:
    """Bytes of the files among the nodes, an inode once."""
    return sum({n.inode: n.weight for n in nodes if n.kind == "file"}.values())


def went(before: dict[str, Node], after: dict[str, Node]) -> int:
    """Bytes of the files that are gone, without those that a path from before still holds by a hard link.

    Inodes of `after` alone say nothing: a file made since may have got the number of one that is gone.
    """
    held = {n.inode for path, n in before.items() if path in after}
    return weigh(n for path, n in before.items() if path not in after and n.inode not in held)


def beneath(path: str, folder: str) -> bool:
    """Whether path is folder or lies beneath it."""
    return path == folder or path.startswith(f"{folder}/")


def tree_of(nodes: dict[str, Node], folder: str) -> set[str]:
    return {path for path in nodes if beneath(path, folder)}


@dataclass(frozen=True)
class Answer:
    """What a run of dscc said."""

    command: str
    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict:
        try:
            return json.loads(self.stdout)
        except ValueError as error:
            raise AssertionError(f"{self}: no JSON on standard output ({error})") from None

    def __str__(self) -> str:
        return f"`{self.command}` exited with {self.status}\n{self.stderr.strip()[-1000:]}".strip()


class Skipped(Exception):
    """A check that cannot be made here, and why."""


class Lab:
    """The binary under test, the corpus, and a scratch folder that goes at the end."""

    def __init__(self, dscc: Path, library: str, corpus: Path, scratch: Path, *, full: bool = False):
        self.dscc, self.corpus, self.scratch = dscc.resolve(), corpus.resolve(), scratch.resolve()
        self.library, self.full = library, full

    def environment(self, home: Path, **settings: str) -> dict[str, str]:
        own = self.scratch / "dscc"  # dscc's own folders; one for all, so that components are compiled once
        return {
            "PATH": os.environ["PATH"],
            "DSCC_GRACE": "0s",  # copies are younger than any grace age
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "DSCC_CONFIG": str(own / "config.toml"),
            "DSCC_PLUGINS_DIR": str(own / "plugins"),
            "DSCC_STATE_DIR": str(own / "state"),
            "DSCC_CACHE_DIR": str(own / "cache"),
        } | settings

    def run(self, home: Path, *args: str, cwd: Path | None = None, **settings: str) -> Answer:
        done = subprocess.run(
            [self.dscc, *args],
            env=self.environment(home, **settings),
            cwd=cwd or home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
        return Answer(" ".join(["dscc", *args]), done.returncode, done.stdout, done.stderr)

    @contextmanager
    def home(self, name: str, where: str = "."):
        """A copy of a home of the corpus, or of one folder in it. No hard links: removing one of them frees nothing."""
        copy = self.scratch / "home"
        target = copy / where
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", self.corpus / name / where, target], check=True)
        try:
            yield copy
        finally:
            shutil.rmtree(copy)


def entries(answer: Answer) -> dict[str, dict]:
    """The rows of `show --json` by id."""
    return {entry["id"]: entry for entry in answer.json["entries"]}


def claims(entry: dict) -> list[str]:
    """The paths of a row of `show` or of `clean`'s `remove`, relative to the home."""
    root = entry["root"]
    at = root.rindex(HUB) if HUB in root else len(root)
    return [f"{root[at:]}/{path}" for path in entry["paths"]]


def few(paths, limit: int = 12) -> str:
    """Paths for a message."""
    paths = sorted(paths)
    more = f" ... and {len(paths) - limit} more" if len(paths) > limit else ""
    return ", ".join(paths[:limit]) + more
