// The files of a folder as resources; clients that watch one hear when it changes, and all hear when files come and go.
import { readdirSync, readFileSync, watch } from "node:fs";
import { join } from "node:path";
import { NotFound, type Server } from "mcpgraft";

const SHOWN = /^[\w.-]+\.(txt|md|json)$/;

/** Gives what ends the watching. */
export function registerFiles(server: Server, folder: string): () => void {
  const names = (): string[] => readdirSync(folder).filter((name) => SHOWN.test(name)).sort();
  const files = server.module("files");

  files.setRequestHandler("resources/list", () => ({
    resources: names().map((name) => ({ uri: `files://${name}`, name, mimeType: "text/plain" })),
  }));
  files.setRequestHandler("resources/read", ({ params }) => {
    const name = String(params.uri).replace("files://", "");
    if (!SHOWN.test(name)) throw new NotFound(params.uri); // no way out of the folder
    return { contents: [{ uri: params.uri, mimeType: "text/plain", text: readFileSync(join(folder, name), "utf8") }] };
  });

  let known = names();
  const watcher = watch(folder, (_event, name) => {
    if (name === null || !SHOWN.test(name)) return;
    server.notification({ method: "notifications/resources/updated", params: { uri: `files://${name}` } });
    const now = names();
    if (now.join("\n") !== known.join("\n")) server.notification({ method: "notifications/resources/list_changed" });
    known = now;
  });
  return () => watcher.close();
}
