import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connectChain, createSender, readOffer, registryWrites } from "@clawcompute/lib/chain";
import { createRecordingLogger, devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import { type Hex, parseEther, toHex } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { encryptKey } from "../agents/wallet/keystore.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const folder = fileURLToPath(new URL(".", import.meta.url));
const temporary = mkdtempSync(join(tmpdir(), "clawcompute-scripts-"));
const dev = devAccounts[3] as (typeof devAccounts)[number];
const devKey = toHex((dev as unknown as { getHdKey(): { privateKey: Uint8Array } }).getHdKey().privateKey);

let local: LocalChain;
let publicChain: LocalChain;
let health: Server;

beforeAll(async () => {
  [local, publicChain] = await Promise.all([
    startLocalChain({ blockTimeMs: 100 }),
    startLocalChain({ blockTimeMs: 100, chainId: 97, withContracts: false }),
  ]);
  health = createServer((request, response) => response.writeHead(request.url === "/health" ? 200 : 404).end());
  await new Promise<void>((resolve) => health.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  health?.close();
  await local?.stop();
  await publicChain?.stop();
  rmSync(temporary, { recursive: true, force: true });
});

/** Runs a script as a user would, with a clean environment. */
function run(script: string, args: string[], env: Record<string, string> = {}): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(folder, script), ...args], {
      env: { PATH: process.env.PATH ?? "", ...env },
      cwd: temporary,
    });
    let [out, err] = ["", ""];
    child.stdout.on("data", (part) => (out += part));
    child.stderr.on("data", (part) => (err += part));
    child.once("error", reject);
    child.once("exit", (code) => resolve({ code, out, err }));
  });
}

describe("providers' scripts", () => {
  const on = () => ["--network", "local", "--rpc-url", local.rpcUrl];
  const json = async (script: string, args: string[], env: Record<string, string> = {}) => {
    const { code, out } = await run(script, [...args, ...on(), "--json"], env);
    return { code, ...JSON.parse(out) };
  };

  it("behavior: list, update and clean up, from an empty market to one provider a model", async () => {
    expect((await run("list-providers.ts", on())).out).toContain("No providers on local (chain 31337)");

    const chain = connectChain(local.network);
    const sender = createSender({ chain, account: dev, logger: createRecordingLogger() });
    const alive = `http://127.0.0.1:${(health.address() as AddressInfo).port}/inference`;
    const register = (model: string, endpoint: string) =>
      sender.send(registryWrites.registerProvider({ model, pricePerSecond: 10n ** 14n, endpoint, serviceType: 0 }));
    await register("alpha", "https://gpu.example.org/inference");
    await register("alpha", alive);
    await register("beta\u001b[2J", "https://gpu2.example.org/inference");

    const listed = await run("list-providers.ts", on());
    expect(listed.code).toBe(0);
    expect(listed.out).toMatch(/^id +model +price per second/);
    expect(listed.out).toMatch(/1 +alpha +0\.0001 ETH +yes +0 +https:\/\/gpu\.example\.org\/inference/);
    expect(listed.out).toContain("beta?[2J");
    expect(listed.out).not.toContain("\u001b");
    expect((await json("list-providers.ts", ["--model", "alpha"])).providers.map(({ id }: { id: number }) => id)).toEqual([1, 2]);
    expect((await json("list-providers.ts", ["--wallet", dev.address])).providers.length).toBe(3);

    const env = { PRIVATE_KEY: devKey };
    expect(await json("update-provider.ts", ["https://new.example.org/inference", "1"], env)).toMatchObject({
      code: 0,
      changed: true,
      before: "https://gpu.example.org/inference",
    });
    expect(await readOffer(chain, 1)).toMatchObject({
      endpoint: "https://new.example.org/inference",
      pricePerSecond: 10n ** 14n,
      active: true,
    });
    expect(await json("update-provider.ts", ["https://new.example.org/inference", "1"], env)).toMatchObject({ changed: false });
    const refused = await json("update-provider.ts", ["http://localhost:3001", "1"], env);
    expect(refused).toMatchObject({ code: 2, error: { code: "BAD_REQUEST", param: "URL" } });
    const stranger = {
      PRIVATE_KEY: toHex((devAccounts[4] as unknown as { getHdKey(): { privateKey: Uint8Array } }).getHdKey().privateKey),
    };
    expect(await json("update-provider.ts", ["https://x.example.org", "1"], stranger)).toMatchObject({
      code: 8,
      error: { code: "COMPUTE_REGISTRY_NOT_OWNER" },
    });
    expect(await json("update-provider.ts", ["https://x.example.org", "77"], env)).toMatchObject({
      code: 8,
      error: { code: "COMPUTE_REGISTRY_UNKNOWN_PROVIDER" },
    });
    expect(await json("update-provider.ts", ["nonsense", "1"], env)).toMatchObject({
      code: 2,
      error: { code: "BAD_REQUEST", param: "URL" },
    });
    expect(await json("update-provider.ts", ["https://x.example.org", "one"], env)).toMatchObject({
      code: 2,
      error: { code: "BAD_REQUEST", param: "ID" },
    });

    expect(await json("cleanup-providers.ts", [], env)).toMatchObject({
      code: 0,
      kept: [1, 3],
      deactivated: [{ id: 2, reason: "local endpoint" }],
      sent: true,
    });
    expect((await json("list-providers.ts", [])).providers.map(({ id }: { id: number }) => id).sort()).toEqual([1, 3]);
    expect(await json("cleanup-providers.ts", [], env)).toMatchObject({ kept: [1, 3], deactivated: [], sent: false });
  });

  it("error: names what is missing or wrong", async () => {
    expect(await json("cleanup-providers.ts", [])).toMatchObject({ code: 2, error: { code: "CONFIG_INVALID", param: "PRIVATE_KEY" } });
    expect(await json("list-providers.ts", ["--wallet", "0x12"])).toMatchObject({
      code: 2,
      error: { code: "BAD_ADDRESS", param: "wallet" },
    });
    const dead = await run("list-providers.ts", ["--rpc-url", "http://127.0.0.1:9"]);
    expect(dead.code).toBe(8);
    expect(dead.err).toContain("CHAIN_UNAVAILABLE");
  });

  it("behavior: each explains itself", async () => {
    for (const script of ["deploy.ts", "list-providers.ts", "update-provider.ts", "cleanup-providers.ts"]) {
      const { code, out } = await run(script, ["--help"]);
      expect(code).toBe(0);
      expect(out).toContain("--network NAME");
    }
  });
});

describe("deploy", () => {
  const addresses = join(temporary, "addresses.json");
  const deploy = async (args: string[], env: Record<string, string> = {}) => {
    const { code, out } = await run(
      "deploy.ts",
      ["--network", "bsc-testnet", "--rpc-url", publicChain.rpcUrl, "--addresses", addresses, "--json", ...args],
      env,
    );
    return { code, ...JSON.parse(out) };
  };

  it("behavior: shows the plan, deploys, checks, writes, and does nothing the second time", async () => {
    const key = generatePrivateKey();
    const { address } = privateKeyToAccount(key);
    const env = { DEPLOYER_PRIVATE_KEY: key };
    const plan = await deploy(["--from", address]);
    expect(plan).toMatchObject({ code: 0, chainId: 97, deployer: address, sent: false, deployed: false, balanceWei: "0" });
    expect(BigInt(plan.gas)).toBeGreaterThan(5_000_000n);
    expect(await deploy(["--send"], env)).toMatchObject({ code: 4, error: { code: "WALLET_UNFUNDED", facts: { address } } });

    await publicChain.setBalance(address, parseEther("10"));
    expect(await deploy([], env)).toMatchObject({ code: 0, sent: false });
    const done = await deploy(["--send"], env);
    expect(done).toMatchObject({
      code: 0,
      deployed: true,
      sent: true,
      written: true,
      registry: plan.registry,
      streamPay: plan.streamPay,
      paymentChannel: plan.paymentChannel,
    });
    const { registry, streamPay, paymentChannel } = done;
    expect(JSON.parse(readFileSync(addresses, "utf8"))).toEqual({
      "97": { registry, streamPay, paymentChannel, deployBlock: done.deployBlock },
    });
    expect(await deploy(["--send"], env)).toMatchObject({ code: 0, deployed: true, sent: false, registry });
    expect(await deploy(["--verify"], env)).toMatchObject({ code: 2, error: { code: "CONFIG_INVALID", param: "ETHERSCAN_API_KEY" } });

    // Code that is not ours at a committed address does not pass for a deployment.
    await publicChain.request("anvil_setCode", [streamPay, "0x6001"]);
    expect(await deploy([], env)).toMatchObject({ code: 0, sent: false, deployed: false });
  });

  it("behavior: the key may be in a wallet file", async () => {
    const [file, passwordFile, key] = [join(temporary, "wallet.json"), join(temporary, "password"), generatePrivateKey()];
    writeFileSync(file, JSON.stringify(await encryptKey(key, "a good password", { n: 1024, r: 8, p: 1 })));
    writeFileSync(passwordFile, "a good password\n");
    const env = { DEPLOYER_WALLET_FILE: file, WALLET_PASSWORD_FILE: passwordFile };
    const elsewhere = ["--addresses", join(temporary, "none.json")];
    expect(await deploy(elsewhere, env)).toMatchObject({ code: 0, sent: false, deployer: privateKeyToAccount(key).address });
    writeFileSync(passwordFile, "a bad password");
    expect(await deploy(elsewhere, env)).toMatchObject({ code: 4, error: { code: "WALLET_LOCKED" } });
  });

  it("error: refuses development keys, wrong chains and no account", async () => {
    expect(await deploy(["--send"], { DEPLOYER_PRIVATE_KEY: devKey as Hex })).toMatchObject({
      code: 2,
      error: { code: "DEV_KEY_ON_PUBLIC_CHAIN" },
    });
    expect(await deploy(["--network", "bsc"])).toMatchObject({
      code: 8,
      error: { code: "CHAIN_MISMATCH", facts: { expected: 56, found: 97 } },
    });
    expect(await deploy([])).toMatchObject({ code: 4, error: { code: "WALLET_MISSING", param: "DEPLOYER_PRIVATE_KEY" } });
    expect(await deploy([], { DEPLOYER_PRIVATE_KEY: "0x12" })).toMatchObject({
      code: 2,
      error: { code: "CONFIG_INVALID", param: "DEPLOYER_PRIVATE_KEY" },
    });
  });
});
