// plugin.js and what it imports become NAME.wasm: `npm run build`, or `dscc plugin build`.
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { componentize } from "@bytecodealliance/componentize-js";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const { component } = await componentize({
  sourcePath: here("plugin.js"),
  witPath: here("wit"),
  worldName: "plugin",
  // A plugin has none of these. Without them nothing is imported but dscc's own functions.
  disableFeatures: ["clocks", "fetch-event", "http", "random", "stdio"],
});
await writeFile(here("NAME.wasm"), component);
