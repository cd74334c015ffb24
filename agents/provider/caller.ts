import { paymentHeaders } from "@clawcompute/lib/protocol/payments";
import { addressOf, partyOf } from "./rateLimit.ts";
import type { RouteContext } from "./routes/handler.ts";

/** Who asks: what it shows, and where it comes from. */
export interface Caller {
  readonly authorization: string | undefined;
  /** A credential of the Payment scheme. */
  readonly payment: string | undefined;
  /** A payment of x402. */
  readonly x402: string | undefined;
  readonly party: string;
}

export const callerOf = (c: RouteContext, trustedProxies: number): Caller => ({
  authorization: c.req.header("authorization"),
  payment: c.req.header(paymentHeaders.credential) ?? paymentOf(c.req.header("authorization")),
  x402: c.req.header(paymentHeaders.x402Signature),
  party: partyOf(addressOf(c.env?.incoming?.socket?.remoteAddress, c.req.header("x-forwarded-for"), trustedProxies)),
});

const paymentOf = (authorization: string | undefined) => (/^Payment /i.test(authorization ?? "") ? authorization : undefined);
