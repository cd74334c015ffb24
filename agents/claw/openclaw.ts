import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { connectChain, listActiveOffers } from "@clawcompute/lib/chain";
import { readSettings } from "@clawcompute/lib/config/env";
import { networkFromEnv } from "@clawcompute/lib/config/network";
import { AppError } from "@clawcompute/lib/errors";
import { zeroAddress } from "viem";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exitCodes.ts";
import { settings as gatewaySettings } from "../gateway/serve/config.ts";

export interface OpenClawFlags {
  readonly api?: string;
  readonly model?: string;
  /** True: into OpenClaw's own configuration file; a path: into that one. */
  readonly write?: true | string;
  /** Makes the first model OpenClaw's default. */
  readonly default?: boolean;
  readonly onboard?: boolean;
  /** Folder of skills that the skill is copied into. */
  readonly skill?: string;
}

export interface Places {
  /** Absolute, because OpenClaw looks nothing up: this Node and the claw program. */
  readonly node: string;
  readonly cli: string;
  readonly skill: string;
}

const PROVIDER = "clawcompute";
const apis = ["openai-completions", "openai-responses", "ollama"];
const MAX_MODELS = 20;
const MAX_TOKENS = 4_096;

/** `claw openclaw`: prints, or writes, what makes the local gateway a model provider of OpenClaw. */
export async function openclawMain(flags: OpenClawFlags, { env, terminal, json }: CommandContext, places: Places): Promise<number> {
  const api = flags.api ?? "openai-completions";
  if (!apis.includes(api))
    throw new AppError("BAD_REQUEST", `api must be one of ${apis.join(", ")}.`, { param: "api", hint: "Correct --api." });
  const models = flags.model === undefined ? await modelsOnOffer(env) : [flags.model];
  const provider = providerConfig(api, models, env, places);
  const setting = `openclaw config set models.providers.${PROVIDER} ${quote(JSON.stringify(provider))} --strict-json --merge`;
  const onboard = onboardLine(provider.baseUrl, models[0] ?? "auto");
  const skill = flags.skill === undefined ? undefined : copySkill(resolve(flags.skill), places);
  const written =
    flags.write === undefined ? undefined : writeConfig(configPath(flags.write, env), provider, setting, flags.default === true);

  if (json)
    terminal.out(
      `${JSON.stringify({ provider: PROVIDER, config: provider, command: setting, onboard, written: written ?? null, skill: skill ?? null })}\n`,
    );
  else if (flags.onboard) terminal.out(`${onboard}\n`);
  else if (written === undefined && skill === undefined) {
    terminal.out(`${JSON.stringify({ models: { mode: "merge", providers: { [PROVIDER]: provider } } }, null, 2)}\n`);
    terminal.err(
      "Put this into OpenClaw's configuration, or let `claw openclaw --write` do it. Models are then called clawcompute/NAME.\n",
    );
  }
  if (!json && written !== undefined)
    terminal.err(`Wrote ${written}. OpenClaw starts the gateway itself; models are called clawcompute/NAME.\n`);
  if (!json && skill !== undefined) terminal.err(`Copied the skill to ${skill}.\n`);
  return exitCodes.done;
}

/** Ranked names first: `auto` goes to whoever serves best. */
async function modelsOnOffer(env: CommandContext["env"]): Promise<string[]> {
  const offers = await listActiveOffers(connectChain(networkFromEnv(env), { timeoutMs: 5_000 }), { asset: zeroAddress }).catch(() => []);
  const names = offers.filter(({ serviceType }) => serviceType === 0).map(({ model }) => model);
  return ["auto", ...new Set(names.filter((name) => /^[\w./:@-]+$/.test(name)))].slice(0, MAX_MODELS);
}

function providerConfig(api: string, models: readonly string[], env: CommandContext["env"], { node, cli }: Places) {
  const { host, port, token, contextLength } = readSettings(gatewaySettings, env);
  const origin = `http://${host === "0.0.0.0" ? "127.0.0.1" : host}:${port}`;
  return {
    baseUrl: api === "ollama" ? origin : `${origin}/v1`,
    // OpenClaw fills the variable in by itself: the token is written nowhere.
    // biome-ignore lint/suspicious/noTemplateCurlyInString: OpenClaw's own syntax
    apiKey: token === undefined ? "clawcompute-local" : "${GATEWAY_TOKEN}",
    api,
    // A cold start opens a stream, which takes a block or two, and prefill of a long prompt is slow on small machines.
    timeoutSeconds: 300,
    localService: {
      command: node,
      args: [cli, "gateway"],
      cwd: dirname(dirname(cli)),
      env: serviceEnv(env),
      healthUrl: `${origin}/v1/models`,
      readyTimeoutMs: 60_000,
      idleStopMs: 60_000,
    },
    models: models.map((id) => ({
      id,
      name: id === "auto" ? "Best on offer" : id,
      reasoning: false,
      input: ["text"],
      // Paid by the second from the wallet; OpenClaw's own tables count tokens.
      cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
      contextWindow: contextLength,
      maxTokens: MAX_TOKENS,
    })),
  };
}

/** What the gateway needs to know and anybody may read: no key, no password, no URL that could hold one. */
function serviceEnv(env: CommandContext["env"]): Record<string, string> {
  const isLocalUrl = (value: string) => /^https?:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?\/?$/.test(value);
  const names = ["NETWORK", "GATEWAY_PORT", "WALLET_FILE", "WALLET_PASSWORD_FILE", "RPC_URL"];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name]?.trim();
      return value && (name !== "RPC_URL" || isLocalUrl(value)) ? [[name, value]] : [];
    }),
  );
}

const onboardLine = (baseUrl: string, model: string): string =>
  [
    "openclaw onboard --non-interactive --accept-risk --auth-choice custom-api-key",
    `--custom-base-url ${baseUrl} --custom-model-id ${quote(model)} --custom-provider-id ${PROVIDER}`,
    "--custom-api-key clawcompute-local --custom-text-input --skip-daemon --skip-channels",
    "--skip-skills --skip-health --skip-search --skip-hooks --skip-ui --json </dev/null",
  ].join(" ");

function configPath(write: true | string, env: CommandContext["env"]): string {
  if (write !== true) return resolve(write);
  return env.OPENCLAW_CONFIG_PATH ?? join(env.OPENCLAW_STATE_DIR ?? join(env.OPENCLAW_HOME ?? homedir(), ".openclaw"), "openclaw.json");
}

type Json = Record<string, unknown>;

/** Adds the provider and touches nothing else; what was there is kept beside it. Throws BAD_REQUEST. */
function writeConfig(path: string, provider: unknown, setting: string, makeDefault: boolean): string {
  const before = existsSync(path) ? readFileSync(path, "utf8") : undefined;
  const config = before === undefined ? {} : parseConfig(before, path, setting);
  const models = objectAt(config, "models", path);
  models.mode ??= "merge";
  objectAt(models, "providers", path)[PROVIDER] = provider;
  if (makeDefault) objectAt(objectAt(objectAt(config, "agents", path), "defaults", path), "model", path).primary = `${PROVIDER}/auto`;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (before !== undefined) writeFileSync(`${path}.before-clawcompute`, before, { mode: 0o600 });
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, path);
  return path;
}

function parseConfig(text: string, path: string, setting: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  } catch {
    // JSON5, with comments perhaps: writing it anew would lose them.
  }
  throw new AppError("BAD_REQUEST", `${path} is not plain JSON; it is left as it is.`, {
    param: "write",
    hint: `Let OpenClaw write it: ${setting}`,
  });
}

function objectAt(parent: Json, name: string, path: string): Json {
  parent[name] ??= {};
  const value = parent[name];
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  throw new AppError("BAD_REQUEST", `${path}: ${name} is not an object; the file is left as it is.`, {
    param: "write",
    hint: "Correct the file first.",
  });
}

/** A copy, because OpenClaw drops skills whose real path leaves its folder. It finds this claw by the file beside its scripts. */
function copySkill(folder: string, { node, cli, skill }: Places): string {
  const target = join(folder, "clawcompute");
  cpSync(skill, target, { recursive: true });
  writeFileSync(join(target, "scripts", "claw-path.json"), `${JSON.stringify({ node, cli })}\n`);
  return target;
}

const quote = (text: string): string => (/^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
