import type { Hash, Hex } from "viem";
import { AppError } from "../errors/index.ts";
import type { Chain } from "./connect.ts";
import type { ChainClock } from "./ports.ts";
import { decodeRevert } from "./reverts.ts";

/**
 * What is known after handing signed bytes to the endpoints. "refused" and "unsent" are certain: nobody has the bytes.
 * "lost": somebody may have them.
 */
export type Broadcast =
  | { readonly kind: "accepted" }
  | { readonly kind: "lost"; readonly cause: unknown }
  | { readonly kind: "refused"; readonly staleNonce: boolean; readonly error: AppError }
  | { readonly kind: "unsent"; readonly error: AppError };

type Verdict = "known" | "stale-nonce" | "refused" | "unreachable" | "lost";

/** Offers the same bytes to one endpoint after another until one takes them. The same bytes can be mined only once, whoever gets them. */
export async function broadcast(chain: Chain, raw: Hex): Promise<Broadcast> {
  let lost: unknown;
  let unreachable: unknown;
  for (const endpoint of chain.endpoints) {
    try {
      await endpoint.request({ method: "eth_sendRawTransaction", params: [raw] });
      return { kind: "accepted" };
    } catch (thrown) {
      const verdict = judge(thrown);
      if (verdict === "known") return { kind: "accepted" };
      if (verdict === "unreachable") unreachable = thrown;
      else if (verdict === "lost") lost = thrown;
      else if (lost === undefined) return { kind: "refused", staleNonce: verdict === "stale-nonce", error: refusal(thrown) };
    }
  }
  if (lost !== undefined) return { kind: "lost", cause: lost };
  return { kind: "unsent", error: decodeRevert(unreachable) };
}

/** Asks every endpoint for the transaction until one knows it or the time is up. */
export async function isKnown(chain: Chain, hash: Hash, withinMs: number, clock: ChainClock): Promise<boolean> {
  const until = clock.now() + withinMs;
  for (;;) {
    const answers = await Promise.allSettled(
      chain.endpoints.map((endpoint) => endpoint.request({ method: "eth_getTransactionByHash", params: [hash] })),
    );
    if (answers.some((answer) => answer.status === "fulfilled" && answer.value !== null)) return true;
    if (clock.now() >= until) return false;
    await clock.sleep(Math.max(50, Math.min(500, chain.network.blockTimeMs / 2)));
  }
}

function judge(thrown: unknown): Verdict {
  for (let cause = thrown as { name?: string; code?: unknown; status?: unknown; message?: string; cause?: unknown } | undefined; cause; ) {
    if (cause.name === "RpcRequestError") return judgeAnswer(`${cause.message ?? ""}`);
    if (cause.name === "HttpRequestError" && typeof cause.status === "number") return cause.status < 500 ? "unreachable" : "lost";
    if (typeof cause.code === "string" && ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"].includes(cause.code))
      return "unreachable";
    cause = cause.cause as typeof cause;
  }
  return "lost";
}

/** Nodes word their refusals differently; the meanings are few. */
function judgeAnswer(message: string): Verdict {
  if (/already known|known transaction|already imported|alreadyknown/i.test(message)) return "known";
  if (
    /nonce too low|nonce has already been used|nonce is too low|oldnonce|replacement transaction|underpriced replacement/i.test(message)
  ) {
    return "stale-nonce";
  }
  return /timed? ?out/i.test(message) ? "lost" : "refused";
}

function refusal(thrown: unknown): AppError {
  const error = decodeRevert(thrown);
  if (error.code !== "CHAIN_UNAVAILABLE") return error;
  return new AppError("TRANSACTION_REVERTED", "The chain's endpoint refused the transaction; nothing was sent.", {
    facts: error.facts,
    cause: thrown,
  });
}
