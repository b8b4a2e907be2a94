/* mcpgraft for firmware: an MCP server on a serial line, without a heap, an operating system or a clock. C99.
   SPDX-License-Identifier: MIT OR Apache-2.0

   You give it the bytes that come in, with mcpgraft_device_feed. It writes what goes out through the function you set, and
   calls the function you set when a tool is to be run. Texts are UTF-8; every pointer given to it must stay as it is for as
   long as it says. One device is used by one thread at a time, and not from its own callbacks but where that is said. */
#ifndef MCPGRAFT_DEVICE_H
#define MCPGRAFT_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Calls that may be in work at once, and resources that may be watched. */
#define MCPGRAFT_DEVICE_CALLS 4
#define MCPGRAFT_DEVICE_WATCHED 4

/* Memory of one device, in words of 8 bytes: its state, without the two buffers that you lend it. */
#define MCPGRAFT_DEVICE_WORDS 344

/* Enumerations are numbers of 32 bits, whatever the compiler would choose. */

/* What functions return. Numbers are those of mcpgraft.h. */
typedef uint32_t mcpgraft_status;
enum {
  MCPGRAFT_OK = 0,
  MCPGRAFT_OUTPUT_FULL = 1,    /* the line is dead: `write` has said so */
  MCPGRAFT_UNKNOWN_CALL = 2,   /* answered already, or never a call */
  MCPGRAFT_BAD_JSON = 3,       /* the result is not JSON */
  MCPGRAFT_BAD_RESULT = 4,     /* the result is JSON, but cannot be the result of this call */
  MCPGRAFT_BAD_DEFINITION = 5, /* a definition has no key, or is not JSON */
  MCPGRAFT_NOT_ALLOWED = 6,    /* it cannot be sent to this client or at this time */
  MCPGRAFT_NULL = 100,         /* a pointer that is needed is NULL */
  MCPGRAFT_NOT_UTF8 = 101      /* a text is not UTF-8 */
};

/* What a call is for. */
typedef uint32_t mcpgraft_target;
enum {
  MCPGRAFT_CALL_TOOL = 1,     /* run the tool `entry` with `arguments` */
  MCPGRAFT_READ_RESOURCE = 2, /* read the resource `entry`, or the template `entry` with the URI `name` */
  MCPGRAFT_GET_PROMPT = 3,    /* fill in the prompt `entry` with `arguments` */
  MCPGRAFT_COMPLETE = 4       /* values for an argument: see `arguments`, which are the parameters of the request */
};

/* How a call fails. */
typedef uint32_t mcpgraft_failure;
enum {
  MCPGRAFT_FAIL_TOOL = 0,           /* the tool ran and failed: the model reads why */
  MCPGRAFT_FAIL_NOT_FOUND = 1,      /* there is no such thing; for a resource, why is its URI */
  MCPGRAFT_FAIL_INVALID_PARAMS = 2, /* a parameter is wrong */
  MCPGRAFT_FAIL_INTERNAL = 3        /* the host failed */
};

/* Log levels, from the least to the most severe. */
typedef uint32_t mcpgraft_level;
enum {
  MCPGRAFT_LEVEL_DEBUG = 0,
  MCPGRAFT_LEVEL_INFO = 1,
  MCPGRAFT_LEVEL_NOTICE = 2,
  MCPGRAFT_LEVEL_WARNING = 3,
  MCPGRAFT_LEVEL_ERROR = 4,
  MCPGRAFT_LEVEL_CRITICAL = 5,
  MCPGRAFT_LEVEL_ALERT = 6,
  MCPGRAFT_LEVEL_EMERGENCY = 7
};

/* What a server has beside its lists. */
enum {
  MCPGRAFT_COMPLETIONS = 1, /* completion/complete is called */
  MCPGRAFT_LOGGING = 2,     /* clients get logs */
  MCPGRAFT_SUBSCRIBE = 4    /* clients may watch resources */
};

/* A text: `len` bytes of UTF-8 at `ptr`, without a NUL. NULL with 0: there is none. */
typedef struct mcpgraft_text {
  const char *ptr;
  size_t len;
} mcpgraft_text;

/* A device: memory for its state. Put it anywhere; only the functions below look into it. */
typedef struct mcpgraft_device {
  uint64_t words[MCPGRAFT_DEVICE_WORDS];
} mcpgraft_device;

/* A call to run. Its texts are good until the function it is given to returns. */
typedef struct mcpgraft_call {
  uint64_t key;            /* names it in the functions below, until it is answered */
  mcpgraft_target target;  /* what to run */
  bool template_entry;     /* `entry` is a position among the templates */
  bool batched;            /* answer it before you return */
  size_t entry;            /* position in the list of the configuration; of a completion, 0 */
  mcpgraft_text name;      /* of the tool or prompt; URI of the resource. Escapes of JSON stand as they came */
  mcpgraft_text arguments; /* a JSON object */
} mcpgraft_call;

/* What is served. It must stay as it is for as long as the device is used: constants in flash are fine. Definitions are JSON
   objects as the newest revision has them, each ended by a NUL; their key ("name", of resources "uri", of templates
   "uriTemplate") must hold no escapes. */
typedef struct mcpgraft_config {
  const char *info;         /* who the server is: {"name":...,"version":...} */
  const char *instructions; /* for the model, or NULL */
  const char *const *tools;
  size_t tool_count;
  const char *const *resources;
  size_t resource_count;
  const char *const *templates;
  size_t template_count;
  const char *const *prompts;
  size_t prompt_count;
  unsigned flags;    /* MCPGRAFT_COMPLETIONS and so on, added up */
  size_t page_bytes; /* most bytes of entries in one page of a list; 0: no limit, since output drains */

  char *input; /* for the message that is coming in: the longest that is taken. 1024 bytes are a good start */
  size_t input_size;
  char *output; /* for what goes out: handed to `write` when it is full, so 64 bytes will do */
  size_t output_size;

  void *user; /* given to the two functions */
  /* Sends bytes; false: the line is dead. */
  bool (*write)(void *user, const char *bytes, size_t len);
  /* Runs a call: answers it with the functions below, now or later. May use every function but init and feed. */
  void (*call)(void *user, mcpgraft_device *device, const mcpgraft_call *call);
} mcpgraft_config;

/* Makes a device. The configuration is copied, what it points to is not. NULL, BAD_DEFINITION, NOT_UTF8. */
mcpgraft_status mcpgraft_device_init(mcpgraft_device *device, const mcpgraft_config *config);

/* Takes bytes of the line, as many as there are. What is too long or no message is answered with an error, and the next line
   is read as usual. Calls `write` and `call`. */
mcpgraft_status mcpgraft_device_feed(mcpgraft_device *device, const char *bytes, size_t len);

/* Answers a call with a result: a JSON object as the newest revision has it. */
mcpgraft_status mcpgraft_device_reply(mcpgraft_device *device, uint64_t key, mcpgraft_text result);

/* Answers a call of a tool, prompt or resource with a text, which may lie about in pieces. `uri` and `mime_type` are used for
   resources only; the latter may be empty. */
mcpgraft_status mcpgraft_device_reply_text(mcpgraft_device *device, uint64_t key, const mcpgraft_text *pieces, size_t count,
                                           mcpgraft_text uri, mcpgraft_text mime_type);

/* Answers a call with a failure. */
mcpgraft_status mcpgraft_device_fail(mcpgraft_device *device, uint64_t key, mcpgraft_failure failure, mcpgraft_text why);

/* Tells how far a call is, in steps; `of` 0: it is not known of how many. Nothing is sent if the client does not want it. */
mcpgraft_status mcpgraft_device_progress(mcpgraft_device *device, uint64_t key, uint32_t done, uint32_t of);

/* Whether the client took the call back, or it is over. It still wants its answer, which is then not sent. */
bool mcpgraft_device_is_cancelled(const mcpgraft_device *device, uint64_t key);

/* Sends a log of the session; `data` is any JSON value. Nothing is sent if the client does not want it. */
mcpgraft_status mcpgraft_device_log(mcpgraft_device *device, mcpgraft_level level, mcpgraft_text data);

/* Tells clients that watch it that a resource has changed. */
mcpgraft_status mcpgraft_device_updated(mcpgraft_device *device, mcpgraft_text uri);

/* The member of a JSON object by name, as JSON; none if it is not there. `object` must be JSON, such as arguments. */
mcpgraft_text mcpgraft_device_member(mcpgraft_text object, mcpgraft_text name);

#ifdef __cplusplus
}
#endif

#endif
