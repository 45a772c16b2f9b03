// The cache of TITLE: `${NAME_HOME}`, else `~/.cache/NAME`. Each file or folder directly in it is an entry, with its name
// as the id. This says what is there; dscc measures, asks and removes. Nothing is kept between calls.

/** Who this is, and which folder it asks to read: the first location whose variables are set. */
export function describe() {
  const locations = ["${NAME_HOME}", "~/.cache/NAME"].map((path) => ({ path, expand: {} }));
  return {
    name: "NAME",
    version: "0.1.0",
    title: "TITLE",
    summary: "What TITLE keeps on disk.",
    license: "MIT",
    roots: [{ id: "NAME", locations, marks: [], indexes: [] }],
    extra: [],
  };
}

/** The one cache is the whole folder. */
export function discover(_root, _rule) {
  return [{ id: "NAME", title: "TITLE", path: "" }];
}

/** The entries. They have no children. */
export function listEntries(root, _cache, _parent, _detail) {
  return { entries: children(root, "").map(entry), warnings: [] };
}

/** No index names the entries: there is nothing to drop. */
export function deleteEntry(_root, _cache, _ids) {
  return [];
}

function children(root, at) {
  const walker = root.walk(at, { maxDepth: 1, kinds: {}, names: [], stat: false });
  const found = [];
  for (let some = walker.next(10_000); some.length > 0; some = walker.next(10_000)) found.push(...some);
  return found.sort((one, other) => (one.path < other.path ? -1 : 1));
}

/** The path is the entry's id, and goes with it. */
function entry({ path, kind }) {
  return {
    id: path,
    kind: "item",
    label: path,
    owns: [path],
    shares: [],
    needs: [],
    locks: [],
    // Nobody knows what is in a folder that cannot be read.
    state: kind === "unreadable" ? "broken" : "complete",
    // What it costs to have it back. "uncertain" ones go only when they are named, "irreplaceable" ones only by force.
    recovery: "download",
    hasChildren: false,
    keepsParent: false,
    attributes: [],
  };
}
