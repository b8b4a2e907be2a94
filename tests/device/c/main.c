/* An MCP server on a serial line, in C, without a heap: tools, resources, a template, a prompt, completion, logs. */
#include <stdint.h>

#include "board.h"
#include "mcpgraft_device.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define TEXT(literal) ((mcpgraft_text){(literal), sizeof(literal) - 1})

enum { TEMPERATURE, LED, CALIBRATE, STATUS };
static const char *const tools[] = {
    [TEMPERATURE] = "{\"name\":\"temperature\",\"title\":\"Thermometer\",\"description\":\"The temperature at the board, in "
                    "degrees Celsius\",\"inputSchema\":{\"type\":\"object\"},\"annotations\":{\"readOnlyHint\":true}}",
    [LED] = "{\"name\":\"led\",\"description\":\"Turns the LED on or off\",\"inputSchema\":{\"type\":\"object\",\"properties\":"
            "{\"on\":{\"type\":\"boolean\"}},\"required\":[\"on\"]}}",
    [CALIBRATE] = "{\"name\":\"calibrate\",\"description\":\"Calibrates the thermometer; takes a moment\",\"inputSchema\":"
                  "{\"type\":\"object\",\"properties\":{\"samples\":{\"type\":\"integer\",\"minimum\":1}}}}",
    [STATUS] = "{\"name\":\"status\",\"description\":\"All there is to know\",\"inputSchema\":{\"type\":\"object\"},"
               "\"outputSchema\":{\"type\":\"object\",\"properties\":{\"led\":{\"type\":\"boolean\"}},\"required\":[\"led\"]}}",
};

static const char *const resources[] = {
    "{\"uri\":\"dev://temperature\",\"name\":\"temperature\",\"mimeType\":\"text/plain\"}",
    "{\"uri\":\"dev://log\",\"name\":\"log\",\"description\":\"What happened last\",\"mimeType\":\"text/plain\"}",
};

static const char *const templates[] = {
    "{\"uriTemplate\":\"dev://pin/{number}\",\"name\":\"pin\",\"mimeType\":\"text/plain\"}",
};

static const char *const prompts[] = {
    "{\"name\":\"check\",\"description\":\"Checks the board\",\"arguments\":[{\"name\":\"depth\",\"required\":true}]}",
};

/* The last lines of the log: a ring, whose oldest line makes room. */
static char ring[512];
static size_t ring_start, ring_len;

static void note_byte(char byte) {
  if (ring_len == sizeof ring) {
    char dropped;
    do {
      dropped = ring[ring_start];
      ring_start = (ring_start + 1) % sizeof ring;
      ring_len--;
    } while (dropped != '\n' && ring_len > 0);
  }
  ring[(ring_start + ring_len++) % sizeof ring] = byte;
}

static void note(const char *line) {
  while (*line) note_byte(*line++);
  note_byte('\n');
}

static bool same(mcpgraft_text text, const char *other) {
  size_t at = 0;
  while (at < text.len && other[at] != '\0' && text.ptr[at] == other[at]) at++;
  return at == text.len && other[at] == '\0';
}

/* The temperature as text, in a buffer of 5 bytes. */
static mcpgraft_text degrees(char *buffer) {
  unsigned tenths = board_temperature();
  buffer[0] = (char)('0' + tenths / 100);
  buffer[1] = (char)('0' + tenths / 10 % 10);
  buffer[2] = '.';
  buffer[3] = (char)('0' + tenths % 10);
  return (mcpgraft_text){buffer, 4};
}

static const mcpgraft_text NONE = {NULL, 0};
static mcpgraft_device device;

/* The slow call: at most one at a time. It takes a sample at each tick, and so many unless it is told. */
enum { SAMPLES = 10 };
static uint64_t slow_key;
static unsigned slow_at, slow_of;
static bool slow;
/* Whether the LED was on when clients last heard of the temperature. */
static bool told;

static void say(uint64_t key, mcpgraft_text text) { mcpgraft_device_reply_text(&device, key, &text, 1, NONE, NONE); }

/* A whole number of few digits; else what it is otherwise. */
static unsigned whole(mcpgraft_text text, unsigned otherwise) {
  unsigned number = 0;
  for (size_t at = 0; at < text.len; at++) {
    if (text.ptr[at] < '0' || text.ptr[at] > '9' || at == 6) return otherwise;
    number = 10 * number + (unsigned)(text.ptr[at] - '0');
  }
  return number > 0 ? number : otherwise;
}

static void run_tool(const mcpgraft_call *call) {
  char buffer[5];
  mcpgraft_text on;
  switch (call->entry) {
  case TEMPERATURE:
    note("tool temperature");
    say(call->key, degrees(buffer));
    return;
  case LED:
    note("tool led");
    on = mcpgraft_device_member(call->arguments, TEXT("on"));
    if (!same(on, "true") && !same(on, "false")) {
      mcpgraft_device_fail(&device, call->key, MCPGRAFT_FAIL_TOOL, TEXT("\"on\" must be true or false"));
      return;
    }
    board_set_led(same(on, "true"));
    say(call->key, board_led() ? TEXT("the LED is on") : TEXT("the LED is off"));
    return;
  case CALIBRATE:
    note("tool calibrate");
    if (slow || call->batched) {
      say(call->key, TEXT("calibrated"));
      return;
    }
    slow = true;
    slow_key = call->key;
    slow_at = 0;
    slow_of = whole(mcpgraft_device_member(call->arguments, TEXT("samples")), SAMPLES);
    return;
  default:
    note("tool status");
    mcpgraft_device_reply(&device, call->key,
                          board_led() ? TEXT("{\"structuredContent\":{\"led\":true}}")
                                      : TEXT("{\"structuredContent\":{\"led\":false}}"));
  }
}

static void read_resource(const mcpgraft_call *call) {
  char buffer[5];
  mcpgraft_text pieces[2] = {NONE, NONE};
  if (call->template_entry) {
    pieces[0] = same(call->name, "dev://pin/0") && board_led() ? TEXT("1") : TEXT("0");
  } else if (call->entry == 0) {
    pieces[0] = degrees(buffer);
  } else {
    size_t first = sizeof ring - ring_start;
    if (first > ring_len) first = ring_len;
    pieces[0] = (mcpgraft_text){ring + ring_start, first};
    pieces[1] = (mcpgraft_text){ring, ring_len - first};
  }
  mcpgraft_device_reply_text(&device, call->key, pieces, 2, call->name, TEXT("text/plain"));
}

static void run(void *user, mcpgraft_device *on, const mcpgraft_call *call) {
  (void)user;
  (void)on;
  switch (call->target) {
  case MCPGRAFT_CALL_TOOL:
    run_tool(call);
    break;
  case MCPGRAFT_READ_RESOURCE:
    read_resource(call);
    break;
  case MCPGRAFT_GET_PROMPT:
    say(call->key, same(mcpgraft_device_member(call->arguments, TEXT("depth")), "\"full\"") ? TEXT("Check everything.")
                                                                                           : TEXT("Check the temperature."));
    break;
  case MCPGRAFT_COMPLETE:
    mcpgraft_device_reply(&device, call->key, TEXT("{\"completion\":{\"values\":[\"quick\",\"full\"]}}"));
    break;
  }
}

static bool transmit(void *user, const char *bytes, size_t len) {
  (void)user;
  board_write(bytes, len);
  return true;
}

/* What happens beside the line. */
static void tick(void) {
  if (slow) {
    mcpgraft_device_progress(&device, slow_key, ++slow_at, slow_of);
    bool cancelled = mcpgraft_device_is_cancelled(&device, slow_key);
    if (cancelled || slow_at == slow_of) {
      slow = false;
      say(slow_key, TEXT("calibrated"));
      note(cancelled ? "calibration cancelled" : "calibrated");
      mcpgraft_device_log(&device, MCPGRAFT_LEVEL_INFO,
                          cancelled ? TEXT("\"calibration cancelled\"") : TEXT("\"calibrated\""));
    }
  }
  if (board_led() != told) {
    told = board_led();
    mcpgraft_device_updated(&device, TEXT("dev://temperature"));
  }
}

int main(void) {
  static char input[1024], output[128];
  const mcpgraft_config config = {
      .info = "{\"name\":\"board\",\"title\":\"A board\",\"version\":\"1.0.0\"}",
      .tools = tools,
      .tool_count = COUNT(tools),
      .resources = resources,
      .resource_count = COUNT(resources),
      .templates = templates,
      .template_count = COUNT(templates),
      .prompts = prompts,
      .prompt_count = COUNT(prompts),
      .flags = MCPGRAFT_COMPLETIONS | MCPGRAFT_LOGGING | MCPGRAFT_SUBSCRIBE,
      .page_bytes = 700,
      .input = input,
      .input_size = sizeof input,
      .output = output,
      .output_size = sizeof output,
      .write = transmit,
      .call = run,
  };
  board_start();
  if (mcpgraft_device_init(&device, &config) != MCPGRAFT_OK) {
    board_write("\nbad configuration\n", 19);
    return 1;
  }
  for (;;) {
    int byte = board_read();
    if (byte >= 0) {
      char one = (char)byte;
      mcpgraft_device_feed(&device, &one, 1);
    } else {
      board_wait();
    }
    if (board_ticked()) tick();
  }
}
