// A process of its own: ends answers on the streams of the store in a folder, says each receipt that it has, and never stops by itself.
// With "tables" as its second argument it kills itself when an entry of the journal is in the tables.
import { writeSync } from "node:fs";
import { encodeSignedReceipt, ZERO_HASH } from "@clawcompute/lib/protocol";
import { openStore, meters as rows } from "@clawcompute/lib/store";
// biome-ignore lint/style/noRestrictedImports: test equipment
import { devAccounts } from "@clawcompute/lib/testing";
import type { LocalAccount } from "viem";
import { createDraft } from "../drafting.ts";
import { createOwnMeters } from "../ownMeters.ts";

const [folder, until] = process.argv.slice(2) as [string, string];
const domain = { chainId: 31337, verifyingContract: "0x00000000000000000000000000000000000000aa" } as const;
const signer = devAccounts[1] as LocalAccount;
const NOW = Date.now();
const { db, journal } = await openStore({ folder });
if (!journal) throw new Error("the store has no journal");
const meters = createOwnMeters({ db, chainId: domain.chainId, draft: createDraft({ domain, signer }), journal });
const streams = [1n, 2n, 3n];
for (const streamId of streams) {
  const row = { chainId: domain.chainId, streamId, providerId: 1, payer: signer.address, ratePerSecond: 1_000n };
  await db
    .insert(rows)
    .values({ ...row, lastReceiptHash: ZERO_HASH, updatedAtMs: NOW })
    .onConflictDoNothing();
}
if (until === "tables") void watchTables();

async function watchTables(): Promise<void> {
  for (;;) {
    const { rows: found } = (await db.execute("select 1 from receipts limit 1")) as unknown as { rows: unknown[] };
    if (found.length > 0) process.kill(process.pid, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

for (let nth = 0; ; nth += 1) {
  const startedAtMs = NOW + nth * 20;
  const stream = { id: streams[nth % streams.length] as bigint, ratePerSecond: 1_000n };
  const charged = startedAtMs + 10 + (nth % 50);
  const signed = await meters.close({
    stream,
    answer: {
      requestId: `${NOW}-${nth}`,
      providerId: 1,
      model: "m",
      startedAtMs,
      firstTokenAtMs: startedAtMs,
      endedAtMs: charged,
      chargedUntilMs: charged,
      storedUntilMs: startedAtMs,
      unitsIn: 1,
      unitsOut: 1,
      bodyHash: ZERO_HASH,
      reason: "stop",
    },
  });
  // At once and whole: what is said was shown to somebody.
  writeSync(1, `${JSON.stringify(encodeSignedReceipt(signed))}\n`);
  if (until === "first") process.kill(process.pid, "SIGKILL");
  await new Promise((resolve) => setImmediate(resolve));
}
