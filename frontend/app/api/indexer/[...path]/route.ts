import { AppError, toProblem } from "@clawcompute/lib/errors";
import { type IndexerRoute, indexerRoutes } from "@clawcompute/lib/indexer";
import { runtimeConfig } from "@/web3/runtimeNetwork.ts";

const WITHIN_MS = 8000;
const LONGEST_QUERY = 2000;
const passed = ["content-type", "etag", "cache-control"];
/** What a path of the indexer's looks like; the live feed is left out, because it would hold a connection for each tab. */
const patterns = Object.values<IndexerRoute>(indexerRoutes)
  .filter(({ kind }) => kind !== "events")
  .map(({ path }) => new RegExp(`^${path.replaceAll(/:\w+/g, "[0-9a-zA-Z]{1,66}")}$`));

/** The indexer's read-only API under the page's own origin, so that the page needs no leave to talk to anybody else. */
export async function GET(request: Request, { params }: { params: Promise<{ path: string[] }> }): Promise<Response> {
  const { indexerUrl } = runtimeConfig();
  const path = `/${(await params).path.join("/")}`;
  const { search } = new URL(request.url);
  if (indexerUrl === undefined || search.length > LONGEST_QUERY || !patterns.some((pattern) => pattern.test(path)))
    return problem(new AppError("NOT_FOUND", "The indexer has no such route here."));
  const known = request.headers.get("if-none-match");
  try {
    const answer = await fetch(`${indexerUrl}${path}${search}`, {
      headers: known === null ? {} : { "if-none-match": known },
      signal: AbortSignal.any([request.signal, AbortSignal.timeout(WITHIN_MS)]),
      redirect: "error",
      cache: "no-store",
    });
    const headers = new Headers();
    for (const name of passed) {
      const value = answer.headers.get(name);
      if (value !== null) headers.set(name, value);
    }
    return new Response(answer.body, { status: answer.status, headers });
  } catch (cause) {
    return problem(new AppError("INDEXER_UNAVAILABLE", "The indexer does not answer.", { cause }));
  }
}

const problem = (error: AppError) =>
  Response.json(toProblem(error), { status: error.status, headers: { "content-type": "application/problem+json" } });
