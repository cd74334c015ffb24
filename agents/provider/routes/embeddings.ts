import { readJson } from "@clawcompute/lib/node";
import { createWholeWork } from "../answers/wholeWork.ts";
import { embeddingsBody, embeddingsRequest } from "../backends/modalities.ts";
import type { ProviderContext } from "../context.ts";
import { present } from "../services.ts";
import type { RouteHandler } from "./handler.ts";
import { payAndAnswer } from "./paidAnswer.ts";

export function embeddingRoutes(context: ProviderContext): Record<"embeddings", RouteHandler> {
  const { admission, maxBodyBytes } = context;
  return {
    embeddings: async (c) => {
      const payer = await admission.payer(context.callerOf(c));
      const request = await readJson(c, embeddingsRequest, maxBodyBytes, context.bodyMs);
      admission.assertModel(payer, request.model, "embeddings");
      let units = { unitsIn: 0, unitsOut: 0 };
      return payAndAnswer(context, c, {
        payer,
        asked: { prompt: request.input, promptField: "input", apart: true },
        streamed: false,
        work: () =>
          createWholeWork({
            inTokens: true,
            run: async (signal) => {
              const embeddings = await present(payer.offer.backend.embeddings)(request, signal);
              units = { unitsIn: embeddings.promptTokens, unitsOut: 0 };
              return { contentType: "application/json", bytes: JSON.stringify(embeddingsBody(request, embeddings)) };
            },
            units: () => units,
          }),
      });
    },
  };
}
