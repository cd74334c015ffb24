import { readJson } from "@clawcompute/lib/node";
import { inferenceRequest } from "@clawcompute/lib/protocol";
import { createChatWork } from "../answers/chunkWork.ts";
import type { ProviderContext } from "../context.ts";
import type { RouteHandler } from "./handler.ts";
import { payAndAnswer } from "./paidAnswer.ts";

/** One prompt in, one text out: the same answer as a chat of one message, paid the same way. */
export function inferenceRoutes(context: ProviderContext): Record<"inference", RouteHandler> {
  const { admission, clock, maxBodyBytes, payee } = context;
  return {
    inference: async (c) => {
      const payer = await admission.payer(context.callerOf(c));
      const { prompt, model } = await readJson(c, inferenceRequest, maxBodyBytes, context.bodyMs);
      admission.assertModel(payer, model, "inference");
      const { backend, terms, caps } = payer.offer;
      const startedAtMs = clock.now();
      const limit = caps.outputTokens === undefined ? {} : { max_tokens: caps.outputTokens };
      const request = { model: terms.model, messages: [{ role: "user", content: prompt }], ...limit };
      return payAndAnswer(context, c, {
        payer,
        asked: { prompt, promptField: "prompt" },
        streamed: false,
        work: (about) => createChatWork(backend, request, about),
        compose: (work) => ({
          contentType: "application/json",
          bytes: JSON.stringify({ result: work.text(), model: terms.model, durationMs: clock.now() - startedAtMs, provider: payee }),
        }),
      });
    },
  };
}
