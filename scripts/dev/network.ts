// npm start: the whole market on this machine.
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { AppError } from "@clawcompute/lib/errors";
import { childEnv } from "./childEnv.ts";
import { isOurs, openNetworkFile } from "./networkFile.ts";
import { createReport } from "./report.ts";
import { endLeftovers, type Loss, type RunningNetwork, removeFolder, startNetwork } from "./startNetwork.ts";

const QUESTION = "What is your name?";
const help = `
npm start: the whole market on this machine, on 127.0.0.1 only: a chain with the contracts, three providers (two with a real
tiny model), a gateway for OpenAI and Ollama clients, a keeper, an indexer and the dashboard. Ctrl-C ends all of it.

  npm start [-- OPTIONS]

  --once            start without the dashboard, ask one question, print the bill, end everything; the exit code tells how it
                    went. Uses a temporary folder and free ports, so it runs beside another network.
  --ask TEXT        the question for --once (default: "${QUESTION}")
  --no-dashboard    everything but the page
  --fresh           begin with a new chain; the old one is set aside
  --seed            fill the market: 10,000 providers that answer nobody and 100,000 streams; the chain is not kept
  --seed-providers N, --seed-streams N    other numbers of them
  --free-ports      any free ports instead of 3000, 8545, 8700 to 8703, 8710 and 8790
  --folder PATH     where state, logs and network.json are (default: .local)
  --stop            end the network that runs in that folder
  --help            this text
`;

const root = join(import.meta.dirname, "..", "..");
const out = (text: string) => process.stdout.write(text);
const report = createReport(out);

const { values: flags } = parseFlags();
if (flags.help) {
  out(help.trimStart());
  process.exit(0);
}
const folder = flags.once ? mkdtempSync(join(tmpdir(), "clawcompute-")) : (flags.folder ?? join(root, ".local"));
if (flags.stop) process.exit(await stopRunning());

const aborted = new AbortController();
let network: RunningNetwork | undefined;
let exitCode = 0;
let wakeUp = () => {};
const asked = new Promise<void>((resolve) => {
  wakeUp = resolve;
});
let firstSignalAt: number | undefined;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    const now = performance.now();
    if (firstSignalAt === undefined) {
      firstSignalAt = now;
      out("\nStopping: providers finish what runs, then the chain saves its state. Once more ends them at once.\n");
      aborted.abort(new AppError("ABORTED", "Stopped on request."));
      wakeUp();
      // npm passes a Ctrl-C on that arrived here already.
    } else if (now - firstSignalAt > 700) {
      network?.kill();
      process.exit(130);
    }
  });
}

try {
  const started = performance.now();
  report.line(flags.once ? "Starting a network for one question." : "Starting the local network.");
  network = await startNetwork({
    root,
    folder,
    freePorts: flags.once || flags["free-ports"] || false,
    // A full market's state takes longer to save than to make.
    keepState: !(flags.once || flags.seed),
    fresh: flags.fresh ?? false,
    seed: seedSize(),
    dashboard: !(flags.once || flags["no-dashboard"]),
    report,
    signal: aborted.signal,
  });
  network.onLoss(tellLoss);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (flags.once) exitCode = await askOnce(network, seconds);
  else {
    announce(network, seconds);
    await asked;
  }
} catch (thrown) {
  const error = AppError.from(thrown);
  exitCode = error.code === "ABORTED" ? 130 : error.code === "ALREADY_RUNNING" ? 0 : 1;
  if (error.code === "ALREADY_RUNNING") {
    report.line(error.message);
    for (const url of (error.facts.urls as readonly string[] | undefined) ?? []) report.line(`  ${url}`);
    report.line(error.hint ?? "");
  } else if (error.code !== "ABORTED") {
    console.error(`\n${error.code}: ${error.message}\n${error.hint ?? ""}`);
    if (error.code === "INTERNAL" && error.cause) console.error(error.cause);
  }
} finally {
  await network?.stop();
}
if (network && !flags.once) out("Everything has ended.\n");
if (flags.once && exitCode === 0) removeFolder(folder);
else if (flags.once) out(`The logs are in ${join(folder, "logs")}.\n`);
process.exit(exitCode);

function announce({ record: { urls } }: RunningNetwork, seconds: string): void {
  out(`
The local network is ready after ${seconds} s.

  dashboard   ${urls?.dashboard ?? "not started"}
  gateway     ${urls?.gateway}/v1 (OpenAI), ${urls?.gateway} (Ollama)
  indexer     ${urls?.indexer}
  chain RPC   ${urls?.rpc}
  providers   ${urls?.providers.join("  ")}
  logs        ${join(folder, "logs")}

Ask something and pay for it, in a second terminal:

  npm run consumer -- "${QUESTION}"

or point any OpenAI client at ${urls?.gateway}/v1 (any API key, model "auto"), an Ollama client at
${urls?.gateway}; what it spent, and why it chose whom:

  npm run claw -- spend
  npm run claw -- why auto

Ctrl-C ends everything; ${flags.seed ? "a seeded chain is not kept." : "the chain goes on from here at the next start."}
`);
}

async function askOnce({ record: { urls } }: RunningNetwork, seconds: string): Promise<number> {
  const question = flags.ask ?? QUESTION;
  report.line(`\nThe network is ready after ${seconds} s: ${[urls?.rpc, ...(urls?.providers ?? [])].join("  ")}\n\n> ${question}`);
  const child = spawn(process.execPath, [join(root, "agents", "cli.ts"), "ask", question], {
    cwd: root,
    env: childEnv({ NETWORK: "local", RPC_URL: urls?.rpc ?? "", RECEIPTS_FILE: join(folder, "asked.jsonl") }),
    stdio: ["ignore", "inherit", "inherit"],
  });
  const cut = () => child.kill("SIGTERM");
  aborted.signal.addEventListener("abort", cut, { once: true });
  return new Promise((resolve) => {
    child.once("exit", (code) => resolve(code ?? 1));
    child.once("error", () => resolve(1));
  });
}

function tellLoss({ name, how, logPath, logTail, isFatal }: Loss): void {
  const then = isFatal ? "Nothing works without it: stopping." : "The network goes on without it; Ctrl-C ends the rest.";
  console.error(`\n${name} has ended by itself (${how}). ${then} The end of ${logPath}:\n${logTail}\n`);
  exitCode = 1;
  if (isFatal) wakeUp();
}

/** For `--stop`: asks the running start to end, or ends what a killed one left. */
async function stopRunning(): Promise<number> {
  const file = openNetworkFile(join(folder, "network.json"));
  const record = file.read();
  if (!record) {
    report.line("No local network is running.");
    return 0;
  }
  if (isOurs(record.launcherPid, root)) process.kill(record.launcherPid, "SIGTERM");
  const deadline = Date.now() + 30_000;
  while (isOurs(record.launcherPid, root) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 100));
  await endLeftovers(file.read(), root, report);
  file.remove();
  report.line("Everything has ended.");
  return 0;
}

/** Undefined: an empty market. */
function seedSize(): { providers: number; streams: number } | undefined {
  if (!flags.seed) return undefined;
  const [providers, streams] = [Number(flags["seed-providers"]), Number(flags["seed-streams"])];
  if (
    ![providers, streams].every((count) => Number.isInteger(count) && count >= 0 && count <= 1_000_000) ||
    (providers === 0 && streams > 0)
  )
    throw new AppError(
      "BAD_REQUEST",
      "--seed-providers and --seed-streams must be whole numbers up to a million; streams need a provider.",
    );
  return { providers, streams };
}

function parseFlags() {
  try {
    return parseArgs({
      options: {
        once: { type: "boolean" },
        ask: { type: "string" },
        "no-dashboard": { type: "boolean" },
        fresh: { type: "boolean" },
        seed: { type: "boolean" },
        "seed-providers": { type: "string", default: "10000" },
        "seed-streams": { type: "string", default: "100000" },
        "free-ports": { type: "boolean" },
        folder: { type: "string" },
        stop: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    console.error(`${(error as Error).message}\n${help}`);
    process.exit(2);
  }
}
