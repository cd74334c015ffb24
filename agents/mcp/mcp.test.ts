import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connectChain, readStream } from "@clawcompute/lib/chain";
import { costDown } from "@clawcompute/lib/money";
import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import type { LocalAccount } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEchoBackend } from "../provider/backends/echo.ts";
import { PRICE, startProvider, type TestProvider } from "../provider/testing/startProvider.ts";

const cli = fileURLToPath(new URL("../cli.ts", import.meta.url));
let local: LocalChain;
let provider: TestProvider;
let folder: string;
let client: Client;
let transport: StdioClientTransport;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "claw-mcp-"));
  local = await startLocalChain();
  const offers = [{ model: "echo", backend: createEchoBackend({ kind: "echo", tokenDelayMs: 20 }) }];
  provider = await startProvider({ local, owner: devAccounts[1] as LocalAccount, offers });
  transport = new StdioClientTransport({
    command: process.execPath,
    args: [cli, "mcp"],
    env: { PATH: process.env.PATH ?? "", HOME: folder, RPC_URL: local.rpcUrl, MCP_MAX_SPEND: "0.006" },
    stderr: "ignore",
  });
  client = new Client({ name: "test", version: "1.0.0" });
  await client.connect(transport);
}, 60_000);
afterAll(async () => {
  await client?.close();
  await provider?.stop();
  await local?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

async function call(name: string, args: Record<string, unknown> = {}) {
  const { content, isError } = await client.callTool({ name, arguments: args });
  const [first] = content as { type: string; text: string }[];
  return { isError: isError === true, text: first?.text ?? "", value: parse(first?.text ?? "") };
}

function parse(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

describe("claw mcp", () => {
  it("behavior: names its tools and says which of them spend", async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name, annotations }) => [name, annotations?.readOnlyHint])).toEqual([
      ["list", true],
      ["quote", true],
      ["infer", false],
      ["status", true],
      ["stop", false],
    ]);
    expect(client.getInstructions()).toContain("at most 0.006 ETH");
  });

  it("behavior: list and quote cost nothing and open nothing", async () => {
    const before = (await call("status")).value;
    const { value: listed } = await call("list");
    expect(listed.providers).toMatchObject([{ id: provider.providerId(), model: "echo", pricePerSecondWei: String(PRICE) }]);
    const { value: quote } = await call("quote", { seconds: 7 });
    expect(quote).toMatchObject({
      providerId: provider.providerId(),
      expectedCostWei: String(PRICE * 7n),
      depositWei: String(PRICE * 60n),
    });
    expect((await call("status")).value).toEqual(before);
    expect(before).toMatchObject({ spentWei: "0", openStream: null, limitWei: String(6n * 10n ** 15n) });
  });

  it("behavior: infer twice over one stream; stop settles it for the time served; status says so", { timeout: 30_000 }, async () => {
    const first = (await call("infer", { prompt: "one two", model: "echo" })).value;
    const second = (await call("infer", { prompt: "three", maxTokens: 50 })).value;
    expect([first.answer, second.answer]).toEqual(["one two", "three"]);
    expect(second.streamId).toBe(first.streamId);
    expect((await call("status")).value.openStream).toMatchObject({ streamId: first.streamId, model: "echo" });
    expect((await call("stop")).value).toMatchObject({ failures: [] });
    const { spentWei, openStream } = (await call("status")).value;
    expect(openStream).toBeNull();
    expect(BigInt(spentWei)).toBe(costDown(PRICE, second.receipt.receipt.cumulativeServedMs));
    expect((await readStream(connectChain(local.network), BigInt(first.streamId))).status).toBe("closed");
  });

  it("error: refusals are results with a code and a hint", async () => {
    const unknown = await call("infer", { prompt: "x", model: "nope" });
    expect(unknown).toMatchObject({ isError: true, value: { error: { code: "NO_PROVIDER", hint: "On offer are: echo." } } });
    expect(await call("infer", { prompt: "x", maxPriceWei: "1" })).toMatchObject({
      isError: true,
      value: { error: { code: "PRICE_ABOVE_CAP" } },
    });
    expect(await call("infer", { prompt: "" })).toMatchObject({ isError: true, text: expect.stringContaining("prompt") });
  });

  it("behavior: a client that goes away leaves no open stream; every receipt was kept", { timeout: 30_000 }, async () => {
    const { value } = await call("infer", { prompt: "last words" });
    await client.close();
    const chain = connectChain(local.network);
    await expect.poll(async () => (await readStream(chain, BigInt(value.streamId))).status, { timeout: 15_000 }).toBe("closed");
    expect(
      readFileSync(join(folder, ".clawcompute", "receipts.jsonl"), "utf8")
        .trim()
        .split("\n").length,
    ).toBe(3);
  });
});
