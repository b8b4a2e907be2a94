// Builds dist/: TypeScript to CommonJS, and for each entry point an ES module that gives the same objects. There is one copy
// of every class in a process, however it is imported, so that `instanceof` holds.
import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const house = join(dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(import.meta.url);
const dist = join(house, "dist");

rmSync(dist, { recursive: true, force: true });
const tsc = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");
execFileSync(process.execPath, [tsc, "-p", house], { stdio: "inherit" });

const manifest = JSON.parse(readFileSync(join(house, "package.json"), "utf8"));
for (const entry of Object.values(manifest.exports)) {
  if (typeof entry === "string") continue;
  const file = entry.require.default.replace("./dist/", "");
  const names = Object.keys(require(join(dist, file))).filter((name) => name !== "__esModule");
  const name = file.replace(/\.js$/, "");
  writeFileSync(
    join(dist, `${name}.mjs`),
    `import all from "./${file}";\nexport const {\n${names.map((one) => `  ${one},\n`).join("")}} = all;\n`,
  );
  writeFileSync(join(dist, `${name}.d.mts`), `export * from "./${file}";\n`);
}
chmodSync(join(dist, "cli.js"), 0o755);
