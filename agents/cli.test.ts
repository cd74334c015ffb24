import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connectChain, readStream } from "@clawcompute/lib/chain";
import { costDown } from "@clawcompute/lib/money";
import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import type { LocalAccount } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEchoBackend } from "./provider/backends/echo.ts";
import { PRICE, startProvider, type TestProvider } from "./provider/testing/startProvider.ts";

const cli = fileURLToPath(new URL("cli.ts", import.meta.url));
let local: LocalChain;
let provider: TestProvider;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "claw-cli-"));
  local = await startLocalChain();
  const offers = [
    { model: "echo", backend: createEchoBackend({ kind: "echo", tokenDelayMs: 20 }) },
    { model: "slow", backend: createEchoBackend({ kind: "echo", tokenDelayMs: 1_000 }) },
  ];
  provider = await startProvider({ local, owner: devAccounts[1] as LocalAccount, offers });
}, 60_000);
afterAll(async () => {
  await provider?.stop();
  await local?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function start(
  args: readonly string[],
  env: Record<string, string> = {},
): { child: ChildProcess; ended: Promise<Run>; says: (text: string) => Promise<void> } {
  const child = spawn(process.execPath, [cli, ...args], {
    env: { PATH: process.env.PATH ?? "", HOME: folder, RPC_URL: local.rpcUrl, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, err] = ["", ""];
  const waiting: { text: string; resolve: () => void }[] = [];
  const look = () => {
    for (const { text, resolve } of waiting) if ((out + err).includes(text)) resolve();
  };
  child.stdout.setEncoding("utf8").on("data", (text) => {
    out += text;
    look();
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    err += text;
    look();
  });
  const ended = new Promise<Run>((resolve) => child.once("close", (code) => resolve({ code, out, err })));
  const says = (text: string) =>
    new Promise<void>((resolve, reject) => {
      waiting.push({ text, resolve });
      look();
      void ended.then((run) => reject(new Error(`it ended without saying "${text}": ${JSON.stringify(run)}`)));
    });
  return { child, ended, says };
}

const claw = (args: readonly string[], env: Record<string, string> = {}) => start(args, env).ended;

/** The same object with every value replaced by what kind of value it is. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shapeOf(item)]));
  if (typeof value !== "string") return value === null ? null : typeof value;
  if (/^0x[0-9a-f]+$/i.test(value)) return `hex(${value.length / 2 - 1})`;
  return /^\d+$/.test(value) ? "decimal" : "text";
}

describe("claw ask", () => {
  it("behavior: --json prints one object; the chain agrees with it to the wei", { timeout: 20_000 }, async () => {
    const chain = connectChain(local.network);
    const payer = (devAccounts[5] as LocalAccount).address;
    const before = await chain.client.getBalance({ address: payer });
    const { code, out, err } = await claw(["ask", "--json", "--model", "echo", "one two three four"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out.trimEnd().split("\n")).toHaveLength(1);
    const report = JSON.parse(out);
    expect(report).toMatchObject({
      answer: "one two three four",
      model: "echo",
      providerId: provider.providerId(0),
      finishReason: "stop",
      truncated: false,
    });
    expect(report.servedMs).toBeGreaterThanOrEqual(60);
    expect(BigInt(report.paidWei)).toBe(costDown(PRICE, report.servedMs));
    expect(BigInt(report.paidWei) + BigInt(report.refundedWei)).toBe(BigInt(report.depositWei));
    expect(before - (await chain.client.getBalance({ address: payer }))).toBe(BigInt(report.paidWei) + BigInt(report.gasFeeWei));
    expect((await readStream(chain, BigInt(report.streamId))).status).toBe("closed");
    expect(shapeOf(report)).toMatchInlineSnapshot(`
      {
        "answer": "text",
        "attempts": [],
        "beyondServedWei": "decimal",
        "chainId": "number",
        "depositWei": "decimal",
        "finishReason": "text",
        "gasFeeWei": "decimal",
        "gasUsed": "number",
        "model": "text",
        "network": "text",
        "paidWei": "decimal",
        "providerId": "number",
        "ratePerSecondWei": "decimal",
        "receipt": {
          "receipt": {
            "amount": "decimal",
            "bodyHash": "hex(32)",
            "cumulativeAmount": "decimal",
            "cumulativeServedMs": "number",
            "endedAtMs": "number",
            "firstTokenAtMs": "number",
            "kind": "text",
            "model": "text",
            "payment": "hex(32)",
            "previousReceiptHash": "hex(32)",
            "providerId": "number",
            "reason": "text",
            "requestId": "text",
            "servedMs": "number",
            "startedAtMs": "number",
            "unitsIn": "number",
            "unitsOut": "number",
          },
          "settlement": {
            "owed": "decimal",
            "signature": "hex(65)",
            "streamId": "decimal",
          },
          "signature": "hex(65)",
          "signer": "hex(20)",
        },
        "refundedWei": "decimal",
        "servedMs": "number",
        "streamId": "decimal",
        "transactions": [
          {
            "explorerUrl": null,
            "feeWei": "decimal",
            "gasUsed": "number",
            "hash": "hex(32)",
            "kind": "text",
            "streamId": "decimal",
          },
          {
            "explorerUrl": null,
            "feeWei": "decimal",
            "gasUsed": "number",
            "hash": "hex(32)",
            "kind": "text",
            "streamId": "decimal",
          },
        ],
        "truncated": "boolean",
        "worstCaseLossWei": "decimal",
      }
    `);
  });

  it("behavior: only the answer goes to stdout; offer, worst case and bill to stderr", { timeout: 20_000 }, async () => {
    const { code, out, err } = await claw(["ask", "-m", "echo", "hello", "world"]);
    expect({ code, out }).toEqual({ code: 0, out: "hello world\n" });
    const stable = err
      .replace(/0x[0-9a-f]{64}/g, "<hash>")
      .replace(/\d\.\d{5,}/g, "<amount>")
      .replace(/stream \d+/g, "stream <id>");
    expect(stable.replace(/\d+\.\d{3} s/, "<time>").replace(/\(\d+ units\)/, "(<gas>)")).toMatchInlineSnapshot(`
      "echo by provider 1: 0.0001 ETH a second
      deposit 0.006 ETH for 60 s; what is not used comes back
      at worst, if it never answers, you lose 0.0033 ETH and gas
      stream <id> is open

      ending stream <id>

      provider  1 (echo), stream <id>
      served    <time> at 0.0001 ETH a second
      paid      <amount> ETH
      refunded  <amount> ETH of 0.006 ETH
      gas       <amount> ETH (<gas>)
      open      <hash>
      settle    <hash>
      "
    `);
  });

  it("behavior: three at once with one wallet: each is answered and paid once", { timeout: 60_000 }, async () => {
    const runs = await Promise.all(["a", "b", "c"].map((word) => claw(["ask", "--json", "-m", "echo", word])));
    expect(runs.map(({ code, out }) => [code, JSON.parse(out).answer])).toEqual([
      [0, "a"],
      [0, "b"],
      [0, "c"],
    ]);
    const reports = runs.map(({ out }) => JSON.parse(out));
    expect(new Set(reports.map(({ streamId }) => streamId)).size).toBe(3);
    for (const { paidWei, servedMs } of reports) expect(BigInt(paidWei)).toBe(costDown(PRICE, servedMs));
  });

  it("behavior: a reader that goes away mid-answer ends the stream too", { timeout: 20_000 }, async () => {
    const { child, ended, says } = start(["ask", "-m", "slow", "first second third fourth fifth sixth seventh"]);
    await says("first");
    child.stdout?.destroy();
    const { code, err } = await ended;
    expect(code).toBe(130);
    expect(err).toContain("settle    0x");
  });

  it("behavior: Ctrl-C mid-answer closes the line, ends the stream, shows the bill, exits 130", { timeout: 20_000 }, async () => {
    const { child, ended, says } = start(["ask", "-m", "slow", "first second third fourth fifth sixth seventh"]);
    await says("first");
    child.kill("SIGINT");
    const { code, err } = await ended;
    expect(code).toBe(130);
    expect(err).toContain("refunded");
    expect(err).toContain("settle    0x");
    expect(JSON.parse((await claw(["streams", "--json"])).out)).toEqual([]);
  });

  it("behavior: killed mid-answer: claw streams finds the stream, claw stop ends it (P10)", { timeout: 30_000 }, async () => {
    const { child, ended, says } = start(["ask", "-m", "slow", "first second third fourth fifth sixth seventh"]);
    await says("first");
    child.kill("SIGKILL");
    await ended;
    const [open] = JSON.parse((await claw(["streams", "--json"])).out);
    expect(open).toMatchObject({ providerId: provider.providerId(1), status: "active", ratePerSecondWei: String(PRICE) });
    const { code, out } = await claw(["stop", "--json"]);
    const report = JSON.parse(out);
    expect({ code, ended: report.ended, failures: report.failures }).toEqual({ code: 0, ended: [open.streamId], failures: [] });
    expect(report.transactions).toMatchObject([{ kind: "settle", streamId: open.streamId }]);
    expect((await claw(["stop"])).out).toBe("No open streams.\n");
  });
});

describe("claw: refusals", () => {
  it.each<[string, string[], Record<string, string>, number, string]>([
    ["an unknown model", ["ask", "-m", "nope", "x"], {}, 3, "NO_PROVIDER"],
    ["an unknown provider", ["ask", "-p", "999", "x"], {}, 3, "NO_PROVIDER"],
    ["a price above the cap", ["ask", "--max-price", "0.00000001", "x"], {}, 7, "PRICE_ABOVE_CAP"],
    ["too large a deposit", ["ask", "--seconds", "86400", "x"], {}, 7, "DEPOSIT_ABOVE_LIMIT"],
    ["seconds that are none", ["ask", "--seconds", "1.5", "x"], {}, 2, "BAD_REQUEST"],
    ["an amount that is none", ["ask", "--max-spend", "much", "x"], {}, 2, "BAD_AMOUNT"],
    ["an empty prompt", ["ask", " "], {}, 2, "BAD_REQUEST"],
    ["an unknown option", ["ask", "--nope", "x"], {}, 2, "BAD_REQUEST"],
    ["an unknown command", ["nope"], {}, 2, "BAD_REQUEST"],
    ["a wrong setting", ["ask", "x"], { DEPOSIT_SECONDS: "never" }, 2, "CONFIG_INVALID"],
    ["no chain", ["ask", "x"], { RPC_URL: "http://127.0.0.1:1" }, 8, "CHAIN_UNAVAILABLE"],
    ["another chain", ["ask", "x"], { NETWORK: "custom", CHAIN_ID: "1337" }, 8, "CHAIN_MISMATCH|CONTRACT_MISSING"],
    ["an empty wallet", ["ask", "x"], { PRIVATE_KEY: `0x${"5a".repeat(32)}` }, 4, "WALLET_UNFUNDED"],
    ["no wallet", ["ask", "x"], { WALLET_FILE: "/nowhere/wallet.json" }, 4, "WALLET_MISSING"],
    ["private endpoints", ["ask", "x"], { ALLOW_PRIVATE_ENDPOINTS: "0" }, 5, "ENDPOINT_REFUSED"],
  ])(
    "error: %s",
    async (_, args, env, code, errorCode) => {
      const run = await claw([...args, "--json"], env);
      expect({ code: run.code, err: run.err }).toEqual({ code, err: "" });
      const { error } = JSON.parse(run.out);
      expect(error.code).toMatch(new RegExp(`^(${errorCode})$`));
      expect(error.hint).toEqual(expect.any(String));
    },
    20_000,
  );
});

describe("claw: refusals for people", () => {
  it("error: code, message and hint on stderr, nothing on stdout", async () => {
    expect(await claw(["ask", "-m", "nope", "x"])).toEqual({
      code: 3,
      out: "",
      err: 'error NO_PROVIDER: No active provider offers the model "nope".\n  hint: On offer are: echo, slow.\n',
    });
    const { code, out, err } = await claw(["ask", "--nope", "x"]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/^error: unknown option '--nope'/);
  });
});

describe("claw: the rest", () => {
  it("behavior: providers, cheapest first", async () => {
    const { code, out } = await claw(["providers", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject([
      { id: provider.providerId(0), model: "echo", pricePerSecondWei: String(PRICE), endpoint: provider.url },
      { id: provider.providerId(1), model: "slow" },
    ]);
    expect((await claw(["providers", "-m", "slow"])).out).toMatch(/^ID {2}MODEL .*\n\d+ +slow +0\.0001 ETH /);
  });

  it("behavior: a new wallet is written, named and never shown", { timeout: 20_000 }, async () => {
    const file = join(folder, "new.json");
    const password = join(folder, "password");
    writeFileSync(password, "correct horse battery\n");
    const made = await claw(["wallet", "new", "--file", file, "--json"], { WALLET_PASSWORD_FILE: password });
    expect(made.code).toBe(0);
    const { address } = JSON.parse(made.out);
    expect(JSON.parse(readFileSync(file, "utf8")).address).toBe(address.slice(2).toLowerCase());
    expect((await claw(["wallet", "address"], { WALLET_FILE: file })).out).toBe(`${address}\n`);
    expect(JSON.parse((await claw(["wallet", "balance", "--json"], { WALLET_FILE: file })).out)).toMatchObject({
      address,
      balanceWei: "0",
    });
    const again = await claw(["wallet", "new", "--file", file], { WALLET_PASSWORD_FILE: password });
    expect(again).toMatchObject({ code: 2, err: expect.stringContaining("there is a wallet already") });
  });

  it("behavior: an imported key pays, and its key is printed nowhere", { timeout: 20_000 }, async () => {
    const key = "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6";
    const file = join(folder, "imported.json");
    const imported = await claw(["wallet", "import", "--file", file], { PRIVATE_KEY: key, WALLET_PASSWORD: "correct horse" });
    const asked = await claw(["ask", "-m", "echo", "--json", "hi"], {
      WALLET_FILE: file,
      WALLET_PASSWORD: "correct horse",
      CLAW_LOG_LEVEL: "trace",
    });
    expect([imported.code, asked.code]).toEqual([0, 0]);
    expect(JSON.stringify([imported, asked])).not.toContain(key);
    const locked = await claw(["ask", "-m", "echo", "hi"], { WALLET_FILE: file, WALLET_PASSWORD: "wrong horse" });
    expect(locked).toMatchObject({ code: 4, err: expect.stringContaining("error WALLET_LOCKED") });
  });

  it("behavior: help names every command and the exit codes", async () => {
    const { code, out } = await claw(["help"]);
    expect(code).toBe(0);
    for (const word of [
      "ask",
      "chat",
      "doctor",
      "receipts",
      "up",
      "openclaw",
      "mcp",
      "completion",
      "providers",
      "streams",
      "stop",
      "wallet",
      "provider",
      "keeper",
      "Exit codes",
    ])
      expect(out).toContain(word);
    expect((await claw(["provider", "--help"])).out).toContain("claw provider");
  });
});
