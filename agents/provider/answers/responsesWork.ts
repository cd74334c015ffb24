import { AppError, toProblem } from "@clawcompute/lib/errors";
import { type EndReason, RECEIPT_KEY } from "@clawcompute/lib/protocol";
import type { Backend } from "../backends/backend.ts";
import type { ResponsesRequest } from "../backends/modalities.ts";
import { RECEIPT_EVENT } from "./receiptEvent.ts";
import type { Piece, Units, Work } from "./work.ts";

type Fields = Record<string, unknown>;
const fieldsOf = (value: unknown): Fields => (typeof value === "object" && value !== null ? (value as Fields) : {});
const countOf = (value: unknown): number => (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : 0);
const listOf = (value: unknown): Fields[] => (Array.isArray(value) ? value.map(fieldsOf) : []);

/** The events of OpenAI's Responses API. The last one holds the whole response, which is the body of an answer in one piece. */
export function createResponsesWork(run: NonNullable<Backend["responses"]>, request: ResponsesRequest): Work {
  /** As the engine has described the response so far. */
  let known: Fields = {};
  let final: Fields | undefined;
  let sequence = 0;
  let pieces = 0;
  const items = new Map<number, Fields>();
  const texts = new Map<number, string>();

  function read(event: Fields): void {
    const at = countOf(event.output_index);
    sequence = Math.max(sequence, countOf(event.sequence_number) + 1);
    if (event.response !== undefined) known = fieldsOf(event.response);
    switch (event.type) {
      case "response.output_item.done":
        items.set(at, fieldsOf(event.item));
        break;
      case "response.output_text.delta":
        texts.set(at, `${texts.get(at) ?? ""}${typeof event.delta === "string" ? event.delta : ""}`);
        break;
      case "response.completed":
      case "response.incomplete":
        final = known;
        break;
      case "response.failed":
        throw new AppError("UPSTREAM_FAILED", "The model behind this provider could not finish its response.");
    }
  }

  /** Items that are whole, and the text of the one that is not. */
  function outputSoFar(): Fields[] {
    const open = [...texts.keys()].filter((index) => !items.has(index));
    const partial = (index: number): Fields => ({
      id: `msg_${index}`,
      type: "message",
      role: "assistant",
      status: "incomplete",
      content: [{ type: "output_text", text: texts.get(index), annotations: [] }],
    });
    return [...items.keys(), ...open].sort((a, b) => a - b).map((index) => items.get(index) ?? partial(index));
  }

  return {
    inOnePiece: false,
    inTokens: true,
    start: async function* (signal) {
      for await (const { data, event } of run(request, signal)) yield event === undefined ? { data } : { data, event };
    },
    take: ({ data }) => {
      const event = parse(String(data));
      read(event);
      const hasContent = /\.delta$/.test(String(event.type)) ? event.delta !== "" : event.type === "response.output_item.done";
      if (hasContent) pieces += 1;
      return { hasContent: hasContent || (final !== undefined && listOf(final.output).length > 0), shown: true };
    },
    isWhole: () => final !== undefined,
    endReason: (): EndReason => {
      const why = fieldsOf(final?.incomplete_details).reason;
      if (why === "content_filter") return "content_filter";
      if (final?.status === "incomplete") return "length";
      return listOf(final?.output).some(({ type }) => type === "function_call") ? "tool_calls" : "stop";
    },
    units: (): Units => {
      const usage = fieldsOf(known.usage);
      return { unitsIn: countOf(usage.input_tokens), unitsOut: countOf(usage.output_tokens) || pieces };
    },
    cutOff: () => {
      known = {
        object: "response",
        model: request.model,
        ...known,
        status: "incomplete",
        incomplete_details: { reason: "max_output_tokens" },
        output: outputSoFar(),
      };
      final = known;
      return [eventOf("response.incomplete", { sequence_number: sequence++, response: known })];
    },
    failed: (failure) => {
      const { message, code, param, ...more } = toProblem(failure).error;
      return eventOf("error", { sequence_number: sequence++, code, message, param, error: { message, code, param, ...more } });
    },
    ending: (receipt) => [eventOf(RECEIPT_EVENT, { sequence_number: sequence++, [RECEIPT_KEY]: receipt })],
    body: () => final && { contentType: "application/json", bytes: JSON.stringify(final) },
  };
}

const eventOf = (event: string, fields: Fields): Piece => ({ event, data: JSON.stringify({ type: event, ...fields }) });

function parse(data: string): Fields {
  try {
    return fieldsOf(JSON.parse(data));
  } catch (cause) {
    throw new AppError("UPSTREAM_FAILED", "The model sent something that is not JSON.", { cause });
  }
}
