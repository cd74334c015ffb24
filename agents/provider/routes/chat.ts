import { readJson } from "@clawcompute/lib/node";
import { chatRequest } from "@clawcompute/lib/protocol";
import { createChatWork, createCompletionWork } from "../answers/chunkWork.ts";
import { createResponsesWork } from "../answers/responsesWork.ts";
import { completionRequest, responsesRequest } from "../backends/modalities.ts";
import type { ProviderContext } from "../context.ts";
import { assertNoRemoteMedia } from "../remoteMedia.ts";
import { assertOwnTools, assertSelfContained } from "../responsesRules.ts";
import { present } from "../services.ts";
import type { RouteHandler } from "./handler.ts";
import { payAndAnswer } from "./paidAnswer.ts";

/** The routes of text: chat, completions, responses. */
export function chatRoutes(context: ProviderContext): Record<"chatCompletions" | "completions" | "responses", RouteHandler> {
  const { admission, maxBodyBytes } = context;
  return {
    chatCompletions: async (c) => {
      const payer = await admission.payer(context.callerOf(c));
      const given = await readJson(c, chatRequest, maxBodyBytes, context.bodyMs);
      admission.assertModel(payer, given.model, "chatCompletions");
      if (!context.allowRemoteMedia) assertNoRemoteMedia(given.messages, "messages");
      const outputField = given.max_completion_tokens != null ? "max_completion_tokens" : "max_tokens";
      const outputTokens = given[outputField];
      const request = outputTokens == null ? { ...given, ...limited("max_tokens", payer.offer.caps.outputTokens) } : given;
      return payAndAnswer(context, c, {
        payer,
        asked: { prompt: given.messages, promptField: "messages", outputTokens, outputField },
        streamed: request.stream === true,
        work: (about) => createChatWork(payer.offer.backend, request, about),
      });
    },

    completions: async (c) => {
      const payer = await admission.payer(context.callerOf(c));
      const given = await readJson(c, completionRequest, maxBodyBytes, context.bodyMs);
      admission.assertModel(payer, given.model, "completions");
      const { backend, caps } = payer.offer;
      const request = given.max_tokens == null ? { ...given, ...limited("max_tokens", caps.outputTokens) } : given;
      return payAndAnswer(context, c, {
        payer,
        asked: { prompt: given.prompt, promptField: "prompt", outputTokens: given.max_tokens, outputField: "max_tokens" },
        streamed: request.stream === true,
        work: (about) => createCompletionWork(present(backend.completion), request, about),
      });
    },

    responses: async (c) => {
      const payer = await admission.payer(context.callerOf(c));
      const given = await readJson(c, responsesRequest, maxBodyBytes, context.bodyMs);
      admission.assertModel(payer, given.model, "responses");
      assertSelfContained(given);
      assertOwnTools(given);
      if (!context.allowRemoteMedia) assertNoRemoteMedia(given.input, "input");
      const { backend, caps } = payer.offer;
      const outputTokens = typeof given.max_output_tokens === "number" ? given.max_output_tokens : undefined;
      // The next caller must not find what this one said.
      const kept = { ...given, store: false };
      const request = outputTokens === undefined ? { ...kept, ...limited("max_output_tokens", caps.outputTokens) } : kept;
      return payAndAnswer(context, c, {
        payer,
        asked: { prompt: [given.instructions, given.input], promptField: "input", outputTokens, outputField: "max_output_tokens" },
        streamed: request.stream === true,
        work: () => createResponsesWork(present(backend.responses), request),
      });
    },
  };
}

const limited = (field: string, outputTokens: number | undefined) => (outputTokens === undefined ? {} : { [field]: outputTokens });
