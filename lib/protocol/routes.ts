import type { Address, Hex } from "viem";
import { isHex } from "viem";
import { z } from "zod";
import { settlementWire, signedReceiptWire } from "./receipts.ts";

/** Headers of ours. Everything else is plain HTTP or the OpenAI API. */
export const headers = {
  /** Request: "1" asks for the final settlement together with the receipt; the stream serves nothing afterwards. */
  settle: "clawcompute-settle",
  /** Response of a non-streamed answer: base64url JSON of the signed receipt. */
  receipt: "clawcompute-receipt",
} as const;

/** Key of the signed receipt in the last SSE chunk. */
export const RECEIPT_KEY = "clawcompute";

const raw = z
  .string()
  .regex(/^(0|[1-9]\d{0,77})$/, "must be a decimal string")
  .refine((text) => !/^\d{78}$/.test(text) || BigInt(text) < 2n ** 256n, "must be below 2^256");
const hex32 = z.custom<Hex>((value) => isHex(value) && value.length === 66, "must be 32 bytes in hex");
const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, "must be an address") as unknown as z.ZodType<Address>;

/** Proof that the caller owns an open stream; see `typedData.ts` for what is signed. Times are unix seconds. */
export const sessionRequest = z.object({
  kind: z.literal("stream"),
  streamId: raw,
  chainId: z.int().positive(),
  issuedAt: z.int().nonnegative(),
  expiresAt: z.int().nonnegative(),
  nonce: hex32,
  signature: z.custom<Hex>((value) => isHex(value) && value.length >= 4 && value.length <= 8194, "must be a signature in hex"),
});
export type SessionRequest = z.infer<typeof sessionRequest>;

export const sessionResponse = z.object({
  /** Send as `Authorization: Bearer`; works as the API key of any OpenAI SDK. */
  token: z.string().min(16).max(200),
  /** Unix seconds; the stream's end at the latest. */
  expiresAt: z.int(),
  /** Raw units. */
  ratePerSecond: raw,
  /** Unix seconds up to which the stream's deposit lasts. */
  paidUntil: z.int(),
  runwaySeconds: z.number(),
  /** Hash of the stream's newest receipt and its cumulative served time, so that a payer that lost its state can go on. */
  lastReceiptHash: hex32,
  servedMs: z.int().nonnegative(),
  provider: z.object({ id: z.int(), model: z.string().max(64), address, signer: address }),
});
export type SessionResponse = z.infer<typeof sessionResponse>;

/** Ends the use of a stream: what is owed in total, signed. Running answers are ended first. Asking again returns the same. */
export const settleResponse = z.object({
  settlement: settlementWire,
  servedMs: z.int().nonnegative(),
  lastReceipt: signedReceiptWire.optional(),
});
export type SettleResponse = z.infer<typeof settleResponse>;

export const healthResponse = z.object({
  status: z.enum(["ok", "draining"]),
  chainId: z.int(),
  /** Chain time in ms and how old the newest block is. */
  chainTimeMs: z.number(),
  lagMs: z.number(),
  models: z.array(
    z.object({
      id: z.string().max(64),
      providerId: z.int(),
      address,
      pricePerSecond: raw,
      serviceType: z.int(),
      free: z.int(),
      capacity: z.int(),
      /** False: taken off the market; open streams can be settled, nothing new is served. */
      active: z.boolean().optional(),
    }),
  ),
});
export type HealthResponse = z.infer<typeof healthResponse>;

export const inferenceRequest = z.object({ prompt: z.string().min(1, "is required").max(1_000_000), model: z.string().max(64).optional() });
export const inferenceResponse = z.object({ result: z.string(), model: z.string(), durationMs: z.number(), provider: z.string() });

/** Who may call: nobody's proof, a signed session proof in the body, or a session token as bearer. */
export type Access = "open" | "proof" | "token";

export interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly access: Access;
}

/** Every route of a provider. The client and the server are both derived from these rows. */
export const routes = {
  createSession: { method: "POST", path: "/v1/sessions", access: "proof" },
  settleSession: { method: "POST", path: "/v1/sessions/settle", access: "token" },
  chatCompletions: { method: "POST", path: "/v1/chat/completions", access: "token" },
  completions: { method: "POST", path: "/v1/completions", access: "token" },
  responses: { method: "POST", path: "/v1/responses", access: "token" },
  embeddings: { method: "POST", path: "/v1/embeddings", access: "token" },
  images: { method: "POST", path: "/v1/images/generations", access: "token" },
  transcriptions: { method: "POST", path: "/v1/audio/transcriptions", access: "token" },
  speech: { method: "POST", path: "/v1/audio/speech", access: "token" },
  inference: { method: "POST", path: "/inference", access: "token" },
  models: { method: "GET", path: "/v1/models", access: "open" },
  model: { method: "GET", path: "/v1/models/:id", access: "open" },
  /** Of money paid ahead: what became of it, and the rest of it back. */
  balance: { method: "GET", path: "/v1/balance", access: "token" },
  closeBalance: { method: "POST", path: "/v1/balance/close", access: "token" },
  receipt: { method: "GET", path: "/v1/receipts/:requestId", access: "token" },
  health: { method: "GET", path: "/health", access: "open" },
  ready: { method: "GET", path: "/ready", access: "open" },
  metrics: { method: "GET", path: "/metrics", access: "open" },
} as const satisfies Record<string, Route>;
export type RouteName = keyof typeof routes;
