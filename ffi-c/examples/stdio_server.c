/* A whole server on standard input and output, without a JSON library: one tool, which adds two numbers. */
#include <mcpgraft.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct mcpgraft_str str(const char *text)
{
    struct mcpgraft_str view;
    view.ptr = text;
    view.len = text == NULL ? 0 : strlen(text);
    return view;
}

static void must(mcpgraft_status status, const void *handle)
{
    if (status != MCPGRAFT_OK) {
        struct mcpgraft_str name = mcpgraft_status_name(status), why = mcpgraft_detail(handle);
        fprintf(stderr, "stdio_server: %s: %.*s\n", name.ptr, (int)why.len, why.len > 0 ? why.ptr : "");
        exit(1);
    }
}

static void send_line(const struct mcpgraft_event *event)
{
    if (event->send.len > 0) {
        fwrite(event->send.ptr, 1, event->send.len, stdout);
        putchar('\n');
        fflush(stdout);
    }
}

/* A number among the arguments; 0: there is none of that name. */
static int number(struct mcpgraft_str arguments, const char *name, double *value)
{
    struct mcpgraft_str json;
    char text[64] = "", *end = text;
    if (mcpgraft_json_get(arguments, str(name), &json) != MCPGRAFT_OK || json.len >= sizeof text)
        return 0;
    memcpy(text, json.ptr, json.len);
    *value = strtod(text, &end);
    return end != text && *end == 0;
}

static void run(struct mcpgraft_peer *session, const struct mcpgraft_event *call)
{
    struct mcpgraft_event event;
    char result[128];
    double a, b;
    event.struct_size = sizeof event;
    if (number(call->arguments, "a", &a) && number(call->arguments, "b", &b)) {
        snprintf(result, sizeof result, "{\"content\":[{\"type\":\"text\",\"text\":\"%.15g\"}]}", a + b);
        must(mcpgraft_reply(session, call->key, str(result), &event), session);
    } else {
        must(mcpgraft_fail(session, call->key, MCPGRAFT_FAIL_TOOL, str("a and b must be numbers."), 0, str(NULL), &event), session);
    }
    send_line(&event);
}

static void handle(struct mcpgraft_peer *session, struct mcpgraft_str message)
{
    struct mcpgraft_event event;
    int more;
    event.struct_size = sizeof event;
    must(mcpgraft_session_accept(session, message, &event), session);
    for (;;) {
        send_line(&event);
        more = event.more;
        if (event.kind == MCPGRAFT_CALL)
            run(session, &event);
        if (!more)
            return;
        must(mcpgraft_next(session, &event), session);
    }
}

int main(void)
{
    struct mcpgraft_server *server = NULL;
    struct mcpgraft_peer *session = NULL;
    struct mcpgraft_lines *lines = NULL;
    struct mcpgraft_str line, none = {NULL, 0};
    mcpgraft_frame frame;
    size_t used;
    static char data[65536];
    ssize_t count;
    must(mcpgraft_server_new(&server), NULL);
    must(mcpgraft_server_set(server, str("info"), str("{\"name\":\"adder\",\"version\":\"1.0\"}")), server);
    must(mcpgraft_server_put(server, MCPGRAFT_TOOL,
                             str("{\"name\":\"add\",\"description\":\"Adds two numbers.\",\"inputSchema\":{\"type\":\"object\","
                                 "\"properties\":{\"a\":{\"type\":\"number\"},\"b\":{\"type\":\"number\"}},"
                                 "\"required\":[\"a\",\"b\"]}}")),
         server);
    must(mcpgraft_session_new(server, &session), NULL);
    must(mcpgraft_lines_new(0, &lines), NULL);
    while ((count = read(0, data, sizeof data)) > 0) {
        struct mcpgraft_str rest;
        rest.ptr = data;
        rest.len = (size_t)count;
        for (;;) {
            must(mcpgraft_lines_next(lines, rest, &used, &frame, &line), lines);
            rest.ptr += used;
            rest.len -= used;
            if (frame == MCPGRAFT_NO_LINE)
                break;
            handle(session, line); /* one that was too long is absent, which the client is told */
        }
    }
    must(mcpgraft_lines_next(lines, none, &used, &frame, &line), lines);
    if (frame != MCPGRAFT_NO_LINE)
        handle(session, line);
    mcpgraft_free(lines);
    mcpgraft_free(session);
    mcpgraft_free(server);
    return 0;
}
