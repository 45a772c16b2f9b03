// The cache of a made-up map viewer, `${TILES_HOME}`, else `~/.cache/tiles`:
//
//     <map>/map.json               {"title": "Oslo", "source": "https://...", "opened": "2026-05-01T12:00:00Z"};
//                                  without a source the user drew it
//     <map>/<zoom>/<x>-<y>.png     tiles, by their zoom level
//     <map>/<zoom>/<x>-<y>.tmp     a tile that was not downloaded to its end
//
// A map is an entry, its zoom levels are its children, and theirs what was cut off. This names what is there; dscc
// measures, asks and removes.

const LIMIT = 64 << 10;

export function describe() {
  const locations = ["${TILES_HOME}", "~/.cache/tiles"].map((path) => ({ path, expand: {} }));
  return {
    name: "tiles",
    version: "0.1.0",
    title: "Tiles",
    summary: "Maps that the viewer has downloaded.",
    license: "MIT",
    roots: [{ id: "tiles", locations, marks: ["*/map.json", "*/*/*.png"], indexes: [] }],
    extra: [],
  };
}

export function discover(_root, _rule) {
  return [{ id: "tiles", title: "Tiles", path: "" }];
}

export function listEntries(root, _cache, parent, _detail) {
  if (parent === undefined) return maps(root);
  return { entries: parent.includes("/") ? cut(root, parent) : zooms(root, parent), warnings: [] };
}

/** No index names the maps: there is nothing to drop. */
export function deleteEntry(_root, _cache, _ids) {
  return [];
}

function maps(root) {
  const folders = nodes(root, "", 2, { directory: true }).map((node) => node.path);
  const withChildren = new Set(folders.filter((path) => path.includes("/")).map(parentOf));
  const found = folders.filter((path) => !path.includes("/"));
  const files = root.read(found.map((path) => `${path}/map.json`), LIMIT);
  const entries = found.map((path, at) =>
    entry(path, { kind: "map", hasChildren: withChildren.has(path), ...described(record(files[at])) }));
  const bad = entries.filter((map) => map.state === "broken");
  const warnings = bad.map(({ id }) => ({ path: `${id}/map.json`, message: "the viewer cannot read this" }));
  return { entries, warnings };
}

/** What a map's own record says of it. */
function described(map) {
  // Nobody knows where it came from.
  if (map === undefined) return { state: "broken", recovery: "uncertain" };
  const { title, source, opened } = map;
  const recovery = typeof source === "string" ? "download" : "irreplaceable";
  return { recovery, lastUsed: timestamp(opened), ...(typeof title === "string" && { label: title }) };
}

function zooms(root, map) {
  const [content] = root.read([`${map}/map.json`], LIMIT);
  const { recovery } = described(record(content));
  const withChildren = new Set(cutTiles(root, map, 2).map(parentOf));
  return nodes(root, map, 1, { directory: true }).map(({ path }) =>
    entry(path, { kind: "zoom", recovery, hasChildren: withChildren.has(path) }));
}

function cut(root, zoom) {
  const its = { kind: "partial", state: "partial", reclaim: "a killed download" };
  return cutTiles(root, zoom, 1).map((path) => entry(path, its));
}

function cutTiles(root, at, maxDepth) {
  // The host looks for them: 20,000 sound tiles need not come over here.
  return nodes(root, at, maxDepth, { file: true }, ["*.tmp"]).map((node) => node.path);
}

function parentOf(path) {
  return path.slice(0, path.lastIndexOf("/"));
}

/** The path is the id, and goes with the entry. */
function entry(path, its) {
  const nothing = { shares: [], needs: [], locks: [], attributes: [], hasChildren: false, keepsParent: false };
  return { id: path, label: path, owns: [path], state: "complete", recovery: "download", ...nothing, ...its };
}

/** All of these kinds and names beneath a folder, so deep. What lies behind links is never seen. */
function nodes(root, at, maxDepth, kinds, names = []) {
  const walker = root.walk(at, { maxDepth, kinds, names, stat: false });
  const found = [];
  for (let some = walker.next(10_000); some.length > 0; some = walker.next(10_000)) found.push(...some);
  // What cannot be read passes every filter.
  return found.filter((node) => kinds[node.kind]);
}

/** The object in a JSON file, if it is one. */
function record(content) {
  if (content.tag === "err") return undefined;
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content.val));
    return value !== null && typeof value === "object" && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** dscc refuses an answer with a time that is none. */
function timestamp(value) {
  const is = typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value);
  return is && !Number.isNaN(Date.parse(value)) ? value : undefined;
}
