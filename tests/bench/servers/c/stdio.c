/* The workload on standard input and output, and in process: `stdio`, `inproc`. It links nothing but the library. */
#include "workload.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static void emit_line(void *where, const struct mcpgraft_event *event)
{
    (void)where;
    if (event->send.len > 0) {
        fwrite(event->send.ptr, 1, event->send.len, stdout);
        putchar('\n');
    }
}

static void handle(struct asked *asked, struct mcpgraft_str message)
{
    struct mcpgraft_event event = {.struct_size = sizeof event};
    int more;
    must(mcpgraft_session_accept(asked->peer, message, &event), asked->peer);
    for (;;) {
        asked->emit(asked->where, &event);
        more = event.more;
        if (event.kind == MCPGRAFT_CALL)
            run(asked, &event);
        if (!more)
            return;
        must(mcpgraft_next(asked->peer, &event), asked->peer);
    }
}

static int stdio(const struct mcpgraft_server *server)
{
    struct mcpgraft_lines *lines = NULL;
    struct asked asked = {NULL, emit_line, NULL};
    struct mcpgraft_str line, none = {NULL, 0};
    mcpgraft_frame frame;
    size_t used;
    static char data[65536], out[65536];
    ssize_t count;
    must(mcpgraft_session_new(server, &asked.peer), server);
    must(mcpgraft_lines_new(0, &lines), NULL);
    setvbuf(stdout, out, _IOFBF, sizeof out);
    while ((count = read(0, data, sizeof data)) > 0) {
        struct mcpgraft_str rest = {data, (size_t)count};
        for (;;) {
            must(mcpgraft_lines_next(lines, rest, &used, &frame, &line), lines);
            rest.ptr += used;
            rest.len -= used;
            if (frame == MCPGRAFT_NO_LINE)
                break;
            handle(&asked, line); /* one that was too long is absent, which the client is told */
        }
        /* Everything that was there is answered: one write. */
        fflush(stdout);
    }
    must(mcpgraft_lines_next(lines, none, &used, &frame, &line), lines);
    if (frame != MCPGRAFT_NO_LINE)
        handle(&asked, line);
    fflush(stdout);
    mcpgraft_free(lines);
    mcpgraft_free(asked.peer);
    return 0;
}

/* --- in process ------------------------------------------------------------------------------------------------------------ */

static void emit_nowhere(void *where, const struct mcpgraft_event *event)
{
    *(size_t *)where += event->send.len;
}

static double best(struct asked *asked, const char *message)
{
    enum { TIMES = 100000 };
    double least = 0;
    int round, i;
    for (round = 0; round < 5; round++) {
        clock_t begin = clock();
        double took;
        for (i = 0; i < TIMES; i++)
            handle(asked, str(message));
        took = (double)(clock() - begin) / CLOCKS_PER_SEC / TIMES * 1e6;
        if (round == 0 || took < least)
            least = took;
    }
    return least;
}

static int inproc(const struct mcpgraft_server *server)
{
    size_t sent = 0;
    struct asked asked = {NULL, emit_nowhere, &sent};
    double add_us, list_us;
    must(mcpgraft_session_new(server, &asked.peer), server);
    handle(&asked, str("{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\","
                          "\"capabilities\":{},\"clientInfo\":{\"name\":\"inproc\",\"version\":\"1\"}}}"));
    add_us = best(&asked, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"add\",\"arguments\":{\"a\":1,"
                         "\"b\":2}}}");
    list_us = best(&asked, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}");
    printf("{\"add_us\": %.3f, \"tools_list_us\": %.3f}\n", add_us, list_us);
    mcpgraft_free(asked.peer);
    return 0;
}

int main(int argc, char **argv)
{
    struct mcpgraft_server *server = offer();
    int code = 2;
    if (argc == 2 && strcmp(argv[1], "stdio") == 0)
        code = stdio(server);
    else if (argc == 2 && strcmp(argv[1], "inproc") == 0)
        code = inproc(server);
    else
        fprintf(stderr, "usage: bench-c (stdio | inproc)\n");
    mcpgraft_free(server);
    return code;
}
