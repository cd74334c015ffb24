import { readJson } from "@clawcompute/lib/node";
import { encodeSignedReceipt, type SessionResponse, sessionRequest } from "@clawcompute/lib/protocol";
import type { ProviderContext } from "../context.ts";
import type { RouteHandler } from "./handler.ts";

const MAX_PROOF_BYTES = 32_768;

/** A payer shows its stream and gets a token; later it ends the use of the stream and gets the settlement. */
export function sessionRoutes(context: ProviderContext): Record<"createSession" | "settleSession", RouteHandler> {
  const { sessions, streams, admission, settlements, running, payee, signer, offers, callerOf, attempts } = context;
  return {
    createSession: async (c) => {
      // Before anything that costs: reading, asking the chain, recovering a signature.
      const { party } = callerOf(c);
      attempts.take(party);
      const request = await readJson(c, sessionRequest, MAX_PROOF_BYTES, context.bodyMs);
      admission.assertNotDraining();
      const { token, stream, servedMs, lastReceiptHash } = await sessions.open(request);
      attempts.giveBack(party);
      const { ratePerSecond, end, providerId } = stream.state;
      const model = offers.find((offer) => offer.providerId === providerId)?.terms.model ?? "";
      const body: SessionResponse = {
        token,
        expiresAt: end,
        ratePerSecond: String(ratePerSecond),
        paidUntil: end,
        runwaySeconds: streams.runwayMs(stream) / 1000,
        lastReceiptHash,
        servedMs,
        provider: { id: providerId, model, address: payee, signer },
      };
      return c.json(body, 201, { "cache-control": "no-store" });
    },

    settleSession: async (c) => {
      const { stream } = await admission.party(callerOf(c));
      const letGo = admission.holdLast(stream);
      let settled = false;
      try {
        await running.endAll(stream.id);
        const { settlement, servedMs, lastReceipt } = await settlements.settle({
          id: stream.id,
          ratePerSecond: stream.state.ratePerSecond,
        });
        settled = true;
        return c.json(
          {
            settlement: { ...settlement, streamId: String(settlement.streamId), owed: String(settlement.owed) },
            servedMs,
            ...(lastReceipt ? { lastReceipt: encodeSignedReceipt(lastReceipt) } : {}),
          },
          200,
          { "cache-control": "no-store" },
        );
      } finally {
        letGo(settled);
      }
    },
  };
}
