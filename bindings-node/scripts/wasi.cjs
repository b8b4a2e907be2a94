"use strict";

/** Loads `mcpgraft.wasm` beside this file, for a Node that can load no addon. It starts no threads and reads no files. */

const { instantiateNapiModuleSync } = require("@emnapi/core");
const { createContext } = require("@emnapi/runtime");
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { WASI } = require("node:wasi");

/** Pages of 64 KiB: room for the module's stack and data at first, and what 32 bits can address at most. */
const memory = new WebAssembly.Memory({ initial: 1200, maximum: 65_536, shared: true });

module.exports = instantiateNapiModuleSync(readFileSync(join(__dirname, "mcpgraft.wasm")), {
  context: createContext(),
  wasi: new WASI({ version: "preview1" }),
  asyncWorkPoolSize: 0,
  onCreateWorker() {
    throw new Error("mcpgraft starts no threads");
  },
  overwriteImports(imports) {
    imports.env = { ...imports.env, ...imports.napi, ...imports.emnapi, memory };
    return imports;
  },
  beforeInit({ instance }) {
    for (const [name, register] of Object.entries(instance.exports)) if (name.startsWith("__napi_register__")) register();
  },
}).napiModule.exports;
