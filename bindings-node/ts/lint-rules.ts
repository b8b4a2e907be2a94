/**
 * What known clients refuse or misread about a server's tools: the rules of `lint`.
 *
 * All of it is legal in the protocol, and all of it has cost somebody a tool.
 */

/**
 * `error`: a known client refuses the tool, or with it every tool of the server. `warning`: one drops or misreads a part of it,
 * or a model does worse. `note`: good to know.
 */
export type Severity = "error" | "warning" | "note";

/** What a rule says. */
export interface Rule {
  readonly severity: Severity;
  /** What happens, and what helps. */
  readonly why: string;
  /** Who is known for it, with the public issue that shows it where there is one. */
  readonly clients?: readonly string[];
}

/** Characters of a name; names are longer still with the prefix that clients put before them. */
export const LONG_NAME = 64;
/** Characters of a description. */
export const LONG_DESCRIPTION = 1024;
/** Bytes of one definition: some 2,000 tokens in each conversation. */
export const HUGE = 8192;
/** Objects and arrays inside each other. */
export const DEEP = 10;

/** The rules, by names that stay the same. */
export const RULES = {
  name: {
    severity: "error",
    why: "the name should be 1 to 128 characters of A-Z, a-z, 0-9, '_', '-' and '.'; clients refuse or rewrite others",
    clients: ["OpenAI API", "Anthropic API"],
  },
  "name-dot": {
    severity: "warning",
    why: "a '.' in the name is legal, but APIs of models know only '_' and '-'",
    clients: ["OpenAI API"],
  },
  "name-length": {
    severity: "warning",
    why: `the name is longer than ${LONG_NAME} characters, the limit of some APIs`,
    clients: ["OpenAI API"],
  },
  description: {
    severity: "warning",
    why: "there is no description: a model can only guess what the tool does",
  },
  "description-length": {
    severity: "warning",
    why: `the description is longer than ${LONG_DESCRIPTION} characters`,
    clients: ["OpenAI API"],
  },
  title: {
    severity: "warning",
    why: "another tool has the same title: people cannot tell them apart when asked to approve",
  },
  size: {
    severity: "warning",
    why: `the definition is longer than ${HUGE} bytes, which each conversation pays for`,
    clients: ["G-Core/gcore-mcp-server#14"],
  },
  draft: {
    severity: "error",
    why: "clients that know only 2020-12 refuse the label of another draft; leave $schema out",
    clients: ["Claude Code (anthropics/claude-code#90549)", "TypeScript SDK (modelcontextprotocol/typescript-sdk#2532)"],
  },
  label: {
    severity: "warning",
    why: "a $schema label gains nothing, 2020-12 is the default; some clients refuse it; leave it out",
    clients: ["openclaude (Gitlawb/openclaude#1740)"],
  },
  properties: {
    severity: "error",
    why: "an object without \"properties\" is refused; say \"properties\": {}",
    clients: ["OpenAI API", "Azure OpenAI"],
  },
  "root-union": {
    severity: "error",
    why: "anyOf, oneOf, allOf or not at the root of a tool's schema is refused, at worst with all tools of the server",
    clients: ["Claude Code (anthropics/claude-code#88049)", "Bedrock, Vertex, Azure (DeusData/codebase-memory-mcp#1524)"],
  },
  reference: {
    severity: "warning",
    why: "references are not followed: the model sees no type here; write the definition in place",
    clients: [
      "Gemini CLI (google-gemini/gemini-cli#13142)",
      "Copilot CLI (github/copilot-cli#1876)",
      "Kiro, opencode, Cursor",
      "Qwen-Agent (QwenLM/Qwen-Agent#873)",
    ],
  },
  nullable: {
    severity: "warning",
    why: "a union with null hides the type; make the property optional instead",
    clients: ["Cursor (cursor/cursor#3540)"],
  },
  "type-list": {
    severity: "warning",
    why: "a list of types is not understood; name one type, or use anyOf",
    clients: ["Gemini API"],
  },
  boolean: {
    severity: "warning",
    why: "true or false as a schema breaks readers that want an object; use {}",
  },
  "array-items": {
    severity: "error",
    why: "an array without \"items\" is refused",
    clients: ["OpenAI API", "VS Code"],
  },
  required: {
    severity: "error",
    why: "\"required\" names something that \"properties\" does not have",
    clients: ["Gemini API"],
  },
  format: {
    severity: "warning",
    why: "this format is refused or ignored; say it in the description",
    clients: ["Gemini API"],
  },
  "int64": {
    severity: "warning",
    why: "integers beyond 2^53 are rounded on their way; make it a string",
    clients: ["Claude Code (anthropics/claude-code#78762)"],
  },
  depth: {
    severity: "warning",
    why: `more than ${DEEP} levels of objects and arrays`,
    clients: ["OpenAI API"],
  },
  "output-root": {
    severity: "note",
    why: "the root is not \"type\": \"object\", so clients of revisions before 2026-07-28 see it as {\"result\": ...}",
  },
} as const satisfies Record<string, Rule>;
