import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const root = join(import.meta.dirname, "../../..");

export interface RunningProcess {
  readonly pid: number;
  /** Everything printed so far, both streams. */
  output(): string;
  /** Resolves when a line of the output matches; rejects with the output when the process ends first. */
  line(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Sends a signal and waits for the end. */
  kill(signal: NodeJS.Signals): Promise<void>;
  readonly exited: Promise<number | null>;
}

/** Settings of this machine must not reach a story: only what every program needs. */
const plainEnv = { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: "1" };

/** `claw …` as a process of its own. */
export function startClaw(args: readonly string[], env: Record<string, string>): RunningProcess {
  const child = spawn(process.execPath, ["agents/cli.ts", ...args], {
    cwd: root,
    env: { ...plainEnv, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return follow(child);
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that ends by itself. `onStart` gets the process while it runs. */
export async function runClaw(
  args: readonly string[],
  env: Record<string, string>,
  onStart?: (child: ChildProcess) => void,
): Promise<Finished> {
  const child = spawn(process.execPath, ["agents/cli.ts", ...args], {
    cwd: root,
    env: { ...plainEnv, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  onStart?.(child);
  const [code] = await once(child, "close");
  return { code, stdout, stderr };
}

function follow(child: ChildProcess): RunningProcess {
  let output = "";
  const listeners = new Set<() => void>();
  const exited = once(child, "close").then(([code]) => code as number | null);
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk) => {
      output += chunk;
      for (const listener of listeners) listener();
    });
  }
  return {
    pid: child.pid ?? 0,
    output: () => output,
    exited,
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = output.match(pattern);
          if (!found) return;
          listeners.delete(look);
          resolve(found);
        };
        listeners.add(look);
        look();
        exited.then((code) => reject(new Error(`ended with ${code} before ${pattern}:\n${output.slice(-4000)}`)));
      }),
    kill: async (signal) => {
      child.kill(signal);
      await exited;
    },
  };
}
