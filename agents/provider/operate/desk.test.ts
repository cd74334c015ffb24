import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectChain, readOffer } from "@clawcompute/lib/chain";
import { createLogger } from "@clawcompute/lib/node";
import { openStore } from "@clawcompute/lib/store";
import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import type { LocalAccount } from "viem";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createEchoBackend } from "../backends/echo.ts";
import type { ServedOffer } from "../offers.ts";
import { createPayer } from "../testing/payer.ts";
import { PRICE, startProvider, type TestProvider } from "../testing/startProvider.ts";
import { submit } from "./desk.ts";
import { type HeldFolder, holdFolder, leaveOrder, socketOf } from "./orderSocket.ts";
import { carryOut, type Order } from "./orders.ts";

// Real chains and stores have to start.
vi.setConfig({ hookTimeout: 60_000, testTimeout: 60_000 });

const owner = devAccounts[1] as LocalAccount;
const signal = new AbortController().signal;
const logger = createLogger({ name: "provider", level: "silent" });
let local: LocalChain;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "claw-desk-"));
  local = await startLocalChain({ blockTimeMs: 250 });
});
afterAll(async () => {
  await local?.stop();
  await rm(folder, { recursive: true, force: true });
});

const submitted = (dataDir: string, order: Order) =>
  submit(
    {
      chain: connectChain(local.network),
      owner: owner.address,
      ownerAccount: owner,
      logger,
      databaseUrl: undefined,
      dataDir,
      listenPort: 0,
    },
    order,
    signal,
  );
const sentBy = () => connectChain(local.network).client.getTransactionCount({ address: owner.address });
const isActive = async (id: number) => (await readOffer(connectChain(local.network), id)).active;

async function startWith(dataDir: string, limits = {}): Promise<{ provider: TestProvider; held: HeldFolder; stop: () => Promise<void> }> {
  const held = await holdFolder(dataDir);
  const store = await openStore({ folder: dataDir });
  const offers = [{ model: "desk", backend: createEchoBackend({ kind: "echo" }) }];
  const provider = await startProvider({ local, owner, store, offers, limits });
  const { withSender } = provider.provider;
  const chain = connectChain(local.network);
  held.serve((order) => carryOut({ chain, db: store.db, owner: owner.address, logger, withSender }, order, signal));
  const stop = async () => {
    await provider.stop();
    await store.close();
    await held.release();
  };
  return { provider, held, stop };
}

describe("an operator's order", () => {
  test("behavior: is carried out by the provider that runs, in turn with what it sends itself", async () => {
    const dataDir = join(folder, "running");
    const { provider, stop } = await startWith(dataDir);
    try {
      const id = provider.providerId();
      const payer = createPayer(local, devAccounts[5] as LocalAccount);
      const streamId = await payer.openStream({ recipient: owner.address, providerId: id, seconds: 3_600 });
      await local.advance(130);
      await payer.cancel(streamId);
      const before = await sentBy();
      const { terms } = provider.provider.offers[0] as ServedOffer;
      const price = (pricePerSecond: bigint) => provider.provider.setPrices([{ ...terms, pricePerSecond }], signal);
      const [off, , withdrawn, on] = await Promise.all([
        submitted(dataDir, { kind: "list", ids: [id], active: false }),
        price(PRICE * 2n),
        submitted(dataDir, { kind: "withdraw" }),
        submitted(dataDir, { kind: "earnings" }),
      ]);
      expect([off.changed, withdrawn.collected.map(({ what }) => what), on.earnings[0]?.asset]).toEqual([
        [id],
        ["credit"],
        "0x0000000000000000000000000000000000000000",
      ]);
      expect(withdrawn.collected[0]?.amount).toBeGreaterThan(0n);
      expect((await sentBy()) - before).toBe(3);
      expect(await readOffer(connectChain(local.network), id)).toMatchObject({ active: false, pricePerSecond: PRICE * 2n });
      expect((await submitted(dataDir, { kind: "list", ids: [id], active: true })).changed).toEqual([id]);
      await price(PRICE);
    } finally {
      await stop();
    }
  });

  test("error: what came of it is told, and nothing that is no order is taken", async () => {
    const dataDir = join(folder, "refusing");
    const held = await holdFolder(dataDir);
    try {
      held.serve(async () => {
        throw new Error("boom");
      });
      await expect(leaveOrder(dataDir, { kind: "withdraw" }, signal)).rejects.toMatchObject({ code: "INTERNAL" });
      await expect(leaveOrder(dataDir, { kind: "send" } as unknown as Order, signal)).rejects.toMatchObject({ code: "BAD_REQUEST" });
      await expect(holdFolder(dataDir)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    } finally {
      await held.release();
    }
  });

  test("behavior: after a provider was killed, its folder can be had again", async () => {
    const dataDir = join(folder, "killed");
    const program = `require("node:net").createServer().listen(${JSON.stringify(socketOf(dataDir))}, () => console.log("up"))`;
    const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    await (await holdFolder(dataDir)).release();
  });

  test("behavior: what was taken off the market stays off after a restart; what the provider took off itself comes back", async () => {
    const dataDir = join(folder, "restarted");
    const first = await startWith(dataDir, { unlistOnStop: true });
    const id = first.provider.providerId();
    await first.stop();
    expect(await isActive(id)).toBe(false);

    const second = await startWith(dataDir);
    expect([second.provider.providerId(), await isActive(id)]).toEqual([id, true]);
    await second.stop();
    // While nothing runs, the command has the store itself.
    const off = await submitted(dataDir, { kind: "list", ids: [id], active: false });
    expect(off.changed).toEqual([id]);

    const third = await startWith(dataDir);
    try {
      expect([third.provider.providerId(), third.provider.provider.offers[0]?.active, await isActive(id)]).toEqual([id, false, false]);
      expect((await submitted(dataDir, { kind: "list", ids: [id], active: true })).changed).toEqual([id]);
      await vi.waitFor(() => expect(third.provider.provider.offers[0]?.active).toBe(true), { timeout: 20_000, interval: 50 });
    } finally {
      await third.stop();
    }
  });
});
