import type { ServerResponse } from "node:http";
import { costDown, parseAmount } from "@clawcompute/lib/money";
import { type ScriptedUpstream, startScriptedUpstream, type UpstreamExchange } from "@clawcompute/lib/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ProviderProcess, startWorld, type World } from "./harness/world.ts";

/** A model whose every move the story decides; the provider in front of it is the real one. */
let upstream: ScriptedUpstream;
let play: (exchange: UpstreamExchange, response: ServerResponse) => void | Promise<void>;
let world: World;
let provider: ProviderProcess;

const chunk = (content: string, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;

/** Talks until it is stopped; `talking` resolves with the first words, `stopped` with the time at which its caller left. */
function endless() {
  const talking = Promise.withResolvers<void>();
  const stopped = Promise.withResolvers<number>();
  play = (exchange, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const timer = setInterval(() => response.write(chunk("la ")), 50);
    response.write(chunk("la "), () => talking.resolve());
    exchange.gone.addEventListener("abort", () => {
      clearInterval(timer);
      stopped.resolve(performance.now());
    });
  };
  return { talking: talking.promise, stopped: stopped.promise };
}

beforeAll(async () => {
  world = await startWorld();
  upstream = await startScriptedUpstream((exchange, response) => {
    if (exchange.path.endsWith("/models")) {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ object: "list", data: [{ id: "scripted" }] }));
      return;
    }
    return play(exchange, response);
  });
  provider = await world.provider(1, {
    BACKEND: "openai",
    INFERENCE_URL: `${upstream.origin}/v1`,
    MODEL_NAME: "scripted",
    PRICE_PER_SECOND: "0.0001",
  });
});
afterAll(async () => {
  await world?.stop();
  await upstream?.close();
});

/** Whatever happened: every wei of the stream's deposit has an owner, and nothing of it is locked up. */
async function expectBalanced(streamId: string) {
  const ledger = await world.ledger(BigInt(streamId));
  expect(ledger.ended).toBe(true);
  expect(ledger.paid + ledger.refunded + ledger.rewards).toBe(ledger.deposit);
  return ledger;
}

describe("money stops", () => {
  test("the deposit runs dry mid-answer: the answer ends with length, all of it was served (P5, P7)", async () => {
    const { stopped } = endless();
    const { code, json } = await world.ask(["--seconds", "5", "sing"]);
    await stopped;
    expect([code, json.finishReason, json.truncated, json.error?.code]).toEqual([6, "length", true, "ANSWER_CUT"]);
    expect(json.answer.length).toBeGreaterThan(0);
    const ledger = await expectBalanced(json.streamId);
    // The model stops within a moment of the deposit's end; that moment is the provider's loss.
    const served = costDown(BigInt(json.ratePerSecondWei), json.servedMs as number);
    expect(ledger.paid).toBe(served < ledger.deposit ? served : ledger.deposit);
  });

  test("the payer leaves mid-answer: the model is stopped within a second, only time served is paid (P9)", async () => {
    const { talking, stopped } = endless();
    const left = Promise.withResolvers<number>();
    const { code, json } = await world.ask(["sing"], {}, async (child) => {
      await talking;
      left.resolve(performance.now());
      child.kill("SIGINT");
    });
    const reaction = (await stopped) - (await left.promise);
    expect(reaction).toBeLessThan(1000);
    expect([code, json.truncated]).toEqual([130, true]);
    await expectBalanced(json.streamId);
  });
});

describe("serving stops", () => {
  test("a silent provider costs no more than was shown before (P3)", async () => {
    play = () => {};
    const { code, json } = await world.ask(["hello"], { FIRST_TOKEN_SECONDS: "3" });
    expect([code, json.answer, json.truncated]).toEqual([5, "", true]);
    const ledger = await expectBalanced(json.streamId);
    expect(ledger.paid).toBeLessThanOrEqual(BigInt(json.worstCaseLossWei));
  });

  test("the model dies mid-answer: the cut shows, the time until then is paid (P7)", async () => {
    play = (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(chunk("half an "), () => response.destroy());
    };
    const { code, json } = await world.ask(["hello"]);
    expect([code, json.answer, json.truncated, json.error?.code]).toEqual([6, "half an ", true, "ANSWER_CUT"]);
    await expectBalanced(json.streamId);
  });

  test("the provider is killed mid-answer: the cut shows, the rest comes back, and it serves again after a restart", async () => {
    endless();
    // Killed when the payer has seen words, so that a half answer is certain.
    const { code, stdout, stderr } = await world.claw(["ask", "sing"], {}, (child) => {
      child.stdout?.once("data", () => provider.kill("SIGKILL"));
    });
    expect([code, stdout.startsWith("la ")]).toEqual([6, true]);
    const [, streamId = ""] = /stream (\d+) is open/.exec(stderr) ?? [];
    const [, worstCase = ""] = /you lose (0\.\d+)/.exec(stderr) ?? [];
    const ledger = await expectBalanced(streamId);
    expect(ledger.paid).toBeLessThanOrEqual(parseAmount(worstCase));

    provider = await world.restart(provider);
    play = (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(`${chunk("back")}${chunk("", "stop")}data: [DONE]\n\n`);
    };
    const again = await world.ask(["hello"]);
    expect([again.code, again.json.answer, again.json.providerId]).toEqual([0, "back", provider.id]);
  });

  test("the only provider is gone before the first byte: typed refusal, nothing was paid", async () => {
    await provider.kill("SIGKILL");
    const before = await world.balanceOf(world.payer.address);
    const { code, json } = await world.ask(["hello"]);
    expect([code, json.error?.code]).toEqual([5, "PROVIDER_UNREACHABLE"]);
    expect(await world.balanceOf(world.payer.address)).toBe(before);
    provider = await world.restart(provider);
  });
});

test("failover: the cheapest is silent, the next one answers, and the request is paid once (P8)", async () => {
  play = () => {};
  const second = await world.provider(2, { BACKEND: "echo", MODEL_NAME: "echo", PRICE_PER_SECOND: "0.0002" });
  const { code, json } = await world.ask(["hello there"], { FIRST_TOKEN_SECONDS: "3" });
  expect([code, json.answer.trim(), json.providerId]).toEqual([0, "hello there", second.id]);
  await second.kill("SIGTERM");
  expect(await second.exited).toBe(0);
});
