import { readJson } from "@clawcompute/lib/node";
import { inferenceRequest } from "@clawcompute/lib/protocol";
import type { ProviderContext } from "../context.ts";
import { answerWhole, TEXT_SERVICE } from "./chat.ts";
import type { RouteHandler } from "./handler.ts";

/** One prompt in, one text out: the same answer as a chat of one message, paid the same way. */
export function inferenceRoutes(context: ProviderContext): Record<"inference", RouteHandler> {
  const { admission, clock, maxBodyBytes, payee } = context;
  return {
    inference: async (c) => {
      const payer = await admission.payer(c.req.header("authorization"));
      const { prompt, model } = await readJson(c, inferenceRequest, maxBodyBytes);
      admission.assertModel(payer, model, TEXT_SERVICE);
      const startedAtMs = clock.now();
      const request = { model: payer.offer.terms.model, messages: [{ role: "user", content: prompt }] };
      return answerWhole(context, c, payer, request, (completion, head) => ({
        result: completion.text(),
        model: head.model,
        durationMs: clock.now() - startedAtMs,
        provider: payee,
      }));
    },
  };
}
