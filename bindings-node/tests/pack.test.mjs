// The packages as a user gets them: packed, installed into an empty project, used from ESM, CommonJS and TypeScript.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";

const house = join(import.meta.dirname, "..");
const require = createRequire(import.meta.url);
let folder;
let project;

const file = (name, text) => writeFileSync(join(project, name), text);
const node = (...args) => execFileSync(process.execPath, args, { cwd: project, encoding: "utf8" });

before(() => {
  // Outside of the repository: nothing is found but what was installed.
  folder = mkdtempSync(join(tmpdir(), "mcpgraft-pack-"));
  project = join(folder, "project");
  execFileSync(process.execPath, [join(house, "scripts", "pack.mjs"), folder], { stdio: "pipe" });
  execFileSync("mkdir", [project]);
  file("package.json", '{ "name": "project", "version": "1.0.0", "private": true }');
  const packed = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  execFileSync("npm", ["install", "--offline", "--no-audit", "--no-fund", "--silent", ...packed.map((name) => join(folder, name))], { cwd: project });
});
after(() => rmSync(folder, { recursive: true, force: true }));

const USE = `
  const server = new Server({ name: "installed", version: "1.0.0" });
  server.tool("add", { input: { type: "object", properties: { a: { type: "integer" } }, required: ["a"] } }, ({ a }) => a + 1);
  const client = await connect(server);
  console.log(VERSION, await client.call("add", { a: 41 }));
`;
const WANTED = /^\d+\.\d+\.\d+\S* 42\n$/;

test("no addon lies in the package for every platform, and one in that of this platform", () => {
  const modules = join(project, "node_modules");
  const addons = (path) => readdirSync(path, { recursive: true }).filter((name) => name.endsWith(".node"));
  assert.deepEqual(addons(join(modules, "mcpgraft")), []);
  assert.equal(addons(join(modules, "@mcpgraft")).length, 1);
});

test("from ESM and from CommonJS, with the same objects", () => {
  file("esm.mjs", `import { Server, VERSION } from "mcpgraft"; import { connect } from "mcpgraft/testing"; ${USE}`);
  file("cjs.cjs", `const { Server, VERSION } = require("mcpgraft"); const { connect } = require("mcpgraft/testing"); (async () => { ${USE} })();`);
  file("same.mjs", 'import { createRequire } from "node:module"; import { Server } from "mcpgraft"; console.log(Server === createRequire(import.meta.url)("mcpgraft").Server);');
  assert.match(node("esm.mjs"), WANTED);
  assert.match(node("cjs.cjs"), WANTED);
  assert.equal(node("same.mjs"), "true\n");
});

test("the command is there", () => {
  assert.match(execFileSync(join(project, "node_modules", ".bin", "mcpgraft"), ["--version"], { cwd: project, encoding: "utf8" }), /\d+\.\d+\.\d+/);
});

test("from TypeScript, by both module resolutions", () => {
  const types = join(project, "node_modules", "@types");
  execFileSync("mkdir", ["-p", types]);
  symlinkSync(dirname(require.resolve("@types/node/package.json")), join(types, "node"));
  symlinkSync(dirname(dirname(require.resolve("undici-types/package.json"))) + "/undici-types", join(project, "node_modules", "undici-types"));
  file(
    "use.mts",
    `import { Server, VERSION } from "mcpgraft"; import { connect } from "mcpgraft/testing"; import { Core } from "mcpgraft/native";
     const server: Server = new Server({ name: "typed", version: VERSION }); void connect(server);
     const keys: string[] = new Core("{}").keys("tool");
     // @ts-expect-error That is no kind.
     new Core("{}").keys("thing"); export { keys };`,
  );
  file("use.cts", 'import mcpgraft = require("mcpgraft"); const server: mcpgraft.Server = new mcpgraft.Server({ name: "typed", version: "1" }); export = server;');
  const tsc = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");
  const compile = (module, resolution, ...files) => {
    const options = ["--noEmit", "--strict", "--target", "es2022", "--types", "node", "--module", module, "--moduleResolution", resolution];
    const { status, stdout } = spawnSync(process.execPath, [tsc, ...options, ...files], { cwd: project, encoding: "utf8" });
    assert.equal(status, 0, stdout);
  };
  compile("nodenext", "nodenext", "use.mts", "use.cts");
  compile("esnext", "bundler", "use.mts");
});

test("without the addon the error names the platform and the package", () => {
  rmSync(join(project, "node_modules", "@mcpgraft"), { recursive: true });
  const { status, stderr } = spawnSync(process.execPath, ["-e", 'require("mcpgraft")'], { cwd: project, encoding: "utf8" });
  assert.notEqual(status, 0);
  assert.ok(stderr.includes(`${process.platform} ${process.arch}`) && stderr.includes("@mcpgraft/"), stderr);
});
