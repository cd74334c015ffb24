import { AppError } from "@clawcompute/lib/errors";
import { z } from "zod";
import type { Backend } from "./backend.ts";
import type { Media } from "./modalities.ts";
import { midAnswerError } from "./upstreamError.ts";
import { eventsOf, sendJson } from "./upstreamEvents.ts";
import { collect, parseIfJson, type UpstreamAnswer, type UpstreamHttp } from "./upstreamHttp.ts";

const embeddingsAnswer = z.looseObject({
  data: z.array(z.looseObject({ index: z.int().optional(), embedding: z.array(z.number()) })),
  usage: z.looseObject({ prompt_tokens: z.number().optional() }).nullish(),
});

type Modalities = Required<Pick<Backend, "responses" | "embeddings" | "images" | "transcription" | "speech">>;

/** The endpoints beside text, passed through under the server's own name for the model. */
export function openaiModalities(http: UpstreamHttp, nameOf: (model: string) => string, secret: string | undefined): Modalities {
  const read = async (answer: UpstreamAnswer): Promise<unknown> => {
    const body = parseIfJson((await collect(answer.bytes)).toString("utf8"));
    if (typeof body !== "object" || body === null) throw unreadable();
    if ("error" in body && body.error != null) throw midAnswerError(body, secret);
    return body;
  };

  return {
    async embeddings(request, signal) {
      const body = { ...request, model: nameOf(request.model), encoding_format: "float" };
      const parsed = embeddingsAnswer.safeParse(await read(await sendJson(http, "/embeddings", body, signal)));
      if (!parsed.success || parsed.data.data.length !== inputsOf(request.input)) throw unreadable();
      const ordered = parsed.data.data.toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0));
      return { vectors: ordered.map(({ embedding }) => embedding), promptTokens: parsed.data.usage?.prompt_tokens ?? 0 };
    },

    async images(request, signal) {
      return (await read(await sendJson(http, "/images/generations", { ...request, model: nameOf(request.model) }, signal))) as object;
    },

    async *responses(request, signal) {
      const answer = await sendJson(http, "/responses", { ...request, model: nameOf(request.model), stream: true }, signal);
      for await (const { data } of eventsOf(answer, signal, secret)) {
        const event = parseIfJson(data);
        if (typeof event !== "object" || event === null || !("type" in event) || typeof event.type !== "string") throw unreadable();
        if (event.type === "error") throw midAnswerError("error" in event ? event : { error: event }, secret);
        answer.watch.firstToken();
        const own = "response" in event && typeof event.response === "object" && event.response !== null;
        const text = own ? JSON.stringify({ ...event, response: { ...(event.response as object), model: request.model } }) : data;
        yield { event: event.type, data: text };
        // The end of a response is an event of its own; servers need no [DONE] here.
        if (/^response\.(completed|failed|incomplete)$/.test(event.type)) answer.drain();
      }
    },

    async transcription(form, signal) {
      const copy = new FormData();
      for (const [name, value] of form.entries()) if (name !== "model") copy.append(name, value);
      copy.append("model", nameOf(String(form.get("model") ?? "")));
      const encoded = new Response(copy);
      const type = encoded.headers.get("content-type") ?? "multipart/form-data";
      const bytes = Buffer.from(await encoded.arrayBuffer());
      return mediaOf(await http.send({ method: "POST", path: "/audio/transcriptions", body: { type, bytes }, accept: "*/*", signal }));
    },

    async speech(request, signal) {
      return mediaOf(await sendJson(http, "/audio/speech", { ...request, model: nameOf(request.model) }, signal));
    },
  };
}

function mediaOf({ contentType, bytes, watch }: UpstreamAnswer): Media {
  const [type = ""] = contentType.split(";");
  const safe = /^(audio\/[\w.+-]+|application\/(json|octet-stream|x-subrip)|text\/(plain|vtt|event-stream))$/i.test(type.trim());
  return {
    contentType: safe ? contentType : "application/octet-stream",
    bytes: (async function* () {
      for await (const part of bytes) {
        watch.firstToken();
        yield part;
      }
    })(),
  };
}

const inputsOf = (input: unknown): number => (Array.isArray(input) && typeof input[0] !== "number" ? input.length : 1);

function unreadable(): AppError {
  return new AppError("UPSTREAM_FAILED", "The model behind this provider sent something that is no answer.");
}
