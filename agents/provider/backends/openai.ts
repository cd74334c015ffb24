import { AppError } from "@clawcompute/lib/errors";
import { type Clock, systemClock } from "@clawcompute/lib/node";
import { type ChatRequest, parseSse } from "@clawcompute/lib/protocol";
import type { Backend } from "./backend.ts";
import { chunksOfAnswer, createUpstreamChunks } from "./upstreamChunks.ts";
import { midAnswerError } from "./upstreamError.ts";
import { collect, createUpstreamHttp, parseIfJson, type UpstreamAnswer, type UpstreamHttp } from "./upstreamHttp.ts";
import { defaultTimeouts, type UpstreamTimeouts } from "./upstreamWatch.ts";

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
  const { apiKey } = config;
  const http = createUpstreamHttp({ baseUrl: config.baseUrl, apiKey, timeouts: { ...defaultTimeouts, ...config.timeouts } }, clock);
  let usageRefused = false;

  /** Some servers refuse to be asked for usage; they are asked once and then no more. */
  async function ask(request: ChatRequest, signal: AbortSignal): Promise<UpstreamAnswer> {
    const { stream_options: _asked, ...rest } = request;
    const post = (options: object) =>
      sendJson(http, "/chat/completions", { ...rest, model: config.model ?? rest.model, stream: true, ...options }, signal);
    if (usageRefused) return await post({});
    try {
      return await post({ stream_options: { ...request.stream_options, include_usage: true } });
    } catch (error) {
      if (!(error instanceof AppError && error.code === "UPSTREAM_REFUSED" && /stream_options|include_usage/.test(error.message)))
        throw error;
      usageRefused = true;
      return await post({});
    }
  }

  return {
    name: "openai",
    check: (signal) => checkModels(http, config, signal),
    close: async () => http.close(),
    async *chat(request, signal) {
      const answer = await ask(request, signal);
      const chunks = createUpstreamChunks(request.model, apiKey);
      const heard = (event: string | undefined) => {
        if (event !== undefined) answer.watch.firstToken();
        return event;
      };
      if (answer.contentType.includes("json")) {
        const whole = parseIfJson((await collect(answer.bytes)).toString("utf8"));
        for (const part of chunksOfAnswer(whole)) {
          const event = chunks.takeParsed(part);
          if (event !== undefined) yield event;
        }
      } else {
        try {
          for await (const { data, event, comment } of parseSse(answer.bytes)) {
            signal.throwIfAborted();
            if (comment !== undefined) continue;
            if (data === "[DONE]") {
              answer.drain();
              break;
            }
            if (event === "error") throw midAnswerError(parseIfJson(data), apiKey);
            const out = heard(chunks.take(data));
            if (out !== undefined) yield out;
          }
        } catch (error) {
          // What comes after the end changes nothing about the answer.
          if (signal.aborted || !chunks.finished()) throw asUpstream(error);
        }
      }
      const usage = chunks.finished() ? chunks.usage() : undefined;
      if (usage) yield usage;
    },
  };
}

function sendJson(http: UpstreamHttp, path: string, body: object, signal: AbortSignal): Promise<UpstreamAnswer> {
  const bytes = Buffer.from(JSON.stringify(body));
  return http.send({
    method: "POST",
    path,
    body: { type: "application/json", bytes },
    accept: "text/event-stream, application/json",
    signal,
  });
}

/** The event-stream reader's own limit speaks of the provider; here the engine is meant. */
function asUpstream(error: unknown): unknown {
  if (!(error instanceof AppError && error.code === "PROVIDER_FAILED")) return error;
  return new AppError("UPSTREAM_FAILED", "An event of the model behind this provider is too large.", { cause: error });
}

async function checkModels(http: UpstreamHttp, { model }: OpenaiConfig, signal: AbortSignal): Promise<void> {
  const listed = await http
    .send({ method: "GET", path: "/models", accept: "application/json", signal })
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
