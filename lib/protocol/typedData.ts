import type { Address, Hex } from "viem";

/** Where signed statements belong: a signature for one chain and contract is worthless on any other. */
export interface Domain {
  readonly chainId: number;
  /** StreamPay (or PaymentChannel) on that chain. */
  readonly verifyingContract: Address;
}

// The contract checks this one: name and version are StreamPay's own.
export const settlementTypes = {
  Settlement: [
    { name: "streamId", type: "uint256" },
    { name: "owed", type: "uint256" },
  ],
} as const;

export interface SettlementMessage {
  readonly streamId: bigint;
  /** Raw units owed to the payee in total since the stream's start. */
  readonly owed: bigint;
}

export const settlementTypedData = ({ chainId, verifyingContract }: Domain, message: SettlementMessage) =>
  ({
    domain: { name: "ClawCompute StreamPay", version: "1", chainId, verifyingContract },
    types: settlementTypes,
    primaryType: "Settlement",
    message,
  }) as const;

export const sessionProofTypes = {
  StreamSession: [
    { name: "streamId", type: "uint256" },
    { name: "issuedAt", type: "uint256" },
    { name: "expiresAt", type: "uint256" },
    { name: "nonce", type: "bytes32" },
  ],
} as const;

export interface SessionProofMessage {
  readonly streamId: bigint;
  /** Unix seconds, chain time. */
  readonly issuedAt: bigint;
  /** Unix seconds; at most 60 s after issuedAt. */
  readonly expiresAt: bigint;
  readonly nonce: Hex;
}

export const sessionProofTypedData = ({ chainId, verifyingContract }: Domain, message: SessionProofMessage) =>
  ({
    domain: { name: "ClawCompute Session", version: "1", chainId, verifyingContract },
    types: sessionProofTypes,
    primaryType: "StreamSession",
    message,
  }) as const;

export const receiptTypes = {
  Receipt: [
    { name: "kind", type: "string" },
    { name: "payment", type: "bytes32" },
    { name: "providerId", type: "uint256" },
    { name: "requestId", type: "string" },
    { name: "model", type: "string" },
    { name: "startedAtMs", type: "uint256" },
    { name: "firstTokenAtMs", type: "uint256" },
    { name: "endedAtMs", type: "uint256" },
    { name: "servedMs", type: "uint256" },
    { name: "unitsIn", type: "uint256" },
    { name: "unitsOut", type: "uint256" },
    { name: "amount", type: "uint256" },
    { name: "cumulativeServedMs", type: "uint256" },
    { name: "cumulativeAmount", type: "uint256" },
    { name: "bodyHash", type: "bytes32" },
    { name: "previousReceiptHash", type: "bytes32" },
    { name: "reason", type: "string" },
  ],
} as const;
