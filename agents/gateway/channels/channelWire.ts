import type { IncomingHttpHeaders } from "node:http";
import type { Chain, Offer } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { Domain, SseEvent } from "@clawcompute/lib/protocol";
import {
  type Challenge,
  type ChannelReceipt,
  decodeNeedVoucher,
  decodePaymentReceipt,
  didOf,
  encodeCredential,
  findSessionChallenge,
  paymentEvents,
  paymentHeaders,
  readSessionTerms,
  type SignedVoucher,
  signVoucher,
} from "@clawcompute/lib/protocol/payments";
import { type Hex, isAddressEqual } from "viem";
import type { Proof, ProviderClient } from "../providerClient.ts";
import type { OpenChannel } from "./channelMoves.ts";
import type { VoucherKey } from "./voucherKey.ts";

/** One channel's conversation with its provider: the `session` intent of the Payment scheme, method `evm`. */
export interface ChannelWire {
  /** Headers that pay for a request. */
  proof(voucher: SignedVoucher): Proof;
  sign(cumulativeAmount: bigint): Promise<Hex>;
  /** Sends once more with a new challenge when the one at hand is too old. */
  renewed<T>(send: () => Promise<T>): Promise<T>;
  open(hash: Hex, voucher: SignedVoucher, signal: AbortSignal): Promise<void>;
  topUp(hash: Hex, amount: bigint, signal: AbortSignal): Promise<void>;
  /** What the provider has taken so far, and charged. */
  voucher(voucher: SignedVoucher, signal: AbortSignal): Promise<ChannelReceipt>;
  close(voucher: SignedVoucher, signal: AbortSignal): Promise<void>;
  /** What an event of an answer asks to have signed; undefined when it asks for nothing. */
  needed(event: SseEvent): bigint | undefined;
}

export interface ChannelWireOptions {
  readonly chain: Chain;
  readonly client: ProviderClient;
  readonly offer: Offer;
  readonly channel: OpenChannel;
  readonly key: VoucherKey;
  /** The first challenge. */
  readonly challenge: Challenge;
  readonly askMs: number;
}

/** The provider's terms for channels, if this side accepts them. Throws UNSUPPORTED naming what is not accepted. */
export async function askTerms(
  chain: Chain,
  client: ProviderClient,
  offer: Offer,
  stepMs: number,
  signal: AbortSignal,
): Promise<Challenge> {
  const { [paymentHeaders.challenge]: header } = await client.terms(signal);
  const challenge = findSessionChallenge(header, offer.id);
  if (!challenge) throw refusal("asks for no channel");
  const { amount, unitType, currency, recipient, methodDetails } = readSessionTerms(challenge);
  const step = (offer.pricePerSecond * BigInt(stepMs)) / 1000n;
  const claims: readonly [boolean, string][] = [
    [methodDetails.chainId === chain.network.chainId, "is on another chain"],
    [isAddressEqual(methodDetails.escrowContract, chain.network.contracts.paymentChannel), "names another escrow"],
    [isAddressEqual(recipient, offer.owner), "names another payee"],
    [isAddressEqual(currency, offer.asset), "names another asset"],
    [unitType === "second" && amount <= offer.pricePerSecond, "asks for another price than its offer"],
    [(methodDetails.voucherStep ?? 0n) <= step, "wants to be paid further ahead"],
    [(methodDetails.minVoucherDelta ?? 0n) <= step / 2n, "takes only larger vouchers"],
  ];
  const wrong = claims.find(([holds]) => !holds);
  if (wrong) throw refusal(wrong[1]);
  return challenge;
}

const refusal = (what: string) => new AppError("UNSUPPORTED", `For channels the provider ${what}.`);

/** The provider may not have seen the block yet. */
export const isUnseen = ({ code }: AppError): boolean => code === "CHANNEL_UNKNOWN";

export function createChannelWire({ chain, client, offer, channel, key, challenge: first, askMs }: ChannelWireOptions): ChannelWire {
  const { chainId, contracts } = chain.network;
  const domain: Domain = { chainId, verifyingContract: contracts.paymentChannel };
  const source = didOf(chainId, channel.terms.payer);
  const { id: channelId } = channel;
  let challenge = first;
  const credential = (payload: object): Proof => ({ [paymentHeaders.credential]: encodeCredential({ challenge, payload, source }) });
  const voucherOf = ({ cumulativeAmount, signature }: SignedVoucher) => ({ channelId, cumulativeAmount, signature });

  /** The challenge that every credential echoes lives for some minutes; the channel outlives it. */
  async function renewed<T>(send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (thrown) {
      if (AppError.from(thrown).code !== "CHALLENGE_UNKNOWN") throw thrown;
      const { [paymentHeaders.challenge]: header } = await client.terms(AbortSignal.timeout(askMs));
      const next = findSessionChallenge(header, offer.id);
      if (!next) throw thrown;
      challenge = next;
      return send();
    }
  }
  const manage = (payload: object, signal: AbortSignal) => renewed(() => client.manage(credential(payload), signal));

  return {
    renewed,
    proof: (voucher) => credential({ action: "voucher", ...voucherOf(voucher) }),
    sign: (cumulativeAmount) => signVoucher(key, domain, { channelId, cumulativeAmount }),
    open: async (hash, voucher, signal) => {
      const { salt, authorizedSigner } = channel.terms;
      await manage({ action: "open", type: "hash", hash, salt, authorizedSigner, ...voucherOf(voucher) }, signal);
    },
    topUp: async (hash, additionalDeposit, signal) =>
      void (await manage({ action: "topUp", type: "hash", channelId, additionalDeposit, hash }, signal)),
    voucher: async (voucher, signal) => receiptIn(await manage({ action: "voucher", ...voucherOf(voucher) }, signal), channelId),
    close: async (voucher, signal) => void (await manage({ action: "close", ...voucherOf(voucher) }, signal)),
    needed: ({ event, data }) => {
      if (event !== paymentEvents.needVoucher) return undefined;
      const need = decodeNeedVoucher(data);
      return need.channelId.toLowerCase() === channelId.toLowerCase() ? need.requiredCumulative : undefined;
    },
  };
}

function receiptIn(headers: IncomingHttpHeaders, channelId: Hex): ChannelReceipt {
  const receipt = decodePaymentReceipt(String(headers[paymentHeaders.receipt] ?? ""));
  if (receipt.channelId.toLowerCase() === channelId.toLowerCase()) return receipt;
  throw new AppError("PROVIDER_DISHONEST", "The provider's receipt is about another channel.");
}
