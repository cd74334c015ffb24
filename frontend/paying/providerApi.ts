import { AppError, fromStranger } from "@clawcompute/lib/errors";
import {
  parseSse,
  type RouteName,
  routes,
  type SessionRequest,
  type SessionResponse,
  type SettleResponse,
  type SseEvent,
  sessionResponse,
  settleResponse,
} from "@clawcompute/lib/protocol";
import { endpointOf } from "@/components/chain/untrusted.ts";

const CALL_MS = 10_000;

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export interface ChatEvents {
  /** Under which the receipt can be asked for when the answer breaks off. */
  readonly requestId: string | undefined;
  readonly events: AsyncIterable<SseEvent>;
}

export interface ChatQuestion {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
}

/** A provider as this page may call it. Every method throws the provider's own error, or PROVIDER_*. */
export interface ProviderApi {
  createSession(proof: SessionRequest): Promise<SessionResponse>;
  settle(token: string): Promise<SettleResponse>;
  chat(token: string, question: ChatQuestion, signal: AbortSignal): Promise<ChatEvents>;
  /** The signed receipt of an earlier answer, as it was sent; not checked. */
  receipt(token: string, requestId: string): Promise<unknown>;
}

/** Throws ENDPOINT_REFUSED. */
export function providerApi(endpoint: string, isLocalChain: boolean): ProviderApi {
  const base = endpointOf(endpoint, isLocalChain);
  if (!base)
    throw new AppError("ENDPOINT_REFUSED", "The offer's endpoint is not one that a page should call.", {
      hint: "Choose another provider.",
    });

  const dial = async (route: RouteName, { token, body, requestId, signal }: DialOptions) => {
    const { method, path: pattern } = routes[route];
    const path = pattern.replace(":requestId", encodeURIComponent(requestId ?? ""));
    let response: Response;
    try {
      response = await fetch(new URL(base.pathname.replace(/\/$/, "") + path, base), {
        method,
        headers: {
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        credentials: "omit",
        referrerPolicy: "no-referrer",
        redirect: "error",
        cache: "no-store",
        signal,
      });
    } catch (cause) {
      throw whyUnanswered(cause as Error, signal);
    }
    if (!response.ok) throw fromStranger(await response.json().catch(() => undefined), response.status);
    return response;
  };
  const call = async <T>(
    route: RouteName,
    schema: { safeParse(value: unknown): { success: true; data: T } | { success: false } },
    options: { token?: string; body?: unknown },
  ): Promise<T> => {
    const response = await dial(route, { ...options, signal: AbortSignal.timeout(CALL_MS) });
    const result = schema.safeParse(await response.json().catch(() => undefined));
    if (!result.success) throw new AppError("PROVIDER_FAILED", `The provider's answer to ${routes[route].path} makes no sense.`);
    return result.data;
  };
  return {
    createSession: (proof) => call("createSession", sessionResponse, { body: proof }),
    settle: (token) => call("settleSession", settleResponse as never, { token, body: {} }),
    receipt: async (token, requestId) => (await dial("receipt", { token, requestId, signal: AbortSignal.timeout(CALL_MS) })).json(),
    chat: async (token, { model, messages }, signal) => {
      const body = { model, messages, stream: true, stream_options: { include_usage: true } };
      const response = await dial("chatCompletions", { token, body, signal });
      if (!response.body || !/^text\/event-stream\b/i.test(response.headers.get("content-type") ?? "")) {
        throw new AppError("PROVIDER_FAILED", "The provider's answer is not an event stream.");
      }
      return { requestId: response.headers.get("x-request-id") ?? undefined, events: parseSse(bytesOf(response.body)) };
    },
  };
}

interface DialOptions {
  readonly token?: string;
  readonly body?: unknown;
  readonly requestId?: string;
  readonly signal: AbortSignal;
}

/** Why a request got no answer at all. */
export function whyUnanswered(cause: Error, signal: AbortSignal): AppError {
  if (cause.name === "TimeoutError") return new AppError("PROVIDER_TIMEOUT", "The provider did not answer in time.", { cause });
  if (signal.aborted) return new AppError("ABORTED", "Stopped on request.", { cause });
  return new AppError("PROVIDER_UNREACHABLE", "The provider cannot be reached.", { cause });
}

export async function* bytesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
