// What the component exports: the plugin of tiles.js, whose errors become sentences.
import { log } from "dscc:plugin/log@0.1.0";
import * as tiles from "./tiles.js";

/** A call that fails with a string is an answer to the user; an error object is a bug, and would tell nothing. */
function told(call) {
  return (...args) => {
    try {
      return call(...args);
    } catch (error) {
      if (typeof error === "string") throw error;
      log("error", String(error?.stack));
      // What the host's functions throw has the case of `fs-error`.
      throw typeof error?.payload === "string" ? `the cache cannot be read: ${error.payload}` : `a bug: ${error}`;
    }
  };
}

export const cachePlugin = {
  describe: tiles.describe,
  discover: told(tiles.discover),
  listEntries: told(tiles.listEntries),
  deleteEntry: told(tiles.deleteEntry),
};
