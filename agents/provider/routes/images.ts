import { readJson } from "@clawcompute/lib/node";
import { createWholeWork } from "../answers/wholeWork.ts";
import { imagesRequest } from "../backends/modalities.ts";
import type { ProviderContext } from "../context.ts";
import { present } from "../services.ts";
import type { RouteHandler } from "./handler.ts";
import { payAndAnswer } from "./paidAnswer.ts";

export function imageRoutes(context: ProviderContext): Record<"images", RouteHandler> {
  const { admission, maxBodyBytes } = context;
  return {
    images: async (c) => {
      const payer = await admission.payer(context.callerOf(c));
      const { stream: _, ...request } = await readJson(c, imagesRequest, maxBodyBytes, context.bodyMs);
      admission.assertModel(payer, request.model, "images");
      let count = 0;
      return payAndAnswer(context, c, {
        payer,
        asked: { prompt: request.prompt, promptField: "prompt" },
        streamed: false,
        work: () =>
          createWholeWork({
            run: async (signal) => {
              const answer = await present(payer.offer.backend.images)(request, signal);
              if ("data" in answer && Array.isArray(answer.data)) count = answer.data.length;
              return { contentType: "application/json", bytes: JSON.stringify(answer) };
            },
            units: () => ({ unitsIn: request.prompt.length, unitsOut: count }),
          }),
      });
    },
  };
}
