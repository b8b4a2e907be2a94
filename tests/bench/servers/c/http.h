/* The workload behind libmicrohttpd, with a route beside MCP that answers a constant, and one that gives back free memory. */
#include <malloc.h>

/* What the route beside MCP answers: as long as the answer to `add`. */
static char constant[] = "{\"jsonrpc\":\"2.0\",\"id\":1000,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"3\"}]}}";

static void completed(void *closure, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
    if (*state != &constant)
        mcp_completed(closure, connection, state, code);
}

static enum MHD_Result serve(void *closure, struct MHD_Connection *connection, const char *url, const char *method,
                             const char *version, const char *data, size_t *size, void **state)
{
    struct MHD_Response *response;
    enum MHD_Result queued;
    (void)version;
    if (strcmp(url, "/mcp") == 0)
        return mcp_answer(closure, connection, method, data, size, state);
    if (strcmp(url, "/gc") == 0)
        malloc_trim(0); /* what is free goes back to the system */
    if (strcmp(url, "/constant") == 0 || strcmp(url, "/gc") == 0) {
        /* First without the body, then with its parts, and last with none. */
        if (*state == NULL) {
            *state = &constant;
            return MHD_YES;
        }
        if (*size > 0) {
            *size = 0;
            return MHD_YES;
        }
        *state = NULL;
        response = MHD_create_response_from_buffer(sizeof constant - 1, constant, MHD_RESPMEM_PERSISTENT);
        MHD_add_response_header(response, "Content-Type", "application/json");
        queued = MHD_queue_response(connection, MHD_HTTP_OK, response);
    } else {
        response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
        queued = MHD_queue_response(connection, MHD_HTTP_NOT_FOUND, response);
    }
    MHD_destroy_response(response);
    return queued;
}

static int http(const struct mcpgraft_server *server, const char *port, int sessions)
{
    /* What is kept, who listens and who waits: with it a handler may take its time, and a connection has a thread. */
    static struct mcp_hub hub;
    struct mcp_spares spares = MCP_NO_SPARES;
    struct mcp_app app = {server, run, sessions ? &hub : NULL, !sessions, &spares};
    unsigned one = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO;
    unsigned many = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL | MHD_USE_TURBO;
    struct sockaddr_in address;
    struct MHD_Daemon *daemon;
    sigset_t ends;
    int number;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)atoi(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    if (sessions && mcp_hub_open(&hub) != 0)
        return 1;
    /* libmicrohttpd clears the memory of a connection after each request: of the usual 32 KiB a head needs little, and bodies
     * come in pieces. */
    daemon = MHD_start_daemon(sessions ? many : one, 0, NULL, NULL, serve, &app, MHD_OPTION_SOCK_ADDR, &address,
                              MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_CONNECTION_LIMIT, 2000u,
                              MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)8192, MHD_OPTION_END);
    if (daemon == NULL)
        return 1;
    sigwait(&ends, &number);
    if (sessions)
        mcp_hub_close(&hub);
    MHD_stop_daemon(daemon);
    if (sessions)
        mcp_hub_free(&hub);
    mcp_spares_free(&spares);
    return 0;
}
