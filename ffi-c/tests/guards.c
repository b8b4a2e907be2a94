/* Whatever C gives to a function, it comes back with a status: NULL, handles of another kind, memory that is no handle, text that
 * is no text, structures of a wrong size, numbers out of range. Then a million random calls in random order.
 *
 *     guards [CALLS] [SEED] */
#include "handles.h"

#include <math.h>

/* --- wrong handles: every function that takes one --------------------------------------------------------------------------- */

/* What a function has made: with a wrong handle, nothing. */
static struct mcpgraft_peer *made;

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
    struct mcpgraft_task_view view;
    struct mcpgraft_peer *peer = handle;
    view.struct_size = sizeof view;
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
    case 7: return mcpgraft_session_accept(peer, str(NULL), &event);
    case 8: return mcpgraft_notify(peer, 0, MCPGRAFT_NEWS_OWN, str("x/y"), b, &event);
    case 9: return mcpgraft_exchange_begin(peer, &request, &event);
    case 10: return mcpgraft_exchange_accept(peer, a, b, &event);
    case 11: return mcpgraft_lost(peer, MCPGRAFT_LOST_REQUEST, str("1"), &key);
    case 12: return mcpgraft_lost(peer, MCPGRAFT_LOST_CONNECTION, b, &key);
    case 13: return mcpgraft_next(peer, &event);
    case 14: return mcpgraft_reply(peer, 1, a, &event);
    case 15: return mcpgraft_fail(peer, 1, MCPGRAFT_FAIL_TOOL, a, 0, b, &event);
    case 16: return mcpgraft_progress(peer, 1, str(NULL), 1, NAN, b, &event);
    case 17: return mcpgraft_log(peer, 1, MCPGRAFT_LEVEL_INFO, a, b, &event);
    case 18: return mcpgraft_can_ask(peer, 1, str("roots/list"), b, &verdict, &a);
    case 19: return mcpgraft_ask(peer, 1, str("i"), str("roots/list"), b, &event);
    case 20: return mcpgraft_require_input(peer, 1, str("{\"a\":{\"method\":\"roots/list\"}}"), b, &event);
    case 21: return mcpgraft_is_cancelled(peer, 1, &flag);
    case 22: return mcpgraft_notify(peer, 0, MCPGRAFT_TOOL, str(NULL), str(NULL), &event);
    case 23: return mcpgraft_notify(peer, 0, MCPGRAFT_NEWS_RESOURCE, a, b, &event);
    case 24: return mcpgraft_notify(peer, 0, MCPGRAFT_NEWS_END, str(NULL), str(NULL), &event);
    case 25: return mcpgraft_set_buffer(peer, NULL, 0);
    case 26: return mcpgraft_notify(peer, 0, MCPGRAFT_NEWS_TASK, str(SAVED), b, &event);
    case 27: return mcpgraft_notify(peer, 1, MCPGRAFT_NEWS_ELICITATION, a, str(NULL), &event);
    case 28: return mcpgraft_lines_next(handle, a, &size, &frame, &b);
    case 29: return mcpgraft_lines_next(handle, str(NULL), &size, &frame, &b);
    case 30: return mcpgraft_keys_seal(handle, a, a, nonce, &b);
    case 31: return mcpgraft_keys_open(handle, a, a, &b);
    case 32: return mcpgraft_keys_seal_state(handle, &binding, 1, a, 0, 0, nonce, &b);
    case 33: return mcpgraft_keys_open_state(handle, &binding, a, 0, &round, &b, nonce);
    case 34: return mcpgraft_task_read(handle, b, b, &view);
    case 35: return mcpgraft_task_change(handle, MCPGRAFT_TASK_SAYS, str("x"), 0);
    case 36: return mcpgraft_task_change(handle, MCPGRAFT_TASK_IS_ANSWERED, a, 0);
    case 37: return mcpgraft_task_fail(handle, MCPGRAFT_FAIL_TOOL, a, 0, b, 0);
    case 38: return mcpgraft_task_can_ask(handle, str("roots/list"), b, &verdict, &a);
    case 39: return mcpgraft_give_up(peer, 1, 1, a, &event);
    case 40: return mcpgraft_lost(peer, MCPGRAFT_LOST_CLIENT, b, &key);
    case 41: return mcpgraft_stream(peer, 1, MCPGRAFT_STREAM_WAITS, 0, &event);
    case 42: return mcpgraft_stream(peer, 1, MCPGRAFT_STREAM_CLOSES, 5, &event);
    case 43: return mcpgraft_resume(peer, false, 0, &event);
    case 44: return mcpgraft_task_ask(peer, 1, str(SAVED), a, a, &event);
    case 45: return mcpgraft_progress(peer, 1, str(SAVED), 1, NAN, b, &event);
    case 46: return mcpgraft_task_page(peer, 1, NULL, 0, b, &event);
    case 47: return mcpgraft_check(peer, str("add"), MCPGRAFT_SCHEMA_INPUT, str("{}"), &b);
    default: return 0;
    }
}

/* What each takes: a server, session, exchange, splitter, ring of keys, task, or `p`: a session or an exchange. */
static const char takes[] = "vvvvvvsssxxxxpppppppppssspspllkkkktttttppxxxpppp";

static void wrong_handles(void)
{
    const struct {
        void *handle;
        char kind;
    } handles[] = {{server, 'v'}, {session, 's'}, {exchange, 'x'}, {lines, 'l'}, {keys, 'k'}, {task, 't'}};
    int function, i;
    for (function = 0; takes[function] != 0; function++) {
        CHECK(with_handle(function, NULL) == MCPGRAFT_NULL);
        CHECK(with_handle(function, nothing) == MCPGRAFT_WRONG_HANDLE);
        CHECK(with_handle(function, (char *)nothing + 3) == MCPGRAFT_WRONG_HANDLE);
        for (i = 0; i < 6; i++) {
            char kind = handles[i].kind;
            int fits = takes[function] == 'p' ? kind == 's' || kind == 'x' : takes[function] == kind;
            made = NULL;
            if (!CHECK(fits == (with_handle(function, handles[i].handle) != MCPGRAFT_WRONG_HANDLE)))
                fprintf(stderr, "  function %d, handle %c\n", function, kind);
            CHECK(fits || made == NULL);
            mcpgraft_free(made);
        }
    }
    CHECK(with_handle((int)sizeof takes - 1, server) == 0);
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

static void wrong_tasks(void)
{
    struct mcpgraft_new_task begin;
    struct mcpgraft_task_view view, before;
    struct mcpgraft_task *other = NULL;
    struct mcpgraft_event event = fresh();
    struct mcpgraft_str saved = str(SAVED), list[2];
    list[0] = saved, list[1] = str("{}");
    id_of(&begin, "", 0);
    CHECK(mcpgraft_task_new(&begin, &other) == MCPGRAFT_NOT_ALLOWED && other == NULL);
    id_of(&begin, "an id", 0);
    CHECK(mcpgraft_task_new(&begin, &other) == MCPGRAFT_NOT_ALLOWED && other == NULL);
    id_of(&begin, "id", 0);
    begin.origin = 0x1000000;
    CHECK(mcpgraft_task_new(&begin, &other) == MCPGRAFT_BAD_ARGUMENT && other == NULL);
    begin.origin = 0;
    begin.progress_token = str("{}");
    CHECK(mcpgraft_task_new(&begin, &other) == MCPGRAFT_BAD_ARGUMENT && other == NULL);
    begin.progress_token = str("1 2");
    CHECK(mcpgraft_task_new(&begin, &other) == MCPGRAFT_BAD_JSON && other == NULL);
    begin.struct_size--;
    CHECK(mcpgraft_task_new(&begin, &other) == MCPGRAFT_BAD_STRUCT && other == NULL);
    CHECK(mcpgraft_task_new(NULL, &other) == MCPGRAFT_NULL);
    CHECK(mcpgraft_task_restore(str("{}"), &other) == MCPGRAFT_BAD_ARGUMENT && other == NULL);
    CHECK(mcpgraft_task_restore(str(SAVED), NULL) == MCPGRAFT_NULL);
    memset(&view, 0x5a, sizeof view);
    view.struct_size = 3;
    before = view;
    CHECK(mcpgraft_task_read(task, str(NULL), str(NULL), &view) == MCPGRAFT_BAD_STRUCT);
    CHECK(memcmp(&view, &before, sizeof view) == 0);
    view.struct_size = before.struct_size = sizeof view;
    CHECK(mcpgraft_task_read(task, str(NULL), str("2025"), &view) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(memcmp(&view, &before, sizeof view) == 0 && detail_has(task, "revision"));
    CHECK(mcpgraft_task_change(task, 5, str("x"), 0) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(mcpgraft_task_change(task, MCPGRAFT_TASK_ASKS, str("{}"), 0) == MCPGRAFT_NOT_ALLOWED);
    CHECK(mcpgraft_task_change(task, MCPGRAFT_TASK_COMPLETES, str("[]"), 0) == MCPGRAFT_BAD_RESULT);
    CHECK(mcpgraft_task_change(task, MCPGRAFT_TASK_COMPLETES, str("{"), 0) == MCPGRAFT_BAD_JSON);
    CHECK(mcpgraft_task_fail(task, 9, str("x"), 0, str(NULL), 0) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(mcpgraft_task_change(task, MCPGRAFT_TASK_IS_ANSWERED, str("{"), 0) == MCPGRAFT_BAD_JSON);
    CHECK(mcpgraft_task_change(task, MCPGRAFT_TASK_IS_ANSWERED, str("{}"), 0) == MCPGRAFT_NOT_FOUND && detail_has(task, "question"));
    CHECK(mcpgraft_notify(session, 0, MCPGRAFT_NEWS_TASK, str("{}"), str(NULL), &event) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(mcpgraft_task_ask(session, 1, str("{}"), str("q"), str(NULL), &event) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(mcpgraft_task_ask(session, 1, saved, str("q"), str(NULL), &event) == MCPGRAFT_NOT_FOUND);
    CHECK(mcpgraft_progress(session, 1, saved, NAN, NAN, str(NULL), &event) == MCPGRAFT_OK);
    CHECK(mcpgraft_progress(exchange, 1, saved, 1, NAN, str(NULL), &event) == MCPGRAFT_UNKNOWN_CALL);
    CHECK(mcpgraft_task_page(session, 1, NULL, 1, str(NULL), &event) == MCPGRAFT_NULL);
    CHECK(mcpgraft_task_page(session, 1, &saved, 1001, str(NULL), &event) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(mcpgraft_task_page(session, 1, list, 2, str(NULL), &event) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(mcpgraft_task_page(session, 1, list, 1, str("\xff"), &event) == MCPGRAFT_NOT_UTF8);
    CHECK(mcpgraft_task_page(session, 1, list, 1, str(NULL), &event) == MCPGRAFT_UNKNOWN_CALL);
}

static void wrong_arguments(void)
{
    struct mcpgraft_event event = fresh(), before;
    struct mcpgraft_str null = {NULL, 5}, huge = {"x", (size_t)-1}, latin = {"\xff\xfe", 2}, view = {"kept", 4}, other = {NULL, 0};
    struct mcpgraft_request request;
    struct mcpgraft_header header;
    struct mcpgraft_server *empty = NULL;
    struct mcpgraft_peer *peer = NULL;
    size_t size = 77;
    uint64_t key = 7;
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
    CHECK(mcpgraft_server_new(&empty) == MCPGRAFT_OK);
    CHECK(mcpgraft_server_set(empty, str("nonsense"), str("1")) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(detail_has(empty, "README"));
    CHECK(mcpgraft_server_set(empty, str("logging"), str("1")) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(detail_has(empty, "logging must be true or false"));
    CHECK(mcpgraft_server_set(empty, str("extensions"), str("{\"tasks\":{}}")) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(detail_has(empty, "extensions must be named with a prefix"));
    CHECK(mcpgraft_server_set(empty, str("logging"), str("{")) == MCPGRAFT_BAD_JSON);
    CHECK(detail_has(empty, "value: "));
    CHECK(mcpgraft_server_set(empty, str("limits"), str("{\"depth\":1000}")) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(detail_has(empty, "depth must be a whole number from 1 to 256"));
    CHECK(mcpgraft_server_set(empty, latin, str("1")) == MCPGRAFT_NOT_UTF8);
    CHECK(mcpgraft_server_set(empty, null, str("1")) == MCPGRAFT_NULL);
    CHECK(mcpgraft_server_set(empty, huge, str("1")) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(mcpgraft_server_put(empty, 4, str("{}")) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(mcpgraft_server_put(empty, MCPGRAFT_TOOL, str("{\"name\":\"x\"}")) == MCPGRAFT_BAD_DEFINITION);
    CHECK(mcpgraft_server_remove(empty, MCPGRAFT_TOOL, str("x")) == MCPGRAFT_NOT_FOUND);
    CHECK(mcpgraft_server_at(empty, MCPGRAFT_TOOL, 0, &view, &view) == MCPGRAFT_NOT_FOUND && is(view, "kept"));
    CHECK(mcpgraft_free(empty) == MCPGRAFT_OK);
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
    CHECK(mcpgraft_notify(session, 0, 9, str(NULL), str(NULL), &event) == MCPGRAFT_BAD_ARGUMENT);
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
    request.header_count = 0;
    request.events = str("a name with spaces");
    CHECK(mcpgraft_exchange_begin(exchange, &request, &event) == MCPGRAFT_BAD_ARGUMENT && detail_has(exchange, "events"));
    CHECK(mcpgraft_resume(exchange, true, 0, &event) == MCPGRAFT_OVER);
    CHECK(mcpgraft_stream(exchange, 1, MCPGRAFT_STREAM_CLOSES, 0, &event) == MCPGRAFT_UNKNOWN_CALL);
    CHECK(mcpgraft_check(session, str("add"), 2, str("{}"), &view) == MCPGRAFT_BAD_ARGUMENT && is(view, "add"));
    CHECK(mcpgraft_check(session, str("add"), MCPGRAFT_SCHEMA_INPUT, str("{"), &view) == MCPGRAFT_BAD_JSON && is(view, "add"));
    CHECK(mcpgraft_check(session, str("add"), MCPGRAFT_SCHEMA_INPUT, str("{}"), NULL) == MCPGRAFT_NULL);
    CHECK(mcpgraft_stream(exchange, 1, 3, 0, &event) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(mcpgraft_lost(exchange, 3, str("1"), &key) == MCPGRAFT_BAD_ARGUMENT && key == 7);
    CHECK(mcpgraft_lost(session, MCPGRAFT_LOST_CLIENT, str(NULL), NULL) == MCPGRAFT_NULL);

    wrong_tasks();
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
        "{\"uriTemplate\":\"a://{b}/{c}\",\"name\":\"t\"}", "line\nline\r\nrest", SAVED, ASKING, TASK_CALL("11", "\"task\":{}"),
        TASK_ASKS("12", "result", "\"taskId\":\"t\""), TASK_ASKS("13", "list", "\"cursor\":\"c\""),
        "{\"resultType\":\"task\",\"task\":{\"taskId\":\"t\",\"status\":\"working\",\"createdAt\":\"x\",\"lastUpdatedAt\":\"x\",\"ttl\":null}}",
        "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"tasks/update\",\"params\":{\"taskId\":\"t\",\"inputResponses\":{\"a\":{}}," META "}}",
       
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
        struct mcpgraft_header headers[6];
        struct mcpgraft_binding binding = {sizeof binding, text(), text(), text(), text()};
        struct mcpgraft_task_view seen = {.struct_size = sizeof seen};
        struct mcpgraft_task *restored = NULL;
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
        switch (pick(57)) {
        case 0: status = mcpgraft_server_put(server, pick(5), text()); break;
        case 1: status = mcpgraft_server_remove(server, pick(5), text()); break;
        case 2: status = mcpgraft_server_at(server, pick(5), pick(3), &a, &b); break;
        case 3: status = mcpgraft_session_accept(peer, str(NULL), &event); break;
        case 4: status = mcpgraft_give_up(peer, key, pick(4), text(), &event); break;
        case 5: status = mcpgraft_notify(peer, key, MCPGRAFT_NEWS_ELICITATION, text(), str(NULL), &event); break;
        case 6: status = mcpgraft_notify(peer, 0, MCPGRAFT_NEWS_OWN, text(), text(), &event); break;
        case 7: status = mcpgraft_lost(peer, MCPGRAFT_LOST_REQUEST, text(), &key); break;
        case 8: status = mcpgraft_lost(peer, MCPGRAFT_LOST_CONNECTION, text(), &key); break;
        case 9: case 10: status = mcpgraft_next(peer, &event); break;
        case 11: case 12: case 13: status = mcpgraft_reply(peer, key, text(), &event); break;
        case 14: status = mcpgraft_fail(peer, key, pick(9), text(), (int32_t)pick(9) - 4, text(), &event); break;
        case 15: status = mcpgraft_progress(peer, key, str(NULL), pick(9), pick(2) ? NAN : 9, text(), &event); break;
        case 16: status = mcpgraft_log(peer, key, (int32_t)pick(10) - 1, text(), text(), &event); break;
        case 17: status = mcpgraft_can_ask(peer, key, text(), text(), &verdict, &a); break;
        case 18: case 19: status = mcpgraft_ask(peer, key, text(), text(), text(), &event); break;
        case 20: status = mcpgraft_require_input(peer, key, text(), text(), &event); break;
        case 21: status = mcpgraft_is_cancelled(peer, key, &flag); break;
        case 22: status = mcpgraft_notify(peer, key, pick(10), text(), text(), &event); break;
        case 23: status = mcpgraft_notify(peer, 0, MCPGRAFT_NEWS_RESOURCE, text(), text(), &event); break;
        case 24: status = mcpgraft_notify(peer, 0, MCPGRAFT_NEWS_END, str(NULL), str(NULL), &event); break;
        case 25: status = mcpgraft_set_buffer(peer, pick(2) ? lent : NULL, pick(sizeof lent)); break;
        case 26: status = mcpgraft_lines_next(lines, input, &size, &frame, &a); break;
        case 27: status = mcpgraft_lines_next(lines, str(NULL), &size, &frame, &a); break;
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
            request.header_count = pick(7);
            request.flags = pick(16);
            request.events = pick(2) ? str("s") : pick(4) ? str(NULL) : text();
            for (i = 0; i < 6; i++) {
                static const char *const names[] = {"Host", "Content-Type", "Accept", "Mcp-Session-Id", "Origin", "Last-Event-ID", "\xff"};
                static const char *const values[] = {"localhost", "application/json", "application/json, text/event-stream", "s",
                                                     "https://example.com", "s-1", "\xff"};
                unsigned which = pick(4) == 0 ? pick(7) : i;
                headers[i].name = str(names[which]);
                headers[i].value = str(values[which]);
            }
            status = mcpgraft_exchange_begin(exchange, &request, &event);
            break;
        case 41: status = mcpgraft_task_read(task, text(), pick(2) ? str("2025-11-25") : text(), &seen); break;
        case 42: status = mcpgraft_task_change(task, pick(6), text(), pick(9)); break;
        case 43: status = mcpgraft_task_change(task, MCPGRAFT_TASK_IS_ANSWERED, text(), pick(9)); break;
        case 44: status = mcpgraft_task_fail(task, pick(9), text(), 5, text(), pick(9)); break;
        case 45: status = mcpgraft_task_can_ask(task, text(), text(), &verdict, &a); break;
        case 46: status = mcpgraft_notify(peer, 0, MCPGRAFT_NEWS_TASK, text(), text(), &event); break;
        case 49: status = pick(8) ? MCPGRAFT_OK : mcpgraft_lost(peer, MCPGRAFT_LOST_CLIENT, text(), &key); break;
        case 50: status = mcpgraft_stream(exchange, key, pick(4), pick(9), &event); break;
        case 51: status = mcpgraft_stream(exchange, key, MCPGRAFT_STREAM_CLOSES, pick(9), &event); break;
        case 52: status = mcpgraft_resume(exchange, pick(2), pick(3), &event); break;
        case 53: status = mcpgraft_task_ask(peer, key, pick(2) ? str(ASKING) : text(), pick(2) ? str("q") : text(), text(), &event); break;
        case 54: status = mcpgraft_progress(peer, key, pick(2) ? str(ASKING) : text(), pick(9), NAN, text(), &event); break;
        case 55: status = mcpgraft_task_page(peer, key, &input, pick(2), text(), &event); break;
        case 48: status = mcpgraft_check(peer, pick(2) ? str("add") : text(), pick(3), text(), &a); break;
        case 47:
            if (mcpgraft_task_restore(text(), &restored) == MCPGRAFT_OK) {
                mcpgraft_free(task);
                task = restored;
            }
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
    random_calls(calls);
    end();
    printf("%ld random calls\n", calls);
    return summary("guards");
}
