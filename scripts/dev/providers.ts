import { join } from "node:path";
import { type TinyModelName, tinyModels, writeTinyModel } from "@clawcompute/lib/testing";
import type { Child } from "./children.ts";
import { type ClawOptions, privateKeyOf, startClaw } from "./claw.ts";

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

export interface ProviderPartOptions extends ClawOptions {
  readonly plan: ProviderPlan;
  readonly port: number;
  readonly modelsFolder: string;
  readonly dataFolder: string;
}

export function startProvider({ plan, port, modelsFolder, dataFolder, ...where }: ProviderPartOptions): Promise<Child> {
  const { model, backend, price, account } = plan;
  return startClaw(model, "provider", where, {
    MODEL_NAME: model,
    BACKEND: backend,
    ...(backend === "llama" ? { GGUF_PATH: modelPath(modelsFolder, model) } : {}),
    PRICE_PER_SECOND: price,
    PROVIDER_PRIVATE_KEY: privateKeyOf(account),
    PROVIDER_HOST: "127.0.0.1",
    PROVIDER_PORT: String(port),
    ENDPOINT_URL: `http://127.0.0.1:${port}`,
    DATA_DIR: dataFolder,
    DRAIN_SECONDS: "5",
  });
}
