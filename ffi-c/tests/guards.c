/* Whatever C gives to a function, it comes back with a status: NULL, handles of another kind, memory that is no handle, text that
 * is no text, structures of a wrong size, numbers out of range. Then a million random calls in random order.
 *
 *     guards [CALLS] [SEED] */
#include "check.h"

#include <math.h>

static struct mcpgraft_server *server;
static struct mcpgraft_peer *session, *exchange;
static struct mcpgraft_lines *lines;
static struct mcpgraft_keys *keys;
static uint64_t nothing[64];

#define INITIALIZE                                                                                                     \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\","            \
    "\"capabilities\":{\"elicitation\":{},\"roots\":{},\"sampling\":{}},\"clientInfo\":{\"name\":\"c\",\"version\":\"1\"}}}"
#define META                                                                                                           \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                                            \
    "\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":{}},\"progressToken\":1}"
#define CALL(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\",\"params\":{\"name\":\"add\",\"arguments\":{}}}"
#define FORM "{\"message\":\"Who?\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{}}}"

static void make(void)
{
    static const struct mcpgraft_str secret = {"0123456789abcdef", 16};
    CHECK(mcpgraft_server_new(&server) == MCPGRAFT_OK);
    CHECK(mcpgraft_session_new(server, &session) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(mcpgraft_server_set(server, str("info"), str("{\"name\":\"s\",\"version\":\"1\"}")) == MCPGRAFT_OK);
    CHECK(mcpgraft_server_set(server, str("sessions"), str("\"kept\"")) == MCPGRAFT_OK);
    CHECK(mcpgraft_server_set(server, str("logging"), str("true")) == MCPGRAFT_OK);
    CHECK(mcpgraft_server_set(server, str("list_changed"), str("true")) == MCPGRAFT_OK);
    CHECK(mcpgraft_server_set(server, str("subscribe"), str("true")) == MCPGRAFT_OK);
    CHECK(mcpgraft_server_set(server, str("allowed_origins"), str("[\"https://example.com\"]")) == MCPGRAFT_OK);
    CHECK(mcpgraft_server_put(server, MCPGRAFT_TOOL, str("{\"name\":\"add\",\"inputSchema\":{\"type\":\"object\"}}")) ==
          MCPGRAFT_OK);
    CHECK(mcpgraft_server_put(server, MCPGRAFT_TEMPLATE, str("{\"uriTemplate\":\"a://{b}/{c}\",\"name\":\"t\"}")) ==
          MCPGRAFT_OK);
    CHECK(mcpgraft_session_new(server, &session) == MCPGRAFT_OK);
    CHECK(mcpgraft_exchange_new(server, &exchange) == MCPGRAFT_OK);
    CHECK(mcpgraft_lines_new(0, &lines) == MCPGRAFT_OK);
    CHECK(mcpgraft_keys_new(&secret, 1, &keys) == MCPGRAFT_OK);
}

static void end(void)
{
    CHECK(mcpgraft_free(keys) == MCPGRAFT_OK);
    CHECK(mcpgraft_free(lines) == MCPGRAFT_OK);
    CHECK(mcpgraft_free(server) == MCPGRAFT_OK);
    CHECK(mcpgraft_free(exchange) == MCPGRAFT_OK);
    CHECK(mcpgraft_free(session) == MCPGRAFT_OK);
    CHECK(mcpgraft_free(NULL) == MCPGRAFT_OK);
    CHECK(mcpgraft_free(nothing) == MCPGRAFT_WRONG_HANDLE);
}

/* --- wrong handles: every function that takes one --------------------------------------------------------------------------- */

/* The status of the function with this number with this pointer as its handle and otherwise good arguments; 0: no such. */
static int with_handle(int function, void *handle)
{
    struct mcpgraft_event event = fresh();
    struct mcpgraft_str a = str("{}"), b = {NULL, 0};
    struct mcpgraft_request request;
    struct mcpgraft_binding binding;
    mcpgraft_verdict verdict;
    mcpgraft_frame frame;
    unsigned char nonce[MCPGRAFT_NONCE_BYTES] = {0};
    size_t size = 0;
    uint64_t key = 0;
    uint16_t round = 0;
    bool flag = false;
    struct mcpgraft_peer *peer = handle, *made = NULL;
    memset(&request, 0, sizeof request);
    request.struct_size = sizeof request;
    request.method = str("POST");
    memset(&binding, 0, sizeof binding);
    binding.struct_size = sizeof binding;
    binding.arguments = a;
    switch (function) {
    case 0: return mcpgraft_server_set(handle, str("logging"), str("true"));
    case 1: return mcpgraft_server_put(handle, MCPGRAFT_TOOL, a);
    case 2: return mcpgraft_server_remove(handle, MCPGRAFT_TOOL, a);
    case 3: return mcpgraft_server_at(handle, MCPGRAFT_TOOL, 0, &a, &b);
    case 4: return mcpgraft_session_new(handle, &made);
    case 5: return mcpgraft_exchange_new(handle, &made);
    case 6: return mcpgraft_session_accept(peer, a, &event);
    case 7: return mcpgraft_session_too_long(peer, &event);
    case 8: return mcpgraft_give_up(peer, 1, &event);
    case 9: return mcpgraft_elicitation_complete(peer, a, &event);
    case 10: return mcpgraft_notify(peer, str("x/y"), b, &event);
    case 11: return mcpgraft_exchange_begin(peer, &request, &event);
    case 12: return mcpgraft_exchange_accept(peer, a, b, &event);
    case 13: return mcpgraft_exchange_cancel(peer, str("1"), &key);
    case 14: return mcpgraft_exchange_close(peer, &flag);
    case 15: return mcpgraft_next(peer, &event);
    case 16: return mcpgraft_reply(peer, 1, a, &event);
    case 17: return mcpgraft_fail(peer, 1, MCPGRAFT_FAIL_TOOL, a, 0, b, &event);
    case 18: return mcpgraft_progress(peer, 1, 1, NAN, b, &event);
    case 19: return mcpgraft_log(peer, 1, MCPGRAFT_LEVEL_INFO, a, b, &event);
    case 20: return mcpgraft_can_ask(peer, 1, str("roots/list"), b, &verdict, &a);
    case 21: return mcpgraft_ask(peer, 1, str("i"), str("roots/list"), b, &event);
    case 22: return mcpgraft_require_input(peer, 1, str("{\"a\":{\"method\":\"roots/list\"}}"), b, &event);
    case 23: return mcpgraft_is_cancelled(peer, 1, &flag);
    case 24: return mcpgraft_list_changed(peer, MCPGRAFT_TOOL, &event);
    case 25: return mcpgraft_resource_updated(peer, a, b, &event);
    case 26: return mcpgraft_end_listening(peer, &event);
    case 27: return mcpgraft_set_buffer(peer, NULL, 0);
    case 28: return mcpgraft_lines_next(handle, a, &size, &frame, &b);
    case 29: return mcpgraft_lines_finish(handle, &frame, &b);
    case 30: return mcpgraft_keys_seal(handle, a, a, nonce, &b);
    case 31: return mcpgraft_keys_open(handle, a, a, &b);
    case 32: return mcpgraft_keys_seal_state(handle, &binding, 1, a, 0, 0, nonce, &b);
    case 33: return mcpgraft_keys_open_state(handle, &binding, a, 0, &round, &b, nonce);
    default: return 0;
    }
}

enum { HANDLE_FUNCTIONS = 34, SESSION_ONLY = 6, EXCHANGE_ONLY = 11, ANY_PEER = 15, NOT_EXCHANGE = 24 };

static void wrong_handles(void)
{
    void *const handles[] = {server, session, exchange, lines, keys};
    int function, i;
    for (function = 0; function < HANDLE_FUNCTIONS; function++) {
        CHECK(with_handle(function, NULL) == MCPGRAFT_NULL);
        CHECK(with_handle(function, nothing) == MCPGRAFT_WRONG_HANDLE);
        CHECK(with_handle(function, (char *)nothing + 3) == MCPGRAFT_WRONG_HANDLE);
        for (i = 0; i < 5; i++) {
            int fits = function < SESSION_ONLY      ? i == 0
                       : function < EXCHANGE_ONLY   ? i == 1
                       : function < ANY_PEER        ? i == 2
                       : function < NOT_EXCHANGE    ? i == 1 || i == 2
                       : function < 27              ? i == 1
                       : function == 27             ? i == 1 || i == 2
                       : function < 30              ? i == 3
                                                    : i == 4;
            if (!fits && !CHECK(with_handle(function, handles[i]) == MCPGRAFT_WRONG_HANDLE))
                fprintf(stderr, "  function %d, handle %d\n", function, i);
        }
    }
    CHECK(mcpgraft_detail(NULL).ptr == NULL);
    CHECK(mcpgraft_detail(nothing).ptr == NULL);
}

/* --- wrong arguments: outputs stay as they are, and the detail says what is wrong -------------------------------------------- */

static int detail_has(const void *handle, const char *what)
{
    struct mcpgraft_str detail = mcpgraft_detail(handle);
    char text[256];
    memcpy(text, detail.ptr, detail.len);
    text[detail.len] = 0;
    return strstr(text, what) != NULL;
}

static void wrong_arguments(void)
{
    struct mcpgraft_event event = fresh(), before;
    struct mcpgraft_str null = {NULL, 5}, huge = {"x", (size_t)-1}, latin = {"\xff\xfe", 2}, view = {"kept", 4}, other = {NULL, 0};
    struct mcpgraft_request request;
    struct mcpgraft_header header;
    struct mcpgraft_server *made = NULL;
    struct mcpgraft_peer *peer = NULL;
    size_t size = 77;
    char small[4];
    int i;
    CHECK(mcpgraft_server_new(NULL) == MCPGRAFT_NULL);
    CHECK(mcpgraft_session_new(server, NULL) == MCPGRAFT_NULL);
    CHECK(mcpgraft_lines_new(0, NULL) == MCPGRAFT_NULL);
    CHECK(mcpgraft_keys_new(NULL, 1, &keys) == MCPGRAFT_NULL);
    CHECK(mcpgraft_keys_new(&latin, 1, NULL) == MCPGRAFT_NULL);
    {
        struct mcpgraft_keys *ring = NULL;
        CHECK(mcpgraft_keys_new(&latin, 1, &ring) == MCPGRAFT_BAD_ARGUMENT && ring == NULL);
        CHECK(mcpgraft_keys_new(&latin, 0, &ring) == MCPGRAFT_BAD_ARGUMENT && ring == NULL);
    }

    CHECK(mcpgraft_server_set(server, str("logging"), str("false")) == MCPGRAFT_NOT_ALLOWED);
    CHECK(mcpgraft_server_new(&made) == MCPGRAFT_OK);
    CHECK(mcpgraft_server_set(made, str("nonsense"), str("1")) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(detail_has(made, "README"));
    CHECK(mcpgraft_server_set(made, str("logging"), str("1")) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(mcpgraft_server_set(made, str("logging"), str("{")) == MCPGRAFT_BAD_JSON);
    CHECK(detail_has(made, "value: "));
    CHECK(mcpgraft_server_set(made, str("limits"), str("{\"depth\":1000}")) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(mcpgraft_server_set(made, latin, str("1")) == MCPGRAFT_NOT_UTF8);
    CHECK(mcpgraft_server_set(made, null, str("1")) == MCPGRAFT_NULL);
    CHECK(mcpgraft_server_set(made, huge, str("1")) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(mcpgraft_server_put(made, 4, str("{}")) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(mcpgraft_server_put(made, MCPGRAFT_TOOL, str("{\"name\":\"x\"}")) == MCPGRAFT_BAD_DEFINITION);
    CHECK(mcpgraft_server_remove(made, MCPGRAFT_TOOL, str("x")) == MCPGRAFT_NOT_FOUND);
    CHECK(mcpgraft_server_at(made, MCPGRAFT_TOOL, 0, &view, &view) == MCPGRAFT_NOT_FOUND && is(view, "kept"));
    CHECK(mcpgraft_free(made) == MCPGRAFT_OK);
    CHECK(mcpgraft_server_at(server, MCPGRAFT_TOOL, 0, &view, &other) == MCPGRAFT_OK && is(view, "add"));
    CHECK(mcpgraft_server_at(server, MCPGRAFT_TOOL, 0, NULL, &other) == MCPGRAFT_NULL);

    /* Sizes of structures. */
    memset(&event, 0x5a, sizeof event);
    event.struct_size = sizeof event - 1;
    before = event;
    CHECK(mcpgraft_session_accept(session, str("{}"), &event) == MCPGRAFT_BAD_STRUCT);
    event.struct_size = before.struct_size = 0;
    CHECK(mcpgraft_session_accept(session, str("{}"), &event) == MCPGRAFT_BAD_STRUCT);
    CHECK(memcmp(&event, &before, sizeof event) == 0);
    CHECK(mcpgraft_session_accept(session, str("{}"), NULL) == MCPGRAFT_NULL);
    {
        /* A program of a later header: what it has more is zero. */
        struct {
            struct mcpgraft_event event;
            uint64_t more[4];
        } later;
        memset(&later, 0x5a, sizeof later);
        later.event.struct_size = sizeof later;
        CHECK(mcpgraft_session_accept(session, str("{}"), &later.event) == MCPGRAFT_OK);
        CHECK(later.event.struct_size == sizeof later && later.more[0] == 0 && later.more[3] == 0);
    }
    event = before;
    event.struct_size = before.struct_size = sizeof event;
    CHECK(mcpgraft_session_accept(session, null, &event) == MCPGRAFT_NULL);
    CHECK(mcpgraft_reply(session, 1, latin, &event) == MCPGRAFT_NOT_UTF8);
    CHECK(mcpgraft_reply(session, 1, str("{}"), &event) == MCPGRAFT_UNKNOWN_CALL);
    CHECK(mcpgraft_fail(session, 1, 7, str("x"), 0, str(NULL), &event) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(mcpgraft_log(session, 0, 8, str("{}"), str(NULL), &event) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(mcpgraft_log(session, 0, 0, str("{"), str(NULL), &event) == MCPGRAFT_BAD_JSON);
    CHECK(mcpgraft_next(session, &event) == MCPGRAFT_OVER);
    CHECK(mcpgraft_exchange_accept(exchange, str(""), str(NULL), &event) == MCPGRAFT_OVER);
    CHECK(mcpgraft_ask(session, 1, str(NULL), str("x"), str(NULL), &event) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(mcpgraft_require_input(session, 1, str("[]"), str(NULL), &event) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(mcpgraft_list_changed(session, 9, &event) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(memcmp(&event, &before, sizeof event) == 0);
    CHECK(mcpgraft_set_buffer(session, small, (size_t)-1) == MCPGRAFT_BAD_ARGUMENT);

    memset(&request, 0, sizeof request);
    CHECK(mcpgraft_exchange_begin(exchange, &request, &event) == MCPGRAFT_BAD_STRUCT);
    request.struct_size = sizeof request;
    request.method = str("POST");
    request.header_count = 1;
    CHECK(mcpgraft_exchange_begin(exchange, &request, &event) == MCPGRAFT_NULL);
    request.headers = &header;
    header.name = str("Host");
    header.value = null;
    CHECK(mcpgraft_exchange_begin(exchange, &request, &event) == MCPGRAFT_NULL);
    request.header_count = (size_t)-1;
    CHECK(mcpgraft_exchange_begin(exchange, &request, &event) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(mcpgraft_exchange_begin(exchange, NULL, &event) == MCPGRAFT_NULL);

    CHECK(mcpgraft_json_get(str("{\"a\":1}"), str("b"), &view) == MCPGRAFT_NOT_FOUND && is(view, "add"));
    CHECK(mcpgraft_json_get(str("{\"a\":[1]}"), str("a"), &view) == MCPGRAFT_OK && is(view, "[1]"));
    CHECK(mcpgraft_json_get(str("{\"a\":"), str("a"), &view) == MCPGRAFT_BAD_JSON);
    CHECK(mcpgraft_json_text(str("\"caf\\u00e9\""), small, sizeof small, &size) == MCPGRAFT_OUTPUT_FULL && size == 77);
    CHECK(mcpgraft_json_text(str("\"\\u00e9\""), small, sizeof small, &size) == MCPGRAFT_OK && size == 2);
    CHECK(mcpgraft_json_text(str("1"), small, sizeof small, &size) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(mcpgraft_json_text(str("\"x\""), NULL, 4, &size) == MCPGRAFT_NULL);
    CHECK(mcpgraft_json_quote(str("\""), small, sizeof small, &size) == MCPGRAFT_OK && size == 4);
    CHECK(mcpgraft_json_quote(str("xyz"), small, sizeof small, &size) == MCPGRAFT_OUTPUT_FULL);
    CHECK(memcmp(small, "\"\\\"\"", 4) == 0 || size == 4);

    for (i = 0; i < 2; i++) {
        CHECK(mcpgraft_status_name(12345).ptr == NULL);
        CHECK(is(mcpgraft_status_name(MCPGRAFT_NO_MEMORY), "no_memory"));
    }
    CHECK(mcpgraft_free(peer) == MCPGRAFT_OK);
}

/* --- seals ------------------------------------------------------------------------------------------------------------------- */

static void seals(void)
{
    struct mcpgraft_binding binding;
    struct mcpgraft_str sealed, plain, kept;
    unsigned char nonce[MCPGRAFT_NONCE_BYTES] = {1, 2, 3}, seen[MCPGRAFT_NONCE_BYTES] = {0};
    char copy[1024];
    uint16_t round = 0;
    CHECK(mcpgraft_keys_seal(keys, str("cursor"), str("page 2"), nonce, &sealed) == MCPGRAFT_OK);
    memcpy(copy, sealed.ptr, sealed.len);
    sealed.ptr = copy;
    CHECK(mcpgraft_keys_open(keys, str("cursor"), sealed, &plain) == MCPGRAFT_OK && is(plain, "page 2"));
    CHECK(mcpgraft_keys_open(keys, str("other"), sealed, &plain) == MCPGRAFT_BAD_SEAL);
    copy[sealed.len / 2] ^= 1;
    CHECK(mcpgraft_keys_open(keys, str("cursor"), sealed, &plain) == MCPGRAFT_BAD_SEAL);
    memset(&binding, 0, sizeof binding);
    binding.struct_size = sizeof binding;
    binding.method = str("tools/call");
    binding.target = str("add");
    binding.arguments = str("{\"a\":1,\"b\":2}");
    CHECK(mcpgraft_keys_seal_state(keys, &binding, 2, str("[1]"), 1000, 60000, nonce, &sealed) == MCPGRAFT_OK);
    memcpy(copy, sealed.ptr, sealed.len);
    sealed.ptr = copy;
    binding.arguments = str("{ \"b\":2, \"a\":1 }");
    CHECK(mcpgraft_keys_open_state(keys, &binding, sealed, 2000, &round, &kept, seen) == MCPGRAFT_OK);
    CHECK(round == 2 && is(kept, "[1]") && memcmp(nonce, seen, sizeof nonce) == 0);
    CHECK(mcpgraft_keys_open_state(keys, &binding, sealed, 62000, &round, &kept, seen) == MCPGRAFT_BAD_SEAL);
    binding.principal = str("somebody");
    CHECK(mcpgraft_keys_open_state(keys, &binding, sealed, 2000, &round, &kept, seen) == MCPGRAFT_BAD_SEAL);
    binding.struct_size = 3;
    CHECK(mcpgraft_keys_open_state(keys, &binding, sealed, 2000, &round, &kept, seen) == MCPGRAFT_BAD_STRUCT);
}

/* --- asking, listening, sessions: what no transcript has ---------------------------------------------------------------------- */

static void asking(void)
{
    struct mcpgraft_peer *peer = NULL;
    struct mcpgraft_event event = fresh();
    struct mcpgraft_str why = str(NULL);
    mcpgraft_verdict verdict = MCPGRAFT_WRONG_ASK;
    uint64_t key;
    uint32_t ask;
    bool accepts = false, cancelled = false;
    CHECK(mcpgraft_session_new(server, &peer) == MCPGRAFT_OK);
    CHECK(mcpgraft_session_accept(peer, str(INITIALIZE), &event) == MCPGRAFT_OK && event.kind == MCPGRAFT_OPENED);
    CHECK(is(event.revision, "2025-11-25") && is(event.client_info, "{\"name\":\"c\",\"version\":\"1\"}"));
    CHECK(mcpgraft_session_accept(peer, str("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"), &event) ==
          MCPGRAFT_OK && event.kind == MCPGRAFT_READY);
    CHECK(mcpgraft_session_accept(peer, str(CALL("7")), &event) == MCPGRAFT_OK && event.kind == MCPGRAFT_CALL);
    key = event.key;
    CHECK(key != 0 && event.target == MCPGRAFT_CALL_TOOL && is(event.entry, "add") && !event.stateless);
    CHECK(mcpgraft_can_ask(peer, key, str("elicitation/create"), str(FORM), &verdict, &why) == MCPGRAFT_OK);
    CHECK(verdict == MCPGRAFT_CAN_ASK);
    CHECK(mcpgraft_can_ask(peer, key, str("sampling/createMessage"), str("{\"tools\":[],\"messages\":[],\"maxTokens\":1}"),
                           &verdict, &why) == MCPGRAFT_OK);
    CHECK(verdict == MCPGRAFT_NO_CAPABILITY && is(why, "{\"sampling\":{\"tools\":{}}}"));
    CHECK(mcpgraft_ask(peer, key, str(NULL), str("elicitation/create"), str(FORM), &event) == MCPGRAFT_OK);
    ask = event.ask;
    CHECK(ask != 0 && event.send.len > 0);
    CHECK(mcpgraft_session_accept(peer, str("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"action\":\"decline\"}}"), &event) ==
          MCPGRAFT_OK);
    CHECK(event.kind == MCPGRAFT_ANSWER && event.key == key && event.ask == ask && event.ok && event.left == 0);
    CHECK(mcpgraft_ask_accepts(str("elicitation/create"), str(FORM), event.params, &accepts) == MCPGRAFT_OK && accepts);
    CHECK(mcpgraft_ask_accepts(str("roots/list"), str(NULL), event.params, &accepts) == MCPGRAFT_OK && !accepts);
    CHECK(mcpgraft_ask(peer, key, str(NULL), str("roots/list"), str(NULL), &event) == MCPGRAFT_OK && event.ask != ask);
    CHECK(mcpgraft_give_up(peer, event.ask, &event) == MCPGRAFT_OK && event.send.len > 0);
    CHECK(mcpgraft_session_accept(peer, str("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":"
                                           "{\"requestId\":7,\"reason\":\"en\\u006fugh\"}}"), &event) == MCPGRAFT_OK);
    CHECK(event.kind == MCPGRAFT_CANCELLED && event.key == key && is(event.text, "enough"));
    CHECK(mcpgraft_is_cancelled(peer, key, &cancelled) == MCPGRAFT_OK && cancelled);
    CHECK(mcpgraft_reply(peer, key, str("{\"content\":[]}"), &event) == MCPGRAFT_OK && event.send.len == 0);
    CHECK(mcpgraft_list_changed(peer, MCPGRAFT_TOOL, &event) == MCPGRAFT_OK && event.send.len > 0);
    CHECK(mcpgraft_resource_updated(peer, str("a://b/c"), str(NULL), &event) == MCPGRAFT_OK && event.send.len == 0);
    CHECK(mcpgraft_notify(peer, str("x/y"), str("{}"), &event) == MCPGRAFT_OK && event.send.len > 0);
    CHECK(mcpgraft_notify(peer, str("notifications/x"), str("{}"), &event) == MCPGRAFT_NOT_ALLOWED);
    CHECK(mcpgraft_elicitation_complete(peer, str("e"), &event) == MCPGRAFT_OK && event.send.len > 0);
    CHECK(mcpgraft_session_accept(peer, str("{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"tools/call\",\"params\":{\"name\":"
                                           "\"add\"," META "}}"), &event) == MCPGRAFT_OK);
    CHECK(event.kind == MCPGRAFT_CALL && event.stateless && event.progress_wanted);
    CHECK(mcpgraft_require_input(peer, event.key, str("{\"who\":{\"method\":\"elicitation/create\",\"params\":" FORM "}}"),
                                 str("state"), &event) == MCPGRAFT_OK && event.send.len > 0);
    CHECK(mcpgraft_end_listening(peer, &event) == MCPGRAFT_OK);
    CHECK(mcpgraft_free(peer) == MCPGRAFT_OK);
}

static mcpgraft_status post(const char *method, const char *session_id, const char *body, struct mcpgraft_str stored,
                            struct mcpgraft_event *event)
{
    struct mcpgraft_header headers[6];
    struct mcpgraft_request request;
    mcpgraft_status status;
    memset(&request, 0, sizeof request);
    request.struct_size = sizeof request;
    request.method = str(method);
    request.headers = headers;
    request.flags = MCPGRAFT_STREAMS | MCPGRAFT_LISTENS;
    headers[0].name = str("Host"), headers[0].value = str("localhost");
    headers[1].name = str("Content-Type"), headers[1].value = str("application/json");
    headers[2].name = str("Accept"), headers[2].value = str("application/json, text/event-stream");
    headers[3].name = str("Origin"), headers[3].value = str("https://example.com");
    headers[4].name = str("Mcp-Session-Id"), headers[4].value = str(session_id);
    request.header_count = session_id == NULL ? 4 : 5;
    status = mcpgraft_exchange_begin(exchange, &request, event);
    if (status != MCPGRAFT_OK || event->kind != MCPGRAFT_READ_BODY)
        return status;
    return mcpgraft_exchange_accept(exchange, str(body), stored, event);
}

static void sessions_over_http(void)
{
    struct mcpgraft_event event = fresh();
    struct mcpgraft_str stored, none = str(NULL);
    struct mcpgraft_peer *listener;
    char memory[2048];
    uint64_t key = 1;
    CHECK(post("POST", NULL, INITIALIZE, none, &event) == MCPGRAFT_OK && event.kind == MCPGRAFT_OPENED);
    CHECK(event.status == 200 && event.end && event.stored.len > 0 && event.header_count >= 3);
    memcpy(memory, event.stored.ptr, event.stored.len);
    stored.ptr = memory;
    stored.len = event.stored.len;
    CHECK(post("POST", "s", "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"resources/subscribe\",\"params\":{\"uri\":"
                            "\"a://b/c\"}}", stored, &event) == MCPGRAFT_OK);
    CHECK(event.kind == MCPGRAFT_SUBSCRIBED && is(event.text, "a://b/c") && event.stored.len > stored.len);
    memcpy(memory, event.stored.ptr, event.stored.len);
    stored.len = event.stored.len;
    CHECK(post("POST", "s", CALL("3"), none, &event) == MCPGRAFT_OK && event.status == 404);
    CHECK(post("POST", "s", CALL("3"), stored, &event) == MCPGRAFT_OK && event.kind == MCPGRAFT_CALL);
    CHECK(event.can_stream);
    CHECK(mcpgraft_ask(exchange, event.key, str("q1"), str("roots/list"), none, &event) == MCPGRAFT_OK);
    CHECK(event.status == 200 && !event.end && event.send.len > 0);
    CHECK(mcpgraft_exchange_cancel(exchange, str("4"), &key) == MCPGRAFT_OK && key == 0);
    CHECK(mcpgraft_exchange_cancel(exchange, str("3"), &key) == MCPGRAFT_OK && key != 0);
    CHECK(post("GET", "s", "", stored, &event) == MCPGRAFT_OK && event.kind == MCPGRAFT_LISTENING && !event.end);
    listener = event.listener;
    CHECK(listener != NULL);
    CHECK(mcpgraft_resource_updated(listener, str("a://b/c"), stored, &event) == MCPGRAFT_OK && event.send.len > 0);
    CHECK(mcpgraft_resource_updated(listener, str("a://b/d"), stored, &event) == MCPGRAFT_OK && event.send.len == 0);
    CHECK(mcpgraft_list_changed(listener, MCPGRAFT_PROMPT, &event) == MCPGRAFT_OK && event.send.len > 0);
    CHECK(mcpgraft_next(listener, &event) == MCPGRAFT_WRONG_HANDLE);
    CHECK(mcpgraft_end_listening(listener, &event) == MCPGRAFT_OK && event.end);
    CHECK(mcpgraft_free(listener) == MCPGRAFT_OK);
    CHECK(post("DELETE", "s", "", stored, &event) == MCPGRAFT_OK && event.kind == MCPGRAFT_ENDED && event.end);
}

/* --- random calls ------------------------------------------------------------------------------------------------------------ */

static uint64_t state;

static unsigned pick(unsigned below)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (unsigned)(state >> 33) % below;
}

static struct mcpgraft_str text(void)
{
    static const char *const texts[] = {
        "", "{}", "[]", "null", "\"x\"", "{", "\xff", "add", "tools/call", "roots/list", "elicitation/create", FORM, INITIALIZE,
        CALL("1"), CALL("\"a\\u0062\""), "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{\"name\":\"add\"," META "}}",
        "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"resources/read\",\"params\":{\"uri\":\"a://%41%00/\\u0022%22\"," META "}}",
        "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"subscriptions/listen\",\"params\":{\"notifications\":{"
        "\"toolsListChanged\":true}," META "}}",
        "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-03-26\","
        "\"capabilities\":{},\"clientInfo\":{\"name\":\"c\",\"version\":\"1\"}}}",
        "[" CALL("8") "," CALL("9") ",{\"jsonrpc\":\"2.0\",\"id\":10,\"method\":\"ping\"}]",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", "{\"content\":[]}", "{\"contents\":[]}",
        "{\"a\":{\"method\":\"elicitation/create\",\"params\":" FORM "}}", "a://b/c", "POST", "GET", "DELETE", "OPTIONS",
        "info", "limits", "{\"name\":\"add\",\"inputSchema\":{\"type\":\"object\"}}",
        "{\"uriTemplate\":\"a://{b}/{c}\",\"name\":\"t\"}", "line\nline\r\nrest",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1}}"};
    unsigned which = pick(sizeof texts / sizeof *texts + 2);
    struct mcpgraft_str view = {NULL, 0};
    if (which >= sizeof texts / sizeof *texts)
        view.len = which % 2;
    else
        view = str(texts[which]);
    /* Often the front part only. */
    if (pick(8) == 0 && view.len > 1)
        view.len = pick((unsigned)view.len);
    return view;
}

static void random_calls(long count)
{
    static char lent[4096];
    uint64_t known[8] = {0};
    struct mcpgraft_peer *listener = NULL;
    struct mcpgraft_str a = {NULL, 0}, b = {NULL, 0};
    unsigned char nonce[MCPGRAFT_NONCE_BYTES] = {0};
    unsigned long statuses[128] = {0};
    while (count-- > 0) {
        struct mcpgraft_event event = fresh();
        struct mcpgraft_request request;
        struct mcpgraft_header headers[5];
        struct mcpgraft_binding binding = {sizeof binding, text(), text(), text(), text()};
        mcpgraft_verdict verdict;
        mcpgraft_frame frame;
        size_t size = 0;
        uint16_t round = 0;
        bool flag = false;
        struct mcpgraft_peer *peer = pick(2) ? session : exchange;
        uint64_t key = known[pick(8)];
        struct mcpgraft_str input = text();
        mcpgraft_status status = MCPGRAFT_OK;
        unsigned i;
        if (listener != NULL && pick(8) == 0)
            peer = listener;
        switch (pick(42)) {
        case 0: status = mcpgraft_server_put(server, pick(5), text()); break;
        case 1: status = mcpgraft_server_remove(server, pick(5), text()); break;
        case 2: status = mcpgraft_server_at(server, pick(5), pick(3), &a, &b); break;
        case 3: status = mcpgraft_session_too_long(peer, &event); break;
        case 4: status = mcpgraft_give_up(peer, pick(4), &event); break;
        case 5: status = mcpgraft_elicitation_complete(peer, text(), &event); break;
        case 6: status = mcpgraft_notify(peer, text(), text(), &event); break;
        case 7: status = mcpgraft_exchange_cancel(peer, text(), &key); break;
        case 8: status = mcpgraft_exchange_close(peer, &flag); break;
        case 9: case 10: status = mcpgraft_next(peer, &event); break;
        case 11: case 12: case 13: status = mcpgraft_reply(peer, key, text(), &event); break;
        case 14: status = mcpgraft_fail(peer, key, pick(9), text(), (int32_t)pick(9) - 4, text(), &event); break;
        case 15: status = mcpgraft_progress(peer, key, pick(9), pick(2) ? NAN : 9, text(), &event); break;
        case 16: status = mcpgraft_log(peer, key, (int32_t)pick(10) - 1, text(), text(), &event); break;
        case 17: status = mcpgraft_can_ask(peer, key, text(), text(), &verdict, &a); break;
        case 18: case 19: status = mcpgraft_ask(peer, key, text(), text(), text(), &event); break;
        case 20: status = mcpgraft_require_input(peer, key, text(), text(), &event); break;
        case 21: status = mcpgraft_is_cancelled(peer, key, &flag); break;
        case 22: status = mcpgraft_list_changed(peer, pick(5), &event); break;
        case 23: status = mcpgraft_resource_updated(peer, text(), text(), &event); break;
        case 24: status = mcpgraft_end_listening(peer, &event); break;
        case 25: status = mcpgraft_set_buffer(peer, pick(2) ? lent : NULL, pick(sizeof lent)); break;
        case 26: status = mcpgraft_lines_next(lines, input, &size, &frame, &a); break;
        case 27: status = mcpgraft_lines_finish(lines, &frame, &a); break;
        case 28: status = mcpgraft_keys_seal(keys, text(), text(), nonce, &a); break;
        case 29: status = mcpgraft_keys_open(keys, text(), text(), &a); break;
        case 30: status = mcpgraft_keys_seal_state(keys, &binding, 1, text(), 0, 9, nonce, &a); break;
        case 31: status = mcpgraft_keys_open_state(keys, &binding, text(), 0, &round, &a, nonce); break;
        case 32: status = mcpgraft_json_get(text(), text(), &a); break;
        case 33: status = mcpgraft_json_text(text(), lent, pick(sizeof lent), &size); break;
        case 34: status = mcpgraft_json_quote(text(), lent, pick(sizeof lent), &size); break;
        case 35: status = mcpgraft_ask_accepts(text(), text(), text(), &flag); break;
        case 36: case 37: case 38: status = mcpgraft_session_accept(session, input, &event); break;
        case 39:
            if (pick(50) == 0) {
                CHECK(mcpgraft_free(session) == MCPGRAFT_OK && mcpgraft_session_new(server, &session) == MCPGRAFT_OK);
            }
            break;
        case 40:
            memset(&request, 0, sizeof request);
            request.struct_size = sizeof request;
            request.method = pick(2) ? str("POST") : text();
            request.headers = headers;
            request.header_count = pick(6);
            request.flags = pick(16);
            for (i = 0; i < 5; i++) {
                static const char *const names[] = {"Host", "Content-Type", "Accept", "Mcp-Session-Id", "Origin", "\xff"};
                static const char *const values[] = {"localhost", "application/json", "application/json, text/event-stream", "s",
                                                     "https://example.com", "\xff"};
                unsigned which = pick(4) == 0 ? pick(6) : i;
                headers[i].name = str(names[which]);
                headers[i].value = str(values[which]);
            }
            status = mcpgraft_exchange_begin(exchange, &request, &event);
            break;
        default:
            status = mcpgraft_exchange_accept(exchange, input, pick(2) ? text() : a, &event);
        }
        if (status == MCPGRAFT_OK && event.kind == MCPGRAFT_CALL)
            known[pick(8)] = event.key;
        if (status == MCPGRAFT_OK && event.listener != NULL) {
            mcpgraft_free(listener);
            listener = event.listener;
        }
        if (status == MCPGRAFT_OK && (key = event.send.len) > 0)
            memmove(lent, event.send.ptr, key < sizeof lent ? key : sizeof lent);
        statuses[status < 128 ? status : 127]++;
        a = str(NULL);
    }
    mcpgraft_free(listener);
    CHECK(statuses[MCPGRAFT_PANIC] == 0 && statuses[MCPGRAFT_POISONED] == 0 && statuses[127] == 0);
    CHECK(statuses[MCPGRAFT_OK] > 1000 && statuses[MCPGRAFT_BUSY] == 0);
}

int main(int argc, char **argv)
{
    long calls = argc > 1 ? atol(argv[1]) : 1000000;
    state = argc > 2 ? strtoull(argv[2], NULL, 10) * 2 + 1 : 88172645463325252u;
    make();
    wrong_handles();
    wrong_arguments();
    seals();
    asking();
    sessions_over_http();
    random_calls(calls);
    end();
    printf("%ld random calls\n", calls);
    return summary("guards");
}
