import { loadNative } from "@clawcompute/lib/node";
import { type Hex, hashTypedData, hexToBytes, type LocalAccount } from "viem";
import { privateKeyToAccount } from "viem/accounts";

/** The account of a key; where the native package is there, it signs typed data about six times faster, with the same signatures. */
export function fastSigner(privateKey: Hex): LocalAccount {
  const account = privateKeyToAccount(privateKey);
  const native = loadNative();
  if (!native) return account;
  const key = hexToBytes(privateKey);
  const sign = async ({ hash }: { hash: Hex }): Promise<Hex> => {
    const { signature, recid } = native.ecdsaSign(hexToBytes(hash), key);
    return `0x${Buffer.from(signature).toString("hex")}${recid === 0 ? "1b" : "1c"}`;
  };
  return { ...account, sign, signTypedData: (data) => sign({ hash: hashTypedData(data as Parameters<typeof hashTypedData>[0]) }) };
}
