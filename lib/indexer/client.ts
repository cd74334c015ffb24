import { AppError, fromProblem } from "../errors/index.ts";
import { type IndexerAnswer, type IndexerInput, type IndexerRoute, type IndexerRouteName, indexerRoutes } from "./routes.ts";

export interface IndexerClientOptions {
  readonly url: string;
  readonly fetch?: typeof globalThis.fetch;
  /** Limit of one request. Default 10 s. */
  readonly timeoutMs?: number;
}

export interface IndexerClient {
  /** Throws the indexer's own error, INDEXER_UNAVAILABLE, or INDEXER_UNAVAILABLE when the answer is not of the route's form. */
  get<N extends Exclude<IndexerRouteName, "live">>(
    route: N,
    input?: IndexerInput<N>,
    options?: { signal?: AbortSignal },
  ): Promise<IndexerAnswer<N>>;
  /** The address of a route, for links and EventSource. */
  urlOf<N extends IndexerRouteName>(route: N, input?: IndexerInput<N>): string;
}

/** Reads from an indexer; browser-safe. Answers are checked, because anybody may run an indexer. */
export function createIndexerClient({ url, fetch = globalThis.fetch, timeoutMs = 10_000 }: IndexerClientOptions): IndexerClient {
  const base = url.replace(/\/+$/, "");

  function urlOf<N extends IndexerRouteName>(name: N, input: IndexerInput<N> = {} as IndexerInput<N>): string {
    const left: Record<string, unknown> = { ...(input as object) };
    const path = indexerRoutes[name].path.replaceAll(/:(\w+)/g, (_, key: string) => {
      const value = left[key];
      delete left[key];
      return encodeURIComponent(String(value));
    });
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(left)) if (value !== undefined) query.set(key, String(value));
    return `${base}${path}${query.size > 0 ? `?${query}` : ""}`;
  }

  return {
    urlOf,
    get: async (name, input, { signal } = {}) => {
      const limit = AbortSignal.timeout(timeoutMs);
      const route: IndexerRoute = indexerRoutes[name];
      let body: unknown;
      try {
        const response = await fetch(urlOf(name, input), { signal: signal ? AbortSignal.any([signal, limit]) : limit });
        body = await response.json();
        if (!response.ok) throw fromProblem(body, response.status, "INDEXER_UNAVAILABLE");
      } catch (thrown) {
        if (thrown instanceof AppError) throw thrown;
        if (signal?.aborted) throw new AppError("ABORTED", "The question to the indexer was given up.", { cause: thrown });
        throw new AppError("INDEXER_UNAVAILABLE", "The indexer does not answer.", { cause: thrown });
      }
      const answer = route.response.safeParse(body);
      if (!answer.success) {
        const field = answer.error.issues[0]?.path.join(".") ?? "";
        throw new AppError("INDEXER_UNAVAILABLE", "The indexer's answer is not of the agreed form.", { facts: { route: name, field } });
      }
      return answer.data as never;
    },
  };
}
