import { AppError } from "@clawcompute/lib/errors";
import { parseAmount } from "@clawcompute/lib/money";
import { checkShape } from "@clawcompute/lib/node";
import type { z } from "zod";

export interface ParsedBody<T> {
  readonly value: T;
  /** The client's own cap for this request, in raw units. */
  readonly maxCostWei: bigint | undefined;
}

/** A JSON body; `max_cost` (coins) is taken out of it, everything else passes through. Throws BAD_JSON, BAD_REQUEST or BAD_AMOUNT. */
export function parseBody<S extends z.ZodType>(schema: S, text: string): ParsedBody<z.output<S>> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new AppError("BAD_JSON", "The body is not JSON.");
  }
  const { max_cost, ...rest } = (typeof json === "object" && json !== null && !Array.isArray(json) ? json : { json }) as Record<
    string,
    unknown
  >;
  return { value: checkShape(schema, rest), maxCostWei: maxCostOf(max_cost) };
}

/** Coins as a number or a decimal string. */
export function maxCostOf(value: unknown): bigint | undefined {
  if (value === undefined || value === null) return undefined;
  const text = typeof value === "number" ? plain(value) : value;
  if (typeof text !== "string") throw new AppError("BAD_AMOUNT", "max_cost must be an amount such as 0.001.", { param: "max_cost" });
  return parseAmount(text, 18, "max_cost");
}

/** 1e-7 as 0.0000001. */
const plain = (value: number): string => (Number.isFinite(value) && value >= 0 ? value.toFixed(18).replace(/\.?0+$/, "") : "");
