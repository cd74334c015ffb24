import type { Abi, Address, Hex } from "viem";
import { zeroAddress } from "viem";
import { computeRegistryAbi, streamPayAbi } from "../abi/index.ts";
import type { Contracts } from "../config/network.ts";

/** A transaction that is yet to be simulated, signed and sent. */
export interface ContractCall {
  readonly contract: keyof Contracts | Address;
  readonly abi: Abi;
  readonly functionName: string;
  readonly args: readonly unknown[];
  /** Native coin sent along, in wei. */
  readonly value?: bigint;
  /** Least gas to send it with, for calls that may do more in their block than in the simulation before it. */
  readonly gasFloor?: bigint;
}

/**
 * What ends or pays a stream costs more as soon as something has accrued: a credit, a completion record. In the second of the
 * opening block nothing has, so an estimate made then is too low for every later block. Unused gas is not charged.
 */
const EXIT_GAS = 300_000n;
const exit = (call: ContractCall): ContractCall => ({ ...call, gasFloor: EXIT_GAS });

interface NewOffer {
  readonly model: string;
  readonly pricePerSecond: bigint;
  readonly endpoint: string;
  readonly serviceType: number;
  readonly asset?: Address;
}

interface NewStream {
  readonly recipient: Address;
  readonly durationSeconds: number;
  readonly serviceType: number;
  /** 0: no provider, no price check. */
  readonly providerId: number;
}

interface Redirection {
  readonly id: bigint;
  readonly recipient: Address;
  readonly providerId: number;
  readonly maxPricePerSecond?: bigint;
}

const onRegistry = (functionName: string, args: readonly unknown[]): ContractCall => ({
  contract: "registry",
  abi: computeRegistryAbi,
  functionName,
  args,
});
const onStreamPay = (functionName: string, args: readonly unknown[], value?: bigint): ContractCall => ({
  contract: "streamPay",
  abi: streamPayAbi,
  functionName,
  args,
  ...(value === undefined ? {} : { value }),
});

export const registryWrites = {
  registerProvider: ({ model, pricePerSecond, endpoint, serviceType, asset = zeroAddress }: NewOffer) =>
    onRegistry("registerProvider", [model, pricePerSecond, endpoint, serviceType, ...(asset === zeroAddress ? [] : [asset])]),
  updateProvider: (offer: { id: number; pricePerSecond: bigint; endpoint: string; active: boolean }) =>
    onRegistry("updateProvider", [BigInt(offer.id), offer.pricePerSecond, offer.endpoint, offer.active]),
  setProviderSigner: ({ id, signer }: { id: number; signer: Address }) => onRegistry("setProviderSigner", [BigInt(id), signer]),
};

export const streamPayWrites = {
  /** The rate is `value / durationSeconds`; a remainder goes back. */
  createStream: ({ recipient, durationSeconds, serviceType, providerId, value }: NewStream & { value: bigint }) =>
    onStreamPay("createStream", [recipient, BigInt(durationSeconds), serviceType, BigInt(providerId)], value),
  /** The token must have been approved to StreamPay. */
  createTokenStream: ({
    asset,
    amount,
    recipient,
    durationSeconds,
    serviceType,
    providerId,
  }: NewStream & { asset: Address; amount: bigint }) =>
    onStreamPay("createStream", [asset, amount, recipient, BigInt(durationSeconds), serviceType, BigInt(providerId)]),
  topUpStream: ({ id, payer, recipient, value }: { id: bigint; payer: Address; recipient: Address; value: bigint }) =>
    onStreamPay("topUpStream", [id, payer, recipient], value),
  topUpTokenStream: ({ id, payer, recipient, amount }: { id: bigint; payer: Address; recipient: Address; amount: bigint }) =>
    onStreamPay("topUpStream", [id, payer, recipient, amount]),
  withdrawFromStream: (id: bigint) => exit(onStreamPay("withdrawFromStream", [id])),
  cancelStream: (id: bigint) => exit(onStreamPay("cancelStream", [id])),
  /** `owed` is the total since the stream's start, as signed by the payee or the provider's signer. */
  settleStream: ({ id, owed, signature }: { id: bigint; owed: bigint; signature: Hex }) =>
    exit(onStreamPay("settleStream", [id, owed, signature])),
  /** Ends the stream and opens one to the new recipient at the provider's price, refused when that is above `maxPricePerSecond` (default: the old rate). */
  redirectStream: ({ id, recipient, providerId, maxPricePerSecond }: Redirection) =>
    onStreamPay("redirectStream", [id, recipient, BigInt(providerId), ...(maxPricePerSecond === undefined ? [] : [maxPricePerSecond])]),
  batchUpdateStreams: (ids: readonly bigint[]) => onStreamPay("batchUpdateStreams", [ids]),
  withdrawCredit: ({ asset, to }: { asset: Address; to: Address }) => onStreamPay("withdrawCredit", [asset, to]),
};
