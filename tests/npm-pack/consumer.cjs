// An app that requires the package.
const assert = require("node:assert/strict");
const { Server } = require("mcpgraft");
const { Core } = require("mcpgraft/native");
const { connect } = require("mcpgraft/testing");

async function main() {
  const server = new Server({ name: "packed", version: "1.0.0" });
  server.tool("add", { input: { type: "object", properties: { a: { type: "number" } } } }, ({ a }) => String(a + 1));
  const client = await connect(server, { era: "legacy" });
  const { content } = await client.call("add", { a: 1 });
  assert.equal(content[0].text, "2");
  assert.equal(new Core('{"name":"n","version":"1"}').keys("tool").length, 0);
  assert.equal(require("mcpgraft/package.json").name, "mcpgraft");
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
