import {
  type Address,
  encodeAbiParameters,
  getAddress,
  type Hex,
  hashTypedData,
  keccak256,
  numberToHex,
  type TypedDataDefinition,
} from "viem";
import type { Signer } from "../proofs.ts";
import type { Domain } from "../typedData.ts";

/** What a channel's id is the hash of, besides its contract and chain. */
export interface ChannelTerms {
  readonly payer: Address;
  readonly payee: Address;
  /** Zero address: the native coin. */
  readonly token: Address;
  readonly salt: Hex;
  /** Signs vouchers; zero: the payer. */
  readonly authorizedSigner: Address;
}

/** Everything the payee has earned so far, raw units, signed by the channel's voucher key. */
export interface Voucher {
  readonly channelId: Hex;
  readonly cumulativeAmount: bigint;
}

const types = (...names: string[]) => names.map((type) => ({ type }));

/** `domain.verifyingContract` is PaymentChannel, here and below. */
export const channelIdOf = ({ chainId, verifyingContract }: Domain, { payer, payee, token, salt, authorizedSigner }: ChannelTerms): Hex =>
  keccak256(
    encodeAbiParameters(types("address", "address", "address", "bytes32", "address", "address", "uint256"), [
      payer,
      payee,
      token,
      salt,
      authorizedSigner,
      verifyingContract,
      BigInt(chainId),
    ]),
  );

/** Stores, meters and receipts know a channel by the number that its id is; streams are counted from 1 and stay below 2^64. */
export const paymentOfChannel = (channelId: Hex): bigint => BigInt(channelId);
export const channelOfPayment = (payment: bigint): Hex => numberToHex(payment, { size: 32 });

export const voucherTypes = {
  Voucher: [
    { name: "channelId", type: "bytes32" },
    { name: "cumulativeAmount", type: "uint128" },
  ],
} as const;

export const voucherTypedData = ({ chainId, verifyingContract }: Domain, message: Voucher) =>
  ({
    domain: { name: "EVM Payment Channel", version: "1", chainId, verifyingContract },
    types: voucherTypes,
    primaryType: "Voucher",
    message,
  }) as const;

export const hashVoucher = (domain: Domain, voucher: Voucher): Hex => hashTypedData(voucherTypedData(domain, voucher));

export const signVoucher = (signer: Signer, domain: Domain, voucher: Voucher): Promise<Hex> =>
  signer.signTypedData(voucherTypedData(domain, voucher) as unknown as TypedDataDefinition);

/** The EIP-3009 nonce of a relayed opening: a relayer can change no term. */
export const openNonceOf = ({ payer, payee, token, salt, authorizedSigner }: ChannelTerms): Hex =>
  keccak256(
    encodeAbiParameters(types("address", "address", "address", "bytes32", "address"), [payer, payee, token, salt, authorizedSigner]),
  );

export const topUpNonceOf = (topUp: { channelId: Hex; additionalDeposit: bigint; from: Address; salt: Hex }): Hex =>
  keccak256(
    encodeAbiParameters(types("bytes32", "uint128", "address", "bytes32"), [
      topUp.channelId,
      topUp.additionalDeposit,
      topUp.from,
      topUp.salt,
    ]),
  );

/** What the payer signs in the token itself (EIP-3009); `name` and `version` are the token's. */
export const receiveAuthorizationTypedData = (
  token: { address: Address; name: string; version: string; chainId: number },
  message: { from: Address; to: Address; value: bigint; validAfter: bigint; validBefore: bigint; nonce: Hex },
) =>
  ({
    domain: { name: token.name, version: token.version, chainId: token.chainId, verifyingContract: token.address },
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
  }) as const;

export const PERMIT2_ADDRESS: Address = "0x000000000022D473030F116dDEE9F6B43aC78BA3";

const tokenPermissions = [
  { name: "token", type: "address" },
  { name: "amount", type: "uint256" },
] as const;
const permitFields = <W extends string>(witness: W) =>
  [
    { name: "permitted", type: "TokenPermissions" },
    { name: "spender", type: "address" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
    { name: "witness", type: witness },
  ] as const;

export interface Permit {
  readonly token: Address;
  readonly amount: bigint;
  readonly nonce: bigint;
  readonly deadline: bigint;
}

const permitDomain = (chainId: number) => ({ name: "Permit2", chainId, verifyingContract: PERMIT2_ADDRESS }) as const;
const permitted = ({ chainId: _, verifyingContract: spender }: Domain, { token, amount, nonce, deadline }: Permit) => ({
  permitted: { token, amount },
  spender,
  nonce,
  deadline,
});

export const permitOpenTypedData = (domain: Domain, permit: Permit, witness: Pick<ChannelTerms, "payee" | "salt" | "authorizedSigner">) =>
  ({
    domain: permitDomain(domain.chainId),
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
    message: { ...permitted(domain, permit), witness },
  }) as const;

export const permitTopUpTypedData = (domain: Domain, permit: Permit, witness: { readonly channelId: Hex }) =>
  ({
    domain: permitDomain(domain.chainId),
    types: {
      PermitWitnessTransferFrom: permitFields("ChannelTopUpWitness"),
      ChannelTopUpWitness: [{ name: "channelId", type: "bytes32" }],
      TokenPermissions: tokenPermissions,
    },
    primaryType: "PermitWitnessTransferFrom",
    message: { ...permitted(domain, permit), witness },
  }) as const;

/** `did:pkh:eip155:<chain>:<address>`, as a credential's `source`. */
export const didOf = (chainId: number, address: Address): string => `did:pkh:eip155:${chainId}:${getAddress(address)}`;

/** Undefined for any other chain or form. */
export function addressOfDid(did: string | undefined, chainId: number): Address | undefined {
  const [, chain, address] = /^did:pkh:eip155:(\d+):(0x[0-9a-fA-F]{40})$/.exec(did ?? "") ?? [];
  return chain === String(chainId) && address ? getAddress(address) : undefined;
}
