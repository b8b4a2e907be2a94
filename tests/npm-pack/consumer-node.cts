// The same in TypeScript, as CommonJS.
import mcpgraft = require("mcpgraft");
import native = require("mcpgraft/native");

const server: mcpgraft.Server = new mcpgraft.Server({ name: "packed", version: "1.0.0" });
server.tool("add", { input: { type: "object" } }, (args: { a: number }) => String(args.a + 1));
const keys: string[] = new native.Core('{"name":"n","version":"1"}').keys("tool");
if (keys.length !== 0) throw new Error("there is no tool");
// @ts-expect-error There is no such kind.
const wrong = (): string[] => new native.Core("").keys("widget");
void wrong;
