import type { IncomingMessage } from "node:http";
import { AppError, fromProblem } from "@clawcompute/lib/errors";
import { type Clock, checkShape, createDialer, type Logger } from "@clawcompute/lib/node";
import { parseSse } from "@clawcompute/lib/protocol";
import { z } from "zod";
import { bytesOf } from "../providerClient.ts";
import type { LocalDecision, LocalEngine } from "./localEngine.ts";

export interface LocalEngineOptions {
  /** Base of its OpenAI routes, such as http://127.0.0.1:11434/v1. */
  readonly url: string;
  readonly apiKey: string | undefined;
  readonly policy: "first" | "race" | "only";
  readonly slots: number;
  readonly maxBytes: number;
  readonly firstTokenMs: number;
  readonly raceAfterMs: number;
  /** Raw units; see LocalPlace. */
  readonly pricePerSecond: bigint;
  readonly clock: Clock;
  readonly logger: Logger;
}

const openaiModels = z.looseObject({ data: z.array(z.looseObject({ id: z.string().max(256) })) });
const ollamaTags = z.looseObject({ models: z.array(z.looseObject({ name: z.string().max(256), size: z.number().optional() })) });

const LOOK_EVERY_MS = 15_000;
const MAX_JSON = 4 * 1_048_576;
const MAX_ANSWER = 64 * 1_048_576;
/** Above this share of its places the network takes over (C-079). */
const BUSY_SHARE = 0.8;

/** An OpenAI-compatible server that its owner configured: its address is trusted, its answers are not. */
export function createLocalEngine(options: LocalEngineOptions): LocalEngine {
  const { url, apiKey, policy, slots, maxBytes, firstTokenMs, raceAfterMs, pricePerSecond, clock, logger } = options;
  const dialer = createDialer({ allowPrivate: true, limits: { connectMs: 1_000, headersMs: firstTokenMs } });
  const headers = { "user-agent": "clawcompute", ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }) };
  let known: { sizes: ReadonlyMap<string, number | undefined>; atMs: number } | undefined;
  let reading: Promise<ReadonlyMap<string, number | undefined>> | undefined;
  let running = 0;

  async function getJson(path: string | URL): Promise<unknown> {
    const response = await dialer.request(new URL(path), { method: "GET", headers, headersMs: 2_000 });
    const text = await textOf(response);
    if (response.statusCode !== 200) throw new AppError("PROVIDER_FAILED", "The own server does not list its models.");
    return JSON.parse(text);
  }

  async function read(): Promise<ReadonlyMap<string, number | undefined>> {
    const listed = checkShape(openaiModels, await getJson(`${url}/models`), "PROVIDER_FAILED").data.map(({ id }) => id);
    // Ollama also says how large they are.
    const tags = await getJson(new URL("/api/tags", url))
      .then((body) => ollamaTags.parse(body).models)
      .catch(() => []);
    const sizes = new Map<string, number | undefined>(listed.map((id) => [id, undefined]));
    for (const { name, size } of tags) sizes.set(name, size);
    for (const [name, size] of [...sizes]) if (name.endsWith(":latest")) sizes.set(name.slice(0, -7), size ?? sizes.get(name.slice(0, -7)));
    return sizes;
  }

  async function sizes(): Promise<ReadonlyMap<string, number | undefined>> {
    if (known && clock.now() - known.atMs < LOOK_EVERY_MS) return known.sizes;
    reading ??= read()
      .catch((thrown: unknown) => {
        logger.info({ code: AppError.from(thrown).code }, "the own server is not there");
        return new Map<string, number | undefined>();
      })
      .then((found) => {
        known = { sizes: found, atMs: clock.now() };
        reading = undefined;
        return found;
      });
    return reading;
  }

  const elsewhere = (reason: string): LocalDecision => ({ kind: policy === "only" ? "refused" : "network", reason });

  return {
    models: async () => [...(await sizes()).keys()],
    decide: async ({ model, providerId }) => {
      if (providerId !== undefined) return elsewhere("a provider was named");
      const models = await sizes();
      const name = model ?? [...models.keys()][0];
      if (name === undefined || !models.has(name)) return elsewhere("the own server does not have the model");
      const size = models.get(name);
      if (size !== undefined && size > maxBytes) return elsewhere("the model is too large for the own server");
      if (running >= slots || (policy !== "only" && slots > 1 && running / slots >= BUSY_SHARE)) return elsewhere("the own server is busy");
      running += 1;
      let held = true;
      return {
        kind: "local",
        reason: "the own server has the model",
        place: {
          model: name,
          only: policy === "only",
          firstTokenMs,
          pricePerSecond,
          raceAfterMs: policy === "race" ? raceAfterMs : undefined,
          chat: async (request, signal) => {
            const body = JSON.stringify({ ...request, model: name, stream: true, stream_options: { include_usage: true } });
            const response = await dialer.request(new URL(`${url}/chat/completions`), {
              method: "POST",
              headers: { ...headers, "content-type": "application/json", accept: "text/event-stream" },
              body,
              signal,
            });
            if (response.statusCode !== 200) throw refusal(await textOf(response), response.statusCode ?? 0);
            return { events: parseSse(bytesOf(response, MAX_ANSWER)), close: () => response.destroy() };
          },
          release: () => {
            if (held) running -= 1;
            held = false;
          },
        },
      };
    },
  };
}

/** What it refuses as the client's fault would be refused elsewhere as well; the rest may work there. */
function refusal(text: string, status: number): AppError {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  const { message } = fromProblem(body, status);
  return new AppError(status === 400 || status === 413 || status === 422 ? "UPSTREAM_REFUSED" : "UPSTREAM_FAILED", message, {
    facts: { status },
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8") as AsyncIterable<string>) {
    text += chunk;
    if (text.length > MAX_JSON) {
      response.destroy();
      throw new AppError("PROVIDER_FAILED", "The own server's answer is too large.");
    }
  }
  return text;
}
