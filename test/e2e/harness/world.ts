import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { streamPayAbi } from "@clawcompute/lib/abi";
import { devMnemonic, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import {
  type Address,
  createPublicClient,
  type HDAccount,
  type Hex,
  http,
  type PublicClient,
  parseEventLogs,
  toHex,
  zeroAddress,
} from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { type Finished, type RunningProcess, runClaw, startClaw } from "./processes.ts";

/** What `claw ask --json` prints, as far as the stories read it. */
export interface AskOutput {
  readonly answer: string;
  readonly model: string;
  readonly providerId: number;
  readonly streamId: string;
  readonly servedMs: number | null;
  readonly ratePerSecondWei: string;
  readonly depositWei: string;
  readonly paidWei: string;
  readonly refundedWei: string;
  readonly worstCaseLossWei: string;
  readonly gasFeeWei: string;
  readonly finishReason: string | null;
  readonly truncated: boolean;
  readonly transactions: readonly { readonly kind: string; readonly hash: Hex }[];
  readonly receipt: Record<string, unknown> | null;
  readonly error?: { readonly code: string };
}

export interface ProviderProcess extends RunningProcess {
  readonly id: number;
  readonly url: string;
  readonly owner: Address;
  readonly env: Record<string, string>;
}

/** A market of real processes on a chain of its own. */
export interface World {
  readonly chain: LocalChain;
  readonly client: PublicClient;
  readonly folder: string;
  readonly payer: HDAccount;
  /** Starts `claw provider` for development account `index` and waits until it is ready. */
  provider(index: number, env: Record<string, string>): Promise<ProviderProcess>;
  restart(provider: ProviderProcess): Promise<ProviderProcess>;
  ask(
    args: readonly string[],
    env?: Record<string, string>,
    onStart?: Parameters<typeof runClaw>[2],
  ): Promise<Finished & { readonly json: AskOutput }>;
  claw(args: readonly string[], env?: Record<string, string>, onStart?: Parameters<typeof runClaw>[2]): Promise<Finished>;
  keeper(env: Record<string, string>): RunningProcess;
  creditOf(account: Address): Promise<bigint>;
  balanceOf(account: Address): Promise<bigint>;
  /** What the chain says of a stream's life: every amount that moved. */
  ledger(streamId: bigint): Promise<Ledger>;
  stop(): Promise<void>;
}

export interface Ledger {
  readonly deposit: bigint;
  readonly paid: bigint;
  readonly refunded: bigint;
  readonly rewards: bigint;
  readonly ended: boolean;
}

export const account = (index: number): HDAccount => mnemonicToAccount(devMnemonic, { addressIndex: index });
export const keyOf = (index: number): Hex => toHex(account(index).getHdKey().privateKey as Uint8Array);

const PAYER = 5;

export async function startWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "world-"));
  const chain = await startLocalChain();
  const client = createPublicClient({ transport: http(chain.rpcUrl), pollingInterval: 200 });
  const { streamPay } = chain.network.contracts;
  const processes = new Set<RunningProcess>();
  const base = { NETWORK: "local", RPC_URL: chain.rpcUrl, HOME: folder };

  const start = async (index: number, env: Record<string, string>): Promise<ProviderProcess> => {
    const running = startClaw(["provider"], env);
    processes.add(running);
    const [, url = "", id = ""] = await running.line(/ready: \S+ at (http:\/\/localhost:\d+) \(provider (\d+),/);
    return {
      ...running,
      id: Number(id),
      url,
      owner: account(index).address,
      env: { ...env, PROVIDER_PORT: new URL(url).port, ENDPOINT_URL: url },
    };
  };

  return {
    chain,
    client,
    folder,
    payer: account(PAYER),
    provider: (index, env) =>
      start(index, {
        ...base,
        PROVIDER_PRIVATE_KEY: keyOf(index),
        PROVIDER_PORT: "0",
        PROVIDER_HOST: "127.0.0.1",
        DATA_DIR: join(folder, `provider-${index}`),
        ...env,
      }),
    restart: async (provider) => {
      await provider.exited;
      const index = [...Array(20).keys()].find((candidate) => account(candidate).address === provider.owner) ?? 0;
      return start(index, provider.env);
    },
    ask: async (args, env = {}, onStart) => {
      const finished = await runClaw(["ask", "--json", ...args], { ...base, PRIVATE_KEY: keyOf(PAYER), ...env }, onStart);
      return { ...finished, json: parse(finished) };
    },
    claw: (args, env = {}, onStart) => runClaw(args, { ...base, PRIVATE_KEY: keyOf(PAYER), ...env }, onStart),
    keeper: (env) => {
      const running = startClaw(["keeper"], { ...base, KEEPER_PRIVATE_KEY: keyOf(4), ...env });
      processes.add(running);
      return running;
    },
    creditOf: (address) =>
      client.readContract({ address: streamPay, abi: streamPayAbi, functionName: "creditOf", args: [address, zeroAddress] }),
    balanceOf: (address) => client.getBalance({ address }),
    ledger: async (streamId) => readLedger(client, streamPay, streamId),
    stop: async () => {
      await Promise.all([...processes].map((running) => running.kill("SIGKILL")));
      await chain.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function parse({ code, stdout, stderr }: Finished): AskOutput {
  try {
    return JSON.parse(stdout) as AskOutput;
  } catch {
    throw new Error(`claw ask ended with ${code} and printed no JSON object:\n${stdout}\n${stderr}`);
  }
}

async function readLedger(client: PublicClient, address: Address, streamId: bigint): Promise<Ledger> {
  const logs = parseEventLogs({ abi: streamPayAbi, logs: await client.getLogs({ address, fromBlock: 0n }) });
  const ledger = { deposit: 0n, paid: 0n, refunded: 0n, rewards: 0n, ended: false };
  for (const log of logs) {
    if (!("id" in log.args) || log.args.id !== streamId) continue;
    switch (log.eventName) {
      case "StreamCreated":
        ledger.deposit += log.args.ratePerSecond * (log.args.end - log.args.start);
        break;
      case "StreamToppedUp":
        ledger.deposit += log.args.amount;
        break;
      case "StreamWithdrawn":
        ledger.paid += log.args.amount;
        break;
      case "StreamUpdated":
        ledger.paid += log.args.accrued - log.args.reward;
        ledger.rewards += log.args.reward;
        ledger.ended ||= log.args.completed;
        break;
      case "StreamCancelled":
      case "StreamSettled":
        ledger.paid += log.args.paid;
        ledger.refunded += log.args.refunded;
        ledger.ended = true;
        break;
    }
  }
  return ledger;
}
