/* What the tests of calls and of guards share: one handle of each kind. */
#ifndef HANDLES_H
#define HANDLES_H

#include "check.h"

static struct mcpgraft_server *server;
static struct mcpgraft_peer *session, *exchange;
static struct mcpgraft_lines *lines;
static struct mcpgraft_keys *keys;
static struct mcpgraft_task *task;
static uint64_t nothing[64];

#define INITIALIZE                                                                                                     \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\","            \
    "\"capabilities\":{\"elicitation\":{},\"roots\":{},\"sampling\":{}},\"clientInfo\":{\"name\":\"c\",\"version\":\"1\"}}}"
#define META                                                                                                           \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                                            \
    "\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":{}},\"progressToken\":1}"
#define CALL(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\",\"params\":{\"name\":\"add\",\"arguments\":{}}}"
#define SAVED "{\"id\":\"t\",\"caps\":127,\"created\":0,\"ttl\":9,\"status\":\"working\",\"updated\":0}"
#define ASKING                                                                                                         \
    "{\"id\":\"t\",\"caps\":127,\"revision\":\"2025-11-25\",\"wrap\":0,\"token\":1,\"created\":0,\"status\":\"input_required\","       \
    "\"updated\":0,\"requests\":{\"q\":{\"method\":\"elicitation/create\",\"params\":" FORM "}}}"
#define TASK_CALL(id, more)                                                                                            \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\",\"params\":{\"name\":\"slow\",\"arguments\":{}," more "}}"
#define TASK_ASKS(id, what, params)                                                                                    \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tasks/" what "\",\"params\":{" params "}}"
#define FORM "{\"message\":\"Who?\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{}}}"

static inline void id_of(struct mcpgraft_new_task *begin, const char *id, uint32_t origin)
{
    memset(begin, 0, sizeof *begin);
    begin->struct_size = sizeof *begin;
    begin->id = str(id);
    begin->owner = str("alice");
    begin->now = 1000;
    begin->ttl = 60000;
    begin->origin = origin;
}

static inline void make(void)
{
    struct mcpgraft_new_task begin;
    static const struct mcpgraft_str secret = {"0123456789abcdef", 16};
    CHECK(mcpgraft_server_new(&server) == MCPGRAFT_OK);
    CHECK(mcpgraft_session_new(server, &session) == MCPGRAFT_BAD_ARGUMENT);
    CHECK(mcpgraft_server_set(server, str("info"), str("{\"name\":\"s\",\"version\":\"1\"}")) == MCPGRAFT_OK);
    CHECK(mcpgraft_server_set(server, str("sessions"), str("\"kept\"")) == MCPGRAFT_OK);
    CHECK(mcpgraft_server_set(server, str("logging"), str("true")) == MCPGRAFT_OK);
    CHECK(mcpgraft_server_set(server, str("extensions"), str("{\"io.modelcontextprotocol/tasks\":{}}")) == MCPGRAFT_OK);
    CHECK(mcpgraft_server_set(server, str("list_changed"), str("true")) == MCPGRAFT_OK);
    CHECK(mcpgraft_server_set(server, str("subscribe"), str("true")) == MCPGRAFT_OK);
    CHECK(mcpgraft_server_set(server, str("allowed_origins"), str("[\"https://example.com\"]")) == MCPGRAFT_OK);
    CHECK(mcpgraft_server_put(server, MCPGRAFT_TOOL, str("{\"name\":\"add\",\"inputSchema\":{\"type\":\"object\"}}")) ==
          MCPGRAFT_OK);
    CHECK(mcpgraft_server_set(server, str("experimental_tasks"), str("\"listed\"")) == MCPGRAFT_OK);
    CHECK(mcpgraft_server_put(server, MCPGRAFT_TOOL, str("{\"name\":\"slow\",\"inputSchema\":{\"type\":\"object\"},"
                                                         "\"execution\":{\"taskSupport\":\"optional\"}}")) == MCPGRAFT_OK);
    CHECK(mcpgraft_server_put(server, MCPGRAFT_TEMPLATE, str("{\"uriTemplate\":\"a://{b}/{c}\",\"name\":\"t\"}")) ==
          MCPGRAFT_OK);
    CHECK(mcpgraft_session_new(server, &session) == MCPGRAFT_OK);
    CHECK(mcpgraft_exchange_new(server, &exchange) == MCPGRAFT_OK);
    CHECK(mcpgraft_lines_new(0, &lines) == MCPGRAFT_OK);
    CHECK(mcpgraft_keys_new(&secret, 1, &keys) == MCPGRAFT_OK);
    id_of(&begin, "task-1", 0x7f);
    CHECK(mcpgraft_task_new(&begin, &task) == MCPGRAFT_OK);
}

static inline void end(void)
{
    CHECK(mcpgraft_free(task) == MCPGRAFT_OK);
    CHECK(mcpgraft_free(keys) == MCPGRAFT_OK);
    CHECK(mcpgraft_free(lines) == MCPGRAFT_OK);
    CHECK(mcpgraft_free(server) == MCPGRAFT_OK);
    CHECK(mcpgraft_free(exchange) == MCPGRAFT_OK);
    CHECK(mcpgraft_free(session) == MCPGRAFT_OK);
    CHECK(mcpgraft_free(NULL) == MCPGRAFT_OK);
    CHECK(mcpgraft_free(nothing) == MCPGRAFT_WRONG_HANDLE);
}

#endif
