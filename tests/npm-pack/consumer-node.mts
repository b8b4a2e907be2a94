// The same in TypeScript, as an ES module.
import { Server } from "mcpgraft";
import { Core, Session, type Call, type Step } from "mcpgraft/native";
import { connect } from "mcpgraft/testing";

const server: Server = new Server({ name: "packed", version: "1.0.0" });
server.tool("add", { input: { type: "object" } }, (args: { a: number }) => String(args.a + 1));
const client = await connect(server);
await client.call("add", { a: 1 });
const session = new Core('{"name":"n","version":"1"}').session();
const step: Step = session.accept("{");
const call: Call | null = step.call;
const sent: Buffer | null = step.send;
if (call !== null || sent === null) throw new Error("a parse error is answered");
// @ts-expect-error A session is made by a core.
const wrong = (): unknown => new Session();
void wrong;
