import { createHash } from "node:crypto";
import { readBody } from "@clawcompute/lib/node";
import { paymentHeaders } from "@clawcompute/lib/protocol/payments";
import { identifierOf } from "../caller.ts";
import type { ProviderContext } from "../context.ts";
import { type Claim, isKept, type Kept } from "../payments/replays.ts";
import type { RouteContext } from "./handler.ts";

/** Bodies of requests that may be asked again: read before their payer is known, compared afterwards. */
const digests = new WeakMap<Request, string>();

/** Keeps the digest of the body, when the caller names an idempotency key. */
export async function rememberBody(context: ProviderContext, c: RouteContext): Promise<void> {
  if (keyOf(c) === undefined) return;
  const bytes = await readBody(c, context.maxBodyBytes, context.bodyMs);
  const { method, headers } = c.req.raw;
  c.req.raw = new Request(c.req.url, { method, headers, body: new Uint8Array(bytes) });
  digests.set(c.req.raw, createHash("sha256").update(bytes).digest("base64url"));
}

/** The kept answer, the right to make it, or undefined without a key. Throws IDEMPOTENCY_CONFLICT. */
export async function findReplay({ payments }: ProviderContext, c: RouteContext, payer: string): Promise<Kept | Claim | undefined> {
  const key = keyOf(c);
  const body = digests.get(c.req.raw);
  if (key === undefined || body === undefined) return undefined;
  return payments.replays.begin({ key, method: c.req.method, path: c.req.path, body, payer });
}

export function replayResponse(c: RouteContext, { status, headers, body }: Kept): Response {
  return c.body(new Uint8Array(body), status as 200, { ...headers, "idempotency-replayed": "true", "cache-control": "no-store" });
}

export { isKept };

function keyOf(c: RouteContext): string | undefined {
  return c.req.header(paymentHeaders.idempotencyKey) ?? identifierOf(c.req.header(paymentHeaders.x402Signature));
}
