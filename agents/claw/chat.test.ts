import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectChain, readStream } from "@clawcompute/lib/chain";
import { costDown } from "@clawcompute/lib/money";
import { devAccounts, devMnemonic, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import { type LocalAccount, toHex } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEchoBackend } from "../provider/backends/echo.ts";
import { PRICE, startProvider, type TestProvider } from "../provider/testing/startProvider.ts";
import { chatMain } from "./chat.ts";
import { receiptsExportMain, receiptsVerifyMain } from "./receipts.ts";
import { captured, typedInput } from "./testing/captured.ts";

let local: LocalChain;
let provider: TestProvider;
let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "claw-chat-"));
  local = await startLocalChain();
  const offers = [
    { model: "echo", backend: createEchoBackend({ kind: "echo", tokenDelayMs: 20 }) },
    { model: "slow", backend: createEchoBackend({ kind: "echo", tokenDelayMs: 1_000 }) },
  ];
  provider = await startProvider({ local, owner: devAccounts[1] as LocalAccount, offers });
  env = { RPC_URL: local.rpcUrl, RECEIPTS_FILE: join(folder, "receipts.jsonl"), CLAW_LOG_LEVEL: "silent" };
}, 60_000);
afterAll(async () => {
  await provider?.stop();
  await local?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

const lines = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

/** A wallet of its own for each test that runs beside others. */
const walletOf = (index: number) => ({
  ...env,
  PRIVATE_KEY: toHex(mnemonicToAccount(devMnemonic, { addressIndex: index }).getHdKey().privateKey as Uint8Array),
});

describe.concurrent("claw chat", () => {
  it("behavior: one stream for the whole conversation, settled once for what was served", { timeout: 30_000 }, async ({ expect }) => {
    const { context, out } = captured(walletOf(6), { json: true });
    const input = typedInput();
    input.type("one two three", "four five", "six");
    input.end();
    expect(await chatMain({ model: "echo" }, context, () => input)).toBe(0);
    const [first, second, third, { bill }] = lines(out());
    expect([first, second, third].map(({ answer, finishReason }) => [answer, finishReason])).toEqual([
      ["one two three", "stop"],
      ["four five", "stop"],
      ["six", "stop"],
    ]);
    expect(new Set([first, second, third].map(({ streamId }) => streamId)).size).toBe(1);
    expect(bill.transactions.map(({ kind }: { kind: string }) => kind)).toEqual(["open", "settle"]);
    const served = third.receipt.receipt.cumulativeServedMs;
    expect(BigInt(bill.paidWei)).toBe(costDown(PRICE, served));
    expect((await readStream(connectChain(local.network), BigInt(first.streamId))).status).toBe("closed");
  });

  it("behavior: Ctrl-C cuts the answer and not the conversation; /cost, /model and /stop", { timeout: 40_000 }, async ({ expect }) => {
    const { context, out, err, says } = captured(walletOf(7));
    const input = typedInput();
    const running = chatMain({ model: "slow" }, context, () => input);
    input.type("first second third fourth fifth sixth");
    await says("first");
    input.interrupt();
    await says("so far");
    input.type("/cost", "/stop");
    await says("came back");
    input.type("/model echo", "again", "/nonsense", "/quit");
    expect(await running).toBe(0);
    expect(out()).toMatch(/^first.*\n+again\n$/s);
    expect(out()).not.toContain("sixth");
    expect(err()).toMatch(/stream {3}\d+ to provider \d+: 0\.0001 ETH a second/);
    expect(err()).toContain("From now on echo, cheapest first.");
    expect(err()).toContain("There is no command /nonsense");
    expect(err().match(/ is open\n/g)).toHaveLength(2);
    expect(err()).toMatch(/The conversation cost 0\.000\d+ ETH and 0\.\d+ ETH of gas\.\n$/);
  });

  it("behavior: a deposit that is too short for the answer is topped up while it runs", { timeout: 40_000 }, async ({ expect }) => {
    const { context, out } = captured(walletOf(8), { json: true });
    const input = typedInput();
    input.type("a b c d e f g h i j k l");
    input.end();
    expect(await chatMain({ model: "slow", seconds: "10" }, context, () => input)).toBe(0);
    const [turn, { bill }] = lines(out());
    expect(turn).toMatchObject({ finishReason: "stop", truncated: false });
    expect(turn.servedMs).toBeGreaterThan(10_000);
    expect(bill.transactions.map(({ kind }: { kind: string }) => kind)).toEqual(["open", "topUp", "settle"]);
  });

  it("error: the spending limit ends the answer, visibly, and is not exceeded", { timeout: 40_000 }, async ({ expect }) => {
    const { context, out } = captured(walletOf(9), { json: true });
    const input = typedInput();
    input.type("a b c d e f g h i");
    input.end();
    expect(await chatMain({ model: "slow", maxSpend: "0.0005" }, context, () => input)).toBe(6);
    const [turn, { bill }] = lines(out());
    expect(turn).toMatchObject({ finishReason: "length", truncated: true, error: { code: "ANSWER_CUT" } });
    expect(BigInt(bill.paidWei)).toBeLessThanOrEqual(5n * 10n ** 14n);
  });

  it("error: nobody offers the model; the next question is asked all the same", { timeout: 20_000 }, async ({ expect }) => {
    const { context, out, err } = captured(walletOf(10));
    const input = typedInput();
    input.type("hello", "/model echo", "hello");
    input.end();
    expect(await chatMain({ model: "nope" }, context, () => input)).toBe(0);
    expect(err()).toContain("error NO_PROVIDER");
    expect(out()).toBe("hello\n");
  });
});

describe("claw receipts", () => {
  it("behavior: verify rebuilds the bill of everything above from the journal alone", async ({ expect }) => {
    const { context, out } = captured({ ...env, RPC_URL: "http://127.0.0.1:1" }, { json: true });
    expect(await receiptsVerifyMain([], {}, context)).toBe(0);
    const { streams, totalWei, valid } = JSON.parse(out());
    expect(valid).toBe(true);
    expect(streams.length).toBeGreaterThanOrEqual(4);
    expect(streams.find(({ answers }: { answers: number }) => answers === 3)).toMatchObject({
      answers: 3,
      missing: 0,
      problems: [],
      model: "echo",
    });
    expect(streams.reduce((sum: bigint, { owedWei }: { owedWei: string }) => sum + BigInt(owedWei), 0n)).toBe(BigInt(totalWei));
    const online = captured(env);
    expect(await receiptsVerifyMain([], { chain: true }, online.context)).toBe(0);
    expect(online.out()).toMatch(/^STREAM +PROVIDER +MODEL/);
  });

  it("error: one changed figure is found and named", async () => {
    const [first, ...rest] = readFileSync(env.RECEIPTS_FILE as string, "utf8")
      .trim()
      .split("\n");
    const changed = JSON.parse(first as string);
    changed.receipt.amount = String(BigInt(changed.receipt.amount) + 1n);
    const file = join(folder, "changed.jsonl");
    writeFileSync(file, [JSON.stringify(changed), ...rest].join("\n"));
    const { context, out, err } = captured(env);
    expect(await receiptsVerifyMain([file], {}, context)).toBe(5);
    expect(out()).toMatch(/stream \d+: receipt \S+ is not signed by 0x/);
    expect(err()).toContain("error PROVIDER_DISHONEST");
  });

  it("behavior: export has a row for each receipt, and one stream's only when asked", async () => {
    const all = captured(env);
    await receiptsExportMain([], {}, all.context);
    const rows = all.out().trim().split("\r\n");
    expect(rows[0]).toBe(
      "ended,chain_id,stream_id,provider_id,model,request_id,served_ms,units_in,units_out,amount_wei,cumulative_wei,reason,signer,body_hash",
    );
    expect(rows).toHaveLength(
      readFileSync(env.RECEIPTS_FILE as string, "utf8")
        .trim()
        .split("\n").length + 1,
    );
    const one = captured(env, { json: true });
    const stream = (rows[1] as string).split(",")[2] as string;
    await receiptsExportMain([], { stream }, one.context);
    const kept = JSON.parse(one.out());
    expect(kept).toHaveLength(rows.filter((row) => row.split(",")[2] === stream).length);
    expect(kept[0].receipt.payment).toBe(toHex(BigInt(stream), { size: 32 }));
  });

  it("error: what is no receipt is refused with its place", async ({ expect }) => {
    const { context } = captured(env);
    await expect(receiptsVerifyMain([join(import.meta.dirname, "chat.test.ts")], {}, context)).rejects.toMatchObject({
      code: "BAD_REQUEST",
    });
    await expect(receiptsVerifyMain([join(folder, "none.jsonl")], {}, context)).rejects.toMatchObject({ code: "BAD_REQUEST" });
  });
});
