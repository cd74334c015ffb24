import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { streamPayWrites } from "@clawcompute/lib/chain";
import { formatAmount } from "@clawcompute/lib/money";
import { parseEther } from "viem";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openRecords, readRecords } from "./records.ts";
import { reportMain } from "./report.ts";
import { type KeeperWorld, keeperAccount, startKeeperWorld } from "./testing/keeperWorld.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let world: KeeperWorld;
let folder: string;
beforeAll(async () => {
  world = await startKeeperWorld();
  folder = mkdtempSync(join(tmpdir(), "clawcompute-report-"));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await world?.stop();
});

async function report(flags: Parameters<typeof reportMain>[0], json: boolean, env: Record<string, string> = { KEEPER_DATA_DIR: folder }) {
  let out = "";
  const write = (text: string) => {
    out += text;
  };
  const terminal = { out: write, err: () => {}, outIsTty: false, errIsTty: false, size: () => undefined };
  const signal = new AbortController().signal;
  const code = await reportMain(flags, { env: { RPC_URL: world.local.rpcUrl, ...env }, terminal, signal, json });
  return { code, out };
}

describe("claw keeper report", () => {
  it("behavior: tells what was earned and paid, to the wei of the wallet, and finds it so on chain", async () => {
    const before = await world.chain.client.getBalance({ address: keeperAccount.address });
    for (let round = 0; round < 2; round += 1) {
      await world.open(parseEther("10000"), 10_000);
      await world.local.advance(50);
      await world.keeperOf({ records: openRecords(folder) }).round(new AbortController().signal);
    }
    const net = (await world.chain.client.getBalance({ address: keeperAccount.address })) - before;
    const { code, out } = await report({ chain: true }, true);
    const told = JSON.parse(out);
    expect([code, told.total.netWei, told.total.batches, told.total.wasted]).toEqual([0, String(net), 2, 0]);
    expect(told.reconciled).toEqual({ checked: 2, differences: [], unrecorded: 0 });
    expect(BigInt(told.total.netPerStreamWei)).toBe(net / BigInt(told.total.updated));
    expect(told.byDay).toHaveLength(1);
    const text = (await report({}, false)).out;
    expect(text).toContain("net a stream");
    expect(text).toContain(formatAmount(net));
  });

  it("behavior: a period without batches is empty, not wrong", async () => {
    const { out } = await report({ days: "0.0000000001" }, true);
    expect(JSON.parse(out)).toMatchObject({ byDay: [], total: { batches: 0, netWei: "0", netPerStreamWei: "0" } });
  });

  it("error: names what the chain says otherwise, and transactions that were not recorded", async () => {
    await world.miningSender(keeperAccount).send(streamPayWrites.batchUpdateStreams([]));
    const path = join(folder, "batches.jsonl");
    const [first] = readRecords(folder);
    const lines = readFileSync(path, "utf8").split("\n").filter(Boolean);
    rmSync(path);
    appendFileSync(path, `${[JSON.stringify({ ...first, feeWei: "1" }), ...lines.slice(1)].join("\n")}\n`);
    const { code, out } = await report({ chain: true }, true);
    const { reconciled } = JSON.parse(out);
    expect([code, reconciled.unrecorded]).toEqual([8, 1]);
    expect(reconciled.differences).toEqual([{ hash: first?.hash, field: "feeWei", recorded: "1", chain: first?.feeWei }]);
    expect((await report({ chain: true }, false)).out).toContain("1 transactions of this wallet are not in the records");
  });

  it("error: says where it looks when it is not told", async () => {
    await expect(report({}, false, {})).rejects.toMatchObject({ code: "CONFIG_INVALID", param: "KEEPER_DATA_DIR" });
    await expect(report({ days: "soon" }, false)).rejects.toMatchObject({ code: "BAD_REQUEST", param: "days" });
  });
});
