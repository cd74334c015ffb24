import { randomBytes } from "node:crypto";
import type { Chain } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { Clock, Logger } from "@clawcompute/lib/node";
import {
  type ChatRequest,
  decodeSignedReceipt,
  encodeSignedReceipt,
  PROOF_LIFETIME_SECONDS,
  type SessionRequest,
  type SessionResponse,
  type Settlement,
  type SignedReceipt,
  type Signer,
  signSessionProof,
  ZERO_HASH,
} from "@clawcompute/lib/protocol";
import { isAddressEqual, toHex } from "viem";
import { type Answer, readAnswer } from "./answer.ts";
import type { OpenStream } from "./payment.ts";
import { bearer, type ProviderClient } from "./providerClient.ts";
import { checkClaim, domainOf, verifyReceipt, verifySettlement } from "./verify.ts";

export interface AttemptLimits {
  /** D of promise P3: from the open stream to the first token, the session included. */
  readonly firstTokenMs: number;
  readonly headersMs: number;
  readonly stallMs: number;
  /** For the provider's signature under what is owed, when it did not come with the answer. */
  readonly settleMs: number;
  /** The "+ 1 s" of promise P3: what may pass between giving a provider up and sending the end of its stream. */
  readonly graceMs: number;
  /** Between two tries for a session while the provider has not seen the block. */
  readonly sessionRetryMs: number;
}

export const attemptLimits: AttemptLimits = {
  firstTokenMs: 30_000,
  headersMs: 15_000,
  stallMs: 20_000,
  settleMs: 3_000,
  graceMs: 1_000,
  sessionRetryMs: 250,
};

export interface AttemptOptions {
  readonly chain: Chain;
  readonly signer: Signer;
  readonly client: ProviderClient;
  readonly stream: OpenStream;
  readonly request: ChatRequest;
  readonly limits: AttemptLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly onText: (text: string) => void;
  readonly onRequest?: () => void;
}

/** One provider asked once over one open stream. */
export interface Attempt {
  /** What came, when the request got as far as an answer. */
  readonly answer: Answer | undefined;
  /** The receipt, when it passed every check. */
  readonly signed: SignedReceipt | undefined;
  /** What the provider signed for; known also for an answer that was cut. */
  readonly servedMs: number | undefined;
  /** To end the stream with. Its signature holds; the contract never lets it take more than the clock says. */
  readonly settlement: Settlement | undefined;
  /** Why the answer is not whole, or not honestly accounted for. */
  readonly failure: AppError | undefined;
}

/** Session, answer, receipt, settlement. Never throws, and never takes longer than its limits. */
export async function attempt(options: AttemptOptions): Promise<Attempt> {
  const { chain, client, stream, limits, clock, signal, onText, onRequest } = options;
  const firstTokenBy = stream.openedAtMs + limits.firstTokenMs;
  let session: SessionResponse | undefined;
  let answer: Answer | undefined;
  let signed: SignedReceipt | undefined;
  let failure: AppError | undefined;
  let sentAtMs = clock.now();
  try {
    session = await openSession(options, firstTokenBy);
    sentAtMs = clock.now();
    onRequest?.();
    const left = Math.max(1, firstTokenBy - sentAtMs);
    const headersMs = Math.min(limits.headersMs, left);
    const chat = await client.chat(bearer(session.token), options.request, { settle: true, headersMs, signal });
    answer = await readAnswer(chat, {
      clock,
      sentAtMs,
      firstTokenMs: Math.max(1, firstTokenBy - clock.now()),
      stallMs: limits.stallMs,
      signal,
      onText,
    });
    failure = answer.failure;
    if (answer.signed !== undefined) {
      const { bodyHash, measuredMs } = answer;
      const own = { bodyHash, measuredMs, previousServedMs: session.servedMs, previousReceiptHash: session.lastReceiptHash };
      signed = await verifyReceipt(chain, stream, answer.signed, own);
    } else if (!failure) failure = new AppError("PROVIDER_DISHONEST", "The provider sent no receipt with its answer.");
  } catch (thrown) {
    const error = AppError.from(thrown);
    // A lie weighs more than a broken line.
    failure = error.code === "PROVIDER_DISHONEST" ? error : (failure ?? error);
  }
  const servedMs = signed?.receipt.cumulativeServedMs;
  if (session === undefined) return { answer, signed, servedMs, settlement: undefined, failure };
  if (signed?.settlement) return { answer, signed, servedMs, settlement: signed.settlement, failure };
  const ending = await settle(options, session, answer, sentAtMs);
  return { answer, ...ending, signed: signed ?? ending.signed, servedMs: servedMs ?? ending.servedMs, failure: failure ?? ending.failure };
}

export type SessionOptions = Pick<AttemptOptions, "chain" | "signer" | "client" | "stream" | "limits" | "clock" | "signal">;

/** Asks again while the provider may not have seen the opening block; every other refusal is final. */
export async function openSession(options: SessionOptions, deadlineMs: number): Promise<SessionResponse> {
  const { chain, signer, client, stream, limits, clock, signal } = options;
  for (;;) {
    try {
      // Chain time: the opening block's, moved on by the local clock.
      const issuedAt = stream.start + Math.floor((clock.now() - stream.openedAtMs) / 1000);
      const proof = await makeProof(chain, signer, stream.id, issuedAt);
      const wait = AbortSignal.timeout(Math.max(1, Math.min(limits.headersMs, deadlineMs - clock.now())));
      const session = await client.createSession(proof, AbortSignal.any([signal, wait])).catch((thrown: unknown) => {
        if (!wait.aborted || signal.aborted) throw thrown;
        throw new AppError("PROVIDER_TIMEOUT", "The provider did not open a session in time.");
      });
      checkSession(session, stream);
      return session;
    } catch (thrown) {
      const error = AppError.from(thrown);
      const unseen = error.code === "STREAM_UNKNOWN" || error.code === "PROOF_NOT_YET_VALID";
      if (!unseen) throw error;
      if (clock.now() + limits.sessionRetryMs >= deadlineMs) {
        throw new AppError("PROVIDER_TIMEOUT", "The provider did not see the stream in time.", { cause: error });
      }
      await clock.sleep(limits.sessionRetryMs, signal).catch(() => {
        throw new AppError("ABORTED", "Stopped on request.", { cause: signal.reason });
      });
    }
  }
}

/** Proves that the stream is ours. `issuedAt` is chain time in unix seconds; every proof can be used once. */
export async function makeProof(chain: Chain, signer: Signer, streamId: bigint, issuedAt: number): Promise<SessionRequest> {
  const expiresAt = issuedAt + PROOF_LIFETIME_SECONDS;
  const message = { streamId, issuedAt: BigInt(issuedAt), expiresAt: BigInt(expiresAt), nonce: toHex(randomBytes(32)) };
  const signature = await signSessionProof(signer, domainOf(chain), message);
  return {
    kind: "stream",
    streamId: String(streamId),
    chainId: chain.network.chainId,
    issuedAt,
    expiresAt,
    nonce: message.nonce,
    signature,
  };
}

/** A provider that means another offer or another rate would be paid for something nobody asked for. */
function checkSession({ provider, ratePerSecond, servedMs, lastReceiptHash }: SessionResponse, { offer, ...stream }: OpenStream): void {
  const claims: readonly [boolean, string][] = [
    [provider.id === offer.id, "serves another offer"],
    [isAddressEqual(provider.address, offer.owner), "names another payee"],
    [BigInt(ratePerSecond) === stream.ratePerSecond, "names another rate"],
    [servedMs === 0 && lastReceiptHash === ZERO_HASH, "claims to have served a stream that was just opened"],
  ];
  const lie = claims.find(([holds]) => !holds);
  if (lie) throw new AppError("PROVIDER_DISHONEST", `The provider ${lie[1]}.`, { facts: { providerId: offer.id } });
}

/** What to end the stream with when no checked receipt carries it. A settlement that claims too much still beats the clock. */
async function settle(
  { chain, client, stream, limits, logger, clock }: AttemptOptions,
  session: SessionResponse,
  answer: Answer | undefined,
  sentAtMs: number,
): Promise<Omit<Attempt, "answer">> {
  const measuredMs = answer?.measuredMs ?? clock.now() - sentAtMs;
  // While nothing was served, waiting for a signature must not cost more than P3 says.
  const promisedBy = stream.openedAtMs + limits.firstTokenMs + limits.graceMs / 2;
  const settleWithinMs =
    answer?.firstTokenMs === undefined ? Math.max(1, Math.min(limits.settleMs, promisedBy - clock.now())) : limits.settleMs;
  let settlement = await settlementIn(answer?.signed, chain, stream);
  let signed: SignedReceipt | undefined;
  try {
    const response = await client.settle(session.token, AbortSignal.timeout(settleWithinMs));
    await verifySettlement(chain, stream, response.settlement);
    settlement = response.settlement;
    checkClaim(stream, response, measuredMs);
    const own = {
      bodyHash: answer?.bodyHash ?? ZERO_HASH,
      measuredMs,
      previousServedMs: session.servedMs,
      previousReceiptHash: session.lastReceiptHash,
    };
    // Its body hash fits only when every byte arrived; for a line that broke, the settlement alone has to do.
    signed =
      response.lastReceipt &&
      (await verifyReceipt(chain, stream, encodeSignedReceipt(response.lastReceipt as SignedReceipt), own).catch(() => undefined));
    return { settlement, signed, servedMs: response.servedMs, failure: undefined };
  } catch (thrown) {
    const error = AppError.from(thrown);
    logger.info({ streamId: String(stream.id), code: error.code }, "no clean settlement from the provider");
    return { settlement, signed, servedMs: undefined, failure: error.code === "PROVIDER_DISHONEST" ? error : undefined };
  }
}

/** A settlement inside a receipt that failed its checks, if at least its own signature holds. */
async function settlementIn(sent: unknown, chain: Chain, stream: OpenStream): Promise<Settlement | undefined> {
  try {
    const { settlement } = decodeSignedReceipt(sent);
    if (settlement) await verifySettlement(chain, stream, settlement);
    return settlement;
  } catch {
    return undefined;
  }
}
