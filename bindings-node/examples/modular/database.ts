// Tables of a SQLite file as resources, one for each table and one for each row.
import { DatabaseSync } from "node:sqlite";
import { NotFound, type Server } from "mcpgraft";
import { z } from "zod";

/** The shop's database, with something in it when it is new. */
export function openShop(file: string): DatabaseSync {
  const shop = new DatabaseSync(file);
  shop.exec(`
    CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, price REAL NOT NULL, stock INTEGER NOT NULL CHECK (stock >= 0));
    CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, item INTEGER NOT NULL REFERENCES items(id), amount INTEGER NOT NULL);
    INSERT OR IGNORE INTO items VALUES (1, 'lamp', 40, 3), (2, 'chair', 120, 1), (3, 'desk', 300, 0);
  `);
  return shop;
}

/** Names of the tables; nothing else ever gets into the text of a statement. */
function tables(shop: DatabaseSync): string[] {
  const rows = shop.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  return rows.map((row) => String(row["name"]));
}

export function registerDatabase(server: Server, shop: DatabaseSync): void {
  const database = server.module("database");

  // What there is depends on the file: the list is made when somebody asks for it.
  database.setRequestHandler("resources/list", () => ({
    resources: tables(shop).map((name) => ({ uri: `db://${name}`, name, mimeType: "application/json", description: `The table ${name}` })),
  }));
  database.setRequestHandler("resources/templates/list", () => ({
    resourceTemplates: [{ uriTemplate: "db://{table}/{id}", name: "row", mimeType: "application/json", description: "One row of a table" }],
  }));
  database.setRequestHandler("resources/read", ({ params }) => {
    const [, table = "", id] = /^db:\/\/([^/]+)(?:\/(\d+))?$/.exec(params.uri) ?? [];
    if (!tables(shop).includes(table)) throw new NotFound(params.uri);
    const rows = id === undefined ? shop.prepare(`SELECT * FROM "${table}" ORDER BY rowid`).all() : [shop.prepare(`SELECT * FROM "${table}" WHERE rowid = ?`).get(id)];
    if (rows[0] === undefined && id !== undefined) throw new NotFound(params.uri);
    return { contents: [{ uri: params.uri, mimeType: "application/json", text: JSON.stringify(id === undefined ? rows : rows[0]) }] };
  });

  server.tool(
    "find_items",
    { description: "Find items by name.", input: z.object({ name: z.string().describe("Part of the name") }), annotations: { readOnlyHint: true } },
    ({ name }) => shop.prepare("SELECT * FROM items WHERE name LIKE ? ORDER BY id").all(`%${name}%`),
  );

  server.tool(
    "restock",
    { description: "Put items back on the shelf.", input: z.object({ item: z.number().int(), amount: z.number().int() }) },
    ({ item, amount }) => {
      const { changes } = shop.prepare("UPDATE items SET stock = stock + ? WHERE id = ?").run(amount, item);
      if (changes === 0) throw new NotFound(`there is no item ${item}`);
      for (const uri of ["db://items", `db://items/${item}`]) server.resourceUpdated(uri);
      return `item ${item}: ${amount} more`;
    },
  );
}
