// A server in modules, each in a file of its own, served by Express and on stdio. With Node 22.18 or newer:
//
//     node server.ts [PORT | stdio]
//
// The database and the files both list resources of their own; neither overwrites the other. What a module throws is told to
// clients by errors.ts, whichever module it comes from.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import express from "express";
import { Server } from "mcpgraft";
import { openShop, registerDatabase } from "./database.ts";
import { mapErrors } from "./errors.ts";
import { registerFiles } from "./files.ts";
import { registerReports } from "./reports.ts";
import { registerUpstream, type Rates } from "./upstream.ts";
import { registerWorkflow } from "./workflow.ts";

export interface Parts {
  /** The SQLite file. */
  database: string;
  /** The folder whose files are watched. */
  folder: string;
  /** The exchange rates of a currency, from wherever they come. */
  rates: Rates;
}

/** The server, and what ends it. */
export function build(parts: Parts): { server: Server; close: () => Promise<void> } {
  const server = new Server({ name: "shop", version: "1.0.0" }, { sessions: "memory", instructions: "Read before you order." });
  const shop = openShop(parts.database);
  server.middleware(mapErrors);
  registerDatabase(server, shop);
  const unwatch = registerFiles(server, parts.folder);
  registerReports(server, shop);
  registerUpstream(server, parts.rates);
  registerWorkflow(server, shop);
  return {
    server,
    close: async () => {
      unwatch();
      await server.close();
      shop.close();
    },
  };
}

if (process.argv[1]?.endsWith("server.ts")) {
  const rates: Rates = async (currency, signal) => {
    const answer = await fetch(`https://api.frankfurter.dev/v1/latest?base=${encodeURIComponent(currency)}`, { signal });
    if (!answer.ok) throw new Error(`the service of exchange rates answered ${answer.status}`);
    return ((await answer.json()) as { rates: Record<string, number> }).rates;
  };
  const folder = mkdtempSync(join(tmpdir(), "shop-"));
  const { server } = build({ database: join(folder, "shop.db"), folder, rates });
  if (process.argv[2] === "stdio") {
    await server.stdio();
    process.exit();
  }
  const app = express();
  app.all("/mcp", server.express());
  app.listen(Number(process.argv[2] ?? 3000), "127.0.0.1");
}
