/* Replays a transcript of HTTP exchanges. */
#ifndef REPLAY_HTTP_H
#define REPLAY_HTTP_H

#include "records.h"

struct seen {
    uint32_t status;
    int headers;
    char *name[MAX_FIELDS], *value[MAX_FIELDS];
    char *body;
    size_t len;
    int ended;
    struct mcpgraft_str session; /* the name of the request's, in the transcript */
};

/* The events that a host keeps, in the order they came. */
static struct {
    char *session, *stream, *data;
    size_t len;
    uint32_t number;
} events[MAX_FIELDS];
static int event_count;

static uint32_t last_event(struct mcpgraft_str session, struct mcpgraft_str stream)
{
    uint32_t last = 0;
    int i;
    for (i = 0; i < event_count; i++)
        if (is(session, events[i].session) && is(stream, events[i].stream))
            last = events[i].number;
    return last;
}

static void keep_event(struct mcpgraft_str session, const struct mcpgraft_event *event)
{
    if (event->kept.ptr == NULL)
        return;
    CHECK(event->number == last_event(session, event->stream) + 1);
    if (event_count == MAX_FIELDS)
        exit(3);
    events[event_count].session = text(session);
    events[event_count].stream = text(event->stream);
    events[event_count].data = text(event->kept);
    events[event_count].len = event->kept.len;
    events[event_count++].number = event->number;
}

static void take_http(void *where, const struct mcpgraft_event *event)
{
    struct seen *seen = where;
    size_t i;
    keep_event(seen->session, event);
    if (seen->ended) {
        /* The response was closed before its end: the rest is for whoever comes back. */
        CHECK(event->kept.ptr != NULL || event->send.len == 0);
        return;
    }
    if (event->status != 0) {
        CHECK(seen->status == 0 && event->header_count < MAX_FIELDS);
        seen->status = event->status;
        for (i = 0; i < event->header_count; i++) {
            seen->name[seen->headers] = text(event->headers[i].name);
            seen->value[seen->headers++] = text(event->headers[i].value);
        }
    }
    if (event->send.len > 0) {
        seen->body = realloc(seen->body, seen->len + event->send.len);
        memcpy(seen->body + seen->len, event->send.ptr, event->send.len);
        seen->len += event->send.len;
    }
    seen->ended |= event->end;
}

static int equal_names(const char *a, struct mcpgraft_str b)
{
    size_t i;
    for (i = 0; i < b.len; i++)
        if (((a[i] >= 'A' && a[i] <= 'Z') ? a[i] + 32 : a[i]) != b.ptr[i])
            return 0;
    return a[b.len] == 0;
}

/* What hosts remember of sessions, by the names of the transcript. */
static struct {
    char *name;
    char *data;
    size_t len;
} kept[MAX_ITEMS];
static int kept_count;

static void forget_sessions(void)
{
    while (event_count > 0) {
        free(events[--event_count].session);
        free(events[event_count].stream);
        free(events[event_count].data);
    }
    while (kept_count > 0) {
        free(kept[--kept_count].name);
        free(kept[kept_count].data);
    }
}

static struct mcpgraft_str session_of(struct mcpgraft_str name)
{
    struct mcpgraft_str stored = {NULL, 0};
    int i;
    for (i = 0; i < kept_count; i++)
        if (is(name, kept[i].name))
            stored.ptr = kept[i].data, stored.len = kept[i].len;
    CHECK(name.ptr == NULL || stored.ptr != NULL);
    return stored;
}

static void keep_session(struct mcpgraft_str name, struct mcpgraft_str stored)
{
    kept[kept_count].name = text(name);
    kept[kept_count].data = text(stored);
    kept[kept_count++].len = stored.len;
}

/* What the host learns besides the answer; `from` is where to look for the next notice. */
static void check_notice(const struct step *step, const struct mcpgraft_event *event, int *from)
{
    const struct mcpgraft_str *field;
    if (find(step, "notices") == NULL || (event->kind != MCPGRAFT_RESPONSE && event->kind != MCPGRAFT_CANCELLED))
        return;
    while (*from < step->count && !is(step->record[*from].field[0], "notice"))
        ++*from;
    if (!CHECK(*from < step->count))
        return;
    field = step->record[(*from)++].field;
    CHECK(is(field[1], event->kind == MCPGRAFT_RESPONSE ? "response" : "cancelled"));
    CHECK(same(field[2], event->id));
    if (event->kind == MCPGRAFT_RESPONSE)
        CHECK(event->ok == (field[3].ptr != NULL) && same(field[4], event->params));
}

/* Tells an open response what has changed. */
static void tell_listener(struct mcpgraft_peer *listener, struct mcpgraft_str stored, const struct step *step,
                          struct seen *seen)
{
    struct mcpgraft_event event = fresh();
    int i;
    for (i = 0; i < step->count; i++) {
        const struct mcpgraft_str *field = step->record[i].field;
        if (!is(field[0], "tell"))
            continue;
        if (is(field[1], "list_changed"))
            CALL(listener, mcpgraft_notify(listener, 0, list(field[2]), str(NULL), str(NULL), &event));
        else if (is(field[1], "updated"))
            CALL(listener, mcpgraft_notify(listener, 0, MCPGRAFT_NEWS_RESOURCE, field[2], stored, &event));
        else
            CALL(listener, mcpgraft_notify(listener, 0, MCPGRAFT_NEWS_END, str(NULL), str(NULL), &event));
        take_http(seen, &event);
    }
}

/* What a client gets that comes back for a stream. */
static void resume(struct mcpgraft_peer *peer, const struct mcpgraft_event *asked, const struct step *step, struct seen *seen)
{
    struct mcpgraft_event event = fresh();
    uint32_t last = last_event(seen->session, asked->stream), after = asked->number;
    int i;
    if (last == 0) {
        CALL(peer, mcpgraft_resume(peer, false, 0, &event));
        CHECK(event.end && event.status == 400);
        take_http(seen, &event);
        return;
    }
    for (i = 0; i < event_count; i++) {
        if (is(seen->session, events[i].session) && is(asked->stream, events[i].stream) && events[i].number > after) {
            event = fresh();
            event.send.ptr = events[i].data, event.send.len = events[i].len;
            take_http(seen, &event);
        }
    }
    CHECK(mcpgraft_resume(peer, true, last, &event) == MCPGRAFT_OK && event.kind == MCPGRAFT_LISTENING);
    {
        struct mcpgraft_peer *listener = event.listener;
        tell_listener(listener, session_of(seen->session), step, seen);
        mcpgraft_free(listener);
    }
    seen->ended = 1;
}

static void http(const struct mcpgraft_server *server, struct mcpgraft_peer **peer, const struct step *step, int listens)
{
    const struct record *sends = find(step, "request"), *wanted = find(step, "response"), *opens = find(step, "opens");
    const struct record *ends = find(step, "ends"), *in_session = find(step, "session"), *numbered = find(step, "events");
    struct mcpgraft_header headers[MAX_FIELDS];
    struct mcpgraft_request request;
    struct mcpgraft_event event = fresh();
    struct seen seen;
    struct mcpgraft_str body;
    struct mcpgraft_str stored = session_of(in_session == NULL ? str(NULL) : in_session->field[1]);
    int i, j, from = 0;
    memset(&request, 0, sizeof request);
    memset(&seen, 0, sizeof seen);
    request.struct_size = sizeof request;
    request.events = numbered == NULL ? str(NULL) : numbered->field[1];
    seen.session = in_session == NULL ? str(NULL) : in_session->field[1];
    request.method = sends->field[1];
    request.headers = headers;
    request.header_count = (size_t)(sends->count - 3) / 2;
    request.flags = MCPGRAFT_STREAMS | (listens ? MCPGRAFT_LISTENS : 0);
    for (i = 0; i < (int)request.header_count; i++) {
        headers[i].name = sends->field[3 + 2 * i];
        headers[i].value = sends->field[4 + 2 * i];
    }
    if (*peer == NULL) {
        CHECK(mcpgraft_exchange_new(server, peer) == MCPGRAFT_OK);
        if (lent)
            CHECK(mcpgraft_set_buffer(*peer, buffer, BUFFER) == MCPGRAFT_OK);
    }
    CALL(*peer, mcpgraft_exchange_begin(*peer, &request, &event));
    memset(headers, 0xff, sizeof headers);
    if (event.kind == MCPGRAFT_READ_BODY) {
        CALL(*peer, mcpgraft_exchange_accept(*peer, sends->field[2], stored, &event));
        CHECK((event.kind == MCPGRAFT_OPENED) >= (opens != NULL));
        CHECK((event.kind == MCPGRAFT_ENDED) == (ends != NULL));
        if (opens != NULL)
            keep_session(opens->field[1], event.stored);
        for (;;) {
            if (opens == NULL && event.stored.len > 0)
                keep_session(seen.session, event.stored);
            check_notice(step, &event, &from);
            if (event.kind == MCPGRAFT_CALL) {
                uint64_t key = event.key;
                check_call(step, &event);
                during(*peer, key, step, take_http, &seen);
                event = fresh();
                answer(*peer, key, step, &event);
            }
            if (event.kind == MCPGRAFT_RESUMING && last_event(seen.session, event.stream) == 0) {
                resume(*peer, &event, step, &seen);
                break;
            }
            take_http(&seen, &event);
            if (event.kind == MCPGRAFT_RESUMING)
                resume(*peer, &event, step, &seen);
            if (event.kind == MCPGRAFT_LISTENING) {
                struct mcpgraft_peer *listener = event.listener;
                CHECK(!event.end);
                tell_listener(listener, session_of(in_session == NULL ? str(NULL) : in_session->field[1]), step, &seen);
                seen.ended = 1;
                mcpgraft_free(listener);
            }
            if (!event.more)
                break;
            CHECK(mcpgraft_next(*peer, &event) == MCPGRAFT_OK);
        }
    } else {
        take_http(&seen, &event);
    }
    while (from < step->count)
        CHECK(!is(step->record[from++].field[0], "notice"));
    CHECK(seen.ended);
    CHECK(seen.status == (uint32_t)number(wanted->field[1], 0));
    body.ptr = seen.body;
    body.len = seen.len;
    if (!CHECK(same(body, wanted->field[2])))
        fprintf(stderr, "  sent   %.*s\n  wanted %.*s\n", (int)seen.len, seen.body, (int)wanted->field[2].len,
                wanted->field[2].ptr);
    for (i = 3; i + 1 < wanted->count; i += 2) {
        for (j = 0; j < seen.headers && !equal_names(seen.name[j], wanted->field[i]); j++)
            ;
        if (wanted->field[i + 1].ptr == NULL)
            CHECK(j == seen.headers);
        else if (CHECK(j < seen.headers))
            CHECK(is(wanted->field[i + 1], seen.value[j]));
    }
    for (i = 0; i < seen.headers; i++) {
        free(seen.name[i]);
        free(seen.value[i]);
    }
    free(seen.body);
}

#endif
