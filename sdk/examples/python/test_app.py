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

from componentize_py_types import Err, Ok  # noqa: E402
from wit_world.imports.files import FsError, Kind, Node  # noqa: E402
from wit_world.imports.types import Detail, Recovery, State  # noqa: E402

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
    """A directory of the interface, made of texts by their paths."""

    def __init__(self, files):
        self.files = {path: text.encode() for path, text in files.items()}

    def walk(self, at, filter):
        return Walker([Node(path, Kind.FILE, "", 0, 0) for path in sorted(self.files)])

    def read(self, files, limit):
        return [Ok(self.files[path]) if path in self.files else Err(FsError.NOT_FOUND) for path in files]


RAMEN = '{"name": "ramen", "url": "https://x", "fetched": "2026-05-01T12:00:00Z", "files": ["pages/ramen", "photos/1"]}'
SOUP = '{"name": "soup", "files": ["pages/soup", "photos/1"]}'
FILES = {"pages/ramen": "r", "pages/soup": "s", "photos/1": "1"}


def entries(files):
    listing = app.CachePlugin().list_entries(Tree(files), "recipes", None, Detail.FULL)
    return {entry.id: entry for entry in listing.entries}, listing.warnings


def edits(files, *ids):
    return [edit.drop.value for edit in app.CachePlugin().delete_entry(Tree(files), "recipes", list(ids))]


class Recipes(unittest.TestCase):
    def test_two_recipes_share_a_photo_and_one_of_them_is_the_users_own(self):
        found, warnings = entries({**FILES, "index.jsonl": f"{RAMEN}\n{SOUP}\n"})
        self.assertEqual(list(found), ["recipe/ramen", "recipe/soup"])
        self.assertEqual(found["recipe/soup"].shares, ["pages/soup", "photos/1"])
        self.assertEqual(found["recipe/ramen"].recovery, Recovery.DOWNLOAD)
        self.assertEqual(found["recipe/ramen"].created, "2026-05-01T12:00:00Z")
        self.assertEqual(found["recipe/soup"].recovery, Recovery.IRREPLACEABLE)
        self.assertEqual(warnings, [])

    def test_only_files_that_are_there_are_claimed_whatever_a_record_names(self):
        record = '{"name": "x", "files": ["../../etc/passwd", "index.jsonl", "/", "", "pages", "pages/soup", "gone"]}'
        found, _ = entries({**FILES, "index.jsonl": record})
        self.assertEqual(found["recipe/x"].shares, ["pages/soup"])
        self.assertEqual(found["recipe/x"].state, State.PARTIAL)

    def test_what_no_recipe_names_is_reclaimed_only_if_all_of_the_index_is_understood(self):
        for index, reclaim in [(RAMEN, "no recipe names it"), (f"{RAMEN}\n{{", None), (f"{RAMEN}\n\n", "no recipe names it")]:
            found, warnings = entries({**FILES, "index.jsonl": index})
            self.assertEqual(found["file/pages/soup"].reclaim, reclaim)
            self.assertEqual(len(warnings), 0 if reclaim else 1)
        found, _ = entries(FILES)
        self.assertEqual({entry.reclaim for entry in found.values()}, {None})

    def test_a_recipe_loses_all_its_lines_as_they_are_written(self):
        old = r'{"name": "ramen", "files": ["pages/a\\b"]}'
        index = f"{old}\n{SOUP}\n{RAMEN}\n"
        self.assertEqual(edits({"index.jsonl": index}, "recipe/ramen"), [[old.replace("\\", "\\\\"), RAMEN]])
        self.assertEqual(edits({"index.jsonl": index}, "file/pages/soup"), [])

    def test_lines_that_are_no_records_are_told_and_kept(self):
        for line in ["{", "[]", "1", "null", '{"name": 1, "files": []}', '{"name": "x"}', '{"name": "x", "files": 1}', "[" * 9999]:
            found, warnings = entries({"index.jsonl": f"{line}\n{SOUP}\n"})
            self.assertEqual((list(found), len(warnings)), (["recipe/soup"], 1), line[:40])

    def test_a_time_is_one_or_left_out(self):
        for good in ["2026-05-01T12:00:00Z"]:
            self.assertEqual(app.timestamp(good), good)
        for bad in [None, 5, "", "yesterday", "2026-13-01T00:00:00Z", "2026-05-01T12:00:00Z\n", "2026-05-01"]:
            self.assertIsNone(app.timestamp(bad))


if __name__ == "__main__":
    unittest.main()
