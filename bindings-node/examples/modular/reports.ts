// Work that takes long. Clients with the tasks extension get a task of `make_report`; others wait for it, or start it, look
// after it and take it back with three plain tools.
import type { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { NotFound, type Server } from "mcpgraft";
import { z } from "zod";

const LIFETIME_MS = 3_600_000;

interface Job {
  status: "working" | "completed" | "failed" | "cancelled";
  page: number;
  pages: number;
  report?: string;
  stop: AbortController;
}

async function makeReport(shop: DatabaseSync, pages: number, signal: AbortSignal, turned: (page: number) => unknown): Promise<string> {
  const lines: string[] = [];
  for (let page = 1; page <= pages; page += 1) {
    await turned(page);
    await sleep(20, undefined, { signal }); // the work
    const row = shop.prepare("SELECT count(*) AS items, sum(price * stock) AS worth FROM items").get();
    lines.push(`page ${page}: ${row?.["items"]} items, worth ${row?.["worth"]}`);
  }
  return lines.join("\n");
}

export function registerReports(server: Server, shop: DatabaseSync): void {
  const pages = z.number().int().min(1).max(1000).default(10).describe("How many pages");
  const jobs = new Map<string, Job>();
  let last = 0;

  server.tool("make_report", { description: "Make a report of the stock.", input: z.object({ pages }), task: "optional" }, (args, ctx) =>
    makeReport(shop, args.pages, ctx.signal, async (page) => {
      ctx.progress(page - 1, args.pages);
      await ctx.task.status(`page ${page} of ${args.pages}`);
    }),
  );

  server.tool("start_report", { description: "Start a report; gives the id for report_status.", input: z.object({ pages }) }, (args) => {
    last += 1;
    const id = `report-${last}`;
    const job: Job = { status: "working", page: 0, pages: args.pages, stop: new AbortController() };
    jobs.set(id, job);
    makeReport(shop, args.pages, job.stop.signal, (page) => (job.page = page)).then(
      (report) => Object.assign(job, { status: "completed", report }),
      () => (job.status = job.stop.signal.aborted ? "cancelled" : "failed"),
    );
    setTimeout(() => jobs.delete(id), LIFETIME_MS).unref();
    return { id };
  });

  const known = (id: string): Job => {
    const job = jobs.get(id);
    if (job === undefined) throw new NotFound(`there is no report ${id}, or not any more`);
    return job;
  };

  const input = z.object({ id: z.string().describe("What start_report gave") });
  server.tool("report_status", { description: "How a report stands, and the report when it is done.", input }, ({ id }) => {
    const { stop: _, ...shown } = known(id);
    return shown;
  });
  server.tool("cancel_report", { description: "Stop working on a report.", input }, ({ id }) => {
    known(id).stop.abort();
    return `report ${id} is taken back`;
  });
}
