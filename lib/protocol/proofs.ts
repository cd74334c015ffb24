import { type Address, type Hex, hashTypedData, isAddressEqual, recoverAddress, type TypedDataDefinition } from "viem";
import { AppError } from "../errors/index.ts";
import { type Receipt, receiptTypedData } from "./receipts.ts";
import { type Domain, type SessionProofMessage, type SettlementMessage, sessionProofTypedData, settlementTypedData } from "./typedData.ts";

/** A proof may live this long, and its clock may differ this much from the chain's. Seconds. */
export const PROOF_LIFETIME_SECONDS = 60;
export const CLOCK_SKEW_SECONDS = 30;

/** Anything that signs EIP-712: a viem local account or wallet client bound to an account. */
export interface Signer {
  readonly address: Address;
  signTypedData(data: TypedDataDefinition): Promise<Hex>;
}

/** Whose signature of a hash it is; undefined when it is none. A program may bring a faster one than the default. */
export type Recover = (hash: Hex, signature: Hex) => Promise<Address | undefined> | Address | undefined;

/** Asks a contract wallet (ERC-1271); lib/chain provides it. */
export type ContractSignatureCheck = (check: { address: Address; data: TypedDataDefinition; signature: Hex }) => Promise<boolean>;

export const signSessionProof = (signer: Signer, domain: Domain, message: SessionProofMessage): Promise<Hex> =>
  signer.signTypedData(sessionProofTypedData(domain, message) as unknown as TypedDataDefinition);

export const signSettlement = (signer: Signer, domain: Domain, message: SettlementMessage): Promise<Hex> =>
  signer.signTypedData(settlementTypedData(domain, message) as unknown as TypedDataDefinition);

export const signReceipt = (signer: Signer, domain: Domain, receipt: Receipt): Promise<Hex> =>
  signer.signTypedData(receiptTypedData(domain, receipt) as unknown as TypedDataDefinition);

/** `nowSeconds` is chain time. Throws PROOF_EXPIRED, PROOF_NOT_YET_VALID, or BAD_REQUEST (lifetime too long). */
export function assertProofTimes(message: Pick<SessionProofMessage, "issuedAt" | "expiresAt">, nowSeconds: number): void {
  const issuedAt = Number(message.issuedAt);
  const expiresAt = Number(message.expiresAt);
  const facts = { issuedAt, expiresAt, chainTime: nowSeconds };
  if (expiresAt <= issuedAt || expiresAt - issuedAt > PROOF_LIFETIME_SECONDS) {
    throw new AppError("BAD_REQUEST", `expiresAt must be 1 to ${PROOF_LIFETIME_SECONDS} seconds after issuedAt.`, {
      param: "expiresAt",
      facts,
    });
  }
  if (issuedAt > nowSeconds + CLOCK_SKEW_SECONDS)
    throw new AppError("PROOF_NOT_YET_VALID", "The proof was issued in the chain's future.", { param: "issuedAt", facts });
  if (expiresAt + CLOCK_SKEW_SECONDS < nowSeconds)
    throw new AppError("PROOF_EXPIRED", "The proof has expired.", { param: "expiresAt", facts });
}

/**
 * Times and signature of a session proof. Throws what `assertProofTimes` throws, or BAD_SIGNATURE. Single use of the nonce is
 * the caller's to enforce.
 */
export async function verifySessionProof(proof: {
  readonly domain: Domain;
  readonly message: SessionProofMessage;
  readonly signature: Hex;
  readonly payer: Address;
  readonly nowSeconds: number;
  readonly contractSignature?: ContractSignatureCheck;
  readonly recover?: Recover;
}): Promise<void> {
  const { domain, message, signature, payer, nowSeconds, contractSignature, recover } = proof;
  assertProofTimes(message, nowSeconds);
  const data = sessionProofTypedData(domain, message) as unknown as TypedDataDefinition;
  if (!(await isSignedBy(data, signature, payer, contractSignature, recover))) {
    throw new AppError("BAD_SIGNATURE", "The signature is not the stream payer's.", { param: "signature", facts: { payer } });
  }
}

const recoverInJs: Recover = (hash, signature) => recoverAddress({ hash, signature }).catch(() => undefined);

/** True when `address` signed `data`: recovered for a plain account, asked for a contract wallet. */
export async function isSignedBy(
  data: TypedDataDefinition,
  signature: Hex,
  address: Address,
  contractSignature?: ContractSignatureCheck,
  recover: Recover = recoverInJs,
): Promise<boolean> {
  const recovered = await recover(hashTypedData(data), signature);
  if (recovered !== undefined && isAddressEqual(recovered, address)) return true;
  return (await contractSignature?.({ address, data, signature })) ?? false;
}

/** Ways of checking a signature, other than the default. */
export interface SignatureChecks {
  readonly contractSignature?: ContractSignatureCheck;
  readonly recover?: Recover;
}

/** Who signed a receipt; throws PROVIDER_DISHONEST when it was not `signer`. */
export async function verifyReceiptSignature(
  domain: Domain,
  receipt: Receipt,
  signature: Hex,
  signer: Address,
  { contractSignature, recover }: SignatureChecks = {},
): Promise<void> {
  const data = receiptTypedData(domain, receipt) as unknown as TypedDataDefinition;
  if (!(await isSignedBy(data, signature, signer, contractSignature, recover))) {
    throw new AppError("PROVIDER_DISHONEST", "The receipt's signature is not the provider's.", {
      facts: { signer, requestId: receipt.requestId },
    });
  }
}

export async function verifySettlementSignature(
  domain: Domain,
  message: SettlementMessage,
  signature: Hex,
  signer: Address,
  { contractSignature, recover }: SignatureChecks = {},
): Promise<void> {
  const data = settlementTypedData(domain, message) as unknown as TypedDataDefinition;
  if (!(await isSignedBy(data, signature, signer, contractSignature, recover))) {
    throw new AppError("PROVIDER_DISHONEST", "The settlement's signature is not the provider's.", {
      facts: { signer, streamId: message.streamId.toString() },
    });
  }
}
