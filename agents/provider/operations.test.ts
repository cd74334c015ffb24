import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { connectChain, readOffer } from "@clawcompute/lib/chain";
import { systemClock } from "@clawcompute/lib/node";
import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import { type LocalAccount, toHex } from "viem";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createEchoBackend } from "./backends/echo.ts";
import { planPrices } from "./listing.ts";
import { type Operation, operate } from "./operate/main.ts";
import { envFilesOf, mergeEnv } from "./reload.ts";
import { createPayer, eventsOf, type Payer, readAnswer } from "./testing/payer.ts";
import { createScriptedBackend } from "./testing/scriptedBackend.ts";
import { PRICE, startProvider, type TestProvider } from "./testing/startProvider.ts";

// Real chains and stores have to start.
vi.setConfig({ hookTimeout: 60_000, testTimeout: 60_000 });

const [, owner, , payerAccount, second] = devAccounts as readonly LocalAccount[] as LocalAccount[] & Record<1 | 3 | 4, LocalAccount>;
const root = fileURLToPath(new URL("../..", import.meta.url));
const backend = createScriptedBackend();
let local: LocalChain;
let provider: TestProvider;
let payer: Payer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "claw-operations-"));
  local = await startLocalChain({ blockTimeMs: 250 });
  provider = await startProvider({ local, owner: owner as LocalAccount, offers: [{ model: "m", backend }] });
  payer = createPayer(local, payerAccount as LocalAccount);
});
afterAll(async () => {
  await provider?.stop();
  await local?.stop();
  await rm(folder, { recursive: true, force: true });
});

const keyOf = (account: LocalAccount) => toHex((account as unknown as { getHdKey(): { privateKey: Uint8Array } }).getHdKey().privateKey);
const envOf = (account: LocalAccount) => ({
  NETWORK: "local",
  RPC_URL: local.rpcUrl,
  PROVIDER_PRIVATE_KEY: keyOf(account),
  DRAIN_SECONDS: "20",
});

async function run(
  operation: Operation,
  argv: readonly string[] = [],
  env: Record<string, string> = envOf(owner as LocalAccount),
  // biome-ignore lint/suspicious/noExplicitAny: the command's own JSON
): Promise<any> {
  let out = "";
  await operate({
    operation,
    argv: ["--json", "--url", provider.url, ...argv],
    env,
    terminal: {
      out: (text) => {
        out += text;
      },
      err: () => {},
    },
    askPassword: async () => "",
    clock: systemClock,
    signal: new AbortController().signal,
  });
  return JSON.parse(out);
}
const open = (seconds = 60) => payer.openStream({ recipient: (owner as LocalAccount).address, providerId: provider.providerId(), seconds });
const ask = (token: string, body: object = {}) => payer.chat(provider.url, token, { model: "m", ...body });
async function answered(token: string): Promise<number> {
  const asked = ask(token);
  const call = await backend.nextCall();
  call.say("x");
  call.finish();
  call.end();
  return (await asked).status;
}

describe("claw provider", () => {
  test("behavior: status shows what is listed and what runs", async () => {
    const { token } = await payer.session(provider.url, await open());
    const asked = ask(token, { stream: true });
    const call = await backend.nextCall();
    expect(await run("status")).toMatchObject({
      owner: (owner as LocalAccount).address,
      status: "ok",
      offers: [{ id: provider.providerId(), model: "m", active: true, price: "0.0001 ETH/s", running: 1, capacity: 4 }],
    });
    call.say("x");
    call.finish();
    call.end();
    await readAnswer(await asked);
    const gone = await run("status", ["--url", "http://127.0.0.1:1"], {
      NETWORK: "local",
      RPC_URL: local.rpcUrl,
      PROVIDER_ADDRESS: (owner as LocalAccount).address,
    });
    expect(gone).toMatchObject({ status: null, offers: [{ running: null }] });
  });

  test("behavior: drain takes the offer off the market, finishes what runs, refuses what comes; resume undoes it", async () => {
    const { token } = await payer.session(provider.url, await open());
    const id = provider.providerId();
    const asked = ask(token, { stream: true });
    const call = await backend.nextCall();
    call.say("first ");
    const events = eventsOf(await asked);
    await events.next();
    const draining = run("drain");
    await vi.waitFor(() => expect(provider.provider.offers[0]?.active).toBe(false), { timeout: 20_000, interval: 50 });
    expect((await readOffer(connectChain(local.network), id)).active).toBe(false);
    const refused = await ask(token);
    expect([refused.status, refused.headers.get("retry-after"), (await refused.json()).error.code]).toEqual([503, "60", "draining"]);
    call.say("last");
    call.finish();
    call.end();
    const rest: string[] = [];
    for await (const { data } of events) rest.push(data);
    expect(rest.at(-1)).toBe("[DONE]");
    expect(await draining).toEqual({ changed: [id], active: false, idle: true });
    // Its streams can still be settled.
    const settled = await payer.post(`${provider.url}/v1/sessions/settle`, {}, { authorization: `Bearer ${token}` });
    expect(settled.status).toBe(200);
    expect(await run("drain")).toMatchObject({ changed: [] });

    expect(await run("resume")).toMatchObject({ changed: [id] });
    const again = await payer.session(provider.url, await open());
    await vi.waitFor(() => expect(provider.provider.offers[0]?.active).toBe(true), { timeout: 20_000, interval: 50 });
    expect(await answered(again.token)).toBe(200);
  });

  test("error: another wallet's offer, words that are none, a machine without the owner's key", async () => {
    const failure = (work: Promise<unknown>) => work.catch((error) => error.code);
    expect(await failure(run("drain", ["999"]))).toBe("BAD_REQUEST");
    expect(await failure(run("status", ["--nonsense"]))).toBe("BAD_REQUEST");
    const keyless = {
      NETWORK: "local",
      RPC_URL: local.rpcUrl,
      PROVIDER_ADDRESS: (owner as LocalAccount).address,
      SIGNER_PRIVATE_KEY: keyOf(second as LocalAccount),
    };
    expect(await failure(run("drain", [String(provider.providerId())], keyless))).toBe("WALLET_MISSING");
    expect(await failure(run("withdraw", [], keyless))).toBe("WALLET_MISSING");
  });

  test("behavior: earnings and withdraw: ended streams and credits are collected, open ones are not", async () => {
    const seller = second as LocalAccount;
    const other = await startProvider({ local, owner: seller, offers: [{ model: "m2", backend: createEchoBackend({ kind: "echo" }) }] });
    try {
      const to = { recipient: seller.address, providerId: other.providerId() };
      const ended = await payer.openStream({ ...to, seconds: 1 });
      const cancelled = await payer.openStream({ ...to, seconds: 3_600 });
      await payer.openStream({ ...to, seconds: 3_600 });
      await local.advance(130);
      await payer.cancel(cancelled);
      const before = await run("earnings", [], envOf(seller));
      const [native] = before.earnings;
      expect(native).toMatchObject({ due: String(PRICE), openStreams: 1, dueStreams: [String(ended)] });
      expect(BigInt(native.credit)).toBeGreaterThanOrEqual(PRICE * 130n);
      expect(BigInt(native.accruing)).toBeGreaterThanOrEqual(PRICE * 130n);
      const balance = await payer.chain.client.getBalance({ address: seller.address });
      const { collected, left } = await run("withdraw", [], envOf(seller));
      expect([collected.map(({ what }: { what: string }) => what), left]).toEqual([[`stream ${ended}`, "credit"], []]);
      const fees = collected.reduce((sum: bigint, { feeWei }: { feeWei: string }) => sum + BigInt(feeWei), 0n);
      const gained = (await payer.chain.client.getBalance({ address: seller.address })) - balance;
      expect(gained).toBe(PRICE + BigInt(native.credit) - fees);
      const after = await run("earnings", [], envOf(seller));
      expect(after.earnings[0]).toMatchObject({ due: "0", credit: "0", openStreams: 1 });
      expect(BigInt(after.offers[0].earned)).toBeGreaterThan(PRICE * 130n);
    } finally {
      await other.stop();
    }
  });
});

describe("prices", () => {
  test("behavior: a new price is for new streams; open ones keep theirs (P11), and the registry is right whoever wrote it", async () => {
    const streamId = await open();
    const { token } = await payer.session(provider.url, streamId);
    const { terms } = provider.provider.offers[0] as { terms: { pricePerSecond: bigint } & Parameters<typeof planPrices>[1][0] };
    await provider.provider.setPrices([{ ...terms, pricePerSecond: PRICE * 2n }], new AbortController().signal);
    expect((await readOffer(connectChain(local.network), provider.providerId())).pricePerSecond).toBe(PRICE * 2n);
    const { data } = await (await fetch(`${provider.url}/v1/models`)).json();
    expect(data[0].clawcompute.pricePerSecond).toBe(String(PRICE * 2n));
    expect(await answered(token)).toBe(200);
    const { ratePerSecond } = await payer.session(provider.url, streamId);
    expect(ratePerSecond).toBe(String(PRICE));
    await expect(open()).rejects.toMatchObject({ code: "STREAM_PAY_RATE_BELOW_PRICE" });
    await provider.provider.setPrices([{ ...terms, pricePerSecond: PRICE }], new AbortController().signal);
    await open();
  });

  test("behavior: SIGHUP and a changed file read them again; a mistake changes nothing", async () => {
    const seller = devAccounts[6] as LocalAccount;
    const file = join(folder, "provider.env");
    const offers = join(folder, "offers.json");
    const priced = (price: string) => writeFile(offers, JSON.stringify([{ model: "hup", pricePerSecond: price, backend: "echo" }]));
    await priced("0.0001");
    await writeFile(file, `PROVIDER_OFFERS=${offers}\n`);
    const env = { ...process.env, ...envOf(seller), PROVIDER_PORT: "0", PROVIDER_ENV_FILE: file, PROVIDER_OFFERS: offers };
    const child: ChildProcess = spawn(process.execPath, ["agents/cli.ts", "provider"], {
      cwd: root,
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const exited = new Promise((resolve) => child.once("exit", resolve));
    const lines = createInterface({ input: child.stderr as NodeJS.ReadableStream })[Symbol.asyncIterator]();
    // biome-ignore lint/suspicious/noExplicitAny: a log line
    const logged = async (msg: string): Promise<any> => {
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error(`it ended before it said: ${msg}`);
        const line = value.startsWith("{") ? JSON.parse(value) : {};
        if (String(line.msg).startsWith(msg)) return line;
      }
    };
    try {
      const { providerId } = await logged("ready");
      await priced("nonsense");
      child.kill("SIGHUP");
      expect(await logged("the prices stay")).toMatchObject({ code: "CONFIG_INVALID" });
      await priced("0.0003");
      child.kill("SIGHUP");
      await logged("prices read again");
      expect((await readOffer(connectChain(local.network), providerId)).pricePerSecond).toBe(300_000_000_000_000n);
      // Without a word: the file changed, and is replaced as editors do.
      await priced("0.0004");
      await logged("price changed");
      await logged("prices read again");
      await writeFile(`${offers}.new`, "[]");
      await rename(`${offers}.new`, offers);
      expect(await logged("the prices stay")).toMatchObject({ code: "CONFIG_INVALID" });
      expect((await readOffer(connectChain(local.network), providerId)).pricePerSecond).toBe(400_000_000_000_000n);
    } finally {
      child.kill("SIGTERM");
      expect(await exited).toBe(0);
    }
  });

  test("behavior: what a file says now, unless the environment had the word from the start", () => {
    const env = { A: "env", B: "file", C: "x" };
    expect(mergeEnv(env, { A: "file", B: "file" }, { A: "new", B: "new", D: "new" })).toEqual({ A: "env", B: "new", C: "x", D: "new" });
    expect(envFilesOf(["--env-file=a", "--inspect", "--env-file", "b", "--env-file-if-exists=c"])).toEqual(["c", "b", "a"]);
  });

  test("behavior: only offers whose price differs are written", () => {
    const terms = { model: "m", serviceType: 0, asset: "0x0000000000000000000000000000000000000000", pricePerSecond: 1n } as const;
    expect(planPrices([{ terms }], [{ ...terms }])).toEqual([]);
    expect(planPrices([{ terms }], [{ ...terms, serviceType: 1, pricePerSecond: 2n }])).toEqual([]);
    expect(planPrices([{ terms }], [{ ...terms, pricePerSecond: 2n }])).toEqual([{ offer: { terms }, pricePerSecond: 2n }]);
  });
});

test("every number that the dashboard shows is there", async () => {
  const { createMetrics } = await import("@clawcompute/lib/node");
  const process = await createMetrics("provider").render();
  const shown = `${await provider.metrics.render()}${process}`;
  const dashboard = await readFile(join(root, "deploy/grafana-provider.json"), "utf8");
  const names = new Set(dashboard.match(/\b(?:clawcompute|process|nodejs)_[a-z0-9_]+(?=\{instance)/g));
  expect(names.size).toBeGreaterThan(8);
  expect([...names].filter((name) => !shown.includes(`# TYPE ${name.replace(/_(bucket|count|sum)$/, "")} `))).toEqual([]);
});
