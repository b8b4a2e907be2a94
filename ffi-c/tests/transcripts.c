/* Replays the transcripts of tests/vectors, byte for byte.
 *
 *     transcripts RECORDS [lent | tight]
 *
 * RECORDS is what transcripts.py writes. `lent`: answers go into a buffer of this program. `tight`: every call is first tried
 * with a buffer that is too small, which must change nothing. */
#include "replay_duplex.h"
#include "replay_http.h"

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
        size_t used = 1;
        CHECK(mcpgraft_lines_next(*lines, str(NULL), &used, &frame, &line) == MCPGRAFT_OK && used == 0);
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
            forget_names();
            forget_sessions();
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
                http(server, &peer, &step, head.field[4].ptr != NULL);
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
    forget_sessions();
    mcpgraft_free(peer);
    mcpgraft_free(lines[0]);
    mcpgraft_free(lines[1]);
    mcpgraft_free(server);
    free(data);
    free(buffer);
    CHECK(steps > 700);
    printf("%d steps%s%s\n", steps, lent ? ", into a lent buffer" : "", tight ? ", each tried without room first" : "");
    return summary("transcripts");
}
