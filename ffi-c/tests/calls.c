/* What works: sealing, asking the client, sessions and listeners over HTTP, tasks. */
#include "handles.h"

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
    CHECK(mcpgraft_give_up(peer, key, event.ask, str(NULL), &event) == MCPGRAFT_OK && event.send.len > 0);
    CHECK(mcpgraft_session_accept(peer, str("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":"
                                           "{\"requestId\":7,\"reason\":\"en\\u006fugh\"}}"), &event) == MCPGRAFT_OK);
    CHECK(event.kind == MCPGRAFT_CANCELLED && event.key == key && is(event.text, "enough"));
    CHECK(mcpgraft_is_cancelled(peer, key, &cancelled) == MCPGRAFT_OK && cancelled);
    CHECK(mcpgraft_reply(peer, key, str("{\"content\":[]}"), &event) == MCPGRAFT_OK && event.send.len == 0);
    CHECK(mcpgraft_notify(peer, 0, MCPGRAFT_NEWS_TOOLS, str(NULL), str(NULL), &event) == MCPGRAFT_OK && event.send.len > 0);
    CHECK(mcpgraft_notify(peer, 0, MCPGRAFT_NEWS_RESOURCE, str("a://b/c"), str(NULL), &event) == MCPGRAFT_OK && event.send.len == 0);
    CHECK(mcpgraft_notify(peer, 0, MCPGRAFT_NEWS_OWN, str("x/y"), str("{}"), &event) == MCPGRAFT_OK && event.send.len > 0);
    CHECK(mcpgraft_notify(peer, 0, MCPGRAFT_NEWS_OWN, str("notifications/x"), str("{}"), &event) == MCPGRAFT_NOT_ALLOWED);
    CHECK(mcpgraft_notify(peer, 0, MCPGRAFT_NEWS_ELICITATION, str("e"), str(NULL), &event) == MCPGRAFT_OK && event.send.len > 0);
    CHECK(mcpgraft_session_accept(peer, str("{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"tools/call\",\"params\":{\"name\":"
                                           "\"add\"," META "}}"), &event) == MCPGRAFT_OK);
    CHECK(event.kind == MCPGRAFT_CALL && event.stateless && event.progress_wanted);
    CHECK(mcpgraft_require_input(peer, event.key, str("{\"who\":{\"method\":\"elicitation/create\",\"params\":" FORM "}}"),
                                 str("state"), &event) == MCPGRAFT_OK && event.send.len > 0);
    CHECK(mcpgraft_notify(peer, 0, MCPGRAFT_NEWS_END, str(NULL), str(NULL), &event) == MCPGRAFT_OK);
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
    CHECK(mcpgraft_lost(exchange, MCPGRAFT_LOST_REQUEST, str("4"), &key) == MCPGRAFT_OK && key == 0);
    CHECK(mcpgraft_lost(exchange, MCPGRAFT_LOST_REQUEST, str("3"), &key) == MCPGRAFT_OK && key != 0);
    CHECK(post("GET", "s", "", stored, &event) == MCPGRAFT_OK && event.kind == MCPGRAFT_LISTENING && !event.end);
    listener = event.listener;
    CHECK(listener != NULL);
    CHECK(mcpgraft_notify(listener, 0, MCPGRAFT_NEWS_RESOURCE, str("a://b/c"), stored, &event) == MCPGRAFT_OK && event.send.len > 0);
    CHECK(mcpgraft_notify(listener, 0, MCPGRAFT_NEWS_RESOURCE, str("a://b/d"), stored, &event) == MCPGRAFT_OK && event.send.len == 0);
    CHECK(mcpgraft_notify(listener, 0, MCPGRAFT_NEWS_PROMPTS, str(NULL), str(NULL), &event) == MCPGRAFT_OK && event.send.len > 0);
    CHECK(mcpgraft_next(listener, &event) == MCPGRAFT_WRONG_HANDLE);
    CHECK(mcpgraft_notify(listener, 0, MCPGRAFT_NEWS_END, str(NULL), str(NULL), &event) == MCPGRAFT_OK && event.end);
    CHECK(mcpgraft_free(listener) == MCPGRAFT_OK);
    CHECK(post("DELETE", "s", "", stored, &event) == MCPGRAFT_OK && event.kind == MCPGRAFT_ENDED && event.end);
}

/* --- tasks ------------------------------------------------------------------------------------------------------------------- */

static struct mcpgraft_task_view look(struct mcpgraft_task *one, const char *who)
{
    struct mcpgraft_task_view view;
    view.struct_size = sizeof view;
    CHECK(mcpgraft_task_read(one, str(who), str("2026-07-28"), &view) == MCPGRAFT_OK);
    return view;
}

static int has(struct mcpgraft_str view, const char *what)
{
    size_t len = strlen(what), i;
    for (i = 0; i + len <= view.len; i++)
        if (memcmp(view.ptr + i, what, len) == 0)
            return 1;
    return 0;
}

static void tasks(void)
{
#define LISTEN                                                                                                         \
    "{\"jsonrpc\":\"2.0\",\"id\":\"l\",\"method\":\"subscriptions/listen\",\"params\":{\"notifications\":{\"taskIds\":"         \
    "[\"call-1\"]}," TASK_META "}}"
#define TASK_META                                                                                                      \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/clientCapabilities\":{"   \
    "\"elicitation\":{},\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}}}"
    struct mcpgraft_event event = fresh();
    struct mcpgraft_new_task begin;
    struct mcpgraft_task *made = NULL, *again = NULL;
    struct mcpgraft_task_view view;
    struct mcpgraft_str saved, why;
    struct mcpgraft_peer *peer = NULL;
    mcpgraft_verdict verdict;
    char memory[4096];
    CHECK(mcpgraft_session_new(server, &peer) == MCPGRAFT_OK);
    CHECK(mcpgraft_session_accept(peer, str(LISTEN), &event) == MCPGRAFT_OK && event.kind == MCPGRAFT_LISTENING);
    CHECK(mcpgraft_session_accept(peer, str("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":"
                                           "\"add\"," TASK_META "}}"), &event) == MCPGRAFT_OK);
    CHECK(event.kind == MCPGRAFT_CALL && event.tasks && !event.wants_task && event.origin != 0);
    id_of(&begin, "call-1", event.origin);
    CHECK(mcpgraft_task_new(&begin, &made) == MCPGRAFT_OK);
    CHECK(look(made, NULL).mine == false && look(made, "bob").mine == false);
    view = look(made, "alice");
    CHECK(view.mine && view.status == MCPGRAFT_TASK_WORKING && view.expires == 61000 && is(view.id, "call-1"));
    CHECK(is(view.open, "{}") && is(view.answers, "{}") && view.message.ptr == NULL);
    CHECK(mcpgraft_reply(peer, event.key, view.created, &event) == MCPGRAFT_OK && has(event.send, "\"taskId\":\"call-1\""));

    CHECK(mcpgraft_task_change(made, MCPGRAFT_TASK_SAYS, str("caf\xc3\xa9 \"x\""), 1500) == MCPGRAFT_OK);
    CHECK(is(look(made, "alice").message, "caf\xc3\xa9 \"x\""));
    CHECK(mcpgraft_task_can_ask(made, str("roots/list"), str(NULL), &verdict, &why) == MCPGRAFT_OK);
    CHECK(verdict == MCPGRAFT_NO_CAPABILITY && is(why, "{\"roots\":{}}"));
    CHECK(mcpgraft_task_change(made, MCPGRAFT_TASK_ASKS, str("{\"r\":{\"method\":\"roots/list\"}}"), 1600) ==
          MCPGRAFT_NOT_ALLOWED);
    CHECK(mcpgraft_task_change(made, MCPGRAFT_TASK_ASKS,
                               str("{\"who\":{\"method\":\"elicitation/create\",\"params\":" FORM "}}"), 1600) == MCPGRAFT_OK);
    view = look(made, "alice");
    CHECK(view.status == MCPGRAFT_TASK_INPUT_REQUIRED && has(view.open, "\"who\":{\"method\":\"elicitation/create\""));
    CHECK(has(view.detailed, "\"inputRequests\""));

    /* What was stored is the task. */
    memcpy(memory, view.saved.ptr, view.saved.len);
    saved.ptr = memory, saved.len = view.saved.len;
    CHECK(mcpgraft_task_restore(saved, &again) == MCPGRAFT_OK);
    CHECK(mcpgraft_task_change(again, MCPGRAFT_TASK_IS_ANSWERED, str("{\"nobody\":{}}"), 1700) == MCPGRAFT_NOT_FOUND);
    view = look(again, "alice");
    CHECK(view.saved.len == saved.len && memcmp(view.saved.ptr, saved.ptr, saved.len) == 0);
    CHECK(mcpgraft_task_change(again, MCPGRAFT_TASK_IS_ANSWERED, str("{\"who\":{\"action\":\"decline\"}}"), 1700) == MCPGRAFT_OK);
    CHECK(look(again, "alice").open_count == 0 && look(again, "alice").status == MCPGRAFT_TASK_WORKING);
    CHECK(is(look(again, "alice").answers, "{\"who\":{\"action\":\"decline\"}}"));
    CHECK(mcpgraft_task_change(again, MCPGRAFT_TASK_COMPLETES, str("{\"content\":[]}"), 1800) == MCPGRAFT_OK);
    view = look(again, "alice");
    CHECK(view.status == MCPGRAFT_TASK_COMPLETED && has(view.detailed, "\"status\":\"completed\""));
    CHECK(mcpgraft_task_change(again, MCPGRAFT_TASK_IS_CANCELLED, str(NULL), 1900) == MCPGRAFT_NOT_ALLOWED);
    CHECK(mcpgraft_notify(peer, 0, MCPGRAFT_NEWS_TASK, view.saved, str("bob"), &event) == MCPGRAFT_OK && event.send.len == 0);
    CHECK(mcpgraft_notify(peer, 0, MCPGRAFT_NEWS_TASK, view.saved, str("alice"), &event) == MCPGRAFT_OK);
    CHECK(has(event.send, "\"notifications/tasks\"") && has(event.send, "\"status\":\"completed\""));
    CHECK(mcpgraft_task_fail(made, MCPGRAFT_FAIL_CUSTOM, str("broken"), 1001, str("[1]"), 1900) == MCPGRAFT_OK);
    view = look(made, "alice");
    CHECK(view.status == MCPGRAFT_TASK_FAILED && has(view.detailed, "\"code\":1001") && is(view.message, "broken"));

    CHECK(mcpgraft_session_accept(peer, str("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tasks/update\",\"params\":{\"taskId\":"
                                           "\"call-1\",\"inputResponses\":{\"a\":{}}," TASK_META "}}"), &event) == MCPGRAFT_OK);
    CHECK(event.kind == MCPGRAFT_CALL && event.target == MCPGRAFT_UPDATE_TASK && is(event.name, "call-1"));
    CHECK(is(event.arguments, "{\"a\":{}}") && is(event.method, "tasks/update") && !event.tasks);
    CHECK(is(look(made, "alice").acknowledged, "{}") && look(made, "alice").outcome.ptr == NULL);
    CHECK(mcpgraft_reply(peer, event.key, look(made, "alice").acknowledged, &event) == MCPGRAFT_OK);
    CHECK(mcpgraft_free(again) == MCPGRAFT_OK && mcpgraft_free(made) == MCPGRAFT_OK && mcpgraft_free(peer) == MCPGRAFT_OK);
}

/* A task as a client of 2025-11-25 sees it. */
static struct mcpgraft_task_view look_2025(struct mcpgraft_task *one)
{
    struct mcpgraft_task_view view;
    view.struct_size = sizeof view;
    CHECK(mcpgraft_task_read(one, str("alice"), str("2025-11-25"), &view) == MCPGRAFT_OK);
    return view;
}

/* Takes a message of a client on a session. */
static struct mcpgraft_event take(struct mcpgraft_peer *peer, const char *message)
{
    struct mcpgraft_event event = fresh();
    CHECK(mcpgraft_session_accept(peer, str(message), &event) == MCPGRAFT_OK);
    return event;
}

static void experimental_tasks(void)
{
    struct mcpgraft_event event, asked = fresh(), waits;
    struct mcpgraft_new_task begin;
    struct mcpgraft_task *made = NULL, *other = NULL;
    struct mcpgraft_task_view view;
    struct mcpgraft_peer *peer = NULL;
    struct mcpgraft_str page[2];
    CHECK(mcpgraft_session_new(server, &peer) == MCPGRAFT_OK);
    CHECK(has(take(peer, INITIALIZE).send, "\"tasks\":{\"list\":{},"));
    take(peer, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
    event = take(peer, TASK_CALL("2", "\"task\":{\"ttl\":5000},\"_meta\":{\"progressToken\":\"p\"}"));
    CHECK(event.kind == MCPGRAFT_CALL && event.tasks && event.wants_task && event.task_ttl_ms == 5000);
    CHECK(is(event.progress_token, "\"p\""));
    id_of(&begin, "call-2", event.origin);
    begin.progress_token = event.progress_token;
    CHECK(mcpgraft_task_new(&begin, &made) == MCPGRAFT_OK);
    /* To a client of another revision it does not exist. */
    CHECK(!look(made, "alice").mine);
    view = look_2025(made);
    CHECK(view.mine && view.experimental && view.progress_wanted && view.outcome.ptr == NULL && view.open_count == 0);
    CHECK(has(view.acknowledged, "{\"taskId\":\"call-2\",\"status\":\"working\""));
    CHECK(mcpgraft_reply(peer, event.key, str("{\"content\":[]}"), &event) == MCPGRAFT_BAD_RESULT);
    CHECK(mcpgraft_reply(peer, event.key, view.created, &event) == MCPGRAFT_OK && has(event.send, "\"task\":{\"taskId\""));
    CHECK(mcpgraft_progress(peer, 0, view.saved, 1, 2, str("half"), &event) == MCPGRAFT_OK);
    CHECK(has(event.send, "\"progressToken\":\"p\",\"progress\":1,\"total\":2,\"message\":\"half\"") &&
          has(event.send, "\"io.modelcontextprotocol/related-task\":{\"taskId\":\"call-2\"}"));

    /* Its questions are asked on the call that waits for it. */
    CHECK(mcpgraft_task_change(made, MCPGRAFT_TASK_ASKS,
                               str("{\"w\\\"\":{\"method\":\"elicitation/create\",\"params\":" FORM "},"
                                   "\"roots\":{\"method\":\"roots/list\"}}"), 1600) == MCPGRAFT_OK);
    waits = take(peer, TASK_ASKS("3", "result", "\"taskId\":\"call-2\""));
    CHECK(waits.kind == MCPGRAFT_CALL && waits.target == MCPGRAFT_TASK_RESULT && is(waits.name, "call-2"));
    view = look_2025(made);
    CHECK(view.open_count == 2 && is(view.open_keys[0], "w\"") && is(view.open_keys[1], "roots"));
    CHECK(mcpgraft_task_ask(peer, waits.key, view.saved, view.open_keys[0], str(NULL), &asked) == MCPGRAFT_OK && asked.ask != 0);
    CHECK(has(asked.send, "\"elicitation/create\"") && has(asked.send, "related-task\":{\"taskId\":\"call-2\"}"));
    event = take(peer, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"action\":\"decline\"}}");
    CHECK(event.kind == MCPGRAFT_ANSWER && event.key == waits.key && event.ask == asked.ask && event.ok);
    CHECK(is(event.params, "{\"action\":\"decline\"}"));
    CHECK(mcpgraft_task_change(made, MCPGRAFT_TASK_IS_ANSWERED, str("{\"w\\\"\":{\"action\":\"decline\"}}"), 1700) == MCPGRAFT_OK);
    view = look_2025(made);
    CHECK(view.open_count == 1 && is(view.open_keys[0], "roots"));
    CHECK(mcpgraft_task_ask(peer, waits.key, view.saved, str("w\""), str(NULL), &event) == MCPGRAFT_NOT_FOUND);
    CHECK(mcpgraft_task_change(made, MCPGRAFT_TASK_IS_ANSWERED, str("{\"roots\":{\"roots\":[]}}"), 1700) == MCPGRAFT_OK);

    /* It ends, and the call that waits is answered as its own would have been. */
    CHECK(mcpgraft_task_change(made, MCPGRAFT_TASK_COMPLETES, str("{\"content\":[],\"structuredContent\":[1]}"), 1800) ==
          MCPGRAFT_OK);
    view = look_2025(made);
    CHECK(!view.progress_wanted && view.error_message.ptr == NULL);
    CHECK(mcpgraft_reply(peer, waits.key, view.outcome, &event) == MCPGRAFT_OK);
    /* The tool has no output schema, so what is no object is wrapped: the task remembers. */
    CHECK(has(event.send, "\"structuredContent\":{\"result\":[1]}") && has(event.send, "related-task"));
    CHECK(mcpgraft_notify(peer, 0, MCPGRAFT_NEWS_TASK, view.saved, str("alice"), &event) == MCPGRAFT_OK);
    CHECK(has(event.send, "\"notifications/tasks/status\""));
    CHECK(mcpgraft_progress(peer, 0, view.saved, 2, 2, str(NULL), &event) == MCPGRAFT_OK && event.send.len == 0);

    /* One that ends in an error. */
    CHECK(mcpgraft_task_new(&begin, &other) == MCPGRAFT_OK);
    CHECK(mcpgraft_task_fail(other, MCPGRAFT_FAIL_CUSTOM, str("no \"way\""), 1001, str("[1]"), 1900) == MCPGRAFT_OK);
    view = look_2025(other);
    CHECK(view.outcome.ptr == NULL && is(view.error_message, "no \"way\"") && view.error_code == 1001 && is(view.error_data, "[1]"));
    waits = take(peer, TASK_ASKS("4", "result", "\"taskId\":\"call-2\""));
    CHECK(mcpgraft_fail(peer, waits.key, MCPGRAFT_FAIL_CUSTOM, view.error_message, view.error_code, view.error_data, &event) ==
          MCPGRAFT_OK && has(event.send, "\"code\":1001,\"message\":\"no \\\"way\\\"\",\"data\":[1]"));

    /* The list. */
    page[0] = look_2025(made).saved, page[1] = view.saved;
    event = take(peer, TASK_ASKS("5", "list", "\"cursor\":\"c1\""));
    CHECK(event.kind == MCPGRAFT_CALL && event.target == MCPGRAFT_LIST_TASKS && is(event.cursor, "c1"));
    CHECK(mcpgraft_task_page(peer, event.key, page, 2, str("c2"), &event) == MCPGRAFT_OK);
    CHECK(has(event.send, "{\"tasks\":[{\"taskId\":\"call-2\",\"status\":\"completed\"") &&
          has(event.send, "\"status\":\"failed\"") && has(event.send, "\"nextCursor\":\"c2\""));
    event = take(peer, TASK_ASKS("6", "list", ""));
    CHECK(event.cursor.ptr == NULL && mcpgraft_task_page(peer, event.key, NULL, 0, str(NULL), &event) == MCPGRAFT_OK);
    CHECK(has(event.send, "\"result\":{\"tasks\":[]}"));
    CHECK(mcpgraft_free(other) == MCPGRAFT_OK && mcpgraft_free(made) == MCPGRAFT_OK && mcpgraft_free(peer) == MCPGRAFT_OK);
}

static void experimental_tasks_over_http(void)
{
    struct mcpgraft_event event = fresh();
    struct mcpgraft_str stored, none = str(NULL), page = str(ASKING);
    char memory[2048];
    uint64_t key;
    CHECK(post("POST", NULL, INITIALIZE, none, &event) == MCPGRAFT_OK && event.kind == MCPGRAFT_OPENED);
    memcpy(memory, event.stored.ptr, event.stored.len);
    stored.ptr = memory, stored.len = event.stored.len;
    CHECK(post("POST", "s", TASK_ASKS("2", "result", "\"taskId\":\"t\""), stored, &event) == MCPGRAFT_OK);
    CHECK(event.kind == MCPGRAFT_CALL && event.target == MCPGRAFT_TASK_RESULT && event.can_stream);
    key = event.key;
    /* Its client could not come back, so there is something to be sent only for the sake of the connection. */
    CHECK(mcpgraft_stream(exchange, key, MCPGRAFT_STREAM_OPENS, 0, &event) == MCPGRAFT_OK && event.send.len == 0 && event.status == 0);
    CHECK(mcpgraft_stream(exchange, key, MCPGRAFT_STREAM_WAITS, 0, &event) == MCPGRAFT_OK && event.send.len > 0 && event.send.ptr[0] == ':');
    CHECK(event.status == 200 && !event.end);
    CHECK(mcpgraft_stream(exchange, key, MCPGRAFT_STREAM_WAITS, 0, &event) == MCPGRAFT_OK && event.send.len == 0);
    CHECK(mcpgraft_task_ask(exchange, key, str(ASKING), str("q"), str("q-1"), &event) == MCPGRAFT_OK);
    CHECK(has(event.send, "\"id\":\"q-1\"") && has(event.send, "related-task\":{\"taskId\":\"t\"}") && event.status == 0);
    CHECK(mcpgraft_progress(exchange, key, str(ASKING), 1, 3, none, &event) == MCPGRAFT_OK);
    CHECK(has(event.send, "\"progressToken\":1,\"progress\":1,\"total\":3"));
    CHECK(mcpgraft_reply(exchange, key, str("{\"content\":[]}"), &event) == MCPGRAFT_OK && event.end);
    CHECK(post("POST", "s", TASK_ASKS("3", "list", ""), stored, &event) == MCPGRAFT_OK && event.target == MCPGRAFT_LIST_TASKS);
    CHECK(mcpgraft_task_page(exchange, event.key, &page, 1, none, &event) == MCPGRAFT_OK && event.end);
    CHECK(has(event.send, "{\"tasks\":[{\"taskId\":\"t\",\"status\":\"input_required\""));
}

int main(void)
{
    make();
    tasks();
    experimental_tasks();
    experimental_tasks_over_http();
    seals();
    asking();
    sessions_over_http();
    end();
    return summary("calls");
}
