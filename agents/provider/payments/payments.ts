import { createHash } from "node:crypto";
import {
  type Chain,
  type ChainEvent,
  type ContractCall,
  decodeRevert,
  readChannel,
  type Sender,
  type SendOptions,
  type SentTransaction,
} from "@clawcompute/lib/chain";
import { AppError, type Facts } from "@clawcompute/lib/errors";
import { type Clock, type Logger, type Metrics, recoverSigner } from "@clawcompute/lib/node";
import type { Domain, SignedReceipt } from "@clawcompute/lib/protocol";
import {
  type Challenge,
  encodePaymentEvent,
  encodePaymentReceipt,
  encodeX402,
  formatChallenge,
  paymentEvents,
  paymentHeaders,
} from "@clawcompute/lib/protocol/payments";
import type { Database, Store } from "@clawcompute/lib/store";
import type { Address, LocalAccount } from "viem";
import type { Payer } from "../admission.ts";
import type { Piece } from "../answers/work.ts";
import type { Caller } from "../caller.ts";
import type { Meters } from "../metering.ts";
import { offerOf, type ServedOffer } from "../offers.ts";
import { createRateLimit, type RateLimit } from "../rateLimit.ts";
import { hashToken, type Sessions } from "../sessions.ts";
import type { PayAccount } from "./account.ts";
import { createAccounts } from "./accounts.ts";
import { createBalances } from "./balances.ts";
import { isBalanceToken } from "./balanceToken.ts";
import { createChallenges } from "./challenges.ts";
import { type Channels, createChannels } from "./channels.ts";
import { type Collecting, createCollecting } from "./collect.ts";
import { createDemo, DEMO_TOKEN } from "./demo.ts";
import { createFacilitator } from "./facilitator.ts";
import { createLedger } from "./ledger.ts";
import { createOpenings } from "./openings.ts";
import { createRecovery, type Recovery } from "./recovery.ts";
import { createReplays, type Replays } from "./replays.ts";
import { createTokens } from "./tokens.ts";
import { createTransfers } from "./transfers.ts";
import { createVoucherCheck } from "./vouchers.ts";
import { createX402 } from "./x402.ts";
import { createBatch } from "./x402Batch.ts";

/** What an answer says of its payment, beside the signed receipt. */
export interface PaymentNotes {
  /** Headers at its head. */
  head(): Readonly<Record<string, string>>;
  /** Events after it, when it was streamed. */
  ending(signed: SignedReceipt): readonly Piece[];
}

/** Every way to pay that proves itself with each request. */
export interface Payments {
  /** Undefined: the caller shows none of them. Throws what is wrong with what it shows. */
  payerOf(caller: Caller): Promise<Payer | undefined>;
  /** What a request without a body does, as the headers of its answer; undefined: the caller shows nothing. */
  manage(caller: Caller): Promise<Readonly<Record<string, string>> | undefined>;
  /** What a 402 lists: values of `WWW-Authenticate`, and of `PAYMENT-REQUIRED`. */
  ways(url: string, refusal?: Facts): Promise<{ readonly challenges: readonly string[]; readonly x402: string }>;
  /** A balance's ledger, and its end; for who bears its token. */
  statement(caller: Caller): Promise<Record<string, unknown>>;
  closeBalance(caller: Caller): Promise<Record<string, unknown>>;
  /** Returns balances that nobody uses. */
  expire(signal: AbortSignal): Promise<void>;
  /** What a crash cut short; undefined where this process may send nothing. */
  readonly recovery: Recovery | undefined;
  readonly replays: Replays;
  apply(events: readonly ChainEvent[]): Promise<void>;
  recheck(): Promise<void>;
  /** Cashes vouchers; undefined where this process may send nothing. */
  readonly collecting: Collecting | undefined;
}

export interface PaymentLimits {
  /** How far vouchers run ahead: the most that either side can lose. */
  readonly stepMs: number;
  /** Native coin in wei; unclaimed vouchers above it are cashed. */
  readonly claimAbove: bigint;
  readonly idleMs: number;
  /** What one x402 payment covers. */
  readonly upfrontSeconds: number;
  /** Vouchers of x402's escrow for this much time are cashed while their channel goes on. Default an hour. */
  readonly escrowClaimSeconds?: number;
  /** Unused balances go back after this time. */
  readonly balanceIdleMs: number;
  /** Given away each day; 0: nothing. */
  readonly demoSecondsPerDay: number;
  readonly demoRequestsPerMinute: number;
}

export interface PaymentsOptions {
  readonly db: Database;
  readonly meters: Meters;
  readonly journal: Store["journal"];
  readonly chain: Chain;
  readonly payee: Address;
  readonly signer: LocalAccount;
  readonly offers: readonly ServedOffer[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: PaymentLimits;
  readonly metrics: Metrics;
  readonly attempts: RateLimit;
  readonly endAnswers: (payment: bigint) => Promise<void>;
  readonly sessions: Pick<Sessions, "open">;
  /** The payee's wallet, for relaying and cashing. */
  readonly wallet:
    | { readonly estimate: Sender["estimate"]; readonly send: (call: ContractCall, options?: SendOptions) => Promise<SentTransaction> }
    | undefined;
  /** Other processes share the store. */
  readonly replicated: boolean;
}

const RELAYED_SECONDS = 60;
const GOOD = 20_000;
/** What another replica may have served unseen. */
const SHARED_MS = 1_000;
/** What another replica reserved is its own for this time. */
const REPLICA_MS = 30_000;

export function createPayments(options: PaymentsOptions): Payments {
  const {
    db,
    meters,
    journal,
    chain,
    payee,
    signer,
    offers,
    clock,
    logger,
    limits,
    metrics,
    attempts,
    endAnswers,
    sessions,
    wallet,
    replicated,
  } = options;
  const { chainId } = chain.network;
  const domain: Domain = { chainId, verifyingContract: chain.network.contracts.paymentChannel };
  const ledger = createLedger({ db, chainId, meters, journal });
  const accounts = createAccounts({ ledger, stepMs: limits.stepMs, clock, ...(journal ? {} : { trustedMs: SHARED_MS }) });
  const tokens = createTokens(chain);
  /** An opening that this provider sends for its payer costs the payer no gas; what costs least comes first. */
  const credentialTypes = async (asset: Address): Promise<readonly string[]> => {
    const { eip3009, permit2 } = await tokens(asset);
    return [...(wallet && eip3009 ? ["authorization"] : []), ...(wallet && permit2 ? ["permit2"] : []), "hash"];
  };
  let sealing: Promise<Uint8Array> | undefined;
  const secret = () => {
    sealing ??= secretOf(signer);
    return sealing;
  };
  const challenges = createChallenges({
    secret,
    domain,
    payee,
    stepMs: limits.stepMs,
    nowMs: () => clock.now(),
    credentialTypes,
  });
  const read = (id: `0x${string}`) => readChannel(chain, id);
  const openings = createOpenings({ domain, payee, read, relay: wallet?.send, credentialTypes, minSeconds: RELAYED_SECONDS });
  const leaving = new Set<bigint>();
  const collecting =
    wallet &&
    createCollecting({
      ledger,
      payee,
      ...wallet,
      clock,
      logger,
      cashed: metrics.counter("vouchers_cashed_total", "Vouchers brought to the chain, by how", ["kind"]),
      claimAbove: limits.claimAbove,
      idleMs: limits.idleMs,
      leaving,
      onClosed: accounts.update,
    });
  const channels: Channels = createChannels({
    domain,
    payee,
    accounts,
    ledger,
    challenges,
    openings,
    check: createVoucherCheck(domain, recoverSigner),
    read,
    clock,
    logger,
    endAnswers,
    leaving,
    close: (row, voucher) => {
      if (!collecting) {
        throw new AppError("UNSUPPORTED", "This provider's wallet is elsewhere.", { hint: "Close on chain: requestClose, then withdraw." });
      }
      return collecting.close(row, voucher);
    },
  });

  const headNumber = () =>
    chain.client.getBlockNumber().catch((thrown) => {
      throw decodeRevert(thrown);
    });
  const transfers = createTransfers(db, chainId);
  const balances = createBalances({
    db,
    chainId,
    payee,
    secret,
    ledger,
    accounts,
    transfers,
    clock,
    logger,
    idleMs: limits.balanceIdleMs,
    endAnswers,
    send: wallet?.send,
    headNumber,
  });
  const streamDomain: Domain = { chainId, verifyingContract: chain.network.contracts.streamPay };
  const facilitator = wallet && createFacilitator({ chain, sender: payee, send: wallet.send });
  const shared = { chainId, payee, offers, balances, transfers, clock, headNumber };
  const batch =
    wallet &&
    facilitator &&
    createBatch({
      chain,
      payee,
      facilitator,
      send: wallet.send,
      ledger,
      accounts,
      endAnswers,
      clock,
      logger,
      idleMs: limits.idleMs,
      claimSeconds: limits.escrowClaimSeconds ?? 3_600,
    });
  const x402 = createX402({ ...shared, domain: streamDomain, tokens, facilitator, batch, seconds: limits.upfrontSeconds });
  const graceMs = replicated ? REPLICA_MS : 0;
  const recovery = wallet && createRecovery({ chain, payee, transfers, balances, clock, logger, graceMs });
  const demoRequests = createRateLimit({ perMinute: limits.demoRequestsPerMinute, what: "demo requests from this address", clock });
  const demo = createDemo({ ...shared, secondsPerDay: limits.demoSecondsPerDay, requests: demoRequests });

  const bearerOf = ({ authorization }: Caller) => /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  const balanceTokenOf = (caller: Caller) => {
    const token = bearerOf(caller);
    return token !== undefined && isBalanceToken(token) ? token : undefined;
  };

  async function balanceOf(caller: Caller) {
    const token = balanceTokenOf(caller);
    if (token === undefined) throw new AppError("TOKEN_MISSING", "This needs a balance token as bearer.", { param: "authorization" });
    return attempt(caller, () => balances.read(token));
  }

  async function payByBalance(token: string): Promise<Payer> {
    const { account, caveats } = await balances.payer(token);
    const payer = payerFor(account, {
      head: () => ({}),
      ending: () => [],
    });
    if (caveats.model !== undefined && caveats.model !== payer.offer.terms.model) {
      throw new AppError("MODEL_NOT_FOUND", "This token is for another model.", { param: "model", facts: { model: caveats.model } });
    }
    return payer;
  }

  /** Undefined: it was the end of a channel, and its answer is told. */
  async function payByX402(caller: Caller, header: string): Promise<Payer | undefined> {
    const token = balanceTokenOf(caller);
    const onto = token === undefined ? undefined : (await balances.read(token)).account;
    const paid = await x402.pay(header, { onto, secret: caller.idempotencyKey });
    if (paid.scheme === "stream") {
      const opened = await sessions.open(paid.proof);
      const offer = offerOf(offers, opened.stream.state.providerId);
      if (!offer)
        throw new AppError("WRONG_PROVIDER", "This stream pays for an offer that is not served here.", { param: "payment-signature" });
      const head = { [paymentHeaders.x402Response]: encodeX402(paid.response), [paymentHeaders.balanceToken]: opened.token };
      return { stream: opened.stream, offer, notes: { head: () => head, ending: () => [] } };
    }
    if (paid.scheme === "refund") {
      caller.tell?.(paymentHeaders.x402Response, encodeX402(paid.response));
      return undefined;
    }
    if (paid.scheme === "batch-settlement") {
      const { account, response } = paid;
      const said = () => ({ [paymentHeaders.x402Response]: encodeX402(response()) });
      for (const [name, value] of Object.entries(said())) caller.tell?.(name, value);
      return payerFor(account, {
        head: said,
        ending: () => [{ event: paymentEvents.x402Response, data: JSON.stringify(response()) }],
      });
    }
    const { account, response } = paid;
    const bearer = await balances.token(account.row.payment);
    const head = { [paymentHeaders.x402Response]: encodeX402(response), [paymentHeaders.balanceToken]: bearer };
    // Paid is paid, also when the request itself is refused: then the balance serves the next one.
    for (const [name, value] of Object.entries(head)) caller.tell?.(name, value);
    return payerFor(account, {
      head: () => head,
      ending: ({ receipt }) => {
        const left = account.row.accepted - receipt.cumulativeAmount;
        const extra = { charged: String(receipt.amount), left: String(left), balanceToken: bearer };
        return [{ event: paymentEvents.x402Response, data: JSON.stringify({ ...response, extra }) }];
      },
    });
  }

  const refusals = metrics.counter("payments_refused_total", "Payments that were refused, by the reason", ["code"]);
  const shown = metrics.counter("payments_taken_total", "Requests by what paid for them", ["kind"]);

  /** Channels and balance tokens that turned out to be worth something. */
  const good = new Set<string>();

  /** Worthless credentials cost their address something; those that were worth it do not. */
  async function attempt<T>({ party, payment, authorization }: Caller, work: () => Promise<T>): Promise<T> {
    // Whoever pays already is let through, whatever others at its address do.
    // By its hash: an Authorization header is as long as its sender likes.
    const name = payment === undefined ? authorization && hashToken(authorization) : channels.idOf(payment);
    if (name === undefined || !good.has(name)) attempts.assertMay(party);
    try {
      const result = await work();
      if (name !== undefined) good.add(name);
      if (good.size > GOOD) good.delete(good.values().next().value as string);
      return result;
    } catch (thrown) {
      const { code } = AppError.from(thrown);
      refusals.inc({ code });
      if (code !== "VOUCHER_NEEDED" && code !== "CHANNEL_CLOSING" && code !== "CHANNEL_CLOSED") attempts.take(party);
      throw thrown;
    }
  }

  function payerFor(account: PayAccount, notes: PaymentNotes): Payer {
    const offer = offerOf(offers, account.row.providerId);
    if (!offer) throw new AppError("WRONG_PROVIDER", "This pays for an offer that is not served here.", { param: "payment-authorization" });
    shown.inc({ kind: account.row.kind });
    return { stream: account, offer, notes };
  }

  function channelNotes(account: PayAccount, challenge: Challenge): PaymentNotes {
    return {
      head: () => ({ [paymentHeaders.receipt]: encodePaymentReceipt(channels.receiptOf(account, challenge)) }),
      ending: ({ receipt }) => {
        const { servedMs: units, reason, cumulativeAmount: spent } = receipt;
        const data = encodePaymentEvent(channels.receiptOf(account, challenge, { units, reason, spent }));
        return [{ event: paymentEvents.receipt, data }];
      },
    };
  }

  return {
    payerOf: async (caller) => {
      const { payment, x402: signature } = caller;
      if (payment !== undefined) {
        const { account, challenge } = await attempt(caller, () => channels.payer(payment));
        return payerFor(account, channelNotes(account, challenge));
      }
      if (signature !== undefined) {
        const paying = await attempt(caller, () => payByX402(caller, signature));
        if (!paying) throw new AppError("PAYMENT_REFUSED", "This ends a channel, and pays for nothing.", { param: "payment-signature" });
        return paying;
      }
      const balanceToken = balanceTokenOf(caller);
      if (balanceToken !== undefined) return attempt(caller, () => payByBalance(balanceToken));
      if (bearerOf(caller) === DEMO_TOKEN) return payerFor(await demo.payer(caller.party), { head: () => ({}), ending: () => [] });
      return undefined;
    },
    manage: async (caller) => {
      const { payment, x402: signature } = caller;
      if (payment !== undefined) {
        const receipt = await attempt(caller, () => channels.manage(payment));
        return { [paymentHeaders.receipt]: encodePaymentReceipt(receipt) };
      }
      if (signature === undefined) return undefined;
      const paying = await attempt(caller, () => payByX402(caller, signature));
      return paying?.notes?.head() ?? {};
    },
    ways: async (url, refusal) => {
      const listed = offers.filter(({ providerId, active }) => providerId !== undefined && active);
      return {
        challenges: await Promise.all(listed.map(async (offer) => formatChallenge(await challenges.issue(offer)))),
        x402: await x402.required(url, refusal),
      };
    },
    statement: async (caller) => {
      const { account } = await balanceOf(caller);
      await meters.written();
      return balances.statement(account);
    },
    closeBalance: async (caller) => {
      const { account, caveats } = await balanceOf(caller);
      if (caveats.scope !== undefined)
        throw new AppError("TOKEN_UNKNOWN", "This token may not end the balance.", { param: "authorization" });
      const { refunded, hash } = await balances.close(account);
      return { refunded: String(refunded), transactionHash: hash ?? null, ...(await balances.statement(account)) };
    },
    expire: async (signal) => {
      await balances.expire(signal);
      await batch?.collect(signal);
    },
    recovery,
    replays: createReplays(db, clock),
    apply: channels.apply,
    recheck: channels.recheck,
    collecting,
  };
}

/** The same for every replica that has the signer's key, and useless for anything else. */
async function secretOf(signer: LocalAccount): Promise<Uint8Array> {
  const signature = await signer.signMessage({ message: "ClawCompute provider: seals payment challenges and balance tokens" });
  return createHash("sha256").update(signature).digest();
}
