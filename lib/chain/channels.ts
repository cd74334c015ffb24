import type { TransactionReceipt } from "viem";
import { type Address, type ContractEventName, type Hex, type Log, type ParseEventLogsReturnType, parseEventLogs } from "viem";
import { paymentChannelAbi } from "../abi/index.ts";
import type { Chain } from "./connect.ts";
import { reading } from "./reading.ts";
import type { ContractCall } from "./writes.ts";

/** A channel as the chain holds it. Amounts are raw units of `token`. */
export interface ChannelState {
  readonly id: Hex;
  readonly payer: Address;
  readonly payee: Address;
  /** Zero address: the native coin. */
  readonly token: Address;
  /** Zero address: the payer signs vouchers itself. */
  readonly authorizedSigner: Address;
  readonly deposit: bigint;
  readonly settled: bigint;
  /** Unix seconds; 0: the payer has not asked to close. */
  readonly closeRequestedAt: number;
  readonly status: "unknown" | "open" | "closing" | "closed";
}

const statuses = ["unknown", "open", "closing", "closed"] as const;

/** Both reads see the same block. An id that was never used has status "unknown". */
export async function readChannel(chain: Chain, id: Hex, at?: bigint): Promise<ChannelState> {
  const blockNumber = at ?? (await reading(() => chain.client.getBlockNumber()));
  const contract = { address: chain.network.contracts.paymentChannel, abi: paymentChannelAbi, blockNumber } as const;
  const [channel, status] = await reading(() =>
    Promise.all([
      chain.client.readContract({ ...contract, functionName: "getChannel", args: [id] }),
      chain.client.readContract({ ...contract, functionName: "statusOf", args: [id] }),
    ]),
  );
  const { payer, payee, token, authorizedSigner, deposit, settled, closeRequestedAt } = channel;
  const closing = Number(closeRequestedAt);
  return {
    id,
    payer,
    payee,
    token,
    authorizedSigner,
    deposit,
    settled,
    closeRequestedAt: closing,
    status: statuses[status] ?? "unknown",
  };
}

export type ChannelEvent = ParseEventLogsReturnType<typeof paymentChannelAbi, ContractEventName<typeof paymentChannelAbi>, true>[number];

/** PaymentChannel's events in a receipt, in order. */
export function channelEventsOf(receipt: TransactionReceipt, chain: Chain): ChannelEvent[] {
  const own = (log: Log) => log.address.toLowerCase() === chain.network.contracts.paymentChannel.toLowerCase();
  return parseEventLogs({ abi: paymentChannelAbi, logs: receipt.logs.filter(own) });
}

/** What a channel's id is the hash of, as the overloads that record a completion take it. */
interface Terms {
  readonly payer: Address;
  readonly payee: Address;
  readonly token: Address;
  readonly salt: Hex;
  readonly authorizedSigner: Address;
}

interface Cashing {
  readonly terms: Terms;
  readonly cumulativeAmount: bigint;
  readonly signature: Hex;
  /** Recorded as its completion; 0: none. */
  readonly providerId: number;
}

/**
 * Payments are pushed with 200,000 gas and the contract refuses to begin with less than 250,000 left for each, however little a
 * push then uses; estimates made in another block may be lower. Unused gas is not charged.
 */
const PUSH_GAS = 450_000n;
const CLOSE_GAS = 700_000n;

const onChannel = (functionName: string, args: readonly unknown[], more: Pick<ContractCall, "value" | "gasFloor"> = {}): ContractCall => ({
  contract: "paymentChannel",
  abi: paymentChannelAbi,
  functionName,
  args,
  ...more,
});

type Opening = Omit<Terms, "payer"> & { readonly deposit: bigint };
type Authorization = { from: Address; validAfter: bigint; validBefore: bigint; nonce: Hex; signature: Hex };
type Permit = { from: Address; nonce: bigint; deadline: bigint; signature: Hex };

export const channelWrites = {
  open: ({ payee, token, deposit, salt, authorizedSigner }: Opening) =>
    onChannel("open", [payee, token, deposit, salt, authorizedSigner], BigInt(token) === 0n ? { value: deposit } : {}),
  openWithAuthorization: ({ payee, token, deposit, salt, authorizedSigner }: Opening, by: Authorization) =>
    onChannel("openWithAuthorization", [
      payee,
      token,
      deposit,
      salt,
      authorizedSigner,
      by.from,
      by.validAfter,
      by.validBefore,
      by.nonce,
      by.signature,
    ]),
  openWithPermit2: ({ payee, token, deposit, salt, authorizedSigner }: Opening, by: Permit) =>
    onChannel("openWithPermit2", [payee, token, deposit, salt, authorizedSigner, by.from, by.nonce, by.deadline, by.signature]),
  topUp: ({ id, token, additionalDeposit }: { id: Hex; token: Address; additionalDeposit: bigint }) =>
    onChannel("topUp", [id, additionalDeposit], BigInt(token) === 0n ? { value: additionalDeposit } : {}),
  topUpWithAuthorization: (topUp: { id: Hex; additionalDeposit: bigint; salt: Hex }, by: Authorization) =>
    onChannel("topUpWithAuthorization", [
      topUp.id,
      topUp.additionalDeposit,
      by.from,
      topUp.salt,
      by.validAfter,
      by.validBefore,
      by.nonce,
      by.signature,
    ]),
  topUpWithPermit2: (topUp: { id: Hex; additionalDeposit: bigint }, by: Permit) =>
    onChannel("topUpWithPermit2", [topUp.id, topUp.additionalDeposit, by.from, by.nonce, by.deadline, by.signature]),
  /** By the payee: takes what the voucher adds; the channel stays open. */
  settle: ({ terms, cumulativeAmount, signature, providerId }: Cashing) =>
    onChannel("settle", [terms, cumulativeAmount, signature, BigInt(providerId)], { gasFloor: PUSH_GAS }),
  /** By the payee: takes what the voucher adds and refunds the rest. With no voucher above what is settled, `signature` may be empty. */
  close: ({ terms, cumulativeAmount, signature, providerId }: Cashing) =>
    onChannel("close", [terms, cumulativeAmount, signature, BigInt(providerId)], { gasFloor: CLOSE_GAS }),
  /** By the payer: starts the notice after which `withdraw` works. */
  requestClose: (id: Hex) => onChannel("requestClose", [id]),
  /** By the payer, after the notice. */
  withdraw: (id: Hex) => onChannel("withdraw", [id], { gasFloor: PUSH_GAS }),
  withdrawCredit: ({ asset, to }: { asset: Address; to: Address }) => onChannel("withdrawCredit", [asset, to]),
};
