import { addressOf, partyOf } from "./rateLimit.ts";
import type { RouteContext } from "./routes/handler.ts";

/** Who asks: what it shows, and where it comes from. */
export interface Caller {
  readonly authorization: string | undefined;
  readonly party: string;
}

export const callerOf = (c: RouteContext, trustedProxies: number): Caller => ({
  authorization: c.req.header("authorization"),
  party: partyOf(addressOf(c.env?.incoming?.socket?.remoteAddress, c.req.header("x-forwarded-for"), trustedProxies)),
});
