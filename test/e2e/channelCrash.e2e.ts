// A gateway and a provider that die with a channel open: what each of them loses, read from the chain (P4, P5, P10).
import { connectChain } from "@clawcompute/lib/chain";
import { costDown } from "@clawcompute/lib/money";
import { jointLoss, recordJointFault } from "@clawcompute/lib/testing";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type FoundChannel, findChannels, readChannelLedger } from "../../agents/gateway/channels/ownChannels.ts";
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
  // It claims nothing before somebody leaves: what was claimed already would be no loss, and no reason to close.
  const slow = { BACKEND: "openai", INFERENCE_URL: model.url, INFERENCE_MODEL: "m" };
  provider = await world.provider(1, { ...slow, MODEL_NAME: "m", PRICE_PER_SECOND: "0.01", CHANNEL_CLAIM_ABOVE: "1" });
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

/** Neither side lost more than a step, and the provider what it served since its last mark; gone for good, it loses what it did not claim. */
function record(broken: string, loss: { providerWei: bigint; payerWei: bigint }, providerBoundMs = 2_000): void {
  expect(loss.payerWei).toBeLessThanOrEqual(STEP);
  expect(loss.providerWei).toBeLessThanOrEqual(costDown(RATE, providerBoundMs));
  recordJointFault({ broken, promise: "P4, P5, P10", ratePerSecond: RATE, boundMs: 1_000, providerBoundMs, ...loss });
}

async function ask(words: number, stream: boolean): Promise<Response> {
  const response = await fetch(`${gateway?.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "m", stream, messages: [{ role: "user", content: String(words) }] }),
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}\n${gateway?.output()}`);
  return response;
}

/** A short answer, with which the channel is opened; then one without end, until it has run for `ms`. */
async function askFor(ms: number): Promise<{ readonly served: () => bigint; readonly broken: Promise<void> }> {
  const { clawcompute } = await (await ask(1, false)).json();
  const startedAt = performance.now();
  const served = () => BigInt(clawcompute.costWei) + costDown(RATE, performance.now() - startedAt);
  const response = await ask(0, true);
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
  return { served, broken };
}

test("behavior: killed with nothing left on its disk, a gateway finds its channel on the chain and gets the rest back ≤ 60 s after its start (P10)", async () => {
  gateway = await start();
  const { served, broken } = await askFor(1_500);
  const channel = await newest();
  expect(channel.status).toBe("open");
  await gateway.kill("SIGKILL");
  // The provider is alive: by its meter it served no longer than the answer lasted.
  const measured = served();
  await broken;
  const restartedAt = performance.now();
  gateway = await start();
  await vi.waitFor(async () => expect((await ledgerOf(channel)).closed).toBe(true), { timeout: 60_000, interval: 250 });
  const closedAfterMs = performance.now() - restartedAt;
  const { deposit, paid, refunded } = await ledgerOf(channel);
  expect(paid + refunded).toBe(deposit);
  const loss = jointLoss({ paid, servedByMeter: measured, servedByStopwatch: measured });
  const seconds = (closedAfterMs / 1000).toFixed(1);
  record(`gateway killed in an answer paid by channel, its disk empty: all back ${seconds} s after its start`, loss);
});

test("behavior: both killed in an answer and started again: the provider cashes its last voucher, the payer has the rest (P4, P5, P10)", async () => {
  const { served, broken } = await askFor(1_500);
  const channel = await newest();
  // It died between the two.
  const servedByMeter = served();
  await provider.kill("SIGKILL");
  const servedByStopwatch = served();
  await gateway?.kill("SIGKILL");
  await broken;
  [provider, gateway] = await Promise.all([world.restart(provider), start()]);
  await vi.waitFor(async () => expect((await ledgerOf(channel)).closed).toBe(true), { timeout: 60_000, interval: 250 });
  const { deposit, paid, refunded } = await ledgerOf(channel);
  expect(paid + refunded).toBe(deposit);
  record(
    "gateway and provider killed in an answer paid by channel, both started again",
    jointLoss({ paid, servedByMeter, servedByStopwatch }),
  );
});

test("behavior: a provider that is killed too takes nothing; the notice over, all of the deposit is back", async () => {
  const { served, broken } = await askFor(1_500);
  const channel = await newest();
  await provider.kill("SIGKILL");
  const measured = served();
  await broken;
  await gateway?.kill("SIGKILL");
  gateway = await start();
  await vi.waitFor(async () => expect((await newest()).status).toBe("closing"), { timeout: 60_000, interval: 250 });
  await world.chain.advance(GRACE_SECONDS + 1);
  await vi.waitFor(async () => expect((await ledgerOf(channel)).closed).toBe(true), { timeout: 30_000, interval: 250 });
  const { deposit, paid, refunded } = await ledgerOf(channel);
  expect({ paid, refunded }).toEqual({ paid: 0n, refunded: deposit });
  const loss = jointLoss({ paid, servedByMeter: measured, servedByStopwatch: measured });
  // Its own doing; at most the deposit, of which it had claimed nothing.
  record("gateway and provider killed in an answer paid by channel; the provider never comes back", loss, 60_000);
});
