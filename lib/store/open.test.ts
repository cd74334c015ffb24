import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { meters, openStore } from "./index.ts";

const row = {
  chainId: 31337,
  streamId: 2n ** 200n,
  providerId: 1,
  payer: "0xABcd000000000000000000000000000000000001" as const,
  ratePerSecond: 100_000_000_000_000n,
  lastReceiptHash: `0x${"0".repeat(64)}` as const,
  updatedAtMs: 1_800_000_000_000,
};

test("behavior: keeps exact amounts and survives being opened twice", { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "store-"));
  const first = await openStore({ folder });
  await first.db.insert(meters).values(row);
  await first.close();
  const second = await openStore({ folder });
  expect(await second.db.select().from(meters).where(eq(meters.streamId, row.streamId))).toEqual([
    {
      ...row,
      payer: row.payer.toLowerCase(),
      streamStart: 0,
      servedMs: 0,
      claimedMs: 0,
      counted: "{}",
      settledOwed: null,
      settlementSignature: null,
    },
  ]);
  await second.close();
  await rm(folder, { recursive: true });
});

test("error: a server that is not there is named with a remedy", async () => {
  await expect(openStore({ databaseUrl: "postgres://nobody:secret@127.0.0.1:1/none" })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: "Could not open the PostgreSQL server of DATABASE_URL.",
  });
});
