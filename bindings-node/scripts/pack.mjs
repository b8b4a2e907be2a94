// pack.mjs FOLDER: writes the npm packages into a folder, as they would be published: `mcpgraft`, which is the same for every
// platform, and `@mcpgraft/<triple>` for each addon that lies in native/. npm installs the one that fits: the first names
// the others as optional dependencies, and those say for which platform they are.
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const house = join(dirname(fileURLToPath(import.meta.url)), "..");
const out = resolve(process.argv[2] ?? join(house, "..", ".build", "npm-packages"));
const made = join(out, "made");
const manifest = JSON.parse(readFileSync(join(house, "package.json"), "utf8"));
rmSync(made, { recursive: true, force: true });

function write(folder, about) {
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(about, null, 2)}\n`);
  // Nothing of npm's own is needed from the network to pack.
  execFileSync("npm", ["pack", "--silent", "--offline", "--pack-destination", out], { cwd: folder, stdio: "inherit" });
}

const optionalDependencies = {};
for (const file of readdirSync(join(house, "native"))) {
  const triple = /^mcpgraft\.(.*)\.node$/.exec(file)?.[1];
  if (triple === undefined) continue;
  const [os, cpu, library] = triple.split("-");
  const folder = join(made, triple);
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(house, "native", file), join(folder, file));
  optionalDependencies[`@mcpgraft/${triple}`] = manifest.version;
  const { version, license, engines } = manifest;
  const libc = { gnu: ["glibc"], musl: ["musl"] }[library];
  const description = `The addon of mcpgraft for ${triple}`;
  write(folder, { name: `@mcpgraft/${triple}`, version, description, license, engines, os: [os], cpu: [cpu], ...(libc && { libc }), main: file, files: [file] });
}

const main = join(made, "mcpgraft");
mkdirSync(main, { recursive: true });
for (const part of ["dist", "native", "README.md"]) {
  cpSync(join(house, part), join(main, part), { recursive: true, filter: (path) => !path.endsWith(".node") });
}
const { scripts: _, ...published } = manifest;
write(main, { ...published, optionalDependencies });
