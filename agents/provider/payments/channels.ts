import type { ChainEvent, ChannelState } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { Clock, Logger } from "@clawcompute/lib/node";
import type { Domain } from "@clawcompute/lib/protocol";
import {
  type Challenge,
  type ChannelReceipt,
  type Credential,
  channelOfPayment,
  decodeCredential,
  type OpenPayload,
  paymentOfChannel,
  type SessionPayload,
} from "@clawcompute/lib/protocol/payments";
import type { Address, Hex } from "viem";
import type { PayAccount } from "./account.ts";
import type { Accounts } from "./accounts.ts";
import type { Challenges } from "./challenges.ts";
import type { AccountRow, Ledger } from "./ledger.ts";
import { assertLive, type Openings } from "./openings.ts";
import type { VoucherCheck } from "./vouchers.ts";

/** What a credential for a channel does: shows it, adds a voucher, tops it up, closes it. */
export interface Channels {
  /** For an answer: the account that pays for it. */
  payer(header: string): Promise<{ readonly account: PayAccount; readonly challenge: Challenge }>;
  /** Which channel a credential names; nothing of it is believed. */
  idOf(header: string): string | undefined;
  /** Without an answer. */
  manage(header: string): Promise<ChannelReceipt>;
  receiptOf(account: PayAccount, challenge: Challenge, more?: Partial<ChannelReceipt>): ChannelReceipt;
  /** Keeps up with the chain. */
  apply(events: readonly ChainEvent[]): Promise<void>;
  /** Reads every live channel again: after a restart, or when blocks were undone. */
  recheck(): Promise<void>;
}

export interface ChannelsOptions {
  readonly domain: Domain;
  readonly payee: Address;
  readonly accounts: Accounts;
  readonly ledger: Ledger;
  readonly challenges: Challenges;
  readonly openings: Openings;
  readonly check: VoucherCheck;
  readonly read: (id: Hex) => Promise<ChannelState>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the answers of an account and waits for their receipts. */
  readonly endAnswers: (payment: bigint) => Promise<void>;
  /** Those whose closing is on its way to the chain: whatever the chain says until then, they serve nothing more. */
  readonly leaving: Set<bigint>;
  /** Closes on chain with this voucher; the transaction's hash. */
  readonly close: (row: AccountRow, voucher: { cumulativeAmount: bigint; signature: Hex }) => Promise<Hex>;
}

export function createChannels(options: ChannelsOptions): Channels {
  const { domain, payee, accounts, ledger, challenges, openings, check, read, clock, logger, endAnswers, leaving, close } = options;
  /** Credentials come again with many requests; reading one is dearer than finding it. */
  const decoded = new Map<string, Credential>();

  function decode(header: string): Credential {
    const known = decoded.get(header);
    if (known) return known;
    const credential = decodeCredential(header);
    if (decoded.size >= 2_000) decoded.delete(decoded.keys().next().value as string);
    decoded.set(header, credential);
    return credential;
  }

  const signerOf = ({ authorizedSigner, payer }: AccountRow) =>
    authorizedSigner && BigInt(authorizedSigner) !== 0n ? authorizedSigner : payer;

  /** Cheap checks first; the signature before anything is said about lower vouchers. */
  async function accept(account: PayAccount, cumulativeAmount: bigint, signature: Hex): Promise<void> {
    const { row } = account;
    const isNewest = cumulativeAmount === row.accepted && signature.toLowerCase() === row.voucherSignature;
    if (isNewest) return;
    if (cumulativeAmount > row.deposit) {
      throw new AppError("VOUCHER_ABOVE_DEPOSIT", "The voucher is above the channel's deposit.", {
        param: "cumulativeAmount",
        facts: { deposit: String(row.deposit), channelId: channelOfPayment(row.payment) },
      });
    }
    await assertSigned(row, cumulativeAmount, signature);
    if (cumulativeAmount <= account.row.accepted) return;
    const kept = await ledger.accept(account.row, cumulativeAmount, signature, clock.now());
    if (kept) accounts.update(kept);
    else {
      const stored = await ledger.read(row.payment);
      accounts.update(stored?.row);
      if (stored) assertLive({ id: channelOfPayment(row.payment), status: stored.row.state });
    }
  }

  async function assertSigned(row: AccountRow, cumulativeAmount: bigint, signature: Hex): Promise<void> {
    if (await check({ channelId: channelOfPayment(row.payment), cumulativeAmount }, signature, signerOf(row))) return;
    throw new AppError("VOUCHER_INVALID", "The voucher is not signed by the channel's key for this chain and contract.", {
      param: "signature",
      facts: { chainId: domain.chainId, contract: domain.verifyingContract, signer: signerOf(row) },
    });
  }

  /** Opening again changes nothing. */
  async function show(credential: Credential<OpenPayload>): Promise<PayAccount> {
    const { payload, challenge } = credential;
    const payment = paymentOfChannel(payload.channelId);
    const signature = payload.type === "hash" ? payload.signature : payload.voucherSignature;
    const known = await accounts.find(payment);
    if (known) {
      // Other accounts' ids are no secret, and a channel's voucher cannot be cashed for them.
      if (known.row.kind !== "channel") assertLive({ id: payload.channelId, status: "unknown" });
      assertLive({ id: payload.channelId, status: known.row.state });
      await accept(known, payload.cumulativeAmount, signature);
      return known;
    }
    const quote = await challenges.check(challenge);
    if (quote.expired) throw new AppError("CHALLENGE_UNKNOWN", "This challenge has expired.", { param: "payment-authorization" });
    const { terms, state } = await openings.open(credential, quote);
    const row: AccountRow = {
      payment,
      kind: "channel",
      providerId: quote.providerId,
      payer: terms.payer,
      payee,
      asset: terms.token,
      ratePerSecond: quote.ratePerSecond,
      salt: terms.salt,
      authorizedSigner: terms.authorizedSigner,
      deposit: state.deposit,
      // What is settled already was for somebody's work; a provider that lost its store starts from there.
      accepted: state.settled,
      voucherSignature: null,
      settled: state.settled,
      state: "open",
      expiresAtMs: null,
      usedAtMs: clock.now(),
    };
    await assertSigned(row, payload.cumulativeAmount, signature);
    const account = await accounts.create(row);
    logger.info({ channelId: payload.channelId, providerId: row.providerId, deposit: String(row.deposit) }, "a channel was shown");
    await accept(account, payload.cumulativeAmount, signature);
    return account;
  }

  async function known(payload: Exclude<SessionPayload, OpenPayload>, challenge: Challenge): Promise<PayAccount> {
    const account = await accounts.find(paymentOfChannel(payload.channelId));
    if (account?.row.kind !== "channel") {
      throw new AppError("CHANNEL_UNKNOWN", "This channel was not shown here.", {
        param: "channelId",
        hint: 'Show it with a credential of action "open".',
      });
    }
    if ((await challenges.check(challenge)).providerId !== account.row.providerId) {
      throw new AppError("CHALLENGE_UNKNOWN", "This channel pays for another offer than the challenge's.", {
        param: "payment-authorization",
      });
    }
    return account;
  }

  const onChain: Ledger["onChain"] = (payment, { state, ...amounts }) =>
    ledger.onChain(payment, state === undefined || (state === "open" && leaving.has(payment)) ? amounts : { ...amounts, state });

  function assertOpen({ row }: PayAccount): void {
    assertLive({ id: channelOfPayment(row.payment), status: row.state });
  }

  async function closeChannel(account: PayAccount, cumulativeAmount: bigint, signature: Hex): Promise<Hex> {
    const { payment } = account.row;
    if (account.row.state === "closed") assertOpen(account);
    await assertSigned(account.row, cumulativeAmount, signature);
    if (leaving.has(payment)) assertLive({ id: channelOfPayment(payment), status: "closing" });
    leaving.add(payment);
    try {
      return await finishAndClose(account, cumulativeAmount, signature);
    } finally {
      leaving.delete(payment);
    }
  }

  async function finishAndClose(account: PayAccount, cumulativeAmount: bigint, signature: Hex): Promise<Hex> {
    const { payment } = account.row;
    accounts.update(await ledger.onChain(payment, { state: "closing" }));
    await endAnswers(payment);
    const stored = await ledger.read(payment);
    const row = stored?.row ?? account.row;
    const spent = account.owed();
    const own = cumulativeAmount >= spent && cumulativeAmount <= row.deposit;
    const newest = {
      cumulativeAmount: row.voucherSignature ? row.accepted : row.settled,
      signature: row.voucherSignature ?? "0x",
    } as const;
    const hash = await close(row, own ? { cumulativeAmount, signature } : newest);
    accounts.update(await ledger.onChain(payment, { state: "closed" }));
    return hash;
  }

  function receiptOf(account: PayAccount, challenge: Challenge, more: Partial<ChannelReceipt> = {}): ChannelReceipt {
    const channelId = channelOfPayment(account.row.payment);
    return {
      method: "evm",
      intent: "session",
      status: "success",
      timestamp: new Date(clock.now()).toISOString(),
      reference: channelId,
      challengeId: challenge.id,
      channelId,
      chainId: domain.chainId,
      acceptedCumulative: account.row.accepted,
      spent: account.owed(),
      ...more,
    };
  }

  return {
    receiptOf,
    idOf: (header) => {
      try {
        return decode(header).payload.channelId.toLowerCase();
      } catch {
        return undefined;
      }
    },
    payer: async (header) => {
      const { challenge, payload, source } = decode(header);
      if (payload.action === "open") return { account: await show({ challenge, payload, ...(source ? { source } : {}) }), challenge };
      if (payload.action !== "voucher")
        throw new AppError("BAD_REQUEST", "This credential does not pay for an answer.", { param: "action" });
      const account = await known(payload, challenge);
      assertOpen(account);
      await accept(account, payload.cumulativeAmount, payload.signature);
      return { account, challenge };
    },

    manage: async (header) => {
      const { challenge, payload, source } = decode(header);
      let account: PayAccount;
      let txHash: Hex | undefined;
      if (payload.action === "open") account = await show({ challenge, payload, ...(source ? { source } : {}) });
      else {
        account = await known(payload, challenge);
        if (payload.action === "voucher") {
          assertOpen(account);
          await accept(account, payload.cumulativeAmount, payload.signature);
        } else if (payload.action === "topUp") {
          const { payment } = account.row;
          if (leaving.has(payment)) assertLive({ id: payload.channelId, status: "closing" });
          const { deposit } = await openings.topUp(payload, await read(payload.channelId));
          accounts.update(await onChain(payment, { deposit, state: "open" }));
        } else txHash = await closeChannel(account, payload.cumulativeAmount, payload.signature);
      }
      const stored = await accounts.stored(paymentOfChannel(payload.channelId));
      const now = (await accounts.find(paymentOfChannel(payload.channelId))) ?? account;
      return receiptOf(now, challenge, {
        ...(stored ? { servedMs: stored.servedMs, lastReceiptHash: stored.lastReceiptHash } : {}),
        ...(txHash ? { txHash } : {}),
      });
    },

    apply: async (events) => {
      for (const { contract, name, args } of events) {
        if (contract !== "paymentChannel" || typeof args.channelId !== "string") continue;
        const change = changeOf(name, args);
        if (change) accounts.update(await onChain(paymentOfChannel(args.channelId as Hex), change));
      }
    },

    recheck: async () => {
      for (const { row } of await ledger.live(payee, "channel")) {
        const { status, deposit, settled } = await read(channelOfPayment(row.payment));
        // Gone with its block: until it is seen again it pays for nothing.
        if (status === "unknown") accounts.update(await ledger.onChain(row.payment, { state: "closing" }));
        else accounts.update(await onChain(row.payment, { deposit, settled, state: status }));
      }
    },
  };
}

function changeOf(name: string, args: Readonly<Record<string, unknown>>): Parameters<Ledger["onChain"]>[1] | undefined {
  if (name === "ChannelToppedUp") return { deposit: args.deposit as bigint };
  if (name === "ChannelSettled") return { settled: args.settled as bigint };
  if (name === "CloseRequested") return { state: "closing" };
  if (name === "CloseRequestCancelled") return { state: "open" };
  if (name === "ChannelClosed") return { settled: args.settled as bigint, state: "closed" };
  return undefined;
}
