import { lookup as systemLookup } from "node:dns";
import { type Agent, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { AppError } from "../errors/index.ts";
import { isPublicAddress } from "./privateRanges.ts";

export interface DialLimits {
  /** Name resolution, TCP and TLS together. */
  readonly connectMs: number;
  /** From sending the request to the status line. */
  readonly headersMs: number;
}

export const dialLimits: DialLimits = { connectMs: 3_000, headersMs: 15_000 };

export interface DialRequest {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly headersMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Sends requests to URLs that strangers wrote. */
export interface Dialer {
  /**
   * Resolves with the head of the answer; the body is still to be read or destroyed. Redirects are answers like others and are
   * never followed. Throws ENDPOINT_REFUSED, PROVIDER_UNREACHABLE, PROVIDER_TIMEOUT or ABORTED.
   */
  request(url: URL, request: DialRequest): Promise<IncomingMessage>;
  close(): void;
}

export interface DialerOptions {
  /** For local development only: lets endpoints be private addresses. */
  readonly allowPrivate: boolean;
  readonly limits?: DialLimits;
  readonly lookup?: LookupFunction;
}

export function createDialer({ allowPrivate, limits = dialLimits, lookup = systemLookup as LookupFunction }: DialerOptions): Dialer {
  const guarded = allowPrivate ? lookup : guardLookup(lookup);
  // No limit of connections here: a request that waits for another one's would look like an endpoint that cannot be reached.
  const shared = { keepAlive: true, lookup: guarded };
  const agents: Record<string, Agent> = { "http:": new HttpAgent(shared), "https:": new HttpsAgent(shared) };

  return {
    request: async (url, { method, headers = {}, body, headersMs = limits.headersMs, signal }) => {
      checkUrl(url, allowPrivate);
      if (signal?.aborted) throw aborted(signal);
      return new Promise<IncomingMessage>((resolve, reject) => {
        const send = url.protocol === "https:" ? httpsRequest : httpRequest;
        const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
        const outgoing = send(url, { method, agent: agents[url.protocol], headers: { ...headers, ...length } });
        const fail = (error: AppError) => {
          stop();
          outgoing.destroy();
          reject(error);
        };
        const onAbort = () => fail(aborted(signal));
        const connect = setTimeout(() => fail(unreachable(url, `no connection within ${limits.connectMs} ms`)), limits.connectMs);
        let head: NodeJS.Timeout | undefined;
        const stop = () => {
          clearTimeout(connect);
          clearTimeout(head);
          signal?.removeEventListener("abort", onAbort);
        };
        const connected = () => {
          clearTimeout(connect);
          head ??= setTimeout(() => fail(timedOut(url, `no answer within ${headersMs} ms`)), headersMs);
        };
        outgoing.on("socket", (socket) => {
          if (outgoing.reusedSocket) connected();
          else socket.once(url.protocol === "https:" ? "secureConnect" : "connect", connected);
        });
        // Stays attached for good: a late error of the socket must never be an uncaught one.
        outgoing.on("error", (cause) => fail(cause instanceof AppError ? cause : unreachable(url, reasonOf(cause), cause)));
        outgoing.on("response", (response) => {
          stop();
          response.on("error", () => {});
          resolve(response);
        });
        signal?.addEventListener("abort", onAbort, { once: true });
        outgoing.end(body);
      });
    },
    close: () => {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

/** What can be refused without asking the network: other schemes, credentials in the URL, literal private addresses. */
function checkUrl(url: URL, allowPrivate: boolean): void {
  const refuse = (reason: string, hint?: string) =>
    new AppError("ENDPOINT_REFUSED", `The endpoint ${url.protocol}//${url.host} ${reason}.`, {
      param: "endpoint",
      facts: { host: url.host },
      ...(hint ? { hint } : {}),
    });
  if (url.protocol !== "http:" && url.protocol !== "https:") throw refuse("is not http or https", "Choose another provider.");
  if (url.username !== "" || url.password !== "") throw refuse("carries credentials", "Choose another provider.");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (!allowPrivate && isIP(host) !== 0 && !isPublicAddress(host)) throw refuse("is a private address", privateHint);
}

/**
 * The same resolution, refused as a whole when one address is private. The socket is opened to the very addresses that were
 * checked here, so a name that resolves differently a moment later gains nothing.
 */
export function guardLookup(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    const done = callback as (error: Error | null, address?: unknown, family?: number) => void;
    lookup(hostname, { ...options, all: true }, ((error: NodeJS.ErrnoException | null, found: unknown) => {
      if (error) return done(error);
      const addresses = (Array.isArray(found) ? found : []) as { address: string; family: number }[];
      const refused = addresses.find(({ address }) => !isPublicAddress(address));
      const first = addresses[0];
      if (refused || !first) {
        const reason = refused ? "resolves to a private address" : "has no address";
        return done(
          new AppError(refused ? "ENDPOINT_REFUSED" : "PROVIDER_UNREACHABLE", `The endpoint's host ${hostname} ${reason}.`, {
            param: "endpoint",
            facts: { host: hostname },
            ...(refused ? { hint: privateHint } : {}),
          }),
        );
      }
      if ((options as { all?: boolean }).all) done(null, addresses);
      else done(null, first.address, first.family);
    }) as Parameters<LookupFunction>[2]);
  };
}

const privateHint = "Choose another provider; for local development set ALLOW_PRIVATE_ENDPOINTS=1.";

const hostOf = (url: URL) => ({ host: url.host });

function unreachable(url: URL, reason: string, cause?: unknown): AppError {
  return new AppError("PROVIDER_UNREACHABLE", `The provider at ${url.host} cannot be reached: ${reason}.`, { facts: hostOf(url), cause });
}

function timedOut(url: URL, reason: string): AppError {
  return new AppError("PROVIDER_TIMEOUT", `The provider at ${url.host} is silent: ${reason}.`, { facts: hostOf(url) });
}

function aborted(signal: AbortSignal | undefined): AppError {
  return new AppError("ABORTED", "Stopped on request.", { cause: signal?.reason });
}

function reasonOf(cause: Error): string {
  const { code } = cause as NodeJS.ErrnoException;
  const words: Record<string, string> = {
    ECONNREFUSED: "nothing listens there",
    ENOTFOUND: "its name is not known",
    EAI_AGAIN: "its name cannot be resolved now",
    ECONNRESET: "it closed the connection",
    EPROTO: "it does not speak TLS",
    HPE_INVALID_CONSTANT: "it does not speak HTTP",
  };
  return (code && words[code]) || code || "the connection failed";
}
