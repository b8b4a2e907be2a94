/* One server, many threads: each with peers of its own while another one changes the catalogue; then two in one handle. */
#define _POSIX_C_SOURCE 200809L

#include "handles.h"

#include <pthread.h>

enum { THREADS = 8, ROUNDS = 2000 };

static int wrong[THREADS], busy[2], done[2];

static void *talk(void *where)
{
    int *errors = where, i;
    struct mcpgraft_peer *mine = NULL;
    struct mcpgraft_event event = fresh();
    *errors += mcpgraft_session_new(server, &mine) != MCPGRAFT_OK;
    *errors += mcpgraft_session_accept(mine, str(INITIALIZE), &event) != MCPGRAFT_OK;
    for (i = 0; i < ROUNDS; i++) {
        *errors += mcpgraft_session_accept(mine, str(CALL("2")), &event) != MCPGRAFT_OK || event.kind != MCPGRAFT_CALL;
        *errors += mcpgraft_reply(mine, event.key, str("{\"content\":[]}"), &event) != MCPGRAFT_OK || event.send.len == 0;
        *errors += mcpgraft_session_accept(mine, str("{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/list\"}"), &event) !=
                       MCPGRAFT_OK || event.send.len == 0;
    }
    *errors += mcpgraft_free(mine) != MCPGRAFT_OK;
    return NULL;
}

static void *change(void *where)
{
    int i;
    (void)where;
    for (i = 0; i < ROUNDS; i++) {
        mcpgraft_server_put(server, MCPGRAFT_TOOL, str("{\"name\":\"passing\",\"inputSchema\":{\"type\":\"object\"}}"));
        mcpgraft_server_remove(server, MCPGRAFT_TOOL, str("passing"));
    }
    return NULL;
}

/* Both threads in one handle: a mistake, which is told and does no harm. */
static void *share(void *where)
{
    int me = where == NULL ? 0 : 1, i;
    for (i = 0; i < ROUNDS; i++) {
        struct mcpgraft_event event = fresh();
        mcpgraft_status status = mcpgraft_notify(session, 0, MCPGRAFT_NEWS_OWN, str("x/y"), str("{\"text\":\"a longer text, to stay a while\"}"), &event);
        busy[me] += status == MCPGRAFT_BUSY;
        done[me] += status == MCPGRAFT_OK;
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS + 1];
    struct mcpgraft_event event = fresh();
    int i;
    make();
    for (i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, talk, &wrong[i]) == 0);
    CHECK(pthread_create(&threads[THREADS], NULL, change, NULL) == 0);
    for (i = 0; i <= THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    for (i = 0; i < THREADS; i++)
        CHECK(wrong[i] == 0);
    CHECK(mcpgraft_session_accept(session, str(INITIALIZE), &event) == MCPGRAFT_OK);
    CHECK(mcpgraft_session_accept(session, str("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"), &event) ==
          MCPGRAFT_OK);
    for (i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], NULL, share, i == 0 ? NULL : &busy) == 0);
    for (i = 0; i < 2; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    for (i = 0; i < 2; i++)
        CHECK(busy[i] + done[i] == ROUNDS);
    CHECK(done[0] + done[1] > 0);
    end();
    return summary("threads");
}
