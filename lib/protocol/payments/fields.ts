import { type Address, type Hex, isHex } from "viem";
import { z } from "zod";
import { parseRaw } from "../../money/index.ts";

export const hex32 = z.custom<Hex>((value) => isHex(value) && value.length === 66, "must be 32 bytes in hex");
export const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, "must be an address") as unknown as z.ZodType<Address>;
export const signature = z.custom<Hex>((value) => isHex(value) && value.length >= 4 && value.length <= 8194, "must be a signature in hex");
/** A decimal string of raw units, below 2^256. */
export const amount = z
  .string()
  .max(78)
  .transform((value, context) => {
    try {
      return parseRaw(value);
    } catch (error) {
      context.addIssue({ code: "custom", message: (error as Error).message });
      return z.NEVER;
    }
  });
