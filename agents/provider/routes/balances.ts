import type { ProviderContext } from "../context.ts";
import type { RouteHandler } from "./handler.ts";

/** What a bearer of a balance may ask beside answers: what became of the money, and the rest of it back. */
export function balanceRoutes({ payments, callerOf }: ProviderContext): Record<"balance" | "closeBalance", RouteHandler> {
  const noStore = { "cache-control": "no-store" };
  return {
    balance: async (c) => c.json(await payments.statement(callerOf(c)), 200, noStore),
    closeBalance: async (c) => c.json(await payments.closeBalance(callerOf(c)), 200, noStore),
  };
}
