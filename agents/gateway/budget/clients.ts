import { invalidConfig } from "@clawcompute/lib/config/env";
import { parseAmount } from "@clawcompute/lib/money";
import { z } from "zod";
import type { Client } from "./budget.ts";

/** A client and the SHA-256 of its key; the key itself is not kept. */
export interface ClientKey {
  readonly client: Client;
  /** Hex, lower case. */
  readonly keySha256: string;
}

const coins = z
  .string()
  .transform((value, context) => {
    try {
      return parseAmount(value);
    } catch (error) {
      context.addIssue({ code: "custom", message: (error as Error).message });
      return z.NEVER;
    }
  })
  .optional();

const clientsFile = z
  .array(
    z.strictObject({
      name: z.string().regex(/^[\w .-]{1,64}$/, "must have 1 to 64 letters, digits, dots, dashes or spaces"),
      keySha256: z.string().regex(/^[0-9a-f]{64}$/, "must be the SHA-256 of the client's key in lower-case hex"),
      /** May also see the books and stop everything. */
      owner: z.boolean().optional(),
      perRequest: coins,
      perHour: coins,
      perDay: coins,
      total: coins,
      models: z.array(z.string().min(1)).optional(),
      providers: z.array(z.int().positive()).optional(),
    }),
  )
  .min(1);

/** Throws CONFIG_INVALID naming what is wrong. */
export function parseClients(text: string): ClientKey[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalidConfig("GATEWAY_CLIENTS", "is not JSON");
  }
  const result = clientsFile.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw invalidConfig("GATEWAY_CLIENTS", `${issue?.path.join(".") || "file"}: ${issue?.message}`);
  }
  const names = new Set<string>();
  for (const { name } of result.data) {
    if (names.has(name)) throw invalidConfig("GATEWAY_CLIENTS", `the name "${name}" appears twice`);
    names.add(name);
  }
  return result.data.map(({ name, keySha256, owner = false, models, providers, ...limits }) => ({
    client: { name, limits, owner, models, providers },
    keySha256,
  }));
}
