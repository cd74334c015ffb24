import { AppError } from "@clawcompute/lib/errors";
import { and, eq, gatewayRequests } from "@clawcompute/lib/store";
import { reconcile, type SpendGroup, spend, spendCsv, spendGroups } from "../../ledger/spend.ts";
import { lookBackBlock } from "../../orphans.ts";
import { chooseOffers, service } from "../../selection/choose.ts";
import { parseModelName } from "../../selection/modelName.ts";
import type { RouteContext } from "../broadcast.ts";
import type { GatewayContext } from "../context.ts";
import { explainChoice } from "../explainChoice.ts";

/** What the gateway says about itself; for `claw spend`, `claw why`, `claw models` and people. */
export function ownRoutes(context: GatewayContext) {
  const { access, chat, clock, chain, budget, metrics, books } = context;
  const { pool, choose } = chat;

  const kept = () => {
    if (!books) throw new AppError("UNSUPPORTED", "This gateway keeps no books.");
    return books;
  };
  const sinceOf = (c: RouteContext): number => {
    const days = Number(c.req.query("days") ?? 30);
    if (!(days > 0 && days <= 3_660)) throw new AppError("BAD_REQUEST", "days must be from 1 to 3660.", { param: "days" });
    return clock.now() - days * 86_400_000;
  };
  /** Limits and books are the owner's; clients with keys of their own see their answers' costs only. */
  const owner = (c: RouteContext) => {
    if (access.check(c).owner) return;
    throw new AppError("CLIENT_KEY_UNKNOWN", "Only the gateway's owner may see this.", {
      param: "authorization",
      hint: 'Use GATEWAY_TOKEN, or the key of a client that has "owner": true in GATEWAY_CLIENTS.',
    });
  };

  return {
    health: (c: RouteContext) => c.json({ status: "ok", role: "gateway", chainId: chain.network.chainId }),

    metrics: async (c: RouteContext) => c.text(await metrics.render(), 200, { "content-type": metrics.registry.contentType }),

    status: (c: RouteContext) => {
      owner(c);
      const { heldWei, hourWei, dayWei, totalWei, limits } = budget.report();
      const wei = (amount: bigint | undefined) => (amount === undefined ? null : String(amount));
      return c.json({
        address: context.payer,
        network: chain.network.name,
        chainId: chain.network.chainId,
        asset: choose.asset.address,
        symbol: choose.asset.symbol,
        decimals: choose.asset.decimals,
        spending: {
          heldWei: String(heldWei),
          hourWei: String(hourWei),
          dayWei: String(dayWei),
          totalWei: String(totalWei),
          limits: {
            perRequestWei: wei(limits.perRequest),
            perHourWei: wei(limits.perHour),
            perDayWei: wei(limits.perDay),
            totalWei: wei(limits.total),
          },
        },
        streams: pool.list().map(({ cover, phase, idleMs, holdWei }) => ({
          streamId: cover.id,
          kind: cover.kind,
          providerId: cover.offer.id,
          model: cover.offer.model,
          phase,
          requests: cover.uses,
          ratePerSecondWei: String(cover.ratePerSecond),
          depositWei: String(cover.depositWei),
          /** What is lost at worst, were this process to die now. */
          worstCaseWei: String(holdWei),
          runwayMs: Math.round(cover.runwayMs()),
          idleMs: Math.round(idleMs),
          servedMs: Math.round(cover.busyMs),
        })),
      });
    },

    /** A ranking for a model now, or the one that a request was decided by. */
    why: async (c: RouteContext) => {
      const client = access.check(c);
      const request = c.req.query("request");
      if (request === undefined) {
        const asked = c.req.query("model") ?? "auto";
        const ranked = await chooseOffers(choose, parseModelName(asked), client, service.text);
        return c.json({ asked, chosen: ranked[0]?.offer.id ?? null, ranking: explainChoice(ranked, choose.asset) });
      }
      const { db, chainId, payer } = kept();
      await context.ledger.flush();
      const [row] = await db
        .select()
        .from(gatewayRequests)
        .where(
          and(eq(gatewayRequests.requestId, request.slice(0, 64)), eq(gatewayRequests.chainId, chainId), eq(gatewayRequests.payer, payer)),
        );
      if (!row || (!client.owner && row.client !== client.name))
        throw new AppError("NOT_FOUND", "There is no such request.", { param: "request" });
      return c.json({
        request: row.requestId,
        asked: row.asked,
        chosen: row.providerId,
        model: row.model,
        outcome: row.outcome,
        costWei: String(row.costWei),
        attempts: row.attempts,
        ranking: row.choice ?? [],
      });
    },

    spend: async (c: RouteContext) => {
      owner(c);
      await context.ledger.flush();
      if (c.req.query("format") === "csv") {
        return c.body(await spendCsv(kept(), sinceOf(c)), 200, { "content-type": "text/csv; charset=utf-8" });
      }
      const by = (c.req.query("by") ?? "day") as SpendGroup;
      if (!spendGroups.includes(by)) throw new AppError("BAD_REQUEST", `by must be one of ${spendGroups.join(", ")}.`, { param: "by" });
      const { symbol, decimals } = choose.asset;
      const report = await spend(kept(), { by, sinceMs: sinceOf(c) });
      return c.body(JSON.stringify({ symbol, decimals, gasSymbol: chain.network.nativeSymbol, ...report }, decimal), 200, {
        "content-type": "application/json",
      });
    },

    reconcile: async (c: RouteContext) => {
      owner(c);
      await context.ledger.flush();
      const from = await lookBackBlock(chain, context.lookBackSeconds);
      const open = new Set(pool.list().map(({ cover }) => cover.id));
      return c.json(await reconcile(kept(), chain, from, open));
    },

    /** Ends every stream now; requests that are under way end as when money runs out. */
    stop: async (c: RouteContext) => {
      owner(c);
      const ended = pool.list().map(({ cover }) => cover.id);
      await pool.endOpen();
      return c.json({ ended });
    },
  };
}

const decimal = (_: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);
