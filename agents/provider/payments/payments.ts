import { createHash } from "node:crypto";
import { type Chain, type ChainEvent, type ContractCall, readChannel, type Sender, type SentTransaction } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { type Clock, type Logger, recoverSigner } from "@clawcompute/lib/node";
import type { ContractSignatureCheck, Domain, SignedReceipt } from "@clawcompute/lib/protocol";
import {
  type Challenge,
  type ChannelReceipt,
  encodePaymentEvent,
  encodePaymentReceipt,
  formatChallenge,
  paymentEvents,
  paymentHeaders,
} from "@clawcompute/lib/protocol/payments";
import type { Database } from "@clawcompute/lib/store";
import type { Address, LocalAccount } from "viem";
import type { Payer } from "../admission.ts";
import type { Piece } from "../answers/work.ts";
import type { Caller } from "../caller.ts";
import { offerOf, type ServedOffer } from "../offers.ts";
import type { RateLimit } from "../rateLimit.ts";
import type { PayAccount } from "./account.ts";
import { createAccounts } from "./accounts.ts";
import { createChallenges } from "./challenges.ts";
import { type Channels, createChannels } from "./channels.ts";
import { type Collecting, createCollecting } from "./collect.ts";
import { createLedger } from "./ledger.ts";
import { createOpenings } from "./openings.ts";
import { createVoucherCheck } from "./vouchers.ts";

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
  /** What a request without a body does; undefined: the caller shows nothing. */
  manage(caller: Caller): Promise<ChannelReceipt | undefined>;
  /** One value of `WWW-Authenticate` for each offer. */
  challenges(): Promise<readonly string[]>;
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
}

export interface PaymentsOptions {
  readonly db: Database;
  readonly chain: Chain;
  readonly payee: Address;
  readonly signer: LocalAccount;
  readonly offers: readonly ServedOffer[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: PaymentLimits;
  readonly contractSignature: ContractSignatureCheck;
  readonly attempts: RateLimit;
  readonly endAnswers: (payment: bigint) => Promise<void>;
  /** The payee's wallet, for relaying and cashing. */
  readonly wallet: { readonly estimate: Sender["estimate"]; readonly send: (call: ContractCall) => Promise<SentTransaction> } | undefined;
}

const RELAYED_SECONDS = 60;

export function createPayments(options: PaymentsOptions): Payments {
  const { db, chain, payee, signer, offers, clock, logger, limits, contractSignature, attempts, endAnswers, wallet } = options;
  const { chainId } = chain.network;
  const domain: Domain = { chainId, verifyingContract: chain.network.contracts.paymentChannel };
  const ledger = createLedger(db, chainId);
  const accounts = createAccounts({ ledger, stepMs: limits.stepMs, clock });
  const credentialTypes = (): readonly string[] => ["hash"];
  let secret: Promise<Uint8Array> | undefined;
  const challenges = createChallenges({
    secret: () => {
      secret ??= secretOf(signer);
      return secret;
    },
    domain,
    payee,
    stepMs: limits.stepMs,
    nowMs: () => clock.now(),
    credentialTypes,
  });
  const read = (id: `0x${string}`) => readChannel(chain, id);
  const openings = createOpenings({ domain, payee, read, relay: wallet?.send, credentialTypes, minSeconds: RELAYED_SECONDS });
  const collecting =
    wallet &&
    createCollecting({
      ledger,
      payee,
      ...wallet,
      clock,
      logger,
      claimAbove: limits.claimAbove,
      idleMs: limits.idleMs,
      onClosed: accounts.update,
    });
  const channels: Channels = createChannels({
    domain,
    payee,
    accounts,
    ledger,
    challenges,
    openings,
    check: createVoucherCheck(domain, recoverSigner, contractSignature),
    read,
    clock,
    logger,
    endAnswers,
    close: (row, voucher) => {
      if (!collecting) {
        throw new AppError("UNSUPPORTED", "This provider's wallet is elsewhere.", { hint: "Close on chain: requestClose, then withdraw." });
      }
      return collecting.close(row, voucher);
    },
  });

  /** Worthless credentials cost their address something; those that were worth it do not. */
  async function attempt<T>({ party }: Caller, work: () => Promise<T>): Promise<T> {
    attempts.assertMay(party);
    try {
      return await work();
    } catch (thrown) {
      const { code } = AppError.from(thrown);
      if (code !== "VOUCHER_NEEDED" && code !== "CHANNEL_CLOSING" && code !== "CHANNEL_CLOSED") attempts.take(party);
      throw thrown;
    }
  }

  function payerFor(account: PayAccount, notes: PaymentNotes): Payer {
    const offer = offerOf(offers, account.row.providerId);
    if (!offer) throw new AppError("WRONG_PROVIDER", "This pays for an offer that is not served here.", { param: "payment-authorization" });
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
      const { payment } = caller;
      if (payment === undefined) return undefined;
      const { account, challenge } = await attempt(caller, () => channels.payer(payment));
      return payerFor(account, channelNotes(account, challenge));
    },
    manage: async (caller) => {
      const { payment } = caller;
      return payment === undefined ? undefined : attempt(caller, () => channels.manage(payment));
    },
    challenges: async () => {
      const listed = offers.filter(({ providerId, active }) => providerId !== undefined && active);
      return Promise.all(listed.map(async (offer) => formatChallenge(await challenges.issue(offer))));
    },
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
