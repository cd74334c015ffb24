import { createHmac, timingSafeEqual } from "node:crypto";
import { AppError } from "@clawcompute/lib/errors";
import { channelOfPayment } from "@clawcompute/lib/protocol/payments";

/**
 * A bearer token of a balance: `cb1.<id>.<caveat>…<signature>`. The signature is a chain of HMACs, so whoever holds a token can make
 * a weaker one, `attenuate`, and nobody a stronger one. The money is in the store, never in the token.
 */
export interface BalanceToken {
  readonly payment: bigint;
  readonly caveats: Caveats;
}

/** What a token may not go beyond; of several caveats of one kind, each holds. */
export interface Caveats {
  /** Unix seconds. */
  readonly exp?: number;
  readonly model?: string;
  /** Raw units that the balance has spent in total, beyond which this token buys nothing. */
  readonly max?: bigint;
  /** `answer`: asks and reads; `read`: reads the ledger only. Without it also returns the rest. */
  readonly scope?: "answer" | "read";
}

const PREFIX = "cb1";
const MOST_CAVEATS = 16;
const seal = (key: Uint8Array | string, text: string): Buffer => createHmac("sha256", key).update(text).digest();
const encode = (text: string): string => Buffer.from(text).toString("base64url");

export const isBalanceToken = (token: string): boolean => token.startsWith(`${PREFIX}.`);

export function issueToken(secret: Uint8Array, payment: bigint): string {
  const id = channelOfPayment(payment).slice(2);
  return `${PREFIX}.${id}.${seal(secret, id).toString("base64url")}`;
}

/** By any holder; the provider need not be asked. */
export function attenuate(token: string, caveat: `${keyof Caveats}=${string}`): string {
  const parts = token.split(".");
  const signature = parts.pop() ?? "";
  const next = seal(Buffer.from(signature, "base64url"), caveat);
  return [...parts, encode(caveat), next.toString("base64url")].join(".");
}

/** Throws TOKEN_UNKNOWN or TOKEN_EXPIRED. A caveat that is not known forbids everything. */
export function readToken(secret: Uint8Array, token: string, nowSeconds: number): BalanceToken {
  const unknown = () => new AppError("TOKEN_UNKNOWN", "This balance token is not known here.", { param: "authorization" });
  const [prefix, id = "", ...rest] = token.split(".");
  const given = Buffer.from(rest.pop() ?? "", "base64url");
  if (prefix !== PREFIX || !/^[0-9a-f]{64}$/.test(id) || rest.length > MOST_CAVEATS) throw unknown();
  const texts = rest.map((part) => Buffer.from(part, "base64url").toString());
  const expected = texts.reduce((key, text) => seal(key, text), seal(secret, id));
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw unknown();
  const caveats = texts.reduce(narrow, {} as Caveats);
  if (caveats.exp !== undefined && nowSeconds >= caveats.exp) {
    throw new AppError("TOKEN_EXPIRED", "This balance token has expired.", {
      param: "authorization",
      hint: "Ask its giver for another one.",
    });
  }
  return { payment: BigInt(`0x${id}`), caveats };
}

function narrow(caveats: Caveats, text: string): Caveats {
  const [, name, value = ""] = /^(\w+)=(.*)$/s.exec(text) ?? [];
  const { exp, max, model, scope } = caveats;
  if (name === "exp" && /^\d{1,12}$/.test(value)) return { ...caveats, exp: Math.min(exp ?? Number.MAX_SAFE_INTEGER, Number(value)) };
  if (name === "max" && /^\d{1,78}$/.test(value))
    return { ...caveats, max: max === undefined || BigInt(value) < max ? BigInt(value) : max };
  if (name === "model" && (model === undefined || model === value)) return { ...caveats, model: value };
  if (name === "scope" && (value === "read" || value === "answer")) return { ...caveats, scope: scope === "read" ? "read" : value };
  throw new AppError("TOKEN_UNKNOWN", "This balance token has a caveat that forbids its use.", { param: "authorization" });
}
