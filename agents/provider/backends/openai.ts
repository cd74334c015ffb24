import { AppError } from "@clawcompute/lib/errors";
import { type Clock, systemClock } from "@clawcompute/lib/node";
import type { ChatRequest } from "@clawcompute/lib/protocol";
import { type Arriving, arriving } from "./arriving.ts";
import type { Backend } from "./backend.ts";
import { openaiModalities } from "./openaiModalities.ts";
import { chunksOfAnswer, createUpstreamChunks, type UpstreamChunkOptions } from "./upstreamChunks.ts";
import { eventGroupsOf, sendJson } from "./upstreamEvents.ts";
import { collect, createUpstreamHttp, parseIfJson, type UpstreamAnswer, type UpstreamHttp } from "./upstreamHttp.ts";
import { checkTimeouts, defaultTimeouts, type UpstreamTimeouts } from "./upstreamWatch.ts";

export interface OpenaiConfig {
  readonly kind: "openai";
  /** `http://127.0.0.1:11434/v1` and the like; a bare origin means its `/v1`. */
  readonly baseUrl: string;
  readonly apiKey?: string;
  /** What the server calls the offer's model. Default: the same. */
  readonly model?: string;
  readonly timeouts?: Partial<UpstreamTimeouts>;
}

/** Any server that speaks OpenAI's API: Ollama, vLLM, llama.cpp, TGI, LM Studio, OpenRouter. */
export function createOpenaiBackend(config: OpenaiConfig, { clock = systemClock }: { clock?: Clock } = {}): Backend {
  const { apiKey: secret } = config;
  const http = createUpstreamHttp({ baseUrl: config.baseUrl, apiKey: secret, timeouts: { ...defaultTimeouts, ...config.timeouts } }, clock);
  const nameOf = (model: string) => config.model ?? model;
  const stream = createChunkStream(http, nameOf, secret);
  return {
    name: "openai",
    check: (signal) => checkModels(http, config, signal),
    close: async () => http.close(),
    chat: (request, signal) =>
      stream("/chat/completions", request, { model: request.model, object: "chat.completion.chunk", secret }, signal),
    completion: (request, signal) => stream("/completions", request, { model: request.model, object: "text_completion", secret }, signal),
    ...openaiModalities(http, nameOf, secret),
  };
}

type Asked = Pick<ChatRequest, "model" | "stream_options"> & Record<string, unknown>;

/** Requests that are answered with chunks. */
function createChunkStream(http: UpstreamHttp, nameOf: (model: string) => string, secret: string | undefined) {
  let usageRefused = false;

  /** Some servers refuse to be asked for usage; they are asked once and then no more. */
  async function ask(path: string, { stream_options, ...rest }: Asked, signal: AbortSignal): Promise<UpstreamAnswer> {
    const post = (options: object) => sendJson(http, path, { ...rest, model: nameOf(rest.model), stream: true, ...options }, signal);
    if (usageRefused) return await post({});
    try {
      return await post({ stream_options: { ...stream_options, include_usage: true } });
    } catch (error) {
      if (!(error instanceof AppError && error.code === "UPSTREAM_REFUSED" && /stream_options|include_usage/.test(error.message)))
        throw error;
      usageRefused = true;
      return await post({});
    }
  }

  async function* groups(
    path: string,
    request: Asked,
    options: UpstreamChunkOptions,
    signal: AbortSignal,
  ): AsyncGenerator<readonly string[]> {
    const answer = await ask(path, request, signal);
    const chunks = createUpstreamChunks(options);
    const group: string[] = [];
    const put = (event: string | undefined) => {
      if (event !== undefined) group.push(event);
    };
    if (answer.contentType.includes("json")) {
      const whole = parseIfJson((await collect(answer.bytes)).toString("utf8"));
      for (const part of chunksOfAnswer(whole)) put(chunks.takeParsed(part));
    } else {
      try {
        for await (const events of eventGroupsOf(answer, signal, secret)) {
          try {
            for (const { data } of events) put(chunks.take(data));
          } finally {
            // What came before a mistake was said.
            if (group.length > 0) {
              answer.watch.firstToken();
              yield group.splice(0);
            }
          }
        }
      } catch (error) {
        // What comes after the end changes nothing about the answer.
        if (signal.aborted || !chunks.finished()) throw error;
      }
    }
    put(chunks.finished() ? chunks.usage() : undefined);
    if (group.length > 0) yield group;
  }

  return (path: string, request: Asked, options: UpstreamChunkOptions, signal: AbortSignal): Arriving<string> =>
    arriving(groups(path, request, options, signal));
}

async function checkModels(http: UpstreamHttp, { model }: OpenaiConfig, signal: AbortSignal): Promise<void> {
  const listed = await http
    .send({ method: "GET", path: "/models", accept: "application/json", signal, timeouts: checkTimeouts })
    .then(async ({ bytes }) => parseIfJson((await collect(bytes)).toString("utf8")))
    .catch((error) => {
      const status = error instanceof AppError ? error.facts.upstreamStatus : undefined;
      // Not every server lists its models.
      if (status === 404 || status === 405) return undefined;
      if (status !== 401 && status !== 403) throw error;
      throw new AppError("CONFIG_INVALID", `The model server refuses the API key (${status}).`, {
        param: "apiKey",
        hint: "Set the key that this server expects.",
      });
    });
  const names = modelNames(listed);
  if (model === undefined || names === undefined || names.includes(model) || names.includes(`${model}:latest`)) return;
  throw new AppError("CONFIG_INVALID", `The model server does not offer ${model}.`, {
    param: "model",
    facts: { offered: names.slice(0, 10) },
    hint: names.length > 0 ? `It offers: ${names.slice(0, 10).join(", ")}.` : "It offers no model yet; load one first.",
  });
}

function modelNames(listed: unknown): string[] | undefined {
  if (typeof listed !== "object" || listed === null || !("data" in listed) || !Array.isArray(listed.data)) return undefined;
  return listed.data.map((item) => String(item?.id ?? ""));
}
