/* Requests in work, and what becomes of their clients meanwhile. A handle takes one thread at a time: whoever hears of a client
 * leaves a note, and the thread that works for it passes that on to the library (mcpgraft_lost). mcp_hub.h holds the list and
 * its lock. */
#ifndef MCP_RUNNING_H
#define MCP_RUNNING_H

#include "mcp_events.h"

/* Most notes that wait for one request, and the longest id of one, in bytes: what is more is not noted, and the work goes on. */
enum { MCP_NOTES = 16, MCP_NOTE_BYTES = 256 };

struct mcp_running {
    char session[MCP_NAME + 1]; /* empty: it belongs to none */
    int over;                   /* its session has ended */
    size_t count;
    char *taken_back[MCP_NOTES]; /* ids, JSON, of requests that the client of the session has taken back: perhaps this one */
    struct mcp_running *next;
};

/* The client of a session takes back the request `id`; absent: its session is over. */
static inline void mcp_note(struct mcp_running *list, const char *session, struct mcpgraft_str id)
{
    for (; list != NULL; list = list->next) {
        if (session[0] == 0 || strcmp(list->session, session) != 0)
            continue;
        if (id.ptr == NULL) {
            list->over = 1;
        } else if (list->count < MCP_NOTES && id.len <= MCP_NOTE_BYTES) {
            char *copy = calloc(1, id.len + 1);
            if (copy == NULL)
                abort();
            memcpy(copy, id.ptr, id.len);
            list->taken_back[list->count++] = copy;
        }
    }
}

/* Something was noted that the library does not know yet. */
static inline int mcp_has_notes(const struct mcp_running *running)
{
    return running->over || running->count > 0;
}

/* Passes the notes on, in the thread that works for the request; `exchange` NULL: drops them. */
static inline void mcp_pass_on(struct mcp_running *running, struct mcpgraft_peer *exchange)
{
    struct mcpgraft_str none = {NULL, 0};
    uint64_t key;
    if (running->over && exchange != NULL)
        mcpgraft_lost(exchange, MCPGRAFT_LOST_CLIENT, none, &key);
    running->over = 0;
    while (running->count > 0) {
        char *taken_back = running->taken_back[--running->count];
        struct mcpgraft_str id = {taken_back, strlen(taken_back)};
        if (exchange != NULL)
            mcpgraft_lost(exchange, MCPGRAFT_LOST_REQUEST, id, &key);
        free(taken_back);
    }
}

#endif
