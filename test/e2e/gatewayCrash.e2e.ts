import { streamPayAbi } from "@clawcompute/lib/abi";
import { parseEventLogs } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { recordFaultRow } from "../../agents/gateway/testing/faultRow.ts";
import { GATEWAY_ACCOUNT, type GatewayProcess, startGatewayProcess } from "./harness/gatewayProcess.ts";
import { type SlowModel, startSlowModel } from "./harness/slowModel.ts";
import { account, type ProviderProcess, startWorld, type World } from "./harness/world.ts";

const RATE = 100_000_000_000_000n;
let world: World;
let model: SlowModel;
let gateway: GatewayProcess | undefined;
let providers: ProviderProcess[];

beforeAll(async () => {
  [world, model] = await Promise.all([startWorld(), startSlowModel()]);
  const slow = { BACKEND: "openai", INFERENCE_URL: model.url, INFERENCE_MODEL: "m" };
  providers = await Promise.all([
    world.provider(1, { ...slow, MODEL_NAME: "one", PRICE_PER_SECOND: "0.0001" }),
    world.provider(2, { ...slow, MODEL_NAME: "two", PRICE_PER_SECOND: "0.0001" }),
    world.provider(3, { ...slow, MODEL_NAME: "two", PRICE_PER_SECOND: "0.0003" }),
  ]);
});
afterAll(async () => {
  await gateway?.kill("SIGKILL");
  await world?.stop();
  await model?.stop();
});

// Streams, because their clock runs on when nobody watches it; a channel stands still by itself.
const start = () => startGatewayProcess(world, { GATEWAY_PAY_BY: "stream", STREAM_IDLE_SECONDS: "600" });
const ask = (name: string, words: number, stream = false, signal?: AbortSignal) =>
  fetch(`${gateway?.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: name, stream, messages: [{ role: "user", content: String(words) }] }),
    ...(signal ? { signal } : {}),
  });
const chainNow = async () => (await world.client.getBlock()).timestamp;

/** Every stream of the gateway's wallet, whoever opened it, with the chain's time of its end. */
async function streams() {
  const address = world.chain.network.contracts.streamPay;
  const logs = parseEventLogs({ abi: streamPayAbi, logs: await world.client.getLogs({ address, fromBlock: 0n }) });
  const own = logs.flatMap((log) =>
    log.eventName === "StreamCreated" && log.args.payer === account(GATEWAY_ACCOUNT).address ? [log.args.id] : [],
  );
  return Promise.all(
    own.map(async (id) => {
      const end = logs.find(({ eventName, args }) => /^Stream(Settled|Cancelled)$/.test(eventName) && "id" in args && args.id === id);
      const endedAt = end && (await world.client.getBlock({ blockNumber: end.blockNumber ?? 0n })).timestamp;
      return { id, endedAt, how: end?.eventName, ...(await world.ledger(id)) };
    }),
  );
}

describe("the gateway is killed", () => {
  test("with streams open, one in use, and nothing left on its disk: the next run finds them on the chain and ends them ≤ 60 s after its start (P10)", async () => {
    gateway = await start();
    const costs = await Promise.all(["one", "two"].map(async (name) => BigInt((await (await ask(name, 5)).json()).clawcompute.costWei)));
    const running = await ask("one", 0, true);
    const reader = running.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toContain("data:");
    const open = await streams();
    expect(open.map(({ endedAt }) => endedAt)).toEqual([undefined, undefined]);
    await gateway.kill("SIGKILL");
    await expect(
      (async () => {
        while (!(await reader?.read())?.done);
      })(),
    ).rejects.toThrow();
    // The provider stops by itself when its caller is gone.
    await expect.poll(() => model.running(), { timeout: 30_000 }).toBe(0);

    const restartedAt = await chainNow();
    gateway = await start();
    await expect.poll(async () => (await streams()).filter(({ endedAt }) => endedAt === undefined).length, { timeout: 90_000 }).toBe(0);
    const ended = await streams();
    for (const { endedAt = 0n } of ended) expect(endedAt - restartedAt).toBeLessThanOrEqual(60n);
    const two = ended.find(({ id }) => id === open[1]?.id);
    const one = ended.find(({ id }) => id === open[0]?.id);
    // Settled with what the providers signed: answers, not the time that nobody was there.
    expect(ended.map(({ how }) => how)).toEqual(["StreamSettled", "StreamSettled"]);
    const sums = [one, two].map((stream) => stream?.paid ?? 0n).sort((a, b) => (a < b ? -1 : 1));
    const whole = [...costs].sort((a, b) => (a < b ? -1 : 1));
    expect(whole).toContain(sums[0]);
    for (const { paid, refunded, rewards, deposit } of ended) expect(paid + refunded + rewards).toBe(deposit);
    // The chain knows of an ending a confirmation before the gateway does.
    const next = gateway;
    await expect.poll(async () => (await next.status()).spending.heldWei, { timeout: 20_000 }).toBe("0");
    const paidWei = sums.reduce((a, b) => a + b, 0n);
    const slowest = ended.reduce((most, { endedAt = 0n }) => (endedAt - restartedAt > most ? endedAt - restartedAt : most), 0n);
    recordFaultRow({
      fault: `gateway kill −9, empty folder; all ended ${slowest} s after its restart`,
      saw: "connection cut",
      paidWei,
      lostWei: 0n,
      boundWei: RATE * 60n,
      promise: "P10 ≤ 60 s",
    });
    await gateway.kill("SIGTERM");
  });
});

describe("the provider is killed", () => {
  test("in the middle of an answer: the client is told, what is left of the deposit moves on, the dead one gets its time at most (P3, P7)", async () => {
    gateway = await start();
    const known = (await streams()).length;
    const running = await ask("two", 0, true);
    const reader = running.body?.getReader();
    await reader?.read();
    process.kill((providers[1] as ProviderProcess).pid, "SIGKILL");
    let text = "";
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) text += new TextDecoder().decode(part.value);
    expect(text).toContain('"code":"answer_cut"');
    expect(text).not.toContain("[DONE]");
    const killedAt = await chainNow();
    const next = await (await ask("two", 3)).json();
    expect(next).toMatchObject({ clawcompute: { provider: String(providers[2]?.id) }, choices: [{ finish_reason: "stop" }] });
    await gateway.kill("SIGTERM");
    const [dead, heir] = (await streams()).slice(known);
    expect([dead?.endedAt, heir?.endedAt]).toEqual([expect.any(BigInt), expect.any(BigInt)]);
    expect(heir?.paid).toBe(BigInt(next.clawcompute.costWei));
    const lostSeconds = (dead?.endedAt ?? 0n) - killedAt + 1n;
    const boundWei = RATE * 33n;
    const paidWei = dead?.paid ?? 0n;
    const lostWei = RATE * lostSeconds < paidWei ? RATE * lostSeconds : paidWei;
    expect(lostWei).toBeLessThanOrEqual(boundWei);
    recordFaultRow({
      fault: "provider kill −9 in the middle of an answer",
      saw: "200, then an error event answer_cut; the next request 200 stop",
      paidWei,
      lostWei,
      boundWei,
      promise: "P3 r × (D + C + 1)",
    });
  });
});
