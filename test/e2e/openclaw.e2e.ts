import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { connectChain } from "@clawcompute/lib/chain";
import type { Hex } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findChannels, readChannelLedger } from "../../agents/gateway/channels/ownChannels.ts";
import { validateSkill } from "../../openclaw-skill/validateSkill.ts";
import { type ScriptedModel, startScriptedModel } from "./harness/scriptedModel.ts";
import { keyOf, type ProviderProcess, startWorld, type World } from "./harness/world.ts";

// Too large for a dependency: npm install openclaw@2026.9.6 anywhere, and name the folder of that package.
const openclaw = process.env.OPENCLAW_DIR;
const isHere = openclaw !== undefined && existsSync(join(openclaw, "openclaw.mjs"));
if (!isHere)
  console.warn("openclaw.e2e.ts is skipped: OPENCLAW_DIR does not name an installed openclaw package (npm install openclaw@2026.9.6).");

let world: World;
let model: ScriptedModel;

beforeAll(async () => {
  if (!isHere) return;
  world = await startWorld();
  model = await startScriptedModel("decider");
  await world.provider(1, { BACKEND: "echo", MODEL_NAME: "echo", PRICE_PER_SECOND: "0.0001" });
});
afterAll(async () => {
  await model?.close();
  await world?.stop();
});

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A place for OpenClaw of its own: it remembers failures of a provider there. */
function place(name: string) {
  const folder = join(world.folder, name);
  const workspace = join(folder, "workspace");
  for (const path of [join(folder, "home"), join(folder, "state"), join(workspace, "skills")]) mkdirSync(path, { recursive: true });
  const config = join(folder, "state", "openclaw.json");
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? "",
    HOME: world.folder,
    OPENCLAW_HOME: join(folder, "home"),
    OPENCLAW_STATE_DIR: join(folder, "state"),
    OPENCLAW_CONFIG_PATH: config,
    OPENCLAW_OFFLINE: "1",
    OPENCLAW_NO_AUTO_UPDATE: "1",
    NO_COLOR: "1",
    NETWORK: "local",
    RPC_URL: world.chain.rpcUrl,
  };
  const run = (args: readonly string[]): Promise<Finished> => {
    const child = spawn(process.execPath, [join(openclaw as string, "openclaw.mjs"), ...args], {
      env,
      cwd: workspace,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    return new Promise((resolve) => child.once("close", (code) => resolve({ code, stdout, stderr })));
  };
  return { workspace, config, run };
}

/** Skills apart from ours stay out of the prompt; `exec` finds the same Node as the tests. */
const commonConfig = (workspace: string, primary: string) => ({
  agents: { defaults: { workspace, skipBootstrap: true, model: { primary }, skills: ["clawcompute"] } },
  tools: { exec: { pathPrepend: [join(process.execPath, "..")] } },
});

const providerOf = (baseUrl: string) => ({
  baseUrl,
  apiKey: "local-test",
  api: "openai-completions",
  models: [
    {
      id: "decider",
      name: "decider",
      reasoning: false,
      input: ["text"],
      cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
      contextWindow: 131_072,
      maxTokens: 2_048,
    },
  ],
});

function envelopeOf({ stdout, stderr }: Finished): { ok: boolean; final: string; toolSummary: { calls: number; failures: number } } {
  try {
    return JSON.parse(stdout);
  } catch {
    throw new Error(`OpenClaw printed no JSON object:\n${stdout.slice(-2_000)}\n${stderr.slice(-4_000)}`);
  }
}

const script = "skills/clawcompute/scripts/claw.mjs";
const read = { tool: "read", arguments: { path: "skills/clawcompute/SKILL.md" } };
// Without the second argument OpenClaw puts what takes more than ten seconds into the background.
const exec = (command: string) => ({ tool: "exec", arguments: { command, yieldMs: 120_000 } });

describe.skipIf(!isHere)("OpenClaw", { timeout: 180_000 }, () => {
  it("finds the skill eligible, shows it to the model, and keeps its rules", async () => {
    const { workspace, config, run } = place("check");
    expect((await world.claw(["openclaw", "--skill", join(workspace, "skills")])).code).toBe(0);
    writeFileSync(
      config,
      JSON.stringify({
        ...commonConfig(workspace, "market/decider"),
        models: { mode: "replace", providers: { market: providerOf(model.url) } },
      }),
    );
    const { eligible, modelVisible } = JSON.parse((await run(["skills", "check", "--json"])).stdout);
    expect(eligible).toContain("clawcompute");
    expect(modelVisible).toContain("clawcompute");
    expect(validateSkill(join(workspace, "skills", "clawcompute"))).toEqual([]);
  });

  it("reads the skill, compares prices, pays for an answer and reports what it cost", async () => {
    const { workspace, config, run } = place("pays");
    await world.claw(["openclaw", "--skill", join(workspace, "skills")]);
    writeFileSync(
      config,
      JSON.stringify({
        ...commonConfig(workspace, "market/decider"),
        models: { mode: "replace", providers: { market: providerOf(model.url) } },
      }),
    );
    model.play([
      read,
      exec(`node ${script} providers`),
      exec(`node ${script} ask --gateway http://127.0.0.1:1 --model echo --max-spend 0.005 "paid by an agent"`),
    ]);
    const before = await world.balanceOf(world.payer.address);
    const finished = await run(["agent", "exec", "Buy an answer.", "--cwd", workspace, "--json"]);
    const { ok, final, toolSummary } = envelopeOf(finished);
    expect({ ok, failures: toolSummary.failures, calls: toolSummary.calls }).toEqual({ ok: true, failures: 0, calls: 3 });
    expect(final).toMatch(/paid by an agent\s+\[paid 0\.0\d+ to provider \d+, /);
    expect(JSON.stringify(model.requests[0])).toContain("clawcompute");
    expect(JSON.stringify(model.requests.at(-1))).toMatch(/Everything goes through one script[\s\S]*PRICE\/S/);

    const receipts = readFileSync(join(world.folder, ".clawcompute", "receipts.jsonl"), "utf8")
      .trim()
      .split("\n");
    const { receipt } = JSON.parse(receipts.at(-1) as string);
    const ledger = await world.ledger(BigInt(receipt.payment));
    expect(ledger).toMatchObject({ ended: true, paid: BigInt(receipt.amount) });
    expect(ledger.paid + ledger.refunded).toBe(ledger.deposit);
    expect(await world.balanceOf(world.payer.address)).toBeLessThan(before);
    for (const messages of model.requests) expect(JSON.stringify(messages)).not.toContain(keyOf(5).slice(2));
  });

  it.each(["openai-completions", "openai-responses", "ollama"])(
    "thinks with a model that it pays by the second (%s): it starts the gateway, and the gateway settles when it goes",
    async (api) => {
      const seller = await sellDecisions();
      const { workspace, config, run } = place(`thinks-${api}`);
      writeFileSync(config, JSON.stringify(commonConfig(workspace, "clawcompute/decider")));
      const gatewayPort = String(await freePort());
      const skill = join(workspace, "skills");
      const written = await world.claw(["openclaw", "--write", config, "--api", api, "--model", "decider", "--skill", skill], {
        GATEWAY_PORT: gatewayPort,
      });
      expect(written.code).toBe(0);
      const before = await channelsTo(seller.owner);
      model.play([read, exec(`node ${script} status --gateway http://127.0.0.1:${gatewayPort}`)]);
      const { ok, final } = envelopeOf(await run(["agent", "exec", "Is the market there?", "--cwd", workspace, "--json"]));
      expect({ ok, final }).toEqual({ ok: true, final: expect.stringMatching(/a gateway runs at[\s\S]*Ready to ask\./) });

      // Three steps of thinking, paid through one channel that was closed when OpenClaw ended the gateway.
      const [channel, ...more] = (await channelsTo(seller.owner)).slice(before.length);
      expect(more).toEqual([]);
      const { closed, deposit, paid, refunded } = await readChannelLedger(chain(), channel?.id as Hex, channel?.openBlock as bigint);
      expect(closed).toBe(true);
      expect(paid).toBeGreaterThan(0n);
      expect(paid + refunded).toBe(deposit);
    },
  );
});

let seller: Promise<ProviderProcess> | undefined;
/** The scripted model as a paid offer, once for all tests. */
function sellDecisions(): Promise<ProviderProcess> {
  seller ??= world.provider(2, { BACKEND: "openai", INFERENCE_URL: model.url, MODEL_NAME: "decider", PRICE_PER_SECOND: "0.0002" });
  return seller;
}

const chain = () => connectChain(world.chain.network);
const channelsTo = async (payee: string) => (await findChannels(chain(), world.payer.address, 0n)).filter((one) => one.payee === payee);

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
