// Several steps as one tool: look, ask the user, act. And a prompt that tells a model how to do it by hand.
import type { DatabaseSync } from "node:sqlite";
import { NotFound, type Server } from "mcpgraft";
import { z } from "zod";

const Approval = z.object({ approved: z.boolean().describe("Place this order"), note: z.string().optional() });

export function registerWorkflow(server: Server, shop: DatabaseSync): void {
  server.tool(
    "order",
    { description: "Order an item, after the user has agreed.", input: z.object({ item: z.string(), amount: z.number().int().min(1).default(1) }) },
    async ({ item, amount }, ctx) => {
      const found = shop.prepare("SELECT id, price FROM items WHERE name = ?").get(item);
      if (found === undefined) throw new NotFound(`there is no item ${item}; find_items gives the names`);
      ctx.progress(1, 3, "found it");

      // The function is run again with the answer, so nothing has been changed up to here.
      const price = amount * Number(found["price"]);
      const answer = await ctx.elicit("approve", `Order ${amount} × ${item} for ${price}?`, Approval);
      if (!answer.accepted || !answer.data.approved) return "Nothing was ordered.";
      ctx.progress(2, 3, "approved");

      // What must happen once only: however often the client comes back with the same answer.
      const number = await ctx.memo("order", () => {
        shop.prepare("UPDATE items SET stock = stock - ? WHERE id = ?").run(amount, found["id"] as number);
        return Number(shop.prepare("INSERT INTO orders (item, amount) VALUES (?, ?)").run(found["id"] as number, amount).lastInsertRowid);
      });
      for (const uri of ["db://items", `db://items/${found["id"]}`, "db://orders"]) server.resourceUpdated(uri);
      return { order: number, price };
    },
  );

  server.prompt(
    "order_carefully",
    { description: "How to order something.", input: z.object({ wish: z.string().describe("What the user wants") }) },
    ({ wish }) => `The user wants: ${wish}. Look with find_items, compare prices with exchange_rate if need be, then call order once.`,
  );
}
