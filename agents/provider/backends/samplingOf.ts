import { AppError } from "@clawcompute/lib/errors";
import type { ChatRequest } from "@clawcompute/lib/protocol";
import { z } from "zod";

/** The fields that engines of our own understand, beyond what the protocol reads of every request. */
const sampling = z.object({
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  seed: z.int().nullish(),
  stop: z.union([z.string().min(1).max(256), z.array(z.string().min(1).max(256)).max(16)]).nullish(),
  response_format: z.looseObject({ type: z.enum(["text", "json_object", "json_schema"]) }).nullish(),
});

export interface Sampling {
  /** 0 = always the likeliest token. */
  readonly temperature: number;
  readonly topP: number | undefined;
  readonly seed: number | undefined;
  readonly stop: readonly string[];
  readonly maxTokens: number | undefined;
  readonly format: { type: "text" | "json_object" | "json_schema"; [field: string]: unknown };
}

type Limits = Partial<Pick<ChatRequest, "n" | "max_tokens" | "max_completion_tokens">>;

/** Reads them; refuses what no engine of our own can do, naming the field. */
export function samplingOf(request: Limits & Record<string, unknown>): Sampling {
  const parsed = sampling.safeParse(request);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const param = issue?.path.join(".") ?? "request";
    throw new AppError("UPSTREAM_REFUSED", `${param}: ${issue?.message ?? "is not valid"}`, { param });
  }
  if ((request.n ?? 1) > 1) throw unsupported("n", "This model gives one answer a request.");
  const choice = request.tool_choice;
  if (choice === "required" || (typeof choice === "object" && choice !== null))
    throw unsupported("tool_choice", "This model cannot be made to call a tool.");
  const { temperature, top_p, seed, stop, response_format } = parsed.data;
  return {
    temperature: temperature ?? 0,
    topP: top_p ?? undefined,
    seed: seed ?? undefined,
    stop: stop == null ? [] : [stop].flat(),
    maxTokens: request.max_completion_tokens ?? request.max_tokens ?? undefined,
    format: response_format ?? { type: "text" },
  };
}

/** The prompt of a completion; several at once are refused. */
export function onePrompt(prompt: string | readonly string[]): string {
  if (typeof prompt === "string") return prompt;
  if (prompt.length === 1 && prompt[0] !== undefined) return prompt[0];
  throw unsupported("prompt", "This model takes one prompt a request.");
}

function unsupported(param: string, message: string): AppError {
  return new AppError("UNSUPPORTED", message, { param });
}
