import { Ollama } from "ollama";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningProcess, startClaw } from "./harness/processes.ts";
import { keyOf, type ProviderProcess, startWorld, type World } from "./harness/world.ts";

// A day with claw, as its user has it: start it, point programs at it, look at what they did, end it.
let world: World;
let provider: ProviderProcess;
let up: RunningProcess | undefined;
let env: Record<string, string>;
let url: string;

beforeAll(async () => {
  world = await startWorld();
  provider = await world.provider(1, { BACKEND: "echo", MODEL_NAME: "echo", PRICE_PER_SECOND: "0.0001" });
  up = startClaw(["up", "--port", "0"], { NETWORK: "local", RPC_URL: world.chain.rpcUrl, HOME: world.folder, PRIVATE_KEY: keyOf(6) });
  [, url = ""] = await up.line(/any OpenAI client {3}base URL (http:\/\/127\.0\.0\.1:\d+)\/v1/);
  env = { GATEWAY_URL: url, PRIVATE_KEY: keyOf(6) };
});
afterAll(async () => {
  await up?.kill("SIGKILL");
  await world?.stop();
});

const json = async (...args: string[]) => {
  const { code, stdout } = await world.claw([...args, "--json"], env);
  return { code, said: JSON.parse(stdout) };
};

test("claw up says how to use it, and what it says is so", async () => {
  expect(up?.output()).toContain(`OLLAMA_HOST=${new URL(url).host}`);
  expect(up?.output()).not.toContain('"level"');
  const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: "any", maxRetries: 0 });
  const answer = await openai.chat.completions.create({ model: "auto", messages: [{ role: "user", content: "one two" }] });
  expect(answer.choices[0]?.message.content).toBe("one two");
  const ollama = new Ollama({ host: new URL(url).host });
  expect((await ollama.generate({ model: "echo", prompt: "three" })).response).toBe("three");
});

test("models, why and spend tell what it did; the books agree with the chain", async () => {
  expect((await json("models")).said.data.map(({ id }: { id: string }) => id)).toContain(`echo@${provider.id}`);
  const why = await world.claw(["why", "echo"], env);
  expect(why.stdout).toMatch(new RegExp(`\\* +${provider.id} +echo`));
  expect((await json("why")).said).toMatchObject({ asked: "auto", chosen: provider.id });
  for (const [by, group] of [
    ["day", expect.stringMatching(/^\d{4}-\d\d-\d\d$/)],
    ["provider", String(provider.id)],
    ["model", "echo"],
  ] as const) {
    expect((await json("spend", "--by", by)).said.rows).toEqual([expect.objectContaining({ group, requests: 2, failed: 0 })]);
  }
  const { stdout } = await world.claw(["spend", "--csv"], env);
  const [head = "", ...rows] = stdout.trim().split("\r\n");
  expect(rows).toHaveLength(2);
  expect(head.split(",")).toEqual(expect.arrayContaining(["time", "request", "client", "outcome"]));
  const wrong = await world.claw(["spend", "--by", "moon", "--json"], env);
  expect([wrong.code, JSON.parse(wrong.stdout).error.param]).toEqual([2, "by"]);
});

test("receipts are kept, hold, and can be exported", async () => {
  const verified = await json("receipts", "verify");
  expect([verified.code, JSON.stringify(verified.said)]).toEqual([0, expect.stringContaining('"echo"')]);
  const { stdout } = await world.claw(["receipts", "export"], env);
  expect(stdout.trim().split("\n").length).toBe(3);
  expect((await json("receipts", "export")).said).toHaveLength(2);
});

test("Ctrl-C settles what is open and ends it", async () => {
  await up?.kill("SIGINT");
  expect(await up?.exited).toBe(0);
  const { code, said } = await json("streams");
  expect([code, said]).toEqual([0, []]);
  const nobody = await world.claw(["spend", "--json"], env);
  expect(nobody.code).not.toBe(0);
  expect(JSON.parse(nobody.stdout).error.hint).toContain("claw gateway");
});
