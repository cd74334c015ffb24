import { AppError, toProblem } from "@clawcompute/lib/errors";
import { paymentHeaders, sessionProblems } from "@clawcompute/lib/protocol/payments";
import type { MiddlewareHandler } from "hono";
import type { ProviderContext } from "../context.ts";
import type { RouteContext } from "./handler.ts";
import { rememberBody } from "./replay.ts";

/**
 * Around every paid path: requests without a body manage a payment, unpaid ones learn every way to pay, and problems about payments
 * get the names that other people's clients know.
 */
export function paymentGate(context: ProviderContext): MiddlewareHandler {
  const { payments, callerOf, admission } = context;
  return async (c, next) => {
    if (hasBody(c as unknown as RouteContext)) {
      await rememberBody(context, c as unknown as RouteContext);
      await next();
    } else {
      const managed = await payments.manage(callerOf(c as unknown as RouteContext));
      if (managed) return c.body(null, 204, { ...managed, "cache-control": "no-store" });
      if (c.req.method !== "GET" && c.req.method !== "HEAD") await next();
      else {
        admission.assertNotDraining();
        throw new AppError("TOKEN_MISSING", "This answers to POST, and is paid for.", { facts: admission.howToPay() });
      }
    }
    return undefined;
  };
}

/** What a 402 says beside its body. It stands outside the gate, so that it sees what the gate refuses. */
export function paymentOffers({ payments }: ProviderContext): MiddlewareHandler {
  return async (c, next) => {
    await next();
    const thrown = c.error;
    if (!thrown) return;
    const error = AppError.from(thrown);
    const type = (sessionProblems as Readonly<Record<string, string>>)[error.code];
    const headers = new Headers(c.res.headers);
    if (error.status === 402) {
      const { challenges, x402 } = await payments.ways(c.req.url, error.facts);
      for (const challenge of challenges) headers.append(paymentHeaders.challenge, challenge);
      headers.set(paymentHeaders.x402Required, x402);
    }
    if (error.status !== 402 && !type) return;
    c.res = undefined;
    c.res = new Response(JSON.stringify({ ...toProblem(error), ...(type ? { type } : {}) }), { status: error.status, headers });
  };
}

function hasBody(c: RouteContext): boolean {
  if (c.req.method !== "POST") return false;
  return c.req.header("transfer-encoding") !== undefined || Number(c.req.header("content-length") ?? 0) > 0;
}
