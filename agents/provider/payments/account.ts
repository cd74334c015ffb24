import { setMaxListeners } from "node:events";
import type { StreamState } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { costDown, coveredMsDown } from "@clawcompute/lib/money";
import type { Clock } from "@clawcompute/lib/node";
import { channelOfPayment, encodePaymentEvent, paymentEvents } from "@clawcompute/lib/protocol/payments";
import type { PayingStream } from "../streams.ts";
import type { Cover, UnderWay } from "./cover.ts";
import type { AccountRow } from "./ledger.ts";

/** An account in use by this process. The store is right about it; this is what it said last, and the time since. */
export interface PayAccount extends PayingStream {
  readonly cover: Cover;
  /** As it was read or changed last. */
  row: AccountRow;
  /** What is owed by now, raw units. */
  owed(): bigint;
  servedMs(): number;
  /** Answers under way in this process. */
  running(): number;
  /** The store has a newer state; who waits for money looks again. */
  refresh(row: AccountRow): void;
  /** The same, after nobody used it for long: others may have served on it. */
  renew(stored: { readonly row: AccountRow; readonly servedMs: number }): void;
  /** Nothing runs, and all of its time is in the store. */
  isIdle(): boolean;
  /** Ends what runs: nothing is paid any more. */
  stop(): void;
  lastUsedMs(): number;
}

export interface AccountOptions {
  readonly row: AccountRow;
  /** Of the meter. */
  readonly servedMs: number;
  readonly stepMs: number;
  readonly clock: Clock;
  /** Newest state in the store, which another replica may have changed. */
  readonly reread: () => Promise<{ readonly row: AccountRow; readonly servedMs: number } | undefined>;
}

/** Parts of a step: what is left when the payer is told, what it is asked for, and what a request needs to begin. */
const LOW = 0.3;
const BEGIN = 0.25;
/** How often the store is asked while money is short. */
const LOOK_MS = 100;

export function createAccount({ row: first, servedMs: stored, stepMs, clock, reread }: AccountOptions): PayAccount {
  const isChannel = first.kind === "channel";
  const rate = first.ratePerSecond;
  const lowMs = stepMs * LOW;
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  const listeners = new Set<Parameters<Cover["begin"]>[0]>();
  let waiting: (() => void)[] = [];
  let wake = new AbortController();
  let baseMs = stored;
  let busySinceMs = 0;
  let running = 0;
  let unsettled = 0;
  let usedMs = clock.now();

  /** A voucher that was taken while the store was asked is newer than its answer. */
  function newer(row: AccountRow): AccountRow {
    const { accepted, voucherSignature } = account.row;
    return first.kind !== "balance" && accepted > row.accepted ? { ...row, accepted, voucherSignature } : row;
  }

  const servedMs = () => baseMs + (running > 0 ? Math.max(0, clock.now() - busySinceMs) : 0);
  const owed = () => costDown(rate, servedMs());
  const leftMs = () => coveredMsDown(account.row.accepted, rate) - servedMs();

  function required(): bigint {
    const due = owed();
    const wanted = due + costDown(rate, stepMs) / 2n;
    const { deposit } = account.row;
    return wanted <= deposit || due >= deposit ? wanted : deposit;
  }

  const facts = () => ({
    channelId: channelOfPayment(first.payment),
    requiredCumulative: String(required()),
    acceptedCumulative: String(account.row.accepted),
    spent: String(owed()),
    deposit: String(account.row.deposit),
  });

  function tell(): void {
    const { row } = account;
    const data = encodePaymentEvent({
      channelId: channelOfPayment(row.payment),
      requiredCumulative: required(),
      acceptedCumulative: row.accepted,
      deposit: row.deposit,
    });
    for (const listener of listeners) listener({ event: paymentEvents.needVoucher, data });
  }

  /** While anything runs: tells at the low-water mark, and again when nothing is left. */
  async function follow(): Promise<void> {
    let toldFor = -1n;
    let toldOut = false;
    while (running > 0) {
      const left = leftMs();
      const { accepted } = account.row;
      if (left > lowMs) {
        await rest(left - lowMs + 1);
        continue;
      }
      if (toldFor !== accepted || (left <= 0 && !toldOut)) tell();
      toldFor = accepted;
      toldOut = left <= 0;
      await look();
      if (account.row.accepted === accepted) await rest(left > 0 ? Math.min(LOOK_MS, left + 1) : LOOK_MS);
    }
  }

  async function rest(ms: number): Promise<void> {
    if (wake.signal.aborted) wake = new AbortController();
    await clock.sleep(Math.max(1, ms), wake.signal).catch(() => {});
  }

  async function look(): Promise<void> {
    const newest = await reread().catch(() => undefined);
    if (newest && newest.row.accepted > account.row.accepted) account.refresh(newest.row);
  }

  const begin: Cover["begin"] = (needMore): UnderWay => {
    usedMs = clock.now();
    if (running === 0) busySinceMs = usedMs;
    running += 1;
    unsettled += 1;
    listeners.add(needMore);
    if (isChannel && running === 1) void follow();
    let ended = false;
    let closed = false;
    const end = () => {
      if (ended) return;
      ended = true;
      listeners.delete(needMore);
      const now = clock.now();
      if (running === 1) baseMs += Math.max(0, now - busySinceMs);
      running -= 1;
      usedMs = now;
      wake.abort();
    };
    return {
      end,
      close: async () => {
        end();
        if (closed) return;
        closed = true;
        unsettled -= 1;
        // Only when nothing runs is the meter in the store the whole truth; what was not charged is no longer counted here.
        if (unsettled > 0) return;
        // Where the store does not answer, the time stands.
        const newest = await reread().catch(() => undefined);
        if (newest && unsettled === 0) {
          baseMs = newest.servedMs;
          account.row = newer(newest.row);
        }
      },
    };
  };

  const cover: Cover = {
    kind: isChannel ? "channel" : "balance",
    runwayMs: () => (closing.signal.aborted ? 0 : leftMs() + (isChannel ? stepMs : 0)),
    assertMayBegin: () => {
      if (leftMs() >= stepMs * BEGIN) return;
      if (isChannel) {
        throw new AppError("VOUCHER_NEEDED", "The channel's newest voucher does not cover another answer.", {
          param: "payment-authorization",
          facts: facts(),
        });
      }
      throw new AppError("BALANCE_TOO_LOW", "The balance does not cover another answer.", {
        param: "authorization",
        facts: { spent: String(owed()), funded: String(account.row.accepted), ratePerSecond: String(rate) },
      });
    },
    begin,
    whenCovered: () => {
      if (!isChannel || leftMs() > 0) return undefined;
      return new Promise((resolve) => waiting.push(resolve));
    },
  };

  const account: PayAccount = {
    id: first.payment,
    state: stateOf(first),
    closed: closing.signal,
    cover,
    row: first,
    owed,
    servedMs,
    running: () => running,
    refresh: (row) => {
      account.row = newer(row);
      wake.abort();
      if (leftMs() <= 0) return;
      for (const resolve of waiting) resolve();
      waiting = [];
    },
    renew: ({ row, servedMs: newest }) => {
      if (unsettled === 0) baseMs = Math.max(baseMs, newest);
      usedMs = clock.now();
      account.refresh(row);
    },
    isIdle: () => unsettled === 0,
    stop: () => closing.abort(),
    lastUsedMs: () => usedMs,
  };
  return account;
}

/** An account has a stream's terms, but no clock of its own. */
function stateOf({ payment: id, payer, payee, asset, ratePerSecond, providerId }: AccountRow): StreamState {
  return { id, payer, payee, asset, ratePerSecond, providerId, start: 0, end: Number.MAX_SAFE_INTEGER, lastPaid: 0, status: "active" };
}
