import { loadNative } from "@clawcompute/lib/node";
import { type Hex, hashTypedData, hexToBytes, type LocalAccount, serializeSignature } from "viem";
import { privateKeyToAccount } from "viem/accounts";

/** The account of a key; where the native package is there, it signs typed data about six times faster, with the same signatures. */
export function fastSigner(privateKey: Hex): LocalAccount {
  const account = privateKeyToAccount(privateKey);
  const native = loadNative();
  if (!native) return account;
  const key = hexToBytes(privateKey);
  const sign = async ({ hash }: { hash: Hex }): Promise<Hex> => {
    const { signature, recid } = native.ecdsaSign(hexToBytes(hash), key);
    const hex = Buffer.from(signature).toString("hex");
    return serializeSignature({ r: `0x${hex.slice(0, 64)}`, s: `0x${hex.slice(64)}`, yParity: recid });
  };
  return { ...account, sign, signTypedData: (data) => sign({ hash: hashTypedData(data as Parameters<typeof hashTypedData>[0]) }) };
}
