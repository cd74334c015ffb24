import { join } from "node:path";
import { costDown } from "@clawcompute/lib/money";
import { tinyModels, writeTinyModel } from "@clawcompute/lib/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startWorld, type World } from "./harness/world.ts";

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop());

test("a consumer finds a provider with a real model, pays for the seconds served, to the wei (P1, P6)", async () => {
  const gguf = join(world.folder, "tiny.gguf");
  await writeTinyModel(gguf, "claw-tiny-1");
  const provider = await world.provider(1, { BACKEND: "llama", GGUF_PATH: gguf, MODEL_NAME: "claw-tiny-1", PRICE_PER_SECOND: "0.0001" });
  const dearer = await world.provider(2, { BACKEND: "echo", MODEL_NAME: "echo", PRICE_PER_SECOND: "0.0002" });
  const before = {
    payer: await world.balanceOf(world.payer.address),
    payee: await world.creditOf(provider.owner),
    held: await world.balanceOf(world.chain.network.contracts.streamPay),
  };

  const { code, json } = await world.ask(["What is this?"]);

  expect([code, json.answer.trim(), json.finishReason, json.truncated]).toEqual([0, tinyModels["claw-tiny-1"].say, "stop", false]);
  expect([json.providerId, json.model]).toEqual([provider.id, "claw-tiny-1"]);
  expect(dearer.id).not.toBe(provider.id);
  expect(json.transactions.map(({ kind }) => kind)).toEqual(["open", "settle"]);

  // On chain: what the payee got, what came back and what was paid to keepers is the deposit.
  const ledger = await world.ledger(BigInt(json.streamId));
  expect(ledger).toMatchObject({ ended: true, rewards: 0n });
  expect(ledger.paid + ledger.refunded + ledger.rewards).toBe(ledger.deposit);
  expect([json.depositWei, json.paidWei, json.refundedWei]).toEqual([ledger.deposit, ledger.paid, ledger.refunded].map(String));

  // And in the accounts: payee's gain = paid, payer's loss = paid + gas, the contract holds the payee's credit and nothing else.
  expect((await world.creditOf(provider.owner)) - before.payee).toBe(ledger.paid);
  expect(before.payer - (await world.balanceOf(world.payer.address))).toBe(ledger.paid + BigInt(json.gasFeeWei));
  expect((await world.balanceOf(world.chain.network.contracts.streamPay)) - before.held).toBe(ledger.paid);

  // Served time, not the wall time of two transactions.
  const rate = BigInt(json.ratePerSecondWei);
  expect(json.servedMs).toBeGreaterThan(0);
  expect(ledger.paid).toBe(costDown(rate, json.servedMs as number));
  expect(ledger.paid).toBeLessThan(rate);
});

test("the same on a terminal: price and worst case first, the answer on stdout, the bill after", async () => {
  const { code, stdout, stderr } = await world.claw(["ask", "What is this?"]);
  expect([code, stdout.trim()]).toEqual([0, tinyModels["claw-tiny-1"].say]);
  expect(stderr).toMatch(/at worst, if it never answers, you lose 0\.\d+/);
  expect(stderr).toMatch(/refunded +0\.\d+ /);
});

test.each([
  [["--model", "no-such-model", "x"], 3, "NO_PROVIDER"],
  [["--max-price", "0.00001", "x"], 7, "PRICE_ABOVE_CAP"],
  [["--max-spend", "0.00001", "x"], 7, "DEPOSIT_ABOVE_LIMIT"],
  [["--provider", "999", "x"], 3, "NO_PROVIDER"],
  [["--provider", "abc", "x"], 2, "BAD_REQUEST"],
  [["--seconds", "0", "x"], 2, "BAD_REQUEST"],
])("bad input is refused before any money moves: %j", async (args, code, error) => {
  const before = await world.balanceOf(world.payer.address);
  const result = await world.ask(args);
  expect([result.code, result.json.error?.code]).toEqual([code, error]);
  expect(await world.balanceOf(world.payer.address)).toBe(before);
});

test("an unfunded wallet and a wrong chain are named", async () => {
  const unfunded = await world.ask(["x"], { PRIVATE_KEY: `0x${"5a".repeat(32)}` });
  expect([unfunded.code, unfunded.json.error?.code]).toEqual([4, "WALLET_UNFUNDED"]);
  const wrongChain = await world.ask(["x"], {
    NETWORK: "bsc-testnet",
    REGISTRY_ADDRESS: world.chain.network.contracts.registry,
    STREAM_PAY_ADDRESS: world.chain.network.contracts.streamPay,
    PAYMENT_CHANNEL_ADDRESS: world.chain.network.contracts.paymentChannel,
  });
  expect([wrongChain.code, wrongChain.json.error?.code]).toEqual([8, "CHAIN_MISMATCH"]);
  const nobody = await world.ask(["x"], { RPC_URL: "http://127.0.0.1:1" });
  expect([nobody.code, nobody.json.error?.code]).toEqual([8, "CHAIN_UNAVAILABLE"]);
});
