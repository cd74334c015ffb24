import { z } from "zod";
import { AppError } from "../../errors/index.ts";
import { canonicalJson, fromBase64, toBase64Url } from "./base64url.ts";
import { address, amount, hex32 } from "./fields.ts";

/** Names of headers that carry payments. */
export const paymentHeaders = {
  /** Request: the credential, so that `Authorization` stays free for API keys; `Authorization: Payment …` is read too. */
  credential: "payment-authorization",
  /** Response of every paid or managing request. */
  receipt: "payment-receipt",
  challenge: "www-authenticate",
  idempotencyKey: "idempotency-key",
  x402Required: "payment-required",
  x402Signature: "payment-signature",
  x402Response: "payment-response",
  /** Response: bearer token of what an over-payment left. */
  balanceToken: "clawcompute-balance-token",
} as const;

/** One way to pay, as the parameters of `WWW-Authenticate: Payment …`. `request` is base64url of canonical JSON, kept as it came. */
export interface Challenge {
  readonly id: string;
  readonly realm: string;
  readonly method: string;
  readonly intent: string;
  readonly request: string;
  /** RFC 3339. */
  readonly expires?: string;
  readonly digest?: string;
  readonly description?: string;
  readonly opaque?: string;
  /** The request header that takes the credential; absent: `Authorization`. */
  readonly header?: string;
}

const parameters = ["id", "realm", "method", "intent", "request", "description", "digest", "expires", "header", "opaque"] as const;

export const encodeRequest = (request: object): string => toBase64Url(canonicalJson(request));

/** One value of a `WWW-Authenticate` header. */
export function formatChallenge(challenge: Challenge): string {
  const given = parameters.flatMap((name) => {
    const value = challenge[name];
    return value === undefined ? [] : [`${name}="${quoted(value)}"`];
  });
  return `Payment ${given.join(", ")}`;
}

/** Characters that no header may hold are escaped, as JSON does. */
const quoted = (text: string): string =>
  text
    .replace(/[\r\n]+/g, " ")
    .replace(/[\\"]/g, "\\$&")
    .replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** The `Payment` challenges among what `WWW-Authenticate` says, in order; other schemes and what is malformed are skipped. */
export function parseChallenges(header: string | null | undefined): readonly Challenge[] {
  const challenges: Challenge[] = [];
  let current: Record<string, string> | undefined;
  const finish = () => {
    if (current?.id && current.realm !== undefined && current.method && current.intent && current.request)
      challenges.push(current as unknown as Challenge);
    current = undefined;
  };
  const token = /\s*,?\s*(?:([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))|([A-Za-z][A-Za-z0-9_-]*)(?=\s|,|$))/y;
  const text = (header ?? "").slice(0, MAX_HEADER);
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [, name, inQuotes, bare, scheme] = match;
    if (scheme) {
      finish();
      if (scheme.toLowerCase() === "payment") current = {};
    } else if (current && name && isParameter(name.toLowerCase())) {
      current[name.toLowerCase()] = inQuotes === undefined ? (bare as string) : unquoted(inQuotes);
    }
    if (token.lastIndex >= text.length) break;
  }
  finish();
  return challenges;
}

const MAX_HEADER = 65_536;
const isParameter = (name: string): boolean => (parameters as readonly string[]).includes(name);
const unquoted = (text: string): string =>
  text.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_, code, char) => (code ? String.fromCharCode(Number.parseInt(code, 16)) : char));

/** How a channel is opened: by the payer's own transaction, or by an authorization that the payee sends. */
export const credentialTypes = ["hash", "authorization", "permit2"] as const;
export type CredentialType = (typeof credentialTypes)[number];

/** The request of `method="evm" intent="session"`: a price per unit, and the escrow to open a channel in. Amounts are raw units. */
export const sessionTerms = z.looseObject({
  amount,
  unitType: z.string().max(32).optional(),
  suggestedDeposit: amount.optional(),
  /** Zero address: the native coin. */
  currency: address,
  recipient: address,
  description: z.string().max(256).optional(),
  /** The registry's provider id, which the channel is bound to by its first use. */
  externalId: z.string().max(64).optional(),
  methodDetails: z.looseObject({
    chainId: z.int().positive(),
    escrowContract: address,
    channelId: hex32.optional(),
    minVoucherDelta: amount.optional(),
    feePayer: z.boolean().optional(),
    credentialTypes: z.array(z.string().max(32)).max(8).optional(),
    /** Beyond the draft: how far vouchers need to run ahead of what is owed, raw units. */
    voucherStep: amount.optional(),
    /** Beyond the draft: the most that a token may cost, however long it takes. */
    priceCapPerToken: amount.optional(),
  }),
});
export type SessionTerms = z.infer<typeof sessionTerms>;

/** Throws BAD_REQUEST. */
export function readSessionTerms(challenge: Pick<Challenge, "request">): SessionTerms {
  try {
    return sessionTerms.parse(JSON.parse(fromBase64(challenge.request)));
  } catch (cause) {
    throw new AppError("BAD_REQUEST", "The payment challenge is malformed.", { param: "request", cause });
  }
}

/** The first challenge that asks for a channel on this chain; `providerId` picks among several offers. */
export function findSessionChallenge(header: string | null | undefined, providerId?: number): Challenge | undefined {
  return parseChallenges(header).find(({ method, intent, request }) => {
    if (method !== "evm" || intent !== "session") return false;
    return providerId === undefined || readSessionTerms({ request }).externalId === String(providerId);
  });
}
