// Builds dist/: TypeScript to CommonJS, all modules in one file, and for each entry point an ES module that gives the same
// objects. There is one copy of every class in a process, however it is imported, so that `instanceof` holds.
//
// One file, because finding, reading and compiling fifty costs more than half of what a server needs to start. For the same
// reason modules of Node are loaded when they are first used: node:crypto alone is as large as the rest of a small server.
import { execFileSync } from "node:child_process";
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const house = join(dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(import.meta.url);
const dist = join(house, "dist");
const ALL = "all.js";

rmSync(dist, { recursive: true, force: true });
const tsc = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");
const compile = (...flags) => execFileSync(process.execPath, [tsc, "-p", house, ...flags], { stdio: "inherit" });
compile("--emitDeclarationOnly");
compile("--declaration", "false", "--removeComments"); // what is not there is not read, and takes no memory in every process

// What tsc writes for `import ... from "node:crypto"` is `const node_crypto_1 = require("node:crypto");`, and every use of it
// is `node_crypto_1.name`.
function lazy(code) {
  const names = [...code.matchAll(/^const (\w+_1) = require\("node:[\w/]+"\);$/gm)].map(([, name]) => name);
  return names.reduce((text, name) => text.replace(`const ${name} = `, `const ${name} = () => `).replaceAll(`${name}.`, `(${name}()).`), code);
}

const modules = readdirSync(dist).filter((name) => name.endsWith(".js"));
const parts = modules.map((name) => {
  const file = join(dist, name);
  const code = lazy(readFileSync(file, "utf8").replace(/^#!.*\n/, ""));
  rmSync(file);
  return `"./${name}"(exports, require, module) {\n${code}},\n`;
});
writeFileSync(
  join(dist, ALL),
  `"use strict";
const modules = {
${parts.join("")}};
const loaded = new Map();
/** A module of this package, or any other one. */
function load(name, main) {
  const code = modules[name];
  if (code === undefined) return require(name);
  let module = loaded.get(name);
  if (module === undefined) {
    module = main ?? { exports: {} };
    loaded.set(name, module);
    code(module.exports, load, module);
  }
  return module.exports;
}
load.main = require.main;
module.exports = load;
`,
);

const manifest = JSON.parse(readFileSync(join(house, "package.json"), "utf8"));
// For `import` of such a file Node looks through its text for names, and through every file it says it exports: it is told
// the names, and not where they come from.
const stub = (file, names) =>
  `"use strict";\nconst load = require("./${ALL}");\nmodule.exports = load("./${file}", module);\n0 && (module.exports = { ${names.join(", ")} });\n`;
const namesOf = (file) => Object.keys(require(join(dist, ALL))(`./${file}`)).filter((name) => name !== "__esModule");
for (const entry of Object.values(manifest.exports)) {
  if (typeof entry === "string") continue;
  const file = entry.require.default.replace("./dist/", "");
  const names = namesOf(file);
  writeFileSync(join(dist, file), stub(file, names));
  const name = file.replace(/\.js$/, "");
  writeFileSync(
    join(dist, `${name}.mjs`),
    `import all from "./${file}";\nexport const {\n${names.map((one) => `  ${one},\n`).join("")}} = all;\n`,
  );
  writeFileSync(join(dist, `${name}.d.mts`), `export * from "./${file}";\n`);
}
writeFileSync(join(dist, "cli.js"), `#!/usr/bin/env node\n${stub("cli.js", [])}`);
chmodSync(join(dist, "cli.js"), 0o755);
