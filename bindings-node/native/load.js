"use strict";

/**
 * Finds the addon of this platform: `mcpgraft.<triple>.node` beside this file, else the package `@mcpgraft/<triple>`. The
 * environment variable NAPI_RS_NATIVE_LIBRARY_PATH names another file.
 */

const { platform, arch } = process;

/** The platforms this could be, likeliest first: a Linux does not say which C library it has. */
function triples() {
  if (platform === "linux") return [`linux-${arch}-gnu`, `linux-${arch}-musl`];
  if (platform === "win32") return [`win32-${arch}-msvc`];
  return [`${platform}-${arch}`];
}

function load() {
  const named = process.env.NAPI_RS_NATIVE_LIBRARY_PATH;
  if (named) return require(named);
  const failures = [];
  for (const triple of triples()) {
    for (const place of [`./mcpgraft.${triple}.node`, `@mcpgraft/${triple}`]) {
      try {
        return require(place);
      } catch (error) {
        failures.push(`  ${place}: ${String(error.message).split("\n", 1)[0]}`);
      }
    }
  }
  throw new Error(
    `mcpgraft: there is no addon for ${platform} ${arch}. Install the optional dependency @mcpgraft/${triples()[0]} ` +
      `(npm leaves it out with --omit=optional), or build it from source. Tried:\n${failures.join("\n")}`,
  );
}

const addon = load();
const { version } = require("../package.json");
const about = JSON.parse(addon.about());
if (about.VERSION !== version) {
  throw new Error(`mcpgraft: the addon is of version ${about.VERSION}, and the package of version ${version}; install both again`);
}

module.exports = { addon, about };
