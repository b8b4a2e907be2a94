/* What the replays of transcripts share: records, as transcripts.py writes them, and what a handler does. */
#ifndef RECORDS_H
#define RECORDS_H

#include "check.h"

#include <math.h>

enum { MAX_FIELDS = 128, MAX_ITEMS = 64, BUFFER = 1 << 21 };

struct record {
    int count;
    struct mcpgraft_str field[MAX_FIELDS];
};

/* A step: the records between "step" and "end". */
struct step {
    int count;
    struct record record[MAX_ITEMS];
};

/* What was sent, one item for each message. */
struct sent {
    int count;
    char *text[MAX_ITEMS];
    size_t len[MAX_ITEMS];
};

static char *buffer;
static int lent, tight;
static const char *at, *end;

static int same(struct mcpgraft_str a, struct mcpgraft_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static char *text(struct mcpgraft_str view)
{
    char *copy = malloc(view.len + 1);
    if (view.len > 0)
        memcpy(copy, view.ptr, view.len);
    copy[view.len] = 0;
    return copy;
}

static double number(struct mcpgraft_str view, double absent)
{
    char *copy = text(view);
    double value = view.ptr == NULL ? absent : strtod(copy, NULL);
    free(copy);
    return value;
}

static int read_int(void)
{
    const unsigned char *bytes = (const unsigned char *)at;
    unsigned value = bytes[0] | (unsigned)bytes[1] << 8 | (unsigned)bytes[2] << 16 | (unsigned)bytes[3] << 24;
    at += 4;
    return (int)value;
}

static struct record read_record(void)
{
    struct record record;
    int i;
    record.count = read_int();
    if (record.count > MAX_FIELDS)
        exit(3);
    for (i = 0; i < record.count; i++) {
        int len = read_int();
        record.field[i].ptr = len < 0 ? NULL : at;
        record.field[i].len = len < 0 ? 0 : (size_t)len;
        at += len < 0 ? 0 : len;
    }
    return record;
}

static const struct record *find(const struct step *step, const char *name)
{
    int i;
    for (i = 0; i < step->count; i++)
        if (is(step->record[i].field[0], name))
            return &step->record[i];
    return NULL;
}

/* Several messages at once come as lines. */
static void keep(struct sent *sent, struct mcpgraft_str view)
{
    while (view.len > 0) {
        const char *newline = memchr(view.ptr, '\n', view.len);
        struct mcpgraft_str line = view;
        if (newline != NULL)
            line.len = (size_t)(newline - view.ptr);
        if (sent->count == MAX_ITEMS)
            exit(3);
        sent->text[sent->count] = text(line);
        sent->len[sent->count++] = line.len;
        view.ptr += line.len + (newline != NULL);
        view.len -= line.len + (newline != NULL);
    }
}

static void forget(struct sent *sent)
{
    while (sent->count > 0)
        free(sent->text[--sent->count]);
}

/* Runs a call that writes; see `tight`. */
#define CALL(peer, what)                                                                                               \
    do {                                                                                                               \
        if (tight) {                                                                                                   \
            char one[1];                                                                                               \
            mcpgraft_status full;                                                                                      \
            CHECK(mcpgraft_set_buffer(peer, one, sizeof one) == MCPGRAFT_OK);                                          \
            full = (what);                                                                                             \
            CHECK(mcpgraft_set_buffer(peer, NULL, 0) == MCPGRAFT_OK);                                                  \
            if (full == MCPGRAFT_OK)                                                                                   \
                break;                                                                                                 \
            CHECK(full == MCPGRAFT_OUTPUT_FULL);                                                                       \
        }                                                                                                              \
        CHECK((what) == MCPGRAFT_OK);                                                                                  \
    } while (0)

static uint32_t failure(struct mcpgraft_str name)
{
    static const char *const names[] = {"tool", "not_found", "invalid_params", "method_not_found", "internal",
                                        "missing_capability", "custom"};
    uint32_t i;
    for (i = 0; i < 7; i++)
        if (is(name, names[i]))
            return i;
    exit(3);
}

static int32_t level(struct mcpgraft_str name)
{
    static const char *const names[] = {"debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"};
    int32_t i;
    for (i = 0; i < 8; i++)
        if (is(name, names[i]))
            return i;
    exit(3);
}

static void answer(struct mcpgraft_peer *peer, uint64_t key, const struct step *step, struct mcpgraft_event *event)
{
    const struct record *reply = find(step, "reply"), *fail = find(step, "fail"), *require = find(step, "require");
    if (require != NULL) {
        CALL(peer, mcpgraft_require_input(peer, key, require->field[1], require->field[2], event));
    } else if (fail != NULL) {
        int32_t code = (int32_t)number(fail->field[3], 0);
        CALL(peer, mcpgraft_fail(peer, key, failure(fail->field[1]), fail->field[2], code, fail->field[4], event));
    } else if (CHECK(reply != NULL)) {
        CALL(peer, mcpgraft_reply(peer, key, reply->field[1], event));
    }
}

/* What the transcript says of a call. */
static void check_call(const struct step *step, const struct mcpgraft_event *event)
{
    static const char *const kinds[] = {"", "tool", "resource", "prompt", "completion", "list", "custom",
                                        "task", "task", "task", "task", "task"};
    const struct record *call = find(step, "call");
    if (!CHECK(call != NULL))
        return;
    CHECK(is(call->field[1], kinds[event->target]));
    CHECK(event->target == MCPGRAFT_LIST_TASKS ? event->name.ptr == NULL : same(call->field[2], event->name));
    CHECK(call->field[3].ptr == NULL || same(call->field[3], event->arguments));
    CHECK(call->field[4].ptr == NULL || same(call->field[4], event->entry));
    CHECK(call->field[5].ptr == NULL || same(call->field[5], event->variables));
    CHECK(call->field[6].ptr == NULL || same(call->field[6], event->input_responses));
    CHECK(call->field[7].ptr == NULL || same(call->field[7], event->request_state));
}

/* Whether the client can be asked, which has to be what the transcript says (`unable`). */
static int able(struct mcpgraft_peer *peer, uint64_t key, struct mcpgraft_str method, struct mcpgraft_str params,
                struct mcpgraft_str unable)
{
    static const char *const names[] = {"", "capability", "revision", "wrong"};
    mcpgraft_verdict verdict = MCPGRAFT_CAN_ASK;
    struct mcpgraft_str why;
    CHECK(mcpgraft_can_ask(peer, key, method, params, &verdict, &why) == MCPGRAFT_OK);
    CHECK(unable.ptr == NULL ? verdict == MCPGRAFT_CAN_ASK : is(unable, names[verdict]));
    CHECK((verdict == MCPGRAFT_CAN_ASK) == (why.len == 0));
    return verdict == MCPGRAFT_CAN_ASK;
}

/* The number of a list by its name on the wire. */
static uint32_t list(struct mcpgraft_str name)
{
    return is(name, "tools") ? MCPGRAFT_TOOL : is(name, "resources") ? MCPGRAFT_RESOURCE : MCPGRAFT_PROMPT;
}

typedef void taker(void *where, const struct mcpgraft_event *event);

/* Sends what a handler sends before it answers. */
static void during(struct mcpgraft_peer *peer, uint64_t key, const struct step *step, taker *take, void *where)
{
    struct mcpgraft_event event = fresh();
    int i;
    for (i = 0; i < step->count; i++) {
        const struct mcpgraft_str *field = step->record[i].field;
        if (is(field[0], "log"))
            CALL(peer, mcpgraft_log(peer, key, level(field[1]), field[2], field[3], &event));
        else if (is(field[0], "progress"))
            CALL(peer, mcpgraft_progress(peer, key, str(NULL), number(field[1], NAN), number(field[2], NAN), field[3], &event));
        else if (is(field[0], "open_stream"))
            CALL(peer, mcpgraft_stream(peer, key, MCPGRAFT_STREAM_OPENS, 0, &event));
        else if (is(field[0], "close_stream"))
            CALL(peer, mcpgraft_stream(peer, key, MCPGRAFT_STREAM_CLOSES, (uint32_t)number(field[1], 0), &event));
        else if (!is(field[0], "question"))
            continue;
        else if (able(peer, key, field[2], field[3], field[4]) && field[5].ptr == NULL)
            CALL(peer, mcpgraft_ask(peer, key, field[1], field[2], field[3], &event));
        else {
            CHECK(mcpgraft_ask(peer, key, field[1], field[2], field[3], &event) == MCPGRAFT_NOT_ALLOWED);
            continue;
        }
        take(where, &event);
    }
}

static void take_sent(void *where, const struct mcpgraft_event *event)
{
    keep(where, event->send);
}

#endif
