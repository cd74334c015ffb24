import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { AppError } from "@clawcompute/lib/errors";
import type { ChainMessage, ChainReady } from "./chainProcess.ts";
import { type Child, type ChildOptions, startChild } from "./children.ts";
import { failure } from "./ready.ts";

export interface ChainPart {
  readonly child: Child;
  readonly ready: ChainReady;
  /** Why there is a new chain although an old one was saved. */
  readonly restarted: string | undefined;
}

export interface ChainPartOptions extends Pick<ChildOptions, "cwd" | "logsFolder"> {
  readonly port: number;
  /** Undefined: the chain is forgotten at its end. */
  readonly statePath: string | undefined;
  /** What belongs to the chain's state and goes with it. */
  readonly belongings: readonly string[];
  onStarted(child: Child): void;
  /** It will end now, and that is known. */
  onGivenUp(child: Child): void;
}

/** Starts the chain with the contracts. A saved one that holds other contracts than the ones built now is set aside. */
export async function startChain(options: ChainPartOptions): Promise<ChainPart> {
  try {
    return await startOnce(options, undefined);
  } catch (thrown) {
    const { statePath } = options;
    if (statePath === undefined || AppError.from(thrown).code !== "CONTRACT_MISSING" || !existsSync(statePath)) throw thrown;
    return startOnce(options, `the contracts were changed; the old chain is in ${setAside(options)}`);
  }
}

/** Moves the saved chain away, and what belongs to it. Returns where it is. */
export function setAside({ statePath, belongings }: Pick<ChainPartOptions, "statePath" | "belongings">): string {
  const old = join(dirname(statePath as string), "old");
  rmSync(old, { recursive: true, force: true });
  mkdirSync(old, { recursive: true });
  for (const path of [statePath as string, ...belongings]) if (existsSync(path)) renameSync(path, join(old, basename(path)));
  return old;
}

async function startOnce(options: ChainPartOptions, restarted: string | undefined): Promise<ChainPart> {
  const { port, statePath, belongings, cwd, logsFolder } = options;
  if (statePath) mkdirSync(dirname(statePath), { recursive: true });
  // A chain that begins anew knows nothing of what others remember.
  if (!statePath || !existsSync(statePath)) for (const path of belongings) rmSync(path, { recursive: true, force: true });
  const child = await startChild({
    name: "chain",
    command: process.execPath,
    args: [join(import.meta.dirname, "chainProcess.ts"), String(port), ...(statePath ? [statePath] : [])],
    env: process.env,
    cwd,
    logsFolder,
    channel: true,
  });
  options.onStarted(child);
  const message = await Promise.race([
    new Promise<ChainMessage>((resolve) => child.process.once("message", (message) => resolve(message as ChainMessage))),
    child.exited.then((how) => Promise.reject(failure(child, `ended while it started (${how})`))),
  ]);
  if ("ready" in message) return { child, ready: message.ready, restarted };
  options.onGivenUp(child);
  await child.exited;
  throw new AppError(message.failed.code, message.failed.message, { hint: `See ${child.logPath}.` });
}
