// Builds the addon for WASI with threads into ../.build/wasm: a package `@mcpgraft/wasm32-wasi` with the module, what loads
// it, and emnapi, which is Node-API for WebAssembly. Needs npm, and `rustup target add wasm32-wasip1-threads`; no WASI SDK.
//
//   node scripts/wasm.mjs
//   NAPI_RS_NATIVE_LIBRARY_PATH=../.build/wasm/index.cjs node --test tests/server.test.mjs
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The release that the napi-build in Cargo.lock links with. */
const EMNAPI = "2.0.0-beta.2";
const TARGET = "wasm32-wasip1-threads";
const house = join(dirname(fileURLToPath(import.meta.url)), "..");
const out = join(house, "..", ".build", "wasm");
const { version, description, license } = JSON.parse(readFileSync(join(house, "package.json"), "utf8"));

mkdirSync(out, { recursive: true });
const manifest = {
  name: "@mcpgraft/wasm32-wasi",
  version,
  description: `${description}: the addon for WASI`,
  license,
  main: "index.cjs",
  files: ["index.cjs", "mcpgraft.wasm"],
  dependencies: { "@emnapi/core": EMNAPI, "@emnapi/runtime": EMNAPI },
  devDependencies: { emnapi: EMNAPI },
};
writeFileSync(join(out, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
copyFileSync(join(house, "scripts", "wasi.cjs"), join(out, "index.cjs"));
execFileSync("npm", ["install", "--silent", "--no-audit", "--no-fund"], { cwd: out, stdio: "inherit" });
execFileSync("cargo", ["build", "--quiet", "--locked", "--release", "--package", "mcpgraft-node", "--target", TARGET], {
  cwd: house,
  stdio: "inherit",
  env: { ...process.env, EMNAPI_LINK_DIR: join(out, "node_modules", "emnapi", "lib", TARGET) },
});
const made = join(process.env.CARGO_TARGET_DIR ?? join(house, "..", "target"), TARGET, "release", "mcpgraft_node.wasm");
copyFileSync(made, join(out, "mcpgraft.wasm"));
console.log(`wasm: .build/wasm/mcpgraft.wasm (${statSync(made).size} bytes)`);
