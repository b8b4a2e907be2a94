/* One thread, one epoll, any number of connections, each a session over TCP: a message a line.
 *
 *     epoll_server PORT        then: nc 127.0.0.1 PORT
 *
 * Slow work is put off instead of waited for: the tool `later` keeps the call's key and answers at the next tick of a timer, while
 * the loop serves the others. */
#define _GNU_SOURCE
#include <mcpgraft.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { EVENTS = 256, TICK_MS = 20, MAX_UNSENT = 1 << 20, MAX_WAITING = 64 };

/* A connection. Bytes that could not be sent at once wait in `unsent`. */
struct client {
    int socket, gone;
    struct mcpgraft_peer *session;
    struct mcpgraft_lines *lines;
    char *unsent;
    size_t len, room;
    uint64_t waiting[MAX_WAITING]; /* calls that are answered at the next tick */
    size_t waiting_count;
    struct client *next; /* in the list of those that wait for a tick */
    int listed;
};

static int loop;
static struct client *due;

static struct mcpgraft_str str(const char *text)
{
    struct mcpgraft_str view;
    view.ptr = text;
    view.len = strlen(text);
    return view;
}

static void watch(struct client *client, uint32_t events, int operation)
{
    struct epoll_event event;
    memset(&event, 0, sizeof event);
    event.events = events;
    event.data.ptr = client;
    epoll_ctl(loop, operation, client->socket, &event);
}

/* Sends what it can, keeps the rest. A client that does not read loses its connection. */
static void put(struct client *client, const char *data, size_t len)
{
    if (client->len == 0) {
        ssize_t done = send(client->socket, data, len, MSG_NOSIGNAL);
        if (done < 0 && errno != EAGAIN) {
            client->gone = 1;
            return;
        }
        data += done < 0 ? 0 : done;
        len -= done < 0 ? 0 : (size_t)done;
    }
    if (len == 0)
        return;
    if (client->len + len > client->room) {
        size_t room = 2 * (client->len + len);
        char *unsent = client->len + len > MAX_UNSENT ? NULL : realloc(client->unsent, room);
        if (unsent == NULL) {
            client->gone = 1;
            return;
        }
        client->unsent = unsent;
        client->room = room;
    }
    if (client->len == 0)
        watch(client, EPOLLIN | EPOLLOUT | EPOLLRDHUP, EPOLL_CTL_MOD);
    memcpy(client->unsent + client->len, data, len);
    client->len += len;
}

static void flush(struct client *client)
{
    ssize_t done = send(client->socket, client->unsent, client->len, MSG_NOSIGNAL);
    if (done < 0) {
        client->gone |= errno != EAGAIN;
        return;
    }
    client->len -= (size_t)done;
    memmove(client->unsent, client->unsent + done, client->len);
    if (client->len == 0)
        watch(client, EPOLLIN | EPOLLRDHUP, EPOLL_CTL_MOD);
}

static void emit(struct client *client, const struct mcpgraft_event *event)
{
    if (event->send.len > 0) {
        put(client, event->send.ptr, event->send.len);
        put(client, "\n", 1);
    }
}

static void reply(struct client *client, uint64_t key, const char *result)
{
    struct mcpgraft_event event;
    event.struct_size = sizeof event;
    if (mcpgraft_reply(client->session, key, str(result), &event) == MCPGRAFT_OK)
        emit(client, &event);
}

static void run(struct client *client, const struct mcpgraft_event *call)
{
    /* A batch waits for its answers one by one: those are given at once. */
    if (call->name.len == 5 && memcmp(call->name.ptr, "later", 5) == 0 && !call->more && client->waiting_count < MAX_WAITING) {
        client->waiting[client->waiting_count++] = call->key;
        if (!client->listed) {
            client->listed = 1;
            client->next = due;
            due = client;
        }
        return;
    }
    reply(client, call->key, "{\"content\":[{\"type\":\"text\",\"text\":\"now\"}]}");
}

static void handle(struct client *client, struct mcpgraft_str message)
{
    struct mcpgraft_event event;
    mcpgraft_status status;
    int more;
    event.struct_size = sizeof event;
    status = mcpgraft_session_accept(client->session, message, &event);
    while (status == MCPGRAFT_OK) {
        emit(client, &event);
        more = event.more;
        if (event.kind == MCPGRAFT_CALL)
            run(client, &event);
        if (!more)
            return;
        status = mcpgraft_next(client->session, &event);
    }
    client->gone = 1;
}

static void receive(struct client *client)
{
    static char data[65536];
    ssize_t count = recv(client->socket, data, sizeof data, 0);
    struct mcpgraft_str rest, line;
    mcpgraft_frame frame;
    size_t used;
    if (count <= 0) {
        client->gone |= count == 0 || errno != EAGAIN;
        return;
    }
    rest.ptr = data;
    rest.len = (size_t)count;
    while (mcpgraft_lines_next(client->lines, rest, &used, &frame, &line) == MCPGRAFT_OK && frame != MCPGRAFT_NO_LINE) {
        rest.ptr += used;
        rest.len -= used;
        handle(client, line); /* one that was too long is absent, which the client is told */
    }
}

static void drop(struct client *client)
{
    struct client **at;
    for (at = &due; *at != NULL && *at != client; at = &(*at)->next)
        ;
    if (*at != NULL)
        *at = client->next;
    close(client->socket);
    mcpgraft_free(client->session);
    mcpgraft_free(client->lines);
    free(client->unsent);
    free(client);
}

static void take(int listener, const struct mcpgraft_server *server)
{
    int taken;
    while ((taken = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct client *client = calloc(1, sizeof *client);
        if (client == NULL || mcpgraft_session_new(server, &client->session) != MCPGRAFT_OK ||
            mcpgraft_lines_new(0, &client->lines) != MCPGRAFT_OK) {
            if (client != NULL)
                mcpgraft_free(client->session);
            free(client);
            close(taken);
            continue;
        }
        client->socket = taken;
        watch(client, EPOLLIN | EPOLLRDHUP, EPOLL_CTL_ADD);
    }
}

static void tick(int timer)
{
    uint64_t times;
    struct client *client = due;
    size_t i;
    if (read(timer, &times, sizeof times) < 0)
        return;
    due = NULL;
    while (client != NULL) {
        struct client *next = client->next;
        client->listed = 0;
        for (i = 0; i < client->waiting_count; i++)
            reply(client, client->waiting[i], "{\"content\":[{\"type\":\"text\",\"text\":\"later\"}]}");
        client->waiting_count = 0;
        client = next;
    }
}

static volatile sig_atomic_t ended;

static void stop(int number)
{
    (void)number;
    ended = 1;
}

int main(int argc, char **argv)
{
    static struct client listener, timer;
    struct mcpgraft_server *server = NULL;
    struct sockaddr_in address;
    struct itimerspec period = {{0, TICK_MS * 1000000L}, {0, TICK_MS * 1000000L}};
    struct sigaction action;
    int on = 1;
    if (argc != 2)
        return 2;
    if (mcpgraft_server_new(&server) != MCPGRAFT_OK ||
        mcpgraft_server_set(server, str("info"), str("{\"name\":\"epoll\",\"version\":\"1.0\"}")) != MCPGRAFT_OK ||
        mcpgraft_server_put(server, MCPGRAFT_TOOL, str("{\"name\":\"now\",\"inputSchema\":{\"type\":\"object\"}}")) != MCPGRAFT_OK ||
        mcpgraft_server_put(server, MCPGRAFT_TOOL, str("{\"name\":\"later\",\"inputSchema\":{\"type\":\"object\"}}")) != MCPGRAFT_OK)
        return 1;
    memset(&action, 0, sizeof action);
    action.sa_handler = stop;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)atoi(argv[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    loop = epoll_create1(0);
    listener.socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener.socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener.socket, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener.socket, 1024) != 0)
        return 1;
    timer.socket = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    timerfd_settime(timer.socket, 0, &period, NULL);
    watch(&listener, EPOLLIN, EPOLL_CTL_ADD);
    watch(&timer, EPOLLIN, EPOLL_CTL_ADD);
    while (!ended) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(loop, events, EVENTS, -1), i;
        for (i = 0; i < count; i++) {
            struct client *client = events[i].data.ptr;
            if (client == &listener) {
                take(listener.socket, server);
            } else if (client == &timer) {
                tick(timer.socket);
            } else {
                if (events[i].events & EPOLLIN)
                    receive(client);
                if (!client->gone && (events[i].events & EPOLLOUT))
                    flush(client);
                if (client->gone || (events[i].events & (EPOLLHUP | EPOLLERR)))
                    drop(client);
            }
        }
    }
    mcpgraft_free(server);
    close(timer.socket);
    close(listener.socket);
    close(loop);
    return 0;
}
