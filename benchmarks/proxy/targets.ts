import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { devAccounts, findPostgres, startLocalChain, startPostgres } from "@clawcompute/lib/testing";
import type { LocalAccount } from "viem";
import { createPayer } from "../../agents/provider/testing/payer.ts";
import type { Target } from "./load.ts";

export interface PaidTarget extends Target {
  readonly child: ChildProcess;
  readonly pid: number;
}

export interface Targets {
  readonly direct: Target;
  readonly bare: Target;
  readonly unpaid: Target;
  /** The provider as an operator starts it. */
  readonly paid: PaidTarget;
  /** The same on a PostgreSQL server; undefined where none is installed. */
  readonly paidServer: PaidTarget | undefined;
  /** Undefined where it could not be installed. */
  readonly portkey: Target | undefined;
  stop(): Promise<void>;
}

const here = import.meta.dirname;
const root = join(here, "../..");
const STREAMS = 32;

export async function startTargets(): Promise<Targets> {
  const folder = await mkdtemp(join(tmpdir(), "proxy-bench-"));
  const children: ChildProcess[] = [];
  const start = (args: readonly string[], pattern: RegExp, env: Record<string, string> = {}) =>
    new Promise<{ child: ChildProcess; found: RegExpExecArray }>((resolve, reject) => {
      const child = spawn(process.execPath, args, {
        cwd: root,
        env: { PATH: process.env.PATH, HOME: folder, NODE_ENV: "production", ...env },
        stdio: ["ignore", "pipe", "pipe"],
      });
      children.push(child);
      let said = "";
      const onData = (part: Buffer) => {
        said = (said + part.toString()).slice(-20_000);
        const found = pattern.exec(said);
        if (!found) return;
        for (const stream of [child.stdout, child.stderr]) stream?.off("data", onData).resume();
        resolve({ child, found });
      };
      for (const stream of [child.stdout, child.stderr]) stream?.on("data", onData);
      child.once("exit", (code) => reject(new Error(`${args[0]} ended with ${code}: ${said.slice(-2_000)}`)));
    });
  const portOf = async (args: readonly string[]) => Number((await start(args, /port (\d+)/)).found[1]);

  const chain = await startLocalChain();
  const upstream = await portOf([join(here, "upstream.ts")]);
  const plain = (name: string, port: number): Target => ({ name, port, headers: () => ({}) });
  const bare = await portOf([join(here, "bare.ts"), String(upstream)]);
  const unpaid = await portOf([join(here, "unpaid.ts"), String(upstream)]);
  const postgres = findPostgres() ? await startPostgres({ durable: true }) : undefined;

  async function startPaid(name: string, index: number, store: Record<string, string>): Promise<PaidTarget> {
    const { child, found } = await start(
      [join(root, "agents/cli.ts"), "provider"],
      /ready: \S+ at http:\/\/localhost:(\d+) \(provider (\d+),/,
      {
        NETWORK: "local",
        RPC_URL: chain.rpcUrl,
        PROVIDER_PRIVATE_KEY: keyOf(index),
        BACKEND: "openai",
        INFERENCE_URL: `http://127.0.0.1:${upstream}/v1`,
        MODEL_NAME: "m",
        PROVIDER_PORT: "0",
        PROVIDER_HOST: "127.0.0.1",
        MAX_CONCURRENCY: "2000",
        MAX_PER_STREAM: "1000",
        PAYER_REQUESTS_PER_MINUTE: "10000000",
        IP_ATTEMPTS_PER_MINUTE: "10000000",
        STALL_SECONDS: "3600",
        NODE_OPTIONS: "--inspect-port=0",
        ...store,
      },
    );
    const port = Number(found[1]);
    const payer = createPayer(chain, devAccounts[5] as LocalAccount);
    const tokens: string[] = [];
    for (let opened = 0; opened < STREAMS; opened += 1) {
      const recipient = (devAccounts[index] as LocalAccount).address;
      const streamId = await payer.openStream({ recipient, providerId: Number(found[2]), seconds: 86_400 });
      tokens.push((await payer.session(`http://127.0.0.1:${port}`, streamId)).token);
    }
    return {
      name,
      port,
      child,
      pid: child.pid as number,
      headers: (connection) => ({ authorization: `Bearer ${tokens[connection % STREAMS]}` }),
    };
  }

  const gateway = join(here, "node_modules/@portkey-ai/gateway/build/start-server.js");
  let portkey: Target | undefined;
  if (existsSync(gateway)) {
    const port = await freePort();
    await start([gateway, `--port=${port}`, "--headless"], /Ready|running|listening/i);
    const headers = {
      "x-portkey-provider": "openai",
      "x-portkey-custom-host": `http://127.0.0.1:${upstream}/v1`,
      authorization: "Bearer none",
    };
    portkey = { name: "@portkey-ai/gateway", port, headers: () => headers };
  }
  return {
    direct: plain("direct", upstream),
    bare: plain("bare node:http proxy", bare),
    unpaid: plain("provider, unpaid", unpaid),
    paid: await startPaid("provider, paid", 1, { DATA_DIR: join(folder, "store") }),
    paidServer: postgres && (await startPaid("provider, paid, PostgreSQL", 2, { DATABASE_URL: await postgres.createDatabase() })),
    portkey,
    stop: async () => {
      for (const child of children) child.kill("SIGKILL");
      await postgres?.stop();
      await chain.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function keyOf(index: number): string {
  const account = devAccounts[index] as unknown as { getHdKey(): { privateKey: Uint8Array } };
  return `0x${Buffer.from(account.getHdKey().privateKey).toString("hex")}`;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
