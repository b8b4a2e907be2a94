/* Events that are kept for clients that come back: by session and stream, in memory. mcp_hub.h holds the list and its lock. */
#ifndef MCP_EVENTS_H
#define MCP_EVENTS_H

#include "mcp_pipe.h"

#include <mcpgraft.h>

#include <stdlib.h>
#include <string.h>

/* Most streams that are remembered, the oldest is forgotten first; and most bytes of one, so that all fit into a pipe at once. */
enum { MCP_STREAMS = 1000, MCP_STREAM_BYTES = 48 * 1024, MCP_NAME = 32 };

/* Lists of streams: one is found by its name, which is random, without a look at most others. */
enum { MCP_STREAM_LISTS = 256 };

struct mcp_kept {
    uint32_t number;
    char *data;
    size_t len;
    struct mcp_kept *next;
};

struct mcp_stream {
    char session[MCP_NAME + 1], name[MCP_NAME + 1];
    int standing;     /* the stream of a session, and of no call */
    int over;         /* its call was answered */
    uint32_t last;    /* the number of its last event */
    uint32_t dropped; /* the number of the last one that is not kept any more */
    struct mcp_pipe *pipe; /* to a client that came back, or NULL */
    size_t bytes;
    struct mcp_kept *first, **end;
    struct mcp_stream *next; /* in its list */
    struct mcp_stream *older, *newer;
};

/* All of a hub. */
struct mcp_streams {
    struct mcp_stream *lists[MCP_STREAM_LISTS], *oldest, *newest;
    size_t count;
};

static inline void mcp_drop_first(struct mcp_stream *stream)
{
    struct mcp_kept *kept = stream->first;
    stream->first = kept->next;
    if (stream->first == NULL)
        stream->end = &stream->first;
    stream->dropped = kept->number;
    stream->bytes -= kept->len;
    free(kept->data);
    free(kept);
}

static inline struct mcp_stream **mcp_stream_list(struct mcp_streams *streams, struct mcpgraft_str name)
{
    unsigned list = 0;
    size_t i;
    for (i = 0; i < name.len && i < 4; i++)
        list = 31 * list + (unsigned char)name.ptr[i];
    return &streams->lists[list % MCP_STREAM_LISTS];
}

static inline void mcp_drop_stream(struct mcp_streams *streams, struct mcp_stream *stream)
{
    struct mcpgraft_str name = {stream->name, strlen(stream->name)};
    struct mcp_stream **at = mcp_stream_list(streams, name);
    while (*at != stream)
        at = &(*at)->next;
    *at = stream->next;
    *(stream->older != NULL ? &stream->older->newer : &streams->oldest) = stream->newer;
    *(stream->newer != NULL ? &stream->newer->older : &streams->newest) = stream->older;
    streams->count--;
    while (stream->first != NULL)
        mcp_drop_first(stream);
    mcp_pipe_end(stream->pipe);
    free(stream);
}

/* The stream of a session by its name; NULL: it is not remembered. */
static inline struct mcp_stream *mcp_find_stream(struct mcp_streams *streams, const char *session, struct mcpgraft_str name)
{
    struct mcp_stream *stream = *mcp_stream_list(streams, name);
    while (stream != NULL && (strcmp(stream->session, session) != 0 || strlen(stream->name) != name.len ||
                              memcmp(stream->name, name.ptr, name.len) != 0))
        stream = stream->next;
    return stream;
}

/* A stream begins. */
static inline void mcp_begin_stream(struct mcp_streams *streams, const char *session, struct mcpgraft_str name, int standing)
{
    struct mcp_stream *stream = calloc(1, sizeof *stream), **list = mcp_stream_list(streams, name);
    if (stream == NULL || name.len > MCP_NAME)
        abort();
    memcpy(stream->session, session, strlen(session));
    memcpy(stream->name, name.ptr, name.len);
    stream->standing = standing;
    stream->end = &stream->first;
    stream->next = *list;
    *list = stream;
    stream->older = streams->newest;
    *(streams->newest != NULL ? &streams->newest->newer : &streams->oldest) = stream;
    streams->newest = stream;
    if (++streams->count > MCP_STREAMS)
        mcp_drop_stream(streams, streams->oldest);
}

/* Keeps what `event` says is to be kept, and sends it to a client that came back and waits for it. */
static inline void mcp_keep_event(struct mcp_stream *stream, const struct mcpgraft_event *event)
{
    struct mcp_kept *kept = malloc(sizeof *kept);
    if (kept == NULL || (kept->data = malloc(event->kept.len)) == NULL)
        abort();
    memcpy(kept->data, event->kept.ptr, event->kept.len);
    kept->len = event->kept.len;
    kept->number = event->number;
    kept->next = NULL;
    *stream->end = kept;
    stream->end = &kept->next;
    stream->last = kept->number;
    stream->bytes += kept->len;
    while (stream->bytes > MCP_STREAM_BYTES)
        mcp_drop_first(stream);
    if (stream->pipe != NULL && !mcp_pipe_write(stream->pipe, event->kept.ptr, event->kept.len, 0)) {
        mcp_pipe_end(stream->pipe);
        stream->pipe = NULL;
    }
}

/* Writes what is kept after event `after` to a pipe that is empty. */
static inline void mcp_replay(const struct mcp_stream *stream, uint32_t after, struct mcp_pipe *pipe)
{
    const struct mcp_kept *kept;
    for (kept = stream->first; kept != NULL; kept = kept->next)
        if (kept->number > after && !mcp_pipe_write(pipe, kept->data, kept->len, 0))
            return;
}

/* The call of a stream was answered. */
static inline void mcp_end_stream(struct mcp_stream *stream)
{
    stream->over = 1;
    mcp_pipe_end(stream->pipe);
    stream->pipe = NULL;
}

#endif
