import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { validateSkill } from "../../openclaw-skill/validateSkill.ts";
import { type OpenClawFlags, openclawMain } from "./openclaw.ts";
import { captured } from "./testing/captured.ts";

const root = join(import.meta.dirname, "..", "..");
const places = { node: "/opt/node", cli: join(root, "agents", "cli.ts"), skill: join(root, "openclaw-skill", "clawcompute") };
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "claw-openclaw-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(flags: OpenClawFlags, env: Record<string, string> = {}, json = false) {
  const { context, out, err } = captured({ RPC_URL: "http://127.0.0.1:1", ...env }, { json });
  await openclawMain(flags, context, places);
  return { out: out(), err: err() };
}

describe("claw openclaw", () => {
  it("behavior: prints a provider that OpenClaw starts by itself", async () => {
    const { out } = await run({});
    expect(JSON.parse(out).models).toMatchObject({
      mode: "merge",
      providers: {
        clawcompute: {
          baseUrl: "http://127.0.0.1:8700/v1",
          api: "openai-completions",
          localService: { command: "/opt/node", args: [places.cli, "gateway"], cwd: root, healthUrl: "http://127.0.0.1:8700/v1/models" },
          models: [{ id: "auto", contextWindow: 32_768 }],
        },
      },
    });
  });

  it("behavior: the other two APIs, another port; a token by name only, and no secret in the service's environment", async () => {
    const env = {
      GATEWAY_PORT: "9000",
      GATEWAY_TOKEN: "0123456789abcdef-secret",
      RPC_URL: "https://rpc.example/v1/secret-key",
      WALLET_PASSWORD: "secret",
      PRIVATE_KEY: `0x${"11".repeat(32)}`,
      NETWORK: "local",
      WALLET_FILE: "/w.json",
    };
    const { out } = await run({ api: "ollama", model: "m" }, env);
    const { clawcompute } = JSON.parse(out).models.providers;
    expect(clawcompute).toMatchObject({ baseUrl: "http://127.0.0.1:9000", apiKey: `\${GATEWAY_TOKEN}`, models: [{ id: "m" }] });
    expect(clawcompute.localService.env).toEqual({ NETWORK: "local", GATEWAY_PORT: "9000", WALLET_FILE: "/w.json" });
    expect(out).not.toMatch(/secret|1111/);
    expect((await run({ api: "openai-responses" })).out).toContain('"api": "openai-responses"');
    await expect(run({ api: "soap" })).rejects.toMatchObject({ code: "BAD_REQUEST", param: "api" });
  });

  it("behavior: --onboard is one line that a shell takes as it is", async () => {
    const { out } = await run({ onboard: true, model: "it's $HOME" });
    const shell = spawnSync("bash", ["-c", `openclaw() { printf '%s\\n' "$@"; }; ${out}`], { encoding: "utf8" });
    const words = shell.stdout.split("\n");
    expect(words[words.indexOf("--custom-model-id") + 1]).toBe("it's $HOME");
    expect(words[words.indexOf("--custom-base-url") + 1]).toBe("http://127.0.0.1:8700/v1");
  });

  it("behavior: --write adds to what is there, and keeps the old file", async () => {
    const path = join(folder, "openclaw.json");
    const before = JSON.stringify({ gateway: { port: 1 }, models: { providers: { other: { baseUrl: "x" } } } });
    writeFileSync(path, before);
    await run({ write: path, default: true });
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({
      gateway: { port: 1 },
      agents: { defaults: { model: { primary: "clawcompute/auto" } } },
      models: { mode: "merge", providers: { other: { baseUrl: "x" }, clawcompute: { api: "openai-completions" } } },
    });
    expect(readFileSync(`${path}.before-clawcompute`, "utf8")).toBe(before);
  });

  it("behavior: without a path it is OpenClaw's own file", async () => {
    const path = join(folder, "state", "openclaw.json");
    await run({ write: true }, { OPENCLAW_STATE_DIR: join(folder, "state") });
    expect(existsSync(path)).toBe(true);
    expect(JSON.parse(readFileSync(path, "utf8")).agents).toBeUndefined();
  });

  it("error: a file with comments is left as it is, and OpenClaw's own command is named", async () => {
    const path = join(folder, "commented.json");
    writeFileSync(path, "{ // mine\n}");
    await expect(run({ write: path })).rejects.toMatchObject({
      code: "BAD_REQUEST",
      hint: expect.stringContaining("openclaw config set models.providers.clawcompute"),
    });
    expect(readFileSync(path, "utf8")).toBe("{ // mine\n}");
  });

  it("behavior: --skill copies a skill that is still valid and knows where claw is", async () => {
    const { err } = await run({ skill: join(folder, "skills") });
    const target = join(folder, "skills", "clawcompute");
    expect(err).toContain(target);
    expect(validateSkill(target)).toEqual([]);
    expect(JSON.parse(readFileSync(join(target, "scripts", "claw-path.json"), "utf8"))).toEqual({ node: places.node, cli: places.cli });
  });
});
