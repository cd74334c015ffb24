// What the parties sign, written down from the draft and independent of the contract's own digests.
import type { Address, Hex } from "viem";

import { chainId, PERMIT2, type Wallet, type World } from "./world.ts";

export const voucherTypes = {
  Voucher: [
    { name: "channelId", type: "bytes32" },
    { name: "cumulativeAmount", type: "uint128" },
  ],
} as const;

const authorizationFields = [
  { name: "channelId", type: "bytes32" },
  { name: "cumulativeAmount", type: "uint128" },
  { name: "nonce", type: "uint256" },
  { name: "deadline", type: "uint256" },
] as const;
export const payeeTypes = { SettleAuthorization: authorizationFields, CloseAuthorization: authorizationFields } as const;

export const domain = (escrow: Address, chain = chainId) =>
  ({ name: "EVM Payment Channel", version: "1", chainId: chain, verifyingContract: escrow }) as const;

export function voucher(escrow: Address, signer: Wallet, channelId: Hex, cumulativeAmount: bigint, chain = chainId): Promise<Hex> {
  return signer.signTypedData({
    domain: domain(escrow, chain),
    types: voucherTypes,
    primaryType: "Voucher",
    message: { channelId, cumulativeAmount },
  });
}

export function payeeAuthorization(
  escrow: Address,
  kind: "SettleAuthorization" | "CloseAuthorization",
  signer: Wallet,
  message: { channelId: Hex; cumulativeAmount: bigint; nonce: bigint; deadline: bigint },
): Promise<Hex> {
  return signer.signTypedData({ domain: domain(escrow), types: payeeTypes, primaryType: kind, message });
}

/** EIP-3009, as USDC names it, on a test token whose version is "1". */
export function tokenAuthorization(
  token: { address: Address },
  name: string,
  signer: Wallet,
  message: { from: Address; to: Address; value: bigint; validAfter: bigint; validBefore: bigint; nonce: Hex },
): Promise<Hex> {
  return signer.signTypedData({
    domain: { name, version: "1", chainId, verifyingContract: token.address },
    types: {
      ReceiveWithAuthorization: [
        { name: "from", type: "address" },
        { name: "to", type: "address" },
        { name: "value", type: "uint256" },
        { name: "validAfter", type: "uint256" },
        { name: "validBefore", type: "uint256" },
        { name: "nonce", type: "bytes32" },
      ],
    },
    primaryType: "ReceiveWithAuthorization",
    message,
  });
}

const tokenPermissions = [
  { name: "token", type: "address" },
  { name: "amount", type: "uint256" },
] as const;
const permitFields = <W extends "ChannelOpenWitness" | "ChannelTopUpWitness">(witness: W) =>
  [
    { name: "permitted", type: "TokenPermissions" },
    { name: "spender", type: "address" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
    { name: "witness", type: witness },
  ] as const;
const permitDomain = { name: "Permit2", chainId, verifyingContract: PERMIT2 } as const;

interface Permit {
  token: Address;
  amount: bigint;
  nonce: bigint;
  deadline: bigint;
}

export function permitOpen(
  w: World,
  signer: Wallet,
  permit: Permit,
  witness: { payee: Address; salt: Hex; authorizedSigner: Address },
): Promise<Hex> {
  return signer.signTypedData({
    domain: permitDomain,
    types: {
      PermitWitnessTransferFrom: permitFields("ChannelOpenWitness"),
      ChannelOpenWitness: [
        { name: "payee", type: "address" },
        { name: "salt", type: "bytes32" },
        { name: "authorizedSigner", type: "address" },
      ],
      TokenPermissions: tokenPermissions,
    },
    primaryType: "PermitWitnessTransferFrom",
    message: {
      permitted: { token: permit.token, amount: permit.amount },
      spender: w.channel.address,
      nonce: permit.nonce,
      deadline: permit.deadline,
      witness,
    },
  });
}

export function permitTopUp(w: World, signer: Wallet, permit: Permit, channelId: Hex): Promise<Hex> {
  return signer.signTypedData({
    domain: permitDomain,
    types: {
      PermitWitnessTransferFrom: permitFields("ChannelTopUpWitness"),
      ChannelTopUpWitness: [{ name: "channelId", type: "bytes32" }],
      TokenPermissions: tokenPermissions,
    },
    primaryType: "PermitWitnessTransferFrom",
    message: {
      permitted: { token: permit.token, amount: permit.amount },
      spender: w.channel.address,
      nonce: permit.nonce,
      deadline: permit.deadline,
      witness: { channelId },
    },
  });
}
