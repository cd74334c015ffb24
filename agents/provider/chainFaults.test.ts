import { streamPayAbi } from "@clawcompute/lib/abi";
import { decodeSignedReceipt, type SseEvent } from "@clawcompute/lib/protocol";
import {
  devAccounts,
  type LocalChain,
  lossAt,
  type RpcProxy,
  type RpcRequest,
  recordFault,
  startLocalChain,
  startRpcProxy,
} from "@clawcompute/lib/testing";
import { decodeFunctionData, type Hex, type LocalAccount } from "viem";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { createPayer, eventsOf, type Payer, summarize } from "./testing/payer.ts";
import { createScriptedBackend, type ScriptedBackend } from "./testing/scriptedBackend.ts";
import { PRICE, startProvider, type TestProvider } from "./testing/startProvider.ts";

// Real chains and stores have to start.
vi.setConfig({ hookTimeout: 60_000, testTimeout: 60_000 });

const account = (index: number) => devAccounts[index] as LocalAccount;
const BLOCK_MS = 250;
/** Watch interval and a second (P5), plus what a busy machine adds. */
const BOUND_MS = 2_000;

let local: LocalChain;
let lines: [RpcProxy, RpcProxy];
let payer: Payer;
let engine: ScriptedBackend;
let provider: TestProvider;

beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: BLOCK_MS });
  lines = [await startRpcProxy(local.rpcUrl), await startRpcProxy(local.rpcUrl)];
  engine = createScriptedBackend();
  payer = createPayer(local, account(3));
  const network = { ...local.network, rpcUrls: lines.map(({ url }) => url) };
  provider = await startProvider({ local: { ...local, network }, owner: account(1), offers: [{ model: "m", backend: engine }] });
});
afterEach(() => {
  for (const line of lines) line.decide(() => "pass");
});
afterAll(async () => {
  await provider?.stop();
  for (const line of lines ?? []) await line.stop();
  await local?.stop();
});

const open = () => payer.openStream({ recipient: account(1).address, providerId: provider.providerId(), seconds: 600 });
const tryOpen = async (streamId: bigint) => {
  const response = await payer.post(`${provider.url}/v1/sessions`, await payer.proofOf(streamId));
  return { status: response.status, body: await response.json() };
};
const session = async (streamId: bigint) => {
  await expect.poll(async () => (await tryReady()).ready, { timeout: 10_000, interval: 50 }).toBe(true);
  // Blocks that came while it saw nothing have moved the chain's time; what is signed by it now must not be ahead of the provider's.
  const { timestamp } = await payer.chain.client.getBlock();
  const chainTimeMs = async () => (await (await fetch(`${provider.url}/health`)).json()).chainTimeMs;
  await expect.poll(chainTimeMs, { timeout: 10_000, interval: 50 }).toBeGreaterThanOrEqual(Number(timestamp) * 1000);
  return payer.session(provider.url, streamId);
};
const tryReady = async () => (await fetch(`${provider.url}/ready`)).json();
const settle = async (token: string) =>
  (await payer.post(`${provider.url}/v1/sessions/settle`, {}, { authorization: `Bearer ${token}` })).json();

async function begin(token: string) {
  const asked = payer.chat(provider.url, token, { model: "m", stream: true });
  const call = await engine.nextCall();
  call.say("word");
  const events = eventsOf(await asked);
  const seen: SseEvent[] = [(await events.next()).value];
  return { call, events, seen };
}

async function rest({ events, seen }: Awaited<ReturnType<typeof begin>>) {
  for await (const event of events) seen.push(event);
  return summarize(seen);
}

const isHead = ({ method, params }: RpcRequest) => method === "eth_getBlockByNumber" && params[0] === "latest";

/** From now on this endpoint knows no newer block. */
async function freeze(line: RpcProxy): Promise<void> {
  const head = await local.request<{ number: Hex }>("eth_getBlockByNumber", ["latest", false]);
  line.decide((request) => {
    if (isHead(request)) return { result: head };
    if (request.method === "eth_blockNumber") return { result: head.number };
    if (request.method === "eth_getBlockByNumber" && BigInt(request.params[0] as Hex) > BigInt(head.number)) return { result: null };
    return "pass";
  });
}

/** From now on this endpoint's newest blocks are none of the chain's. */
function fork(line: RpcProxy): void {
  line.decide(async (request, answer) => {
    if (request.method !== "eth_getBlockByNumber") return "pass";
    const block = (await answer()) as { hash: Hex } | null;
    return { result: block && { ...block, hash: `0x${"f".repeat(62)}${block.hash.slice(-2)}` } };
  });
}

describe.each([
  ["the first", 0],
  ["the second", 1],
] as const)("of two endpoints, %s", (which, index) => {
  test.each([
    ["lags", (line: RpcProxy) => freeze(line).then(() => local.advance(30))],
    ["is on a fork", async (line: RpcProxy) => fork(line)],
  ] as const)("behavior: %s: nothing new is served until they agree again, exits work", async (what, break_) => {
    const stream = await open();
    const { token } = await session(stream);
    const next = await open();
    await break_(lines[index]);
    await expect.poll(async () => (await tryOpen(next)).body.error?.code, { timeout: 10_000, interval: 50 }).toBe("chain_stale");
    const refused = await payer.chat(provider.url, token, { model: "m", stream: true });
    expect([refused.status, (await refused.json()).error.code]).toEqual([503, "chain_stale"]);
    expect(await tryReady()).toEqual({ ready: false, waitingFor: ["news of the chain"] });
    // Out of it: the settlement from the provider, its use and a cancel on the chain.
    const { settlement } = await settle(token);
    expect(settlement.owed).toBe("0");
    expect((await payer.settle({ streamId: stream, owed: 0n, signature: settlement.signature })).receipt.status).toBe("success");
    expect((await payer.cancel(next)).receipt.status).toBe("success");
    lines[index].decide(() => "pass");
    await session(await open());
    recordFault({ broken: `${which} of two RPC endpoints ${what}`, promise: "CHAIN_STALE", ...lossAt(PRICE, 0, 0) });
  });

  test("behavior: hides a cancel: the answer is cut all the same", async () => {
    const stream = await open();
    const answer = await begin((await session(stream)).token);
    lines[index].decide((request) => (request.method === "eth_getLogs" ? { result: [] } : "pass"));
    await payer.cancel(stream);
    const cancelledAt = performance.now();
    await answer.call.aborted;
    const lostMs = performance.now() - cancelledAt;
    expect(lostMs).toBeLessThan(BOUND_MS);
    expect(await rest(answer)).toMatchObject({ finish: "length", done: true });
    lines[index].decide(() => "pass");
    recordFault({ broken: `${which} of two RPC endpoints hides a cancel`, promise: "P5", ...lossAt(PRICE, lostMs, BOUND_MS) });
  });

  test("behavior: invents a stream: nobody is served on its word", async () => {
    const real = await open();
    const invented = real + 1_000n;
    await session(real);
    lines[index].decide(async (request) => {
      const [call, block] = request.params as [{ data?: Hex; input?: Hex }, Hex];
      const data = request.method === "eth_call" ? (call.data ?? call.input) : undefined;
      if (!data) return "pass";
      const { functionName, args } = decode(data);
      if (args?.[0] !== invented) return "pass";
      const changed = data.replace(invented.toString(16).padStart(64, "0"), real.toString(16).padStart(64, "0"));
      expect(functionName).toMatch(/getStream|statusOf/);
      return { result: await local.request("eth_call", [{ ...call, data: changed, input: changed }, block]) };
    });
    expect(await tryOpen(invented)).toMatchObject({ status: 503, body: { error: { code: "chain_stale" } } });
    recordFault({ broken: `${which} of two RPC endpoints invents a stream`, promise: "CHAIN_STALE", ...lossAt(PRICE, 0, 0) });
  });
});

function decode(data: Hex): { functionName: string; args?: readonly unknown[] | undefined } {
  try {
    return decodeFunctionData({ abi: streamPayAbi, data });
  } catch {
    return { functionName: "" };
  }
}

test("behavior: both endpoints drop every connection for a while: a cancel in the gap is found afterwards", async () => {
  const stream = await open();
  const answer = await begin((await session(stream)).token);
  for (const line of lines) line.decide(() => "refuse");
  const brokenAt = performance.now();
  await payer.cancel(stream);
  await local.mine(3);
  for (const line of lines) line.decide(() => "pass");
  const healedAt = performance.now();
  await answer.call.aborted;
  const lostMs = performance.now() - healedAt;
  expect(lostMs).toBeLessThan(BOUND_MS);
  const { receipt } = decodeSignedReceipt((await rest(answer)).receipt);
  expect(receipt.reason).toBe("cancelled");
  recordFault({
    broken: `both RPC endpoints gone for ${Math.round(healedAt - brokenAt)} ms, payer cancels meanwhile; counted from their return`,
    promise: "P5",
    ...lossAt(PRICE, lostMs, BOUND_MS),
  });
});

test("behavior: a blackout: nothing new is served at first, and what runs is cut when it lasts", async () => {
  const backend = createScriptedBackend();
  const line = await startRpcProxy(local.rpcUrl);
  const limits = { staleAfterMs: 1_000, blindMs: 2_000 };
  const network = { ...local.network, rpcUrls: [line.url] };
  const dark = await startProvider({ local: { ...local, network }, owner: account(2), limits, offers: [{ model: "m", backend }] });
  try {
    const recipient = account(2).address;
    const streamId = await payer.openStream({ recipient, providerId: dark.providerId(), seconds: 600 });
    const { token } = await payer.session(dark.url, streamId);
    const ask = (stream: boolean) => payer.chat(dark.url, token, { model: "m", stream });
    const [live, whole] = [ask(true), ask(false)];
    const calls = [await backend.nextCall(), await backend.nextCall()];
    for (const call of calls) call.say("word");
    const events = eventsOf(await live);
    const seen: SseEvent[] = [(await events.next()).value];
    line.decide(() => "refuse");
    const darkAt = performance.now();
    // Nobody here can know that the money stops now.
    await payer.cancel(streamId);
    await Promise.all(calls.map(({ aborted }) => aborted));
    const lostMs = performance.now() - darkAt;
    for await (const event of events) seen.push(event);
    expect(summarize(seen)).toMatchObject({ text: "word", done: false, error: { code: "chain_stale" } });
    const refused = await whole;
    expect([refused.status, (await refused.json()).error.code]).toEqual([503, "chain_stale"]);
    const next = await ask(true);
    expect([next.status, (await next.json()).error.code]).toEqual([503, "chain_stale"]);
    const boundMs = limits.blindMs + BOUND_MS;
    recordFault({
      broken: "the only RPC endpoint is gone for good, payer cancels meanwhile",
      promise: "P5",
      ...lossAt(PRICE, lostMs, boundMs),
    });
  } finally {
    line.decide(() => "pass");
    await dark.stop();
    await line.stop();
  }
});

test("behavior: a re-organisation removes the stream that is being served: cut within the watch interval", async (context) => {
  if (local.engine !== "anvil") return context.skip();
  await local.mine(4);
  const before = await payer.chain.client.getBlockNumber();
  const stream = await open();
  const { token } = await session(stream);
  const answer = await begin(token);
  // A block or two may come before the request does.
  const depth = Number((await payer.chain.client.getBlockNumber()) - before) + 3;
  await local.request("anvil_reorg", [depth, []]);
  const goneAt = performance.now();
  await local.mine();
  await answer.call.aborted;
  const lostMs = performance.now() - goneAt;
  expect(lostMs).toBeLessThan(BOUND_MS);
  expect(await rest(answer)).toMatchObject({ finish: "length", done: true });
  const refused = await payer.chat(provider.url, token, { model: "m", stream: true });
  expect([401, 402, 404, 503]).toContain(refused.status);
  recordFault({ broken: `a re-organisation of ${depth} blocks removes the stream`, promise: "C5", ...lossAt(PRICE, lostMs, BOUND_MS) });
});
