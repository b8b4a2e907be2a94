/* Speaks to the thermostat as its client would, over memory instead of a wire. Exits with 0 if every answer is right. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct Line Line;
size_t line_size(void);
void line_open(Line *line);
int line_accept(Line *, const char *message, size_t, uint64_t *key, char *out, size_t capacity, size_t *len);
int line_next(Line *, const char *message, size_t, uint64_t *key, char *out, size_t capacity, size_t *len);
int line_reply(Line *, uint64_t key, const char *result, size_t, char *out, size_t capacity, size_t *len);
int line_fail(Line *, uint64_t key, const char *text, size_t, char *out, size_t capacity, size_t *len);
int line_progress(Line *, uint64_t key, double progress, char *out, size_t capacity, size_t *len);
int line_tell(Line *, char *out, size_t capacity, size_t *len);

enum { SEND, CALL, BATCH, DONE };

static _Alignas(max_align_t) char memory[16 * 1024];
static Line *line = (Line *)memory;
static char out[2048];
static size_t len;
static uint64_t key;
static int wrong;

static void is(int got, int wanted, const char *text, const char *about) {
  if (got == wanted && len == strlen(text) && memcmp(out, text, len) == 0) return;
  printf("%s: %d instead of %d\n  wanted %s\n  got    %.*s\n", about, got, wanted, text, (int)len, out);
  wrong++;
}

static int take(const char *message) {
  len = 0;
  return line_accept(line, message, strlen(message), &key, out, sizeof out, &len);
}

static int reply(const char *result, size_t capacity) {
  return line_reply(line, key, result, strlen(result), out, capacity, &len);
}

int main(void) {
  if (line_size() > sizeof memory) return 2;
  line_open(line);

  is(take("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-03-26\","
          "\"capabilities\":{},\"clientInfo\":{\"name\":\"c\",\"version\":\"1\"}}}"),
     DONE,
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"2025-03-26\",\"capabilities\":{\"logging\":{},"
     "\"completions\":{},\"prompts\":{\"listChanged\":true},\"resources\":{\"subscribe\":true,\"listChanged\":true},"
     "\"tools\":{\"listChanged\":true}},\"serverInfo\":{\"name\":\"thermostat\",\"version\":\"1\"}}}",
     "initialize");
  is(take("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"), DONE, "", "initialized");

  const char *call = "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"tools/call\",\"params\":{\"name\":\"read\","
                     "\"arguments\":{\"pin\":3},\"_meta\":{\"progressToken\":0}}}";
  is(take(call), CALL, "", "tools/call");
  len = 0;
  is(line_progress(line, key, 0.5, out, sizeof out, &len), SEND,
     "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":0,\"progress\":0.5,"
     "\"total\":1}}",
     "progress");
  const char *result = "{\"content\":[{\"type\":\"text\",\"text\":\"21.5\"}]}";
  len = 0;
  is(reply(result, 40), -1, "", "a reply that does not fit");
  is(reply(result, sizeof out), SEND,
     "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"21.5\"}]}}",
     "reply, again");
  len = 0;
  is(reply(result, sizeof out), -2, "", "a second reply");

  is(take(call), CALL, "", "tools/call");
  len = 0;
  is(line_fail(line, key, "no such pin", 11, out, sizeof out, &len), SEND,
     "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"no such pin\"}],"
     "\"isError\":true}}",
     "fail");

  is(take("{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"resources/subscribe\",\"params\":{\"uri\":\"dev://log\"}}"), DONE,
     "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{}}", "subscribe");
  len = 0;
  is(line_tell(line, out, sizeof out, &len), 3,
     "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"warning\",\"data\":\"hot\"}}\n"
     "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n"
     "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/updated\",\"params\":{\"uri\":\"dev://log\"}}\n",
     "what is told unasked");

  const char *batch = "[{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"ping\"},"
                      "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"acme/blink\"}]";
  is(take(batch), BATCH, "", "a batch");
  int step;
  while ((step = line_next(line, batch, strlen(batch), &key, out, sizeof out, &len)) != SEND) {
    if (step == CALL) step = reply("{\"on\":true}", sizeof out);
    if (step < 0) break;
  }
  is(step, SEND,
     "[{\"jsonrpc\":\"2.0\",\"id\":6,\"result\":{}},{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"on\":true}}]", "its answer");

  is(take("{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"tools/call\",\"params\":{\"name\":\"set\",\"_meta\":{"
          "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
          "\"io.modelcontextprotocol/clientCapabilities\":{}}}}"),
     CALL, "", "a stateless call on the same line");
  is(reply("{\"structuredContent\":21.5}", sizeof out), SEND,
     "{\"jsonrpc\":\"2.0\",\"id\":8,\"result\":{\"resultType\":\"complete\",\"content\":[{\"type\":\"text\",\"text\":\"21.5\"}],"
     "\"structuredContent\":21.5,\"_meta\":{\"io.modelcontextprotocol/serverInfo\":{\"name\":\"thermostat\","
     "\"version\":\"1\"}}}}",
     "its answer");
  is(take("\xff"), SEND,
     "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"invalid JSON at byte 0: not UTF-8\"}}",
     "noise on the wire");

  if (wrong == 0) printf("freestanding: a session of %zu bytes, no heap\n", line_size());
  return wrong != 0;
}
