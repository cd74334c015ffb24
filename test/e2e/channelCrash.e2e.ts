// A gateway and a provider that die with a channel open: what each of them loses, read from the chain (P4, P5, P10).
import { connectChain } from "@clawcompute/lib/chain";
import { costDown } from "@clawcompute/lib/money";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type FoundChannel, findChannels, readChannelLedger } from "../../agents/gateway/channels/ownChannels.ts";
import { recordFaultRow } from "../../agents/gateway/testing/faultRow.ts";
import { GATEWAY_ACCOUNT, type GatewayProcess, startGatewayProcess } from "./harness/gatewayProcess.ts";
import { type SlowModel, startSlowModel } from "./harness/slowModel.ts";
import { account, type ProviderProcess, startWorld, type World } from "./harness/world.ts";

/** High, so that a second's vouchers are worth their gas to a provider. */
const RATE = 10n ** 16n;
const STEP = RATE;
const GRACE_SECONDS = 900;
let world: World;
let model: SlowModel;
let provider: ProviderProcess;
let gateway: GatewayProcess | undefined;

beforeAll(async () => {
  [world, model] = await Promise.all([startWorld(), startSlowModel()]);
  const slow = { BACKEND: "openai", INFERENCE_URL: model.url, INFERENCE_MODEL: "m" };
  provider = await world.provider(1, { ...slow, MODEL_NAME: "m", PRICE_PER_SECOND: "0.01" });
});
afterAll(async () => {
  await gateway?.kill("SIGKILL");
  await world?.stop();
  await model?.stop();
});

const start = () =>
  startGatewayProcess(world, { MAX_DEPOSIT: "1", MAX_PER_REQUEST: "1", MAX_PER_HOUR: "10", MAX_PER_DAY: "10", MAX_TOTAL: "100" });
const chain = () => connectChain(world.chain.network);
const newest = async () => (await findChannels(chain(), account(GATEWAY_ACCOUNT).address, 0n)).at(-1) as FoundChannel;
const ledgerOf = ({ id, openBlock }: FoundChannel) => readChannelLedger(chain(), id, openBlock);

/** An answer without end, until it has run for `ms`. */
async function askFor(ms: number): Promise<{ readonly startedAt: number; readonly broken: Promise<void> }> {
  const startedAt = performance.now();
  const response = await fetch(`${gateway?.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: "0" }] }),
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}\n${gateway?.output()}`);
  const reader = response.body?.getReader();
  let last = "";
  while (performance.now() - startedAt < ms) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done) throw new Error(`ended early with ${last}: ${gateway?.output()}`);
    last = new TextDecoder().decode(value);
  }
  const broken = (async () => {
    while (!(await reader?.read())?.done);
  })().catch(() => {});
  return { startedAt, broken };
}

test("behavior: killed with nothing left on its disk, a gateway finds its channel on the chain and gets the rest back ≤ 60 s after its start (P10)", async () => {
  gateway = await start();
  const { startedAt, broken } = await askFor(2_500);
  const channel = await newest();
  expect(channel.status).toBe("open");
  await gateway.kill("SIGKILL");
  const measuredMs = performance.now() - startedAt;
  await broken;
  const restartedAt = performance.now();
  gateway = await start();
  await vi.waitFor(async () => expect((await ledgerOf(channel)).closed).toBe(true), { timeout: 60_000, interval: 250 });
  const closedAfterMs = performance.now() - restartedAt;
  const { deposit, paid, refunded } = await ledgerOf(channel);
  expect(paid + refunded).toBe(deposit);
  const served = costDown(RATE, measuredMs);
  expect(paid).toBeLessThanOrEqual(served + STEP);
  const lostWei = paid > served ? paid - served : 0n;
  recordFaultRow({
    fault: `gateway killed in an answer paid by channel, its disk empty: all back ${(closedAfterMs / 1000).toFixed(1)} s after its start`,
    saw: "the answer breaks off",
    paidWei: paid,
    lostWei,
    boundWei: STEP,
    promise: "P4, P10",
  });
});

test("behavior: a provider that is killed too takes nothing; the notice over, all of the deposit is back", async () => {
  const { broken } = await askFor(1_500);
  const channel = await newest();
  await provider.kill("SIGKILL");
  await broken;
  await gateway?.kill("SIGKILL");
  gateway = await start();
  await vi.waitFor(async () => expect((await newest()).status).toBe("closing"), { timeout: 60_000, interval: 250 });
  await world.chain.advance(GRACE_SECONDS + 1);
  await vi.waitFor(async () => expect((await ledgerOf(channel)).closed).toBe(true), { timeout: 30_000, interval: 250 });
  const { deposit, paid, refunded } = await ledgerOf(channel);
  expect({ paid, refunded }).toEqual({ paid: 0n, refunded: deposit });
  recordFaultRow({
    fault: "gateway and provider killed in an answer paid by channel; the provider never comes back",
    saw: "the answer breaks off",
    paidWei: paid,
    lostWei: 0n,
    boundWei: STEP,
    promise: "P4, P10",
  });
});
