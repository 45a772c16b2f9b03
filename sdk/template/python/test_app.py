"""The logic on trees in memory, without WebAssembly: python3 -m unittest

`wit_world` is what componentize-py makes of the interface; these tests make it, too, where it is not there yet."""

import pathlib
import shutil
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).parent
BINDINGS = HERE / ".bindings"
if not BINDINGS.is_dir():
    tool = HERE / ".venv/bin/componentize-py"
    tool = str(tool) if tool.exists() else shutil.which("componentize-py")
    if tool is None:
        sys.exit("componentize-py is missing: python3 -m venv .venv && .venv/bin/pip install -r requirements.txt")
    arguments = ["--wit-path", str(HERE / "wit"), "--world", "plugin", "bindings", str(BINDINGS)]
    subprocess.run([tool, *arguments], check=True)
sys.path[:0] = [str(BINDINGS), str(HERE)]

from wit_world.imports.files import Kind, Node  # noqa: E402
from wit_world.imports.types import Detail, State  # noqa: E402

import app  # noqa: E402


class Walker:
    def __init__(self, nodes):
        self.nodes = nodes

    def next(self, max):
        portion, self.nodes = self.nodes[:max], self.nodes[max:]
        return portion

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


class Tree:
    """A directory of the interface, made of what is directly in it."""

    def __init__(self, **kinds):
        self.kinds = kinds

    def walk(self, at, filter):
        return Walker([Node(path, kind, "", 0, 0) for path, kind in self.kinds.items()])


def entries(**kinds):
    return app.CachePlugin().list_entries(Tree(**kinds), "NAME", None, Detail.FULL).entries


class Plugin(unittest.TestCase):
    def test_an_empty_cache_has_no_entries(self):
        self.assertEqual(entries(), [])

    def test_each_child_is_an_entry_that_owns_its_path(self):
        found = entries(b=Kind.FILE, a=Kind.DIRECTORY)
        self.assertEqual([(entry.id, entry.owns) for entry in found], [("a", ["a"]), ("b", ["b"])])

    def test_a_folder_that_cannot_be_read_is_broken(self):
        self.assertEqual(entries(private=Kind.UNREADABLE)[0].state, State.BROKEN)


if __name__ == "__main__":
    unittest.main()
