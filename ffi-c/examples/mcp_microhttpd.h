/* MCP for a libmicrohttpd application: copy this file and what it includes, call mcp_answer() from your access handler for the
 * path you like, and mcp_completed() from your MHD_OPTION_NOTIFY_COMPLETED.
 *
 * With a hub (mcp_hub.h) clients of the handshake era get sessions and can be asked, and responses stay open for those that
 * listen; without one, `hub` is NULL and the option `sessions` "off".
 *
 * The daemon runs with MHD_USE_THREAD_PER_CONNECTION, so that a handler may take its time (if none does: `at_once`). A call
 * whose client takes an event stream runs in a thread of its own and writes to a pipe (mcp_pipe.h) that libmicrohttpd sends
 * on: what it reports arrives while it works.
 * All others run where they came in. */
#ifndef MCP_MICROHTTPD_H
#define MCP_MICROHTTPD_H

#include "mcp_request.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

enum { MCP_MAX_HEADERS = 200 };

struct mcp_headers {
    struct mcpgraft_header list[MCP_MAX_HEADERS];
    size_t count;
};

static inline enum MHD_Result mcp_header(void *where, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct mcp_headers *headers = where;
    (void)kind;
    if (headers->count == MCP_MAX_HEADERS)
        return MHD_NO;
    headers->list[headers->count].name = mcp_str(name);
    headers->list[headers->count++].value = mcp_str(value);
    return MHD_YES;
}

static inline uint32_t mcp_peer_flag(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info == NULL ? NULL : info->client_addr;
    if (address != NULL && address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
        return ntohl(v4->sin_addr.s_addr) >> 24 == 127 ? MCPGRAFT_PEER_LOCAL : MCPGRAFT_PEER_REMOTE;
    }
    if (address != NULL && address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
        return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ? MCPGRAFT_PEER_LOCAL : MCPGRAFT_PEER_REMOTE;
    }
    return 0;
}

/* The most bytes of a piece of a call's stream, and of a response for one that listens: many are open, and little is said. */
enum { MCP_PIECE = 4096, MCP_NEWS_PIECE = 256 };

/* What a response that stays open is read from. */
struct mcp_source {
    struct mcp_pipe *pipe;
    int corked; /* the socket, while what is sent on it waits for more; else -1 */
};

/* Lets the head of a response go out with its first piece: libmicrohttpd sends them one after the other, and each alone costs
 * a segment and wakes the client. Where a socket has no cork, they do. */
static inline int mcp_cork(int socket, int on)
{
#ifdef TCP_CORK
    return setsockopt(socket, IPPROTO_TCP, TCP_CORK, &on, sizeof on) == 0;
#else
    (void)socket, (void)on;
    return 0;
#endif
}

static inline void mcp_uncork(struct mcp_source *source)
{
    if (source->corked >= 0)
        mcp_cork(source->corked, 0);
    source->corked = -1;
}

static inline ssize_t mcp_read_pipe(void *closure, uint64_t at, char *piece, size_t room)
{
    struct mcp_source *source = closure;
    size_t count;
    if (at > 0)
        mcp_uncork(source); /* the first piece was sent, and the next may be long in coming */
    count = mcp_pipe_read(source->pipe, piece, room);
    if (count > 0)
        return (ssize_t)count;
    mcp_uncork(source);
    return MHD_CONTENT_READER_END_OF_STREAM;
}

static inline void mcp_close_pipe(void *closure)
{
    struct mcp_source *source = closure;
    mcp_pipe_close(source->pipe, &source->pipe->unread);
    free(source);
}

/* A response that is read from a pipe, which is `request->stream` from now on; NULL: there is none. `begun`: it begins with bytes
 * that are there at once. */
static inline struct MHD_Response *mcp_stream_response(struct mcp_request *request, size_t piece, int begun)
{
    struct mcp_source *source = malloc(sizeof *source);
    struct MHD_Response *response;
    if (source == NULL || (source->pipe = mcp_pipe_new()) == NULL) {
        free(source);
        return NULL;
    }
    source->corked = begun && mcp_cork(request->socket, 1) ? request->socket : -1;
    response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, piece, mcp_read_pipe, source, mcp_close_pipe);
    if (response == NULL) {
        mcp_pipe_end(source->pipe);
        mcp_close_pipe(source);
        return NULL;
    }
    request->stream = source->pipe;
    return response;
}

/* Decides, at the first event with a status, what the response is; later ones are pieces of its stream. */
static inline void mcp_emit(struct mcp_call *call, const struct mcpgraft_event *event)
{
    struct mcp_request *request = call->where;
    size_t i;
    if (event->send.len > MCP_SPARE_BYTES)
        request->spent = 1;
    if (event->kept.ptr != NULL && request->app->hub != NULL) {
        pthread_mutex_lock(&request->app->hub->lock);
        mcp_keep(request->app->hub, request->session, event);
        pthread_mutex_unlock(&request->app->hub->lock);
    }
    if (event->status != 0) {
        struct MHD_Response *response = NULL;
        if (event->end)
            response = MHD_create_response_from_buffer(event->send.len, (void *)event->send.ptr, MHD_RESPMEM_MUST_COPY);
        else
            response = mcp_stream_response(request, event->kind == MCPGRAFT_LISTENING ? MCP_NEWS_PIECE : MCP_PIECE,
                                           event->send.len > 0);
        for (i = 0; response != NULL && i < event->header_count; i++) {
            char name[64], value[2048];
            struct mcpgraft_header header = event->headers[i];
            if (header.name.len < sizeof name && header.value.len < sizeof value) {
                memcpy(name, header.name.ptr, header.name.len);
                name[header.name.len] = 0;
                memcpy(value, header.value.ptr, header.value.len);
                value[header.value.len] = 0;
                MHD_add_response_header(response, name, value);
            }
        }
        if (response != NULL && request->opened[0] != 0)
            MHD_add_response_header(response, "Mcp-Session-Id", request->opened);
        pthread_mutex_lock(&request->lock);
        request->response = response;
        request->status = event->status;
        pthread_cond_broadcast(&request->known);
        pthread_mutex_unlock(&request->lock);
    }
    if (request->stream != NULL && event->send.len > 0)
        mcp_pipe_write(request->stream, event->send.ptr, event->send.len, 1);
    if (request->stream != NULL && event->end) {
        /* Its call may go on: what it says from now on is kept. */
        mcp_pipe_end(request->stream);
        request->stream = NULL;
    }
}

/* Whether the connection has ended. libmicrohttpd does not look at it while a call is in work: a client that says no more has
 * gone. (Behind TLS, what it said last may hide that: there, ask poll() for POLLRDHUP.) */
static inline int mcp_gone(struct mcp_request *request)
{
    char byte;
    int gone;
    pthread_mutex_lock(&request->lock);
    if (!request->gone) {
        ssize_t count = recv(request->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        request->gone = count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR);
    }
    gone = request->gone;
    pthread_mutex_unlock(&request->lock);
    return gone;
}

/* Tells the library what has become of the client, and asks it what that means for the call. */
static inline int mcp_cancelled(struct mcp_call *call, uint64_t key)
{
    struct mcp_request *request = call->where;
    struct mcp_hub *hub = request->app->hub;
    struct mcpgraft_str none = {NULL, 0};
    bool cancelled = false;
    uint64_t lost;
    if (mcp_gone(request))
        mcpgraft_lost(call->peer, MCPGRAFT_LOST_CONNECTION, none, &lost);
    if (hub != NULL) {
        pthread_mutex_lock(&hub->lock);
        mcp_pass_on(&request->running, call->peer);
        pthread_mutex_unlock(&hub->lock);
    }
    return mcpgraft_is_cancelled(call->peer, key, &cancelled) == MCPGRAFT_OK && cancelled;
}

static inline char *mcp_ask(struct mcp_call *call, uint64_t key, struct mcpgraft_str method, struct mcpgraft_str params)
{
    struct mcp_request *request = call->where;
    struct mcp_hub *hub = request->app->hub;
    struct mcp_question question;
    struct mcpgraft_event event;
    struct timespec end;
    event.struct_size = sizeof event;
    if (hub == NULL)
        return NULL;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += MCP_ANSWER_SECONDS;
    mcp_expect(hub, &question, request->session);
    if (mcpgraft_ask(call->peer, key, mcp_str(question.id), method, params, &event) == MCPGRAFT_OK) {
        enum mcp_waited waited;
        mcp_emit(call, &event);
        do
            waited = mcp_await(hub, &question, &request->running, &end);
        while (waited == MCP_NOTED && !mcp_cancelled(call, key));
        if (waited != MCP_ANSWERED && mcpgraft_give_up(call->peer, key, 0, mcp_str(question.id), &event) == MCPGRAFT_OK)
            mcp_emit(call, &event);
    }
    mcp_expect_no_more(hub, &question);
    if (question.answered && !question.ok) {
        free(question.answer);
        return NULL;
    }
    return question.answer;
}

/* What the hub has to know of an event. */
static inline void mcp_remember(struct mcp_request *request, const struct mcpgraft_event *event)
{
    struct mcp_hub *hub = request->app->hub;
    struct mcpgraft_str session = mcp_str(request->session);
    if (hub == NULL)
        return;
    if (event->kind == MCPGRAFT_OPENED)
        mcp_session_open(hub, event->stored, request->opened);
    else if (event->stored.len > 0)
        mcp_session_keep(hub, session, event->stored);
    if (event->kind == MCPGRAFT_ENDED)
        mcp_session_end(hub, session);
    else if (event->kind == MCPGRAFT_RESPONSE)
        mcp_answered(hub, session, event);
    else if (event->kind == MCPGRAFT_CANCELLED)
        mcp_take_back(hub, request->session, event->id);
}

/* A client came back for a stream. */
static inline void mcp_come_back(struct mcp_request *request, struct mcp_call *call, const struct mcpgraft_event *event)
{
    struct mcp_hub *hub = request->app->hub;
    struct mcpgraft_event refusal;
    refusal.struct_size = sizeof refusal;
    pthread_mutex_lock(&hub->lock);
    if (!mcp_go_on(hub, request->exchange, request->session, event->stream, event->number, NULL)) {
        pthread_mutex_unlock(&hub->lock);
        if (mcpgraft_resume(request->exchange, false, 0, &refusal) == MCPGRAFT_OK)
            mcp_emit(call, &refusal);
        return;
    }
    mcp_emit(call, event);
    mcp_go_on(hub, request->exchange, request->session, event->stream, event->number, request->stream);
    request->stream = NULL;
    pthread_mutex_unlock(&hub->lock);
}

/* The stream of a call or of a session begins, if its events are numbered. */
static inline void mcp_begin(struct mcp_request *request, const struct mcpgraft_event *event)
{
    struct mcp_hub *hub = request->app->hub;
    if (hub == NULL || event->stream.len == 0)
        return;
    pthread_mutex_lock(&hub->lock);
    mcp_begin_stream(&hub->streams, request->session, event->stream, event->kind == MCPGRAFT_LISTENING);
    pthread_mutex_unlock(&hub->lock);
}

/* Its call was answered. */
static inline void mcp_end(struct mcp_request *request)
{
    struct mcp_hub *hub = request->app->hub;
    struct mcp_stream *stream;
    if (hub == NULL)
        return;
    pthread_mutex_lock(&hub->lock);
    stream = mcp_find_stream(&hub->streams, request->session, mcp_str(request->events));
    if (stream != NULL && !stream->standing)
        mcp_end_stream(stream);
    pthread_mutex_unlock(&hub->lock);
}

/* Runs the calls of a request, one after another, until the response is complete. */
static inline void mcp_work(struct mcp_request *request)
{
    struct mcp_call call;
    struct mcpgraft_event event = request->event;
    int more;
    call.peer = request->exchange;
    call.emit = mcp_emit;
    call.ask = mcp_ask;
    call.cancelled = mcp_cancelled;
    call.where = request;
    if (request->app->hub != NULL)
        mcp_run(request->app->hub, &request->running, request->session);
    do {
        more = event.more;
        if (event.kind == MCPGRAFT_RESUMING) {
            mcp_come_back(request, &call, &event);
        } else if (event.kind == MCPGRAFT_CALL) {
            mcp_begin(request, &event);
            request->app->handler(&call, &event);
        } else {
            mcp_remember(request, &event);
            mcp_emit(&call, &event);
            if (event.kind == MCPGRAFT_LISTENING) {
                mcp_begin(request, &event);
                pthread_mutex_lock(&request->app->hub->lock);
                mcp_listen(request->app->hub, event.listener, request->stream, mcp_str(request->session), event.stream);
                pthread_mutex_unlock(&request->app->hub->lock);
                request->stream = NULL;
                mcp_request_shrink(request);
            }
        }
    } while (more && mcpgraft_next(request->exchange, &event) == MCPGRAFT_OK);
    if (request->app->hub != NULL)
        mcp_run_no_more(request->app->hub, &request->running);
    mcp_end(request);
}

static inline void *mcp_thread(void *where)
{
    struct mcp_request *request = where;
    mcp_work(request);
    mcp_pipe_end(request->stream);
    request->stream = NULL;
    pthread_mutex_lock(&request->lock);
    if (request->status == 0) {
        /* The handler gave no answer. */
        request->response = MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
        request->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
        pthread_cond_broadcast(&request->known);
    }
    pthread_mutex_unlock(&request->lock);
    mcp_release(request);
    return NULL;
}

static inline enum MHD_Result mcp_queue(struct MHD_Connection *connection, unsigned status, struct MHD_Response *response)
{
    enum MHD_Result queued;
    if (response == NULL)
        return MHD_NO;
    queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

/* For MHD_OPTION_NOTIFY_COMPLETED. */
static inline void mcp_completed(void *closure, struct MHD_Connection *connection, void **state,
                                 enum MHD_RequestTerminationCode code)
{
    struct mcp_request *request = *state;
    (void)closure, (void)connection, (void)code;
    if (request == NULL)
        return;
    pthread_mutex_lock(&request->lock);
    request->gone = 1; /* its socket may be another's from now on */
    pthread_mutex_unlock(&request->lock);
    mcp_release(request);
    *state = NULL;
}

/* The access handler: `state` is the request's own, NULL at its first call. */
static inline enum MHD_Result mcp_answer(const struct mcp_app *app, struct MHD_Connection *connection, const char *method,
                                         const char *data, size_t *size, void **state)
{
    struct mcp_request *request = *state;
    pthread_t thread;
    if (request == NULL) {
        struct mcp_headers headers; /* large: not cleared */
        struct mcpgraft_request head;
        request = mcp_request_new(app);
        if (request == NULL)
            return MHD_NO;
        *state = request;
        request->socket = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        headers.count = 0;
        memset(&head, 0, sizeof head);
        head.struct_size = sizeof head;
        head.method = mcp_str(method);
        MHD_get_connection_values(connection, MHD_HEADER_KIND, mcp_header, &headers);
        head.headers = headers.list;
        head.header_count = headers.count;
        head.flags = (app->at_once ? 0 : MCPGRAFT_STREAMS) | (app->hub != NULL ? MCPGRAFT_LISTENS : 0) | mcp_peer_flag(connection);
        /* Only in a session a client may come back for the rest of a stream. */
        if (app->hub != NULL && MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Mcp-Session-Id") != NULL) {
            mcp_new_id(request->events);
            head.events = mcp_str(request->events);
        }
        if (mcpgraft_exchange_begin(request->exchange, &head, &request->event) != MCPGRAFT_OK) {
            request->spent = 1;
            return MHD_NO;
        }
        request->max = request->event.max_body;
        if (request->event.session_id.len == MCP_ID)
            memcpy(request->session, request->event.session_id.ptr, MCP_ID);
        if (request->event.kind != MCPGRAFT_READ_BODY) {
            mcp_work(request);
            return mcp_queue(connection, request->status, request->response);
        }
        return MHD_YES;
    }
    if (*size > 0) {
        /* One byte more than fits is enough for the library to refuse it. */
        size_t fits = request->max + 1 - request->len;
        size_t take = *size < fits ? *size : fits;
        if (request->len + take > request->room) {
            size_t room = 2 * (request->len + take);
            char *body = realloc(request->body, room);
            if (body == NULL)
                return MHD_NO;
            request->body = body;
            request->room = room;
        }
        if (take > 0)
            memcpy(request->body + request->len, data, take);
        request->len += take;
        *size = 0;
        return MHD_YES;
    }
    if (request->status == 0) {
        struct mcpgraft_str body = {request->body, request->len}, stored = {NULL, 0};
        mcpgraft_status status;
        if (app->hub != NULL)
            stored = mcp_session_stored(app->hub, mcp_str(request->session));
        status = mcpgraft_exchange_accept(request->exchange, body, stored, &request->event);
        free((void *)stored.ptr);
        if (status != MCPGRAFT_OK) {
            request->spent = 1;
            return MHD_NO;
        }
        if (request->event.kind == MCPGRAFT_CALL && request->event.can_stream) {
            struct MHD_Response *response;
            unsigned code;
            request->owners = 2;
            if (pthread_create(&thread, NULL, mcp_thread, request) != 0) {
                request->owners = 1;
                return MHD_NO;
            }
            pthread_detach(thread);
            pthread_mutex_lock(&request->lock);
            while (request->status == 0)
                pthread_cond_wait(&request->known, &request->lock);
            response = request->response;
            code = request->status;
            pthread_mutex_unlock(&request->lock);
            return mcp_queue(connection, code, response);
        }
        mcp_work(request);
        return mcp_queue(connection, request->status, request->response);
    }
    return MHD_YES;
}

#endif
