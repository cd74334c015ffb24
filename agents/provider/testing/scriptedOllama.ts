import type { ServerResponse } from "node:http";
import { encodeSse } from "@clawcompute/lib/protocol";
// biome-ignore lint/style/noRestrictedImports: test equipment
import { type ScriptedUpstream, startScriptedUpstream, type UpstreamExchange } from "@clawcompute/lib/testing";

/** An Ollama server as far as its OpenAI endpoints go: its names, its order of events, its way of saying no. Says the last words back. */
export function startScriptedOllama(): Promise<ScriptedUpstream> {
  return startScriptedUpstream((exchange, response) => {
    const { path } = exchange;
    if (path === "/v1/models")
      return void json(response, { object: "list", data: [{ id: "qwen:latest", object: "model", owned_by: "library" }] });
    if (path === "/v1/audio/transcriptions") return transcribe(exchange, response);
    const body = JSON.parse(exchange.body);
    if (path === "/v1/chat/completions") return chat(exchange, response, body);
    if (path === "/v1/completions") return complete(response, body);
    if (path === "/v1/responses") return respond(response, body);
    if (path === "/v1/embeddings") return embed(response, body);
    if (path === "/v1/images/generations") return void json(response, { created: 1, data: [{ b64_json: "aW1hZ2U=", url: null }] });
    if (path === "/v1/audio/speech")
      return void response.writeHead(200, { "content-type": "audio/mpeg", "set-cookie": "a=1" }).end("sound");
    json(response, { error: { message: "not found", type: "api_error", param: null, code: null } }, 404);
  });
}

// biome-ignore lint/suspicious/noExplicitAny: requests of tests
type Request = any;

function json(response: ServerResponse, body: unknown, status = 200): void {
  response
    .writeHead(status, { "content-type": "application/json", "x-ratelimit-remaining": "7", server: "inner" })
    .end(JSON.stringify(body));
}

const head = { id: "chatcmpl-42", created: 1_700_000_000, model: "qwen:latest", system_fingerprint: "fp_ollama" };
const usage = { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 };
const lastText = ({ messages }: Request): string => {
  const { content } = messages.at(-1);
  return typeof content === "string" ? content : content.map((part: Request) => part.text ?? "").join("");
};

function chat(exchange: UpstreamExchange, response: ServerResponse, body: Request): void {
  const text = lastText(body);
  if (text.startsWith("refuse"))
    return void json(
      response,
      { error: { message: `invalid options: temperature in ${text}`, type: "invalid_request_error", code: null } },
      400,
    );
  if (text === "fail") return void json(response, { error: { message: "llama runner process has terminated", type: "api_error" } }, 500);
  response.writeHead(200, { "content-type": "text/event-stream", "x-ratelimit-remaining": "7", server: "inner" });
  const event = (choices: unknown[], more: object = {}) =>
    response.write(encodeSse(JSON.stringify({ ...head, object: "chat.completion.chunk", choices, ...more })));
  const say = (delta: object, finish_reason: string | null = null, index = 0) => event([{ index, delta, finish_reason }]);
  const end = () => {
    if (body.stream_options?.include_usage) event([], { usage });
    response.end("data: [DONE]\n\n");
  };
  if (text === "for ever") {
    say({ role: "assistant", content: "on " });
    exchange.gone.addEventListener("abort", () => response.destroy());
    return;
  }
  if (text === "break") {
    say({ role: "assistant", content: "half" });
    response.write(encodeSse(JSON.stringify({ error: { message: "out of memory", type: "api_error" } })));
    return void response.end();
  }
  if (body.tools) {
    const call = {
      index: 0,
      id: "call_1",
      type: "function",
      function: { name: body.tools[0].function.name, arguments: '{"city":"Bern"}' },
    };
    say({ role: "assistant", content: "", tool_calls: [call] });
    say({ role: "assistant", content: "" }, "tool_calls");
    return void end();
  }
  const words = body.response_format ? ['{"said":', `${JSON.stringify(text)}}`] : text.split(/(?<= )/);
  for (let index = 0; index < (body.n ?? 1); index += 1) {
    for (const word of words) say({ role: "assistant", content: word }, null, index);
    say({ role: "assistant", content: "" }, "stop", index);
  }
  end();
}

function complete(response: ServerResponse, { prompt }: Request): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const event = (choices: unknown[], more: object = {}) =>
    response.write(encodeSse(JSON.stringify({ ...head, id: "cmpl-42", object: "text_completion", choices, ...more })));
  for (const word of String(prompt).split(/(?<= )/)) event([{ index: 0, text: word, finish_reason: null }]);
  event([{ index: 0, text: "", finish_reason: "stop" }]);
  event([], { usage });
  response.end("data: [DONE]\n\n");
}

function respond(response: ServerResponse, { input, model }: Request): void {
  const text =
    typeof input === "string"
      ? input
      : input
          .at(-1)
          .content.map((part: Request) => part.text)
          .join("");
  let sequence_number = 0;
  response.writeHead(200, { "content-type": "text/event-stream" });
  const event = (type: string, fields: object) =>
    response.write(encodeSse(JSON.stringify({ type, sequence_number: sequence_number++, ...fields }), type));
  const common = { id: "resp_1", object: "response", created_at: 1_700_000_000, model, error: null, incomplete_details: null, tools: [] };
  const part = { type: "output_text", text, annotations: [], logprobs: [] };
  const item = { id: "msg_1", type: "message", role: "assistant", status: "completed", content: [part] };
  const at = { item_id: "msg_1", output_index: 0, content_index: 0 };
  event("response.created", { response: { ...common, status: "in_progress", output: [] } });
  event("response.output_item.added", { output_index: 0, item: { ...item, status: "in_progress", content: [] } });
  event("response.content_part.added", { ...at, part: { ...part, text: "" } });
  for (const delta of text.split(/(?<= )/)) event("response.output_text.delta", { ...at, delta, logprobs: [] });
  if (text === "for ever") return;
  event("response.output_text.done", { ...at, text, logprobs: [] });
  event("response.content_part.done", { ...at, part });
  event("response.output_item.done", { output_index: 0, item });
  const tokens = {
    input_tokens: 5,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 3,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 8,
  };
  event("response.completed", { response: { ...common, status: "completed", output: [item], usage: tokens } });
  response.end();
}

function embed(response: ServerResponse, { input, model }: Request): void {
  const texts = Array.isArray(input) ? input : [input];
  const data = texts.map((text, index) => ({ object: "embedding", index, embedding: [String(text).length, 0.5, -1] }));
  json(response, { object: "list", data, model, usage: { prompt_tokens: texts.length, total_tokens: texts.length } });
}

function transcribe({ body }: UpstreamExchange, response: ServerResponse): void {
  if (!/name="stream"\r\n\r\ntrue/.test(body)) return void json(response, { text: "hello there" });
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const delta of ["hello ", "there"]) response.write(encodeSse(JSON.stringify({ type: "transcript.text.delta", delta })));
  response.end(encodeSse(JSON.stringify({ type: "transcript.text.done", text: "hello there" })));
}
