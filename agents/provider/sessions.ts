import { createHash, randomBytes } from "node:crypto";
import { AppError } from "@clawcompute/lib/errors";
import type { Clock } from "@clawcompute/lib/node";
import {
  assertProofTimes,
  CLOCK_SKEW_SECONDS,
  type ContractSignatureCheck,
  type Domain,
  type Recover,
  type SessionRequest,
  verifySessionProof,
  ZERO_HASH,
} from "@clawcompute/lib/protocol";
import { and, type Database, desc, eq, inArray, lt, meters, nonces, receipts, sessions, sql } from "@clawcompute/lib/store";
import { type Address, type Hex, isAddressEqual } from "viem";
import type { ChainTime } from "./chainTime.ts";
import { type MeterKey, type Meters, meterIs } from "./metering.ts";
import type { PayingStream, Streams } from "./streams.ts";

export interface OpenedSession {
  readonly token: string;
  readonly stream: PayingStream;
  readonly servedMs: number;
  readonly lastReceiptHash: Hex;
}

/** What a bearer token stands for. */
export interface TokenHolder {
  readonly streamId: bigint;
  /** Of the stream that the token was given for; another one may have its id after a reorganisation. */
  readonly payer: Address;
  readonly streamStart: number;
  /** The use of the stream has ended: nothing more is served on it. */
  readonly settled: boolean;
}

/** Turns a proof that somebody owns an open stream into a bearer token. */
export interface Sessions {
  open(request: SessionRequest): Promise<OpenedSession>;
  find(token: string): Promise<TokenHolder | undefined>;
  /** What is remembered of the stream's tokens may be wrong from now on. */
  forget(streamId: bigint): void;
  /** Forgets what nobody can use any more. */
  purge(): Promise<void>;
}

export interface SessionsOptions {
  readonly db: Database;
  /** Who counts and claims meanwhile. */
  readonly counting: Pick<Meters, "alone">;
  readonly domain: Domain;
  readonly streams: Streams;
  readonly chainTime: ChainTime;
  readonly clock: Clock;
  readonly contractSignature?: ContractSignatureCheck;
  readonly recover?: Recover;
}

/** A crashed answer's time is shown to the payer as served once nothing was counted for longer than a live answer may stall. */
const IDLE_MS = 30_000;
/** The oldest ones stop working beyond this. */
const TOKENS_PER_STREAM = 32;
/** No stream lives longer than 365 days. */
const TOKEN_LIFE_SECONDS = 400 * 86_400;

const LATELY = 10_000;
const LATELY_MS = 5_000;

/** Tokens carry 256 random bits, so one hash without salt is enough to keep them useless to a reader of the store. */
export const hashToken = (token: string): Hex => `0x${createHash("sha256").update(token).digest("hex")}`;

export function createSessions(options: SessionsOptions): Sessions {
  const { db, counting, domain, streams, chainTime, clock, contractSignature, recover } = options;
  /**
   * Tokens found lately. What another replica settles or replaces meanwhile is met by the place that an answer takes, which looks
   * at the store, and by its meter.
   */
  const lately = new Map<Hex, { readonly holder: TokenHolder; readonly untilMs: number }>();

  function forget(streamId: bigint): void {
    for (const [hash, { holder }] of lately) if (holder.streamId === streamId) lately.delete(hash);
  }

  return {
    forget,
    open: async (request) => {
      if (request.chainId !== domain.chainId) {
        throw new AppError("WRONG_CHAIN", `This provider serves chain ${domain.chainId}, not ${request.chainId}.`, {
          param: "chainId",
          facts: { chainId: domain.chainId, contract: domain.verifyingContract },
        });
      }
      chainTime.assertFresh();
      const times = { issuedAt: BigInt(request.issuedAt), expiresAt: BigInt(request.expiresAt) };
      assertProofTimes(times, chainTime.nowSeconds());
      const streamId = BigInt(request.streamId);
      const stream = await streams.get(streamId);
      const { payer, providerId, ratePerSecond, start: streamStart, end } = stream.state;
      await verifySessionProof({
        domain,
        message: { streamId, ...times, nonce: request.nonce },
        signature: request.signature,
        payer,
        nowSeconds: chainTime.nowSeconds(),
        ...(contractSignature ? { contractSignature } : {}),
        ...(recover ? { recover } : {}),
      });
      const token = randomBytes(32).toString("base64url");
      const key = { chainId: domain.chainId, streamId };
      const begin = async (tx: Parameters<Parameters<Database["transaction"]>[0]>[0]) => {
        const used = await tx
          .insert(nonces)
          .values({ payer, nonce: request.nonce, expiresAt: request.expiresAt + CLOCK_SKEW_SECONDS })
          .onConflictDoNothing()
          .returning({ nonce: nonces.nonce });
        if (used.length === 0) throw new AppError("PROOF_REPLAYED", "This proof was used before.", { param: "nonce" });
        const nowMs = clock.now();
        const [known] = await tx.select().from(meters).where(meterIs(key)).for("update");
        if (known && !isSameStream(known, stream.state)) await forgetStream(tx, key);
        await tx
          .insert(meters)
          .values({ ...key, providerId, payer, streamStart, ratePerSecond, lastReceiptHash: ZERO_HASH, updatedAtMs: nowMs })
          .onConflictDoNothing();
        await tx
          .update(meters)
          .set({ claimedMs: sql`${meters.servedMs}` })
          .where(and(meterIs(key), lt(meters.updatedAtMs, nowMs - IDLE_MS)));
        const [meter] = await tx.select().from(meters).where(meterIs(key));
        if (!meter) throw new AppError("INTERNAL", "The meter of a stream was not kept.");
        // A stream whose use has ended serves nothing more, but a payer that lost its state still needs its settlement.
        const row = { tokenHash: hashToken(token), ...key, expiresAt: end, createdAtMs: nowMs };
        await tx.insert(sessions).values(row);
        await forgetOldTokens(tx, key);
        return { token, stream, servedMs: meter.claimedMs, lastReceiptHash: meter.lastReceiptHash };
      };
      return counting.alone(streamId, () => db.transaction(begin)).finally(() => forget(streamId));
    },

    find: async (token) => {
      const hash = hashToken(token);
      const known = lately.get(hash);
      if (known && clock.now() < known.untilMs) return known.holder;
      lately.delete(hash);
      const [row] = await db
        .select({
          streamId: sessions.streamId,
          chainId: sessions.chainId,
          payer: meters.payer,
          streamStart: meters.streamStart,
          settledOwed: meters.settledOwed,
        })
        .from(sessions)
        .innerJoin(meters, and(eq(meters.chainId, sessions.chainId), eq(meters.streamId, sessions.streamId)))
        .where(eq(sessions.tokenHash, hash));
      if (!row || row.chainId !== domain.chainId) return undefined;
      const { streamId, payer, streamStart } = row;
      const holder = { streamId, payer, streamStart, settled: row.settledOwed !== null };
      if (lately.size >= LATELY) lately.delete(lately.keys().next().value as Hex);
      lately.set(hash, { holder, untilMs: clock.now() + LATELY_MS });
      return holder;
    },

    purge: async () => {
      const now = chainTime.nowSeconds();
      await db.delete(nonces).where(lt(nonces.expiresAt, now - CLOCK_SKEW_SECONDS));
      await db.delete(sessions).where(lt(sessions.createdAtMs, clock.now() - TOKEN_LIFE_SECONDS * 1000));
    },
  };
}

/** A payer that asks for token after token must not fill the store. */
async function forgetOldTokens(tx: Pick<Database, "select" | "delete">, { chainId, streamId }: MeterKey): Promise<void> {
  const own = and(eq(sessions.chainId, chainId), eq(sessions.streamId, streamId));
  const old = await tx
    .select({ tokenHash: sessions.tokenHash })
    .from(sessions)
    .where(own)
    .orderBy(desc(sessions.createdAtMs))
    .offset(TOKENS_PER_STREAM)
    .limit(1_000);
  if (old.length === 0) return;
  const hashes = old.map(({ tokenHash }) => tokenHash);
  await tx.delete(sessions).where(and(own, inArray(sessions.tokenHash, hashes)));
}

export const isSameStream = (known: { payer: Address; streamStart: number }, state: { payer: Address; start: number }): boolean =>
  isAddressEqual(known.payer, state.payer) && known.streamStart === state.start;

/** The chain gave the id to another stream: nothing of the old one may count for it. */
async function forgetStream(tx: Pick<Database, "delete">, { chainId, streamId }: MeterKey): Promise<void> {
  for (const table of [sessions, receipts, meters]) {
    await tx.delete(table).where(and(eq(table.chainId, chainId), eq(table.streamId, streamId)));
  }
}
