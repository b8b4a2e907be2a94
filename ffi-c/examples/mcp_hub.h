/* Where the requests of one program find each other: sessions of the handshake era, questions that wait for their client's
 * answer, responses that stay open, events that are kept for clients that come back (mcp_events.h), and requests in work that
 * their client may take back (mcp_running.h). All in the memory of this process, behind one lock; copy these files with
 * mcp_microhttpd.h, or write your own for another store. */
#ifndef MCP_HUB_H
#define MCP_HUB_H

#include "mcp_events.h"
#include "mcp_running.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Seconds to wait for a client's answer, and between two comments that keep an idle stream open. */
enum { MCP_ANSWER_SECONDS = 60, MCP_KEEP_ALIVE_SECONDS = 15 };

/* Ids are 32 random hexadecimal digits. */
enum { MCP_ID = 32 };

/* Most sessions that are remembered: anybody can open one. The oldest is forgotten first; its client opens another. */
enum { MCP_SESSIONS = 10000 };

/* Lists of sessions: one is found by its id without a look at most others. */
enum { MCP_BUCKETS = 1024 };

struct mcp_session {
    char id[MCP_ID + 1];
    char *stored;
    size_t len;
    struct mcp_session *next; /* in its bucket */
    struct mcp_session *older, *newer;
};

struct mcp_question {
    char id[MCP_ID + 1];
    char session[MCP_ID + 1];
    int answered, ok;
    char *answer; /* JSON: the result, or the error if not `ok`; NULL: none has come */
    size_t len;
    struct mcp_question *next;
};

struct mcp_listener {
    struct mcpgraft_peer *peer;
    struct mcp_pipe *pipe; /* to its response */
    char session[MCP_ID + 1]; /* of a GET; empty: a subscription of the stateless era */
    char stream[MCP_NAME + 1]; /* whose events are kept; empty: they are not */
    struct mcp_listener *next;
};

struct mcp_hub {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t keeper;
    int closing;
    struct mcp_session *sessions[MCP_BUCKETS], *oldest, *newest;
    size_t session_count;
    struct mcp_question *questions;
    struct mcp_listener *listeners;
    struct mcp_streams streams;
    struct mcp_running *running;
};

static int mcp_random_file;

static inline void mcp_random_open(void)
{
    mcp_random_file = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
}

static inline void mcp_random(unsigned char *bytes, size_t len)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, mcp_random_open);
    if (mcp_random_file < 0 || read(mcp_random_file, bytes, len) != (ssize_t)len)
        abort();
}

static inline void mcp_new_id(char *id)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[MCP_ID / 2];
    size_t i;
    mcp_random(bytes, sizeof bytes);
    for (i = 0; i < sizeof bytes; i++) {
        id[2 * i] = digits[bytes[i] >> 4];
        id[2 * i + 1] = digits[bytes[i] & 15];
    }
    id[MCP_ID] = 0;
}

static inline char *mcp_copy(struct mcpgraft_str text)
{
    char *copy = malloc(text.len + 1);
    if (copy == NULL)
        abort();
    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = 0;
    return copy;
}

/* Ends the response of a listener and takes it out of the list; under the lock. */
static inline void mcp_let_go(struct mcp_listener **at)
{
    struct mcp_listener *listener = *at;
    *at = listener->next;
    mcp_pipe_end(listener->pipe);
    mcpgraft_free(listener->peer);
    free(listener);
}

static inline struct mcpgraft_str mcp_view(const char *text)
{
    struct mcpgraft_str view;
    view.ptr = text;
    view.len = strlen(text);
    return view;
}

/* --- sessions: found under the lock -------------------------------------------------------------------------------------- */

static inline struct mcp_session **mcp_find(struct mcp_hub *hub, struct mcpgraft_str id)
{
    unsigned bucket = 0;
    struct mcp_session **at;
    size_t i;
    for (i = 0; i < 4 && id.len == MCP_ID; i++)
        bucket = 31 * bucket + (unsigned char)id.ptr[i]; /* ids are random: their beginning will do */
    at = &hub->sessions[bucket % MCP_BUCKETS];
    while (*at != NULL && (id.len != MCP_ID || memcmp((*at)->id, id.ptr, MCP_ID) != 0))
        at = &(*at)->next;
    return at;
}

/* Forgets a session, ends its responses and takes back what it has in work; under the lock. */
static inline void mcp_forget(struct mcp_hub *hub, struct mcp_session **at)
{
    struct mcp_session *session = *at;
    struct mcp_listener **listener;
    struct mcp_stream *stream, *newer;
    struct mcpgraft_str none = {NULL, 0};
    *at = session->next;
    *(session->older != NULL ? &session->older->newer : &hub->oldest) = session->newer;
    *(session->newer != NULL ? &session->newer->older : &hub->newest) = session->older;
    hub->session_count--;
    mcp_note(hub->running, session->id, none);
    pthread_cond_broadcast(&hub->changed);
    for (stream = hub->streams.oldest; stream != NULL; stream = newer) {
        newer = stream->newer;
        if (strcmp(stream->session, session->id) == 0)
            mcp_drop_stream(&hub->streams, stream);
    }
    for (listener = &hub->listeners; *listener != NULL;) {
        if (strcmp((*listener)->session, session->id) == 0)
            mcp_let_go(listener);
        else
            listener = &(*listener)->next;
    }
    free(session->stored);
    free(session);
}

/* Remembers a session that has opened, and gives it an id. */
static inline void mcp_session_open(struct mcp_hub *hub, struct mcpgraft_str stored, char *id)
{
    struct mcp_session *session = malloc(sizeof *session), **at;
    if (session == NULL)
        abort();
    mcp_new_id(session->id);
    memcpy(id, session->id, sizeof session->id);
    session->stored = mcp_copy(stored);
    session->len = stored.len;
    pthread_mutex_lock(&hub->lock);
    at = mcp_find(hub, mcp_view(id));
    session->next = NULL;
    *at = session;
    session->newer = NULL;
    session->older = hub->newest;
    *(hub->newest != NULL ? &hub->newest->newer : &hub->oldest) = session;
    hub->newest = session;
    if (++hub->session_count > MCP_SESSIONS)
        mcp_forget(hub, mcp_find(hub, mcp_view(hub->oldest->id)));
    pthread_mutex_unlock(&hub->lock);
}

/* A copy of what is stored under an id, to be freed; `ptr` NULL: nothing is. */
static inline struct mcpgraft_str mcp_session_stored(struct mcp_hub *hub, struct mcpgraft_str id)
{
    struct mcpgraft_str stored = {NULL, 0};
    struct mcp_session *session;
    pthread_mutex_lock(&hub->lock);
    session = *mcp_find(hub, id);
    if (session != NULL) {
        stored.ptr = session->stored;
        stored.len = session->len;
        stored.ptr = mcp_copy(stored);
    }
    pthread_mutex_unlock(&hub->lock);
    return stored;
}

static inline void mcp_session_keep(struct mcp_hub *hub, struct mcpgraft_str id, struct mcpgraft_str stored)
{
    struct mcp_session *session;
    pthread_mutex_lock(&hub->lock);
    session = *mcp_find(hub, id);
    if (session != NULL) {
        free(session->stored);
        session->stored = mcp_copy(stored);
        session->len = stored.len;
    }
    pthread_mutex_unlock(&hub->lock);
}

static inline void mcp_session_end(struct mcp_hub *hub, struct mcpgraft_str id)
{
    struct mcp_session **at;
    pthread_mutex_lock(&hub->lock);
    at = mcp_find(hub, id);
    if (*at != NULL)
        mcp_forget(hub, at);
    pthread_mutex_unlock(&hub->lock);
}

/* --- listeners: all under the lock --------------------------------------------------------------------------------------- */

/* Writes to a listener's response. A client that is gone, or does not read, is let go: 0. */
static inline int mcp_tell(struct mcp_listener **at, struct mcpgraft_str send)
{
    if (send.len == 0 || mcp_pipe_write((*at)->pipe, send.ptr, send.len, 0))
        return 1;
    mcp_let_go(at);
    return 0;
}

/* Keeps a response open, under the lock. `pipe` leads to it; `stream` may be absent. */
static inline void mcp_listen(struct mcp_hub *hub, struct mcpgraft_peer *peer, struct mcp_pipe *pipe,
                              struct mcpgraft_str session, struct mcpgraft_str stream)
{
    struct mcp_listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL)
        abort();
    listener->peer = peer;
    listener->pipe = pipe;
    if (session.len == MCP_ID)
        memcpy(listener->session, session.ptr, MCP_ID);
    if (stream.len > 0 && stream.len <= MCP_NAME)
        memcpy(listener->stream, stream.ptr, stream.len);
    listener->next = hub->listeners;
    hub->listeners = listener;
}

/* Keeps what an event of a stream says is to be kept; under the lock. */
static inline void mcp_keep(struct mcp_hub *hub, const char *session, const struct mcpgraft_event *event)
{
    struct mcp_stream *stream = mcp_find_stream(&hub->streams, session, event->stream);
    if (stream != NULL && event->kept.ptr != NULL)
        mcp_keep_event(stream, event);
}

/* Goes on with what a client came back for, on the pipe that leads to it; 0: it is not kept. Without a pipe nothing is done but
 * to look. Under the lock. */
static inline int mcp_go_on(struct mcp_hub *hub, struct mcpgraft_peer *exchange, const char *session, struct mcpgraft_str name,
                            uint32_t after, struct mcp_pipe *pipe)
{
    struct mcp_stream *stream = mcp_find_stream(&hub->streams, session, name);
    struct mcp_listener **at;
    struct mcpgraft_event event;
    struct mcpgraft_str id = {session, strlen(session)};
    if (stream == NULL || after < stream->dropped)
        return 0;
    if (pipe == NULL)
        return 1;
    mcp_replay(stream, after, pipe);
    event.struct_size = sizeof event;
    if (stream->standing && mcpgraft_resume(exchange, true, stream->last, &event) == MCPGRAFT_OK) {
        /* Where it was open it is not any more: each event is told on one response. */
        for (at = &hub->listeners; *at != NULL;) {
            if (strcmp((*at)->session, session) == 0 && strcmp((*at)->stream, stream->name) == 0)
                mcp_let_go(at);
            else
                at = &(*at)->next;
        }
        mcp_listen(hub, event.listener, pipe, id, name);
    } else if (stream->over) {
        mcp_pipe_end(pipe);
    } else {
        mcp_pipe_end(stream->pipe);
        stream->pipe = pipe;
    }
    return 1;
}

/* Tells all listeners what is new (`mcpgraft_news`, which says what `subject` is): each writes only what its client wants to
 * hear. */
static inline void mcp_announce(struct mcp_hub *hub, uint32_t news, struct mcpgraft_str subject)
{
    struct mcp_listener **at;
    struct mcpgraft_event event;
    struct mcpgraft_str none = {NULL, 0};
    event.struct_size = sizeof event;
    pthread_mutex_lock(&hub->lock);
    for (at = &hub->listeners; *at != NULL;) {
        struct mcpgraft_str id = {(*at)->session, strlen((*at)->session)}, stored = none;
        struct mcp_session *session = *mcp_find(hub, id);
        mcpgraft_status status;
        if (session != NULL)
            stored.ptr = session->stored, stored.len = session->len;
        status = mcpgraft_notify((*at)->peer, 0, news, subject, news == MCPGRAFT_NEWS_RESOURCE ? stored : none, &event);
        if (status == MCPGRAFT_OK)
            mcp_keep(hub, (*at)->session, &event);
        if (mcp_tell(at, status == MCPGRAFT_OK ? event.send : none))
            at = &(*at)->next;
    }
    pthread_mutex_unlock(&hub->lock);
}

/* --- questions ----------------------------------------------------------------------------------------------------------- */

/* Expects the answer to a question, before it is asked. Ask under `question->id`, which no other question has. */
static inline void mcp_expect(struct mcp_hub *hub, struct mcp_question *question, const char *session)
{
    memset(question, 0, sizeof *question);
    mcp_new_id(question->id);
    memcpy(question->session, session, strlen(session) + 1);
    pthread_mutex_lock(&hub->lock);
    question->next = hub->questions;
    hub->questions = question;
    pthread_mutex_unlock(&hub->lock);
}

enum mcp_waited { MCP_ANSWERED, MCP_NOTED, MCP_IN_VAIN };

/* Waits until it is answered, something is noted of the request that asks, the hub closes or the time has come. */
static inline enum mcp_waited mcp_await(struct mcp_hub *hub, const struct mcp_question *question,
                                        const struct mcp_running *running, const struct timespec *end)
{
    enum mcp_waited waited;
    pthread_mutex_lock(&hub->lock);
    while (!question->answered && !mcp_has_notes(running) && !hub->closing &&
           pthread_cond_timedwait(&hub->changed, &hub->lock, end) != ETIMEDOUT)
        ;
    waited = question->answered ? MCP_ANSWERED : mcp_has_notes(running) && !hub->closing ? MCP_NOTED : MCP_IN_VAIN;
    pthread_mutex_unlock(&hub->lock);
    return waited;
}

/* Nobody expects the answer any more. If it has come, free `question->answer`. */
static inline void mcp_expect_no_more(struct mcp_hub *hub, struct mcp_question *question)
{
    struct mcp_question **at;
    pthread_mutex_lock(&hub->lock);
    for (at = &hub->questions; *at != question; at = &(*at)->next)
        ;
    *at = question->next;
    pthread_mutex_unlock(&hub->lock);
}

/* Gives an answer (an event of the kind MCPGRAFT_RESPONSE) to whoever in that session expects it. */
static inline void mcp_answered(struct mcp_hub *hub, struct mcpgraft_str session, const struct mcpgraft_event *event)
{
    struct mcp_question *question;
    if (session.len != MCP_ID || event->id.len != MCP_ID + 2)
        return;
    pthread_mutex_lock(&hub->lock);
    for (question = hub->questions; question != NULL; question = question->next) {
        /* The id is JSON: a string. */
        if (!question->answered && memcmp(question->session, session.ptr, MCP_ID) == 0 &&
            memcmp(question->id, event->id.ptr + 1, MCP_ID) == 0) {
            question->answered = 1;
            question->ok = event->ok;
            question->answer = mcp_copy(event->params);
            question->len = event->params.len;
            pthread_cond_broadcast(&hub->changed);
        }
    }
    pthread_mutex_unlock(&hub->lock);
}

/* --- requests in work ---------------------------------------------------------------------------------------------------- */

/* A request of a session begins. */
static inline void mcp_run(struct mcp_hub *hub, struct mcp_running *running, const char *session)
{
    memcpy(running->session, session, strlen(session) + 1);
    pthread_mutex_lock(&hub->lock);
    running->next = hub->running;
    hub->running = running;
    pthread_mutex_unlock(&hub->lock);
}

/* It is over. */
static inline void mcp_run_no_more(struct mcp_hub *hub, struct mcp_running *running)
{
    struct mcp_running **at;
    pthread_mutex_lock(&hub->lock);
    for (at = &hub->running; *at != running; at = &(*at)->next)
        ;
    *at = running->next;
    mcp_pass_on(running, NULL);
    pthread_mutex_unlock(&hub->lock);
}

/* The client of a session takes one back (an event of the kind MCPGRAFT_CANCELLED). */
static inline void mcp_take_back(struct mcp_hub *hub, const char *session, struct mcpgraft_str id)
{
    pthread_mutex_lock(&hub->lock);
    mcp_note(hub->running, session, id);
    pthread_cond_broadcast(&hub->changed);
    pthread_mutex_unlock(&hub->lock);
}

/* --- the hub ------------------------------------------------------------------------------------------------------------- */

static inline void *mcp_keep_alive(void *where)
{
    static const struct mcpgraft_str comment = {": keep-alive\n\n", 14};
    struct mcp_hub *hub = where;
    struct mcp_listener **at;
    pthread_mutex_lock(&hub->lock);
    while (!hub->closing) {
        struct timespec end;
        clock_gettime(CLOCK_REALTIME, &end);
        end.tv_sec += MCP_KEEP_ALIVE_SECONDS;
        while (!hub->closing && pthread_cond_timedwait(&hub->changed, &hub->lock, &end) != ETIMEDOUT)
            ;
        for (at = &hub->listeners; *at != NULL;)
            if (mcp_tell(at, comment))
                at = &(*at)->next;
    }
    pthread_mutex_unlock(&hub->lock);
    return NULL;
}

/* Not 0: it cannot be made. */
static inline int mcp_hub_open(struct mcp_hub *hub)
{
    memset(hub, 0, sizeof *hub);
    return pthread_mutex_init(&hub->lock, NULL) != 0 || pthread_cond_init(&hub->changed, NULL) != 0 ||
           pthread_create(&hub->keeper, NULL, mcp_keep_alive, hub) != 0;
}

/* Ends all open responses in good order and wakes whoever waits. Before the daemon is stopped. */
static inline void mcp_hub_close(struct mcp_hub *hub)
{
    struct mcpgraft_event event;
    struct mcpgraft_str none = {NULL, 0};
    event.struct_size = sizeof event;
    pthread_mutex_lock(&hub->lock);
    hub->closing = 1;
    pthread_cond_broadcast(&hub->changed);
    while (hub->listeners != NULL)
        if (mcpgraft_notify(hub->listeners->peer, 0, MCPGRAFT_NEWS_END, none, none, &event) != MCPGRAFT_OK ||
            mcp_tell(&hub->listeners, event.send))
            mcp_let_go(&hub->listeners);
    pthread_mutex_unlock(&hub->lock);
    pthread_join(hub->keeper, NULL);
}

/* Frees what is remembered. After the daemon was stopped. */
static inline void mcp_hub_free(struct mcp_hub *hub)
{
    while (hub->newest != NULL) {
        struct mcp_session *session = hub->newest;
        hub->newest = session->older;
        free(session->stored);
        free(session);
    }
    while (hub->streams.oldest != NULL)
        mcp_drop_stream(&hub->streams, hub->streams.oldest);
    pthread_mutex_destroy(&hub->lock);
    pthread_cond_destroy(&hub->changed);
}

#endif
