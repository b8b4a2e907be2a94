/* What belongs to one request of a libmicrohttpd application, and what is kept of it for the next ones: see mcp_microhttpd.h. */
#ifndef MCP_REQUEST_H
#define MCP_REQUEST_H

#include "mcp_hub.h"

#include <microhttpd.h>

struct mcp_spares;

/* A call that a handler answers: give `event` of every mcpgraft function you call with `peer` to `emit`. */
struct mcp_call {
    struct mcpgraft_peer *peer;
    void (*emit)(struct mcp_call *call, const struct mcpgraft_event *event);
    /* Asks the client of a call of the handshake era and waits for its answer, to be freed: JSON; NULL: none has come. */
    char *(*ask)(struct mcp_call *call, uint64_t key, struct mcpgraft_str method, struct mcpgraft_str params);
    /* Nobody waits for the call any more: end the work, and answer it all the same. Ask this often while you work for long. */
    int (*cancelled)(struct mcp_call *call, uint64_t key);
    void *where;
};

typedef void mcp_handler(struct mcp_call *call, const struct mcpgraft_event *event);

/* What is served at a path. */
struct mcp_app {
    const struct mcpgraft_server *server;
    mcp_handler *handler;
    struct mcp_hub *hub;
    /* Not 0: handlers say nothing before they answer, and are done at once. No call is answered by an event stream then, none
     * takes a thread, and the daemon may run without MHD_USE_THREAD_PER_CONNECTION. */
    int at_once;
    /* What requests leave behind for the next ones; NULL: each begins with nothing. Free it with mcp_spares_free(). */
    struct mcp_spares *spares;
};

/* A request in work. */
struct mcp_request {
    struct mcpgraft_peer *exchange;
    const struct mcp_app *app;
    /* The session the request names, and the one it has opened. */
    char session[MCP_ID + 1], opened[MCP_ID + 1];
    char events[MCP_ID + 1]; /* the name of its stream */
    struct mcpgraft_event event;
    char *body;
    size_t len, room, max;
    struct mcp_running running; /* in the hub's list while it is worked on */
    int socket;                 /* its connection */
    /* Under this lock: what is to be sent, as soon as it is known; the connection's end; and who still needs this. */
    pthread_mutex_t lock;
    pthread_cond_t known;
    struct MHD_Response *response;
    unsigned status;
    int gone;   /* the connection has ended */
    int owners; /* the connection, and the thread of its own if there is one */
    int spent;  /* not to be kept: it holds much memory, or an exchange that failed */
    struct mcp_pipe *stream; /* what is written to, or NULL; of the working thread alone */
    struct mcp_request *next;
};

/* Requests that are over, with their exchange and its memory. Begin with MCP_NO_SPARES. */
struct mcp_spares {
    pthread_mutex_t lock;
    struct mcp_request *first;
    int count;
};

#define MCP_NO_SPARES {PTHREAD_MUTEX_INITIALIZER, NULL, 0}

/* Most that are kept, and the longest body or answer that one may have room for, in bytes. */
enum { MCP_SPARES = 32, MCP_SPARE_BYTES = 65536 };

static inline struct mcpgraft_str mcp_str(const char *text)
{
    struct mcpgraft_str view;
    view.ptr = text == NULL ? "" : text;
    view.len = strlen(view.ptr);
    return view;
}

/* A request of `app` with an exchange; NULL: no memory is left. */
static inline struct mcp_request *mcp_request_new(const struct mcp_app *app)
{
    struct mcp_spares *spares = app->spares;
    struct mcp_request *request = NULL;
    if (spares != NULL) {
        pthread_mutex_lock(&spares->lock);
        request = spares->first;
        if (request != NULL) {
            spares->first = request->next;
            spares->count--;
        }
        pthread_mutex_unlock(&spares->lock);
    }
    if (request == NULL) {
        request = calloc(1, sizeof *request);
        if (request == NULL || mcpgraft_exchange_new(app->server, &request->exchange) != MCPGRAFT_OK) {
            free(request);
            return NULL;
        }
        pthread_mutex_init(&request->lock, NULL);
        pthread_cond_init(&request->known, NULL);
        request->event.struct_size = sizeof request->event;
    }
    request->app = app;
    request->session[0] = request->opened[0] = request->events[0] = 0;
    request->len = 0;
    request->response = NULL;
    request->status = 0;
    request->gone = 0;
    request->owners = 1;
    request->stream = NULL;
    return request;
}

/* It is answered, and its response stays open: what it takes is the listener's alone. */
static inline void mcp_request_shrink(struct mcp_request *request)
{
    mcpgraft_free(request->exchange);
    free(request->body);
    request->exchange = NULL;
    request->body = NULL;
    request->room = 0;
    request->spent = 1;
}

static inline void mcp_request_free(struct mcp_request *request)
{
    mcpgraft_free(request->exchange);
    pthread_mutex_destroy(&request->lock);
    pthread_cond_destroy(&request->known);
    free(request->body);
    free(request);
}

/* One of its owners does not need it any more. */
static inline void mcp_release(struct mcp_request *request)
{
    struct mcp_spares *spares = request->app->spares;
    int owners, kept = 0;
    pthread_mutex_lock(&request->lock);
    owners = --request->owners;
    pthread_mutex_unlock(&request->lock);
    if (owners > 0)
        return;
    mcp_pipe_end(request->stream);
    if (spares != NULL && !request->spent && request->room <= MCP_SPARE_BYTES) {
        pthread_mutex_lock(&spares->lock);
        kept = spares->count < MCP_SPARES;
        if (kept) {
            request->next = spares->first;
            spares->first = request;
            spares->count++;
        }
        pthread_mutex_unlock(&spares->lock);
    }
    if (!kept)
        mcp_request_free(request);
}

/* When the daemon has stopped. */
static inline void mcp_spares_free(struct mcp_spares *spares)
{
    while (spares->first != NULL) {
        struct mcp_request *request = spares->first;
        spares->first = request->next;
        mcp_request_free(request);
    }
    spares->count = 0;
}

#endif
