#!/usr/bin/env node
// The skill's only program: calls claw, or a gateway on this machine. Needs nothing but Node 20, holds no key.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const NOT_FOUND = 127;
const usage = `node claw.mjs VERB [OPTIONS]

  providers [--model NAME]                  who serves what, at what price
  ask [--model NAME] [--max-spend COINS] [--seconds N] [--system TEXT] "PROMPT"
  balance                                   what the wallet holds, what was spent
  status                                    whether everything works, and the fix
  provider-check | provider-setup [...]     sell a model of this machine
  stop                                      end every open stream and channel now

  --json         one JSON object instead of text
  --gateway URL  a gateway to ask first (default: http://127.0.0.1:8700)
`;

/** The program and its first arguments, or undefined. */
function findClaw() {
  const beside = join(here, "claw-path.json");
  if (existsSync(beside)) {
    const { node, cli } = JSON.parse(readFileSync(beside, "utf8"));
    if (existsSync(node) && existsSync(cli)) return [node, cli];
  }
  // In a checkout, by the starter that brings the right Node along.
  const root = join(here, "..", "..", "..");
  const starter = join(root, "scripts", "with.mjs");
  if (existsSync(starter) && existsSync(join(root, "agents", "cli.ts")))
    return [process.execPath, starter, "node", join(root, "agents", "cli.ts")];
  const names = process.platform === "win32" ? ["claw.cmd", "claw.exe"] : ["claw"];
  const found = (process.env.PATH ?? "").split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  const path = found.find((candidate) => existsSync(candidate));
  return path ? [path] : undefined;
}

/** Runs claw. `quiet`: its output is returned and not shown. */
function claw(args, { quiet = false, input } = {}) {
  const found = findClaw();
  if (!found) {
    fail("CLAW_MISSING", "claw was not found.", "See references/errors.md of this skill.");
    process.exit(NOT_FOUND);
  }
  const [program, ...first] = found;
  return new Promise((resolve) => {
    const child = spawn(program, [...first, ...args], {
      stdio: [input === undefined ? "ignore" : "pipe", quiet ? "pipe" : "inherit", quiet ? "pipe" : "inherit"],
    });
    let [out, err] = ["", ""];
    child.stdout?.setEncoding("utf8").on("data", (text) => {
      out += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text) => {
      err += text;
    });
    for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
    child.once("error", (error) => resolve({ code: NOT_FOUND, out, err: error.message }));
    child.once("close", (code) => resolve({ code: code ?? 1, out, err }));
    if (input !== undefined) child.stdin.end(input);
  });
}

async function clawJson(args, options) {
  const { code, out, err } = await claw([...args, "--json"], { ...options, quiet: true });
  try {
    return { code, value: JSON.parse(out) };
  } catch {
    return {
      code: code || 1,
      value: { error: { code: "INTERNAL", message: err.trim() || out.trim() || "claw said nothing", hint: null } },
    };
  }
}

/** A gateway's answer, or undefined when none is there or it does not know us. */
async function gateway(base, path, { method = "GET", body, timeoutMs = 2_000 } = {}) {
  try {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: { "content-type": "application/json", authorization: "Bearer clawcompute-local" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.status === 401 || response.status === 404) return undefined;
    return { ok: response.ok, value: await response.json() };
  } catch {
    return undefined;
  }
}

async function isGateway(base) {
  const health = await gateway(base, "/health");
  return health?.ok === true && health.value.role === "gateway";
}

const coins = (wei) => {
  const text = String(wei).padStart(19, "0");
  return `${text.slice(0, -18)}.${text.slice(-18)}`.replace(/\.?0+$/, "");
};

/** Text of strangers without what could drive a terminal. */
const printable = (text) => text.replace(/[^\P{Cc}\n\t]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "");

function fail(code, message, hint) {
  if (json) console.log(JSON.stringify({ error: { code, message, hint: hint ?? null } }));
  else console.error(`error ${code}: ${message}${hint ? `\n  hint: ${hint}` : ""}`);
}

async function askGateway(base, prompt, { model, system, "max-spend": maxSpend }) {
  const messages = [...(system === undefined ? [] : [{ role: "system", content: system }]), { role: "user", content: prompt }];
  const body = { model: model ?? "auto", messages, ...(maxSpend === undefined ? {} : { max_cost: maxSpend }) };
  const reply = await gateway(base, "/v1/chat/completions", { method: "POST", body, timeoutMs: 600_000 });
  if (!reply) return undefined;
  if (!reply.ok) {
    const { code, message, hint } = { ...reply.value, ...reply.value.error };
    return { code: 5, value: { error: { code: code ?? "INTERNAL", message: message ?? "the gateway refused", hint: hint ?? null } } };
  }
  const [choice] = reply.value.choices;
  const { provider, streamId, costWei, servedMs, model: served } = reply.value.clawcompute ?? {};
  const truncated = !["stop", "tool_calls"].includes(choice.finish_reason);
  return {
    code: truncated ? 6 : 0,
    value: {
      answer: choice.message.content ?? "",
      model: served ?? reply.value.model,
      providerId: provider === undefined ? null : Number(provider),
      streamId: streamId ?? null,
      servedMs: servedMs ?? null,
      paidWei: costWei ?? null,
      gasFeeWei: null,
      finishReason: choice.finish_reason,
      truncated,
      via: "gateway",
    },
  };
}

/** `NAME@ID` is the gateway's way of naming one provider. */
function modelFlags(model) {
  if (model === undefined || model === "auto") return [];
  const [, name, id] = /^(.+)@(\d+)$/.exec(model) ?? [undefined, model, undefined];
  return ["--model", name, ...(id === undefined ? [] : ["--provider", id])];
}

async function askWallet(prompt, flags) {
  const passed = ["max-spend", "seconds", "system"].flatMap((name) => (flags[name] === undefined ? [] : [`--${name}`, flags[name]]));
  const { code, value } = await clawJson(["ask", ...modelFlags(flags.model), ...passed, "-"], { input: prompt });
  return { code, value: { ...value, via: "wallet" } };
}

async function readStdin() {
  let text = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) text += chunk;
  return text;
}

async function ask(words, flags) {
  const prompt = words.length === 1 && words[0] === "-" ? await readStdin() : words.join(" ");
  if (prompt.trim() === "") {
    fail("BAD_REQUEST", "There is no prompt.", 'node claw.mjs ask "PROMPT"');
    return 2;
  }
  const { code, value } =
    ((await isGateway(flags.gateway)) && (await askGateway(flags.gateway, prompt, flags))) || (await askWallet(prompt, flags));
  if (json) console.log(JSON.stringify(value));
  else {
    if (value.answer) console.log(printable(value.answer));
    if (value.error) fail(value.error.code, value.error.message, value.error.hint);
    else if (value.truncated) fail("ANSWER_CUT", `The answer was cut (${value.finishReason}).`);
    if (value.paidWei) {
      const gas = value.gasFeeWei ? `, gas ${coins(value.gasFeeWei)}` : "";
      const served = value.servedMs === null ? "" : `, ${(value.servedMs / 1000).toFixed(1)} s`;
      console.log(`[paid ${coins(value.paidWei)} to provider ${value.providerId}${served}${gas}]`);
    }
  }
  return code;
}

const openName = ({ channelId, payee, streamId, providerId }) =>
  channelId ? `channel ${channelId.slice(0, 10)}… (to ${payee})` : `stream ${streamId} (provider ${providerId})`;

async function balance(flags) {
  const [wallet, streams, receipts] = await Promise.all([
    clawJson(["wallet", "balance"]),
    clawJson(["streams"]),
    clawJson(["receipts", "verify"]),
  ]);
  const shared = (await isGateway(flags.gateway)) ? (await gateway(flags.gateway, "/gateway/status"))?.value : undefined;
  const value = { wallet: wallet.value, openStreams: streams.value, receipts: receipts.value, gateway: shared ?? null };
  if (json) console.log(JSON.stringify(value));
  else if (wallet.value.error) fail(wallet.value.error.code, wallet.value.error.message, wallet.value.error.hint);
  else {
    console.log(`${wallet.value.address} holds ${coins(wallet.value.balanceWei)} on ${wallet.value.network}`);
    const open = Array.isArray(streams.value) ? streams.value : [];
    console.log(open.length ? `open: ${open.map(openName).join(", ")}` : "no open streams or channels");
    if (receipts.value.totalWei) console.log(`receipts kept here add up to ${coins(receipts.value.totalWei)}`);
    if (shared?.spending)
      console.log(
        `the gateway spent ${coins(shared.spending.dayWei)} in a day and holds ${coins(shared.spending.heldWei)} in open streams and channels`,
      );
  }
  return wallet.code;
}

async function status(flags) {
  const running = await isGateway(flags.gateway);
  if (json) {
    const { code, value } = await clawJson(["doctor"]);
    console.log(JSON.stringify({ ...value, gateway: running ? ((await gateway(flags.gateway, "/gateway/status"))?.value ?? null) : null }));
    return code;
  }
  console.log(running ? `a gateway runs at ${flags.gateway}` : `no gateway runs at ${flags.gateway}; questions are paid one by one`);
  return (await claw(["doctor"])).code;
}

async function stop(flags) {
  if (await isGateway(flags.gateway)) {
    const ended = await gateway(flags.gateway, "/gateway/stop", { method: "POST", timeoutMs: 60_000 });
    const count = ended?.ok ? ended.value.ended.length : 0;
    if (ended?.ok && !json) console.log(`the gateway ended ${count} ${count === 1 ? "stream or channel" : "streams and channels"}`);
  }
  return (await claw(["stop", ...(json ? ["--json"] : [])])).code;
}

const [verb, ...rest] = process.argv.slice(2);
const json = rest.includes("--json");
const text = { type: "string" };
const options = {
  json: { type: "boolean" },
  gateway: { ...text, default: "http://127.0.0.1:8700" },
  model: { ...text, short: "m" },
  "max-spend": text,
  seconds: text,
  system: text,
};

async function main() {
  if (verb === "provider-check") return (await claw(["provider", "setup", "--check", ...rest])).code;
  if (verb === "provider-setup") return (await claw(["provider", "setup", ...rest])).code;
  const { values, positionals } = parseArgs({ args: rest, options, allowPositionals: true });
  const flags = { ...values, gateway: values.gateway.replace(/\/+$/, "") };
  switch (verb) {
    case "providers":
      return (await claw(["providers", ...(flags.model === undefined ? [] : ["--model", flags.model]), ...(json ? ["--json"] : [])])).code;
    case "ask":
      return ask(positionals, flags);
    case "balance":
      return balance(flags);
    case "status":
      return status(flags);
    case "stop":
      return stop(flags);
    case undefined:
    case "help":
    case "--help":
      console.log(usage);
      return 0;
    default:
      fail("BAD_REQUEST", `There is no verb ${verb}.`, "node claw.mjs help");
      return 2;
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  fail("BAD_REQUEST", error.message, "node claw.mjs help");
  process.exitCode = 2;
}
