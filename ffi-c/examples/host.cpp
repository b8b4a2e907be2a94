// A C++ program with a function it already had, which a client calls in the same process: nothing but strings in and out.
#include <mcpgraft.hpp>

#include <algorithm>
#include <cstdio>
#include <string>

namespace {

std::string shout(std::string text)
{
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
}

// What stands between the quotes of a JSON string among the arguments.
std::string argument(const mcpgraft_event &event, std::string_view name)
{
    mcpgraft_str json{};
    std::size_t length = 0;
    mcpgraft::check(mcpgraft_json_get(event.arguments, mcpgraft::text(name), &json));
    std::string decoded(json.len, '\0');
    mcpgraft::check(mcpgraft_json_text(json, decoded.data(), decoded.size(), &length));
    decoded.resize(length);
    return decoded;
}

std::string quoted(std::string_view text)
{
    std::string json(6 * text.size() + 2, '\0');
    std::size_t length = 0;
    mcpgraft::check(mcpgraft_json_quote(mcpgraft::text(text), json.data(), json.size(), &length));
    json.resize(length);
    return json;
}

} // namespace

int main()
{
    try {
        mcpgraft::Server server(R"({"name":"host","version":"1.0"})");
        server.put(MCPGRAFT_TOOL, R"({"name":"shout","description":"In capitals.","inputSchema":{"type":"object",)"
                                  R"("properties":{"text":{"type":"string"}},"required":["text"]}})");
        mcpgraft::Peer session = server.session();
        auto event = session.accept(
            R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"shout","arguments":{"text":"caf\u00e9 \"x\""},)"
            R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
            R"("io.modelcontextprotocol/clientCapabilities":{}}}})");
        if (event.kind == MCPGRAFT_CALL && !session.is_cancelled(event.key)) {
            const std::string text = quoted(shout(argument(event, "text")));
            event = session.reply(event.key, R"({"content":[{"type":"text","text":)" + text + "}]}");
        }
        std::printf("%.*s\n", static_cast<int>(event.send.len), event.send.ptr);
        return 0;
    } catch (const mcpgraft::Error &error) {
        std::fprintf(stderr, "host: %s\n", error.what());
        return 1;
    }
}
