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

describe("claw up", { timeout: 180_000 }, () => {
  it("behavior: --json prints one object when it is ready and one when it has stopped, and no key", async () => {
    const stop = new AbortController();
    const env = { RPC_URL: local.rpcUrl, PRIVATE_KEY: key, MAX_DEPOSIT: "0.02", STREAM_IDLE_SECONDS: "40" };
    const { context, out, err, says } = captured(env, { json: true, signal: stop.signal });
    const running = upMain({ port: "0" }, context);
    await Promise.race([running, says('"ready"')]);
    stop.abort();
    const code = await running;
    const [ready, ...rest] = out()
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
    expect({ code, rest, err: err() }).toEqual({ code: 0, rest: [{ event: "stopped" }], err: "" });
    expect(out()).not.toContain(key.slice(2));
  });
});
