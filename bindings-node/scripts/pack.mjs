// Packs what `npm publish` would take: the package `mcpgraft`, and `@mcpgraft/<triple>` with the addon of this platform. The
// main package names the platforms packed with it as optional dependencies; npm installs the one that fits.
//
//   node scripts/pack.mjs FOLDER
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { triple } from "./addon.mjs";

const house = join(dirname(fileURLToPath(import.meta.url)), "..");
const out = resolve(process.argv[2]);
const manifest = JSON.parse(readFileSync(join(house, "package.json"), "utf8"));
const { scripts: _, devDependencies: __, ...published } = manifest;
const { version, description, license, engines, repository } = manifest;
const [os, cpu, libc] = triple().split("-");
const file = `mcpgraft.${triple()}.node`;

function pack(name, contents, files) {
  const stage = join(out, "stage", name);
  for (const [to, from] of files) cpSync(from, join(stage, to), { recursive: true });
  for (const licence of ["LICENSE-APACHE", "LICENSE-MIT"]) cpSync(join(house, "..", licence), join(stage, licence));
  writeFileSync(join(stage, "package.json"), `${JSON.stringify(contents, null, 2)}\n`);
  execFileSync("npm", ["pack", "--silent", "--pack-destination", out], { cwd: stage, stdio: "inherit" });
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const platform = `@mcpgraft/${triple()}`;
const beside = (name) => join(house, name);
const native = ["index.js", "index.d.ts", "load.js", "record.js", "give.js", "steps.js", "task.js"];
pack("mcpgraft", { ...published, optionalDependencies: { [platform]: version } }, [
  ["dist", beside("dist")],
  ["README.md", beside("README.md")],
  ...native.map((name) => [join("native", name), beside(join("native", name))]),
]);
const said = { name: platform, version, description: `${description}: the addon for ${triple()}`, license, engines, repository };
const fits = { os: [os], cpu: [cpu], ...(os === "linux" ? { libc: [libc === "gnu" ? "glibc" : "musl"] } : {}) };
pack(triple(), { ...said, ...fits, main: file, files: [file] }, [[file, beside(join("native", file))]]);
