import type { RecoverSigner } from "@clawcompute/lib/node";
import type { Domain } from "@clawcompute/lib/protocol";
import type { Voucher } from "@clawcompute/lib/protocol/payments";
import { type Address, concat, encodeAbiParameters, type Hex, isAddressEqual, keccak256, numberToHex, stringToHex } from "viem";

const word = (value: bigint): Hex => numberToHex(value, { size: 32 });
const VOUCHER_TYPE = keccak256(stringToHex("Voucher(bytes32 channelId,uint128 cumulativeAmount)"));
const DOMAIN_TYPE = keccak256(stringToHex("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"));
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/** The same digest as `hashVoucher` of the protocol, without taking the typed data apart each time. */
export function createVoucherHash({ chainId, verifyingContract }: Domain): (voucher: Voucher) => Hex {
  const separator = keccak256(
    encodeAbiParameters(
      ["bytes32", "bytes32", "bytes32", "uint256", "address"].map((type) => ({ type })),
      [DOMAIN_TYPE, keccak256(stringToHex("EVM Payment Channel")), keccak256(stringToHex("1")), BigInt(chainId), verifyingContract],
    ),
  );
  return ({ channelId, cumulativeAmount }) =>
    keccak256(concat(["0x1901", separator, keccak256(concat([VOUCHER_TYPE, channelId, word(cumulativeAmount)]))]));
}

/** A key's signature in the one form that contracts take. */
export function isKeySignature(signature: Hex): boolean {
  if (!/^0x[0-9a-f]{130}$/i.test(signature)) return false;
  const s = BigInt(`0x${signature.slice(66, 130)}`);
  const v = Number.parseInt(signature.slice(130), 16);
  return s <= HALF_ORDER && (v === 27 || v === 28);
}

/**
 * Whether a signature is that of the channel's key, in the one form that its contract takes. What an account's code says of one
 * (ERC-1271) it may take back before the voucher is cashed.
 */
export type VoucherCheck = (voucher: Voucher, signature: Hex, signer: Address) => Promise<boolean>;

export function createVoucherCheck(domain: Domain, recover: RecoverSigner): VoucherCheck {
  const hash = createVoucherHash(domain);
  return async (voucher, signature, signer) => {
    if (!isKeySignature(signature)) return false;
    const recovered = await recover(hash(voucher), signature);
    return recovered !== undefined && isAddressEqual(recovered, signer);
  };
}
