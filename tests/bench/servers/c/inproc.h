/* From the bytes of a request to the bytes of its answer, in this process: part of workload.c. */
#ifndef BENCH_INPROC_H
#define BENCH_INPROC_H

static void emit_nowhere(struct mcp_call *call, const struct mcpgraft_event *event)
{
    *(size_t *)call->where += event->send.len;
}

static double best(struct mcp_call *call, const char *message, int times)
{
    double least = 0;
    int round, i;
    for (round = 0; round < 5; round++) {
        clock_t begin = clock();
        double took;
        for (i = 0; i < times; i++)
            handle(call, mcp_str(message));
        took = (double)(clock() - begin) / CLOCKS_PER_SEC / times * 1e6;
        if (round == 0 || took < least)
            least = took;
    }
    return least;
}

#define ADD "\"name\":\"add\",\"arguments\":{\"a\":1,\"b\":2}"
#define META                                                                                                                      \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/clientCapabilities\":{},"   \
    "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"inproc\",\"version\":\"1\"}}"
#define REQUEST(method, params) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method "\",\"params\":{" params "}}"

static const char initialize[] = "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
                                 "\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"inproc\",\"version\":\"1\"}}}";

static void begin(const struct mcpgraft_server *server, struct mcp_call *call, int handshake)
{
    must(mcpgraft_session_new(server, &call->peer), server);
    if (handshake)
        handle(call, mcp_str(initialize));
}

static int inproc(const struct mcpgraft_server *server)
{
    static const char *const requests[][3] = {{"2025-11-25", "add", REQUEST("tools/call", ADD)},
                                              {"2025-11-25", "tools/list", REQUEST("tools/list", "")},
                                              {"2026-07-28", "add", REQUEST("tools/call", ADD "," META)},
                                              {"2026-07-28", "tools/list", REQUEST("tools/list", META)}};
    size_t sent = 0, i;
    for (i = 0; i < COUNT(requests); i++) {
        struct mcp_call call = {NULL, emit_nowhere, NULL, NULL, &sent};
        double us;
        begin(server, &call, requests[i][0][3] == '5');
        us = best(&call, requests[i][2], 100000);
        sent = 0;
        handle(&call, mcp_str(requests[i][2]));
        printf("{\"way\":\"messages\",\"era\":\"%s\",\"request\":\"%s\",\"cpu_us\":%.3f,\"bytes\":%zu}\n", requests[i][0],
               requests[i][1], us, sent);
        mcpgraft_free(call.peer);
    }
    return 0;
}

/* To put one of many in, and to list all. */
static int tools(int count)
{
    struct mcpgraft_server *server;
    size_t sent = 0;
    struct mcp_call call = {NULL, emit_nowhere, NULL, NULL, &sent};
    clock_t from = clock();
    double put, us;
    server = named(0);
    put_fillers(server, "tool_%04d", count);
    put = (double)(clock() - from) / CLOCKS_PER_SEC / count * 1e6;
    begin(server, &call, 1);
    us = best(&call, REQUEST("tools/list", ""), 1000);
    sent = 0;
    handle(&call, mcp_str(REQUEST("tools/list", "")));
    printf("{\"tools\":%d,\"register_us\":%.2f,\"cpu_us\":%.3f,\"bytes\":%zu}\n", count, put, us, sent);
    mcpgraft_free(call.peer);
    mcpgraft_free(server);
    return 0;
}

#endif
