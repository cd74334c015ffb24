import { AppError } from "@clawcompute/lib/errors";
import type { ResponsesRequest } from "./backends/modalities.ts";

/** What is kept under the operator's account at the engine belongs to all callers: none may reach for it. Throws UNSUPPORTED. */
export function assertSelfContained(request: ResponsesRequest): void {
  const field = ["previous_response_id", "conversation", "background", "prompt"].find(
    (name) => request[name] != null && request[name] !== false,
  );
  if (field === undefined) return;
  throw new AppError("UNSUPPORTED", "Responses are not kept here.", {
    param: field,
    hint: "Send the whole conversation as input.",
  });
}

/** Tools that the engine's host would run itself spend the operator's money and reach into its network. Throws UNSUPPORTED. */
export function assertOwnTools({ tools }: ResponsesRequest): void {
  const hosted = (Array.isArray(tools) ? tools : []).findIndex(({ type }) => type !== "function" && type !== "custom");
  if (hosted < 0) return;
  throw new AppError("UNSUPPORTED", "Only tools that the caller runs itself are taken.", {
    param: `tools.${hosted}.type`,
    hint: 'Use tools of the type "function".',
  });
}
