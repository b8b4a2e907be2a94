/* A pipe between two threads of one process, without the system: what is written to it is the stream of a response, which the
 * thread of its connection reads. Idle, it holds no memory but its own. Include it with mcp_microhttpd.h. */
#ifndef MCP_PIPE_H
#define MCP_PIPE_H

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* Most bytes that wait in it to be read. */
enum { MCP_PIPE_BYTES = 65536 };

struct mcp_pipe {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char *data;
    size_t room, at, len; /* of `data`: its size, and what is unread */
    int written;          /* its writer has closed it: what is there is the last */
    int unread;           /* its reader has closed it */
};

/* A pipe with both ends; NULL: no memory is left. */
static inline struct mcp_pipe *mcp_pipe_new(void)
{
    struct mcp_pipe *pipe = calloc(1, sizeof *pipe);
    if (pipe == NULL)
        return NULL;
    pthread_mutex_init(&pipe->lock, NULL);
    pthread_cond_init(&pipe->changed, NULL);
    return pipe;
}

/* Closes one end (`end`: its `written` or `unread`), and frees what neither has any more. */
static inline void mcp_pipe_close(struct mcp_pipe *pipe, int *end)
{
    int both;
    pthread_mutex_lock(&pipe->lock);
    *end = 1;
    both = pipe->written && pipe->unread;
    pthread_cond_broadcast(&pipe->changed);
    pthread_mutex_unlock(&pipe->lock);
    if (!both)
        return;
    pthread_cond_destroy(&pipe->changed);
    pthread_mutex_destroy(&pipe->lock);
    free(pipe->data);
    free(pipe);
}

/* Nothing more is written. NULL: there is none. */
static inline void mcp_pipe_end(struct mcp_pipe *pipe)
{
    if (pipe != NULL)
        mcp_pipe_close(pipe, &pipe->written);
}

/* Makes room for so much; 0: no memory is left. Under the lock. */
static inline int mcp_pipe_fits(struct mcp_pipe *pipe, size_t len)
{
    if (pipe->at + pipe->len + len <= pipe->room)
        return 1;
    if (pipe->at > 0)
        memmove(pipe->data, pipe->data + pipe->at, pipe->len);
    pipe->at = 0;
    if (pipe->len + len > pipe->room) {
        /* Most have one event at a time. */
        size_t room = pipe->len > 0 ? 2 * (pipe->len + len) : len;
        char *data = realloc(pipe->data, room);
        if (data == NULL)
            return 0;
        pipe->data = data;
        pipe->room = room;
    }
    return 1;
}

/* Writes all, or nothing: 0. Nothing, because nobody reads any more, or because it does not fit. With `waits` it waits until
 * everything was read that was there before. */
static inline int mcp_pipe_write(struct mcp_pipe *pipe, const char *data, size_t len, int waits)
{
    int done = 0;
    pthread_mutex_lock(&pipe->lock);
    while (waits && !pipe->unread && pipe->len > 0 && pipe->len + len > MCP_PIPE_BYTES)
        pthread_cond_wait(&pipe->changed, &pipe->lock);
    /* A piece that waits may be of any length, alone. */
    if (!pipe->unread && (pipe->len + len <= MCP_PIPE_BYTES || waits))
        done = mcp_pipe_fits(pipe, len);
    if (done) {
        memcpy(pipe->data + pipe->at + pipe->len, data, len);
        pipe->len += len;
        pthread_cond_broadcast(&pipe->changed);
    }
    pthread_mutex_unlock(&pipe->lock);
    return done;
}

/* Waits until there is something, and reads at most so much of it. 0: everything was read, and its writer has closed it. */
static inline size_t mcp_pipe_read(struct mcp_pipe *pipe, char *data, size_t len)
{
    pthread_mutex_lock(&pipe->lock);
    while (pipe->len == 0 && !pipe->written)
        pthread_cond_wait(&pipe->changed, &pipe->lock);
    if (len > pipe->len)
        len = pipe->len;
    if (len > 0) {
        memcpy(data, pipe->data + pipe->at, len);
        pipe->at += len;
        pipe->len -= len;
        if (pipe->len == 0) {
            free(pipe->data);
            pipe->data = NULL;
            pipe->room = pipe->at = 0;
            pthread_cond_broadcast(&pipe->changed);
        }
    }
    pthread_mutex_unlock(&pipe->lock);
    return len;
}

#endif
