"""One home at a fixed place, made anew for each point, and what it looks like: every node, and what dscc keeps there."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from crash import stopper
from sandbox import Answer, Lab, Node, few, node

OURS = ".dscc-"
INDEX = ".refs"
Nodes = dict[str, Node]


class World:
    """A copy of a small corpus, dscc's state folder, and room for one more copy that a library may change.

    `links` are links of the corpus that lead to a place in it by an absolute path: that place, by the link's. `above` are
    the folders that roots are in.
    """

    def __init__(self, lab: Lab, pristine: Path, at: Path, links: dict[str, str], above: tuple[str, ...], settings: dict):
        self.lab, self.pristine, self.links, self.above = lab, pristine, links, above
        self.at, self.live, self.asked = at, at / "live", at / "asked"
        self.home, self.state = self.live / "home", self.live / "state"
        self.settings = {name: value.replace("{live}", str(self.live)) for name, value in settings.items()}
        at.mkdir(parents=True)

    def restore(self) -> Nodes:
        """The corpus as it was, and nothing that dscc would know of. Returns its nodes."""
        self.copy(self.pristine, self.live)
        return self.nodes()

    def copy_to_ask(self) -> Path:
        """A second copy of what is there now, at a fixed place."""
        self.copy(self.live, self.asked)
        return self.asked

    def copy(self, source: Path, target: Path) -> None:
        if target.exists():
            shutil.rmtree(target)
        subprocess.run(["cp", "-a", source, target], check=True)
        for path, place in self.links.items():
            link = target / path
            if not link.is_symlink():
                continue
            times, above = link.lstat(), link.parent.stat()
            link.unlink()
            link.symlink_to(target / place)
            os.utime(link, ns=(times.st_atime_ns, times.st_mtime_ns), follow_symlinks=False)
            os.utime(link.parent, ns=(above.st_atime_ns, above.st_mtime_ns))

    # ------------------------------------------------------------ dscc

    def dscc(self, *args: str) -> Answer:
        return self.lab.run(self.home, *args, DSCC_STATE_DIR=str(self.state), **self.settings)

    def stop(self, command: tuple[str, ...], judge: stopper.Judge) -> stopper.Ended:
        """Runs dscc, asking the judge about each call that changes the home or the state."""
        environment = self.lab.environment(self.home, DSCC_STATE_DIR=str(self.state), **self.settings)
        return stopper.run([str(self.lab.dscc), *command], environment, self.at, self.live, judge)

    # ------------------------------------------------------------ what is there

    def nodes(self) -> Nodes:
        """All that is not dscc's own. Of an index the order of lines does not matter."""
        found = {}
        for path in self.walk(lambda name: not name.startswith(OURS)):
            it = node(path)
            if it.kind == "file" and path.name.endswith(INDEX):
                lines = sorted(path.read_bytes().splitlines())
                it = replace(it, content=hashlib.sha256(b"\n".join(lines)).hexdigest())
            if it.kind == "link":
                it = replace(it, content=it.content.replace(str(self.live), "{live}"))
            name = path.relative_to(self.live).as_posix()
            if name in self.above:
                it = replace(it, modified=0)  # what is put aside waits there
            found[name] = it
        return found

    def walk(self, wanted) -> Iterator[Path]:
        for folder, folders, files in os.walk(self.live):
            if folder == str(self.live) and "state" in folders:
                folders.remove("state")
            folders[:] = filter(wanted, folders)
            yield from (Path(folder, name) for name in [*folders, *filter(wanted, files)])

    def left_behind(self) -> list[str]:
        """What of dscc's is in the home, and its records of runs that are not over."""
        ours = [path for path in self.walk(lambda _: True) if path.name.startswith(OURS)]
        return sorted(str(path.relative_to(self.live)) for path in [*ours, *(self.state / "runs").glob("*.jsonl")])

    def waiting(self) -> int:
        """Bytes that wait in dscc's folders, an inode once."""
        return weigh(p for p in self.walk(lambda _: True) if f"/{OURS}" in str(p.parent) and p.name != "CACHEDIR.TAG")

    def weight(self, root: Path, hidden: tuple[str, ...]) -> int:
        """Bytes beneath a root of dscc's, an inode once."""
        secret = [root / name for name in hidden]
        return weigh(
            path
            for path in self.walk(lambda name: not name.startswith(OURS))
            if path.is_relative_to(root) and not any(path.is_relative_to(it) for it in secret)
        )


def weigh(paths) -> int:
    found = [path.lstat() for path in paths if path.is_file() and not path.is_symlink()]
    return sum({stat.st_ino: stat.st_size for stat in found}.values())


def difference(found: Nodes, wanted: Nodes, *, inodes: bool, times: bool) -> list[str]:
    """How two trees differ. Optionally inodes (of what no copy was made), and the times of folders, are the same too."""
    problems = []
    if lost := wanted.keys() - found.keys():
        problems.append(f"missing: {few(lost, 4)}")
    if more := found.keys() - wanted.keys():
        problems.append(f"too much: {few(more, 4)}")

    def seen(path: str, n: Node) -> Node:
        is_folder, is_index = n.kind == "dir", path.endswith(INDEX)
        return replace(
            n,
            size=0 if is_folder else n.size,
            inode=0 if is_index or not inodes else n.inode,
            modified=0 if is_index or is_folder and not times else n.modified,
        )

    both = wanted.keys() & found.keys()
    changed = sorted(path for path in both if seen(path, found[path]) != seen(path, wanted[path]))
    if changed:
        problems.append(f"changed: {few(changed, 4)}: {found[changed[0]]}, but it was {wanted[changed[0]]}")
    return problems
