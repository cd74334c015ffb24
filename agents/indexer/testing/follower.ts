import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { connectChain } from "@clawcompute/lib/chain";
import type { Network } from "@clawcompute/lib/config/network";
import { systemClock } from "@clawcompute/lib/node";
import { createWriterLock, type Database } from "@clawcompute/lib/store";
import { createRecordingLogger } from "@clawcompute/lib/testing";
import { follow } from "../follow.ts";

/** A writer inside this process, without the lock unless a database is named for it. */
export interface Follower {
  /** How often blocks were taken back. */
  readonly rollbacks: () => number;
  readonly logger: ReturnType<typeof createRecordingLogger>;
  /** Resolves when `condition` holds, which is looked at after everything that is written. */
  until(condition: (block: number) => boolean): Promise<void>;
  /** Resolves when the newest block of the chain is in the store. */
  caughtUp(): Promise<void>;
  stop(): Promise<void>;
}

export function startFollower(db: Database, network: Network, lockUrl?: string): Follower {
  const ends = new AbortController();
  const logger = createRecordingLogger();
  const chain = connectChain(network, { timeoutMs: 500 });
  const waiting = new Set<{ condition: (block: number) => boolean; done: () => void }>();
  let [block, rollbacks] = [-1, 0];
  const look = () => {
    for (const wait of waiting) {
      if (!wait.condition(block)) continue;
      waiting.delete(wait);
      wait.done();
    }
  };
  const running = follow({
    chain,
    db,
    lock: createWriterLock(lockUrl, network.chainId),
    clock: systemClock,
    signal: ends.signal,
    logger,
    pollMs: 20,
    onWritten: (written) => {
      if (written.rolledBack && written.block < block) rollbacks += 1;
      block = written.block;
      look();
    },
  });
  const until: Follower["until"] = (condition) =>
    new Promise((done) => {
      waiting.add({ condition, done });
      look();
    });
  return {
    rollbacks: () => rollbacks,
    logger,
    until,
    caughtUp: async () => {
      const direct = connectChain({ ...network, rpcUrls: network.rpcUrls.slice(0, 1) });
      const target = Number(await direct.client.getBlockNumber());
      await until((at) => at >= target);
    },
    stop: async () => {
      ends.abort();
      await running;
    },
  };
}

export interface IndexerProcess {
  readonly pid: number;
  readonly url: string;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

/** The whole program as a process of its own; resolves when it listens. */
export function startIndexerProcess(env: Readonly<Record<string, string>>): Promise<IndexerProcess> {
  const entry = fileURLToPath(new URL("./run.ts", import.meta.url));
  const settings = {
    PATH: process.env.PATH ?? "",
    NODE_COMPILE_CACHE: fileURLToPath(new URL("../../../.tools/compiled", import.meta.url)),
    INDEXER_PORT: "0",
    INDEXER_POLL_MS: "50",
    INDEXER_PROBE_SECONDS: "0",
    LOG_LEVEL: "info",
    ...env,
  };
  const child: ChildProcess = spawn(process.execPath, [entry], { env: settings, stdio: ["ignore", "ignore", "pipe"] });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const kill = async () => {
    child.kill("SIGKILL");
    await gone;
  };
  process.once("exit", () => child.kill("SIGKILL"));
  return new Promise((resolve, reject) => {
    let said = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      said = (said + chunk).slice(-20_000);
      const url = /"url":"(http:[^"]+)"/.exec(said)?.[1];
      if (url) resolve({ pid: child.pid as number, url, kill });
    });
    child.once("exit", (code) => reject(new Error(`the indexer ended with ${code}: ${said.slice(-2_000)}`)));
  });
}
