import { costDown } from "@clawcompute/lib/money";
import { decodeSignedReceipt } from "@clawcompute/lib/protocol";
import {
  findPostgres,
  type LocalPostgres,
  lossAt,
  type RpcProxy,
  recordFault,
  startPostgres,
  startRpcProxy,
} from "@clawcompute/lib/testing";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createPayer, eventsOf, type Payer, readAnswer } from "../../agents/provider/testing/payer.ts";
import { type Relay, startTap } from "./harness/relay.ts";
import { type SlowModel, startSlowModel } from "./harness/slowModel.ts";
import { account, type ProviderProcess, startWorld, type World } from "./harness/world.ts";

if (!findPostgres()) console.warn("PostgreSQL is not installed (Debian: apt-get install postgresql); crashes at each step are not tested");

const OWNER = 1;
const RATE = 100_000_000_000_000n;
/** Marks come each second, plus what a busy machine adds. */
const BOUND_MS = 1_500;

/**
 * kill -9 exactly where it hurts: the process is killed by the line to its database or chain, at the moment at which a
 * statement is about to pass or its reply is about to come back.
 */
describe.skipIf(!findPostgres())("the provider is killed at each step that it persists", () => {
  let world: World;
  let postgres: LocalPostgres;
  let model: SlowModel;
  let tap: Relay;
  let rpc: RpcProxy;
  let provider: ProviderProcess;
  let payer: Payer;
  let store: Client;
  /** Statements to wait for, one after the other; the last one kills. */
  let plan: { statements: RegExp[]; when: "before" | "after" } | undefined;
  let replying = false;

  const kill = () => {
    plan = undefined;
    replying = false;
    process.kill(provider.pid, "SIGKILL");
  };
  const watch = () => (piece: Buffer, from: "client" | "server") => {
    if (!plan) return "pass" as const;
    if (from === "server") {
      if (!replying) return "pass" as const;
      kill();
      return "hold" as const;
    }
    const [next] = plan.statements;
    if (!next?.test(piece.toString("latin1"))) return "pass" as const;
    plan.statements.shift();
    if (plan.statements.length > 0) return "pass" as const;
    if (plan.when === "after") {
      replying = true;
      return "pass" as const;
    }
    kill();
    return "hold" as const;
  };
  const killAt = (when: "before" | "after", ...statements: RegExp[]) => {
    plan = { statements, when };
  };

  beforeAll(async () => {
    [world, postgres, model] = await Promise.all([startWorld(), startPostgres(), startSlowModel()]);
    rpc = await startRpcProxy(world.chain.rpcUrl);
    const databaseUrl = await postgres.createDatabase();
    tap = await startTap(Number(new URL(databaseUrl).port), watch);
    const tapped = new URL(databaseUrl);
    tapped.port = String(tap.port);
    provider = await world.provider(OWNER, {
      DATABASE_URL: tapped.href,
      RPC_URL: rpc.url,
      BACKEND: "openai",
      INFERENCE_URL: model.url,
      MODEL_NAME: "m",
      PRICE_PER_SECOND: "0.0001",
      WITHDRAW_SECONDS: "1",
      WITHDRAW_THRESHOLD: "0.000001",
    });
    payer = createPayer(world.chain, account(5));
    store = new Client({ connectionString: databaseUrl });
    await store.connect();
  });
  afterAll(async () => {
    await store?.end();
    await world?.stop();
    await tap?.stop();
    await rpc?.stop();
    await model?.stop();
    await postgres?.stop();
  });

  const openSession = async () => {
    const streamId = await payer.openStream({ recipient: account(OWNER).address, providerId: provider.id, seconds: 600 });
    return { streamId, token: (await payer.session(provider.url, streamId)).token };
  };
  const say = (words: number) => ({ model: "m", stream: true, messages: [{ role: "user", content: String(words) }] });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const settle = async (token: string) => (await payer.post(`${provider.url}/v1/sessions/settle`, {}, bearer(token))).json();

  /** Ends the stream with the settlement: exactly what was counted is paid, once. */
  async function expectPaid(streamId: bigint, settlement: { owed: string; signature: `0x${string}` }, servedMs: number) {
    expect(BigInt(settlement.owed)).toBe(costDown(RATE, servedMs));
    await payer.settle({ ...settlement, streamId, owed: BigInt(settlement.owed) });
    const ledger = await world.ledger(streamId);
    expect(ledger).toMatchObject({ paid: BigInt(settlement.owed), ended: true });
    expect(ledger.paid + ledger.refunded + ledger.rewards).toBe(ledger.deposit);
  }

  test.each([
    ["after the meter's checkpoint", "after", /update "meters" set "served_ms"/, 0],
    ["before the receipt is kept", "before", /insert into receipts/, 12],
    ["after the receipt was kept, before it is sent", "after", /insert into receipts/, 12],
  ] as const)("behavior: %s: what was served until then is owed once", async (where, when, statement, words) => {
    const { streamId, token } = await openSession();
    killAt(when, statement);
    const startedAt = performance.now();
    const response = await payer.chat(provider.url, token, say(words));
    const events = eventsOf(response);
    await expect(
      (async () => {
        for await (const _ of events);
      })(),
    ).rejects.toThrow();
    const wallMs = performance.now() - startedAt;
    await provider.exited;
    provider = await world.restart(provider);

    const { rows } = await store.query("select signed from receipts where stream_id = $1", [String(streamId)]);
    const kept = when === "after" && words > 0;
    expect(rows).toHaveLength(kept ? 1 : 0);
    const { settlement, servedMs } = await settle(token);
    if (kept) {
      const found = await fetch(`${provider.url}/v1/receipts/${response.headers.get("x-request-id")}`, { headers: bearer(token) });
      expect(decodeSignedReceipt(await found.json()).receipt.servedMs).toBe(servedMs);
    }
    expect(servedMs).toBeLessThanOrEqual(wallMs);
    const lostMs = wallMs - servedMs;
    expect(lostMs).toBeLessThan(BOUND_MS);
    await expectPaid(streamId, settlement, servedMs);
    recordFault({ broken: `killed ${where}`, promise: "kill −9", ...lossAt(RATE, lostMs, BOUND_MS) });
  });

  test("behavior: after the settlement was kept, before it is sent: the same settlement comes again", async () => {
    const { streamId, token } = await openSession();
    const answer = await readAnswer(await payer.chat(provider.url, token, say(4)));
    const { receipt } = decodeSignedReceipt(answer.receipt);
    killAt("after", /"settled_owed" = /, /commit/);
    await expect(settle(token)).rejects.toThrow();
    await provider.exited;
    const { rows } = await store.query("select settled_owed from meters where stream_id = $1", [String(streamId)]);
    provider = await world.restart(provider);
    const { settlement, servedMs } = await settle(token);
    expect([settlement.owed, servedMs]).toEqual([rows[0].settled_owed, receipt.cumulativeServedMs]);
    expect((await payer.chat(provider.url, token, say(1))).status).toBe(409);
    await expectPaid(streamId, settlement, servedMs);
    recordFault({
      broken: "killed after the settlement was kept, before it is sent",
      promise: "kill −9",
      ...lossAt(RATE, servedMs - receipt.cumulativeServedMs, 0),
    });
  });

  test.each([
    ["before the endpoint has it", "refuse"],
    ["after it was sent, before the reply", "lose-reply"],
  ] as const)("behavior: in the middle of a withdrawal, %s: one transaction, the money once", async (where, fate) => {
    const owner = account(OWNER).address;
    const streamId = await payer.openStream({ recipient: owner, providerId: 0, seconds: 60 });
    const before = { nonce: await world.client.getTransactionCount({ address: owner }), balance: await world.balanceOf(owner) };
    rpc.decide((request) => {
      if (request.method !== "eth_sendRawTransaction") return "pass";
      rpc.decide(() => "pass");
      // The reply's connection is cut a moment later, so the process must be gone before: it never learns what happened.
      process.kill(provider.pid, "SIGKILL");
      return fate;
    });
    await world.chain.advance(200);
    await provider.exited;
    const { rows: written } = await store.query("select hash from outbox");
    expect(written).toHaveLength(1);
    provider = await world.restart(provider);

    await expect.poll(async () => (await world.ledger(streamId)).paid, { timeout: 30_000, interval: 200 }).toBe(RATE * 60n);
    await expect.poll(async () => (await store.query("select 1 from outbox")).rowCount, { timeout: 30_000, interval: 200 }).toBe(0);
    const receipt = await world.client.getTransactionReceipt({ hash: written[0].hash });
    expect(receipt.status).toBe("success");
    expect(await world.client.getTransactionCount({ address: owner })).toBe(before.nonce + 1);
    const gained = (await world.balanceOf(owner)) - before.balance;
    expect(gained).toBe(RATE * 60n - receipt.gasUsed * receipt.effectiveGasPrice);
    recordFault({ broken: `killed in a withdrawal, ${where}`, promise: "sent once", lostMs: 0, boundMs: 0, lostWei: 0n, boundWei: 0n });
  });
});
