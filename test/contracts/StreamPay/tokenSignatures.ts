// What a payer signs for a token, so that others can open streams with its money.
import assert from "node:assert/strict";
import { type Address, encodeAbiParameters, type Hex, hashTypedData, keccak256, parseSignature } from "viem";
import { key, SALT, type World } from "./world.ts";

/** The payer of every test is account 1 of the chain. */
export const PAYER = key(1);
export const FOREVER = 2n ** 64n;

export interface Terms {
  payer: Address;
  amount: bigint;
  recipient: Address;
  duration: bigint;
  serviceType: number;
  providerId: bigint;
  validAfter: bigint;
  validBefore: bigint;
  salt: Hex;
}

export const terms = (w: World, more: Partial<Terms> = {}): Terms => ({
  payer: w.parties.payer,
  amount: w.rate * 1_000n,
  recipient: w.parties.payee,
  duration: 1_000n,
  serviceType: 0,
  providerId: 0n,
  validAfter: 0n,
  validBefore: FOREVER,
  salt: SALT,
  ...more,
});

/** The nonce as the manual defines it. */
export const nonceOf = (t: Terms): Hex =>
  keccak256(
    encodeAbiParameters(
      [{ type: "address" }, { type: "address" }, { type: "uint256" }, { type: "uint8" }, { type: "uint256" }, { type: "bytes32" }],
      [t.payer, t.recipient, t.duration, t.serviceType, t.providerId, t.salt],
    ),
  );

const domain = async (w: World) => {
  assert(w.token);
  return { name: await w.chain.read<string>(w.token, "name"), version: "1", chainId: 31337, verifyingContract: w.token.address };
};

export async function authorize(w: World, t: Terms, signer = PAYER, nonce = nonceOf(t)): Promise<Hex> {
  assert(signer.sign);
  const fields = { from: "address", to: "address", value: "uint256", validAfter: "uint256", validBefore: "uint256", nonce: "bytes32" };
  return signer.sign({
    hash: hashTypedData({
      domain: await domain(w),
      types: { ReceiveWithAuthorization: Object.entries(fields).map(([name, type]) => ({ name, type })) },
      primaryType: "ReceiveWithAuthorization",
      message: { from: t.payer, to: w.streamPay.address, value: t.amount, validAfter: t.validAfter, validBefore: t.validBefore, nonce },
    }),
  });
}

export async function permit(w: World, value: bigint, deadline = FOREVER, signer = PAYER) {
  assert(signer.sign && w.token);
  const fields = { owner: "address", spender: "address", value: "uint256", nonce: "uint256", deadline: "uint256" };
  const nonce = await w.chain.read<bigint>(w.token, "nonces", [signer.address]);
  const signature = await signer.sign({
    hash: hashTypedData({
      domain: await domain(w),
      types: { Permit: Object.entries(fields).map(([name, type]) => ({ name, type })) },
      primaryType: "Permit",
      message: { owner: signer.address, spender: w.streamPay.address, value, nonce, deadline },
    }),
  });
  const { r, s, yParity } = parseSignature(signature);
  return { deadline, v: yParity + 27, r, s };
}

/** Sends the authorization as `from`. */
export const relaying = (w: World, t: Terms, signature: Hex, from = w.parties.relayer) =>
  w.call(from, "createStreamWithAuthorization", [
    ...[t.payer, w.asset, t.amount, t.recipient, t.duration, t.serviceType, t.providerId],
    ...[t.validAfter, t.validBefore, t.salt, signature],
  ]);
