// The logic on trees in memory, without WebAssembly: `npm test`
import assert from "node:assert/strict";
import { test } from "node:test";
import { deleteEntry, describe, listEntries } from "./tiles.js";

/** A directory of the interface, made of texts by their paths. */
function tree(files) {
  const paths = new Set();
  for (const path of Object.keys(files)) {
    const names = path.split("/");
    names.forEach((_, at) => paths.add(names.slice(0, at + 1).join("/")));
  }
  const depth = (path) => (path === "" ? 0 : path.split("/").length);
  return {
    walk(at, { maxDepth, kinds, names }) {
      const passes = (path) =>
        (at === "" || path.startsWith(`${at}/`)) && depth(path) - depth(at) <= maxDepth &&
        kinds[path in files ? "file" : "directory"] && names.every((name) => path.endsWith(name.slice(1)));
      const found = [...paths].filter(passes).sort();
      const nodes = found.map((path) => ({ path, kind: path in files ? "file" : "directory", target: "" }));
      return { next: (max) => nodes.splice(0, max) };
    },
    read: (paths) =>
      paths.map((path) =>
        path in files ? { tag: "ok", val: new TextEncoder().encode(files[path]) } : { tag: "err", val: "not-found" }),
  };
}

const OSLO = { "oslo/map.json": '{"title": "Oslo", "source": "https://x", "opened": "2026-05-01T12:00:00Z"}' };

test("a map has a title, a time, and its zoom levels as children", () => {
  const root = tree({ ...OSLO, "oslo/3/1-1.png": "x", "oslo/4/1-1.png": "x", "oslo/4/1-2.tmp": "x" });
  const [map] = listEntries(root, "tiles").entries;
  assert.deepEqual([map.id, map.label, map.lastUsed, map.recovery], ["oslo", "Oslo", "2026-05-01T12:00:00Z", "download"]);
  assert.equal(map.hasChildren, true);
  const children = (parent) => listEntries(root, "tiles", parent).entries.map((it) => [it.id, it.kind, it.hasChildren]);
  assert.deepEqual(children("oslo"), [["oslo/3", "zoom", false], ["oslo/4", "zoom", true]]);
  assert.deepEqual(children("oslo/4"), [["oslo/4/1-2.tmp", "partial", false]]);
});

test("what the user drew cannot be had back", () => {
  const root = tree({ "mine/map.json": "{}", "mine/3/1-1.png": "x" });
  assert.equal(listEntries(root, "tiles").entries[0].recovery, "irreplaceable");
  assert.equal(listEntries(root, "tiles", "mine").entries[0].recovery, "irreplaceable");
});

test("a map without a sound map.json is broken, and told", () => {
  for (const text of ["", "{", "[]", "null", "1", '"x"', "[".repeat(100)]) {
    const { entries, warnings } = listEntries(tree({ "x/map.json": text }), "tiles");
    assert.deepEqual([entries[0].state, entries[0].recovery, warnings[0].path], ["broken", "uncertain", "x/map.json"]);
  }
  assert.equal(listEntries(tree({ "x/3/1-1.png": "x" }), "tiles").entries[0].state, "broken");
});

test("a time is one or left out", () => {
  for (const opened of [5, null, "yesterday", "2026-13-01T00:00:00Z", "2026-05-01"]) {
    const root = tree({ "x/map.json": JSON.stringify({ opened }) });
    assert.equal(listEntries(root, "tiles").entries[0].lastUsed, undefined);
  }
});

test("nothing is an answer", () => {
  assert.deepEqual(listEntries(tree({}), "tiles"), { entries: [], warnings: [] });
  assert.deepEqual(deleteEntry(tree({}), "tiles", []), []);
  assert.equal(describe().name, "tiles");
});
