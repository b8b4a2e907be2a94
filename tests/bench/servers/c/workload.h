/* The workload of the benchmarks in C: what is offered, and the handlers, for any host. */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#define _POSIX_C_SOURCE 200809L

#include <mcpgraft.h>

#include <string.h>

/* Where the answer to a call goes. */
struct asked {
    struct mcpgraft_peer *peer;
    void (*emit)(void *where, const struct mcpgraft_event *event);
    void *where;
};

static inline struct mcpgraft_str str(const char *chars)
{
    struct mcpgraft_str view = {chars, strlen(chars)};
    return view;
}

/* Ends the program if a function of the library was not happy. */
void must(mcpgraft_status status, const void *handle);

/* The catalogue. */
struct mcpgraft_server *offer(void);

/* Answers a call. */
void run(struct asked *asked, const struct mcpgraft_event *event);

#endif
