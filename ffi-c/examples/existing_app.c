/* An application that serves its own pages with libmicrohttpd, and has gained /mcp: the lines marked with MCP are new.
 *
 *     existing_app PORT        then: curl http://127.0.0.1:PORT/orders */
#define _POSIX_C_SOURCE 200809L

#include "mcp_microhttpd.h" /* MCP */

#include <signal.h>
#include <stdio.h>
#include <time.h>

static const char *const orders[] = {"anvil", "rocket skates", "giant magnet"};
static const int steps[] = {3, 3, 1200}; /* how often the carrier has to be asked, every 50 ms */
enum { ORDERS = 3 };

/* MCP: the tools of the application. */
static void run_tool(struct mcp_call *call, const struct mcpgraft_event *event)
{
    struct mcpgraft_event out;
    struct mcpgraft_str none = {NULL, 0}, number = {NULL, 0};
    char text[512];
    out.struct_size = sizeof out;
    if (mcpgraft_json_get(event->arguments, mcp_str("number"), &number) == MCPGRAFT_OK) {
        /* track_order: JSON numbers end where the text does. */
        char digits[16] = "";
        long at;
        int step;
        memcpy(digits, number.ptr, number.len < sizeof digits - 1 ? number.len : sizeof digits - 1);
        at = strtol(digits, NULL, 10);
        if (at < 1 || at > ORDERS) {
            mcpgraft_fail(call->peer, event->key, MCPGRAFT_FAIL_TOOL, mcp_str("There is no such order."), 0, none, &out);
            call->emit(call, &out);
            return;
        }
        for (step = 1; step <= steps[at - 1]; step++) {
            struct timespec pause = {0, 50000000};
            nanosleep(&pause, NULL);
            if (call->cancelled(call, event->key)) {
                fprintf(stderr, "track_order: nobody waits for %s any more\n", orders[at - 1]);
                break;
            }
            if (mcpgraft_progress(call->peer, event->key, none, step, steps[at - 1], mcp_str("asking the carrier"), &out) ==
                MCPGRAFT_OK)
                call->emit(call, &out);
        }
        snprintf(text, sizeof text, "{\"content\":[{\"type\":\"text\",\"text\":\"%s: on its way\"}]}", orders[at - 1]);
    } else {
        snprintf(text, sizeof text, "{\"content\":[{\"type\":\"text\",\"text\":\"%d orders\"}]}", ORDERS);
    }
    if (mcpgraft_reply(call->peer, event->key, mcp_str(text), &out) != MCPGRAFT_OK)
        mcpgraft_fail(call->peer, event->key, MCPGRAFT_FAIL_INTERNAL, mcp_str("The tool failed."), 0, none, &out);
    call->emit(call, &out);
}

static enum MHD_Result serve(void *closure, struct MHD_Connection *connection, const char *url, const char *method,
                             const char *version, const char *data, size_t *size, void **state)
{
    struct MHD_Response *response;
    enum MHD_Result queued;
    char page[256] = "";
    int i;
    (void)version;
    if (strcmp(url, "/mcp") == 0 || strcmp(url, "/mcp/") == 0) /* MCP */
        return mcp_answer(closure, connection, method, data, size, state); /* MCP */
    if (strcmp(url, "/orders") == 0 && strcmp(method, "GET") == 0) {
        for (i = 0; i < ORDERS; i++) {
            strcat(page, orders[i]);
            strcat(page, "\n");
        }
        response = MHD_create_response_from_buffer(strlen(page), page, MHD_RESPMEM_MUST_COPY);
        queued = MHD_queue_response(connection, MHD_HTTP_OK, response);
    } else {
        response = MHD_create_response_from_buffer(0, page, MHD_RESPMEM_MUST_COPY);
        queued = MHD_queue_response(connection, MHD_HTTP_NOT_FOUND, response);
    }
    MHD_destroy_response(response);
    return queued;
}

/* MCP: what is offered. */
static struct mcpgraft_server *offer(void)
{
    struct mcpgraft_server *server = NULL;
    if (mcpgraft_server_new(&server) != MCPGRAFT_OK ||
        mcpgraft_server_set(server, mcp_str("info"), mcp_str("{\"name\":\"orders\",\"version\":\"1.0\"}")) != MCPGRAFT_OK ||
        mcpgraft_server_put(server, MCPGRAFT_TOOL,
                            mcp_str("{\"name\":\"count_orders\",\"description\":\"How many orders there are.\","
                                    "\"inputSchema\":{\"type\":\"object\"}}")) != MCPGRAFT_OK ||
        mcpgraft_server_put(server, MCPGRAFT_TOOL,
                            mcp_str("{\"name\":\"track_order\",\"description\":\"Where an order is.\","
                                    "\"inputSchema\":{\"type\":\"object\",\"properties\":{\"number\":{\"type\":\"integer\"}},"
                                    "\"required\":[\"number\"]}}")) != MCPGRAFT_OK) {
        struct mcpgraft_str why = mcpgraft_detail(server);
        fprintf(stderr, "existing_app: %.*s\n", (int)why.len, why.ptr);
        exit(1);
    }
    return server;
}

int main(int argc, char **argv)
{
    struct mcpgraft_server *server = offer(); /* MCP */
    struct mcp_app app = {server, run_tool, NULL, 0, NULL}; /* MCP */
    struct MHD_Daemon *daemon;
    sigset_t ends;
    int signal_number;
    if (argc != 2)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL,
                              (unsigned short)atoi(argv[1]), NULL, NULL, serve, &app, MHD_OPTION_NOTIFY_COMPLETED,
                              mcp_completed, NULL, MHD_OPTION_END);
    if (daemon == NULL)
        return 1;
    sigwait(&ends, &signal_number);
    MHD_stop_daemon(daemon);
    mcpgraft_free(server);
    return 0;
}
