/* What is offered and what is done: as a user of the C library writes it. */
#include "workload.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define CONTENT "{\"content\":[{\"type\":\"text\",\"text\":"
#define CONTENT_END "}]}"
#define FILLERS 17
#define NOTES 10

static struct {
    char id[16], title[32];
    double score;
} records[10];

/* --- what handlers use ---------------------------------------------------------------------------------------------------- */

static void out_of_memory(void)
{
    fprintf(stderr, "workload: out of memory\n");
    exit(1);
}

static int is(struct mcpgraft_str text, const char *other)
{
    return text.len == strlen(other) && memcmp(text.ptr, other, text.len) == 0;
}

/* An integer among the arguments; 0: there is none of that name. */
static int integer(struct mcpgraft_str arguments, const char *name, long long *value)
{
    struct mcpgraft_str json;
    char text[32] = "", *end = text;
    if (mcpgraft_json_get(arguments, str(name), &json) != MCPGRAFT_OK || json.len >= sizeof text)
        return 0;
    memcpy(text, json.ptr, json.len);
    errno = 0;
    *value = strtoll(text, &end, 10);
    return end != text && *end == 0 && errno == 0;
}

/* A string among the arguments, as JSON; 0: there is none of that name. */
static int string(struct mcpgraft_str arguments, const char *name, struct mcpgraft_str *value)
{
    return mcpgraft_json_get(arguments, str(name), value) == MCPGRAFT_OK && value->len >= 2 && value->ptr[0] == '"';
}

static void reply(struct asked *asked, uint64_t key, struct mcpgraft_str result)
{
    struct mcpgraft_event event = {.struct_size = sizeof event};
    struct mcpgraft_str none = {NULL, 0};
    if (mcpgraft_reply(asked->peer, key, result, &event) != MCPGRAFT_OK) {
        struct mcpgraft_str why = mcpgraft_detail(asked->peer);
        fprintf(stderr, "workload: %.*s\n", (int)why.len, why.ptr);
        mcpgraft_fail(asked->peer, key, MCPGRAFT_FAIL_INTERNAL, str("The result could not be sent."), 0, none, &event);
    }
    asked->emit(asked->where, &event);
}

static void fail(struct asked *asked, uint64_t key, uint32_t failure, const char *message)
{
    struct mcpgraft_event event = {.struct_size = sizeof event};
    struct mcpgraft_str none = {NULL, 0};
    mcpgraft_fail(asked->peer, key, failure, str(message), 0, none, &event);
    asked->emit(asked->where, &event);
}

/* Answers with `text`, which is JSON, between two pieces of JSON. */
static void reply_around(struct asked *asked, uint64_t key, const char *before, struct mcpgraft_str text, const char *after)
{
    size_t front = strlen(before), back = strlen(after);
    struct mcpgraft_str result = {NULL, front + text.len + back};
    char small[1024], *room = result.len <= sizeof small ? small : malloc(result.len);
    if (room == NULL)
        out_of_memory();
    memcpy(room, before, front);
    memcpy(room + front, text.ptr, text.len);
    memcpy(room + front + text.len, after, back);
    result.ptr = room;
    reply(asked, key, result);
    if (room != small)
        free(room);
}

/* --- the tools ------------------------------------------------------------------------------------------------------------ */

static void add(struct asked *asked, const struct mcpgraft_event *event)
{
    long long a, b;
    char result[96];
    struct mcpgraft_str text;
    if (!integer(event->arguments, "a", &a) || !integer(event->arguments, "b", &b)) {
        fail(asked, event->key, MCPGRAFT_FAIL_TOOL, "\"a\" and \"b\" must be integers");
        return;
    }
    if ((b > 0 && a > LLONG_MAX - b) || (b < 0 && a < LLONG_MIN - b)) {
        fail(asked, event->key, MCPGRAFT_FAIL_TOOL, "the sum is out of range");
        return;
    }
    text.ptr = result;
    text.len = (size_t)snprintf(result, sizeof result, CONTENT "\"%lld\"" CONTENT_END, a + b);
    reply(asked, event->key, text);
}

static void search(struct asked *asked, const struct mcpgraft_event *event)
{
    struct mcpgraft_str query, limit_given, found;
    char words[64], list[2048] = "";
    long long limit = 10;
    size_t len = 0, i, at = 0;
    if (!string(event->arguments, "query", &query)) {
        fail(asked, event->key, MCPGRAFT_FAIL_TOOL, "\"query\" must be a string: what to search for");
        return;
    }
    if (mcpgraft_json_get(event->arguments, str("limit"), &limit_given) == MCPGRAFT_OK &&
        (!integer(event->arguments, "limit", &limit) || limit < 0)) {
        fail(asked, event->key, MCPGRAFT_FAIL_TOOL, "\"limit\" must be a whole number");
        return;
    }
    /* What is longer than any title is in none of them. */
    if (query.len >= sizeof words || mcpgraft_json_text(query, words, sizeof words - 1, &len) != MCPGRAFT_OK)
        limit = 0;
    words[len] = 0;
    for (i = 0; i < COUNT(records) && limit > 0; i++) {
        if (strstr(records[i].title, words) == NULL)
            continue;
        at += (size_t)snprintf(list + at, sizeof list - at, "%s{\"id\":\"%s\",\"title\":\"%s\",\"score\":%.1f}", at == 0 ? "" : ",",
                               records[i].id, records[i].title, records[i].score);
        limit--;
    }
    found.ptr = list;
    found.len = at;
    reply_around(asked, event->key, "{\"structuredContent\":[", found, "]}");
}

static void run_tool(struct asked *asked, const struct mcpgraft_event *event)
{
    struct mcpgraft_str text;
    if (is(event->name, "add")) {
        add(asked, event);
    } else if (is(event->name, "search")) {
        search(asked, event);
    } else if (is(event->name, "echo")) {
        /* The text goes back as it came, escapes and all. */
        if (string(event->arguments, "text", &text))
            reply_around(asked, event->key, CONTENT, text, CONTENT_END);
        else
            fail(asked, event->key, MCPGRAFT_FAIL_TOOL, "\"text\" must be a string");
    } else if (string(event->arguments, "name", &text)) {
        reply_around(asked, event->key, CONTENT, text, CONTENT_END);
    } else {
        fail(asked, event->key, MCPGRAFT_FAIL_TOOL, "\"name\" must be a string");
    }
}

static void read_resource(struct asked *asked, const struct mcpgraft_event *event)
{
    char result[512];
    struct mcpgraft_str text;
    if (event->name.len > 128) {
        fail(asked, event->key, MCPGRAFT_FAIL_NOT_FOUND, "no such resource");
        return;
    }
    text.ptr = result;
    text.len = (size_t)snprintf(result, sizeof result, "{\"contents\":[{\"uri\":\"%.*s\",\"text\":\"The text of %.*s.\"}]}",
                                (int)event->name.len, event->name.ptr, (int)event->name.len, event->name.ptr);
    reply(asked, event->key, text);
}

void run(struct asked *asked, const struct mcpgraft_event *event)
{
    static const char *const prompts[][2] = {{"brief", "topic"}, {"review", "title"}, {"plan", "goal"}};
    struct mcpgraft_str text;
    size_t i;
    switch (event->target) {
    case MCPGRAFT_CALL_TOOL:
        run_tool(asked, event);
        return;
    case MCPGRAFT_READ_RESOURCE:
        read_resource(asked, event);
        return;
    case MCPGRAFT_GET_PROMPT:
        for (i = 0; i < COUNT(prompts); i++) {
            if (is(event->name, prompts[i][0]) && string(event->arguments, prompts[i][1], &text)) {
                reply_around(asked, event->key, "{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":", text,
                             "}}]}");
                return;
            }
        }
        fail(asked, event->key, MCPGRAFT_FAIL_INVALID_PARAMS, "the prompt needs its argument");
        return;
    default:
        fail(asked, event->key, MCPGRAFT_FAIL_NO_METHOD, "only tools, resources and prompts are served");
    }
}

/* --- what is offered ------------------------------------------------------------------------------------------------------ */

void must(mcpgraft_status status, const void *handle)
{
    if (status != MCPGRAFT_OK) {
        struct mcpgraft_str name = mcpgraft_status_name(status), why = mcpgraft_detail(handle);
        fprintf(stderr, "workload: %.*s: %.*s\n", (int)name.len, name.ptr, (int)why.len, why.len > 0 ? why.ptr : "");
        exit(1);
    }
}

struct mcpgraft_server *offer(void)
{
    static const char *const definitions[] = {
        "{\"name\":\"add\",\"description\":\"Add two numbers.\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"a\":{"
        "\"type\":\"integer\"},\"b\":{\"type\":\"integer\"}},\"required\":[\"a\",\"b\"]}}",
        "{\"name\":\"echo\",\"description\":\"Give a text back.\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"text\":{"
        "\"type\":\"string\"}},\"required\":[\"text\"]}}",
        "{\"name\":\"search\",\"description\":\"Search the records by keyword.\",\"inputSchema\":{\"type\":\"object\","
        "\"properties\":{\"query\":{\"type\":\"string\"},\"limit\":{\"type\":\"integer\",\"default\":10}},\"required\":["
        "\"query\"]}}",
    };
    static const char *const others[] = {
        "{\"name\":\"brief\",\"arguments\":[{\"name\":\"topic\",\"required\":true}]}",
        "{\"name\":\"review\",\"arguments\":[{\"name\":\"title\",\"required\":true}]}",
        "{\"name\":\"plan\",\"arguments\":[{\"name\":\"goal\",\"required\":true}]}",
    };
    struct mcpgraft_server *server = NULL;
    char text[512];
    int i;
    must(mcpgraft_server_new(&server), NULL);
    must(mcpgraft_server_set(server, str("info"), str("{\"name\":\"bench\",\"version\":\"1.0.0\"}")), server);
    must(mcpgraft_server_set(server, str("sessions"), str("\"off\"")), server);
    for (i = 0; i < (int)COUNT(definitions); i++)
        must(mcpgraft_server_put(server, MCPGRAFT_TOOL, str(definitions[i])), server);
    for (i = 1; i <= FILLERS; i++) {
        snprintf(text, sizeof text,
                 "{\"name\":\"filler_%02d\",\"description\":\"Does nothing much, number %d.\",\"inputSchema\":{\"type\":\"object\","
                 "\"properties\":{\"name\":{\"type\":\"string\"},\"count\":{\"type\":\"integer\",\"default\":1},\"tags\":{\"type\":"
                 "\"array\",\"items\":{\"type\":\"string\"}}},\"required\":[\"name\"]}}",
                 i, i);
        must(mcpgraft_server_put(server, MCPGRAFT_TOOL, str(text)), server);
    }
    for (i = 0; i < NOTES; i++) {
        snprintf(text, sizeof text, "{\"uri\":\"note://%d\",\"name\":\"note %d\"}", i, i);
        must(mcpgraft_server_put(server, MCPGRAFT_RESOURCE, str(text)), server);
        snprintf(records[i].id, sizeof records[i].id, "record-%d", i);
        snprintf(records[i].title, sizeof records[i].title, "The record number %d", i);
        records[i].score = i / 10.0;
    }
    must(mcpgraft_server_put(server, MCPGRAFT_TEMPLATE, str("{\"uriTemplate\":\"row://{number}\",\"name\":\"row\"}")), server);
    must(mcpgraft_server_put(server, MCPGRAFT_TEMPLATE, str("{\"uriTemplate\":\"page://{book}/{number}\",\"name\":\"page\"}")),
         server);
    for (i = 0; i < (int)COUNT(others); i++)
        must(mcpgraft_server_put(server, MCPGRAFT_PROMPT, str(others[i])), server);
    return server;
}
