import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { AppError, fromStranger } from "@clawcompute/lib/errors";
import { checkShape, type Dialer } from "@clawcompute/lib/node";
import {
  type ChatRequest,
  decodeSignedReceipt,
  type HealthResponse,
  headers,
  healthResponse,
  parseSse,
  type RouteName,
  routes,
  type SessionRequest,
  type SessionResponse,
  type SettleResponse,
  type SignedReceipt,
  type SseEvent,
  sessionResponse,
  settleResponse,
} from "@clawcompute/lib/protocol";
import { z } from "zod";

export interface ClientLimits {
  /** Whole time of a JSON call. */
  readonly callMs: number;
  /** The same for asking whether somebody is there. */
  readonly healthMs: number;
  readonly jsonBytes: number;
  /** Whole answer, everything counted. */
  readonly answerBytes: number;
}

export const clientLimits: ClientLimits = { callMs: 10_000, healthMs: 3_000, jsonBytes: 1_048_576, answerBytes: 64 * 1_048_576 };

/** An answer under way. Ends early, without an error, when the connection breaks. */
export interface ChatStream {
  readonly events: AsyncIterable<SseEvent>;
  /** Closes the connection; the provider stops its meter. */
  close(): void;
}

/** One provider as its payer sees it: one method for each row of the protocol's route table that a payer uses. */
export interface ProviderClient {
  readonly base: URL;
  health(signal?: AbortSignal): Promise<HealthResponse>;
  /** What it says of its offers beside what the registry knows. */
  announced(signal?: AbortSignal): Promise<readonly AnnouncedOffer[]>;
  createSession(proof: SessionRequest, signal?: AbortSignal): Promise<SessionResponse>;
  /** Ends the stream's use and signs what is owed. */
  settle(token: string, signal?: AbortSignal): Promise<SettleResponse>;
  receipt(token: string, requestId: string, signal?: AbortSignal): Promise<SignedReceipt>;
  chat(proof: Proof, request: ChatRequest, options?: ChatOptions): Promise<ChatStream>;
  /** Any other paid route, bytes in and bytes out. The head of a good answer; the body is still to be read or destroyed. */
  send(proof: Proof, path: string, request: SendRequest): Promise<IncomingMessage>;
  /** How the chat route can be paid: the head of its 402. */
  terms(signal: AbortSignal): Promise<IncomingHttpHeaders>;
  /** Says something about a payment without asking for an answer: the head of what comes back. */
  manage(proof: Proof, signal: AbortSignal): Promise<IncomingHttpHeaders>;
}

/** Headers that show who pays. */
export type Proof = Readonly<Record<string, string>>;

export const bearer = (token: string): Proof => ({ authorization: `Bearer ${token}` });

export interface AnnouncedOffer {
  readonly providerId: number | null;
  readonly contextTokens?: number | null | undefined;
}

const announcedModels = z.looseObject({
  data: z.array(
    z.looseObject({ clawcompute: z.looseObject({ providerId: z.int().nullable(), contextTokens: z.int().positive().nullish() }) }),
  ),
});

export interface SendRequest {
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly accept: string;
  readonly headersMs: number;
  readonly signal: AbortSignal;
}

export interface ChatOptions {
  /** Asks for the final settlement together with the receipt. */
  readonly settle?: boolean;
  /** Until the head of the answer. */
  readonly headersMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Every method throws the provider's own error as an AppError, PROVIDER_FAILED for anything malformed, or the dialer's errors. */
export function createProviderClient(endpoint: string, dialer: Dialer, limits: ClientLimits = clientLimits): ProviderClient {
  const base = baseUrlOf(endpoint);

  const dial = (name: RouteName, options: CallOptions = {}) => {
    const { method, path } = routes[name];
    const { token, body, params = {}, headersMs, signal, extra = {} } = options;
    const filled = path.replace(/:(\w+)/g, (_, key: string) => encodeURIComponent(params[key] ?? ""));
    return dialer.request(new URL(base.pathname.replace(/\/$/, "") + filled, base), {
      method,
      headers: {
        accept: "application/json",
        "user-agent": "clawcompute",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...extra,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(headersMs === undefined ? {} : { headersMs }),
      signal,
    });
  };

  const call = async (name: RouteName, options: CallOptions = {}): Promise<unknown> => {
    const withinMs = name === "health" ? limits.healthMs : limits.callMs;
    const limit = AbortSignal.timeout(withinMs);
    const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit;
    try {
      const response = await dial(name, { ...options, signal });
      const body = await readJson(response, limits.jsonBytes, signal);
      const status = response.statusCode ?? 0;
      if (status < 200 || status > 299) throw refusal(body, response);
      return body;
    } catch (thrown) {
      if (!limit.aborted || options.signal?.aborted) throw thrown;
      throw new AppError("PROVIDER_TIMEOUT", `The provider at ${base.host} did not answer ${routes[name].path} within ${withinMs} ms.`);
    }
  };

  /** The chat route without a body. Throws the provider's refusal when the status is not the one that is wanted. */
  const bare = async (method: "GET" | "POST", proof: Proof, signal: AbortSignal, wanted: (status: number) => boolean) => {
    const url = new URL(base.pathname.replace(/\/$/, "") + routes.chatCompletions.path, base);
    const response = await dialer.request(url, {
      method,
      headers: { accept: "application/json", "user-agent": "clawcompute", ...proof },
      signal,
    });
    const body = await readJson(response, limits.jsonBytes, signal);
    if (!wanted(response.statusCode ?? 0)) throw refusal(body, response);
    return response;
  };

  const checked = async <S extends z.ZodType>(name: RouteName, schema: S, options: CallOptions = {}): Promise<z.output<S>> =>
    checkShape(schema, await call(name, options), "PROVIDER_FAILED");

  return {
    base,
    health: (signal) => checked("health", healthResponse, { signal }),
    announced: async (signal) => (await checked("models", announcedModels, { signal })).data.map(({ clawcompute }) => clawcompute),
    createSession: (proof, signal) => checked("createSession", sessionResponse, { body: proof, signal }),
    settle: (token, signal) => checked("settleSession", settleResponse, { token, signal }),
    receipt: async (token, requestId, signal) => decodeSignedReceipt(await call("receipt", { token, params: { requestId }, signal })),
    terms: async (signal) => {
      const { headers } = await bare("GET", {}, signal, (status) => status === 402);
      return headers;
    },
    manage: async (proof, signal) => {
      const { headers } = await bare("POST", proof, signal, (status) => status >= 200 && status <= 299);
      return headers;
    },
    send: async (proof, path, { body, contentType, accept, headersMs, signal }) => {
      const response = await dialer.request(new URL(base.pathname.replace(/\/$/, "") + path, base), {
        method: "POST",
        headers: { accept, "user-agent": "clawcompute", "content-type": contentType, ...proof },
        body,
        headersMs,
        signal,
      });
      if (response.statusCode === 200) return response;
      throw refusal(await readJson(response, limits.jsonBytes, AbortSignal.timeout(limits.callMs)), response);
    },
    chat: async (proof, request, { settle = false, headersMs, signal } = {}) => {
      const extra = { accept: "text/event-stream", ...proof, ...(settle ? { [headers.settle]: "1" } : {}) };
      const body = { ...request, stream: true, stream_options: { include_usage: true } };
      const response = await dial("chatCompletions", { body, extra, signal, ...(headersMs === undefined ? {} : { headersMs }) });
      if (response.statusCode !== 200)
        throw refusal(await readJson(response, limits.jsonBytes, AbortSignal.timeout(limits.callMs)), response);
      if (!/^text\/event-stream\b/i.test(response.headers["content-type"] ?? "")) {
        response.destroy();
        throw new AppError("PROVIDER_FAILED", "The provider's answer is not an event stream.");
      }
      return { events: parseSse(bytesOf(response, limits.answerBytes)), close: () => response.destroy() };
    },
  };
}

interface CallOptions {
  readonly token?: string;
  readonly body?: unknown;
  readonly params?: Readonly<Record<string, string>>;
  readonly headersMs?: number;
  readonly extra?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Where a provider's routes begin. Offers name the base URL, but also the address of one of its routes, as older ones do.
 * Throws ENDPOINT_REFUSED when it is no URL.
 */
export function baseUrlOf(endpoint: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (!url)
    throw new AppError("ENDPOINT_REFUSED", "The offer's endpoint is not a URL.", { param: "endpoint", hint: "Choose another provider." });
  url.search = "";
  url.hash = "";
  url.pathname = url.pathname.replace(/\/+$/, "").replace(/\/(inference|v1\/chat\/completions|v1)$/, "");
  return url;
}

function refusal(body: unknown, response: IncomingMessage): AppError {
  const status = response.statusCode ?? 0;
  if (status >= 300 && status < 400) return new AppError("PROVIDER_FAILED", "The provider answers with a redirect, which is not followed.");
  return fromStranger(body, status);
}

/** The body as JSON, or undefined when it is none: an error's status says enough. */
async function readJson(response: IncomingMessage, maxBytes: number, signal: AbortSignal): Promise<unknown> {
  const parts: Uint8Array[] = [];
  const cut = () => response.destroy();
  signal.addEventListener("abort", cut, { once: true });
  try {
    for await (const part of bytesOf(response, maxBytes)) parts.push(part);
  } finally {
    signal.removeEventListener("abort", cut);
  }
  if (signal.aborted) throw new AppError("ABORTED", "Stopped on request.", { cause: signal.reason });
  try {
    return JSON.parse(Buffer.concat(parts).toString("utf8"));
  } catch {
    return undefined;
  }
}

/** A broken connection ends it like any other end; whether something is missing shows in the content. Throws PROVIDER_FAILED above `maxBytes`. */
export async function* bytesOf(response: IncomingMessage, maxBytes: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.byteLength;
      if (size > maxBytes) throw new AppError("PROVIDER_FAILED", `The provider's answer is larger than ${maxBytes} bytes.`);
      yield chunk;
    }
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown;
  } finally {
    response.destroy();
  }
}
