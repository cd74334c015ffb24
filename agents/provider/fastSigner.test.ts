import { loadNative } from "@clawcompute/lib/node";
import { settlementTypedData } from "@clawcompute/lib/protocol";
import { toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { expect, test } from "vitest";
import { fastSigner } from "./fastSigner.ts";

const domain = { chainId: 31337, verifyingContract: `0x${"1".repeat(40)}` } as const;

test("behavior: signs as the plain account does, to the bit", async (context) => {
  if (!loadNative()) return context.skip();
  for (let key = 1n; key <= 20n; key += 1n) {
    const privateKey = toHex(key * 0x1234_5678_9abc_def0_1234_5678n, { size: 32 });
    const [plain, fast] = [privateKeyToAccount(privateKey), fastSigner(privateKey)];
    expect(fast.address).toBe(plain.address);
    for (let owed = 0n; owed < 8n; owed += 1n) {
      const data = settlementTypedData(domain, { streamId: key, owed });
      expect(await fast.signTypedData(data)).toBe(await plain.signTypedData(data));
      expect(await fast.sign?.({ hash: toHex(owed + 1n, { size: 32 }) })).toBe(await plain.sign({ hash: toHex(owed + 1n, { size: 32 }) }));
    }
  }
});
