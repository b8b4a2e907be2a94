/* Replays the transcripts of tests/vectors, byte for byte.
 *
 *     transcripts RECORDS [lent | tight]
 *
 * RECORDS is what transcripts.py writes. `lent`: answers go into a buffer of this program. `tight`: every call is first tried
 * with a buffer that is too small, which must change nothing. */
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

static void keep(struct sent *sent, struct mcpgraft_str view)
{
    if (view.len == 0)
        return;
    if (sent->count == MAX_ITEMS)
        exit(3);
    sent->text[sent->count] = text(view);
    sent->len[sent->count++] = view.len;
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
    const struct record *reply = find(step, "reply"), *fail = find(step, "fail");
    if (fail != NULL) {
        int32_t code = (int32_t)number(fail->field[3], 0);
        CALL(peer, mcpgraft_fail(peer, key, failure(fail->field[1]), fail->field[2], code, fail->field[4], event));
    } else if (CHECK(reply != NULL)) {
        CALL(peer, mcpgraft_reply(peer, key, reply->field[1], event));
    }
}

/* What the transcript says of a call. */
static void check_call(const struct step *step, const struct mcpgraft_event *event)
{
    static const char *const kinds[] = {"", "tool", "resource", "prompt", "completion", "list", "custom"};
    const struct record *call = find(step, "call");
    if (!CHECK(call != NULL))
        return;
    CHECK(is(call->field[1], kinds[event->target]));
    CHECK(same(call->field[2], event->name));
    CHECK(call->field[3].ptr == NULL || same(call->field[3], event->arguments));
    CHECK(call->field[4].ptr == NULL || same(call->field[4], event->entry));
    CHECK(call->field[5].ptr == NULL || same(call->field[5], event->variables));
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
            CALL(peer, mcpgraft_progress(peer, key, number(field[1], NAN), number(field[2], NAN), field[3], &event));
        else
            continue;
        take(where, &event);
    }
}

static void take_sent(void *where, const struct mcpgraft_event *event)
{
    keep(where, event->send);
}

/* --- duplex ---------------------------------------------------------------------------------------------------------------- */

static struct {
    char *name;
    uint64_t key;
} open_calls[MAX_ITEMS];
static int open_count;

static struct {
    char *name, *value;
} saved[MAX_ITEMS];
static int saved_count;

static void forget_names(void)
{
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

static void run_call(struct mcpgraft_peer *peer, const struct step *step, const struct mcpgraft_event *made,
                     struct sent *sent)
{
    const struct record *as = find(step, "as");
    check_call(step, made);
    during(peer, made->key, step, take_sent, sent);
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
    const struct record *save = find(step, "save");
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
    if (later != NULL) {
        for (i = 0; i < open_count && !is(later->field[1], open_calls[i].name); i++)
            ;
        if (CHECK(i < open_count)) {
            answer(*peer, open_calls[i].key, step, &event);
            keep(&sent, event.send);
        }
    } else if (CHECK(in != NULL)) {
        struct mcpgraft_str message = filled(in->field[1]);
        CALL(*peer, mcpgraft_session_accept(*peer, message, &event));
        keep(&sent, event.send);
        if (event.kind == MCPGRAFT_CALL)
            run_call(*peer, step, &event, &sent);
        else
            CHECK(event.kind == MCPGRAFT_BATCH || find(step, "call") == NULL);
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

/* --- http ------------------------------------------------------------------------------------------------------------------ */

struct seen {
    uint32_t status;
    int headers;
    char *name[MAX_FIELDS], *value[MAX_FIELDS];
    char *body;
    size_t len;
    int ended;
};

static void take_http(void *where, const struct mcpgraft_event *event)
{
    struct seen *seen = where;
    size_t i;
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
    CHECK(!seen->ended);
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

static void http(const struct mcpgraft_server *server, struct mcpgraft_peer **peer, const struct step *step)
{
    const struct record *sends = find(step, "request"), *wanted = find(step, "response");
    struct mcpgraft_header headers[MAX_FIELDS];
    struct mcpgraft_request request;
    struct mcpgraft_event event = fresh();
    struct seen seen;
    struct mcpgraft_str body;
    int i, j;
    memset(&request, 0, sizeof request);
    memset(&seen, 0, sizeof seen);
    request.struct_size = sizeof request;
    request.method = sends->field[1];
    request.headers = headers;
    request.header_count = (size_t)(sends->count - 3) / 2;
    request.flags = MCPGRAFT_STREAMS;
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
        CALL(*peer, mcpgraft_exchange_accept(*peer, sends->field[2], str(NULL), &event));
        for (;;) {
            if (event.kind == MCPGRAFT_CALL) {
                uint64_t key = event.key;
                check_call(step, &event);
                during(*peer, key, step, take_http, &seen);
                event = fresh();
                answer(*peer, key, step, &event);
            }
            take_http(&seen, &event);
            if (!event.more)
                break;
            CHECK(mcpgraft_next(*peer, &event) == MCPGRAFT_OK);
        }
    } else {
        take_http(&seen, &event);
    }
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

/* --- framing --------------------------------------------------------------------------------------------------------------- */

static void framing(struct mcpgraft_lines **lines, size_t limit, const struct step *step, size_t piece)
{
    const struct record *feed = find(step, "feed"), *frames = find(step, "frames");
    const char *data = feed->field[1].ptr, *stop = data + feed->field[1].len;
    int count = 1;
    mcpgraft_frame frame;
    struct mcpgraft_str line;
    if (*lines == NULL || step->record[0].field[2].ptr != NULL) {
        mcpgraft_free(*lines);
        CHECK(mcpgraft_lines_new(limit, lines) == MCPGRAFT_OK);
    }
    while (data < stop) {
        struct mcpgraft_str part;
        part.ptr = data;
        part.len = (size_t)(stop - data) < piece ? (size_t)(stop - data) : piece;
        data += part.len;
        for (;;) {
            size_t used = 0;
            CHECK(mcpgraft_lines_next(*lines, part, &used, &frame, &line) == MCPGRAFT_OK);
            part.ptr += used;
            part.len -= used;
            if (frame == MCPGRAFT_NO_LINE)
                break;
            if (CHECK(count < frames->count)) {
                CHECK((frame == MCPGRAFT_TOO_LONG) == (frames->field[count].ptr == NULL));
                /* Bytes that are no UTF-8 stand as U+FFFD in the transcript. */
                CHECK(frame == MCPGRAFT_TOO_LONG || same(line, frames->field[count]) ||
                      memchr(frames->field[count].ptr, 0xef, frames->field[count].len) != NULL);
            }
            count++;
        }
        CHECK(part.len == 0);
    }
    if (feed->field[2].ptr != NULL) {
        CHECK(mcpgraft_lines_finish(*lines, &frame, &line) == MCPGRAFT_OK);
        if (frame != MCPGRAFT_NO_LINE && CHECK(count < frames->count)) {
            CHECK((frame == MCPGRAFT_TOO_LONG) == (frames->field[count].ptr == NULL));
            CHECK(frame == MCPGRAFT_TOO_LONG || same(line, frames->field[count]));
            count++;
        }
    }
    CHECK(count == frames->count);
}

/* --------------------------------------------------------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
    static char *data;
    static struct step step;
    struct mcpgraft_server *server = NULL;
    struct mcpgraft_peer *peer = NULL;
    struct mcpgraft_lines *lines[2] = {NULL, NULL};
    struct record head = {0};
    int steps = 0;
    long size;
    if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0)
        return 3;
    rewind(file);
    data = malloc((size_t)size);
    buffer = malloc(BUFFER);
    if (fread(data, 1, (size_t)size, file) != (size_t)size)
        return 3;
    fclose(file);
    lent = argc > 2 && strcmp(argv[2], "lent") == 0;
    tight = argc > 2 && strcmp(argv[2], "tight") == 0;
    for (at = data, end = data + size; at < end;) {
        struct record record = read_record();
        int before = failed;
        if (is(record.field[0], "file")) {
            head = record;
            mcpgraft_free(peer);
            mcpgraft_free(lines[0]);
            mcpgraft_free(lines[1]);
            /* Peers keep what they need. */
            mcpgraft_free(server);
            peer = NULL;
            lines[0] = lines[1] = NULL;
            CHECK(mcpgraft_server_new(&server) == MCPGRAFT_OK);
        } else if (is(record.field[0], "set")) {
            CHECK(mcpgraft_server_set(server, record.field[1], record.field[2]) == MCPGRAFT_OK);
        } else if (is(record.field[0], "put")) {
            CHECK(mcpgraft_server_put(server, (uint32_t)number(record.field[1], 9), record.field[2]) == MCPGRAFT_OK);
        } else {
            for (step.count = 0; !is(record.field[0], "end") && step.count < MAX_ITEMS; record = read_record())
                step.record[step.count++] = record;
            steps++;
            if (is(head.field[2], "duplex")) {
                duplex(server, &peer, &step);
            } else if (is(head.field[2], "http")) {
                http(server, &peer, &step);
            } else {
                framing(&lines[0], (size_t)number(head.field[3], 0), &step, 1);
                framing(&lines[1], (size_t)number(head.field[3], 0), &step, 1 << 20);
            }
        }
        if (failed > before)
            fprintf(stderr, "  in %.*s: %.*s\n", (int)head.field[1].len, head.field[1].ptr,
                    (int)step.record[0].field[1].len, step.record[0].field[1].ptr);
    }
    forget_names();
    mcpgraft_free(peer);
    mcpgraft_free(lines[0]);
    mcpgraft_free(lines[1]);
    mcpgraft_free(server);
    free(data);
    free(buffer);
    CHECK(steps > 400);
    printf("%d steps%s%s\n", steps, lent ? ", into a lent buffer" : "", tight ? ", each tried without room first" : "");
    return summary("transcripts");
}
