import { AppError } from "@clawcompute/lib/errors";
import { checkShape, readBody, readJson } from "@clawcompute/lib/node";
import { z } from "zod";
import { createMediaEventWork } from "../answers/mediaEventWork.ts";
import { createWholeWork } from "../answers/wholeWork.ts";
import type { Body } from "../answers/work.ts";
import { type Media, speechRequest } from "../backends/modalities.ts";
import type { ProviderContext } from "../context.ts";
import { present } from "../services.ts";
import type { RouteContext, RouteHandler } from "./handler.ts";
import { payAndAnswer } from "./paidAnswer.ts";

/** OpenAI takes recordings of up to 25 MB. */
const MAX_RECORDING = 26 * 1_048_576;
/** A long recording over a slow line takes its time. */
const RECORDING_MS = 120_000;
const MAX_FIELDS = 32;

const fields = z.object({ model: z.string().min(1).max(256), file: z.instanceof(Blob, { message: "must be a file" }) });

export function audioRoutes(context: ProviderContext): Record<"transcriptions" | "speech", RouteHandler> {
  const { admission, maxBodyBytes } = context;
  return {
    transcriptions: async (c) => {
      const payer = await admission.payer(context.callerOf(c));
      const form = await readForm(c, Math.max(maxBodyBytes, MAX_RECORDING), Math.max(context.bodyMs, RECORDING_MS));
      const { model, file } = checkShape(fields, Object.fromEntries(form));
      admission.assertModel(payer, model, "transcriptions");
      const streamed = form.get("stream") === "true";
      const run = (signal: AbortSignal) => present(payer.offer.backend.transcription)(form, signal);
      return payAndAnswer(context, c, {
        payer,
        asked: { prompt: form.get("prompt") ?? "", promptField: "prompt" },
        streamed,
        work: () =>
          streamed
            ? createMediaEventWork({ run, done: "transcript.text.done", unitsIn: file.size })
            : createWholeWork({
                run: async (signal) => wholeOf(await run(signal)),
                units: ({ bytes }) => ({ unitsIn: file.size, unitsOut: bytes.length }),
              }),
      });
    },

    speech: async (c) => {
      const payer = await admission.payer(context.callerOf(c));
      const request = await readJson(c, speechRequest, maxBodyBytes, context.bodyMs);
      admission.assertModel(payer, request.model, "speech");
      const streamed = request.stream_format === "sse";
      const run = (signal: AbortSignal) => present(payer.offer.backend.speech)(request, signal);
      const unitsIn = request.input.length;
      return payAndAnswer(context, c, {
        payer,
        asked: { prompt: request.input, promptField: "input" },
        streamed,
        work: () =>
          streamed
            ? createMediaEventWork({ run, done: "speech.audio.done", unitsIn })
            : createWholeWork({
                run: async (signal) => wholeOf(await run(signal)),
                units: ({ bytes }) => ({ unitsIn, unitsOut: bytes.length }),
              }),
      });
    },
  };
}

async function wholeOf({ contentType, bytes }: Media): Promise<Body> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return { contentType, bytes: Buffer.concat(parts) };
}

/** Throws BAD_REQUEST when it is no form, or has too many fields, or one of them twice where that means nothing. */
async function readForm(c: RouteContext, maxBytes: number, withinMs: number): Promise<FormData> {
  const type = c.req.header("content-type") ?? "";
  const wrong = (message: string, cause?: unknown) =>
    new AppError("BAD_REQUEST", message, { param: "body", hint: "Send multipart/form-data with file and model.", cause });
  if (!/^multipart\/form-data;/i.test(type)) throw wrong("The body must be multipart/form-data.");
  const bytes = await readBody(c, maxBytes, withinMs);
  const form = await new Response(new Uint8Array(bytes), { headers: { "content-type": type } }).formData().catch((cause) => {
    throw wrong("The form cannot be read.", cause);
  });
  if ([...form.keys()].length > MAX_FIELDS) throw wrong(`The form has more than ${MAX_FIELDS} fields.`);
  return form;
}
