/* Replays a transcript of one duplex channel. */
#ifndef REPLAY_DUPLEX_H
#define REPLAY_DUPLEX_H

#include "records.h"

static struct {
    char *name;
    uint64_t key;
} open_calls[MAX_ITEMS];
static int open_count;

static struct {
    char *name, *value;
} saved[MAX_ITEMS];
static int saved_count;

static struct {
    char *name;
    uint32_t ask;
} asked[MAX_ITEMS];
static int asked_count;

static void forget_names(void)
{
    while (asked_count > 0)
        free(asked[--asked_count].name);
    while (open_count > 0)
        free(open_calls[--open_count].name);
    while (saved_count > 0) {
        free(saved[--saved_count].name);
        free(saved[saved_count].value);
    }
}

/* The message with every {name} replaced by what was saved under it. */
static struct mcpgraft_str filled(struct mcpgraft_str message)
{
    int i;
    for (i = 0; i < saved_count; i++) {
        size_t name = strlen(saved[i].name), value = strlen(saved[i].value), j;
        for (j = 0; j + name + 2 <= message.len; j++) {
            if (message.ptr[j] == '{' && memcmp(message.ptr + j + 1, saved[i].name, name) == 0 &&
                message.ptr[j + 1 + name] == '}') {
                static char made[1 << 16];
                memcpy(made, message.ptr, j);
                memcpy(made + j, saved[i].value, value);
                memcpy(made + j + value, message.ptr + j + name + 2, message.len - j - name - 2);
                message.ptr = made;
                message.len = message.len - name - 2 + value;
                return message;
            }
        }
    }
    return message;
}

static void save_cursor(const char *message, size_t len, struct mcpgraft_str name)
{
    struct mcpgraft_str json = {message, len}, result, cursor;
    CHECK(mcpgraft_json_get(json, str("result"), &result) == MCPGRAFT_OK);
    if (CHECK(mcpgraft_json_get(result, str("nextCursor"), &cursor) == MCPGRAFT_OK)) {
        size_t used = 0;
        char *value = calloc(1, cursor.len + 1);
        CHECK(mcpgraft_json_text(cursor, value, cursor.len, &used) == MCPGRAFT_OK);
        saved[saved_count].name = text(name);
        saved[saved_count++].value = value;
    }
}

static uint64_t open_call(struct mcpgraft_str name)
{
    int i;
    for (i = open_count - 1; i >= 0; i--)
        if (is(name, open_calls[i].name))
            return open_calls[i].key;
    CHECK(!"an open call");
    return 0;
}

static uint32_t question(struct mcpgraft_str name)
{
    int i;
    for (i = asked_count - 1; i >= 0; i--)
        if (is(name, asked[i].name))
            return asked[i].ask;
    CHECK(!"a question that was asked");
    return 0;
}

/* Sends the questions of a call. */
static void ask_all(struct mcpgraft_peer *peer, uint64_t key, const struct step *step, struct sent *sent)
{
    struct mcpgraft_event event = fresh();
    int i;
    for (i = 0; i < step->count; i++) {
        const struct mcpgraft_str *field = step->record[i].field;
        if (!is(field[0], "ask"))
            continue;
        if (!able(peer, key, field[2], field[3], field[4])) {
            CHECK(mcpgraft_ask(peer, key, str(NULL), field[2], field[3], &event) == MCPGRAFT_NOT_ALLOWED);
            continue;
        }
        CALL(peer, mcpgraft_ask(peer, key, str(NULL), field[2], field[3], &event));
        asked[asked_count].name = text(field[1]);
        asked[asked_count++].ask = event.ask;
        keep(sent, event.send);
    }
}

/* What the host says on its own. */
static void tell(struct mcpgraft_peer *peer, const struct record *news, struct mcpgraft_event *event)
{
    struct mcpgraft_str what = news->field[1], value = news->field[2];
    if (is(what, "list_changed"))
        CALL(peer, mcpgraft_notify(peer, 0, list(value), str(NULL), str(NULL), event));
    else if (is(what, "updated"))
        CALL(peer, mcpgraft_notify(peer, 0, MCPGRAFT_NEWS_RESOURCE, value, str(NULL), event));
    else if (is(what, "complete"))
        CALL(peer, mcpgraft_notify(peer, 0, MCPGRAFT_NEWS_ELICITATION, value, str(NULL), event));
    else
        CALL(peer, mcpgraft_notify(peer, 0, MCPGRAFT_NEWS_END, str(NULL), str(NULL), event));
}

static void check_answered(const struct step *step, const struct mcpgraft_event *event)
{
    const struct record *answered = find(step, "answered");
    CHECK((event->kind == MCPGRAFT_ANSWER) == (answered != NULL));
    if (answered == NULL)
        return;
    CHECK(event->key == open_call(answered->field[1]));
    CHECK(event->ask == question(answered->field[2]));
    CHECK(event->ok == (answered->field[3].ptr != NULL));
    CHECK(same(event->params, answered->field[4]));
    CHECK(event->left == (uint32_t)number(answered->field[5], 99));
}

static void run_call(struct mcpgraft_peer *peer, const struct step *step, const struct mcpgraft_event *made,
                     struct sent *sent)
{
    const struct record *as = find(step, "as");
    check_call(step, made);
    during(peer, made->key, step, take_sent, sent);
    ask_all(peer, made->key, step, sent);
    if (as != NULL) {
        open_calls[open_count].name = text(as->field[1]);
        open_calls[open_count++].key = made->key;
    } else {
        struct mcpgraft_event event = fresh();
        answer(peer, made->key, step, &event);
        keep(sent, event.send);
    }
}

static void duplex(const struct mcpgraft_server *server, struct mcpgraft_peer **peer, const struct step *step)
{
    const struct record *in = find(step, "in"), *out = find(step, "out"), *later = find(step, "answer");
    const struct record *save = find(step, "save"), *of = find(step, "of"), *given_up = find(step, "give_up");
    const struct record *news = find(step, "tell");
    struct sent sent = {0};
    struct mcpgraft_event event = fresh();
    int i;
    if (*peer == NULL || step->record[0].field[2].ptr != NULL) {
        forget_names();
        mcpgraft_free(*peer);
        CHECK(mcpgraft_session_new(server, peer) == MCPGRAFT_OK);
        if (lent)
            CHECK(mcpgraft_set_buffer(*peer, buffer, BUFFER) == MCPGRAFT_OK);
    }
    if (news != NULL) {
        tell(*peer, news, &event);
        keep(&sent, event.send);
    } else if (given_up != NULL) {
        uint32_t ask = question(given_up->field[1]);
        CALL(*peer, mcpgraft_give_up(*peer, 0, ask, str(NULL), &event));
        keep(&sent, event.send);
    } else if (of != NULL) {
        ask_all(*peer, open_call(of->field[1]), step, &sent);
    } else if (later != NULL) {
        answer(*peer, open_call(later->field[1]), step, &event);
        keep(&sent, event.send);
    } else if (CHECK(in != NULL)) {
        struct mcpgraft_str message = filled(in->field[1]);
        CALL(*peer, mcpgraft_session_accept(*peer, message, &event));
        keep(&sent, event.send);
        if (event.kind == MCPGRAFT_CALL)
            run_call(*peer, step, &event, &sent);
        else
            CHECK(event.kind == MCPGRAFT_BATCH || find(step, "call") == NULL);
        check_answered(step, &event);
        while (event.kind == MCPGRAFT_BATCH || event.more) {
            CHECK(mcpgraft_next(*peer, &event) == MCPGRAFT_OK);
            keep(&sent, event.send);
            if (event.kind == MCPGRAFT_CALL)
                run_call(*peer, step, &event, &sent);
        }
    }
    CHECK(sent.count == out->count - 1);
    for (i = 0; i < sent.count && i < out->count - 1; i++) {
        struct mcpgraft_str seen = {sent.text[i], sent.len[i]};
        if (!CHECK(same(seen, out->field[i + 1])))
            fprintf(stderr, "  sent   %s\n  wanted %.*s\n", sent.text[i], (int)out->field[i + 1].len,
                    out->field[i + 1].ptr);
    }
    if (save != NULL && sent.count > 0)
        save_cursor(sent.text[sent.count - 1], sent.len[sent.count - 1], save->field[1]);
    forget(&sent);
}

#endif
