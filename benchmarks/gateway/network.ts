import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import type { HDAccount } from "viem";
import { toHex } from "viem";

const root = join(import.meta.dirname, "..", "..");

export interface Part {
  readonly url: string;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** Programs as people run them: each in a process of its own. */
export interface BenchNetwork {
  readonly chain: LocalChain;
  /** Without `env` it lets one payer do as much as the machine can. */
  provider(options: { readonly account: number; readonly price: string; readonly env?: Readonly<Record<string, string>> }): Promise<Part>;
  gateway(env?: Readonly<Record<string, string>>): Promise<Part>;
  stop(): Promise<void>;
}

export const keyOf = (account: number): string => toHex((devAccounts[account] as HDAccount).getHdKey().privateKey as Uint8Array);

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a program and waits until its output says that it is ready. */
export async function startPart(args: readonly string[], env: Readonly<Record<string, string>>, ready: RegExp, url: string): Promise<Part> {
  const child: ChildProcess = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    cwd: root,
  });
  let output = "";
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`not ready within 60 s: ${args.join(" ")}\n${output}`)), 60_000);
    const read = (data: Buffer) => {
      if (output.length < 100_000) output += data;
      if (!ready.test(output)) return;
      clearTimeout(limit);
      resolve();
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    void exited.then(() => reject(new Error(`ended: ${args.join(" ")}\n${output}`)));
  });
  return {
    url,
    kill: async (signal = "SIGTERM") => {
      child.kill(signal);
      await exited;
    },
  };
}

const spacious = { MAX_CONCURRENCY: "500", MAX_PER_STREAM: "500", QUEUE_LENGTH: "500", PAYER_REQUESTS_PER_MINUTE: "0" };

export async function startNetwork(blockTimeMs: number): Promise<BenchNetwork> {
  const chain = await startLocalChain({ blockTimeMs });
  const parts: Part[] = [];
  const shared = { NETWORK: "local", RPC_URL: chain.rpcUrl };
  const cli = join(root, "agents", "cli.ts");
  const add = async (starting: Promise<Part>) => {
    const part = await starting;
    parts.push(part);
    return part;
  };
  return {
    chain,
    provider: async ({ account, price, env: settings = spacious }) => {
      const port = String(await freePort());
      const env = {
        ...shared,
        BACKEND: "echo",
        MODEL_NAME: "echo",
        PROVIDER_PORT: port,
        PROVIDER_HOST: "127.0.0.1",
        ENDPOINT_URL: `http://127.0.0.1:${port}`,
        PROVIDER_PRIVATE_KEY: keyOf(account),
        PRICE_PER_SECOND: price,
        DATA_DIR: join(root, ".local", "bench-gateway", `${process.pid}-${port}`),
        LOG_LEVEL: "info",
        ...settings,
      };
      return add(startPart([cli, "provider"], env, /ready: /, `http://127.0.0.1:${port}`));
    },
    gateway: async (env = {}) => {
      const port = String(await freePort());
      const own = {
        ...shared,
        PRIVATE_KEY: keyOf(6),
        GATEWAY_PORT: port,
        GATEWAY_DATA_DIR: join(root, ".local", "bench-gateway", `${process.pid}-${port}`),
        MAX_PER_HOUR: "10",
        MAX_PER_DAY: "10",
        MAX_TOTAL: "100",
        ...env,
      };
      return add(startPart([cli, "gateway"], own, /ready: /, `http://127.0.0.1:${port}`));
    },
    stop: async () => {
      for (const part of parts.reverse()) await part.kill();
      await chain.stop();
    },
  };
}
