import { recoverSigner } from "@clawcompute/lib/node";
import { sessionProofTypedData, settlementTypedData, verifySessionProof } from "@clawcompute/lib/protocol";
import { type LocalAccount, recoverTypedDataAddress, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { fastSigner } from "../../agents/provider/fastSigner.ts";

const domain = { chainId: 31337, verifyingContract: `0x${"1".repeat(40)}` } as const;
const message = { streamId: 7n, issuedAt: 1_800_000_000n, expiresAt: 1_800_000_060n, nonce: toHex(5n, { size: 32 }) };

async function microseconds(work: () => Promise<unknown>, times = 400): Promise<number> {
  for (let done = 0; done < 50; done += 1) await work();
  const startedAt = performance.now();
  for (let done = 0; done < times; done += 1) await work();
  return ((performance.now() - startedAt) * 1000) / times;
}

/** What a proof costs to check, once for each session, and a receipt to sign, once for each answer. */
export async function measureSignatures(): Promise<{ name: string; value: number; unit: string }[]> {
  const privateKey = toHex(99n, { size: 32 });
  const plain = privateKeyToAccount(privateKey);
  const data = sessionProofTypedData(domain, message);
  const signature = await plain.signTypedData(data);
  const check = (more: object) =>
    verifySessionProof({ domain, message, signature, payer: plain.address, nowSeconds: 1_800_000_001, ...more });
  const sign = (signer: LocalAccount) => signer.signTypedData(settlementTypedData(domain, { streamId: 1n, owed: 2n }));
  const fast = fastSigner(privateKey);
  return [
    { name: "proof checked as the provider does", value: await microseconds(() => check({ recover: recoverSigner })), unit: "µs" },
    { name: "proof checked in JavaScript", value: await microseconds(() => recoverTypedDataAddress({ ...data, signature })), unit: "µs" },
    { name: "settlement signed as the provider does", value: await microseconds(() => sign(fast)), unit: "µs" },
    { name: "settlement signed in JavaScript", value: await microseconds(() => sign(plain)), unit: "µs" },
  ];
}
