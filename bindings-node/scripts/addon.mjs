// Builds the addon of this platform into native/mcpgraft.<triple>.node, stripped.
//
//   node scripts/addon.mjs                   the release
//   node scripts/addon.mjs --crash FILE      one that fails on demand, for tests, into FILE
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const house = join(dirname(fileURLToPath(import.meta.url)), "..");
const { platform, arch } = process;

/** As napi names platforms; a Linux without glibc is one with musl. */
export function triple() {
  if (platform === "win32") return `win32-${arch}-msvc`;
  if (platform !== "linux") return `${platform}-${arch}`;
  return `linux-${arch}-${process.report.getReport().header.glibcVersionRuntime ? "gnu" : "musl"}`;
}

function library() {
  if (platform === "win32") return "mcpgraft_node.dll";
  return platform === "darwin" ? "libmcpgraft_node.dylib" : "libmcpgraft_node.so";
}

function build(to, folder, flags) {
  const cargo = ["build", "--quiet", "--locked", "--package", "mcpgraft-node", ...flags, "--message-format", "short"];
  execFileSync("cargo", cargo, { cwd: house, stdio: "inherit" });
  const target = process.env.CARGO_TARGET_DIR ?? join(house, "..", "target");
  mkdirSync(dirname(to), { recursive: true });
  // Beside it first: a process that has it open keeps the old file.
  copyFileSync(join(target, folder, library()), `${to}.new`);
  rmSync(to, { force: true });
  renameSync(`${to}.new`, to);
  console.log(`addon: ${relative(join(house, ".."), to)} (${statSync(to).size} bytes)`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === "--crash") build(process.argv[3], "debug", ["--profile", "test", "--features", "crash"]);
  else build(join(house, "native", `mcpgraft.${triple()}.node`), "release", ["--release"]);
}
