import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import {
  assertChain,
  chainTimeMs,
  codeMatches,
  connectChain,
  createSender,
  listWalletOffers,
  planDeployment,
  registryWrites,
} from "../chain/index.ts";
import { networkOf } from "../config/network.ts";
import { devAccounts, readArtifacts, startLocalChain } from "./index.ts";
import { createRecordingLogger } from "./recordingLogger.ts";

vi.setConfig({ testTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), "clawcompute-chain-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const owner = devAccounts[1] as (typeof devAccounts)[number];
const isRunning = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe("startLocalChain", () => {
  it("behavior: keeps its state over a restart, at the same addresses", async () => {
    const statePath = join(folder, "state.json");
    const first = await startLocalChain({ statePath, blockTimeMs: 0 });
    const chain = connectChain({ ...first.network, blockTimeMs: 100 });
    const sender = createSender({ chain, account: owner, logger: createRecordingLogger() });
    const call = registryWrites.registerProvider({ model: "kept", pricePerSecond: 1n, endpoint: "http://127.0.0.1:1/", serviceType: 0 });
    await sender.send(call, { onSent: () => void first.mine() });
    const block = await chain.client.getBlockNumber();
    await first.stop();
    expect(isRunning(first.pid)).toBe(false);

    const second = await startLocalChain({ statePath, blockTimeMs: 0 });
    try {
      const again = connectChain(second.network);
      await assertChain(again);
      expect(await again.client.getBlockNumber()).toBeGreaterThanOrEqual(block);
      expect((await listWalletOffers(again, owner.address)).map(({ model }) => model)).toEqual(["kept"]);
      expect(second.network.contracts).toEqual(networkOf({ name: "local" }).contracts);
    } finally {
      await second.stop();
    }
  });

  it("error: refuses saved state that holds other contracts", async () => {
    const statePath = join(folder, "other.json");
    const first = await startLocalChain({ statePath, blockTimeMs: 0 });
    await first.request("anvil_setCode", [first.network.contracts.streamPay, "0x6001"]);
    await first.stop();
    await expect(startLocalChain({ statePath })).rejects.toMatchObject({ code: "CONTRACT_MISSING", facts: { contract: "streamPay" } });
  });

  it.each(["anvil", "hardhat"] as const)("behavior: %s mines by interval, on demand, and moves time", async (engine) => {
    const local = await startLocalChain({ engine, blockTimeMs: 200 });
    try {
      const chain = connectChain(local.network);
      await assertChain(chain);
      const from = await chain.client.getBlockNumber();
      await new Promise<void>((resolve) => {
        const stop = chain.client.watchBlockNumber({
          pollingInterval: 50,
          onBlockNumber: (number) => {
            if (number < from + 2n) return;
            stop();
            resolve();
          },
        });
      });
      const before = await chainTimeMs(chain);
      await local.advance(1000);
      expect(await chainTimeMs(chain)).toBeGreaterThanOrEqual(before + 1000_000);
      await local.setBalance("0x00000000000000000000000000000000000000aa", 7n);
      expect(await chain.client.getBalance({ address: "0x00000000000000000000000000000000000000aa" })).toBe(7n);
    } finally {
      await local.stop();
    }
    expect(isRunning(local.pid)).toBe(false);
  });
});

describe("planDeployment, codeMatches", () => {
  it("behavior: the contracts name each other by addresses known beforehand", () => {
    const steps = planDeployment(owner.address, 7, readArtifacts());
    const [registry, streamPay, paymentChannel] = steps.map(({ address }) => address);
    expect(steps.map(({ contract, nonce, constructorArgs }) => ({ contract, nonce, constructorArgs }))).toEqual([
      { contract: "registry", nonce: 7, constructorArgs: [streamPay, paymentChannel] },
      { contract: "streamPay", nonce: 8, constructorArgs: [registry] },
      { contract: "paymentChannel", nonce: 9, constructorArgs: [registry] },
    ]);
  });

  it("behavior: only immutable values may differ", () => {
    const { streamPay } = readArtifacts();
    const { deployedBytecode: code, immutableReferences } = streamPay;
    const place = Object.values(immutableReferences)[0]?.[0]?.start as number;
    const at = (byte: number, value: string) => `${code.slice(0, 2 + byte * 2)}${value}${code.slice(4 + byte * 2)}` as `0x${string}`;
    expect(codeMatches(code, streamPay)).toBe(true);
    expect(codeMatches(at(place, "ab"), streamPay)).toBe(true);
    expect(codeMatches(at(0, "ab"), streamPay)).toBe(false);
    expect(codeMatches(`${code}00`, streamPay)).toBe(false);
    expect(codeMatches(undefined, streamPay)).toBe(false);
  });
});
