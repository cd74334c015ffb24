import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { AppError } from "../errors/index.ts";

export interface ChainProcessOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly blockTimeMs: number;
  readonly statePath: string | undefined;
  readonly accounts: number;
  readonly engine: "anvil" | "hardhat" | undefined;
  readonly chainId: number;
}

export interface ChainProcess {
  readonly engine: "anvil" | "hardhat";
  readonly port: number;
  readonly pid: number;
  /** Resolves when the process has gone, however it went. */
  readonly exited: Promise<number | null>;
  /** SIGTERM, so that state is saved; SIGKILL after 10 s. */
  stop(): Promise<void>;
}

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL("../..", import.meta.url));

/** anvil where the registry has it for this platform, else Hardhat's node. Both mine by interval, never one block per transaction. */
export async function startChainProcess(options: ChainProcessOptions): Promise<ChainProcess> {
  const anvil = options.engine === "hardhat" ? undefined : anvilPath();
  if (options.engine === "anvil" && !anvil) throw new AppError("CHAIN_UNAVAILABLE", "anvil is not installed for this platform.");
  return anvil ? startAnvil(anvil, options) : startHardhat(options);
}

async function startAnvil(path: string, { port, blockTimeMs, statePath, accounts, chainId }: ChainProcessOptions): Promise<ChainProcess> {
  const args = [
    "--host",
    "127.0.0.1",
    "--port",
    String(port),
    "--gas-limit",
    "300000000",
    "--accounts",
    String(accounts),
    "--chain-id",
    String(chainId),
  ];
  args.push(...(blockTimeMs > 0 ? ["--block-time", String(blockTimeMs / 1000)] : ["--no-mining"]));
  if (statePath !== undefined) args.push("--state", statePath, "--state-interval", "5");
  const child = spawn(path, args, { stdio: ["ignore", "pipe", "pipe"] });
  const bound = await waitForLine(child, /Listening on 127\.0\.0\.1:(\d+)/);
  return running("anvil", child, Number(bound));
}

async function startHardhat({ port, statePath }: ChainProcessOptions): Promise<ChainProcess> {
  if (statePath !== undefined) throw new AppError("UNSUPPORTED", "Hardhat's node keeps no state.", { hint: "Start without a state path." });
  const hardhat = require.resolve("hardhat/package.json");
  const cli = join(dirname(hardhat), (require(hardhat) as { bin: { hardhat: string } }).bin.hardhat);
  const bound = port || (await freePort());
  const args = [cli, "node", "--network", "interval", "--hostname", "127.0.0.1", "--port", String(bound)];
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, HARDHAT_DISABLE_TELEMETRY_PROMPT: "true" },
  });
  await waitForLine(child, /Started HTTP and WebSocket JSON-RPC server at (\S+)/);
  return running("hardhat", child, bound);
}

function running(engine: "anvil" | "hardhat", child: ChildProcess, port: number): ChainProcess {
  const exited = new Promise<number | null>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode);
    else child.once("exit", resolve);
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  exited.then(() => process.off("exit", kill));
  // What it prints from now on is of no use, but it must not fill the pipe.
  child.stdout?.resume();
  child.stderr?.resume();
  return {
    engine,
    port,
    pid: child.pid as number,
    exited,
    stop: async () => {
      child.kill("SIGTERM");
      const late = setTimeout(kill, 10_000);
      await exited;
      clearTimeout(late);
    },
  };
}

/** Resolves with the pattern's first group. Rejects with what the process said when it ends first or takes longer than 30 s. */
function waitForLine(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    const done = (finish: () => void) => {
      clearTimeout(limit);
      child.stdout?.off("data", onData);
      child.stderr?.off("data", onData);
      finish();
    };
    const fail = (reason: string) =>
      done(() =>
        reject(
          new AppError("CHAIN_UNAVAILABLE", `The local chain did not start: ${reason}.`, { facts: { output: output.trim().slice(-500) } }),
        ),
      );
    const onData = (chunk: Buffer) => {
      output += chunk.toString();
      const match = pattern.exec(output);
      if (match) done(() => resolve(match[1] ?? ""));
    };
    const limit = setTimeout(() => {
      child.kill("SIGKILL");
      fail("it said nothing for 30 s");
    }, 30_000);
    child.stdout?.on("data", onData);
    child.stderr?.on("data", onData);
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code) => fail(`it ended with code ${code}`));
  });
}

function anvilPath(): string | undefined {
  const cpu = process.arch === "x64" ? "amd64" : process.arch;
  const os = process.platform === "win32" ? "win32" : process.platform;
  try {
    const folder = dirname(require.resolve(`@foundry-rs/anvil-${os}-${cpu}/package.json`));
    const path = join(folder, "bin", process.platform === "win32" ? "anvil.exe" : "anvil");
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
