// The logic on trees in memory, without WebAssembly: `npm test`
import assert from "node:assert/strict";
import { test } from "node:test";
import { describe, listEntries } from "./cache.js";

/** A directory of the interface, made of what is directly in it. */
function tree(kinds) {
  const nodes = Object.entries(kinds).map(([path, kind]) => ({ path, kind, target: "" }));
  return { walk: () => ({ next: (max) => nodes.splice(0, max) }) };
}

test("an empty cache has no entries", () => {
  assert.deepEqual(listEntries(tree({}), "NAME").entries, []);
});

test("each child is an entry that owns its path", () => {
  const { entries } = listEntries(tree({ b: "file", a: "directory" }), "NAME");
  assert.deepEqual(entries.map(({ id, owns }) => [id, owns]), [["a", ["a"]], ["b", ["b"]]]);
});

test("a folder that cannot be read is broken", () => {
  assert.equal(listEntries(tree({ private: "unreadable" }), "NAME").entries[0].state, "broken");
});

test("the plugin has the name of its component", () => {
  assert.equal(describe().name, "NAME");
});
