// What clients hear of the errors of other libraries. A model can act on a sentence, and must not read a stack or a path.
import { McpError, NotFound, ToolError, type Middleware } from "mcpgraft";

export const mapErrors: Middleware = async (ctx, next) => {
  try {
    return await next();
  } catch (error) {
    throw mapped(error, ctx.name);
  }
};

function mapped(error: unknown, what: string): unknown {
  const code = (error as { code?: unknown } | null)?.code;
  const message = error instanceof Error ? error.message : "";
  if (code === "ENOENT") return new NotFound(what);
  if (code === "EOPENBREAKER") return new ToolError("the service of exchange rates is down; try again in a minute", { cause: error });
  if (code === "ETIMEDOUT") return new ToolError("the service of exchange rates does not answer; try again later", { cause: error });
  if (code === "ERR_SQLITE_ERROR" && message.includes("CHECK constraint")) return new ToolError("there is not that much in stock", { cause: error });
  if (code === "ERR_SQLITE_ERROR" && message.includes("locked")) return new McpError("the database is busy", { code: -32000, cause: error });
  return error; // not known here: reported, and shown as the server's options say
}
