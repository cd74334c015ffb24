import { createRequire } from "node:module";
import { type Address, type Hex, hexToBytes, recoverAddress } from "viem";
import { publicKeyToAddress } from "viem/utils";

/** What is used of the optional native package `secp256k1`. */
interface Native {
  ecdsaSign(hash: Uint8Array, privateKey: Uint8Array): { signature: Uint8Array; recid: 0 | 1 };
  ecdsaRecover(signature: Uint8Array, recoveryId: number, hash: Uint8Array, compressed: boolean): Uint8Array;
}

/**
 * Whose signature of a hash it is: undefined for what is no signature. Many times faster where the native package `secp256k1` was
 * installed for this machine; the same in JavaScript elsewhere.
 */
export type RecoverSigner = (hash: Hex, signature: Hex) => Promise<Address | undefined>;

export const recoverSigner: RecoverSigner = createRecoverSigner(loadNative());

/** Exported for tests, which compare both. */
export function createRecoverSigner(native: Native | undefined): RecoverSigner {
  if (!native) return (hash, signature) => recoverAddress({ hash, signature }).catch(() => undefined);
  return async (hash, signature) => {
    try {
      const bytes = hexToBytes(signature);
      // The compact form of EIP-2098 and whatever else viem reads are rare: left to it.
      if (bytes.length !== 65) return await recoverAddress({ hash, signature });
      const v = bytes[64] as number;
      const recoveryId = v >= 27 ? v - 27 : v;
      if (recoveryId > 1) return undefined;
      const key = native.ecdsaRecover(bytes.subarray(0, 64), recoveryId, hexToBytes(hash), false);
      return publicKeyToAddress(`0x${Buffer.from(key).toString("hex")}`);
    } catch {
      return undefined;
    }
  };
}

/** The package's own fallback is slower than viem's, so only its bindings are of use. */
export function loadNative(): Native | undefined {
  try {
    return createRequire(import.meta.url)("secp256k1/bindings.js") as Native;
  } catch {
    return undefined;
  }
}
