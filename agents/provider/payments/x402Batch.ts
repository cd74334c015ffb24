import { type Chain, type ContractCall, decodeRevert, type SendOptions, type SentTransaction } from "@clawcompute/lib/chain";
import { AppError, type Facts } from "@clawcompute/lib/errors";
import type { Clock, Logger } from "@clawcompute/lib/node";
import type { PaymentPayload, PaymentRequirements, SettleResponse } from "@clawcompute/lib/protocol/payments";
import {
  BATCH_SETTLEMENT_ADDRESS,
  BATCH_SETTLEMENT_SCHEME,
  type BatchSettlementDepositPayload,
  type BatchSettlementRefundPayload,
  type BatchSettlementVoucherPayload,
  ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
  isBatchSettlementDepositPayload,
  isBatchSettlementRefundPayload,
  isBatchSettlementVoucherPayload,
} from "@x402/evm";
import { type Address, concat, type Hex, keccak256, numberToHex } from "viem";
import type { PayAccount } from "./account.ts";
import type { Accounts } from "./accounts.ts";
import type { Facilitator } from "./facilitator.ts";
import type { AccountRow, Ledger } from "./ledger.ts";
import { isKeySignature } from "./vouchers.ts";
import { type ChannelState, closingCall, configOf, WITHDRAW_DELAY_SECONDS } from "./x402Escrow.ts";
import { channelStateOf, GONE, goneOf, mismatchOf } from "./x402Mismatch.ts";

/** x402's `batch-settlement`: a deposit in x402's own escrow, spent by cumulative vouchers, and booked as everything else is. */
export interface Batch {
  /** Where the escrow is not on the chain, or the token cannot be brought to it: undefined. */
  requirementsOf(exact: PaymentRequirements): Promise<PaymentRequirements | undefined>;
  pay(payload: PaymentPayload, wanted: PaymentRequirements): Promise<BatchPaid>;
  /** Cashes and ends what is due. */
  collect(signal: AbortSignal): Promise<void>;
}

export type BatchPaid =
  /** `response` says what has been charged by now. */
  | { readonly scheme: "batch-settlement"; readonly account: PayAccount; readonly response: () => SettleResponse }
  | { readonly scheme: "refund"; readonly response: SettleResponse };

export interface BatchOptions {
  readonly chain: Chain;
  readonly payee: Address;
  readonly facilitator: Facilitator;
  readonly send: (call: ContractCall, options?: SendOptions) => Promise<SentTransaction>;
  readonly ledger: Ledger;
  readonly accounts: Accounts;
  readonly endAnswers: (payment: bigint) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly idleMs: number;
  /** Vouchers for this much time are cashed while the channel goes on. */
  readonly claimSeconds: number;
}

const MULTICALL3 = "0xcA11bde05977b3631167028862bE2a173976CA11";
/** A deposit is sent at our expense, so it holds some payments. */
const LEAST_PAYMENTS = 4n;

type Paying = BatchSettlementDepositPayload | BatchSettlementVoucherPayload;

export function createBatch(options: BatchOptions): Batch {
  const { chain, payee, facilitator, send, ledger, accounts, endAnswers, clock, logger, idleMs, claimSeconds } = options;
  const { client, network } = chain;
  const refuse = (message: string, facts: Facts = {}) => new AppError("PAYMENT_REFUSED", message, { param: "payment-signature", facts });
  let deployed: Promise<boolean> | undefined;
  const closing = new Map<bigint, ReturnType<typeof settle>>();
  /** The highest vouchers that others may know, from the chain or from us: they prove nothing any more. */
  const published = new Map<bigint, bigint>();

  /** Asked once; a failed question is asked again. */
  function isDeployed(): Promise<boolean> {
    deployed ??= Promise.all(
      [BATCH_SETTLEMENT_ADDRESS, ERC3009_DEPOSIT_COLLECTOR_ADDRESS, MULTICALL3].map((address) =>
        client.getCode({ address: address as Address }),
      ),
    ).then((codes) => codes.every((code) => code !== undefined && code !== "0x"));
    deployed.catch(() => {
      deployed = undefined;
    });
    return deployed;
  }

  /** A channel that was refunded begins anew: each time is an account of its own, and what was claimed before is no part of it. */
  const paymentOf = (channelId: Hex, refundNonce: bigint) => BigInt(keccak256(concat([channelId, numberToHex(refundNonce, { size: 32 })])));
  /** What the payer has spent of the channel in total. `settled` is what had been claimed when the account began. */
  const spentOf = ({ row, owed }: PayAccount) => row.settled + owed();

  async function stateOf(payload: PaymentPayload, wanted: PaymentRequirements): Promise<ChannelState> {
    const { channelId, balance, totalClaimed, withdrawRequestedAt, refundNonce } = await facilitator.verify(payload, wanted);
    return {
      channelId: String(channelId).toLowerCase() as Hex,
      balance: BigInt(String(balance)),
      totalClaimed: BigInt(String(totalClaimed)),
      withdrawRequestedAt: Number(withdrawRequestedAt),
      refundNonce: BigInt(String(refundNonce)),
    };
  }

  /** The packages take forms of a signature that the escrow does not; and what a wallet's code says, it may take back before we cash. */
  function assertCashable(raw: unknown): void {
    if (!isBatchSettlementDepositPayload(raw) && !isBatchSettlementVoucherPayload(raw) && !isBatchSettlementRefundPayload(raw)) return;
    const { voucher, channelConfig } = raw;
    const signature = String(voucher.signature) as Hex;
    if (isKeySignature(signature) && !/^0x0*$/.test(String(channelConfig.payerAuthorizer))) return;
    throw refuse("A voucher is signed by the key that the channel names for it, in the form that the escrow takes.", {
      reason: "invalid_batch_settlement_evm_voucher_signature",
    });
  }

  async function isPublished({ row }: PayAccount, state: ChannelState, signed: bigint): Promise<boolean> {
    const known = published.get(row.payment);
    if (known !== undefined) return signed <= known;
    // What this process did not cash itself: all that was signed counts, of the channel's account before this one as well.
    const { channelId, refundNonce, totalClaimed } = state;
    const before = refundNonce > 0n ? await ledger.read(paymentOf(channelId, refundNonce - 1n)) : undefined;
    const earlier = before ? before.row.settled + before.row.accepted - row.settled : -1n;
    const own = totalClaimed > row.settled ? row.accepted : -1n;
    const shown = earlier > own ? earlier : own;
    published.set(row.payment, shown);
    return signed <= shown;
  }

  /** Who asks may be anybody with an old voucher, so the newest one that this tells is none of the payer's secrets any more. */
  function mismatch(account: PayAccount, state: ChannelState): AppError {
    published.set(account.row.payment, account.row.accepted);
    return mismatchOf(account.row, state, spentOf(account));
  }

  async function accountOf(
    raw: Paying,
    state: ChannelState,
    wanted: PaymentRequirements,
    accepted: PaymentRequirements,
  ): Promise<PayAccount> {
    const payment = paymentOf(state.channelId, state.refundNonce);
    const known = await accounts.find(payment);
    if (known) return known;
    if (accepted.amount !== wanted.amount) throw refuse("This provider does not take this payment now: the price has changed.");
    const { payer, payerAuthorizer, salt } = raw.channelConfig;
    const { providerId, seconds } = wanted.extra as { providerId: number; seconds: number };
    const nowMs = clock.now();
    return accounts.create({
      payment,
      kind: "escrow",
      providerId,
      payer,
      payee,
      asset: wanted.asset as Address,
      ratePerSecond: BigInt(wanted.amount) / BigInt(seconds),
      salt,
      authorizedSigner: payerAuthorizer,
      deposit: state.balance - state.totalClaimed,
      accepted: BigInt(raw.voucher.maxClaimableAmount) - state.totalClaimed,
      voucherSignature: raw.voucher.signature,
      settled: state.totalClaimed,
      expiresAtMs: null,
      usedAtMs: nowMs,
    } as AccountRow);
  }

  async function spend(raw: Paying, payload: PaymentPayload, wanted: PaymentRequirements): Promise<BatchPaid> {
    const { channelConfig, voucher } = raw;
    let transaction: string = "";
    if (isBatchSettlementDepositPayload(raw)) {
      if (BigInt(raw.deposit.amount) < BigInt(wanted.extra.minDeposit as string)) {
        throw refuse("The deposit is smaller than what this provider brings to the chain.", {
          minDeposit: wanted.extra.minDeposit as string,
        });
      }
      transaction = (await facilitator.settle(payload, wanted, undefined)).hash;
    }
    const checked = { ...payload, payload: { type: "voucher", channelConfig, voucher } };
    const state = await stateOf(checked, wanted).catch((thrown) => {
      // A client that does not know that its channel was ended looks at the chain, and deposits anew.
      if (GONE.has(String(AppError.from(thrown).facts.reason))) throw goneOf(wanted);
      throw thrown;
    });
    if (state.withdrawRequestedAt !== 0) throw refuse("The payer is taking this channel's deposit back.");
    const account = await accountOf(raw, state, wanted, payload.accepted);
    const { row } = account;
    if (row.state !== "open") throw refuse("This channel has ended.", { hint: "Choose another salt for a new one." });
    if (row.providerId !== wanted.extra.providerId) throw refuse("This channel pays for another offer; choose another salt for this one.");
    const signed = BigInt(voucher.maxClaimableAmount) - row.settled;
    const goesOn = BigInt(voucher.maxClaimableAmount) === spentOf(account) + BigInt(wanted.amount);
    if (!goesOn && (await isPublished(account, state, signed))) throw mismatch(account, state);
    if (signed > row.accepted) accounts.update(await ledger.accept(row, signed, voucher.signature, clock.now()));
    if (account.row.accepted - account.owed() < BigInt(wanted.amount) / 2n) throw mismatch(account, state);
    const response = (): SettleResponse => {
      const base = BigInt(voucher.maxClaimableAmount) - BigInt(wanted.amount);
      const spent = spentOf(account);
      return {
        success: true,
        transaction,
        network: wanted.network,
        payer: row.payer,
        amount: "",
        // Since the client's own count, which is what its voucher says.
        extra: {
          chargedAmount: String(spent > base ? spent - base : 0n),
          channelState: channelStateOf(state, spent > base ? spent : base),
        },
      };
    };
    return { scheme: "batch-settlement", account, response };
  }

  async function refund(raw: BatchSettlementRefundPayload, payload: PaymentPayload, wanted: PaymentRequirements): Promise<BatchPaid> {
    const state = await stateOf(payload, wanted);
    const account = await accounts.find(paymentOf(state.channelId, state.refundNonce));
    if (account?.row.state !== "open") throw refuse("Nothing was spent of this channel here.");
    if (account.running() > 0) {
      throw new AppError("IDEMPOTENCY_CONFLICT", "This channel is paying for an answer.", {
        param: "payment-signature",
        retryAfterSeconds: 2,
        hint: "Ask again when the answer has ended.",
      });
    }
    // What ends a channel is signed for what has been spent: earlier vouchers are no secret.
    if (BigInt(raw.voucher.maxClaimableAmount) !== spentOf(account)) throw mismatch(account, state);
    if (raw.amount !== undefined) throw refuse("The whole rest of a channel is returned, not a part of it.");
    const { hash, returned } = await close(account, state, raw.voucher.signature);
    const extra = { channelState: { ...channelStateOf(state, spentOf(account)), balance: String(state.balance - returned) } };
    const response = {
      success: true,
      transaction: hash ?? "",
      network: wanted.network,
      payer: account.row.payer,
      amount: String(returned),
    };
    return { scheme: "refund", response: { ...response, extra } };
  }

  function close(account: PayAccount, state: ChannelState, exact?: Hex): ReturnType<typeof settle> {
    const { payment } = account.row;
    const under = closing.get(payment) ?? settle(account, state, exact).finally(() => closing.delete(payment));
    closing.set(payment, under);
    return under;
  }

  /** Ends the account: what is owed comes to us, the rest goes back, in one transaction. */
  async function settle(account: PayAccount, state: ChannelState, exact?: Hex): Promise<{ hash: Hex | undefined; returned: bigint }> {
    const { payment } = account.row;
    const agreed = account.owed();
    accounts.update(await ledger.onChain(payment, { state: "closing" }));
    await endAnswers(payment);
    // A voucher for exactly what was spent leaves nothing that others could show.
    const isExact = exact !== undefined && agreed === account.owed();
    const row = isExact ? { ...account.row, accepted: agreed, voucherSignature: exact } : account.row;
    const call = closingCall(row, spentOf(account), state, { refund: true });
    const hash = call && (await sendCall(call.call));
    accounts.update(await ledger.onChain(payment, { state: "closed" }));
    published.delete(payment);
    if (call) logger.info({ channelId: state.channelId, ...call.facts, hash }, "an x402 channel is settled");
    return { hash, returned: call?.returned ?? 0n };
  }

  async function sendCall(call: ContractCall): Promise<Hex> {
    try {
      return (await send(call)).hash;
    } catch (thrown) {
      throw decodeRevert(thrown);
    }
  }

  /** The chain is asked each time: a payer who leaves says so there only. */
  async function look(account: PayAccount, unusedMs: number): Promise<void> {
    const { row } = account;
    const state = await configOf(row, network.chainId).read(client);
    // It was returned already, and what is there now is another account's.
    if (paymentOf(state.channelId, state.refundNonce) !== row.payment) {
      return accounts.update(await ledger.onChain(row.payment, { state: "closed" }));
    }
    const running = account.running() > 0;
    const isOver = row.state === "closing" || state.withdrawRequestedAt !== 0 || unusedMs >= idleMs;
    if (isOver && !running) return void (await close(account, state));
    const due = spentOf(account) - state.totalClaimed;
    if (due <= 0n || (!isOver && due < row.ratePerSecond * BigInt(claimSeconds))) return;
    published.set(row.payment, row.accepted);
    const call = closingCall(row, spentOf(account), state, { refund: false });
    if (call)
      logger.info({ channelId: state.channelId, ...call.facts, hash: await sendCall(call.call) }, "vouchers of an x402 channel cashed");
  }

  return {
    requirementsOf: async (exact) => {
      if (exact.extra.assetTransferMethod !== "eip3009" || !(await isDeployed())) return undefined;
      const { paymentFlow: _, ...extra } = exact.extra;
      return {
        ...exact,
        scheme: BATCH_SETTLEMENT_SCHEME,
        extra: {
          ...extra,
          receiverAuthorizer: payee,
          withdrawDelay: WITHDRAW_DELAY_SECONDS,
          minDeposit: String(BigInt(exact.amount) * LEAST_PAYMENTS),
        },
      };
    },
    pay: (payload, wanted) => {
      const raw = payload.payload as unknown;
      assertCashable(raw);
      if (isBatchSettlementDepositPayload(raw) || isBatchSettlementVoucherPayload(raw)) return spend(raw, payload, wanted);
      if (isBatchSettlementRefundPayload(raw)) return refund(raw, payload, wanted);
      throw refuse("The payment is neither a deposit, nor a voucher, nor the end of a channel.");
    },
    collect: async (signal) => {
      for (const { row, servedAtMs } of await ledger.live(payee, "escrow")) {
        signal.throwIfAborted();
        const account = await accounts.find(row.payment);
        const unusedMs = clock.now() - Math.max(row.usedAtMs, servedAtMs);
        if (!account) continue;
        await look(account, unusedMs).catch((thrown) => {
          const { code } = AppError.from(thrown);
          logger.warn({ code, payer: row.payer, asset: row.asset }, "an x402 channel could not be settled yet");
        });
      }
    },
  };
}
