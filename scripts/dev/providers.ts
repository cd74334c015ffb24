import { join } from "node:path";
import { devAccounts, type TinyModelName, tinyModels, writeTinyModel } from "@clawcompute/lib/testing";
import type { HDAccount } from "viem";
import { toHex } from "viem";
import { childEnv } from "./childEnv.ts";
import { type Child, type ChildOptions, startChild } from "./children.ts";

/** One provider of the local network. */
export interface ProviderPlan {
  readonly model: string;
  readonly backend: "llama" | "echo";
  /** Coins per second. */
  readonly price: string;
  /** Which development account owns it. */
  readonly account: number;
  readonly port: number;
}

/** The cheapest has a real model: it is what the first question goes to. */
export const providerPlans: readonly ProviderPlan[] = [
  { model: "claw-tiny-1", backend: "llama", price: "0.00008", account: 1, port: 8701 },
  { model: "claw-tiny-2", backend: "llama", price: "0.0001", account: 2, port: 8702 },
  { model: "echo", backend: "echo", price: "0.00015", account: 3, port: 8703 },
];

export function privateKeyOf(account: number): string {
  const key = (devAccounts[account] as HDAccount).getHdKey().privateKey;
  if (!key) throw new Error(`development account ${account} has no key`);
  return toHex(key);
}

/** Generates the model files; the same bytes each time. */
export async function writeModels(folder: string): Promise<readonly string[]> {
  const names = Object.keys(tinyModels) as TinyModelName[];
  return Promise.all(
    names.map(async (name) => {
      await writeTinyModel(modelPath(folder, name), tinyModels[name]);
      return name;
    }),
  );
}

const modelPath = (folder: string, model: string) => join(folder, `${model}.gguf`);

export interface ProviderPartOptions extends Pick<ChildOptions, "cwd" | "logsFolder"> {
  readonly plan: ProviderPlan;
  readonly port: number;
  readonly rpcUrl: string;
  readonly modelsFolder: string;
  readonly dataFolder: string;
}

export function startProvider({ plan, port, rpcUrl, modelsFolder, dataFolder, cwd, logsFolder }: ProviderPartOptions): Promise<Child> {
  const { model, backend, price, account } = plan;
  return startChild({
    name: model,
    command: process.execPath,
    args: [join(cwd, "agents", "cli.ts"), "provider"],
    env: childEnv({
      NETWORK: "local",
      RPC_URL: rpcUrl,
      MODEL_NAME: model,
      BACKEND: backend,
      ...(backend === "llama" ? { GGUF_PATH: modelPath(modelsFolder, model) } : {}),
      PRICE_PER_SECOND: price,
      PROVIDER_PRIVATE_KEY: privateKeyOf(account),
      PROVIDER_HOST: "127.0.0.1",
      PROVIDER_PORT: String(port),
      ENDPOINT_URL: `http://127.0.0.1:${port}`,
      DATA_DIR: join(dataFolder, model),
      DRAIN_SECONDS: "5",
    }),
    cwd,
    logsFolder,
  });
}

export interface KeeperPartOptions extends Pick<ChildOptions, "cwd" | "logsFolder"> {
  readonly rpcUrl: string;
  readonly port: number;
  readonly stateFile: string;
}

export function startKeeper({ rpcUrl, port, stateFile, cwd, logsFolder }: KeeperPartOptions): Promise<Child> {
  return startChild({
    name: "keeper",
    command: process.execPath,
    args: [join(cwd, "agents", "cli.ts"), "keeper"],
    env: childEnv({
      NETWORK: "local",
      RPC_URL: rpcUrl,
      KEEPER_PRIVATE_KEY: privateKeyOf(4),
      KEEPER_EVERY_SECONDS: "10",
      KEEPER_COMPLETE_AT_LOSS: "1",
      KEEPER_METRICS_PORT: String(port),
      KEEPER_STATE_FILE: stateFile,
    }),
    cwd,
    logsFolder,
  });
}
