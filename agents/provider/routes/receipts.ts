import { AppError } from "@clawcompute/lib/errors";
import { encodeSignedReceipt } from "@clawcompute/lib/protocol";
import type { ProviderContext } from "../context.ts";
import type { RouteHandler } from "./handler.ts";

/** Receipts stay readable for whoever holds a token of their stream, also when the stream is gone. */
export function receiptRoutes({ admission, settlements, callerOf }: ProviderContext): Record<"receipt", RouteHandler> {
  return {
    receipt: async (c) => {
      const { streamId } = await admission.holder(callerOf(c));
      const signed = await settlements.receipt(streamId, c.req.param("requestId") ?? "");
      if (!signed) {
        throw new AppError("NOT_FOUND", "This stream has no receipt of that name.", {
          param: "requestId",
          hint: "Use the answer's x-request-id, and a token of the stream that paid for it.",
        });
      }
      return c.json(encodeSignedReceipt(signed), 200, { "cache-control": "no-store" });
    },
  };
}
