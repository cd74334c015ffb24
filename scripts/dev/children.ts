import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "@clawcompute/lib/errors";

export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly logsFolder: string;
  /** A channel for messages; it closes when this process dies, however it dies. */
  readonly channel?: boolean;
}

/** One part of the network as an own process, its output in an own file. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly logPath: string;
  readonly process: ChildProcess;
  /** What ended it: a code or a signal. Never rejects. */
  readonly exited: Promise<string>;
  readonly isRunning: () => boolean;
  /** SIGTERM, and SIGKILL when it is still there after `withinMs`. */
  stop(withinMs?: number): Promise<void>;
  kill(): void;
}

/** Throws INTERNAL when the program cannot be started at all. */
export async function startChild({ name, command, args, env, cwd, logsFolder, channel = false }: ChildOptions): Promise<Child> {
  mkdirSync(logsFolder, { recursive: true });
  const logPath = join(logsFolder, `${name}.log`);
  const log = openSync(logPath, "w");
  // A group of its own: Ctrl-C reaches this process only, which then ends the parts in their order.
  const child = spawn(command, args, {
    cwd,
    env: { ...env },
    detached: process.platform !== "win32",
    stdio: channel ? ["ignore", log, log, "ipc"] : ["ignore", log, log],
  });
  closeSync(log);
  const exited = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(signal ? `signal ${signal}` : `exit code ${code}`));
    child.once("error", (error) => resolve(error.message));
  });
  const { pid } = child;
  if (pid === undefined) throw new AppError("INTERNAL", `${name} could not be started: ${await exited}.`);
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const kill = () => {
    if (!isRunning()) return;
    try {
      process.kill(process.platform === "win32" ? pid : -pid, "SIGKILL");
    } catch {
      child.kill("SIGKILL");
    }
  };
  return {
    name,
    pid,
    logPath,
    process: child,
    exited,
    isRunning,
    kill,
    stop: async (withinMs = 15_000) => {
      if (!isRunning()) return;
      child.kill("SIGTERM");
      const late = setTimeout(kill, withinMs);
      await exited;
      clearTimeout(late);
    },
  };
}

/** The end of a part's log, for a report. */
export function logTail(path: string, lines = 12): string {
  try {
    const text = readFileSync(path, "utf8").trimEnd();
    return text.split("\n").slice(-lines).join("\n") || "(it said nothing)";
  } catch {
    return "(there is no log)";
  }
}
