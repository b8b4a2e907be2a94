// An app that imports the package as ES modules.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import * as whole from "mcpgraft";
import { Server } from "mcpgraft";
import { Core, VERSION } from "mcpgraft/native";
import { connect } from "mcpgraft/testing";

const server = new Server({ name: "packed", version: "1.0.0" });
server.tool("add", { input: { type: "object", properties: { a: { type: "number" } } } }, ({ a }) => String(a + 1));
const client = await connect(server);
const { content } = await client.call("add", { a: 1 });
assert.equal(content[0].text, "2");
assert.equal(new Core('{"name":"n","version":"1"}').keys("tool").length, 0);
assert.match(VERSION, /^\d/);
// There is one copy of every class, however it is imported.
assert.equal(createRequire(import.meta.url)("mcpgraft").Server, Server);
assert.equal(whole.Server, Server);
