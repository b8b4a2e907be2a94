/* The workload under libmicrohttpd: `http PORT`. 127.0.0.1 only, path /mcp. */
#include "workload.h"

#include "mcp_microhttpd.h"

#include <signal.h>
#include <stdio.h>

static void emit(void *where, const struct mcpgraft_event *event)
{
    struct mcp_call *call = where;
    call->emit(call, event);
}

static void answer(struct mcp_call *call, const struct mcpgraft_event *event)
{
    struct asked asked = {call->peer, emit, call};
    run(&asked, event);
}

static enum MHD_Result serve(void *closure, struct MHD_Connection *connection, const char *url, const char *method,
                             const char *version, const char *data, size_t *size, void **state)
{
    struct MHD_Response *response;
    enum MHD_Result queued;
    (void)version;
    if (strcmp(url, "/mcp") == 0)
        return mcp_answer(closure, connection, method, data, size, state);
    response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    queued = MHD_queue_response(connection, MHD_HTTP_NOT_FOUND, response);
    MHD_destroy_response(response);
    return queued;
}

static int http(const struct mcpgraft_server *server, const char *port)
{
    struct mcp_app app = {server, answer, NULL, 1};
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
    daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO, 0, NULL, NULL,
                              serve, &app, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED, mcp_completed, NULL,
                              MHD_OPTION_END);
    if (daemon == NULL)
        return 1;
    sigwait(&ends, &number);
    MHD_stop_daemon(daemon);
    return 0;
}

int main(int argc, char **argv)
{
    struct mcpgraft_server *server = offer();
    int code = 2;
    if (argc == 3 && strcmp(argv[1], "http") == 0)
        code = http(server, argv[2]);
    else
        fprintf(stderr, "usage: bench-c-http http PORT\n");
    mcpgraft_free(server);
    return code;
}
