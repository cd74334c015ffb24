import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { channelWrites } from "@clawcompute/lib/chain";
import { decodeSignedReceipt, encodeSse, ZERO_HASH } from "@clawcompute/lib/protocol";
import { devAccounts, type LocalChain, lossAt, recordFault, startLocalChain } from "@clawcompute/lib/testing";
import type { LocalAccount } from "viem";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createChannelPayer, receiptIn } from "./testing/channelPayer.ts";
import { createPayer, eventsOf, readAnswer } from "./testing/payer.ts";

// Real processes have to start.
vi.setConfig({ hookTimeout: 60_000, testTimeout: 240_000 });

// Without a key, a provider on the local network is the development account 7.
const owner = devAccounts[7] as LocalAccount;
const payerAccount = devAccounts[3] as LocalAccount;
const channelAccount = devAccounts[5] as LocalAccount;
/** The local network's price; vouchers run one second of it ahead. */
const RATE = 100_000_000_000_000n;
const root = fileURLToPath(new URL("../..", import.meta.url));
let local: LocalChain;
let model: Server;
let folder: string;
const children: ChildProcess[] = [];

/** A model that says a word every 50 ms: five of them, or for ever when asked to. */
function startModel(): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.method === "GET") return void response.end(JSON.stringify({ object: "list", data: [{ id: "m", object: "model" }] }));
    let body = "";
    request.on("data", (part) => {
      body += part;
    });
    request.on("end", () => {
      const words = body.includes("for ever") ? Number.POSITIVE_INFINITY : 5;
      const chunk = (delta: unknown, finish_reason: string | null) =>
        encodeSse(
          JSON.stringify({
            id: "x",
            object: "chat.completion.chunk",
            created: 1,
            model: "m",
            choices: [{ index: 0, delta, finish_reason }],
          }),
        );
      response.writeHead(200, { "content-type": "text/event-stream" });
      let said = 0;
      const timer = setInterval(() => {
        said += 1;
        if (said <= words) return void response.write(chunk({ content: `${said} ` }, null));
        clearInterval(timer);
        response.end(`${chunk({}, "stop")}data: [DONE]\n\n`);
      }, 50);
      response.on("close", () => clearInterval(timer));
    });
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

async function startProcess(): Promise<{ child: ChildProcess; url: string; providerId: number; exited: Promise<unknown> }> {
  const child = spawn(process.execPath, ["agents/cli.ts", "provider"], {
    cwd: root,
    stdio: ["ignore", "ignore", "pipe"],
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      NETWORK: "local",
      RPC_URL: local.rpcUrl,
      BACKEND: "openai",
      INFERENCE_URL: `http://127.0.0.1:${(model.address() as AddressInfo).port}/v1`,
      MODEL_NAME: "m",
      PROVIDER_PORT: "0",
      PROVIDER_HOST: "127.0.0.1",
      DATA_DIR: join(folder, "store"),
    },
  });
  children.push(child);
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stderr as NodeJS.ReadableStream })) {
    said.push(line);
    const record = line.startsWith("{") ? JSON.parse(line) : {};
    if (!String(record.msg ?? "").startsWith("ready:")) continue;
    child.stderr?.resume();
    return { child, url: record.url.replace("localhost", "127.0.0.1"), providerId: record.providerId, exited };
  }
  throw new Error(`the provider did not start:\n${said.join("\n")}`);
}

beforeAll(async () => {
  [local, model, folder] = await Promise.all([startLocalChain({ blockTimeMs: 250 }), startModel(), mkdtemp(join(tmpdir(), "provider-"))]);
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  model?.closeAllConnections();
  model?.close();
  await local?.stop();
  await rm(folder, { recursive: true, force: true });
});

test("behavior: killed in the middle of an answer, it knows tokens, offers and served time afterwards, and stops when asked", async () => {
  const payer = createPayer(local, payerAccount);
  const before = await startProcess();
  const streamId = await payer.openStream({ recipient: owner.address, providerId: before.providerId });
  const { token } = await payer.session(before.url, streamId);
  const startedAt = performance.now();
  const events = eventsOf(
    await payer.chat(before.url, token, { model: "m", stream: true, messages: [{ role: "user", content: "for ever" }] }),
  );
  for (let seen = 0; seen < 40; seen += 1) await events.next();
  before.child.kill("SIGKILL");
  await before.exited;
  const measuredMs = performance.now() - startedAt;
  await expect(drain(events)).rejects.toThrow();

  const after = await startProcess();
  expect(after.providerId).toBe(before.providerId);
  const answer = await readAnswer(await payer.chat(after.url, token, { model: "m", stream: true }));
  const { receipt } = decodeSignedReceipt(answer.receipt);
  expect(answer).toMatchObject({ text: "1 2 3 4 5 ", finish: "stop", done: true });
  // Killed with the receipt just shown: the next one has it.
  after.child.kill("SIGKILL");
  await after.exited;
  const last = await startProcess();
  const bearer = { authorization: `Bearer ${token}` };
  const found = await fetch(`${last.url}/v1/receipts/${receipt.requestId}`, { headers: bearer });
  expect(decodeSignedReceipt(await found.json())).toEqual(decodeSignedReceipt(answer.receipt));
  // The lost answer has no receipt, so the next one does not claim its time; the settlement does.
  expect(receipt.previousReceiptHash).toBe(ZERO_HASH);
  expect(receipt.servedMs).toBe(receipt.endedAtMs - receipt.startedAtMs);
  const settled = await (await payer.post(`${last.url}/v1/sessions/settle`, {}, bearer)).json();
  const lost = settled.servedMs - receipt.servedMs;
  expect(lost).toBeGreaterThan(measuredMs - 1_500);
  expect(lost).toBeLessThanOrEqual(measuredMs);
  const loss = lossAt(RATE, measuredMs - lost, 1_500);
  recordFault({ broken: "killed mid-answer, embedded store", promise: "kill −9", ...loss });

  last.child.kill("SIGTERM");
  expect(await last.exited).toBe(0);
});

test("behavior: killed in an answer paid by channel, it keeps the last voucher and cashes it; neither side loses more than a step (P4, P5)", async () => {
  const before = await startProcess();
  const payer = createChannelPayer(local, channelAccount);
  const channel = await payer.open(before.url, { deposit: RATE * 60n });
  let signed = RATE / 2n;
  const startedAt = performance.now();
  const words = { stream: true, messages: [{ role: "user", content: "for ever" }] };
  const events = eventsOf(await channel.chat(await channel.opening(signed), words));
  // As a payer does that never signs more than it is asked for.
  for (let said = 0; said < 70; ) {
    const { value, done } = await events.next();
    if (done) throw new Error("the answer ended");
    if (value.event === "payment-need-voucher") {
      signed = BigInt(JSON.parse(value.data).requiredCumulative);
      expect((await channel.pay(signed)).status).toBe(204);
    } else if (value.comment === undefined) said += 1;
  }
  before.child.kill("SIGKILL");
  await before.exited;
  const measuredMs = performance.now() - startedAt;
  await expect(drain(events)).rejects.toThrow();

  const after = await startProcess();
  const shown = await fetch(`${after.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "payment-authorization": channel.credential(await channel.voucher(0n)) },
  });
  const { acceptedCumulative, spent, servedMs } = receiptIn(shown);
  expect([shown.status, acceptedCumulative]).toEqual([204, signed]);
  expect(servedMs).toBeGreaterThan(measuredMs - 1_500);
  expect(servedMs).toBeLessThanOrEqual(measuredMs);
  expect(spent).toBe((RATE * BigInt(servedMs ?? 0)) / 1000n);

  await payer.send(channelWrites.requestClose(channel.channelId));
  await vi.waitFor(async () => expect(await channel.state()).toMatchObject({ status: "closed", settled: signed }), 30_000);
  const paidMs = Number((signed * 1000n) / RATE);
  const broken = "killed mid-answer on a channel, embedded store; the last voucher is cashed";
  // One step beyond the last voucher, and what was served since the last mark.
  const unpaid = lossAt(RATE, Math.max(0, measuredMs - paidMs), 2_000);
  const unserved = lossAt(RATE, Math.max(0, paidMs - measuredMs), 1_000);
  for (const { lostMs, boundMs } of [unpaid, unserved]) expect(lostMs).toBeLessThanOrEqual(boundMs);
  recordFault({ broken: `${broken}: the provider`, promise: "P5, kill −9", ...unpaid });
  recordFault({ broken: `${broken}: the payer`, promise: "P4, kill −9", ...unserved });
  after.child.kill("SIGTERM");
  expect(await after.exited).toBe(0);
});

async function drain(events: AsyncGenerator<unknown>): Promise<void> {
  for await (const _ of events);
}

test("error: a provider that is misconfigured says what to do and exits", async () => {
  const child = spawn(process.execPath, ["agents/cli.ts", "provider"], {
    cwd: root,
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: process.env.PATH, HOME: folder, NETWORK: "local", RPC_URL: local.rpcUrl, GROQ_API_KEY: "your-key-here" },
  });
  children.push(child);
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect(code).toBe(2);
  expect(said).toContain("GROQ_API_KEY");
  expect(said).toContain("hint:");
});
