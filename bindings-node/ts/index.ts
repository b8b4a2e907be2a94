/**
 * MCP (Model Context Protocol) for the server you already have.
 *
 *     import { Server } from "mcpgraft";
 *
 *     const server = new Server({ name: "policies", version: "1.0.0" });
 *     server.tool("search_policies", { description: "Search company policies by keyword", input: z.object({ query: z.string() }) },
 *       async ({ query }) => find(query));
 *
 *     app.all("/mcp", server.express());
 */

export { Elicited, Sampled, type Action, type Root } from "./answers.js";
export {
  AskRoots, Elicit, ElicitUrl, NeedInput, Question, Sample, UrlElicitationRequired,
  type AskOptions, type ElicitOptions, type Questions, type Said, type SampleOptions,
} from "./ask.js";
export {
  apiKey, bearer, InsufficientScope, Refusal, requires,
  type Auth, type Authenticator, type BearerOptions, type Principal,
} from "./auth.js";
export {
  assistant, audio, contents, Contents, file, image, link, resource, text, ToolResult, user,
  type Annotations, type AudioContent, type Completion, type Content, type ContentsGiven, type EmbeddedResource, type Icon,
  type ImageContent, type Message, type ResourceContents, type ResourceLink, type Role, type TextContent, type ToolAnnotations,
} from "./content.js";
export { Context, type Level } from "./context.js";
export {
  ArgumentError, AskError, Cancelled, Declined, Dismissed, Forbidden, InvalidAnswer, InvalidParams, InvalidResult, McpError,
  MissingClientCapability, NoChannel, NotFound, Refused, RegistrationError, Suspended, TimedOut, ToolError, TooManyRounds,
  Unaskable, Unauthorized,
} from "./errors.js";
export { MemoryEvents, type EventStore, type KeptEvents } from "./events.js";
export { LocalFanout, redisFanout, type Fanout, type RedisLike } from "./fanout.js";
export type { FastifyPlugin } from "./fastify.js";
export type { FetchHandler, FetchInfo } from "./fetch.js";
export { lint, Problem } from "./lint.js";
export type { Severity } from "./lint-rules.js";
export type { MountOptions } from "./http.js";
export type { LowLevelRequest, ModuleScope, RequestHandler } from "./lowlevel.js";
export type { Middleware } from "./middleware.js";
export { LIMITS, REVISIONS, VERSION } from "./native.js";
export type { NodeHandler, NodeRequest } from "./node-http.js";
export { redisEvents, redisSessions, type RedisCommands, type RedisEventsOptions } from "./redis.js";
export type { CompletionRequest, Guard, PromptArgument, TaskMode } from "./registry.js";
export { HeaderMap, McpRequest, type HeaderList } from "./request.js";
export type { Repair } from "./repair.js";
export type { Schema } from "./schema.js";
export type {
  Arguments, Capabilities, PromptOptions, PromptValue, ResourceOptions, ResourceValue, ServerInfo, ServerOptions, ToolHandler,
  ToolOptions, Variables,
} from "./options.js";
export { Server } from "./server.js";
export { MemorySessions, SealedSessions, StoredSessions, type Sessions, type SessionsOption, type SessionStore } from "./sessions.js";
export type { StandardSchema } from "./standard.js";
export type { StdioOptions } from "./stdio.js";
export { CurrentTask } from "./task-run.js";
export { MemoryTasks, type ListingStore, type TaskRecord, type TaskStore } from "./task-store.js";
export { Tasks, type TasksOptions } from "./tasks.js";
