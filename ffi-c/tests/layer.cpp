// The C++ layer: what it tells and takes back, and what it checks. The exit code says which step is wrong.
#include <mcpgraft.hpp>
#include <cmath>
#include <cstdio>
using namespace mcpgraft;
int main() {
    Server server(R"({"name":"t","version":"1"})");
    server.set("list_changed", "true");
    server.put(MCPGRAFT_TOOL, R"({"name":"a","inputSchema":{"type":"object","required":["x"]}})");
    Peer s = server.session();
    s.accept(R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}})");
    s.accept(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
    if (s.notify(MCPGRAFT_NEWS_TOOLS).send.len == 0) return 1;
    Event c = s.accept(R"({"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"a","arguments":{},"_meta":{"progressToken":1}}})");
    std::uint64_t key = c.key;
    if (s.progress(key, 1, NAN).send.len == 0 || s.is_cancelled(key)) return 2;
    try { if (s.check("a", MCPGRAFT_SCHEMA_INPUT, "{}").empty()) return 3; }
    catch (const Error &e) { std::puts(e.what()); if (e.status != MCPGRAFT_NOT_ALLOWED) return 4; }
    s.lost(MCPGRAFT_LOST_CLIENT);
    return s.is_cancelled(key) ? 0 : 5;
}
