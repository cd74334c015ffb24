import { type Address, concat, type Hex, keccak256, type LocalAccount, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";

/** Signs vouchers of one wallet's channels, and nothing else: it can move no more than is in them, and only to their payees. */
export type VoucherKey = LocalAccount;

/**
 * The wallet's hot key on one escrow. Derived, so that a gateway that lost its state has it again and no file holds it: from what the
 * wallet signs once at the start, which leaves this process no more than the key itself.
 */
export async function deriveVoucherKey(wallet: LocalAccount, chainId: number, escrow: Address): Promise<VoucherKey> {
  const signature = await wallet.signTypedData({
    domain: { name: "ClawCompute Voucher Key", version: "1", chainId, verifyingContract: escrow },
    types: { VoucherKey: [{ name: "purpose", type: "string" }] },
    primaryType: "VoucherKey",
    message: { purpose: "Derives the key that signs this wallet's vouchers. Sign this in a ClawCompute program only." },
  });
  return privateKeyToAccount(keyIn(signature));
}

/** A hash is a valid key but for one in 2^128; the counter makes it certain. */
function keyIn(signature: Hex): Hex {
  for (let counter = 0; ; counter += 1) {
    const key = keccak256(concat([signature, toHex(counter, { size: 1 })]));
    if (BigInt(key) > 0n && BigInt(key) < SECP256K1_ORDER) return key;
  }
}

const SECP256K1_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
