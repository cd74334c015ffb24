import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import { type HDAccount, toHex } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { captured } from "./testing/captured.ts";
import { upMain } from "./up.ts";

const payer = devAccounts[5] as HDAccount;
const key = toHex(payer.getHdKey().privateKey as Uint8Array);
let local: LocalChain;
beforeAll(async () => {
  local = await startLocalChain();
}, 60_000);
afterAll(() => local?.stop());

/** Starts it, waits until it says `ready`, asks it to stop; what it wrote. */
async function run(json: boolean, ready: string) {
  const stop = new AbortController();
  const env = { RPC_URL: local.rpcUrl, PRIVATE_KEY: key, MAX_DEPOSIT: "0.02", STREAM_IDLE_SECONDS: "40" };
  const { context, out, err, says } = captured(env, { json, signal: stop.signal });
  const code = upMain({ port: "0" }, context);
  await Promise.race([code, says(ready)]);
  stop.abort();
  return { code: await code, out: out(), err: err() };
}

describe("claw up", { timeout: 60_000 }, () => {
  it("behavior: --json prints one object when it is ready and one when it has stopped, and no key", async () => {
    const { code, out, err } = await run(true, '"ready"');
    const [ready, ...rest] = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const url = expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/);
    const bounds = { maxDepositWei: "20000000000000000", idleSeconds: 40, confirmationMs: expect.any(Number) };
    expect(ready).toEqual({
      event: "ready",
      url,
      openaiUrl: `${ready.url}/v1`,
      address: payer.address,
      network: "local",
      chainId: 31337,
      ...bounds,
    });
    expect({ code, rest, err }).toEqual({ code: 0, rest: [{ event: "stopped" }], err: "" });
    expect(out).not.toContain(key.slice(2));
  });

  it("behavior: for a person it says how clients reach it, and nothing goes to standard output", async () => {
    const { code, out, err } = await run(false, "Ctrl-C settles");
    expect({ code, out }).toEqual({ code: 0, out: "" });
    expect(err).toMatch(/gateway at (http:\S+)\/v1[\s\S]*base URL \1\/v1/);
  });
});
