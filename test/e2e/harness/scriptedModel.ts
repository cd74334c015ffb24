import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** What the model does in one turn: calls of tools one after another, then the last result as its answer. */
export interface ScriptedCall {
  readonly tool: string;
  readonly arguments: Record<string, unknown>;
}

interface Message {
  readonly role: string;
  readonly content?: unknown;
  readonly tool_calls?: readonly unknown[];
}

export interface ScriptedModel {
  readonly url: string;
  /** Every request's messages, as they came. */
  readonly requests: (readonly Message[])[];
  /** What the next conversation does. */
  play(calls: readonly ScriptedCall[]): void;
  close(): Promise<void>;
}

/** An OpenAI-compatible model server whose decisions are given: which step comes next follows from the conversation alone. */
export async function startScriptedModel(name: string): Promise<ScriptedModel> {
  const requests: (readonly Message[])[] = [];
  let script: readonly ScriptedCall[] = [];
  const server = createServer(async (request, response) => {
    if (request.method === "GET") {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ object: "list", data: [{ id: name, object: "model", owned_by: "test" }] }));
      return;
    }
    const { messages, stream } = (await readJson(request)) as { messages: readonly Message[]; stream?: boolean };
    requests.push(messages);
    const done = messages.filter(({ tool_calls }) => tool_calls?.length).length;
    const call = script[done];
    const result = textOf(messages.findLast(({ role }) => role === "tool")?.content);
    const id = `chatcmpl-${requests.length}`;
    const head = { id, created: Math.floor(Date.now() / 1000), model: name };
    const toolCall = call && {
      id: `call${done}`,
      type: "function",
      function: { name: call.tool, arguments: JSON.stringify(call.arguments) },
    };
    const text = script.length === 0 ? "nothing to do" : `done: ${result}`;
    const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
    const finish = call ? "tool_calls" : "stop";
    if (!stream) {
      const message = { role: "assistant", content: call ? null : text, ...(toolCall ? { tool_calls: [toolCall] } : {}) };
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ ...head, object: "chat.completion", choices: [{ index: 0, message, finish_reason: finish }], usage }));
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    const send = (choices: unknown, more: object = {}) =>
      response.write(`data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", choices, ...more })}\n\n`);
    send([{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }]);
    send([{ index: 0, delta: toolCall ? { tool_calls: [{ index: 0, ...toolCall }] } : { content: text }, finish_reason: null }]);
    send([{ index: 0, delta: {}, finish_reason: finish }]);
    send([], { usage });
    response.end("data: [DONE]\n\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    play: (calls) => {
      script = calls;
      requests.splice(0);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return JSON.parse(Buffer.concat(parts).toString("utf8"));
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  return Array.isArray(content) ? content.map((part) => (part as { text?: string }).text ?? "").join("") : "";
}
