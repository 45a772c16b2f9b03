"""The cache of TITLE: `${NAME_HOME}`, else `~/.cache/NAME`. Each file or folder directly in it is an entry, with its name
as the id. This says what is there; dscc measures, asks and removes."""

from typing import List, Optional

from wit_world import exports
from wit_world.imports.files import Directory, Filter, Kind, Kinds, Node
from wit_world.imports.types import (
    Cache, Detail, Edit, Entry, Expansion, Listing, Location, Manifest, Recovery, RootRule, State,
)


class CachePlugin(exports.CachePlugin):
    """The plugin. It keeps nothing between calls. `raise Err("a sentence")`, of `componentize_py_types`, fails a call."""

    def describe(self) -> Manifest:
        """Who this is, and which folder it asks to read: the first location whose variables are set."""
        locations = [Location("${NAME_HOME}", Expansion(0)), Location("~/.cache/NAME", Expansion(0))]
        root = RootRule("NAME", locations, marks=[], indexes=[])
        return Manifest("NAME", "0.1.0", "TITLE", "What TITLE keeps on disk.", None, "MIT", [root], [])

    def discover(self, root: Directory, rule: str) -> List[Cache]:
        """The one cache is the whole folder."""
        return [Cache("NAME", "TITLE", "")]

    def list_entries(self, root: Directory, cache: str, parent: Optional[str], detail: Detail) -> Listing:
        """The entries. They have no children."""
        return Listing([entry(child) for child in children(root, "")], [])

    def delete_entry(self, root: Directory, cache: str, ids: List[str]) -> List[Edit]:
        """No index names the entries: there is nothing to drop."""
        return []


def children(root: Directory, at: str) -> List[Node]:
    found: List[Node] = []
    with root.walk(at, Filter(1, Kinds(0), [], False)) as walker:
        while nodes := walker.next(10_000):
            found += nodes
    return sorted(found, key=lambda node: node.path)


def entry(child: Node) -> Entry:
    """The path is the entry's id, and goes with it."""
    return Entry(
        id=child.path,
        kind="item",
        label=child.path,
        owns=[child.path],
        shares=[],
        needs=[],
        locks=[],
        # Nobody knows what is in a folder that cannot be read.
        state=State.BROKEN if child.kind == Kind.UNREADABLE else State.COMPLETE,
        # What it costs to have it back. UNCERTAIN ones go only when they are named, IRREPLACEABLE ones only by force.
        recovery=Recovery.DOWNLOAD,
        reclaim=None,
        has_children=False,
        keeps_parent=False,
        created=None,
        last_used=None,
        attributes=[],
    )
