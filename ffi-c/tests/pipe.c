/* The pipe of the examples (mcp_pipe.h): nothing is lost on the way, nobody waits for who has gone, and a full one says so. */
#include "check.h"

#include <mcp_pipe.h>

enum { TOTAL = 1 << 20 };

static char byte_at(size_t at)
{
    return (char)(at * 31 + (at >> 8));
}

/* Writes so many bytes, in pieces of all lengths, and closes the pipe. */
static void *write_all(void *where)
{
    struct mcp_pipe *pipe = where;
    char piece[5000];
    size_t at = 0, i, len = 1;
    while (at < TOTAL) {
        len = len * 7 % sizeof piece + 1;
        if (len > TOTAL - at)
            len = TOTAL - at;
        for (i = 0; i < len; i++)
            piece[i] = byte_at(at + i);
        if (!mcp_pipe_write(pipe, piece, len, 1))
            break;
        at += len;
    }
    mcp_pipe_end(pipe);
    return NULL;
}

static void *close_it(void *where)
{
    struct mcp_pipe *pipe = where;
    mcp_pipe_close(pipe, &pipe->unread);
    return NULL;
}

static void everything_arrives_in_order(size_t most)
{
    struct mcp_pipe *pipe = mcp_pipe_new();
    char piece[9000];
    size_t at = 0, i, count, wrong = 0;
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, write_all, pipe) == 0);
    while ((count = mcp_pipe_read(pipe, piece, most)) > 0) {
        for (i = 0; i < count; i++)
            wrong += piece[i] != byte_at(at + i);
        at += count;
    }
    CHECK(at == TOTAL);
    CHECK(wrong == 0);
    pthread_join(thread, NULL);
    mcp_pipe_close(pipe, &pipe->unread);
}

static void a_full_one_says_so(void)
{
    struct mcp_pipe *pipe = mcp_pipe_new();
    static char data[MCP_PIPE_BYTES + 1];
    CHECK(mcp_pipe_write(pipe, data, MCP_PIPE_BYTES - 1, 0));
    CHECK(!mcp_pipe_write(pipe, data, 2, 0));
    CHECK(mcp_pipe_write(pipe, "x", 1, 0));
    CHECK(!mcp_pipe_write(pipe, data, 1, 0));
    CHECK(mcp_pipe_read(pipe, data, 10) == 10);
    CHECK(mcp_pipe_write(pipe, "0123456789", 10, 0));
    mcp_pipe_end(pipe); /* what is there is read all the same */
    CHECK(mcp_pipe_read(pipe, data, sizeof data) == MCP_PIPE_BYTES);
    CHECK(memcmp(data + MCP_PIPE_BYTES - 11, "x0123456789", 11) == 0);
    CHECK(mcp_pipe_read(pipe, data, sizeof data) == 0);
    mcp_pipe_close(pipe, &pipe->unread);
}

static void a_piece_alone_may_be_longer(void)
{
    struct mcp_pipe *pipe = mcp_pipe_new();
    static char data[2 * MCP_PIPE_BYTES];
    CHECK(!mcp_pipe_write(pipe, data, sizeof data, 0));
    CHECK(mcp_pipe_write(pipe, data, sizeof data, 1));
    CHECK(mcp_pipe_read(pipe, data, sizeof data) == sizeof data);
    mcp_pipe_end(pipe);
    mcp_pipe_close(pipe, &pipe->unread);
}

static void nobody_waits_for_a_reader_that_has_gone(void)
{
    struct mcp_pipe *pipe = mcp_pipe_new();
    static char data[MCP_PIPE_BYTES];
    pthread_t thread;
    CHECK(mcp_pipe_write(pipe, data, sizeof data, 0));
    CHECK(pthread_create(&thread, NULL, close_it, pipe) == 0);
    CHECK(!mcp_pipe_write(pipe, data, 1, 1)); /* waits until then */
    pthread_join(thread, NULL);
    CHECK(!mcp_pipe_write(pipe, data, 1, 0));
    mcp_pipe_end(pipe);
    mcp_pipe_end(NULL);
}

int main(void)
{
    everything_arrives_in_order(9000);
    everything_arrives_in_order(61);
    a_full_one_says_so();
    a_piece_alone_may_be_longer();
    nobody_waits_for_a_reader_that_has_gone();
    return summary("pipe");
}
