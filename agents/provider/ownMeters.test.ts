import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { decodeSignedReceipt, hashReceipt, type SignedReceipt, ZERO_HASH } from "@clawcompute/lib/protocol";
import { and, eq, openStore, receipts, meters as rows, type Store } from "@clawcompute/lib/store";
import { devAccounts } from "@clawcompute/lib/testing";
import type { LocalAccount } from "viem";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createSharedMeters } from "./closing.ts";
import { createDraft } from "./drafting.ts";
import type { Meters } from "./metering.ts";
import { createOwnMeters } from "./ownMeters.ts";

vi.setConfig({ hookTimeout: 60_000, testTimeout: 240_000 });

const domain = { chainId: 31337, verifyingContract: "0x00000000000000000000000000000000000000aa" } as const;
const signer = devAccounts[1] as LocalAccount;
const draft = createDraft({ domain, signer });
const NOW = 1_800_000_000_000;
const folder = mkdtempSync(join(tmpdir(), "own-meters-"));
let memory: Store;
beforeAll(async () => {
  memory = await openStore({});
});
afterAll(async () => {
  await memory?.close();
  rmSync(folder, { recursive: true, force: true });
});

const answerOf = (requestId: string, from: number, to: number, charged: boolean) => ({
  requestId,
  providerId: 1,
  model: "m",
  startedAtMs: NOW + from,
  firstTokenAtMs: NOW + from,
  endedAtMs: NOW + to,
  chargedUntilMs: charged ? NOW + to : undefined,
  storedUntilMs: NOW + from,
  unitsIn: 0,
  unitsOut: 1,
  bodyHash: ZERO_HASH,
  reason: "stop" as const,
});

const rowOf = async ({ db }: Store, streamId: bigint) => (await db.select().from(rows).where(eq(rows.streamId, streamId)))[0];

test("behavior: decides as the statements of replicas do, whatever happens in whatever order", async () => {
  const { db, journal } = memory;
  if (!journal) throw new Error("no journal");
  const all: [bigint, Meters][] = [
    [1n, createSharedMeters({ db, chainId: domain.chainId, draft })],
    // So small a memory forgets the stream every now and then.
    [2n, createOwnMeters({ db, chainId: domain.chainId, draft, journal, capacity: 1 })],
  ];
  for (const streamId of [1n, 2n, 3n]) {
    const row = { chainId: domain.chainId, streamId, providerId: 1, payer: signer.address, ratePerSecond: 7n };
    await db.insert(rows).values({ ...row, lastReceiptHash: ZERO_HASH, updatedAtMs: NOW });
  }
  let seed = 4_711;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  for (let nth = 0; nth < 120; nth += 1) {
    const from = (nth % 90) * 25_000 + random(40_000);
    const to = from + random(4_000);
    const [kind, charged] = [random(10), random(8) > 0];
    const said: unknown[] = [];
    for (const [id, meters] of all) {
      if (kind < 3) said.push(await meters.count(id, NOW + from, NOW + to));
      else {
        const { receipt } = await meters.close({ stream: { id, ratePerSecond: 7n }, answer: answerOf(`${id}-${nth}`, from, to, charged) });
        said.push([receipt.servedMs, receipt.cumulativeServedMs, receipt.amount]);
      }
    }
    const numbers = JSON.stringify(said, (key, value) =>
      key === "lastReceiptHash" ? undefined : typeof value === "bigint" ? `${value}` : value,
    );
    const [one, other] = JSON.parse(numbers);
    expect(other, `step ${nth}`).toEqual(one);
    if (random(15) === 0) await all[1]?.[1].close({ stream: { id: 3n, ratePerSecond: 7n }, answer: answerOf(`3-${nth}`, from, to, true) });
  }
  await journal.applied();
  const [shared, own] = [await rowOf(memory, 1n), await rowOf(memory, 2n)];
  expect(own).toEqual({ ...shared, streamId: 2n, lastReceiptHash: own?.lastReceiptHash });
});

test("behavior: a receipt that could not be kept was not given, and what follows is as if it had never been", async () => {
  const { db, journal } = memory;
  if (!journal) throw new Error("no journal");
  let full = false;
  const failing = {
    ...journal,
    append: (entry: Parameters<typeof journal.append>[0]) => {
      if (full) throw new Error("no space left on device");
      journal.append(entry);
    },
  };
  const meters = createOwnMeters({ db, chainId: domain.chainId, draft, journal: failing });
  const row = { chainId: domain.chainId, streamId: 10n, providerId: 1, payer: signer.address, ratePerSecond: 7n };
  await db.insert(rows).values({ ...row, lastReceiptHash: ZERO_HASH, updatedAtMs: NOW });
  const close = (nth: number) =>
    meters.close({ stream: { id: 10n, ratePerSecond: 7n }, answer: answerOf(`10-${nth}`, nth * 100, nth * 100 + 50, true) });
  const first = await close(0);
  full = true;
  await expect(close(1)).rejects.toThrow("no space left");
  full = false;
  const { receipt } = await close(2);
  expect(receipt).toMatchObject({ previousReceiptHash: hashReceipt(domain, first.receipt), cumulativeServedMs: 100, servedMs: 50 });
});

describe("killed", () => {
  const stored = async (store: Store, streamId: bigint): Promise<SignedReceipt[]> => {
    const own = and(eq(receipts.chainId, domain.chainId), eq(receipts.streamId, streamId));
    const found = await store.db.select().from(receipts).where(own).orderBy(receipts.sequence);
    expect(found.map(({ sequence }) => sequence)).toEqual(found.map((_, index) => index));
    return found.map(({ signed }) => decodeSignedReceipt(signed));
  };

  /** The receipts that somebody saw are all there; each follows the one before, and no millisecond is claimed twice. */
  async function check(at: string, shown: readonly SignedReceipt[]): Promise<void> {
    const store = await openStore({ folder: at });
    try {
      const kept = new Set<string>();
      for (const streamId of [1n, 2n, 3n]) {
        let previous = ZERO_HASH;
        let servedMs = 0;
        for (const { receipt, signature } of await stored(store, streamId)) {
          expect(receipt.previousReceiptHash).toBe(previous);
          servedMs += receipt.servedMs;
          expect(receipt.cumulativeServedMs).toBe(servedMs);
          previous = hashReceipt(domain, receipt);
          kept.add(`${receipt.requestId} ${previous} ${signature}`);
        }
        const meter = await rowOf(store, streamId);
        expect(meter).toMatchObject({ claimedMs: servedMs, lastReceiptHash: previous });
        expect(meter?.servedMs).toBe(servedMs);
      }
      for (const { receipt, signature } of shown)
        expect(kept).toContain(`${receipt.requestId} ${hashReceipt(domain, receipt)} ${signature}`);
    } finally {
      await store.close();
    }
  }

  /** Runs until it was killed, by itself or after so many receipts; what it has said. */
  async function runUntilKilled(at: string, until: "first" | "tables" | number): Promise<SignedReceipt[]> {
    const script = fileURLToPath(new URL("./testing/closeUntilKilled.ts", import.meta.url));
    const child = spawn(process.execPath, [script, at, String(until)], { stdio: ["ignore", "pipe", "inherit"] });
    const exited = once(child, "exit");
    const shown: SignedReceipt[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      shown.push(decodeSignedReceipt(JSON.parse(line)));
      if (shown.length === until) child.kill("SIGKILL");
    }
    expect((await exited)[1]).toBe("SIGKILL");
    return shown;
  }

  test("behavior: at any point, again and again on one store: every receipt that was shown is kept once (kill −9)", async () => {
    const at = join(folder, "store");
    const path = join(at, "clawcompute.journal");
    const shown = await runUntilKilled(at, "first");
    // Appended, shown, in no table.
    expect(shown).toHaveLength(1);
    expect(statSync(path).size).toBeGreaterThan(0);
    const before = readFileSync(path, "utf8");
    expect(before).toContain(shown[0]?.receipt.requestId);
    // A line that the dying process had begun.
    appendFileSync(path, before.slice(0, 200));
    shown.push(...(await runUntilKilled(at, "tables")));
    shown.push(...(await runUntilKilled(at, 400)));
    await check(at, shown);
    // The same lines once more: the file was restored, the tables were not.
    appendFileSync(path, before);
    await check(at, shown);
  });
});
