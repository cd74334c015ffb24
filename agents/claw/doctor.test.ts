import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectChain, createSender, registryWrites } from "@clawcompute/lib/chain";
import { createRecordingLogger, devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import type { LocalAccount } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEchoBackend } from "../provider/backends/echo.ts";
import { createPayer } from "../provider/testing/payer.ts";
import { startProvider, type TestProvider } from "../provider/testing/startProvider.ts";
import { encryptKey } from "../wallet/keystore.ts";
import { doctorMain, type Finding } from "./doctor.ts";
import { captured } from "./testing/captured.ts";

let local: LocalChain;
let provider: TestProvider | undefined;
let folder: string;
const owner = devAccounts[1] as LocalAccount;
const now = { now: Date.now, nodeVersion: process.version };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "claw-doctor-"));
  local = await startLocalChain();
}, 60_000);
afterAll(async () => {
  await provider?.stop();
  await local?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

async function examine(env: Record<string, string> = {}, surroundings = now) {
  const { context, out } = captured({ RPC_URL: local.rpcUrl, ...env }, { json: true });
  const code = await doctorMain(context, surroundings);
  const { findings, healthy } = JSON.parse(out()) as { findings: Finding[]; healthy: boolean };
  return {
    code,
    healthy,
    statuses: Object.fromEntries(findings.map(({ name, status }) => [name, status])),
    of: (wanted: string) => findings.find(({ name }) => name === wanted),
  };
}

describe("claw doctor", () => {
  it("error: an empty market: exit 3, and how to start one", async () => {
    const { code, statuses, of } = await examine();
    expect(code).toBe(3);
    expect(statuses).toEqual({
      node: "good",
      settings: "good",
      chain: "good",
      clock: "good",
      wallet: "good",
      funds: "good",
      streams: "good",
      providers: "bad",
    });
    expect(of("providers")?.fix).toContain("npm start");
  });

  it("behavior: all is well: exit 0, one line each; a provider that is away is a note", async () => {
    provider = await startProvider({ local, owner, offers: [{ model: "echo", backend: createEchoBackend({ kind: "echo" }) }] });
    const sender = createSender({
      chain: connectChain(local.network),
      account: devAccounts[2] as LocalAccount,
      logger: createRecordingLogger(),
    });
    await sender.send(
      registryWrites.registerProvider({ model: "away", pricePerSecond: 1n, endpoint: "http://127.0.0.1:1", serviceType: 0 }),
    );
    const { context, out } = captured({ RPC_URL: local.rpcUrl });
    expect(await doctorMain(context, now)).toBe(0);
    const stable = out()
      .replace(/v\d+\.\d+\.\d+/, "<version>")
      .replace(/\d+ ms/g, "<ms>")
      .replace(/\(\d+\) is -?[\d.]+ s/, "(<block>) is <s>")
      .replace(/[\d.]+ ETH\n/, "<amount>\n");
    expect(stable).toMatchInlineSnapshot(`
      "ok    node         <version>
      ok    settings     network local, chain 31337
      ok    chain        1 endpoint(s), contracts found, <ms>
      ok    clock        the newest block (<block>) is <s> old by this machine's clock
      ok    wallet       0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc (development account)
      ok    funds        <amount>
      ok    streams      none is open
      ok    providers    2 on offer, 1 of the 2 cheapest answer
      note  provider 2   The provider at 127.0.0.1:1 cannot be reached: nothing listens there.
      ok    provider 1   echo, 0.0001 ETH/s, <ms>

      Ready to ask.
      "
    `);
  });

  it.each<[string, Record<string, string>, number, string, string]>([
    ["settings that are wrong", { MAX_DEPOSIT: "much" }, 2, "settings", "CONFIG_INVALID"],
    ["no chain", { RPC_URL: "http://127.0.0.1:1" }, 8, "chain", "CHAIN_UNAVAILABLE"],
    ["no contracts", { STREAM_PAY_ADDRESS: `0x${"77".repeat(20)}` }, 8, "chain", "CONTRACT_MISSING"],
    ["no wallet", { WALLET_FILE: "/nowhere/wallet.json" }, 4, "wallet", "WALLET_MISSING"],
    ["an empty wallet", { PRIVATE_KEY: `0x${"5a".repeat(32)}` }, 4, "funds", "WALLET_UNFUNDED"],
    ["private endpoints that are not allowed", { ALLOW_PRIVATE_ENDPOINTS: "0" }, 5, "providers", "ENDPOINT_REFUSED"],
  ])("error: %s", async (_, env, exit, name, wanted) => {
    const { code, healthy, of } = await examine(env);
    expect({ code, healthy, finding: of(name)?.code }).toEqual({ code: exit, healthy: false, finding: wanted });
    expect(of(name)?.fix).toEqual(expect.any(String));
  });

  it("behavior: notes: a clock that is off, a wallet file that others may read, a forgotten stream, an old Node", async () => {
    expect((await examine({}, { ...now, now: () => Date.now() + 60_000 })).of("clock")).toMatchObject({
      status: "warning",
      fix: expect.stringContaining("clock"),
    });
    const file = join(folder, "wallet.json");
    writeFileSync(file, JSON.stringify(await encryptKey(`0x${"11".repeat(32)}`, "password", { n: 2, r: 1, p: 1 })), { mode: 0o644 });
    expect((await examine({ WALLET_FILE: file })).of("wallet")).toMatchObject({ status: "warning", fix: `chmod 600 ${file}` });
    const payer = createPayer(local, devAccounts[5] as LocalAccount);
    const id = await payer.openStream({ recipient: owner.address, providerId: provider?.providerId() ?? 0 });
    expect((await examine()).of("streams")).toMatchObject({
      status: "warning",
      detail: `open: ${id}`,
      fix: expect.stringContaining("claw stop"),
    });
    expect(await examine({}, { ...now, nodeVersion: "v20.1.0" })).toMatchObject({ code: 2, statuses: { node: "bad" } });
  });
});
