import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectChain, readChannel, readStream } from "@clawcompute/lib/chain";
import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import { type HDAccount, type Hex, type LocalAccount, toHex } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGateway, type TestGateway } from "../agents/gateway/testing/startGateway.ts";
import { createEchoBackend } from "../agents/provider/backends/echo.ts";
import { startProvider, type TestProvider } from "../agents/provider/testing/startProvider.ts";

const source = join(import.meta.dirname, "clawcompute");
const cli = join(import.meta.dirname, "..", "agents", "cli.ts");
const nobody = "http://127.0.0.1:1";
let local: LocalChain;
let provider: TestProvider;
let gateway: TestGateway;
let folder: string;
/** Installed as `claw openclaw --skill` does it. */
let script: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "skill-scripts-"));
  cpSync(source, join(folder, "clawcompute"), { recursive: true });
  script = join(folder, "clawcompute", "scripts", "claw.mjs");
  writeFileSync(join(folder, "clawcompute", "scripts", "claw-path.json"), JSON.stringify({ node: process.execPath, cli }));
  local = await startLocalChain();
  const offers = [{ model: "echo", backend: createEchoBackend({ kind: "echo", tokenDelayMs: 5 }) }];
  provider = await startProvider({ local, owner: devAccounts[1] as LocalAccount, offers });
  gateway = await startGateway(local, devAccounts[6] as LocalAccount);
}, 60_000);
afterAll(async () => {
  await gateway?.stop();
  await provider?.stop();
  await local?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function run(
  args: readonly string[],
  { input, path, env = {} }: { input?: string; path?: string; env?: Record<string, string> } = {},
): Promise<Run> {
  const child: ChildProcess = spawn(process.execPath, [path ?? script, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", HOME: folder, RPC_URL: local.rpcUrl, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let [out, err] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (text) => {
    out += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text) => {
    err += text;
  });
  child.stdin?.end(input);
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, out, err })));
}

describe("the skill's script", { timeout: 30_000 }, () => {
  it("behavior: providers, as a table and as JSON", async () => {
    const [text, json, none] = await Promise.all([
      run(["providers"]),
      run(["providers", "--json"]),
      run(["providers", "--model", "nope", "--json"]),
    ]);
    expect(text).toMatchObject({ code: 0, out: expect.stringMatching(/^ID {2}MODEL .*\n\d+ +echo +0\.0001 ETH/) });
    expect(JSON.parse(json.out)).toMatchObject([{ id: provider.providerId(), model: "echo" }]);
    expect(JSON.parse(none.out)).toEqual([]);
  });

  it("behavior: ask pays from the wallet where no gateway runs; its receipt is in the balance", async () => {
    const asked = await run(
      ["ask", "--gateway", nobody, "--model", `echo@${provider.providerId()}`, "--max-spend", "0.005", "--json", "-"],
      { input: "one $(two) 'three'\n" },
    );
    const value = JSON.parse(asked.out);
    expect([asked.code, value]).toMatchObject([0, { answer: "one $(two) 'three'", via: "wallet", model: "echo", truncated: false }]);
    expect((await readStream(connectChain(local.network), BigInt(value.streamId))).status).toBe("closed");
    const { code, out } = await run(["balance", "--json", "--gateway", nobody]);
    const balance = JSON.parse(out);
    expect(code).toBe(0);
    expect(balance.receipts).toMatchObject({ totalWei: value.paidWei, valid: true });
    expect(balance).toMatchObject({ wallet: { network: "local" }, openStreams: [], gateway: null });
  });

  it("behavior: ask goes to the gateway where one runs, and says what was paid; stop ends its streams", async () => {
    const { code, out, err } = await run(["ask", "--gateway", gateway.url, "hello", "there"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^hello there\n\[paid 0\.0\d+ to provider \d+, \d+\.\d s\]\n$/);
    const [open] = gateway.gateway.pool.list();
    const ofTheGateway = { env: { PRIVATE_KEY: toHex((devAccounts[6] as HDAccount).getHdKey().privateKey as Uint8Array) } };
    const balance = await run(["balance", "--gateway", gateway.url], ofTheGateway);
    expect(balance.out).toMatch(/^open: channel 0x[0-9a-f]{8}… \(to 0x[0-9a-fA-F]{40}\)$/m);
    expect(balance.out).toMatch(/the gateway spent .* and holds 0\.006 in open streams and channels$/m);
    const stopped = await run(["stop", "--gateway", gateway.url]);
    expect(stopped).toMatchObject({ code: 0, out: "the gateway ended 1 stream or channel\nNo open streams.\n" });
    expect(open?.cover.kind).toBe("channel");
    expect((await readChannel(connectChain(local.network), open?.cover.id as Hex)).status).toBe("closed");
  });

  it("behavior: status names what works, and the exit code what does not", async () => {
    const good = await run(["status", "--gateway", nobody]);
    expect(good).toMatchObject({ code: 0, out: expect.stringMatching(/^no gateway runs .*\n[\s\S]*Ready to ask\.\n$/) });
    const bad = await run(["status", "--json"], { env: { RPC_URL: nobody } });
    expect([bad.code, JSON.parse(bad.out).healthy]).toEqual([8, false]);
  });

  it("behavior: provider-check looks and changes nothing; provider-setup writes a file without a key", async () => {
    const check = JSON.parse((await run(["provider-check", "--json"])).out);
    expect(check).toHaveProperty("plan.backend");
    const file = join(folder, "provider.env");
    const setup = await run(["provider-setup", "--backend", "echo", "--price", "0.0002", "--out", file, "--json"]);
    expect([setup.code, JSON.parse(setup.out).file]).toEqual([0, file]);
    expect(readFileSync(file, "utf8")).toMatch(/PRICE_PER_SECOND=0\.0002/);
  });

  it("error: refusals carry code and hint, and exit as claw does", async () => {
    const [model, limit, empty, verb] = await Promise.all([
      run(["ask", "--gateway", nobody, "--model", "nope", "x"]),
      run(["ask", "--gateway", nobody, "--max-spend", "0.0000001", "--json", "x"]),
      run(["ask", " "]),
      run(["dance"]),
    ]);
    expect(model).toMatchObject({
      code: 3,
      out: "",
      err: expect.stringMatching(/^error NO_PROVIDER: .*\n {2}hint: On offer are: echo\.\n$/),
    });
    expect([limit.code, JSON.parse(limit.out).error.code]).toEqual([7, "DEPOSIT_ABOVE_LIMIT"]);
    expect(empty).toMatchObject({ code: 2, err: expect.stringContaining("BAD_REQUEST") });
    expect(verb.code).toBe(2);
  });

  it("behavior: without that file it uses the checkout that it lies in, or says that there is none", async () => {
    const inCheckout = await run(["providers", "--json"], { path: join(source, "scripts", "claw.mjs") });
    expect([inCheckout.code, JSON.parse(inCheckout.out).length]).toEqual([0, 1]);
    const copy = join(folder, "lost", "clawcompute");
    cpSync(source, copy, { recursive: true });
    const lost = await run(["providers"], { path: join(copy, "scripts", "claw.mjs"), env: { PATH: "/usr/bin:/bin" } });
    expect(lost).toMatchObject({ code: 127, out: "", err: expect.stringContaining("error CLAW_MISSING") });
  });
});
