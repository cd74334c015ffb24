import { decodePaymentPayload, paymentHeaders } from "@clawcompute/lib/protocol/payments";
import { addressOf, partyOf } from "./rateLimit.ts";
import type { RouteContext } from "./routes/handler.ts";

/** Who asks: what it shows, and where it comes from. */
export interface Caller {
  readonly authorization: string | undefined;
  /** A credential of the Payment scheme. */
  readonly payment: string | undefined;
  /** A payment of x402. */
  readonly x402: string | undefined;
  /** Its own name for this request; nobody else knows it. */
  readonly idempotencyKey?: string | undefined;
  /** Says something with whatever answer it gets, also when that is an error. */
  readonly tell?: (name: string, value: string) => void;
  readonly party: string;
}

export const callerOf = (c: RouteContext, trustedProxies: number): Caller => ({
  authorization: c.req.header("authorization"),
  payment: c.req.header(paymentHeaders.credential) ?? paymentOf(c.req.header("authorization")),
  x402: c.req.header(paymentHeaders.x402Signature),
  idempotencyKey: c.req.header(paymentHeaders.idempotencyKey) ?? identifierOf(c.req.header(paymentHeaders.x402Signature)),
  tell: (name, value) => c.header(name, value),
  party: partyOf(addressOf(c.env?.incoming?.socket?.remoteAddress, c.req.header("x-forwarded-for"), trustedProxies)),
});

const paymentOf = (authorization: string | undefined) => (/^Payment /i.test(authorization ?? "") ? authorization : undefined);

/** x402's extension `payment-identifier`. */
export function identifierOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const extension = decodePaymentPayload(header).extensions?.["payment-identifier"] as { info?: { id?: unknown } } | undefined;
  const id = extension?.info?.id;
  return typeof id === "string" && /^[A-Za-z0-9_-]{16,128}$/.test(id) ? id : undefined;
}
