/* Counts what the library allocates: once warm, a message and its answer cost nothing. Then every allocation is made to fail in
 * turn: an error, never a crash, and the same call works when there is memory again. The functions of malloc are this program's
 * own here, and pass on to the C library's.
 *
 *     memory [ROUNDS] */
#define _GNU_SOURCE
#include "check.h"

#include <errno.h>
#include <math.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

static long allocations;
static long fail_at; /* the allocation that fails, counted from 1; 0: none */
static long seen;
static long live; /* what was allocated and is not free yet */

static int fails(void)
{
    allocations++;
    return fail_at > 0 && ++seen == fail_at;
}

static void *count(void *made)
{
    live += made != NULL;
    return made;
}

void free(void *memory)
{
    live -= memory != NULL;
    __libc_free(memory);
}

void *malloc(size_t size)
{
    return fails() ? NULL : count(__libc_malloc(size));
}

void *calloc(size_t number, size_t size)
{
    return fails() ? NULL : count(__libc_calloc(number, size));
}

void *realloc(void *memory, size_t size)
{
    if (memory == NULL)
        return malloc(size);
    return fails() ? NULL : __libc_realloc(memory, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    void *made = fails() ? NULL : count(__libc_memalign(alignment, size));
    if (made == NULL)
        return ENOMEM;
    *memory = made;
    return 0;
}

#define META                                                                                                           \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                                            \
    "\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":{}},\"io.modelcontextprotocol/logLevel\":\"info\","          \
    "\"progressToken\":\"a token\"}"

static const char *const messages[] = {
    "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{\"name\":\"add\",\"arguments\":{\"a\":1}}}",
    "{\"jsonrpc\":\"2.0\",\"id\":\"an id\",\"method\":\"tools/call\",\"params\":{\"name\":\"add\",\"arguments\":"
    "{\"q\":\"\\u0061\"}," META "}}",
    "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"resources/read\",\"params\":{\"uri\":\"data://\\u0032%35/x\"," META "}}",
    "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"tools/list\",\"params\":{" META "}}",
    "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"nonsense\"}", "{\"jsonrpc\":"};
enum { MESSAGES = 6 };

static const char *const batch =
    "[{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{\"name\":\"add\",\"arguments\":{}}},"
    "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"ping\"}]";

/* Runs a call and tries again until it works: only for lack of memory may it not. */
#define TRY(what)                                                                                                      \
    do {                                                                                                               \
        mcpgraft_status status_ = (what);                                                                              \
        if (status_ == MCPGRAFT_NO_MEMORY)                                                                             \
            status_ = (what);                                                                                          \
        CHECK(status_ == MCPGRAFT_OK);                                                                                 \
    } while (0)

static void offer(struct mcpgraft_server **server)
{
    static const char *const options[][2] = {{"info", "{\"name\":\"s\",\"version\":\"1\"}"},
                                             {"instructions", "\"caf\\u00e9\""},
                                             {"logging", "true"},
                                             {"revisions", "[\"2025-03-26\",\"2025-11-25\",\"2026-07-28\"]"},
                                             {"custom_methods", "[\"x/y\",\"x/z\"]"},
                                             {"extensions", "{\"a/b\" : {}}"},
                                             {"experimental_tasks", "\"listed\""},
                                             {"limits", "{\"depth\":64}"},
                                             {"allowed_origins", "[\"https://example.com\"]"},
                                             {"allowed_hosts", "[\"localhost\"]"}};
    struct mcpgraft_str key, definition;
    size_t i;
    TRY(mcpgraft_server_new(server));
    for (i = 0; i < sizeof options / sizeof *options; i++)
        TRY(mcpgraft_server_set(*server, str(options[i][0]), str(options[i][1])));
    TRY(mcpgraft_server_put(*server, MCPGRAFT_TOOL, str("{\"name\":\"add\",\"inputSchema\":{\"type\":\"object\"}}")));
    TRY(mcpgraft_server_put(*server, MCPGRAFT_TOOL, str("{\"name\":\"slow\",\"inputSchema\":{\"type\":\"object\"},"
                                                        "\"execution\":{\"taskSupport\":\"required\"}}")));
    TRY(mcpgraft_server_put(*server, MCPGRAFT_TEMPLATE, str("{\"uriTemplate\":\"data://{rows}/x\",\"name\":\"d\"}")));
    TRY(mcpgraft_server_at(*server, MCPGRAFT_TOOL, 0, &key, &definition));
}

/* Seals and opens; without memory nothing opens. */
static void seal(void)
{
    struct mcpgraft_str secrets[2] = {{"0123456789abcdef", 16}, {"fedcba9876543210", 16}}, sealed, kept, plain;
    struct mcpgraft_keys *keys = NULL;
    struct mcpgraft_binding binding;
    unsigned char nonce[MCPGRAFT_NONCE_BYTES] = {1}, seen[MCPGRAFT_NONCE_BYTES];
    char copy[1024];
    mcpgraft_status status;
    uint16_t round;
    memset(&binding, 0, sizeof binding);
    binding.struct_size = sizeof binding;
    binding.arguments = str("{\"b\":[1,\"\\u0061\",{}],\"a\":2.5}");
    TRY(mcpgraft_keys_new(secrets, 2, &keys));
    TRY(mcpgraft_keys_seal_state(keys, &binding, 1, str("{}"), 0, 9, nonce, &sealed));
    memcpy(copy, sealed.ptr, sealed.len);
    sealed.ptr = copy;
    status = mcpgraft_keys_open_state(keys, &binding, sealed, 0, &round, &kept, seen);
    if (status == MCPGRAFT_BAD_SEAL && fail_at > 0)
        status = mcpgraft_keys_open_state(keys, &binding, sealed, 0, &round, &kept, seen);
    CHECK(status == MCPGRAFT_OK && is(kept, "{}") && seen[0] == 1);
    TRY(mcpgraft_keys_seal(keys, str("cursor"), str("page 2"), nonce, &sealed));
    memcpy(copy, sealed.ptr, sealed.len);
    sealed.ptr = copy;
    status = mcpgraft_keys_open(keys, str("cursor"), sealed, &plain);
    if (status == MCPGRAFT_BAD_SEAL && fail_at > 0)
        status = mcpgraft_keys_open(keys, str("cursor"), sealed, &plain);
    CHECK(status == MCPGRAFT_OK && is(plain, "page 2"));
    mcpgraft_free(keys);
}

/* What a client asks for with an id and a token longer than most, and is asked for then. */
static void ask(struct mcpgraft_peer *session)
{
#define LONG "0123456789012345678901234567890123456789012345678901234567890123456789"
    struct mcpgraft_event event = fresh();
    mcpgraft_verdict verdict;
    struct mcpgraft_str why;
    TRY(mcpgraft_session_accept(session, str("{\"jsonrpc\":\"2.0\",\"id\":\"" LONG "\",\"method\":\"tools/call\",\"params\":{"
                                             "\"name\":\"add\",\"arguments\":{}," META "}}"), &event));
    CHECK(event.kind == MCPGRAFT_CALL);
    TRY(mcpgraft_can_ask(session, event.key, str("elicitation/create"),
                         str("{\"message\":\"\\u0041?\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{}}}"), &verdict, &why));
    TRY(mcpgraft_require_input(session, event.key,
                               str("{\"a\":{\"method\":\"elicitation/create\",\"params\":{\"message\":\"\\u0041?\","
                                   "\"requestedSchema\":{\"type\":\"object\",\"properties\":{}}}}}"), str("state"), &event));
    CHECK(event.send.len > 0);
}

static void answer(struct mcpgraft_peer *peer, const struct mcpgraft_event *call)
{
    struct mcpgraft_event event = fresh();
    int resource = call->target == MCPGRAFT_READ_RESOURCE;
    if (resource)
        CHECK(is(call->variables, "{\"rows\":\"25\"}") && is(call->entry, "data://{rows}/x"));
    if (!call->more) {
        TRY(mcpgraft_progress(peer, call->key, str(NULL), 0.5, 1, str("half"), &event));
        TRY(mcpgraft_log(peer, call->key, MCPGRAFT_LEVEL_ERROR, str("{}"), str(NULL), &event));
    }
    TRY(mcpgraft_reply(peer, call->key, str(resource ? "{\"contents\":[]}" : "{\"content\":[]}"), &event));
}

static void talk(struct mcpgraft_peer *session)
{
    struct mcpgraft_event event = fresh();
    int i;
    for (i = 0; i < MESSAGES; i++) {
        TRY(mcpgraft_session_accept(session, str(messages[i]), &event));
        CHECK(event.kind == MCPGRAFT_CALL || event.send.len > 0);
        if (event.kind == MCPGRAFT_CALL)
            answer(session, &event);
    }
    TRY(mcpgraft_session_accept(session, str(batch), &event));
    while (event.more) {
        TRY(mcpgraft_next(session, &event));
        if (event.kind == MCPGRAFT_CALL)
            answer(session, &event);
    }
    CHECK(event.send.len > 0 && event.send.ptr[0] == '[');
}

static void open_session(struct mcpgraft_peer *session)
{
    struct mcpgraft_event event = fresh();
    TRY(mcpgraft_session_accept(session, str("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{"
                                             "\"protocolVersion\":\"2025-03-26\",\"capabilities\":{},\"clientInfo\":{"
                                             "\"name\":\"c\",\"version\":\"1\"}}}"), &event));
}

static void request(struct mcpgraft_peer *exchange, const char *method, const char *name, const char *body)
{
    struct mcpgraft_header headers[7];
    struct mcpgraft_request head;
    struct mcpgraft_event event = fresh();
    memset(&head, 0, sizeof head);
    head.struct_size = sizeof head;
    head.method = str("POST");
    head.headers = headers;
    head.header_count = 7;
    head.flags = MCPGRAFT_STREAMS;
    headers[0].name = str("Host"), headers[0].value = str("localhost");
    headers[1].name = str("Content-Type"), headers[1].value = str("application/json");
    headers[2].name = str("Accept"), headers[2].value = str("application/json, text/event-stream");
    headers[3].name = str("Origin"), headers[3].value = str("https://example.com");
    headers[4].name = str("MCP-Protocol-Version"), headers[4].value = str("2026-07-28");
    headers[5].name = str("Mcp-Method"), headers[5].value = str(method);
    headers[6].name = str("Mcp-Name"), headers[6].value = str(name);
    TRY(mcpgraft_exchange_begin(exchange, &head, &event));
    CHECK(event.kind == MCPGRAFT_READ_BODY);
    TRY(mcpgraft_exchange_accept(exchange, str(body), str(NULL), &event));
    if (CHECK(event.kind == MCPGRAFT_CALL))
        answer(exchange, &event);
}

static void exchange_all(struct mcpgraft_peer *exchange)
{
    request(exchange, "tools/call", "add", messages[1]);
    request(exchange, "resources/read", "data://25/x", "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"resources/read\",\"params\":{"
                                                       "\"uri\":\"data://25/x\"," META "}}");
}

static void split(struct mcpgraft_lines *lines)
{
    struct mcpgraft_str data = str("one\ntwo"), line;
    mcpgraft_frame frame;
    size_t used = 0;
    TRY(mcpgraft_lines_next(lines, data, &used, &frame, &line));
    CHECK(frame == MCPGRAFT_LINE && used == 4);
    data.ptr += used, data.len -= used;
    TRY(mcpgraft_lines_next(lines, data, &used, &frame, &line));
    TRY(mcpgraft_lines_next(lines, str(" and a half\n"), &used, &frame, &line));
}

static void count_allocations(struct mcpgraft_server *server, int rounds)
{
    struct mcpgraft_peer *session = NULL, *exchange = NULL;
    struct mcpgraft_lines *lines = NULL;
    long before;
    void *volatile memory;
    int i;
    TRY(mcpgraft_session_new(server, &session));
    TRY(mcpgraft_exchange_new(server, &exchange));
    TRY(mcpgraft_lines_new(0, &lines));
    open_session(session);
    for (i = 0; i < 2; i++) {
        talk(session);
        exchange_all(exchange);
        split(lines);
    }
    before = allocations;
    for (i = 0; i < rounds; i++) {
        talk(session);
        exchange_all(exchange);
        split(lines);
    }
    CHECK(allocations == before);
    memory = malloc(1);
    CHECK(allocations == before + 1);
    free(memory);
    printf("no allocation in %d rounds of 9 messages, 2 requests and 2 lines\n", rounds);
    mcpgraft_free(lines);
    mcpgraft_free(exchange);
    mcpgraft_free(session);
}

/* A task from its beginning to its end. */
static void work(struct mcpgraft_peer *session)
{
    struct mcpgraft_new_task begin;
    struct mcpgraft_task *task = NULL, *again = NULL;
    struct mcpgraft_task_view view;
    struct mcpgraft_event event = fresh();
    memset(&begin, 0, sizeof begin);
    begin.struct_size = sizeof begin;
    begin.id = str("t");
    begin.origin = 0x7f;
    view.struct_size = sizeof view;
    TRY(mcpgraft_task_new(&begin, &task));
    TRY(mcpgraft_task_change(task, MCPGRAFT_TASK_SAYS, str("\"busy\""), 1));
    TRY(mcpgraft_task_change(task, MCPGRAFT_TASK_ASKS, str("{\"r\":{\"method\":\"roots/list\"}}"), 2));
    TRY(mcpgraft_task_read(task, str(NULL), str(NULL), &view));
    CHECK(view.open_count == 1 && is(view.open_keys[0], "r"));
    TRY(mcpgraft_task_change(task, MCPGRAFT_TASK_IS_ANSWERED, str("{\"r\":{\"roots\":[]}}"), 3));
    TRY(mcpgraft_task_read(task, str(NULL), str(NULL), &view));
    TRY(mcpgraft_task_restore(view.saved, &again));
    TRY(mcpgraft_notify(session, 0, MCPGRAFT_NEWS_TASK, view.saved, str(NULL), &event));
    TRY(mcpgraft_task_fail(task, MCPGRAFT_FAIL_CUSTOM, str("no"), 5, str("{}"), 4));
    TRY(mcpgraft_task_read(task, str(NULL), str(NULL), &view));
    TRY(mcpgraft_task_change(again, MCPGRAFT_TASK_COMPLETES, str("{\"content\":[]}"), 4));
    TRY(mcpgraft_task_read(again, str(NULL), str(NULL), &view));
    CHECK(view.status == MCPGRAFT_TASK_COMPLETED);
    mcpgraft_free(task);
    mcpgraft_free(again);
}

/* The same for a client of 2025-11-25. */
static void experiment(const struct mcpgraft_server *server)
{
#define ASK(id, what, params)                                                                                          \
    TRY(mcpgraft_session_accept(session, str("{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" what "\",\"params\":{" params "}}"),  \
                                &event))
    struct mcpgraft_new_task begin;
    struct mcpgraft_peer *session = NULL;
    struct mcpgraft_task *task = NULL;
    struct mcpgraft_task_view view;
    struct mcpgraft_event event = fresh(), other = fresh();
    TRY(mcpgraft_session_new(server, &session));
    ASK("1", "initialize", "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"roots\":{}},"
                           "\"clientInfo\":{\"name\":\"c\",\"version\":\"1\"}");
    TRY(mcpgraft_session_accept(session, str("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"), &event));
    ASK("2", "tools/call", "\"name\":\"slow\",\"task\":{},\"_meta\":{\"progressToken\":\"" LONG "\"}");
    CHECK(event.kind == MCPGRAFT_CALL && event.wants_task);
    memset(&begin, 0, sizeof begin);
    begin.struct_size = sizeof begin;
    begin.id = str("t");
    begin.origin = event.origin;
    begin.progress_token = event.progress_token;
    view.struct_size = sizeof view;
    TRY(mcpgraft_task_new(&begin, &task));
    TRY(mcpgraft_task_change(task, MCPGRAFT_TASK_ASKS, str("{\"\\\"r\":{\"method\":\"roots/list\"}}"), 2));
    TRY(mcpgraft_task_read(task, str(NULL), event.revision, &view));
    CHECK(view.mine && view.open_count == 1 && is(view.open_keys[0], "\"r"));
    TRY(mcpgraft_reply(session, event.key, view.created, &other));
    TRY(mcpgraft_progress(session, 0, view.saved, 1, 2, str(NULL), &other));
    CHECK(other.send.len > 0);
    ASK("3", "tasks/result", "\"taskId\":\"t\"");
    TRY(mcpgraft_task_ask(session, event.key, view.saved, view.open_keys[0], str(NULL), &other));
    CHECK(other.send.len > 0);
    TRY(mcpgraft_task_change(task, MCPGRAFT_TASK_IS_ANSWERED, str("{\"\\\"r\":{\"roots\":[]}}"), 3));
    TRY(mcpgraft_task_change(task, MCPGRAFT_TASK_COMPLETES, str("{\"content\":[]}"), 4));
    TRY(mcpgraft_task_read(task, str(NULL), event.revision, &view));
    TRY(mcpgraft_reply(session, event.key, view.outcome, &other));
    ASK("4", "tasks/list", "");
    TRY(mcpgraft_task_page(session, event.key, &view.saved, 1, str("next"), &other));
    CHECK(other.send.len > 0);
    mcpgraft_free(task);
    mcpgraft_free(session);
}

/* A run in which the allocation number `fail_at` fails. */
static void without_memory(void)
{
    struct mcpgraft_server *server = NULL;
    struct mcpgraft_peer *session = NULL, *exchange = NULL;
    struct mcpgraft_lines *lines = NULL;
    offer(&server);
    seal();
    TRY(mcpgraft_session_new(server, &session));
    TRY(mcpgraft_exchange_new(server, &exchange));
    TRY(mcpgraft_lines_new(0, &lines));
    TRY(mcpgraft_server_put(server, MCPGRAFT_TOOL, str("{\"name\":\"sub\",\"inputSchema\":{\"type\":\"object\"}}")));
    TRY(mcpgraft_server_remove(server, MCPGRAFT_TOOL, str("sub")));
    open_session(session);
    talk(session);
    exchange_all(exchange);
    split(lines);
    ask(session);
    work(session);
    experiment(server);
    mcpgraft_free(server);
    mcpgraft_free(lines);
    mcpgraft_free(exchange);
    mcpgraft_free(session);
}

static void fail_in_turn(void)
{
    long turns = 0, before;
    without_memory();
    before = live;
    do {
        seen = 0;
        fail_at = ++turns;
        without_memory();
        /* Whatever was begun and could not be finished is free again. */
        CHECK(live == before);
    } while (seen >= fail_at);
    fail_at = 0;
    CHECK(turns > 100);
    printf("each of %ld allocations of a server, its peers, keys and a task has failed once\n", turns - 1);
}

int main(int argc, char **argv)
{
    struct mcpgraft_server *server = NULL;
    offer(&server);
    count_allocations(server, argc > 1 ? atoi(argv[1]) : 1000);
    fail_in_turn();
    mcpgraft_free(server);
    return summary("memory");
}
