"""The cache of a made-up recipe collector, `${RECIPES_HOME}`, else `~/.cache/recipes`:

    index.jsonl    a record a line: {"name": "ramen", "url": "https://...", "fetched": "2026-05-01T12:00:00Z",
                   "files": ["pages/ramen.html", "photos/7f3a.jpg"]}; of two with one name the later counts
    .lock          locked (flock) while the index changes
    pages/         what was downloaded; `*.part` while it is
    photos/        the same; several recipes may show one photo

This names what is there. dscc measures, asks and removes, and drops the records from the index.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Dict, List, Optional, Set

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports.files import Directory, Filter, Kinds
from wit_world.imports.types import (
    Cache, Detail, Edit, Entry, Expansion, Listing, Location, Lock, LockKind, Manifest, Moment, Records_Lines, Recovery,
    RootRule, State, Warning,
)

INDEX = "index.jsonl"
LIMIT = 8 << 20
FOLDERS = ("pages/", "photos/")
LOCK = Lock(LockKind.FLOCK, ".lock")


class CachePlugin(exports.CachePlugin):
    def describe(self) -> Manifest:
        locations = [Location("${RECIPES_HOME}", Expansion(0)), Location("~/.cache/recipes", Expansion(0))]
        root = RootRule("recipes", locations, marks=[INDEX, "pages"], indexes=[INDEX])
        summary = "What the recipe collector has downloaded."
        return Manifest("recipes", "0.1.0", "Recipes", summary, None, "MIT", [root], [])

    def discover(self, root: Directory, rule: str) -> List[Cache]:
        return [Cache("recipes", "Recipes", "")]

    def list_entries(self, root: Directory, cache: str, parent: Optional[str], detail: Detail) -> Listing:
        index, files = read_index(root), list_files(root)
        entries = [entry(recipe, files) for recipe in index.recipes.values()]
        named = {path for recipe in index.recipes.values() for path in recipe.files}
        entries += [unnamed(path, index.is_whole) for path in sorted(files - named)]
        return Listing(entries, index.warnings)

    def delete_entry(self, root: Directory, cache: str, ids: List[str]) -> List[Edit]:
        recipes = read_index(root).recipes
        lines = [line for id in ids if id in recipes for line in recipes[id].lines]
        return [Edit(INDEX, Moment.BEFORE, Records_Lines(lines))] if lines else []


@dataclass
class Recipe:
    """What the index says of one name."""

    name: str
    files: List[str]
    url: Optional[str]
    fetched: Optional[str]
    # All its lines, as an edit names them: the superseded ones go, too.
    lines: List[str]


@dataclass
class Index:
    # By their ids.
    recipes: Dict[str, Recipe] = field(default_factory=dict)
    warnings: List[Warning] = field(default_factory=list)
    # Whether all of it was understood. If not, nobody can tell that a file is not needed.
    is_whole: bool = True


def read_index(root: Directory) -> Index:
    index = Index()
    [content] = root.read([INDEX], LIMIT)
    if isinstance(content, Err):
        why = content.value.name.lower().replace("_", " ")
        return Index(warnings=[Warning(INDEX, f"the index cannot be read: {why}")], is_whole=False)
    for number, line in enumerate(content.value.split(b"\n"), 1):
        recipe = parse(line) if line.strip() else None
        if recipe:
            before = index.recipes.get(f"recipe/{recipe.name}")
            recipe.lines = (before.lines if before else []) + recipe.lines
            index.recipes[f"recipe/{recipe.name}"] = recipe
        elif line.strip():
            index.is_whole = False
            index.warnings.append(Warning(INDEX, f"line {number} is no record of a recipe"))
    return index


def parse(line: bytes) -> Optional[Recipe]:
    if line.count(b"[") + line.count(b"{") > 100:
        return None  # It nests deeper than a plugin's stack may be.
    try:
        record = json.loads(line.decode())
        name = escaped(record["name"].encode("utf-8", "surrogatepass"))
        files = [escaped(file.encode("utf-8", "surrogatepass")) for file in record["files"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return Recipe(name, files, record.get("url"), record.get("fetched"), [escaped(line)])


def escaped(text: bytes) -> str:
    """How the interface writes the bytes of a path or a line: see `path` in wit/types.wit."""
    return text.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")


def list_files(root: Directory) -> Set[str]:
    files: Set[str] = set()
    with root.walk("", Filter(0, Kinds.FILE | Kinds.LINK, [], False)) as walker:
        while nodes := walker.next(10_000):
            files.update(node.path for node in nodes if node.path.startswith(FOLDERS))
    return files


def entry(recipe: Recipe, files: Set[str]) -> Entry:
    """Claims what is there, and nothing else, whatever the record says."""
    wanted = dict.fromkeys(recipe.files)
    there = [path for path in wanted if path in files]
    state = State.COMPLETE if len(there) == len(wanted) else State.PARTIAL if there else State.STALE
    return Entry(
        id=f"recipe/{recipe.name}",
        kind="recipe",
        label=recipe.name,
        owns=[],
        shares=there,
        needs=[],
        locks=[LOCK],
        state=state,
        # What has no address was typed in by the user.
        recovery=Recovery.DOWNLOAD if recipe.url else Recovery.IRREPLACEABLE,
        reclaim="its files are gone" if state == State.STALE else None,
        has_children=False,
        keeps_parent=False,
        created=timestamp(recipe.fetched),
        last_used=None,
        attributes=[],
    )


def unnamed(path: str, index_is_whole: bool) -> Entry:
    """A file that no recipe names."""
    is_part = path.endswith(".part")
    why = "an unfinished download" if is_part else "no recipe names it"
    return Entry(
        id=f"file/{path}",
        kind="partial" if is_part else "orphan",
        label=path,
        owns=[path],
        shares=[],
        needs=[],
        locks=[LOCK],
        state=State.PARTIAL if is_part else State.DETACHED,
        recovery=Recovery.DOWNLOAD if index_is_whole else Recovery.UNCERTAIN,
        reclaim=why if index_is_whole else None,
        has_children=False,
        keeps_parent=False,
        created=None,
        last_used=None,
        attributes=[],
    )


def timestamp(value: object) -> Optional[str]:
    """dscc refuses an answer with a time that is none."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value, re.ASCII):
        return None
    try:
        datetime.fromisoformat(value[:-1])
    except ValueError:
        return None
    return value
